"""A table with named columns becomes the fields of a SeriesFrame: its rows on a regular time axis."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from ..cells import looks_numeric, numeric_column
from ..columns import ROW_NUMBERS
from .column_roles import Roles, choose_roles
from .time_axis import TimeAxis, make_axis
from .trim_ends import trim_ends
from .value_checks import check_missing, note_constant, note_missing

MISSING_RULES = ("keep", "error")


def series_fields(
    table: pd.DataFrame, *, freq: str | int | None, missing: str, source: str, **given: Any
) -> dict[str, Any]:
    """Check the table and give the fields of its SeriesFrame; see :meth:`SeriesFrame.from_table`."""
    if missing not in MISSING_RULES:
        raise ValueError(f"`missing` must be one of {MISSING_RULES}. Received: missing={missing!r}")
    table = _with_time_index(table)
    if table.empty:
        raise InputError(f"{source}: the table has no rows where at least one was expected; add rows")
    roles = choose_roles(table, source=source, **given)
    columns = {name: numeric_column(table, name, source) for name in roles.targets}
    for name in roles.covariates:
        columns[name] = _covariate(table, name, source)
    axis = make_axis(table, roles, freq, source)
    frame = _assemble(columns, axis, roles)
    id, time = str(frame.columns[0]), str(frame.columns[1])
    notes = [*table.attrs.get("notes", ()), *roles.notes, *axis.notes]
    frame, ahead = trim_ends(
        frame, id, roles.targets, keep_ahead=bool(roles.future_covariates), source=source, notes=notes
    )
    used = [*roles.targets, *roles.covariates]
    if missing == "error":
        check_missing(frame, id, time, used, source)
    note_missing(frame, used, notes)
    note_constant(frame, id, roles.targets, notes)
    return {
        "table": frame,
        "id": id,
        "time": time,
        "ahead": ahead,
        "source": source,
        "notes": tuple(notes),
        "roles": {"time": list(roles.time) or ROW_NUMBERS, "id": roles.id},
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


def _covariate(table: pd.DataFrame, name: str, source: str) -> np.ndarray:
    values = table[name]
    if looks_numeric(values) or pd.api.types.is_datetime64_any_dtype(values.dtype):
        return numeric_column(table, name, source)
    cells = values.astype(object)
    return cells.where(cells.notna(), np.nan).map(str, na_action="ignore").to_numpy(dtype=object)


def _assemble(columns: dict[str, np.ndarray], axis: TimeAxis, roles: Roles) -> pd.DataFrame:
    id = roles.id if roles.id is not None else _free("unique_id", columns)
    if not roles.time:
        time = _free("row", [*columns, id])
    else:
        time = roles.time[0] if len(roles.time) == 1 else _free("ds", [*columns, id])
    series = pd.Categorical.from_codes(axis.codes, categories=pd.Index(axis.labels))
    spread = {name: axis.spread(values) for name, values in columns.items()}
    return pd.DataFrame({id: series, time: axis.index, **spread}, copy=False)


def _free(name: str, taken: Sequence[str] | dict) -> str:
    while name in taken:
        name += "_"
    return name
