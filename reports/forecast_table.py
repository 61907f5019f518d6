"""Tables of forecasts in the convention of ``unique_id, ds, y``: which columns are models, intervals, truth."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..errors import InputError
from .model_styles import ModelStyle, style_of_each

if TYPE_CHECKING:
    from .forecast_plot import ForecastLine, ForecastWindow

CUTOFF = "cutoff"
_END = re.compile(r"(.+)-(lo|hi)-(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class ForecastTable:
    """Forecasts of some models: what ``predict`` and ``cross_validation`` of a forecaster give.

    Attributes:
        rows: the table.
        id, time, target: its columns; a table without ids is one series, one without the target has no truth.
    """

    rows: pd.DataFrame
    id: str = "unique_id"
    time: str = "ds"
    target: str = "y"

    def __post_init__(self) -> None:
        if self.time not in self.rows.columns:
            raise InputError(
                f"the forecasts have no column {self.time!r} of times (the columns are "
                f"{', '.join(map(str, self.rows.columns))}); name it as `time_col`"
            )
        if not self.models:
            raise InputError("the forecasts have no numeric column beside ids, times and the target; give `predict`'s")

    @property
    def models(self) -> list[str]:
        """Columns of forecasts."""
        taken = {self.id, self.time, self.target, CUTOFF}
        return [
            name
            for name in self.rows.columns
            if name not in taken
            and pd.api.types.is_numeric_dtype(self.rows[name].dtype)
            and not _END.fullmatch(str(name))
        ]

    @property
    def styles(self) -> dict[str, ModelStyle]:
        """A style for each model."""
        return style_of_each(self.models)

    def bands(self, model: str) -> dict[float, tuple[str, str]]:
        """Columns of the ends of a model's intervals, by level in percent."""
        ends: dict[float, dict[str, str]] = {}
        for name in self.rows.columns:
            found = _END.fullmatch(str(name))
            if found and found[1] == model:
                ends.setdefault(float(found[3]), {})[found[2]] = name
        return {level: (pair["lo"], pair["hi"]) for level, pair in sorted(ends.items()) if len(pair) == 2}

    def of_series(self, series: Hashable | None, cutoff: object = None) -> tuple[str, pd.DataFrame]:
        """The rows of one series, by default the first, and of one cutoff, by default the newest; and its name."""
        rows = self.rows
        name = ""
        if self.id in rows.columns:
            wanted = rows[self.id].iloc[0] if series is None else series
            name, rows = str(wanted), rows[rows[self.id] == wanted]
            if not len(rows):
                raise InputError(f"the forecasts have no series {series!r} in column {self.id!r}; choose one of them")
        if CUTOFF in rows.columns:
            rows = rows[rows[CUTOFF] == (rows[CUTOFF].max() if cutoff is None else cutoff)]
            if not len(rows):
                raise InputError(f"the forecasts have no cutoff {cutoff!r}; choose one of the column {CUTOFF!r}")
        return name, rows.sort_values(self.time)

    def errors_by_step(self, model: str) -> pd.DataFrame:
        """Forecast minus truth by step ahead: a column ``step`` from 1, and ``error``."""
        if self.target not in self.rows.columns:
            raise InputError(
                f"residuals need the truth in a column {self.target!r} beside the forecasts, as `cross_validation` "
                "gives it; name it as `target_col`"
            )
        keys = [name for name in (self.id, CUTOFF) if name in self.rows.columns]
        rows = self.rows.sort_values([*keys, self.time])
        step = rows.groupby(keys, observed=True, sort=False).cumcount() + 1 if keys else np.arange(1, len(rows) + 1)
        return pd.DataFrame({"step": step, "error": rows[model] - rows[self.target]}).dropna()


def window_and_lines(
    table: ForecastTable, known: pd.DataFrame | None, series: Hashable | None, cutoff: object
) -> tuple[ForecastWindow, list[ForecastLine]]:
    """What :func:`recurra.reports.forecast_plot.values_on` draws of a table.

    Args:
        table: the forecasts.
        known: rows of the data; those before the forecasts are drawn in front, those beside them as the truth.
        series: which one; by default the first.
        cutoff: of which forecasts; by default the newest.
    """
    from .forecast_plot import ForecastLine, ForecastWindow, clock_times, rows_for_orientation

    name, rows = table.of_series(series, cutoff)
    before, truth = _known(table, rows, known)
    before = before.tail(rows_for_orientation(len(rows)))
    times = clock_times(pd.concat([before[table.time], rows[table.time]], ignore_index=True))
    y_true = np.concatenate([before[table.target].to_numpy(dtype=float), truth])[:, None]
    styles = table.styles
    lines = []
    for model in table.models:
        bands = {
            level: (rows[low].to_numpy(dtype=float)[:, None], rows[high].to_numpy(dtype=float)[:, None])
            for level, (low, high) in table.bands(model).items()
        }
        lines.append(ForecastLine(model, rows[model].to_numpy(dtype=float)[:, None], styles[model], bands))
    return ForecastWindow(name, len(before), times, y_true, table.time), lines


def _known(table: ForecastTable, rows: pd.DataFrame, known: pd.DataFrame | None) -> tuple[pd.DataFrame, np.ndarray]:
    """Known rows before the forecasts, and the truth beside them (horizon,)."""
    empty = np.full(len(rows), np.nan)
    truth = rows[table.target].to_numpy(dtype=float) if table.target in rows.columns else empty
    if known is None:
        return pd.DataFrame({table.time: rows[table.time].iloc[:0], table.target: []}), truth
    if table.id in rows.columns and table.id in known.columns:
        known = known[known[table.id] == rows[table.id].iloc[0]]
    known = known.assign(**{table.time: _like(known[table.time], rows[table.time])}).sort_values(table.time)
    beside = known.drop_duplicates(table.time).set_index(table.time)[table.target].reindex(rows[table.time])
    truth = np.where(np.isfinite(truth), truth, beside.to_numpy(dtype=float))
    return known[known[table.time] < rows[table.time].iloc[0]][[table.time, table.target]], truth


def _like(times: pd.Series, others: pd.Series) -> pd.Series:
    """Times written as text are read, where the forecasts have time stamps."""
    if pd.api.types.is_numeric_dtype(others.dtype) or times.dtype == others.dtype:
        return times
    return pd.to_datetime(times).astype(others.dtype)
