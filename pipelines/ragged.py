"""Sequences of different length, kept end to end, and the few lengths that batches of them are padded to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..frames.stored_files import written

# One more padded length is worth its compilation for so many batches.
_BATCHES_A_LENGTH = 50
_MOST_LENGTHS = 8


@dataclass(frozen=True, eq=False)
class Ragged:
    """Sequences end to end.

    Attributes:
        flat: all steps, (steps,) token ids or (steps, channels) values; ids of texts larger than memory are mapped.
        lengths: steps of each sequence (sequences,); a sequence may be empty.
    """

    flat: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, sequences: Sequence[np.ndarray]) -> Ragged:
        """Join arrays (time, ...) of different length."""
        return cls(np.concatenate(list(sequences)), np.array([len(s) for s in sequences], dtype=np.int64))

    @classmethod
    def joined(cls, parts: Iterable[Ragged], folder: Path | None = None) -> Ragged:
        """Join token ids; with a folder their steps are kept in a file there."""
        lengths = [np.empty(0, np.int64)]

        def flat() -> Iterator[np.ndarray]:
            for part in parts:
                lengths.append(part.lengths)
                yield part.flat

        steps = np.concatenate([np.empty(0, np.int32), *flat()]) if folder is None else written(folder, flat(), "int32")
        return cls(steps, np.concatenate(lengths))

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> np.ndarray:
        start = int(self.starts[index])
        return self.flat[start : start + int(self.lengths[index])]

    @cached_property
    def starts(self) -> np.ndarray:
        """First step of each sequence in `flat`: (sequences,)."""
        return np.cumsum(self.lengths) - self.lengths

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Places in `flat` of all steps of some sequences, one sequence after another."""
        return _steps(self.starts[rows], self.lengths[rows])

    def cut(self, length: int, *, keep: str = "first") -> Ragged:
        """Keep at most `length` steps of each, the first or the last ones."""
        kept = np.minimum(self.lengths, length)
        starts = self.starts if keep == "first" else self.starts + self.lengths - kept
        return Ragged(self.flat[_steps(starts, kept)], kept)


def _steps(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Step numbers of several stretches, one after another."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))


def padded_lengths(lengths: np.ndarray, longest: int, *, batch_size: int = 32) -> tuple[int, ...]:
    """The few lengths that batches are padded to.

    Args:
        lengths: of the training sequences (sequences,).
        longest: the last of the lengths.
        batch_size: by which the number of batches is reckoned.

    Returns:
        Lengths in rising order: quantiles of the training lengths, one for each 50 batches and at most 8, rounded up
        to a multiple of 8.
    """
    n = int(np.clip(len(lengths) // (_BATCHES_A_LENGTH * batch_size), 1, _MOST_LENGTHS))
    inner = np.quantile(np.minimum(lengths, longest), np.arange(1, n) / n) if n > 1 else np.empty(0)
    rounded = {min(-(-max(int(q), 1) // 8) * 8, longest) for q in inner}
    return tuple(sorted(rounded | {longest}))
