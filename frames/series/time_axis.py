"""Rows put in order, on a regular axis of time: no duplicates, nothing off the grid, gaps as missing rows."""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from ..cells import place
from .axis_choice import choose_reading, refuse_absurd
from .column_roles import Roles
from .frequency import to_month_start
from .reading import Reading
from .sorted_rows import SortedRows, refuse_duplicates, refuse_off_grid
from .time_cells import TimeReading, time_readings
from .time_grid import TimeGrid, check_length, make_grid, positions

_FIGURES = "0123456789"
_MOST_FIGURES = 18  # of a number that an int64 can hold


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
    reading: Reading

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Bring a column of the user's rows onto the axis; a point without a row is missing."""
        if self.order is not None:
            values = values[self.order]
        if self.rows is None:
            return values
        spread = np.full(len(self.codes), np.nan, dtype=values.dtype)
        spread[self.rows] = values
        return spread


def make_axis(
    table: pd.DataFrame, roles: Roles, freq: str | int | None, source: str, settled: Reading | None = None
) -> TimeAxis:
    """Sort the rows and put them on a regular axis.

    Args:
        table: the rows as the user gave them.
        roles: their columns.
        freq: step of time; read from the stamps where it is None.
        source: file or data set, for messages.
        settled: how the training data of a model were read.

    Raises:
        InputError: a row without a series, a time stamp that cannot be read, is duplicated or is off the grid; several
            readings of time between which nothing decides, or an axis that is mostly gaps of one length.
    """
    codes, labels = _series_codes(table, roles.id, source)
    settled = settled or Reading()
    columns = " + ".join(map(repr, roles.time))
    if roles.time:
        readings = time_readings(table, roles.time, source, settled.form, settled.zone)
        reading = choose_reading(readings, codes, freq, columns, source)
    else:
        readings, reading = [], TimeReading("", "", pd.Index(_row_numbers(codes, len(labels))))
    index, notes = reading.index, list(reading.notes)
    order = _sorting(index.asi8 if isinstance(index, pd.DatetimeIndex) else index.to_numpy(), codes)
    if order is not None:
        if roles.time:  # row numbers of interleaved series are in order by definition
            notes.append(_order_note(table, index, codes))
        index, codes = index[order], codes[order]
    sorted_rows = SortedRows(table, order, roles, labels, codes, index, source)
    refuse_duplicates(sorted_rows)
    moved = False
    if isinstance(index, pd.DatetimeIndex):
        before = index
        index = to_month_start(index, codes, freq, notes, always=settled.month_start)
        moved = index is not before
        if moved:
            refuse_duplicates(replace(sorted_rows, index=index))
    grid = make_grid(index, codes, freq, source)
    rows, full_codes, full_index = _fill_gaps(grid, replace(sorted_rows, index=index))
    if freq is None and roles.time:
        others = [other for other in readings if other is not reading and other.words]
        refuse_absurd(grid, index, codes, labels, others, name=columns, source=source)
    if rows is not None:
        notes.append(
            f"{len(full_codes) - len(rows):,} time stamps are missing from the regular axis (step {grid.freq}): they "
            "become rows of missing values"
        )
    zone = str(index.tz) if isinstance(index, pd.DatetimeIndex) and index.tz is not None else ""
    kept = Reading(form=reading.form, month_start=moved or settled.month_start, zone=zone)
    return TimeAxis(order, rows, full_codes, full_index, labels, grid, tuple(notes), kept)


def _order_note(table: pd.DataFrame, index: pd.Index, codes: np.ndarray) -> str:
    """Say that rows are sorted, and where time runs backwards if that is in few places: it may be a slip."""
    back = np.flatnonzero((index[1:] < index[:-1]) & (codes[1:] == codes[:-1]))
    note = "the rows are not in order of series and time: they are sorted"
    if not len(back) or len(back) > max(3, len(codes) // 100):
        return note
    row = int(back[0])
    return (
        f"{note}; time runs backwards in {len(back):,} of {len(codes):,} rows, first in {place(table, row + 1)}, from "
        f"{index[row]} to {index[row + 1]}: check the dates there"
    )


def _series_codes(table: pd.DataFrame, id: tuple[str, ...], source: str) -> tuple[np.ndarray, list]:
    """Number of each row's series, and the names of the series; names of several columns are joined by commas."""
    if not id:
        return np.zeros(len(table), dtype="int8"), ["series"]
    parts = []
    for name in id:
        codes, found = pd.factorize(table[name], use_na_sentinel=True)
        if (codes < 0).any():
            position = int(np.argmax(codes < 0))
            raise InputError(
                f"{source}: column {name!r} is empty in {place(table, position)} where the name of a series was "
                "expected; fill the cell or remove the row"
            )
        parts.append((codes, list(found.astype(object))))
    codes, labels = parts[0]
    for others, found in parts[1:]:
        together, codes = np.unique(codes.astype("int64") * len(found) + others, return_inverse=True)
        labels = [(*_as_tuple(labels[code // len(found)]), found[code % len(found)]) for code in together]
    if len(id) > 1:
        labels = joined_names(labels)
    natural = natural_order(labels)
    if bool((natural[1:] > natural[:-1]).all()):
        return codes, labels
    rank = np.empty(len(labels), dtype="int64")
    rank[natural] = np.arange(len(labels))
    return rank[codes], [labels[code] for code in natural]


def natural_order(labels: list) -> np.ndarray:
    """Which label comes n-th, as people number their series: (labels,)."""
    order = _order_of_numbered(labels)
    if order is None:
        order = np.array(sorted(range(len(labels)), key=lambda code: _natural(labels[code])), dtype="int64")
    return order


def _order_of_numbered(labels: list) -> np.ndarray | None:
    """The order of names such as H1, H2, ..., without a look at each; None for names of another form."""
    if not all(type(label) is str for label in labels) or not "".join(labels).isascii():
        return None
    texts = [label.rstrip(_FIGURES) for label in labels]
    figures = [label[len(text) :] for label, text in zip(labels, texts, strict=True)]
    lengths = np.array([len(figure) for figure in figures])
    kinds = set(texts)
    if lengths.min() == 0 or lengths.max() > _MOST_FIGURES or any(set(text) & set(_FIGURES) for text in kinds):
        return None
    rank = {text: number for number, text in enumerate(sorted(kinds))}
    numbers = np.array(figures).astype("int64")
    return np.lexsort((-lengths, numbers, np.array([rank[text] for text in texts])))  # 02 stands before 2


def _as_tuple(label: Any) -> tuple:
    return label if isinstance(label, tuple) else (label,)


def joined_names(labels: list[tuple]) -> list[str]:
    """One name for each pair of names: joined by a sign that keeps them apart."""
    for sign in (",", " / ", " | ", " :: "):
        names = [sign.join(map(str, label)) for label in labels]
        if len(set(names)) == len(names):
            return names
    return [repr(label) for label in labels]


def _natural(label: Any) -> tuple:
    """Sort H2 before H10, as people number their series, and 02 before 2; numbers come before texts."""
    if isinstance(label, str):
        parts = re.split(r"(\d+)", label)
        return (1, [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts], label)
    if isinstance(label, tuple):
        return (2, [_natural(part) for part in label], "")
    try:
        return (0, [(0, float(label), "")], "")
    except (TypeError, ValueError):
        return (3, [(1, 0, str(label))], "")


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
