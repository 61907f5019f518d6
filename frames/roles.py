"""Which column plays which part: time, series, targets, covariates."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from ..errors import InputError
from .cells import looks_numeric
from .time_cells import looks_like_time

TIME_NAMES = ("ds", "date", "datetime", "timestamp", "time", "month")
TIME_PARTS = ("year", "month", "day", "hour", "minute", "second")
ROW_NUMBERS = "none"


@dataclass(frozen=True)
class Roles:
    """Column names by role; ``time`` is empty for row numbers, has several names where parts are put
    together."""

    time: tuple[str, ...]
    id: str | None
    targets: tuple[str, ...]
    past: tuple[str, ...]
    future: tuple[str, ...]
    notes: tuple[str, ...]


def names(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """Read one name, a list of names or nothing."""
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def choose_roles(  # one parameter a role
    table: pd.DataFrame,
    *,
    time: str | Sequence[str] | None,
    target: str | Sequence[str] | None,
    id: str | None,
    past: str | Sequence[str],
    future: str | Sequence[str],
    source: str,
) -> Roles:
    """Settle every role, by what was given, else by the usual names.

    Returns:
        The roles and notes about the choices made.

    Raises:
        InputError: a name that no column has, one column in two roles, or no single candidate for the target.
    """
    notes: list[str] = []
    series = id if id is not None else ("unique_id" if "unique_id" in table.columns else None)
    covariates = names(past) + names(future)
    clock = _time_columns(table, time, {series, *names(target), *covariates}, source, notes)
    used = {*clock, *covariates} | ({series} if series is not None else set())
    targets = names(target) or _default_target(table, used, source)
    for name in (*clock, *targets, *covariates, *(() if series is None else (series,))):
        check_column(table, name, source)
    _check_single_roles([*clock, *targets, *covariates, *(() if series is None else (series,))], source)
    ignored = [str(name) for name in table.columns if name not in used and name not in targets]
    if ignored:
        notes.append(f"Columns without a role are ignored: {listed(ignored)}.")
    return Roles(clock, series, targets, names(past), names(future), tuple(notes))


def check_column(table: pd.DataFrame, name: str, source: str) -> None:
    """Refuse a name that no column has, and say which ones there are."""
    if name in table.columns:
        return
    there = [str(column) for column in table.columns]
    lowered = {column.lower(): column for column in there}
    close = difflib.get_close_matches(str(name).lower(), lowered, n=1, cutoff=0.5)
    hint = f"; did you mean `{lowered[close[0]]}`?" if close else "."
    raise InputError(f"{source} has no column `{name}`; its columns are {listed(there)}{hint}")


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
        parts = tuple(free[part] for part in TIME_PARTS if part in free)
        notes.append(f"Time is put together from the columns {listed(parts)}.")
        return parts
    for name in table.columns:
        if name not in taken and looks_like_time(table[name]):
            notes.append(f"Time is column `{name}`, the first one whose cells are time stamps.")
            return (name,)
    notes.append("No column holds time stamps: rows are counted in the order of the file.")
    return ()


def _given_time(table: pd.DataFrame, time: str | Sequence[str], source: str) -> tuple[str, ...]:
    if isinstance(time, str):
        if time in table.columns:
            return (time,)
        if time.lower() == ROW_NUMBERS:
            return ()
        time = [part.strip() for part in time.split(",")]
    for name in time:
        check_column(table, name, source)
    if len(time) > 1:
        unknown = [name for name in time if str(name).lower() not in TIME_PARTS]
        if unknown:
            raise InputError(
                f"Time in {source} was to be put together from {listed(time)}, but `{unknown[0]}` is "
                "none of "
                f"{', '.join(TIME_PARTS)}: give --time one column of time stamps or such parts."
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
            f"{source} has no numeric column left to forecast (its columns are "
            f"{listed([str(name) for name in table.columns])}): name the target with --target."
        )
    raise InputError(
        f"{source} has {len(numeric)} numeric columns that could be the target ({listed(numeric)}): "
        "choose with "
        f"--target, for instance --target {numeric[0]!r}."
    )


def _check_single_roles(columns: list[str], source: str) -> None:
    for name in columns:
        if columns.count(name) > 1:
            raise InputError(
                f"Column `{name}` of {source} was given two roles, but a column has one of time, id, "
                "target, past "
                "or future: name it once."
            )


def listed(columns: Iterable[str]) -> str:
    """Write names with backticks; of many, the first twelve."""
    columns = [f"`{name}`" for name in columns]
    if len(columns) > 12:  # a wide table would bury the sentence
        return ", ".join(columns[:12]) + f" and {len(columns) - 12} more"
    return ", ".join(columns)
