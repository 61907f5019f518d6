"""Groups: texts or sequences that belong together, as sentences of one film, recordings of one patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

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
    cells = without_blanks(tables.cells(tables.group))
    if of_sequences is not None:
        cells = of_sequences(objects(cells))
    column = GroupColumn(tables.group)
    numbers = column.numbers(cells)
    column.finish(notes)
    return numbers


class GroupColumn:
    """A column of groups, read in one or several tables.

    Args:
        name: column.
    """

    def __init__(self, name: str) -> None:
        self.name, self._count, self._alone = name, 0, 0
        self._known: dict[Any, int] = {}

    def numbers(self, cells: Sequence[Any]) -> np.ndarray:
        """Numbers of groups by first appearance; what has none is a group of its own: int64 (examples,)."""
        return np.fromiter(map(self._number, cells), "int64", len(cells))

    def _number(self, cell: Any) -> int:
        number = self._count if cell is None else self._known.setdefault(cell, self._count)
        self._alone += cell is None
        self._count += number == self._count
        return number

    def finish(self, notes: list[str]) -> None:
        """Note how many cells were empty."""
        alone = self._alone
        if alone:
            notes.append(
                f"{counted(alone, 'empty cell')} of {self.name!r} {verb(alone, 'is', 'are')} taken as "
                f"{verb(alone, 'a group of its own', 'groups of their own')}"
            )


def group_numbers(cells: Sequence[Any]) -> np.ndarray:
    """Numbers of groups by first appearance; what has none is a group of its own: int64 (examples,)."""
    return GroupColumn("").numbers(cells)


def without_blanks(cells: Sequence[Any]) -> list[Any]:
    """Cells with None where there are only spaces."""
    return [None if isinstance(cell, str) and not cell.strip() else cell for cell in cells]


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
