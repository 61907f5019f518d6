"""Labels as the user wrote them: which are missing, what type they have, how frequent each class is."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from ..targets import objects
from ..wording import verb
from .groups import without_blanks
from .source_tables import SourceTables

_IMBALANCED = 3  # the largest class has this many times the rows of the smallest: worth a sentence
_SHOWN = 8
_MANY = 10  # rows: so many labels, all of them different, are not classes


def read_labels(tables: SourceTables, name: str, notes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read a column of labels.

    Returns:
        Labels, str or int, all of one type: object (rows,); and which rows have none: bool (rows,).

    Raises:
        InputError: a cell that holds a list, or no labels at all.
    """
    column = LabelColumn(name)
    column.add(tables, _single_items(without_blanks(tables.cells(name)), name, notes))
    return column.finish(tables.source, notes)


class LabelColumn:
    """A column of labels, read in one or several tables; each label is kept once.

    Args:
        name: column.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._known: dict[tuple[type, Any], int] = {}  # 1 and True are two labels
        self._numbers: list[np.ndarray] = []
        self._untyped = True  # written in text files, which do not tell 7 from "7"

    def add(self, tables: SourceTables, cells: Sequence[Any] | None = None) -> None:
        """Read the labels of some rows.

        Args:
            tables: the rows.
            cells: of the column, where they have been read.

        Raises:
            InputError: a list where a label was expected.
        """
        cells = without_blanks(tables.cells(self.name)) if cells is None else cells
        for row, cell in enumerate(cells):
            if isinstance(cell, list | tuple | dict | set):
                raise InputError(
                    f"{tables.source}: column {self.name!r} holds a list in {tables.place(row)} where one label was "
                    "expected: several labels of one text or sequence are not learnt together; write one column of 0 "
                    "and 1 for each label and compare one at a time (for a label for every step, name the column as "
                    "`tags`)"
                )
        known = self._known
        numbers = [-1 if cell is None else known.setdefault((type(cell), cell), len(known)) for cell in cells]
        self._numbers.append(np.array(numbers, dtype="int32"))
        self._untyped &= all(self.name in table.attrs.get("untyped", ()) for table in tables.tables)

    def finish(self, source: str, notes: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Labels and missing ones of all rows; see :func:`read_labels`."""
        numbers = np.concatenate(self._numbers)
        labels = [label for _, label in self._known]
        if not labels:
            raise InputError(
                f"{source}: column {self.name!r} holds no labels where some were expected; name another column as "
                "`label`"
            )
        if self._untyped:
            labels = whole_numbers(labels)
        return objects([*one_type(labels, self.name, notes), None])[numbers], numbers < 0


def _single_items(cells: list[Any], name: str, notes: list[str]) -> list[Any]:
    """Take the label out of lists where every list holds just one."""
    given = [cell for cell in cells if cell is not None]
    if not given or any(not isinstance(cell, list | tuple) or len(cell) != 1 for cell in given):
        return cells
    notes.append(f"the labels in {name!r} are lists of one label each, which is taken")
    return [cell[0] if isinstance(cell, list | tuple) else cell for cell in cells]


def whole_numbers(cells: Sequence[str | None]) -> list[Any]:
    """Make ints of the labels of a text file, where all are written like one: 7, but not 007."""
    if all(cell is None or (cell.lstrip("-").isdecimal() and str(int(cell)) == cell) for cell in cells):
        return [None if cell is None else int(cell) for cell in cells]
    return list(cells)


def one_type(cells: Sequence[Any], name: str, notes: list[str]) -> list[Any]:
    """Make the labels all int or all str, so that they can be sorted and stored; None stays.

    Whole numbers stay ints (also where a missing neighbour made floats of them) and texts stay texts; anything else,
    such as flags, broken numbers or a mixture, becomes text.
    """
    types = {type(cell) for cell in cells if cell is not None}
    if types <= {str}:
        return list(cells)
    cells = [int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in cells]
    types = {type(cell) for cell in cells if cell is not None}
    if types <= {int} or types <= {str}:
        return cells
    kinds = " and ".join(sorted(kind.__name__ for kind in types))
    notes.append(f"labels in {name!r} are of type {kinds}: they are taken as text")
    return [None if cell is None else str(cell) for cell in cells]


def check_classes(labels: Sequence[Any], name: str, source: str) -> None:
    """Refuse labels that leave nothing to learn: one class, or many rows of which each has its own."""
    classes = set(labels)
    if len(classes) == 1:
        raise InputError(
            f"{source}: column {name!r} holds only one label, {next(iter(classes))!r}, in all {len(labels):,} labelled "
            "rows of the training set where at least two classes were expected; add rows of another class, or leave "
            "the labels out"
        )
    if len(classes) == len(labels) >= _MANY:
        raise InputError(
            f"{source}: column {name!r} holds a different label in each of {len(labels):,} rows where classes with "
            "several examples were expected; name the column of classes as `label`, or one of numbers as `value`"
        )


def note_classes(labels: np.ndarray, is_test: np.ndarray | None, name: str, what: str, notes: list[str]) -> None:
    """Note classes that are rare, that look alike, or that only the held-out test set has.

    Args:
        labels: object (rows,).
        is_test: which are held out: bool (rows,).
        name: column.
        what: what has a label: rows, sequences or steps.
        notes: receives the sentences.
    """
    train = labels if is_test is None else labels[~is_test]
    counts = Counter(train.tolist())
    ordered = counts.most_common()
    if ordered[0][1] >= _IMBALANCED * ordered[-1][1]:
        notes.append(f"the classes of {name!r} are not balanced: {_counted(ordered)}")
    single = [label for label, count in counts.items() if count == 1]
    if single:
        shown = _shown([repr(label) for label in single])
        notes.append(
            f"{verb(len(single), 'a class', 'classes')} of {name!r} with only one example, which "
            f"{verb(len(single), 'is', 'are')} kept but hard to learn: {shown}"
        )
    _note_lookalikes(list(counts), name, notes)
    _note_combined(list(counts), name, notes)
    if is_test is not None:
        unseen = Counter(label for label in labels[is_test].tolist() if label not in counts)
        if unseen:
            shown = _shown([repr(label) for label in unseen])
            n = unseen.total()
            notes.append(
                f"{n:,} test {what.removesuffix('s') if n == 1 else what} {verb(n, 'has', 'have')} a label that is not "
                f"in the training set ({shown}): {verb(n, 'it counts', 'they count')} as wrong"
            )


def _note_lookalikes(classes: list[Any], name: str, notes: list[str]) -> None:
    first: dict[str, Any] = {}
    for label in classes:
        key = str(label).strip().casefold()
        if key in first:
            notes.append(
                f"labels {first[key]!r} and {label!r} of {name!r} differ only in case or spaces: they are two classes"
            )
        first.setdefault(key, label)


def _note_combined(classes: list[Any], name: str, notes: list[str]) -> None:
    """Say so where labels look like several each, such as "comedy|drama": each combination is a class of its own."""
    for separator in ("|", ";", ","):
        combined = [label for label in classes if isinstance(label, str) and separator in label]
        parts = Counter(part.strip() for label in combined for part in set(label.split(separator)))
        alone = {label for label in classes if label not in combined}
        if len(combined) > 1 and all(n > 1 or part in alone for part, n in parts.items()):
            notes.append(
                f"labels of {name!r} such as {combined[0]!r} look like several labels each; every combination is "
                "taken as a class of its own"
            )


def _counted(ordered: list[tuple[Any, int]]) -> str:
    return _shown([f"{count:,} of {label!r}" for label, count in ordered])


def _shown(items: list[str]) -> str:
    """List items; of many, the first and the last ones."""
    if len(items) <= _SHOWN:
        return ", ".join(items)
    return ", ".join([*items[: _SHOWN // 2], "...", *items[-_SHOWN // 2 :]])
