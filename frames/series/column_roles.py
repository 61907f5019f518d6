"""Which column of a series has which role: time, id, target, covariates."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ...errors import InputError
from ..cells import looks_numeric, why_not_numeric
from ..columns import ROW_NUMBERS, TIME_NAMES, check_column, check_single_roles, listed, note_ignored
from .time_cells import DATE_PARTS, looks_like_clock, looks_like_time

# More columns of numbers than that are no list of targets: a row is a series, and a column a point in time.
_WIDE = 20
_CLOCK_NAMES = ("time", "hour", "clock", "time_of_day")


@dataclass(frozen=True)
class Roles:
    """Column names by role.

    ``time`` is empty for row numbers and has several names where a date is composed of columns; ``id`` is empty for
    one series and has several names where columns tell the series apart together.
    """

    time: tuple[str, ...]
    id: tuple[str, ...]
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
    id: str | Sequence[str] | None,
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
    series = id_columns(table.columns, id)
    past, future = as_names(past_covariates), as_names(future_covariates)
    clock = _time_columns(table, time, {*series, *as_names(target), *past, *future}, source, notes)
    others = [*clock, *past, *future, *series]
    targets = as_names(target) or _default_target(table, set(others), source)
    for name in (*targets, *others):
        check_column(table, name, source)
    check_single_roles([*targets, *others], source)
    note_ignored(table, [*targets, *others], notes)
    return Roles(clock, series, targets, past, future, tuple(notes))


def id_columns(columns: Iterable[str], id: str | Sequence[str] | None) -> tuple[str, ...]:
    """The columns that tell the series apart: those given, of which a text may list several; else ``unique_id``."""
    there = list(columns)
    if id is None:
        return ("unique_id",) if "unique_id" in there else ()
    if isinstance(id, str) and id not in there and "," in id:
        return tuple(name.strip() for name in id.split(","))
    return as_names(id)


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
            return _with_clock(table, free[name], free, notes)
    if "year" in free and {"month", "week", "quarter"} & set(free):
        columns = tuple(free[name] for name in _parts(free))
        notes.append(f"time is composed of the columns {listed(columns)}")
        return columns
    for name in table.columns:
        if name not in taken and looks_like_time(table[name]):
            notes.append(f"time is column {name!r}, the first one whose cells are time stamps (set `time` to override)")
            return (name,)
    notes.append("no column holds time stamps: rows are counted in the order of the file")
    return ()


def _parts(free: Mapping[str, str]) -> tuple[str, ...]:
    """Parts of a date in the table: a month makes week and quarter superfluous."""
    superfluous = {"month": ("week", "quarter"), "week": ("quarter",)}
    gone = {part for name, others in superfluous.items() if name in free for part in others}
    return tuple(name for name in DATE_PARTS if name in free and name not in gone)


def _with_clock(table: pd.DataFrame, name: str, free: Mapping[str, str], notes: list[str]) -> tuple[str, ...]:
    """Join a column of dates without times with one of times of day."""
    if name.lower() == "time" and looks_like_clock(table[name]) and "date" in free:
        name = free["date"]
    clock = next((free[other] for other in _CLOCK_NAMES if free.get(other, name) != name), None)
    if clock is None or not looks_like_clock(table[clock]) or bool(table[name].astype(str).str.contains(":").any()):
        return (name,)
    notes.append(f"time is composed of the columns {listed([name, clock])}")
    return (name, clock)


def _given_time(table: pd.DataFrame, time: str | Sequence[str], source: str) -> tuple[str, ...]:
    if isinstance(time, str):
        if time in table.columns:
            return (time,)
        if time.lower() == ROW_NUMBERS:
            return ()
        time = [name.strip() for name in time.split(",")]
    for name in time:
        check_column(table, name, source)
    if len(time) == 2 and looks_like_clock(table[time[1]]):
        return tuple(time)
    if len(time) > 1:
        unknown = [name for name in time if str(name).lower() not in DATE_PARTS]
        if unknown:
            raise InputError(
                f"{source}: `time` lists {listed(time)}, of which {unknown[0]!r} is none of "
                f"{', '.join(DATE_PARTS)}; give one column of time stamps, one of dates and one of times of day, or "
                "columns with these names"
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
            f"{source}: no numeric column is left to forecast (the columns are {listed(map(str, table.columns))})"
            f"{_spoilt(table, left)}; name one as `target`"
        )
    if len(numeric) >= _WIDE and len(table) < len(numeric) * 50 and _like_points_in_time(numeric):
        raise InputError(
            f"{source}: the columns {listed(numeric[:3])} and so on look like points in time, with one series per row, "
            "where one row per series and time stamp was expected; reshape the table, in pandas with "
            "table.melt(id_vars=[...], var_name='ds', value_name='y'), and name the first columns as `id`"
        )
    raise InputError(
        f"{source}: {len(numeric)} numeric columns could be the target ({listed(numeric)}) where one was expected; "
        "name it as `target`"
    )


def _spoilt(table: pd.DataFrame, left: Sequence[str]) -> str:
    """The cell that kept a column from being numeric, of the column that comes nearest."""
    reasons = [reason for name in left if (reason := why_not_numeric(table, name))]
    return f"; {reasons[0]}" if reasons else ""


def _like_points_in_time(names: Sequence[object]) -> bool:
    """Whether columns are called d_1, d_2, ... or by dates."""
    texts = [str(name) for name in names]
    numbered = sum(bool(re.fullmatch(r"[A-Za-z]{0,6}[_\s-]?\d+", text)) for text in texts)
    dated = sum(bool(re.fullmatch(r"\d{1,4}[/.-]\d{1,2}(?:[/.-]\d{1,4})?(?:[ T][\d:]+)?", text)) for text in texts)
    return max(numbered, dated) > 0.8 * len(texts)
