"""A fold, and what its selections are: only their splitter and their pipeline look into them."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

SelectionT = TypeVar("SelectionT")


@dataclass(frozen=True, eq=False)
class Fold(Generic[SelectionT]):
    """What is learnt from, what stops the training, and what is scored.

    Attributes:
        index: number of the fold; of cutoffs, the oldest first.
        train: fits weights, scaling, vocabulary and classes.
        validation: stops the training and calibrates intervals.
        test: is scored.
    """

    index: int
    train: SelectionT
    validation: SelectionT
    test: SelectionT

    def named(self) -> dict[str, SelectionT]:
        """The selections by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


@dataclass(frozen=True, eq=False)
class RowRange:
    """Rows of each series.

    Attributes:
        start, stop: first row and row after the last one, counted from each series' start: (series,) each.
        max_windows: of each series at most so many windows, evenly spaced; None: all.
    """

    start: np.ndarray
    stop: np.ndarray
    max_windows: int | None = None

    @property
    def n_rows(self) -> int:
        """Rows of all series together."""
        return int((self.stop - self.start).sum())


@dataclass(frozen=True)
class TextRange:
    """Characters of a long text, from `start` up to `stop`."""

    start: int
    stop: int
