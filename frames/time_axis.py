"""Rows put in order, on a regular axis of time: nothing twice, nothing in between, gaps as missing rows."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from .cells import place
from .grid import Grid, check_length, make_grid, positions
from .roles import Roles
from .time_cells import read_time


@dataclass(frozen=True)
class Axis:
    """Where every row of the table goes.

    Attributes:
        order: the user's row that comes n-th: (rows,), or None where they are in order already.
        rows: the place of the n-th row among all points: (rows,), or None where no point is missing.
        codes: series of every point: (points,).
        index: time of every point: (points,).
        labels: name of each series: (series,).
    """

    order: np.ndarray | None
    rows: np.ndarray | None
    codes: np.ndarray
    index: pd.Index
    labels: list
    grid: Grid
    notes: tuple[str, ...]

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Bring a column of the user's rows onto the axis; a point nobody observed is missing."""
        if self.order is not None:
            values = values[self.order]
        if self.rows is None:
            return values
        spread = np.full(len(self.codes), np.nan, dtype=values.dtype)
        spread[self.rows] = values
        return spread


def make_axis(table: pd.DataFrame, roles: Roles, freq: str | int | None, source: str) -> Axis:
    """Sort the rows and put them on a regular axis.

    Raises:
        InputError: a row without a series, a time stamp that cannot be read, stands twice or is off the grid.
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
            notes.append(f"The rows of {source} are not in order of series and time: they are sorted.")
    where = _Rows(table, order, roles, labels, codes, index, source)
    _refuse_duplicates(where)
    grid = make_grid(index, codes, freq, source)
    rows, codes, index = _fill_gaps(grid, where)
    if rows is not None:
        notes.append(
            f"{len(codes) - len(rows):,} time stamps are missing from the regular axis (step "
            f"{grid.freq}): rows of "
            "missing values stand in for them."
        )
    return Axis(order, rows, codes, index, labels, grid, tuple(notes))


@dataclass(frozen=True)
class _Rows:
    """The sorted rows, and what it takes to name one of them."""

    table: pd.DataFrame
    order: np.ndarray | None
    roles: Roles
    labels: list
    codes: np.ndarray
    index: pd.Index
    source: str

    def name(self, row: int) -> str:
        series = f", series {self.labels[self.codes[row]]!r}" if self.roles.id is not None else ""
        return (
            f"{place(self.table, row if self.order is None else self.order[row])} ({self.index[row]}{series})"
        )

    @property
    def time(self) -> str:
        return " + ".join(f"`{name}`" for name in self.roles.time)


def _series_codes(table: pd.DataFrame, id: str | None, source: str) -> tuple[np.ndarray, list]:
    if id is None:
        return np.zeros(len(table), dtype="int8"), ["series"]
    codes, found = pd.factorize(table[id], use_na_sentinel=True)
    if (codes < 0).any():
        position = int(np.argmax(codes < 0))
        raise InputError(
            f"Column `{id}` of {source} is empty in {place(table, position)} where the name of a series "
            "was expected: "
            "fill the cell or remove the row."
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


def _refuse_duplicates(rows: _Rows) -> None:
    moments = rows.index
    again = np.flatnonzero((moments[1:] == moments[:-1]) & (rows.codes[1:] == rows.codes[:-1]))
    if not len(again):
        return
    first = int(again[0])
    fix = (
        "remove one of them"
        if rows.roles.id is not None
        else "remove one, or name the column that tells the series apart with --id"
    )
    raise InputError(
        f"Time {rows.time} of {rows.source} stands twice in {len(again):,} places, first in "
        f"{rows.name(first)} and "
        f"{rows.name(first + 1)}, where each series has one row a time stamp: {fix}."
    )


def _fill_gaps(grid: Grid, rows: _Rows) -> tuple[np.ndarray | None, np.ndarray, pd.Index]:
    codes, moments = rows.codes, grid.moments(rows.index)
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    ends = np.r_[starts[1:], len(codes)] - 1
    at, off = positions(grid, moments, starts, codes)
    if off.any():
        _refuse_off_grid(grid, rows, moments, off)
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


def _refuse_off_grid(grid: Grid, rows: _Rows, moments: np.ndarray, off: np.ndarray) -> None:
    if (
        grid.calendar is None
    ):  # a stray first row would make all others look wrong: the commonest phase is right
        series = rows.codes == rows.codes[np.argmax(off)]
        phase = np.mod(moments, grid.step)
        values, counts = np.unique(phase[series], return_counts=True)
        off = series & (phase != values[np.argmax(counts)])
    steps = np.diff(moments)[rows.codes[1:] == rows.codes[:-1]]
    values, counts = np.unique(steps, return_counts=True)
    common = np.argsort(-counts, kind="stable")[:4]
    stamped = isinstance(grid.freq, str)
    found = ", ".join(
        f"{pd.Timedelta(int(values[i]), unit='us') if stamped else values[i]} ({counts[i]:,} times)"
        for i in common
    )
    wrong = np.flatnonzero(off)
    named = ", ".join(rows.name(int(row)) for row in wrong[:3])
    raise InputError(
        f"Time {rows.time} of {rows.source} is irregular: {len(wrong):,} rows are off the grid with a "
        "step of "
        f"{grid.freq}, namely {named}{' and so on' if len(wrong) > 3 else ''}; steps found: {found}. "
        "Correct them, "
        "resample to a regular step, or give the step with --freq."
    )
