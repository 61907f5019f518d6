"""A table with named columns becomes the fields of a SeriesFrame: its rows on a regular time axis."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from ..cells import looks_numeric, numeric_column, read_numbers
from ..columns import ROW_NUMBERS, listed
from .column_roles import Roles, choose_roles
from .reading import Reading
from .time_axis import TimeAxis, make_axis
from .trim_ends import trim_ends
from .value_checks import check_missing, count_constant, count_missing, note_constant, note_missing

# A mistyped number stands among many different ones; categories are few.
_MOST_CATEGORIES, _LEAST_REPETITIONS = 30, 3
MISSING_RULES = ("keep", "error")


def series_fields(
    table: pd.DataFrame,
    *,
    freq: str | int | None,
    missing: str,
    source: str,
    reading: Reading | None = None,
    is_part: bool = False,
    **given: Any,
) -> dict[str, Any]:
    """Check the table and give the fields of its SeriesFrame; see :meth:`SeriesFrame.from_table`.

    Of one of several parts (`is_part`) nothing is noted that has to be counted over all of them.
    """
    if missing not in MISSING_RULES:
        raise ValueError(f"`missing` must be one of {MISSING_RULES}. Received: missing={missing!r}")
    table = _with_time_index(table)
    if table.empty:
        raise InputError(f"{source}: the table has no rows where at least one was expected; add rows")
    roles = choose_roles(table, source=source, **given)
    columns = {name: numeric_column(table, name, source) for name in roles.targets}
    own_notes: list[str] = []
    for name in roles.covariates:
        columns[name] = _covariate(table, name, source, reading, own_notes)
    numeric = tuple(name for name in roles.covariates if columns[name].dtype != object)
    axis = make_axis(table, roles, freq, source, reading)
    frame = _assemble(columns, axis, roles)
    id, time = str(frame.columns[0]), str(frame.columns[1])
    notes = [*table.attrs.get("notes", ()), *roles.notes, *own_notes, *axis.notes]
    frame, ahead = trim_ends(
        frame, id, roles.targets, keep_ahead=bool(roles.future_covariates), source=source, notes=notes
    )
    used = [*roles.targets, *roles.covariates]
    if missing == "error":
        check_missing(frame, id, time, used, source)
    if not is_part:
        note_missing(count_missing(frame, used), len(frame), notes)
        note_constant(*count_constant(frame, id, roles.targets), notes)
    return {
        "table": frame,
        "id": id,
        "time": time,
        "ahead": ahead,
        "source": source,
        "notes": tuple(notes),
        "roles": {"time": list(roles.time) or ROW_NUMBERS, "id": _as_given(roles.id)},
        "reading": replace(axis.reading, numeric=numeric, comma=table.attrs.get("comma", "")),
        "id_cells": _id_cells(table, roles.id, axis),
        "targets": roles.targets,
        "past_covariates": roles.past_covariates,
        "future_covariates": roles.future_covariates,
        "freq": axis.grid.freq,
    }


def _with_time_index(table: pd.DataFrame) -> pd.DataFrame:
    """Make columns of a meaningful index: pandas users keep time there."""
    if isinstance(table.index, pd.PeriodIndex):
        table = table.set_axis(table.index.to_timestamp(), axis=0)
    if isinstance(table.index, pd.DatetimeIndex) and table.index.name is None:
        return table.rename_axis(index="ds").reset_index()
    if any(name is not None for name in table.index.names):
        return table.reset_index()
    return table


def _covariate(table: pd.DataFrame, name: str, source: str, settled: Reading | None, notes: list[str]) -> np.ndarray:
    values = table[name]
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return numeric_column(table, name, source)
    if settled is not None and settled.numeric is not None:
        return numeric_column(table, name, source) if name in settled.numeric else _categories(values)
    if looks_numeric(values) and not _is_mixed(values):
        return numeric_column(table, name, source)
    if looks_numeric(values):
        found = sorted(set(values.dropna().astype(str)))
        notes.append(f"column {name!r} holds figures and words ({listed(found)}): it is read as categories")
    return _categories(values)


def _is_mixed(values: pd.Series) -> bool:
    """Whether a column of figures holds words too, and so few different cells that all of them are categories."""
    if not pd.api.types.is_object_dtype(values.dtype) and not pd.api.types.is_string_dtype(values.dtype):
        return False
    distinct = values.nunique()
    few = distinct <= _MOST_CATEGORIES and distinct <= values.notna().sum() / _LEAST_REPETITIONS
    return few and bool(read_numbers(values)[1].any())


def _categories(values: pd.Series) -> np.ndarray:
    """Texts, None where a cell is missing; a whole number has no decimals, however its column was stored."""
    cells = values.astype(object)
    return cells.where(cells.notna(), np.nan).map(_as_category, na_action="ignore").to_numpy(dtype=object)


def _as_category(cell: object) -> str:
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell)) if whole else str(cell)  # type: ignore[call-overload]


def _as_given(id: tuple[str, ...]) -> str | list[str] | None:
    if not id:
        return None
    return id[0] if len(id) == 1 else list(id)


def _id_cells(table: pd.DataFrame, id: tuple[str, ...], axis: TimeAxis) -> pd.DataFrame | None:
    """Where several columns tell the series apart, their cells by the series' names."""
    if len(id) < 2:
        return None
    ordered = table[list(id)] if axis.order is None else table[list(id)].iloc[axis.order]
    codes = axis.codes if axis.rows is None else axis.codes[axis.rows]
    first = np.unique(codes, return_index=True)[1]
    return ordered.iloc[first].set_axis(pd.Index(axis.labels), axis=0)


def _assemble(columns: dict[str, np.ndarray], axis: TimeAxis, roles: Roles) -> pd.DataFrame:
    id = ",".join(map(str, roles.id)) if roles.id else _free("unique_id", columns)
    if not roles.time:
        time = _free("row", [*columns, id])
    else:
        time = roles.time[0] if len(roles.time) == 1 else _free("ds", [*columns, id])
    series = pd.Categorical.from_codes(axis.codes, categories=pd.Index(axis.labels, tupleize_cols=False))
    spread = {name: axis.spread(values) for name, values in columns.items()}
    return pd.DataFrame({id: series, time: axis.index, **spread}, copy=False)


def _free(name: str, taken: Sequence[str] | dict) -> str:
    while name in taken:
        name += "_"
    return name
