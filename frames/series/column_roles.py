"""Which column of a series has which role: time, id, target, covariates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from ...errors import InputError
from ..cells import looks_numeric
from ..columns import ROW_NUMBERS, TIME_NAMES, check_column, check_single_roles, listed, note_ignored
from .time_cells import looks_like_time

_DATE_COLUMNS = ("year", "month", "day", "hour", "minute", "second")


@dataclass(frozen=True)
class Roles:
    """Column names by role.

    ``time`` is empty for row numbers and has several names where a date is composed of columns.
    """

    time: tuple[str, ...]
    id: str | None
    targets: tuple[str, ...]
    past_covariates: tuple[str, ...]
    future_covariates: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def covariates(self) -> tuple[str, ...]:
        """Past covariates, then future ones."""
        return self.past_covariates + self.future_covariates


def as_names(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """Read one name, a list of names or nothing."""
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def choose_roles(  # one parameter per role
    table: pd.DataFrame,
    *,
    time: str | Sequence[str] | None,
    target: str | Sequence[str] | None,
    id: str | None,
    past_covariates: str | Sequence[str],
    future_covariates: str | Sequence[str],
    source: str,
) -> Roles:
    """Choose every role: what was given, else by the usual names.

    Returns:
        The roles and notes about the choices made.

    Raises:
        InputError: a name that no column has, one column in two roles, or no single candidate for the target.
    """
    notes: list[str] = []
    series = id if id is not None else ("unique_id" if "unique_id" in table.columns else None)
    past, future = as_names(past_covariates), as_names(future_covariates)
    clock = _time_columns(table, time, {series, *as_names(target), *past, *future}, source, notes)
    others = [*clock, *past, *future, *(() if series is None else (series,))]
    targets = as_names(target) or _default_target(table, set(others), source)
    for name in (*targets, *others):
        check_column(table, name, source)
    check_single_roles([*targets, *others], source)
    note_ignored(table, [*targets, *others], notes)
    return Roles(clock, series, targets, past, future, tuple(notes))


def _time_columns(
    table: pd.DataFrame, time: str | Sequence[str] | None, taken: set, source: str, notes: list[str]
) -> tuple[str, ...]:
    if time is not None:
        return _given_time(table, time, source)
    free = {str(name).lower(): name for name in reversed(table.columns) if name not in taken}
    for name in TIME_NAMES:
        if name in free:
            if name == "month" and "year" in free:
                break
            return (free[name],)
    if "year" in free and "month" in free:
        columns = tuple(free[name] for name in _DATE_COLUMNS if name in free)
        notes.append(f"time is composed of the columns {listed(columns)}")
        return columns
    for name in table.columns:
        if name not in taken and looks_like_time(table[name]):
            notes.append(f"time is column {name!r}, the first one whose cells are time stamps (set `time` to override)")
            return (name,)
    notes.append("no column holds time stamps: rows are counted in the order of the file")
    return ()


def _given_time(table: pd.DataFrame, time: str | Sequence[str], source: str) -> tuple[str, ...]:
    if isinstance(time, str):
        if time in table.columns:
            return (time,)
        if time.lower() == ROW_NUMBERS:
            return ()
        time = [name.strip() for name in time.split(",")]
    for name in time:
        check_column(table, name, source)
    if len(time) > 1:
        unknown = [name for name in time if str(name).lower() not in _DATE_COLUMNS]
        if unknown:
            raise InputError(
                f"{source}: `time` lists {listed(time)}, of which {unknown[0]!r} is none of "
                f"{', '.join(_DATE_COLUMNS)}; give one column of time stamps, or columns with these names"
            )
    return tuple(time)


def _default_target(table: pd.DataFrame, used: set, source: str) -> tuple[str, ...]:
    if "y" in table.columns and "y" not in used:
        return ("y",)
    left = [name for name in table.columns if name not in used and not str(name).startswith("Unnamed: ")]
    numeric = [name for name in left if looks_numeric(table[name])]
    if len(numeric) == 1:
        return (numeric[0],)
    if not numeric:
        raise InputError(
            f"{source}: no numeric column is left to forecast (the columns are {listed(map(str, table.columns))}); "
            "name one as `target`"
        )
    raise InputError(
        f"{source}: {len(numeric)} numeric columns could be the target ({listed(numeric)}) where one was expected; "
        "name it as `target`"
    )
