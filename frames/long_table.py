"""Tables with one step a row and a column that tells the sequences apart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from .targets import Targets, objects
from .arrays import Read
from .cells import looks_numeric
from .labels import read_labels
from .parts import Parts
from .roles import ROW_NUMBERS, TIME_NAMES, listed
from .time_cells import read_time

STEP_NAMES = ("step", "time_step", "timestep", "t")


@dataclass(frozen=True)
class _Order:
    """Rows in the order of sequences and steps, and the first row of each sequence in that order."""

    rows: np.ndarray
    starts: np.ndarray

    def cut(self, values: Any) -> list:
        """Cut a column (or table) of the rows into sequences."""
        return np.split(values[self.rows], self.starts[1:])


@dataclass(frozen=True)
class Columns:
    """The user's columns; ``role`` says what the one called ``answer`` is: label, value or tags."""

    id: str
    time: str | None
    split: str | None
    role: str | None
    answer: str | None

    @property
    def named(self) -> list[str]:
        return [name for name in (self.id, self.time, self.split, self.answer) if name is not None]


def read_long(
    parts: Parts, columns: Columns, channels: Sequence[str] | None, notes: list[str]
) -> tuple[str | None, Read]:
    """Read a table with an id column; see ``PanelFrame.from_table``. Gives the time column too, or "none"."""
    columns = replace(columns, time=_time_column(parts, columns, channels or (), notes))
    given = [*columns.named, *(channels or ())]
    for column in given:
        parts.check(column)
        if given.count(column) > 1:
            raise InputError(
                f"Column `{column}` of {parts.source} was given two roles, but a column has one: name it once."
            )
    channels = list(channels or _channels(parts, columns.named))
    _note_ignored(parts, {*columns.named, *channels}, notes)
    order = _order(parts, columns.id, columns.time, notes)
    values = np.column_stack([parts.numbers(channel) for channel in channels])
    is_test = parts.is_test(notes)
    if is_test is not None:
        flags = objects(is_test.tolist())
        is_test = np.array(_constant(parts, order, flags, columns.split or columns.id, columns.id), dtype=bool)
    targets, missing = None, np.zeros(len(order.starts), dtype=bool)
    if columns.answer is not None:
        targets, missing = _answers(parts, order, columns, columns.answer, notes)
    names = objects(parts.cells(columns.id))[order.rows[order.starts]]
    return columns.time or ROW_NUMBERS, Read(order.cut(values), tuple(channels), targets, missing, is_test, names)


def _time_column(parts: Parts, columns: Columns, channels: Sequence[str], notes: list[str]) -> str | None:
    if columns.time is not None:
        by_rows = columns.time.lower() == ROW_NUMBERS and columns.time not in parts.tables[0].columns
        return None if by_rows else columns.time
    taken = {*columns.named, *channels}
    free = {str(name).lower(): name for name in reversed(parts.tables[0].columns) if name not in taken}
    found = next((free[name] for name in (*TIME_NAMES, *STEP_NAMES) if name in free), None)
    if found is not None:
        notes.append(f"The steps of a sequence go by column `{found}`; choose another with --time, or --time none.")
    return found


def _channels(parts: Parts, taken: list[str]) -> list:
    table = parts.tables[0]
    channels = [column for column in table.columns if column not in taken and looks_numeric(table[column])]
    if not channels:
        raise InputError(
            f"{parts.source} has no numeric column left for the values of the sequences (its columns are "
            f"{listed(map(str, table.columns))}): add one."
        )
    return channels


def _note_ignored(parts: Parts, used: set, notes: list[str]) -> None:
    ignored = [str(column) for column in parts.tables[0].columns if column not in used]
    if ignored:
        notes.append(f"Columns without a role are ignored: {listed(ignored)}.")


def _order(parts: Parts, id: str, time: str | None, notes: list[str]) -> _Order:
    ids = parts.cells(id)
    empty = [row for row, cell in enumerate(ids) if cell is None]
    if empty:
        raise InputError(
            f"Column `{id}` is empty in {parts.place(empty[0])} ({len(empty):,} rows in all) where each row must name "
            "its sequence: fill it in."
        )
    second = np.repeat(np.arange(len(parts.tables)), [len(table) for table in parts.tables])
    shared = set(ids[: len(parts.tables[0])]) & set(ids[len(parts.tables[0]) :])
    if shared:
        notes.append(
            f"{len(shared):,} values of `{id}` stand in both the training and the test part: they are taken as "
            "different sequences."
        )
    codes = pd.factorize(objects(ids))[0].astype("int64") * len(parts.tables) + second
    codes = pd.factorize(codes)[0]  # by first appearance
    as_found = np.argsort(codes, kind="stable")
    if time is None:
        rows = as_found
    else:
        moments = _moments(parts, time)
        rows = np.lexsort((moments, codes))
        _check_moments(parts, rows, codes, moments, time)
        if not np.array_equal(rows, as_found):
            notes.append(f"The steps of some sequences were not in the order of `{time}`: they are sorted.")
    return _Order(rows, np.flatnonzero(np.r_[True, np.diff(codes[rows]) != 0]))


def _check_moments(parts: Parts, rows: np.ndarray, codes: np.ndarray, moments: np.ndarray, time: str) -> None:
    same = np.flatnonzero((np.diff(codes[rows]) == 0) & (np.diff(moments[rows]) == 0))
    if len(same):
        first, again = sorted(rows[same[0] : same[0] + 2])
        raise InputError(
            f"Column `{time}` holds the same moment twice in one sequence, in {parts.place(first)} and "
            f"{parts.place(again)}: leave one row out, or check --id."
        )


def _moments(parts: Parts, time: str) -> np.ndarray:
    found = []
    for table, source in zip(parts.tables, parts.sources, strict=True):
        if looks_numeric(table[time]):
            numbers = parts.numbers(time)
            if np.isnan(numbers).any():
                row = int(np.argmax(np.isnan(numbers)))
                raise InputError(
                    f"Column `{time}` is empty in {parts.place(row)} where a moment was expected: fill it in."
                )
            return numbers
        index = read_time(table, (time,), source)[0]
        found.append(index.asi8 if isinstance(index, pd.DatetimeIndex) else index.to_numpy())
    return np.concatenate(found).astype("float64")


def _answers(parts: Parts, order: _Order, columns: Columns, name: str, notes: list[str]) -> tuple[Targets, np.ndarray]:
    if columns.role == "tags":
        return _tags(parts, order, name, notes)
    if columns.role == "value":
        cells = objects(None if np.isnan(number) else number for number in parts.numbers(name))
        found = _constant(parts, order, cells, name, columns.id)
        values = np.array([np.nan if cell is None else cell for cell in found], dtype="float64")
        return Targets("regression", name, values), np.isnan(values)
    labels, gone = read_labels(parts, name, notes)
    labels[gone] = None
    found = _constant(parts, order, labels, name, columns.id)
    return Targets("classification", name, objects(found)), np.array([cell is None for cell in found], dtype=bool)


def _tags(parts: Parts, order: _Order, name: str, notes: list[str]) -> tuple[Targets, np.ndarray]:
    """Cut a column of tags; a sequence without any is missing, one with a gap is refused."""
    tags, gone = read_labels(parts, name, notes)
    lists, missing = order.cut(tags), np.array([flags.all() for flags in order.cut(gone)])
    for flags, rows, left_out in zip(order.cut(gone), order.cut(np.arange(len(gone))), missing, strict=True):
        if flags.any() and not left_out:
            raise InputError(
                f"Column `{name}` is empty in {parts.place(int(rows[np.argmax(flags)]))} where every step of a "
                "sequence was expected to have a tag: fill it in, or leave all tags of the sequence empty."
            )
    return Targets("tagging", name, objects(list(cells) for cells in lists)), missing


def _constant(parts: Parts, order: _Order, cells: np.ndarray, name: str, id: str) -> list:
    """Give the one value that each sequence has in all its rows; None where it has none."""
    codes, distinct = pd.factorize(cells)
    codes = codes[order.rows]
    high = np.maximum.reduceat(codes, order.starts)  # -1 where no row of the sequence has a value
    low = np.minimum.reduceat(np.where(codes < 0, len(distinct), codes), order.starts)
    changing = np.flatnonzero((high >= 0) & (low != high))
    if len(changing):
        rows = [row for row in order.cut(np.arange(len(cells)))[changing[0]] if cells[row] is not None]
        first, other = rows[0], next(row for row in rows if cells[row] != cells[rows[0]])
        found = parts.cells(name)
        raise InputError(
            f"Column `{name}` changes inside sequence {parts.cells(id)[other]!r}: {found[first]!r} in "
            f"{parts.place(first)}, {found[other]!r} in {parts.place(other)}, where one and the same was expected: "
            "correct the rows, or use --tags for a label for every step."
        )
    return [None if code < 0 else distinct[code] for code in high]
