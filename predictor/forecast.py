"""Forecasts in the user's units, with intervals: the schema of series, networks and baselines that serve it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from .. import datasets
from ..baselines.fitted import FittedBaseline, load_state
from ..errors import InputError
from ..evaluation import conformal_offsets
from ..frames import SeriesFrame
from ..frames.columns import ROW_NUMBERS, listed
from ..frames.series.blocks import padded_blocks
from ..frames.series.reading import Reading
from ..pipelines import SeriesPipeline, WindowBatches
from ..pipelines.protocol import RawInputs, Tensors
from .baseline_model import BaselineModel
from .card_text import CardText, as_code
from .forecast_rows import forecast_rows
from .forecast_step import recurrent_step, window_step
from .network_files import count_parameters, read_arrays, read_network, write_network
from .observations import Observations, first_row, no_conditions
from .protocol import Outputs, Source
from .step import GraphStep

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

LEVELS = (80, 95)
_OUTPUT = "forecast"
# Bytes that a baseline takes for each value of the series that it reads whole.
_SERVED = 100


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
            reach = offset * scale
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
        reading: what was settled when the training data were read.
    """

    pipeline: SeriesPipeline
    roles: dict[str, Any]
    freq: str | int
    reading: Reading = field(default_factory=Reading)
    kind: ClassVar[str] = "series"

    @classmethod
    def of(cls, pipeline: SeriesPipeline, frame: SeriesFrame) -> ForecastSchema:
        """The schema of frames like this one."""
        return cls(pipeline, {"time": frame.roles["time"], "id": frame.roles["id"]}, frame.freq, frame.reading)

    def read(self, source: Source, *, memory: str | None = None) -> SeriesFrame:
        """Read rows that continue a known series, or a series never seen.

        Args:
            source: a file, a table or a frame.
            memory: what the rows of Parquet may take, such as "2GB".
        """
        frame = source if isinstance(source, SeriesFrame) else self._frame(source, memory)
        return self._readable(frame)

    def parts(self, frame: SeriesFrame, *, all_rows: bool = False) -> Iterator[SeriesFrame]:
        """The frame; where it is larger than memory, some series of it after the other."""
        if frame.stored is None:
            yield frame
            return
        # where rows are only numbered, their number is the place in a cycle
        newest = None if all_rows or self.roles["time"] == ROW_NUMBERS else self.pipeline.lookback
        lengths = frame.lengths if newest is None else np.minimum(frame.lengths, newest)
        for series in padded_blocks(lengths, max(frame.stored.memory // _SERVED, 1)):
            yield frame.part(series, newest)

    def _frame(self, source: Source, memory: str | None = None) -> SeriesFrame:
        pipeline = self.pipeline
        roles = {
            **self.roles,
            "target": list(pipeline.targets_),
            "past_covariates": list(pipeline.past_covariates_),
            "future_covariates": list(pipeline.future_covariates_),
            "freq": self.freq,
        }
        if isinstance(source, pd.DataFrame):
            return SeriesFrame.from_table(source, **roles, reading=self.reading)
        if not isinstance(source, str | Path):
            raise InputError(f"a forecast needs a file, a table or a SeriesFrame; received {type(source).__name__}")
        return datasets.load_series(source, roles, self.reading, memory)

    def _readable(self, frame: SeriesFrame) -> SeriesFrame:
        """Leave out series that are too short to be read, and say what the model cannot know of the others.

        Raises:
            InputError: no series is long enough, or a value that the model cannot read is among the newest rows.
        """
        notes = list(frame.notes)
        short = frame.lengths < self.pipeline.lookback
        if short.any():
            named = [series for series, left_out in zip(frame.ids, short, strict=True) if left_out]
            if short.all():
                raise InputError(
                    f"{frame.source}: series {named[0]!r} has {frame.lengths[0]} rows, but the model reads the last "
                    f"{self.pipeline.lookback}; give more rows (missing values in them are filled)"
                )
            notes.append(
                f"{len(named):,} of {len(short):,} series have fewer than the {self.pipeline.lookback} rows that the "
                f"model reads, and get no forecast: {listed(named)}"
            )
            frame = frame.select([s for s, left_out in zip(frame.ids, short, strict=True) if not left_out])
        self.pipeline.check_newest(frame)
        return replace(frame, notes=(*notes, *self.pipeline.unseen(frame)))

    def raw(self, frame: SeriesFrame, *, all_rows: bool = False) -> RawInputs:
        """The newest rows of each series; whole series are padded in front with NaN."""
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

    tokens_of: ClassVar[None] = None  # rows of numbers are steps themselves

    def observations(self, source: Any, *, future: Any = None) -> Observations:
        """A row or rows of one series."""
        return forecast_rows(self.pipeline, self.roles, self.freq, source, future)

    def before_first(self) -> None:
        """Nothing stands before the first row."""

    def conditions(self, label: Hashable = None) -> RawInputs:
        """None: `label` is for language models."""
        return no_conditions(label)

    def prediction(self, outputs: Tensors) -> Outputs:
        """What a step gave: ``forecast`` (horizon, targets) and the ends of its intervals."""
        return first_row(outputs)

    def table(self, frame: SeriesFrame, outputs: Outputs) -> pd.DataFrame:
        """Forecasts (series, horizon, targets) as rows beside their ids and time stamps."""
        columns = {
            name.replace(_OUTPUT, target, 1): np.asarray(outputs[name])[:, :, i].reshape(-1).astype("float64")
            for i, target in enumerate(self.pipeline.targets_)
            for name in sorted(outputs, key=_interval_order)
        }
        table = frame.next_times(self.pipeline.horizon)
        return frame.with_id_columns(pd.concat([table, pd.DataFrame(columns)], axis=1))

    def card(self, data: dict[str, Any]) -> CardText:
        """Sentences for a model card."""
        pipeline = self.pipeline
        channels = pipeline.channels_.names
        lines = [
            f"`values`: float64 [batch, {pipeline.lookback}, {len(channels)}], in the units of the data, oldest row "
            f"first, NaN where missing ({pipeline.missing}). Channels: {as_code(channels)}.",
        ]
        if pipeline.future_covariates_:
            lines.append(
                f"`future`: float64 [batch, {pipeline.horizon}, ...]: the channels known ahead, the last ones above."
            )
        if pipeline.calendar:
            lines.append("`time`: int64 [batch, lookback + horizon], seconds since 1970 on the clock of the data.")
        lines += [
            f"`forecast`: float64 [batch, {pipeline.horizon}, {len(pipeline.targets_)}], in the same units.",
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

    def to_config(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "kind": self.kind,
            "pipeline": self.pipeline.to_config(),
            "roles": self.roles,
            "freq": self.freq,
            "reading": self.reading.to_config(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ForecastSchema:
        """What :meth:`to_config` described."""
        pipeline, reading = SeriesPipeline.from_config(config["pipeline"]), Reading.from_config(config["reading"])
        return cls(pipeline, config["roles"], config["freq"], reading)

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
    why_no_step = None

    def __init__(self, pipeline: SeriesPipeline, model: keras.Model, intervals: Intervals | None = None) -> None:
        self.pipeline, self.model, self.intervals = pipeline, model, intervals
        self.extra_inputs: dict[str, tf.TensorSpec] = {}

    def calibrated(
        self, validation: WindowBatches, levels: tuple[int, ...] = LEVELS, *, forecast: np.ndarray | None = None
    ) -> ForecastNetwork:
        """The same with intervals from the residuals of validation windows.

        Args:
            validation: the windows.
            levels: coverage aimed at, in percent.
            forecast: scaled forecasts of the windows that the intervals are for; by default the network's own.
        """
        from ..training import predict_batches, read_in_order

        target, weight = validation.targets(read_in_order(validation))
        forecast = predict_batches(self.model, validation) if forecast is None else forecast
        residuals = np.where(weight > 0, forecast - target, np.nan)  # (windows, horizon, targets)
        flat_notes: tuple[str, ...] = ()
        if self.pipeline.many_series_:
            residuals, flat_notes = self._in_window_scales(residuals, validation)
        offsets, notes = conformal_offsets(residuals, levels)
        return ForecastNetwork(self.pipeline, self.model, Intervals(levels, offsets, (*flat_notes, *notes)))

    def _in_window_scales(self, residuals: np.ndarray, windows: WindowBatches) -> tuple[np.ndarray, tuple[str, ...]]:
        """Residuals in units of each window's spread; those of a window without any are left out, with a note."""
        from ..models import is_flat

        scales, sizes = self._window_scales(windows)
        flat = is_flat(scales, sizes)  # (windows, 1, targets)
        residuals = np.where(flat, np.nan, residuals / scales)
        if not flat.any():
            return residuals, ()
        return residuals, (
            f"{int(flat.any(axis=(1, 2)).sum()):,} of {len(flat):,} validation windows never change before the "
            "forecast: intervals are calibrated on the others, and have no width after a window that never changes",
        )

    def predict_windows(self, windows: WindowBatches, forecast: np.ndarray | None = None) -> Outputs:
        """Forecast windows in the user's units.

        Args:
            windows: what is forecast.
            forecast: scaled forecasts (windows, horizon, targets) to give intervals; by default the network's own.

        Returns:
            ``forecast`` and, with intervals, ``forecast-lo-80``, ``forecast-hi-80``, ...:
            each (windows, horizon, targets).
        """
        from ..training import predict_batches

        forecast = predict_batches(self.model, windows) if forecast is None else forecast
        scaled = self.intervals is not None and self.pipeline.many_series_
        return self._restored(forecast, self._window_scales(windows)[0] if scaled else 1.0)

    def serve(self, raw: Tensors) -> Tensors:
        """Raw inputs as :meth:`SeriesPipeline.raw` gives them → forecasts in the user's units."""
        ready = self.pipeline.preprocess(raw)
        return self.in_units(self.model(ready, training=False), ready["values"])

    def in_units(self, forecast: Any, values: Any) -> dict[str, Any]:
        """Scaled forecasts of the scaled windows `values` → the user's units, with intervals."""
        return self._restored(forecast, self._scale_of(values)[0] if self.pipeline.many_series_ else 1.0)

    @cached_property
    def step(self) -> GraphStep:
        """A row at a time: with a state where the network can be run so, otherwise with the last rows as the state."""
        from ..models.stepwise import NotStepwise

        try:
            if self.intervals is not None and self.pipeline.many_series_:
                raise NotStepwise("its intervals are as wide as the values of a window vary")
            return recurrent_step(self.pipeline, self.model, lambda forecast: self._restored(forecast, 1.0))
        except NotStepwise as why:
            return window_step(self.pipeline, self.serve, str(why))

    def _restored(self, forecast: Any, scale: Any) -> dict[str, Any]:
        outputs = {_OUTPUT: forecast}
        if self.intervals is not None:
            outputs |= self.intervals.around(forecast, scale)
        return {name: self.pipeline.restore(y) for name, y in outputs.items()}

    def _scale_of(self, values: Any) -> tuple[Any, Any]:
        """Standard deviation and mean size of each scaled window's targets: 2 × (batch, 1, targets)."""
        from ..models import window_scale, window_size

        targets = values[:, :, : len(self.pipeline.targets_)]
        return window_scale(targets), window_size(targets)

    def _window_scales(self, windows: WindowBatches) -> tuple[np.ndarray, np.ndarray]:
        from ..training import read_in_order

        found = [
            [np.asarray(part) for part in self._scale_of(inputs["values"])] for inputs, *_ in read_in_order(windows)
        ]
        if not found:
            return np.empty((0, 1, len(self.pipeline.targets_))), np.empty((0, 1, len(self.pipeline.targets_)))
        scales, sizes = (np.concatenate(parts)[: len(windows)] for parts in zip(*found, strict=True))
        return scales, sizes

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

    def __init__(self, pipeline: SeriesPipeline, fitted: FittedBaseline) -> None:
        super().__init__(fitted)
        self.pipeline = pipeline
        self.reads_all_rows = fitted.why_no_graph is not None  # it estimates from whole series at every prediction

    @property
    def why_no_step(self) -> str | None:
        """Why there is no stream, in words."""
        if self.why_no_graph is not None or self.extra_inputs:
            return "it estimates from whole series, or needs to know which series and time a row belongs to"
        return None

    @cached_property
    def step(self) -> GraphStep | None:
        """A row at a time, the last rows as the state."""
        if self.why_no_step is not None:
            return None
        return window_step(self.pipeline, self.serve, "a baseline keeps no state of its own")

    def serve(self, raw: Tensors) -> Tensors:
        """Raw inputs → ``forecast`` (batch, horizon, targets) in the user's units."""
        return self.outputs_of(raw)

    @classmethod
    def restored(cls, schema: ForecastSchema, folder: Path, config: dict[str, Any]) -> ForecastBaseline:
        """What :meth:`save` wrote."""
        return cls(schema.pipeline, load_state(config["fitted"], read_arrays(folder)))
