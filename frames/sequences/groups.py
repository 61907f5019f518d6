"""Groups: texts or sequences that belong together, as sentences of one film, recordings of one patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..targets import objects
from ..wording import counted, verb

if TYPE_CHECKING:
    from .source_tables import SourceTables


def read_groups(
    tables: SourceTables, notes: list[str], of_sequences: Callable[[np.ndarray], list[Any]] | None = None
) -> np.ndarray | None:
    """Read the column of groups.

    Args:
        tables: with ``group``, the name of the column.
        notes: receives what was done.
        of_sequences: where a sequence goes over several rows, from their cells to the one of each sequence.

    Returns:
        Number of the group of each text or sequence: int64 (examples,); None without such a column.

    Raises:
        InputError: no such column, or a sequence whose rows name several groups.
    """
    if tables.group is None:
        return None
    cells = [None if isinstance(cell, str) and not cell.strip() else cell for cell in tables.cells(tables.group)]
    if of_sequences is not None:
        cells = of_sequences(objects(cells))
    alone = sum(cell is None for cell in cells)
    if alone:
        notes.append(
            f"{counted(alone, 'empty cell')} of {tables.group!r} {verb(alone, 'is', 'are')} taken as "
            f"{verb(alone, 'a group of its own', 'groups of their own')}"
        )
    return group_numbers(cells)


def group_numbers(cells: Sequence[Any]) -> np.ndarray:
    """Numbers of groups by first appearance; what has none is a group of its own: int64 (examples,)."""
    own = [("", row) if cell is None else ("group", cell) for row, cell in enumerate(cells)]
    return pd.factorize(objects(own))[0].astype("int64")


def note_groups(groups: np.ndarray | None, is_test: np.ndarray | None, name: str, what: str, notes: list[str]) -> None:
    """Say that folds keep groups together, and which are on both sides of a held-out test set.

    Args:
        groups: of the examples, or None.
        is_test: which are held out, or None.
        name: the column.
        what: what the examples are called, in the plural.
        notes: receives the sentence.
    """
    if groups is None:
        return
    n = len(np.unique(groups))
    if is_test is None:
        notes.append(
            f"{len(groups):,} {what} belong to {n:,} groups of {name!r}, which folds and validation never split"
        )
        return
    both = np.intersect1d(groups[is_test], groups[~is_test])
    if len(both):
        rows = int(np.isin(groups[is_test], both).sum())
        notes.append(
            f"{rows:,} of {int(is_test.sum()):,} {what} of the held-out test set belong to groups of {name!r} that the "
            "training set has too: how well new groups are predicted is not measured"
        )
