"""StreamBatches: a long text as batches that continue one another, for truncated backpropagation through time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..spec import END
from .read_ahead import read_ahead

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True, eq=False)
class StreamBatches:
    """A long text in parallel streams; see :class:`recurra.pipelines.protocol.Batches`.

    Attributes:
        ids: all tokens (tokens,); every one of them is to be predicted, the first from nothing but an end.
        batch_size: parallel streams, and so rows of each batch.
        bptt_steps: tokens of each batch's rows.
    """

    ids: np.ndarray
    batch_size: int
    bptt_steps: int

    @property
    def predict_batch_size(self) -> int:
        """Rows of each batch: a state is carried from batch to batch, so there are always as many."""
        return self.batch_size

    @property
    def n_batches(self) -> int:
        """Batches that the text takes."""
        return -(-self._stretch // self.bptt_steps)

    @property
    def _stretch(self) -> int:
        """Tokens of the text that belong to one stream."""
        return -(-len(self.ids) // self.batch_size)

    def __len__(self) -> int:
        return self.batch_size * self.n_batches

    def dataset(
        self,
        *,
        batch_size: int,
        seed: int | None = None,
        first_epoch: int = 0,
        steps: int | None = None,
    ) -> tf.data.Dataset:
        """Batches of (inputs, target, weight), in the order of the text; with `seed` without end.

        Returns:
            Of inputs ``{"tokens": (batch, time), "start": (batch,)}``, 1 where the text begins anew; target and weight
            (batch, time), 0 behind each stream's end.
        """
        import tensorflow as tf

        if batch_size != self.batch_size:
            raise ValueError(f"`batch_size` must be {self.batch_size}, as the text was cut. Received: {batch_size}")
        before, after, weight = map(tf.constant, self._table())
        n, steps_each = self.n_batches, self.bptt_steps

        def batch(number: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
            place = number % n
            columns = tf.range(steps_each, dtype=tf.int64) + place * steps_each
            start = tf.fill([self.batch_size], tf.cast(place == 0, tf.float32))
            inputs = {"tokens": tf.gather(before, columns, axis=1), "start": start}
            return inputs, tf.gather(after, columns, axis=1), tf.gather(weight, columns, axis=1)

        data = tf.data.Dataset
        numbers = data.range(n) if seed is None else data.counter(first_epoch * (steps or n))
        return read_ahead(numbers, batch)

    def order(self, batch_size: int) -> np.ndarray:
        """Which row of which batch has which place in an unshuffled run; none is padding: (batches × batch_size,)."""
        return np.arange(self.n_batches * batch_size)

    def in_order(self, losses: np.ndarray) -> np.ndarray:
        """Something about every token, as batches (batches, batch, time) → in the order of the text (tokens,)."""
        by_stream = losses.transpose(1, 0, 2).reshape(self.batch_size, -1)[:, : self._stretch]
        return by_stream.reshape(-1)[: len(self.ids)]

    def _table(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tokens, the tokens after them and their weights, a row for each stream: (batch, batches × steps) each."""
        missing = self.batch_size * self._stretch - len(self.ids)
        after = np.pad(self.ids, (0, missing)).reshape(self.batch_size, -1)
        before = np.pad(np.concatenate([[END], self.ids[:-1]]), (0, missing)).reshape(self.batch_size, -1)
        weight = np.pad(np.ones(len(self.ids)), (0, missing)).reshape(self.batch_size, -1)
        behind = ((0, 0), (0, self.n_batches * self.bptt_steps - self._stretch))
        before, after, weight = (np.pad(table, behind) for table in (before, after, weight))
        return before.astype("int32"), after.astype("int32"), weight.astype("float32")
