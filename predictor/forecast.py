"""Forecasts in the user's units, with intervals: the schema of series, networks and baselines that serve it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from .. import datasets
from ..baselines.fitted import FittedBaseline, load_state
from ..errors import InputError
from ..evaluation import conformal_offsets
from ..frames import SeriesFrame
from ..pipelines import SeriesPipeline, WindowBatches
from ..pipelines.protocol import RawInputs, Tensors
from .baseline_model import BaselineModel
from .card_text import CardText, as_code
from .network_files import count_parameters, read_arrays, read_network, write_network
from .protocol import Outputs, Source

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

LEVELS = (80, 95)
_OUTPUT = "forecast"


@dataclass(frozen=True, eq=False)
class Intervals:
    """Split-conformal prediction intervals: forecast ± offset.

    Attributes:
        levels: coverage aimed at, in percent.
        offsets: half widths (levels, horizon, targets) in scaled units; with many series, in units of each window's
            own standard deviation.
        notes: what a reader of the intervals should know.
    """

    levels: tuple[int, ...]
    offsets: np.ndarray
    notes: tuple[str, ...] = ()

    def around(self, forecast: Any, scale: Any) -> dict[str, Any]:
        """The ends of all intervals: arrays or tensors (batch, horizon, targets) by the output's name."""
        ends = {}
        for level, offset in zip(self.levels, self.offsets, strict=True):
            reach = offset.astype("float32") * scale
            ends[f"{_OUTPUT}-lo-{level}"] = forecast - reach
            ends[f"{_OUTPUT}-hi-{level}"] = forecast + reach
        return ends

    def to_config(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"levels": list(self.levels), "offsets": self.offsets.tolist(), "notes": list(self.notes)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Intervals:
        """What :meth:`to_config` described."""
        return cls(tuple(config["levels"]), np.array(config["offsets"]), tuple(config["notes"]))


@dataclass(frozen=True, eq=False)
class ForecastSchema:
    """The newest rows of series → their last `lookback` rows → a row per series and step ahead.

    Attributes:
        pipeline: fitted on training rows.
        roles: the user's columns for ``time`` (or "none") and ``id`` (or None).
        freq: step of the time axis.
    """

    pipeline: SeriesPipeline
    roles: dict[str, Any]
    freq: str | int
    kind: ClassVar[str] = "series"

    @classmethod
    def of(cls, pipeline: SeriesPipeline, frame: SeriesFrame) -> ForecastSchema:
        """The schema of frames like this one."""
        return cls(pipeline, {"time": frame.roles["time"], "id": frame.roles["id"]}, frame.freq)

    def read(self, source: Source) -> SeriesFrame:
        """Read rows that continue a known series, or a series never seen."""
        if isinstance(source, SeriesFrame):
            return source
        pipeline = self.pipeline
        roles = {
            **self.roles,
            "target": list(pipeline.targets_),
            "past_covariates": list(pipeline.past_covariates_),
            "future_covariates": list(pipeline.future_covariates_),
            "freq": self.freq,
        }
        if isinstance(source, pd.DataFrame):
            return SeriesFrame.from_table(source, **roles)
        if not isinstance(source, str | Path):
            raise InputError(f"a forecast needs a file, a table or a SeriesFrame; received {type(source).__name__}")
        frame = datasets.load(source, task="forecast", **roles)
        if not isinstance(frame, SeriesFrame):
            raise InputError(f"{source} holds no series, which the model forecasts; give a table with its columns")
        return frame

    def raw(self, frame: SeriesFrame, *, all_rows: bool = False) -> RawInputs:
        """The newest rows of each series; whole series are padded in front with NaN."""
        self._require_rows(frame)
        raw = self.pipeline.raw(frame)
        if all_rows:
            raw["values"] = self.pipeline.raw_rows(frame, int(frame.lengths.max()))
        return raw | identify(frame)

    def sample(self, frame: SeriesFrame) -> RawInputs:
        """Real windows, evenly spaced, that have a whole horizon after them."""
        last_rows = self.pipeline.sample_starts(frame) + self.pipeline.lookback - 1
        return self.pipeline.sample(frame) | identify(frame, last_rows)

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of the raw inputs."""
        return self.pipeline.signature()

    def table(self, frame: SeriesFrame, outputs: Outputs) -> pd.DataFrame:
        """Forecasts (series, horizon, targets) as rows beside their ids and time stamps."""
        table = frame.next_times(self.pipeline.horizon)
        for i, target in enumerate(self.pipeline.targets_):
            for name in sorted(outputs, key=_interval_order):
                column = name.replace(_OUTPUT, target, 1)
                table[column] = np.asarray(outputs[name])[:, :, i].reshape(-1).astype("float64")
        return table

    def card(self, data: dict[str, Any]) -> CardText:
        """Sentences for a model card."""
        pipeline = self.pipeline
        channels = pipeline.channels_.names
        lines = [
            f"`values`: float32 [batch, {pipeline.lookback}, {len(channels)}], in the units of the data, oldest row "
            f"first, NaN where missing ({pipeline.missing}). Channels: {as_code(channels)}.",
        ]
        if pipeline.future_covariates_:
            lines.append(
                f"`future`: float32 [batch, {pipeline.horizon}, ...]: the channels known ahead, the last ones above."
            )
        if pipeline.calendar:
            lines.append("`time`: int64 [batch, lookback + horizon], seconds since 1970 on the clock of the data.")
        lines += [
            f"`forecast`: float32 [batch, {pipeline.horizon}, {len(pipeline.targets_)}], in the same units.",
            "`forecast-lo-…`, `forecast-hi-…`, where the model has them: split-conformal intervals aimed at that many "
            "percent.",
        ]
        return CardText(
            f"Forecasts the next {pipeline.horizon} steps ({self.freq}) of {as_code(list(pipeline.targets_))} from the "
            f"last {pipeline.lookback}.",
            lines,
            f"{data['rows']:,} rows, {data['series']:,} series, {data['first']} to {data['last']}",
            "The newest rows stopped the training and calibrated the intervals.",
            "It has seen the series above and knows no other. Intervals are calibrated on the newest rows of the "
            "training data; which fraction of the true values they held on data after each training stands above as "
            "coverage, where it was measured. After a break in the series they are too narrow.",
        )

    def _require_rows(self, frame: SeriesFrame) -> None:
        short = np.flatnonzero(frame.lengths < self.pipeline.lookback)
        if len(short):
            raise InputError(
                f"{frame.source}: series {frame.ids[short[0]]!r} has {frame.lengths[short[0]]} rows, but the model "
                f"reads the last {self.pipeline.lookback}; give more rows (missing values in them are filled)"
            )

    def to_config(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"kind": self.kind, "pipeline": self.pipeline.to_config(), "roles": self.roles, "freq": self.freq}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ForecastSchema:
        """What :meth:`to_config` described."""
        return cls(SeriesPipeline.from_config(config["pipeline"]), config["roles"], config["freq"])

    def __repr__(self) -> str:
        pipeline = self.pipeline
        return f"the next {pipeline.horizon} steps of {', '.join(pipeline.targets_)} from the last {pipeline.lookback}"


def identify(frame: SeriesFrame, last_rows: np.ndarray | None = None) -> RawInputs:
    """What tells series and places in time apart, for models that ask for it.

    Args:
        frame: the series.
        last_rows: last row of each window, counted through the whole table; by default the last of each series.

    Returns:
        ``id``: bytes (windows,); ``step``: the last row's place on the time axis, int64 (windows,).
    """
    ends = np.cumsum(frame.lengths) - 1
    rows = ends if last_rows is None else last_rows
    series = np.searchsorted(ends, rows)
    ids = np.array([str(name).encode() for name in frame.ids], dtype=object)
    return {"id": ids[series], "step": frame.last_steps()[series] - (ends[series] - rows)}


def _interval_order(name: str) -> tuple[int, str]:
    """``forecast`` first, then the levels in rising order, the lower end before the upper."""
    if name == _OUTPUT:
        return 0, ""
    _, end, level = name.rsplit("-", 2)
    return int(level), "01"[end == "hi"]


class ForecastNetwork:
    """A trained network between the pipeline's scaling and the user's units.

    Args:
        pipeline: fitted on training rows.
        model: trained on what the pipeline gives.
        intervals: calibrated on validation windows, or None.
    """

    kind = "forecast_network"
    reads_all_rows = False
    why_no_graph = None

    def __init__(self, pipeline: SeriesPipeline, model: keras.Model, intervals: Intervals | None = None) -> None:
        self.pipeline, self.model, self.intervals = pipeline, model, intervals
        self.extra_inputs: dict[str, tf.TensorSpec] = {}

    def calibrated(self, validation: WindowBatches, levels: tuple[int, ...] = LEVELS) -> ForecastNetwork:
        """The same with intervals from the residuals of validation windows."""
        from ..training import predict_batches

        target, weight = validation.targets()
        forecast = predict_batches(self.model, validation)
        residuals = np.where(weight > 0, forecast - target, np.nan)  # (windows, horizon, targets)
        if self.pipeline.many_series_:
            residuals = residuals / self._window_scales(validation)
        return ForecastNetwork(self.pipeline, self.model, Intervals(levels, *conformal_offsets(residuals, levels)))

    def predict_windows(self, windows: WindowBatches) -> Outputs:
        """Forecast windows in the user's units.

        Returns:
            ``forecast`` and, with intervals, ``forecast-lo-80``, ``forecast-hi-80``, ...:
            each (windows, horizon, targets).
        """
        from ..training import predict_batches

        forecast = predict_batches(self.model, windows)
        scaled = self.intervals is not None and self.pipeline.many_series_
        return self._restored(forecast, self._window_scales(windows) if scaled else 1.0)

    def serve(self, raw: Tensors) -> Tensors:
        """Raw inputs as :meth:`SeriesPipeline.raw` gives them → forecasts in the user's units."""
        ready = self.pipeline.preprocess(raw)
        forecast = self.model(ready, training=False)
        return self._restored(forecast, self._scale_of(ready["values"]) if self.pipeline.many_series_ else 1.0)

    def _restored(self, forecast: Any, scale: Any) -> dict[str, Any]:
        outputs = {_OUTPUT: forecast}
        if self.intervals is not None:
            outputs |= self.intervals.around(forecast, scale)
        return {name: self.pipeline.restore(y) for name, y in outputs.items()}

    def _scale_of(self, values: Any) -> Any:
        """Standard deviation of each scaled window's targets: (batch, 1, targets)."""
        from ..models import window_scale

        return window_scale(values[:, :, : len(self.pipeline.targets_)])

    def _window_scales(self, windows: WindowBatches) -> np.ndarray:
        batches = windows.dataset(batch_size=windows.predict_batch_size)
        scales = [np.asarray(self._scale_of(inputs["values"])) for inputs, *_ in batches]
        return np.concatenate(scales)[: len(windows)]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the intervals should know."""
        return self.intervals.notes if self.intervals else ()

    def parameters(self) -> int:
        """Weights of the network."""
        return count_parameters(self.model)

    def arrays(self) -> list[np.ndarray]:
        """The weights."""
        return self.model.get_weights()

    def trackables(self) -> list[Any]:
        """The network."""
        return [self.model]

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the network; the intervals go into JSON."""
        write_network(folder, self.model)
        return {"kind": self.kind, "intervals": self.intervals and self.intervals.to_config()}

    @classmethod
    def restored(cls, schema: ForecastSchema, folder: Path, config: dict[str, Any]) -> ForecastNetwork:
        """What :meth:`save` wrote."""
        intervals = config["intervals"] and Intervals.from_config(config["intervals"])
        return cls(schema.pipeline, read_network(folder), intervals)

    def __repr__(self) -> str:
        return f"{self.model.name} with {self.parameters():,} weights"


class ForecastBaseline(BaselineModel):
    """A fitted baseline: raw values in, forecasts in the same units out."""

    kind = "forecast_baseline"

    def __init__(self, fitted: FittedBaseline) -> None:
        super().__init__(fitted)
        self.reads_all_rows = fitted.why_no_graph is not None  # it estimates from whole series at every prediction

    def serve(self, raw: Tensors) -> Tensors:
        """Raw inputs → ``forecast`` (batch, horizon, targets) in the user's units."""
        return self.outputs_of(raw)

    @classmethod
    def restored(cls, schema: ForecastSchema, folder: Path, config: dict[str, Any]) -> ForecastBaseline:  # noqa: ARG003
        """What :meth:`save` wrote."""
        return cls(load_state(config["fitted"], read_arrays(folder)))
