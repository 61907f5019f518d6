"""ShuffledBatches: the same batches with the steps of every example in a random order: what is order worth?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..spec import PADDING
from .protocol import Batches

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True, eq=False)
class ShuffledBatches:
    """Batches whose examples have their real steps permuted, all channels of a step together; padding stays behind.

    Targets stay, so this is only for what has one target for a whole example or window.

    Attributes:
        batches: in the right order.
        seed: of the permutations; every batch has others, and a run repeats.
    """

    batches: Batches
    seed: int = 0

    @property
    def batch_size(self) -> int:
        """Examples in a training step."""
        return self.batches.batch_size

    @property
    def predict_batch_size(self) -> int:
        """Examples read together in prediction."""
        return self.batches.predict_batch_size

    def __len__(self) -> int:
        return len(self.batches)

    def order(self, batch_size: int) -> np.ndarray:
        """As the batches themselves."""
        return self.batches.order(batch_size)

    def dataset(
        self, *, batch_size: int, seed: int | None = None, first_epoch: int = 0, steps: int | None = None
    ) -> tf.data.Dataset:
        """As the batches themselves, with other steps."""
        source = self.batches.dataset(batch_size=batch_size, seed=seed, first_epoch=first_epoch, steps=steps)
        # the number of the first batch, so that a resumed run continues with the same permutations
        return source.enumerate(first_epoch * (steps or 1)).map(self._shuffled)

    def _shuffled(self, number: tf.Tensor, batch: tuple) -> tuple:
        import tensorflow as tf

        inputs: dict[str, Any] = dict(batch[0])
        name = "values" if "values" in inputs else "tokens"
        x = inputs[name]
        time = tf.shape(x)[1]
        if "lengths" in inputs:
            real = tf.sequence_mask(inputs["lengths"], time)
        else:
            real = x != PADDING if name == "tokens" else tf.ones(tf.shape(x)[:2], tf.bool)
        seed = tf.stack([tf.constant(self.seed, tf.int64), number])
        key = tf.random.stateless_uniform(tf.shape(x)[:2], seed)
        behind = 1.0 + tf.cast(tf.range(time), tf.float32)
        order = tf.argsort(tf.where(real, key, behind), axis=1, stable=True)
        inputs[name] = tf.ensure_shape(tf.gather(x, order, batch_dims=1), x.shape)
        return (inputs, *batch[1:])
