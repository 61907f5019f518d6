"""Sequences that are there more than once, within the training set or in both the training and the test set."""

from collections.abc import Callable, Hashable, Iterable

import numpy as np

from ..wording import verb


def note_duplicates(
    keys: Iterable[Hashable], is_test: np.ndarray | None, what: str, notes: list[str], *, counted: Callable
) -> None:
    """Count duplicates within the training set and across training and test.

    Args:
        keys: one for each sequence; equal ones are duplicates: (sequences,).
        is_test: which are held out: bool (sequences,).
        what: what the sequences are called, in the plural.
        notes: receives the counts.
        counted: whether a key counts at all; an empty text is not a duplicate of another.
    """
    note_equal_marks(np.fromiter((mark(key) if counted(key) else 0 for key in keys), "int64"), is_test, what, notes)


def mark(key: Hashable) -> int:
    """A number of 64 bits that equal keys share, and hardly two others; never 0."""
    return hash(key) or 1


def note_equal_marks(marks: np.ndarray, is_test: np.ndarray | None, what: str, notes: list[str]) -> None:
    """Count equal marks as :func:`note_duplicates` counts equal keys; those that are 0 do not count: (sequences,)."""
    test = np.zeros(len(marks), dtype=bool) if is_test is None else is_test
    train = marks[(marks != 0) & ~test]
    known = np.unique(train)
    repeated = len(train) - len(known)
    if repeated:
        where = "" if is_test is None else " within the training set"
        notes.append(
            f"{repeated:,} of {len(train):,} {what} {verb(repeated, 'repeats', 'repeat')} an earlier one{where}: "
            "all are kept"
        )
    both = int(np.isin(marks[(marks != 0) & test], known).sum())
    if both:
        notes.append(
            f"{both:,} of {int(test.sum()):,} {what} of the held-out test set {verb(both, 'is', 'are')} in the "
            "training set too: the scores "
            "are too good by that much"
        )
