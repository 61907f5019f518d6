"""Rows in order of series and time: none may be duplicated or lie between the points of the regular axis."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...errors import InputError
from ..cells import place
from .column_roles import Roles
from .time_grid import TimeGrid


@dataclass(frozen=True)
class SortedRows:
    """The sorted rows, with what a message needs to name one of them."""

    table: pd.DataFrame
    order: np.ndarray | None
    roles: Roles
    labels: list
    codes: np.ndarray
    index: pd.Index
    source: str

    def name(self, row: int) -> str:
        """Name a row by its position in the file, its time and its series."""
        series = f", series {self.labels[self.codes[row]]!r}" if self.roles.id else ""
        return f"{place(self.table, row if self.order is None else self.order[row])} ({self.index[row]}{series})"

    @property
    def time(self) -> str:
        """The columns of time, quoted."""
        return " + ".join(map(repr, self.roles.time))


def refuse_duplicates(rows: SortedRows) -> None:
    """Refuse a series with two rows for one time stamp."""
    moments = rows.index
    again = np.flatnonzero((moments[1:] == moments[:-1]) & (rows.codes[1:] == rows.codes[:-1]))
    if not len(again):
        return
    first = int(again[0])
    other = _telling_apart(rows)
    named = ",".join([*rows.roles.id, other or "store"])
    fix = (
        f"name the columns that tell the series apart as `id`, such as {named}"
        if other or rows.roles.id
        else "name the column that tells the series apart as `id`"
    )
    fix += "" if other else ", or leave one row per time stamp"
    raise InputError(
        f"{rows.source}: time {rows.time} is duplicated in {len(again):,} places, first in {rows.name(first)} and "
        f"{rows.name(first + 1)}, where one row per series and time stamp was expected; {fix}"
    )


def _telling_apart(rows: SortedRows) -> str | None:
    """A column that would tell the rows with one time stamp apart, as the name of a series does."""
    table = rows.table if rows.order is None else rows.table.iloc[rows.order]
    taken = {*rows.roles.time, *rows.roles.id, *rows.roles.targets, *rows.roles.covariates}
    for name in table.columns:
        if name in taken or isinstance(table[name], pd.DataFrame):
            continue
        codes, found = pd.factorize(table[name].astype(str))
        many = len(found) > len(table) // 3 or len(found) < 2
        keys = pd.MultiIndex.from_arrays([rows.codes, codes, rows.index])
        if not many and not keys.has_duplicates:
            return str(name)
    return None


def refuse_off_grid(grid: TimeGrid, rows: SortedRows, moments: np.ndarray, off: np.ndarray) -> None:
    """Refuse rows between the points of the grid: name them and the steps found."""
    if grid.calendar is None:  # a stray first row would make all others look wrong: the commonest phase is right
        series = rows.codes == rows.codes[np.argmax(off)]
        phase = np.mod(moments, grid.step)
        values, counts = np.unique(phase[series], return_counts=True)
        off = series & (phase != values[np.argmax(counts)])
    steps = np.diff(moments)[rows.codes[1:] == rows.codes[:-1]]
    values, counts = np.unique(steps, return_counts=True)
    common = np.argsort(-counts, kind="stable")[:4]
    stamped = isinstance(grid.freq, str)
    found = ", ".join(
        f"{pd.Timedelta(int(values[i]), unit='us') if stamped else values[i]} ({counts[i]:,} times)" for i in common
    )
    wrong = np.flatnonzero(off)
    named = ", ".join(rows.name(int(row)) for row in wrong[:3])
    raise InputError(
        f"{rows.source}: time {rows.time} is irregular: {len(wrong):,} rows are off the grid with a step of "
        f"{grid.freq}, namely {named}{' and so on' if len(wrong) > 3 else ''} (steps found: {found}); correct them, "
        "resample to a regular step, give the step as `freq`, or set `time` to 'none' to count the rows"
    )
