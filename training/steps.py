"""Steps of training, several in one call of a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from ..pipelines.protocol import Batches
from .devices import mirrored_step

MAX_STEPS_PER_EXECUTION = 16


def steps_per_epoch(train: Batches, batch_size: int | None = None) -> tuple[int, int]:
    """Examples in a training step, and steps in an epoch."""
    size = min(batch_size or train.batch_size, len(train))
    return size, max(1, round(len(train) / size))


def steps_per_execution(steps: int) -> int:
    """Steps that are run in one call, of so many in an epoch."""
    return int(np.clip(steps // 8, 1, MAX_STEPS_PER_EXECUTION))


def run_epochs(
    model: keras.Model,
    batches: Any,
    watching: keras.callbacks.CallbackList,
    epochs: range,
    *,
    steps: int,
    at_once: int,
) -> None:
    """What ``model.fit`` does, without most of its price: of a small training's epochs that is nearly all.

    Few steps are one call, and their number is a tensor, so that folds of different sizes share one trace.
    """
    run, others_watch = training_steps(model), len(watching.callbacks) > 1
    model.stop_training = False
    watching.on_train_begin()
    logs: dict[str, float] = {}
    for epoch in epochs:
        model.reset_metrics()
        watching.on_epoch_begin(epoch)
        for begin in range(0, steps, at_once):
            count = min(at_once, steps - begin)
            watching.on_train_batch_begin(begin)
            run(batches, count)
            if others_watch:
                logs = {name: float(value) for name, value in model.get_metrics_result().items()}
            watching.on_train_batch_end(begin + count - 1, logs)
            if model.stop_training:
                break
        watching.on_epoch_end(epoch, dict(logs))
        if model.stop_training:
            break
    watching.on_train_end(logs)


def training_steps(model: keras.Model) -> Callable[[Any, int], None]:
    """Some steps of training in one call of a graph, made once per model: (iterator of batches, how many)."""
    import tensorflow as tf

    if not hasattr(model, "_training_steps"):
        strategy = model.distribute_strategy
        if strategy.num_replicas_in_sync > 1:
            step = mirrored_step(model, strategy)  # what is compiled may not wait for another device: not by XLA
        else:
            step = tf.function(model.train_step, jit_compile=model.jit_compile, reduce_retracing=True, autograph=False)

        def steps(batches: Any, count: Any) -> None:
            def one(done: Any) -> Any:
                step(next(batches))
                return done + 1

            tf.while_loop(lambda done: done < count, one, [tf.constant(0)], parallel_iterations=1)

        graph = tf.function(steps, reduce_retracing=True, autograph=False)
        # Behind a plain function, for the reason in `compiled`.
        model._training_steps = lambda batches, count: graph(batches, tf.constant(count))
    return model._training_steps
