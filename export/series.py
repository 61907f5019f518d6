"""Export of forecasts: raw values in, forecasts in the user's units out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from .. import datasets
from ..errors import InputError
from ..frames import SeriesFrame, data_hash
from ..pipelines import SeriesPipeline
from ..predictor import SeriesPredictor, forecast_table
from .card import listed
from .served import Served

# Real rows the written model is held against before its version appears.
_CHECKED_WINDOWS = 64


def serving_module(predictor: SeriesPredictor) -> tuple[tf.Module, dict[str, Any]]:
    """A module whose function ``serve`` takes raw values and targets in the user's units, and its signatures."""
    pipeline = predictor.pipeline
    lookback, horizon = pipeline.lookback, pipeline.horizon
    channels = len(pipeline.channels_.names)
    signature = {"values": tf.TensorSpec([None, lookback, channels], tf.float32, name="values")}
    if pipeline.future_:
        width = pipeline.channels_.width(pipeline.future_)
        signature["future"] = tf.TensorSpec([None, horizon, width], tf.float32, name="future")
    if pipeline.calendar:
        signature["time"] = tf.TensorSpec([None, lookback + horizon], tf.int64, name="time")

    module = tf.Module(name="recurra")
    module.model = predictor.model  # tracked: its weights belong to the SavedModel
    names = list(signature)

    def serve(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return predictor.forecast_raw(dict(zip(names, tensors, strict=True)))

    module.serve = tf.function(serve, input_signature=list(signature.values()), autograph=False)
    return module, {"serving_default": module.serve}


def example_inputs(predictor: SeriesPredictor, frame: SeriesFrame) -> dict[str, np.ndarray]:
    """Raw inputs cut from real rows, the newest windows that have a whole horizon after them."""
    pipeline = predictor.pipeline
    windows = pipeline.windows(frame, 0, frame.lengths)
    starts = windows.starts()
    starts = starts[np.unique(np.linspace(0, len(starts) - 1, _CHECKED_WINDOWS).astype(int))]
    steps = np.arange(pipeline.lookback + pipeline.horizon)
    rows = starts[:, None] + steps  # (windows, lookback + horizon)
    columns = [column.raw(frame.table) for column in pipeline.channels_.columns]
    raw = np.concatenate(columns, axis=1).astype("float32")[rows]  # (windows, lookback + horizon, channels)
    inputs = {"values": raw[:, : pipeline.lookback]}
    if pipeline.future_:
        inputs["future"] = np.nan_to_num(raw[:, pipeline.lookback :, -pipeline.channels_.width(pipeline.future_) :])
    if pipeline.calendar:
        inputs["time"] = frame.times()[rows]
    return inputs


def answer(predictor: SeriesPredictor, inputs: dict[str, Any]) -> dict[str, Any]:
    """What the exported model must answer."""
    return predictor.forecast_raw(inputs)


def describe(predictor: SeriesPredictor, frame: SeriesFrame) -> dict[str, Any]:
    """What ``recurra.json`` says of this kind of model."""
    stamps = frame.table[frame.time]
    return {
        "task": "forecast",
        "data": {
            "source": frame.source,
            "hash": data_hash(frame),
            "id": frame.id,
            "time": frame.time,
            "roles": dict(frame.roles),
            "freq": frame.freq,
            "rows": len(frame.table),
            "series": len(frame.lengths),
            "first": str(stamps.min()),
            "last": str(stamps.max()),
        },
        "channels": predictor.pipeline.channels_.names,
        "pipeline": predictor.pipeline.to_config(),
        "intervals": list(predictor.intervals.levels) if predictor.intervals else [],
        "interval_notes": list(predictor.intervals.notes) if predictor.intervals else [],
    }


class ExportedSeries:
    """An exported forecasting model.

    Attributes:
        path: its folder.
        info: the content of ``assets.extra/recurra.json``.

    Example:
        >>> load_model("saved_models/co2").predict("new.csv")
    """

    def __init__(self, served: Served) -> None:
        self.served, self.path, self.info = served, served.path, served.info
        self.pipeline = SeriesPipeline.from_config(self.info["pipeline"])

    def read(self, source: str | Path | pd.DataFrame) -> SeriesFrame:
        """Read rows that continue a known series, or a series never seen, with the columns of the training data.

        Raises:
            InputError: if a column is missing, or anything else is wrong with the rows.
        """
        data, pipeline = self.info["data"], self.info["pipeline"]
        roles = {
            "time": data["roles"]["time"],
            "id": data["roles"]["id"],
            "target": pipeline["targets"],
            "past": pipeline["past"],
            "future": pipeline["future"],
            "freq": data["freq"],
        }
        if isinstance(source, pd.DataFrame):
            return SeriesFrame.from_table(source, **roles)
        frame = datasets.load(source, task="forecast", **roles)
        if not isinstance(frame, SeriesFrame):
            raise InputError(f"{source} holds no series, which the model forecasts; give a table with its columns")
        return frame

    def predict(self, source: str | Path | pd.DataFrame | SeriesFrame) -> pd.DataFrame:
        """Forecast the steps after the end of each series.

        Args:
            source: a file, a table or a frame with the newest rows, at least `lookback` of them.

        Returns:
            A row a step: id, time, each target, and the ends of its intervals (``<target>-lo-80``, ...).

        Raises:
            InputError: if rows or columns are missing.
        """
        frame = source if isinstance(source, SeriesFrame) else self.read(source)
        self._require_rows(frame)
        inputs = self.pipeline.latest(frame)
        outputs = self.forecast(inputs)
        return forecast_table(self.pipeline, frame, outputs)

    def forecast(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Call the signature ``serving_default`` on raw inputs."""
        outputs = self.served(inputs)
        # in the order of the levels, which the signature does not keep
        names = ["forecast", *(f"forecast-{end}-{level}" for level in self.info["intervals"] for end in ("lo", "hi"))]
        return {name: outputs[name] for name in names}

    def _require_rows(self, frame: SeriesFrame) -> None:
        short = np.flatnonzero(frame.lengths < self.pipeline.lookback)
        if len(short):
            raise InputError(
                f"{frame.source}: series {frame.ids[short[0]]} has {frame.lengths[short[0]]} rows, but the model reads "
                f"the last {self.pipeline.lookback}; give more rows (missing values in them are filled)"
            )


def card(info: dict[str, Any]) -> dict[str, Any]:
    """What the model card says of this kind of model."""
    data, pipeline = info["data"], info["pipeline"]
    lines = [
        f"`values`: float32 [batch, {pipeline['lookback']}, {len(info['channels'])}], in the units of the data, oldest "
        f"row first, NaN where missing ({pipeline['missing']}). Channels: {listed(info['channels'])}.",
    ]
    if pipeline["future"]:
        lines.append(
            f"`future`: float32 [batch, {pipeline['horizon']}, ...]: the channels known ahead, the last ones above."
        )
    if pipeline["calendar"]:
        lines.append("`time`: int64 [batch, lookback + horizon], seconds since 1970 on the clock the data go by.")
    lines.append(f"`forecast`: float32 [batch, {pipeline['horizon']}, {len(pipeline['targets'])}], in the same units.")
    if info["intervals"]:
        levels = ", ".join(f"{level} %" for level in info["intervals"])
        lines.append(f"`forecast-lo-…`, `forecast-hi-…`: split-conformal intervals aimed at {levels}.")
        lines += info["interval_notes"]
    return {
        "purpose": f"Forecasts the next {pipeline['horizon']} steps ({data['freq']}) of {listed(pipeline['targets'])} "
        f"from the last {pipeline['lookback']}.",
        "signature": lines,
        "data": f"{data['rows']:,} rows, {data['series']:,} series, {data['first']} to {data['last']}",
        "split": "The newest part stopped the training and calibrated the intervals.",
        "limits": "It has seen the series above and knows no other. Intervals are calibrated on the newest part of the "
        "training data; how much of the truth they held on data after each training stands above as coverage, where "
        "it was measured. After a break in the series they are too narrow.",
    }
