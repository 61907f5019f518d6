"""SequenceBatches: encoded sequences as tf.data batches of (inputs, target, weight), padded as far as a batch needs.

A batch of short texts should not pay for one long text. Sequences of about the same length therefore meet in a batch,
and batches are padded to one of a few lengths, because a compiled network is compiled once for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..spec import PADDING
from .ragged import Ragged
from .read_ahead import read_ahead

if TYPE_CHECKING:
    import tensorflow as tf

# Batches whose sequences are sorted by length together: enough that neighbours are alike, few enough to stay random.
_POOL = 64


@dataclass(frozen=True, eq=False)
class SequenceBatches:
    """Some of the encoded sequences and their targets; see :class:`recurra.pipelines.protocol.Batches`.

    Attributes:
        sequences: all encoded sequences; `rows` says which of them belong here.
        target: (sequences,) a class or a scaled value each; (steps,) a tag each; or None where nothing is known.
        weight: what an example weighs in the loss (sequences,), or every step of it (steps,), as the target has it.
        rows: numbers of the sequences (examples,).
        widths: lengths that batches are padded to, in rising order.
        per_step: whether every step has a target of its own.
        extras: further inputs by name (sequences, ...).
        step_extras: further inputs by name that have a row for every step (steps, channels).
        batch_size: examples in a training step, where nobody says otherwise.
        predict_batch_size: examples read together in prediction.
    """

    sequences: Ragged
    target: np.ndarray | None
    weight: np.ndarray
    rows: np.ndarray
    widths: tuple[int, ...]
    per_step: bool = False
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    step_extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    batch_size: int = 32
    predict_batch_size: int = 256

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def padded(self) -> tuple[int, ...]:
        """The lengths, and that of the longest example where it is longer than all of them."""
        longest = int(self.sequences.lengths[self.rows].max(initial=1))
        return self.widths if longest <= self.widths[-1] else (*self.widths, longest)

    def dataset(
        self, *, batch_size: int, seed: int | None = None, first_epoch: int = 0, steps: int | None = None
    ) -> tf.data.Dataset:
        """Batches of (inputs, target, weight).

        Args:
            batch_size: examples per batch.
            seed: shuffles without end, a new order every pass; None reads every example once, in the order of
                :meth:`order`, and fills the last batch up with padding rows.
            first_epoch, steps: where a shuffled run resumes, in epochs of `steps` batches.

        Returns:
            Of inputs ``{"tokens": (batch, time)}`` or ``{"values": (batch, time, channels), "lengths": (batch,)}``;
            target (batch,), (batch, 1) of values, or (batch, time); weight of the same shape, 0 at padding.
        """
        import tensorflow as tf

        if seed is None:
            plan = tf.data.Dataset.from_tensor_slices(self._in_order(batch_size))
        else:
            plan = self._shuffled(batch_size, seed, first_epoch * (steps or 1))
        return read_ahead(plan, self._gather())

    def order(self, batch_size: int) -> np.ndarray:
        """Which example has which place in an unshuffled run, -1 for a padding row: (batches × batch_size,)."""
        order = np.argsort(self.sequences.lengths[self.rows], kind="stable")
        return np.concatenate([order, np.full(-len(order) % batch_size, -1)])

    def _in_order(self, batch_size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, widths, and 0 for padding rows, of all batches."""
        order = self.order(batch_size)
        rows = self.rows[np.where(order < 0, order.max(), order)].reshape(-1, batch_size)
        return rows, self._width(rows), (order >= 0).reshape(-1, batch_size).astype("float32")

    def _shuffled(self, batch_size: int, seed: int, first_batch: int) -> tf.data.Dataset:
        """Batches of full size without end; the order depends on the seed and the number of the pass only."""
        import tensorflow as tf

        n_batches = max(1, len(self) // batch_size)

        def plan(number: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            random = np.random.default_rng((seed, int(number)))
            order = random.permutation(len(self))
            order = np.resize(order, n_batches * batch_size)  # fewer examples than a batch holds: some twice
            lengths = self.sequences.lengths[self.rows[order]]
            pool = np.arange(len(order)) // (batch_size * _POOL)
            order = order[np.lexsort((lengths, pool))].reshape(n_batches, batch_size)
            rows = self.rows[order[random.permutation(n_batches)]]
            return rows, self._width(rows), np.ones(rows.shape, "float32")

        kinds = (tf.int64, tf.int64, tf.float32)

        def one_pass(number: tf.Tensor) -> tf.data.Dataset:
            rows, width, real = tf.numpy_function(plan, [number], kinds, stateful=False)
            rows = tf.ensure_shape(rows, (None, batch_size))
            real = tf.ensure_shape(real, (None, batch_size))
            return tf.data.Dataset.from_tensor_slices((rows, tf.ensure_shape(width, (None,)), real))

        passes = tf.data.Dataset.counter(first_batch // n_batches)
        return passes.flat_map(one_pass).skip(first_batch % n_batches)

    def _width(self, rows: np.ndarray) -> np.ndarray:
        """Padded length of each batch: (batches, batch) → (batches,)."""
        longest = self.sequences.lengths[rows].max(axis=1)
        widths = np.array(self.padded)
        return widths[np.minimum(np.searchsorted(widths, longest), len(widths) - 1)].astype(np.int64)

    def _gather(self) -> Any:
        """(rows, width, 0 for padding rows) of a batch → (inputs, target, weight)."""
        import tensorflow as tf

        if isinstance(self.sequences.flat, np.memmap):
            return self._gather_from_files()
        sequences, per_step = self.sequences, self.per_step
        flat, starts = tf.constant(_never_empty(sequences.flat)), tf.constant(sequences.starts)
        extras = {name: tf.constant(extra) for name, extra in self.extras.items()}
        of_steps = {name: tf.constant(_never_empty(extra)) for name, extra in self.step_extras.items()}
        lengths, weights = tf.constant(sequences.lengths), tf.constant(_never_empty(self.weight))
        target = tf.zeros(len(self.weight), tf.int32) if self.target is None else tf.constant(self.target)

        def batch(rows: tf.Tensor, width: tf.Tensor, real: tf.Tensor) -> tuple:
            length = tf.minimum(tf.gather(lengths, rows), width)  # (batch,)
            steps = tf.range(width)  # (time,)
            inside = steps < length[:, None]  # (batch, time)
            places = tf.where(inside, tf.gather(starts, rows)[:, None] + steps, 0)
            inputs = _inputs(tf.gather(flat, places), inside, length)
            inputs |= {name: tf.gather(extra, rows) for name, extra in extras.items()}
            inputs |= {name: tf.where(inside[:, :, None], tf.gather(x, places), 0.0) for name, x in of_steps.items()}
            if not per_step:
                own = tf.gather(target, rows)  # (batch,), or (batch, 1) of values
                weight = real * tf.gather(weights, rows)
                return inputs, own, tf.reshape(weight, [-1] + [1] * (own.shape.rank - 1))
            weight = tf.where(inside, real[:, None] * tf.gather(weights, places), 0.0)
            return inputs, tf.where(inside, tf.gather(target, places), 0), weight

        return batch

    def _gather_from_files(self) -> Any:
        """The same by a call out of the graph: what is in files stays there."""
        import tensorflow as tf

        sequences, names, weights = self.sequences, list(self.extras), self.weight
        flat = np.asarray(sequences.flat)
        target = np.zeros(len(weights), "int32") if self.target is None else self.target

        def read(rows: np.ndarray, width: np.ndarray, real: np.ndarray) -> list[np.ndarray]:
            length = np.minimum(sequences.lengths[rows], width)
            steps = np.arange(int(width))
            inside = steps < length[:, None]  # (batch, time)
            places = np.where(inside, sequences.starts[rows][:, None] + steps, 0)
            tokens = np.where(inside, flat[places], np.int32(PADDING))
            weight = (real * weights[rows]).reshape(-1, *[1] * (target.ndim - 1))
            return [tokens, target[rows], weight, *(self.extras[name][rows] for name in names)]

        kinds = [tf.int32, tf.as_dtype(target.dtype), tf.float32, *(self.extras[name].dtype for name in names)]

        def batch(rows: tf.Tensor, width: tf.Tensor, real: tf.Tensor) -> tuple:
            found = tf.numpy_function(read, [rows, width, real], kinds, stateful=False)
            size, wide = rows.shape[0], [1] * (target.ndim - 1)
            tokens = tf.ensure_shape(found[0], [size, None])
            own, weight = tf.ensure_shape(found[1], [size, *target.shape[1:]]), tf.ensure_shape(found[2], [size, *wide])
            extras = {
                name: tf.ensure_shape(extra, [size, *self.extras[name].shape[1:]])
                for name, extra in zip(names, found[3:], strict=True)
            }
            return {"tokens": tokens} | extras, own, weight

        return batch


def _inputs(steps: tf.Tensor, inside: tf.Tensor, length: tf.Tensor) -> dict[str, tf.Tensor]:
    """Steps with zeros where padding is: ids (batch, time) or values (batch, time, channels)."""
    import tensorflow as tf

    if steps.shape.rank == 2:
        return {"tokens": tf.where(inside, steps, 0)}
    return {"values": tf.where(inside[:, :, None], steps, 0.0), "lengths": tf.cast(length, tf.int32)}


def _never_empty(flat: np.ndarray) -> np.ndarray:
    """Where all texts are empty, padding still needs a step to point at."""
    return flat if len(flat) else np.zeros((1, *flat.shape[1:]), flat.dtype)
