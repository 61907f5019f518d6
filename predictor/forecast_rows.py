"""Rows of a series as a stream takes them: the columns' channels, what is known ahead, the clock."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from ..frames.series import following_seconds
from ..pipelines import SeriesPipeline
from ..pipelines.channels import Column
from .observations import Observations, as_rows, as_table, need_columns

_SOURCE = "the pushed rows"


def forecast_rows(
    pipeline: SeriesPipeline, roles: dict[str, Any], freq: str | int, source: Any, future: Any
) -> Observations:
    """Read rows of one series.

    Args:
        pipeline: fitted on training rows.
        roles: the user's columns for ``time`` and ``id``.
        freq: step of the time axis.
        source: a row or rows: with names (a mapping, a table), or plain numbers in the order of the channels.
        future: the `horizon` rows after the last one, of what is known ahead: a table, or (horizon, channels).

    Raises:
        InputError: if a column, what is known ahead or a time stamp is missing.
    """
    named = as_table(source)
    if named is None:
        values, many = as_rows(source, len(pipeline.channels_.names), pipeline.channels_.names, "float64")
        times = None
    else:
        table, many = named
        need_columns(table, [column.name for column in pipeline.channels_.columns])
        _one_series(table, roles["id"])
        values = _channels(table, pipeline.channels_.columns)
        times = _times(pipeline, roles["time"], freq, table)
    inputs = {"values": values}
    if pipeline.future_covariates_:
        inputs["future"] = _ahead(pipeline, values, future)
    elif future is not None:
        raise InputError("the model knows nothing ahead: it has no future covariates, so `future` does not apply to it")
    if pipeline.calendar:
        if times is None:
            raise InputError(
                f"the model reads the calendar ({', '.join(pipeline.calendar)}), so a row needs its time; give rows "
                f"with names, {', '.join(_time_columns(roles['time']))} among them"
            )
        inputs["time"] = times
    return Observations(inputs, many, None if times is None else times[:, :2])


def _one_series(table: pd.DataFrame, name: str | None) -> None:
    if name is not None and name in table.columns and len(table[name].unique()) > 1:
        raise InputError(f"a stream is one series, and the rows have several in {name!r}; open a stream for each")


def _channels(table: pd.DataFrame, columns: list[Column]) -> np.ndarray:
    try:
        return np.concatenate([column.raw(table) for column in columns], axis=1)
    except (TypeError, ValueError) as error:
        raise InputError(f"{_SOURCE}: a column of numbers holds something else ({error})") from error


def _time_columns(name: Any) -> list[str]:
    return [name] if isinstance(name, str) else list(name)


def _times(pipeline: SeriesPipeline, name: Any, freq: str | int, table: pd.DataFrame) -> np.ndarray | None:
    """Seconds of the rows and of the steps after each: (rows, 1 + horizon); None where the rows do not tell."""
    columns = _time_columns(name)
    if isinstance(freq, int) or not set(columns) <= set(table.columns):
        return None
    stamps = table[columns[0]] if len(columns) == 1 else table[columns]
    times = following_seconds(stamps, freq, pipeline.horizon, source=_SOURCE)
    if len(apart := np.flatnonzero(times[1:, 0] != times[:-1, 1])):
        raise InputError(
            f"{_SOURCE}: row {apart[0] + 1} is not one step ({freq}) after the row before it; rows of a stream follow "
            "one another, so push the rows in between with missing values"
        )
    return times


def _ahead(pipeline: SeriesPipeline, values: np.ndarray, future: Any) -> np.ndarray:
    """What is known ahead of each row: (rows, horizon, channels); later rows tell it of earlier ones."""
    columns = [c for c in pipeline.channels_.columns if c.name in pipeline.future_covariates_]
    names = [name for column in columns for name in column.channels]
    if future is None:
        raise InputError(
            f"the model needs to know {', '.join(names)} of the {pipeline.horizon} steps after the last row; give them "
            "as `future`"
        )
    named = as_table(future)
    if named is None:
        ahead, _ = as_rows(future, len(names), names, "float64")
    else:
        need_columns(named[0], [column.name for column in columns])
        ahead = _channels(named[0], columns)
    if len(ahead) != pipeline.horizon or not np.isfinite(ahead).all():
        raise InputError(
            f"`future` must have a value for each of the {pipeline.horizon} steps ahead; received {len(ahead)}"
        )
    known = np.concatenate([values[:, -len(names) :], ahead])
    return np.stack([known[i + 1 : i + 1 + pipeline.horizon] for i in range(len(values))])
