"""A table, and perhaps a second one, the held-out test set: read as one, and any row can be named in a message."""

from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from .. import cells
from ..columns import check_column
from ..wording import counted, verb

# What people write into a column that tells training from test rows (compared in lower case).
_TRAIN = frozenset({"train", "training", "validation", "valid", "val", "dev"})
_TEST = frozenset({"test", "testing"})
_VALIDATION = _TRAIN - {"train", "training"}


class SourceTables:
    """Rows of one table, or of a training and a test table, numbered through.

    Args:
        table: training rows, or all rows.
        test: rows of the held-out test set.
        source: file or data set, for messages; a table's own ``attrs["source"]`` is preferred.
        split: column that tells training from test rows, where the test set is not a table of its own.
        group: column that says which rows belong together.

    Raises:
        InputError: a table without rows, or a test set given twice.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        test: pd.DataFrame | None,
        source: str,
        split: str | None,
        group: str | None = None,
    ) -> None:
        if test is not None and split is not None:
            raise InputError(
                f"{source}: the held-out test set was given twice, as a table of its own (`test`) and by column "
                f"{split!r} (`split`); leave one out"
            )
        self.split, self.group = split, group
        self.tables = [table] if test is None else [table, test]
        names = [source, f"the held-out test set of {source}"]
        self.sources = [str(part.attrs.get("source", name)) for part, name in zip(self.tables, names, strict=False)]
        self.source = source
        for part, name in zip(self.tables, self.sources, strict=True):
            if part.empty:
                raise InputError(f"{name}: the table has no rows where at least one was expected; add rows")

    def __len__(self) -> int:
        return sum(map(len, self.tables))

    @property
    def columns(self) -> pd.Index:
        """Columns of the first table."""
        return self.tables[0].columns

    @property
    def notes(self) -> list[str]:
        """What was noted when the files were read."""
        return list(dict.fromkeys(note for table in self.tables for note in table.attrs.get("notes", ())))

    def check_column(self, name: str) -> None:
        """Refuse a name that one of the tables has no column for."""
        for table, source in zip(self.tables, self.sources, strict=True):
            check_column(table, name, source)

    def cells(self, name: str) -> list[Any]:
        """Give a column of all tables as plain Python objects, None where a cell is missing."""
        self.check_column(name)
        found: list[Any] = []
        for table in self.tables:
            column = table[name]
            if isinstance(column, pd.DataFrame):
                raise InputError(
                    f"{self.source}: several columns are called {name!r} where one was expected; rename one"
                )
            missing = column.isna().to_numpy()
            found += [None if gone else plain(cell) for cell, gone in zip(column.astype(object), missing, strict=True)]
        return found

    def numbers(self, name: str) -> np.ndarray:
        """Give a numeric column of all tables: float64 (rows,), NaN where a cell is missing."""
        self.check_column(name)
        return np.concatenate(
            [cells.numeric_column(t, name, source) for t, source in zip(self.tables, self.sources, strict=True)]
        )

    def place(self, row: int) -> str:
        """Name a row as the user finds it, such as "line 5"; of two tables with the file, "line 5 of test.csv"."""
        for table, source in zip(self.tables, self.sources, strict=True):
            if row < len(table):
                return cells.place(table, row) + (f" of {source}" if len(self.tables) > 1 else "")
            row -= len(table)
        raise IndexError(row)

    def is_test(self, notes: list[str]) -> np.ndarray | None:
        """Tell which rows are held out for the test: bool (rows,), or None if none are."""
        if len(self.tables) > 1:
            return np.repeat([False, True], [len(table) for table in self.tables])
        return None if self.split is None else self._is_test_by_column(self.split, notes)

    def _is_test_by_column(self, split: str, notes: list[str]) -> np.ndarray | None:
        column = SplitColumn(split)
        column.add(self)
        return column.finish(self.source, notes)


class SplitColumn:
    """A column that tells training from test rows, read in one or several tables.

    Args:
        name: column.
    """

    def __init__(self, name: str) -> None:
        self.name, self._validation = name, 0
        self._is_test: list[np.ndarray] = []

    def add(self, tables: SourceTables) -> None:
        """Read the words of some rows.

        Raises:
            InputError: another word.
        """
        words = [str(cell).strip().lower() for cell in tables.cells(self.name)]
        for row, word in enumerate(words):
            if word not in _TRAIN and word not in _TEST:
                raise InputError(
                    f"{tables.source}: column {self.name!r} holds {word!r} in {tables.place(row)} where train, "
                    "validation or test was expected; correct the cell, or name another column as `split`"
                )
        self._is_test.append(np.array([word in _TEST for word in words], dtype=bool))
        self._validation += sum(word in _VALIDATION for word in words)

    def finish(self, source: str, notes: list[str]) -> np.ndarray | None:
        """Which of all rows are held out: bool (rows,), or None if none are."""
        is_test, validation = np.concatenate(self._is_test), self._validation
        if is_test.all():
            raise InputError(
                f"{source}: column {self.name!r} marks every row as test where at least one training row was "
                "expected; correct the cells"
            )
        if validation:
            notes.append(
                f"{counted(validation, 'row')} marked as validation in {self.name!r} {verb(validation, 'is', 'are')} "
                "used for training"
            )
        if not is_test.any():
            notes.append(f"column {self.name!r} marks no row as test")
            return None
        return is_test


def plain(cell: Any) -> Any:
    """Turn numpy's scalars and arrays into Python's, and bytes into texts."""
    cell = cell.tolist() if isinstance(cell, np.ndarray | np.generic) else cell
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    if isinstance(cell, list) and any(isinstance(item, bytes) for item in cell):
        return [plain(item) for item in cell]
    return cell
