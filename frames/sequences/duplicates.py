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
    keys = list(keys)
    test = np.zeros(len(keys), dtype=bool) if is_test is None else is_test
    train = [key for key, held_out in zip(keys, test, strict=True) if counted(key) and not held_out]
    known = set(train)
    repeated = len(train) - len(known)
    if repeated:
        where = "" if is_test is None else " within the training set"
        notes.append(
            f"{repeated:,} of {len(train):,} {what} {verb(repeated, 'repeats', 'repeat')} an earlier one{where}: "
            "all are kept"
        )
    both = sum(key in known for key, held_out in zip(keys, test, strict=True) if counted(key) and held_out)
    if both:
        notes.append(
            f"{both:,} of {int(test.sum()):,} {what} of the held-out test set {verb(both, 'is', 'are')} in the "
            "training set too: the scores "
            "are too good by that much"
        )
