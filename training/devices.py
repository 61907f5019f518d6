"""One training on several devices: each has a part of every batch, and all take the same step."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from ..errors import InputError

if TYPE_CHECKING:
    import tensorflow as tf


@cache
def mirrored() -> tf.distribute.MirroredStrategy:
    """Variables on all GPUs that this process sees, where there is none on all logical CPUs.

    Raises:
        InputError: if there are not two of them.
    """
    import tensorflow as tf

    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        raise InputError(
            f"`strategy` mirrored needs two devices or more, and TensorFlow sees one ({devices[0].name}); leave it out"
        )
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def mirrored_step(model: keras.Model, strategy: tf.distribute.Strategy) -> Callable[[Any], None]:
    """A training step on a batch: gradients of its parts are summed, divided once by what the whole batch weighs.

    So the step is that of one device, to rounding, however unequal the parts or their weights are; Keras averages the
    replicas' means, and clips each replica's gradient by itself.
    """
    loss = model.loss
    summed = type(loss)(loss.kind, reduction="sum", dtype=loss.dtype)
    weighted = loss.reduction == "mean_with_sample_weight"
    import tensorflow as tf

    def part_of(batch: Any) -> Any:
        context = tf.distribute.get_replica_context()
        index, count = context.replica_id_in_sync_group, context.num_replicas_in_sync

        def rows(tensor: Any) -> Any:
            size = tf.shape(tensor)[0]
            return tensor[size * index // count : size * (index + 1) // count]

        with tf.device("CPU:0"):  # only the part goes to the device
            return tf.nest.map_structure(rows, batch)

    def on_a_replica(batch: Any) -> tuple[list[Any], Any]:
        inputs, target, weight = part_of(batch)
        with tf.GradientTape() as tape:
            predicted = model(inputs, training=True)
            total = summed(target, predicted, weight)
        counted = ops.sum(weight) if weighted else ops.size(loss.call(target, predicted))
        gradients = tape.gradient(total, [v.value for v in model.trainable_variables])
        return [tf.convert_to_tensor(g) for g in gradients], ops.cast(counted, loss.dtype)

    def step(batch: Any) -> None:
        gradients, counted = strategy.run(on_a_replica, args=(batch,))
        whole = strategy.reduce("SUM", counted, axis=None)
        sums = [strategy.reduce("SUM", g, axis=None) for g in gradients]
        model.optimizer.apply([tf.math.divide_no_nan(s, tf.cast(whole, s.dtype)) for s in sums])

    return step
