"""A table, and perhaps a second one, the official test part: read as one, and each cell's place is known."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from . import cells
from .roles import check_column

# What people write into a column that tells the parts apart (compared in lower case).
_TRAIN = frozenset({"train", "training", "validation", "valid", "val", "dev"})
_TEST = frozenset({"test", "testing"})
_VALIDATION = _TRAIN - {"train", "training"}


class Parts:
    """Rows of one table, or of a training and a test table, counted through.

    Args:
        table: training rows, or all rows.
        test: rows of the official test part.
        source: file or data set, for messages; a table's own ``attrs["source"]`` is preferred.
        split: column that tells the official test part, where it is no table of its own.

    Raises:
        InputError: a table without rows, or a test part given twice.
    """

    def __init__(self, table: pd.DataFrame, test: pd.DataFrame | None, source: str, split: str | None) -> None:
        if test is not None and split is not None:
            raise InputError(
                f"The test part of {source} is given twice, as a table of its own (--test) and by column `{split}` "
                "(--split): leave one of them out."
            )
        self.split = split
        self.tables = [table] if test is None else [table, test]
        names = [source, f"the test part of {source}"]
        self.sources = [str(part.attrs.get("source", name)) for part, name in zip(self.tables, names, strict=False)]
        self.source = source
        for part, name in zip(self.tables, self.sources, strict=True):
            if part.empty:
                raise InputError(f"{name} has no rows where a header and at least one row of values were expected.")

    def __len__(self) -> int:
        return sum(map(len, self.tables))

    @property
    def notes(self) -> list[str]:
        """What reading the files told."""
        return list(dict.fromkeys(note for part in self.tables for note in part.attrs.get("notes", ())))

    def check(self, name: str) -> None:
        """Refuse a name that one of the tables has no column for."""
        for table, source in zip(self.tables, self.sources, strict=True):
            check_column(table, name, source)

    def cells(self, name: str) -> list[Any]:
        """Give a column of all tables as plain Python objects, None where a cell is missing."""
        self.check(name)
        found: list[Any] = []
        for table in self.tables:
            column = table[name]
            if isinstance(column, pd.DataFrame):
                raise InputError(f"{self.source} has several columns called `{name}` where each needs its own name.")
            missing = column.isna().to_numpy()
            found += [None if gone else plain(cell) for cell, gone in zip(column.astype(object), missing, strict=True)]
        return found

    def numbers(self, name: str) -> np.ndarray:
        """Give a numeric column of all tables: float64 (rows,), NaN where a cell is missing."""
        self.check(name)
        return np.concatenate(
            [cells.numeric_column(t, name, source) for t, source in zip(self.tables, self.sources, strict=True)]
        )

    def place(self, row: int) -> str:
        """Name a row as the user finds it, such as "line 5 of reviews.csv"."""
        for table, source in zip(self.tables, self.sources, strict=True):
            if row < len(table):
                return f"{cells.place(table, row)} of {source}"
            row -= len(table)
        raise IndexError(row)

    def is_test(self, notes: list[str]) -> np.ndarray | None:
        """Tell which rows are the official test part: bool (rows,), or None if there is none."""
        if len(self.tables) > 1:
            return np.repeat([False, True], [len(table) for table in self.tables])
        return None if self.split is None else self._split(self.split, notes)

    def _split(self, split: str, notes: list[str]) -> np.ndarray | None:
        words = [str(cell).strip().lower() for cell in self.cells(split)]
        for row, word in enumerate(words):
            if word not in _TRAIN and word not in _TEST:
                raise InputError(
                    f"Column `{split}` holds {word!r} in {self.place(row)} where train, validation or test was "
                    "expected: correct the cell, or name another column with --split."
                )
        is_test = np.array([word in _TEST for word in words])
        if is_test.all():
            raise InputError(
                f"Column `{split}` of {self.source} marks every row as test: there is nothing to learn from."
            )
        validation = sum(word in _VALIDATION for word in words)
        if validation:
            notes.append(f"{validation:,} rows that `{split}` calls validation are used for training.")
        if not is_test.any():
            notes.append(f"Column `{split}` marks no row as test.")
            return None
        return is_test


def plain(cell: Any) -> Any:
    """Turn numpy's scalars and arrays into Python's."""
    return cell.tolist() if isinstance(cell, np.ndarray | np.generic) else cell


def one_role(given: dict[str, str | None], source: str) -> str | None:
    """Give the one role of label, value and tags that was named, if any."""
    named = [role for role, column in given.items() if column is not None]
    if len(named) > 1:
        raise InputError(
            f"{source} was given {' and '.join(f'--{role} {given[role]}' for role in named)}, but one answer is learnt "
            "at a time, a class (--label), a number (--value) or a class for every step (--tags): leave one out."
        )
    return named[0] if named else None


def note_duplicates(
    keys: Iterable[Hashable], is_test: np.ndarray | None, what: str, notes: list[str], *, kept: Callable | None = None
) -> None:
    """Count sequences that stand there more than once, within training and across training and test.

    Args:
        keys: one for each sequence; equal ones are duplicates: (sequences,).
        is_test: official test part: bool (sequences,).
        what: how to call the sequences, in the plural.
        notes: where to tell it.
        kept: which keys count at all; an empty text is no duplicate of another.
    """
    keys = list(keys)
    test = np.zeros(len(keys), dtype=bool) if is_test is None else is_test
    counted = [kept is None or kept(key) for key in keys]
    train = [key for key, out, counts in zip(keys, test, counted, strict=True) if counts and not out]
    known = set(train)
    again = len(train) - len(known)
    if again:
        where = "" if is_test is None else " within the training part"
        notes.append(f"{again:,} of {len(train):,} {what} repeat an earlier one{where}; all are kept.")
    if is_test is not None:
        both = sum(key in known for key, out, counts in zip(keys, test, counted, strict=True) if counts and out)
        if both:
            notes.append(
                f"{both:,} of {int(test.sum()):,} {what} of the test part stand in the training part too: the scores "
                "are that much too good."
            )
