"""Pasted CSV → rows of numbers, by the columns that a model reads."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..status import ServingError, invalid

_MISSING = {"", "na", "nan", "null", "none", "-"}
_MOST_ROWS = 200_000


@dataclass(frozen=True)
class Table:
    """Cells by column.

    Attributes:
        names: of the columns, in order.
        rows: cells as they were written.
    """

    names: list[str]
    rows: list[list[str]]

    def column(self, name: str) -> list[str]:
        """Cells of a column.

        Raises:
            ServingError: if there is no such column.
        """
        if name not in self.names:
            raise invalid(f"there is no column {name!r}: the model reads it, and the rows have {', '.join(self.names)}")
        place = self.names.index(name)
        return [row[place] for row in self.rows]

    def numbers(self, name: str) -> np.ndarray:
        """A column of numbers, NaN where a cell is empty: (rows,) float64."""
        return np.array([_number(cell, name, i) for i, cell in enumerate(self.column(name))])

    def one_hot(self, name: str, categories: Sequence[str]) -> np.ndarray:
        """A column of texts, a channel for each known one: (rows, categories) float64."""
        cells = np.array(self.column(name), dtype=object)
        return np.stack([cells == category for category in categories], axis=1).astype(np.float64)

    def where(self, keep: Sequence[bool]) -> Table:
        """Some of the rows."""
        return Table(self.names, [row for row, kept in zip(self.rows, keep, strict=True) if kept])


def read_table(text: str, *, header: Sequence[str] | None = None) -> Table:
    """Read CSV with commas, semicolons or tabs.

    Args:
        text: pasted.
        header: names of the columns where the first row may hold numbers already.

    Raises:
        ServingError: if there are no rows, or one has more or fewer cells than the first.
    """
    lines = text.strip().splitlines()
    if not lines:
        raise invalid("there are no rows: paste a table with a row of column names, then a row per line")
    delimiter = max(",;\t", key=lines[0].count)
    rows = [
        [cell.strip() for cell in row] for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter) if row
    ]
    if len(rows) > _MOST_ROWS:
        raise invalid(f"a page reads {_MOST_ROWS:,} rows at most, and these are {len(rows):,}; paste the newest")
    if header is not None and all(_is_number(cell) for cell in rows[0]):
        rows.insert(0, list(header))
    names, *rest = rows
    for number, row in enumerate(rest):
        if len(row) != len(names):
            raise invalid(f"row {number + 1} has {len(row)} cells where the first line has {len(names)} names")
    if not rest:
        raise invalid("there are column names but no rows below them")
    return Table(names, rest)


def write_table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """CSV text; NaN as an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow(
            "" if isinstance(v, float) and math.isnan(v) else f"{v:.10g}" if isinstance(v, float) else v for v in row
        )
    return out.getvalue()


def _is_number(cell: str) -> bool:
    try:
        _number(cell, "", 0)
    except ServingError:
        return False
    return True


def _number(cell: str, name: str, row: int) -> float:
    if cell.lower() in _MISSING:
        return float("nan")
    try:
        return float(cell)
    except ValueError as error:
        raise invalid(f"row {row + 1} of column {name!r} holds {cell!r:.40}, where a number was expected") from error
