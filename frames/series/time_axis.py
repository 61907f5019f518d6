"""Rows put in order, on a regular axis of time: no duplicates, nothing off the grid, gaps as missing rows."""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from ..cells import place
from .column_roles import Roles
from .frequency import to_month_start
from .sorted_rows import SortedRows, refuse_duplicates, refuse_off_grid
from .time_cells import read_time
from .time_grid import TimeGrid, check_length, make_grid, positions


@dataclass(frozen=True)
class TimeAxis:
    """Where every row of the table goes.

    Attributes:
        order: the user's row that comes n-th: (rows,), or None where they are in order already.
        rows: the position of the n-th row among all points: (rows,), or None where no point is missing.
        codes: series of every point: (points,).
        index: time of every point: (points,).
        labels: name of each series: (series,).
    """

    order: np.ndarray | None
    rows: np.ndarray | None
    codes: np.ndarray
    index: pd.Index
    labels: list
    grid: TimeGrid
    notes: tuple[str, ...]

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Bring a column of the user's rows onto the axis; a point without a row is missing."""
        if self.order is not None:
            values = values[self.order]
        if self.rows is None:
            return values
        spread = np.full(len(self.codes), np.nan, dtype=values.dtype)
        spread[self.rows] = values
        return spread


def make_axis(table: pd.DataFrame, roles: Roles, freq: str | int | None, source: str) -> TimeAxis:
    """Sort the rows and put them on a regular axis.

    Raises:
        InputError: a row without a series, a time stamp that cannot be read, is duplicated or is off the grid.
    """
    codes, labels = _series_codes(table, roles.id, source)
    notes: list[str] = []
    if roles.time:
        index, notes = read_time(table, roles.time, source)
    else:
        index = pd.Index(_row_numbers(codes, len(labels)))
    order = _sorting(index.asi8 if isinstance(index, pd.DatetimeIndex) else index.to_numpy(), codes)
    if order is not None:
        index, codes = index[order], codes[order]
        if roles.time:  # row numbers of interleaved series are in order by definition
            notes.append("the rows are not in order of series and time: they are sorted")
    sorted_rows = SortedRows(table, order, roles, labels, codes, index, source)
    refuse_duplicates(sorted_rows)
    if freq is None and isinstance(index, pd.DatetimeIndex):
        index = to_month_start(index, codes, notes)
    grid = make_grid(index, codes, freq, source)
    rows, codes, index = _fill_gaps(grid, replace(sorted_rows, index=index))
    if rows is not None:
        notes.append(
            f"{len(codes) - len(rows):,} time stamps are missing from the regular axis (step {grid.freq}): they become "
            "rows of missing values"
        )
    return TimeAxis(order, rows, codes, index, labels, grid, tuple(notes))


def _series_codes(table: pd.DataFrame, id: str | None, source: str) -> tuple[np.ndarray, list]:
    if id is None:
        return np.zeros(len(table), dtype="int8"), ["series"]
    codes, found = pd.factorize(table[id], use_na_sentinel=True)
    if (codes < 0).any():
        position = int(np.argmax(codes < 0))
        raise InputError(
            f"{source}: column {id!r} is empty in {place(table, position)} where the name of a series was expected; "
            "fill the cell or remove the row"
        )
    labels = list(found)
    natural = sorted(range(len(labels)), key=lambda code: _natural(labels[code]))
    rank = np.empty(len(labels), dtype="int64")
    rank[natural] = np.arange(len(labels))
    return rank[codes], [labels[code] for code in natural]


def _natural(label: Any) -> tuple:
    """Sort H2 before H10, as people number their series."""
    if isinstance(label, str):
        parts = re.split(r"(\d+)", label)
        return (1, [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts])
    return (0, label)


def _row_numbers(codes: np.ndarray, series: int) -> np.ndarray:
    if series == 1:
        return np.arange(len(codes))
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(series))
    numbers = np.empty(len(codes), dtype="int64")
    numbers[order] = np.arange(len(codes)) - starts[codes[order]]
    return numbers


def _sorting(moments: np.ndarray, codes: np.ndarray) -> np.ndarray | None:
    step, jump = np.diff(moments), np.diff(codes)
    if bool(((jump > 0) | ((jump == 0) & (step >= 0))).all()):
        return None
    return np.lexsort((moments, codes))


def _fill_gaps(grid: TimeGrid, rows: SortedRows) -> tuple[np.ndarray | None, np.ndarray, pd.Index]:
    codes, moments = rows.codes, grid.moments(rows.index)
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    ends = np.r_[starts[1:], len(codes)] - 1
    at, off = positions(grid, moments, starts, codes)
    if off.any():
        refuse_off_grid(grid, rows, moments, off)
    check_length(at, ends, grid, rows.source)
    lengths = at[ends] + 1
    if int(lengths.sum()) == len(codes):
        return None, codes, rows.index
    offsets = np.r_[0, np.cumsum(lengths)[:-1]]
    full = np.repeat(np.arange(len(starts), dtype=codes.dtype), lengths)
    number = np.arange(len(full)) - offsets[full]
    if grid.calendar is None:
        points = moments[starts][full] + grid.step * number
    else:
        points = grid.calendar[np.searchsorted(grid.calendar, moments[starts])[full] + number]
    return offsets[codes] + at, full, grid.index(points)
