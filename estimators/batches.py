"""Encoded sequences → the arrays that a compiled network takes: stacks of batches of one width each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# Shorter sequences are filled up to so many steps: each width costs a compilation, and a few steps cost nothing.
LEAST_WIDTH = 8
# Batches whose sequences are sorted by length together, as in pipelines/sequence_batches.py.
_POOL = 64
# Numbers that are handed to TensorFlow at once.
_MOST_NUMBERS = 1 << 22
_MOST_BATCHES = 64
# Rows predicted together: of few sizes, because each is compiled.
_PREDICTED = (1, 8, 64, 256)

Stack = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Steps:
    """Some of many sequences that are kept end to end.

    Attributes:
        flat: all steps, ids (steps,) or scaled values (steps, channels).
        starts, lengths: where each sequence begins in `flat`, and how many steps it has: (rows,).
    """

    flat: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True, eq=False)
class Rows:
    """Examples as numbers.

    Attributes:
        sequences: ids or scaled values.
        target: classes (rows,) int32 or scaled values (rows, values) float32.
        weight: (rows,) float32.
        widths: lengths that batches are filled up to, in rising order.
    """

    sequences: Steps
    target: np.ndarray
    weight: np.ndarray
    widths: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.target)

    def epoch(self, batch_size: int, random: np.random.Generator | None) -> Iterator[Stack]:
        """All rows once, in a random order or in that of their lengths, as stacks of (inputs, target, weight).

        Inputs are (batches, batch, ...), target (batches, batch) or (batches, batch, values), weight (batches, batch),
        which is 0 at rows that only fill a batch up.
        """
        lengths = self.sequences.lengths
        order = np.arange(len(self)) if random is None else random.permutation(len(self))
        if len(self.widths) > 1:
            pool = np.arange(len(self)) // (batch_size * _POOL)
            order = order[np.lexsort((lengths[order], pool if random is not None else np.zeros_like(pool)))]
        rows = np.concatenate([order, np.full(-len(order) % batch_size, -1)]).reshape(-1, batch_size)
        if random is not None and len(self.widths) > 1:
            rows = rows[random.permutation(len(rows))]
        for width, some in _stacks(rows, _widths(lengths[rows].max(axis=1), self.widths), self._numbers_per_step()):
            yield self._stack(some, width)

    def _numbers_per_step(self) -> int:
        return int(np.prod(self.sequences.flat.shape[1:], dtype=int))

    def _stack(self, rows: np.ndarray, width: int) -> Stack:
        weight = np.where(rows < 0, np.float32(0), self.weight[rows])
        return gather(self.sequences, rows, width), self.target[rows], weight


def gather(sequences: Steps, rows: np.ndarray, width: int) -> dict[str, np.ndarray]:
    """Rows (...) of sequences, filled up with zeros behind: ``tokens``, or ``values`` and ``lengths``."""
    lengths = np.minimum(sequences.lengths[rows], width)  # (...)
    steps = np.arange(width)
    inside = steps < lengths[..., None]  # (..., width)
    places = np.where(inside, sequences.starts[rows][..., None] + steps, 0)
    steps_of_all = (
        sequences.flat if len(sequences.flat) else np.zeros((1, *sequences.flat.shape[1:]), sequences.flat.dtype)
    )
    found = steps_of_all[places]  # texts may all be empty
    if found.ndim == inside.ndim:
        return {"tokens": np.where(inside, found, 0)}
    return {"values": np.where(inside[..., None], found, 0), "lengths": lengths.astype("int32")}


def blocks(sequences: Steps, widths: tuple[int, ...]) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """All rows once for a prediction: numbers of the rows (n,) and their inputs (at least n, ...)."""
    order = np.argsort(sequences.lengths, kind="stable")
    size = next((size for size in _PREDICTED if size >= len(order)), _PREDICTED[-1])
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        filled = np.concatenate([rows, np.full(size - len(rows), rows[-1])])
        width = int(_widths(sequences.lengths[rows].max(keepdims=True), widths)[0])
        yield rows, gather(sequences, filled, width)


def _widths(longest: np.ndarray, widths: tuple[int, ...]) -> np.ndarray:
    """The width for each batch whose longest sequence is so long."""
    return np.array(widths)[np.minimum(np.searchsorted(widths, longest), len(widths) - 1)]


def _stacks(rows: np.ndarray, widths: np.ndarray, numbers_per_step: int) -> Iterator[tuple[int, np.ndarray]]:
    """Successive batches of the same width, not too many at once."""
    start = 0
    while start < len(rows):
        width = int(widths[start])
        most = int(np.clip(_MOST_NUMBERS // max(width * rows.shape[1] * numbers_per_step, 1), 1, _MOST_BATCHES))
        different = np.flatnonzero(widths[start : start + most] != width)
        stop = start + (int(different[0]) if len(different) else min(most, len(rows) - start))
        yield width, rows[start:stop]
        start = stop
