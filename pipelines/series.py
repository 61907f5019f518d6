"""SeriesPipeline: a SeriesFrame → windows of numbers, and forecasts back into the user's units."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import InputError
from ..frames import SeriesFrame
from ..frames.columns import listed
from ..spec import ForecastOutput, SequenceSpec, ValuesInput
from .calendar import CYCLES, calendar_features, calendar_features_in_graph, feature_names
from .channels import Channels, Column
from .fill import RULES, fill_window
from .fold import RowRange
from .protocol import RawInputs, Tensors
from .refuse import refuse_missing, refuse_not_positive
from .window_batches import WindowBatches, WindowLayout
from .windows import Windows

if TYPE_CHECKING:
    import tensorflow as tf


TRANSFORMS = ("none", "log")
# Real windows that a written model is compared on.
_SAMPLE = 64


@dataclass(frozen=True, eq=False)
class EncodedSeries:
    """A frame as numbers.

    Attributes:
        values: all rows as scaled channels, missing ones NaN: (rows, channels) float64.
        lengths: rows of each series (series,).
    """

    values: np.ndarray
    lengths: np.ndarray


class SeriesPipeline:
    """Windows of scaled numbers from a SeriesFrame; fitted on training rows only.

    Args:
        lookback: steps a model reads.
        horizon: steps it forecasts at once.
        season: steps after which the pattern repeats, or 1; handed on to the models.
        missing: rule for missing inputs: "interpolate", "ffill" or "error" (see :mod:`recurra.pipelines.fill`).
        calendar: cycles given as known-future channels: any of "day", "week", "year".
        transform: "log" works on logarithms of the targets, which must be positive: errors become relative, and
            intervals widen with the level; "none" works on the targets themselves.

    Example:
        >>> pipeline = SeriesPipeline(lookback=24, horizon=12).fit(frame, fold.train)
        >>> pipeline.spec
    """

    def __init__(
        self,
        *,
        lookback: int,
        horizon: int,
        season: int = 1,
        missing: str = "interpolate",
        calendar: tuple[str, ...] = (),
        transform: str = "none",
    ) -> None:
        if missing not in RULES:
            raise InputError(f"`missing` must be one of {', '.join(RULES)}; received {missing!r}")
        if unknown := set(calendar) - set(CYCLES):
            raise InputError(f"`calendar` must be some of {', '.join(CYCLES)}; received {', '.join(sorted(unknown))}")
        if transform not in TRANSFORMS:
            raise InputError(f"`transform` must be one of {', '.join(TRANSFORMS)}; received {transform!r}")
        self.lookback = lookback
        self.horizon = horizon
        self.season = season
        self.missing = missing
        self.calendar = tuple(calendar)
        self.transform = transform

    def fit(self, frame: SeriesFrame, selection: RowRange | None = None) -> SeriesPipeline:
        """Learn scaling and categories from the rows of each series up to the selection's end, or from all of them."""
        if self.calendar and isinstance(frame.freq, int):
            raise InputError(
                f"{frame.source}: calendar features need time stamps, but the rows are merely counted; "
                "name the time column with `time` or leave `calendar` out"
            )
        self.targets_ = tuple(frame.targets)
        self.past_covariates_ = tuple(frame.past_covariates)
        self.future_covariates_ = tuple(frame.future_covariates)
        self.many_series_ = len(frame.lengths) > 1
        if self.transform == "log":
            refuse_not_positive(frame)
        rows = frame.lengths if selection is None else selection.stop
        self.channels_ = Channels.fit(frame, rows, log=self.transform == "log")
        return self

    @property
    def spec(self) -> SequenceSpec:
        """What a model built for this pipeline takes in and gives out."""
        channels = len(self.channels_.names) + 2 * len(self.calendar)
        return SequenceSpec(
            ValuesInput(self.lookback, channels, self._n_future),
            ForecastOutput(self.horizon, len(self.targets_)),
            season=self.season,
            many_series=self.many_series_,
        )

    @property
    def _n_future(self) -> int:
        """Channels known ahead: covariates and calendar waves."""
        return self.channels_.width(self.future_covariates_) + 2 * len(self.calendar)

    @property
    def channel_names(self) -> list[str]:
        """Names of the model's channels, in order: targets, past, future, calendar."""
        return self.channels_.names + feature_names(self.calendar)

    @property
    def notes(self) -> list[str]:
        """Nothing is chosen here: the window's sizes are given."""
        return []

    # ------------------------------------------------------------------------------------------ frame → numbers

    def encode(self, frame: SeriesFrame) -> EncodedSeries:
        """All rows of a frame as scaled channels."""
        if self.missing == "error":
            refuse_missing(frame)
        if self.transform == "log":
            refuse_not_positive(frame)
        shape = (len(frame.table), len(self.channel_names))
        values = np.empty(shape) if frame.stored is None else frame.stored.array(shape)
        self.channels_.scaled(frame.table, values)
        if self.calendar:
            for _, rows in frame.blocks():
                seconds = frame.times(frame.table.iloc[rows])
                values[rows, len(self.channels_.names) :] = calendar_features(seconds, self.calendar)
        return EncodedSeries(values, frame.lengths)

    def batches(self, encoded: EncodedSeries, selection: RowRange) -> WindowBatches:
        """Windows whose targets lie in the selection."""
        windows = Windows.selected(encoded.lengths, selection, lookback=self.lookback, horizon=self.horizon)
        return WindowBatches(encoded.values, windows, self._layout)

    @property
    def _layout(self) -> WindowLayout:
        return WindowLayout(
            lookback=self.lookback,
            targets=len(self.targets_),
            future_channels=self._n_future,
            missing=self.missing,
            many_series=self.many_series_,
        )

    # ------------------------------------------------------------------------------------------ frame → raw inputs

    def raw(self, frame: SeriesFrame) -> RawInputs:
        """The inputs that forecast the steps after each series' end, in the user's units.

        Returns:
            ``values`` (series, lookback, columns' channels) float64, NaN before a series' first row; ``future`` and
            ``time`` (int64 seconds, lookback and horizon) where the model uses them.

        Raises:
            InputError: if a known-future covariate is missing for a step to be forecast.
        """
        inputs = {"values": self.raw_rows(frame, self.lookback)}
        if self.future_covariates_:
            inputs["future"] = self._ahead(frame)
        if self.calendar:
            inputs["time"] = self._clock(frame)
        return inputs

    def check_newest(self, frame: SeriesFrame) -> None:
        """Refuse among the rows that a forecast reads what was refused in training.

        Raises:
            InputError: a value without a logarithm where the model works on logarithms, a missing value under the rule
                "error", or a word in a column of numbers.
        """
        newest = self._newest(frame)
        if self.transform == "log":
            refuse_not_positive(newest)
        if self.missing == "error":
            refuse_missing(newest)

    def unseen(self, frame: SeriesFrame) -> list[str]:
        """Sentences about categories among the rows that a forecast reads which no training row had."""
        tables = [table for table in (self._newest(frame).table, frame.ahead) if table is not None]
        notes = []
        for column in self.channels_.columns:
            if column.categories is None:
                continue
            cells = pd.concat([table[column.name] for table in tables]).dropna().astype(str)
            counts = cells[~cells.isin(column.categories)].value_counts()
            if len(counts):
                found = ", ".join(f"{value!r} ({count:,} rows)" for value, count in counts.head(5).items())
                notes.append(
                    f"column {column.name!r} holds {found}, which no training row had: they count as none of "
                    f"{listed(column.categories)}"
                )
        return notes

    def _newest(self, frame: SeriesFrame) -> SeriesFrame:
        """The rows that a forecast reads."""
        rows = _last_rows(frame, self.lookback)
        return replace(frame, table=frame.table.iloc[rows[rows >= frame.starts[:, None]]])

    def raw_rows(self, frame: SeriesFrame, n: int) -> np.ndarray:
        """The last `n` rows of each series: (series, n, columns' channels) float64, NaN before its first row."""
        rows, starts = _last_rows(frame, n), frame.starts[:, None]
        table = frame.table.iloc[np.maximum(rows, starts).ravel()]
        values = np.concatenate([c.raw(table) for c in self.channels_.columns], axis=1)
        return np.where((rows >= starts)[..., None], values.reshape(*rows.shape, -1), np.nan)

    def sample(self, frame: SeriesFrame) -> RawInputs:
        """Raw inputs of real windows, evenly spaced, that have a whole horizon after them."""
        rows = self.sample_starts(frame)[:, None] + np.arange(
            self.lookback + self.horizon
        )  # (windows, lookback + horizon)
        table = frame.table.iloc[rows.ravel()]
        columns = [column.raw(table) for column in self.channels_.columns]
        raw = np.concatenate(columns, axis=1).reshape(*rows.shape, -1)  # (windows, lookback + horizon, channels)
        inputs = {"values": raw[:, : self.lookback]}
        if self.future_covariates_:
            width = self.channels_.width(self.future_covariates_)
            inputs["future"] = np.nan_to_num(raw[:, self.lookback :, -width:])
        if self.calendar:
            inputs["time"] = frame.times(table).reshape(rows.shape)
        return inputs

    def sample_starts(self, frame: SeriesFrame) -> np.ndarray:
        """First rows of the windows that :meth:`sample` takes, counted through the whole table: (windows,)."""
        windows = Windows.of(frame.lengths, 0, frame.lengths, lookback=self.lookback, horizon=self.horizon)
        return windows.starts(np.unique(np.linspace(0, len(windows) - 1, _SAMPLE).astype(int)))

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of the raw inputs."""
        import tensorflow as tf

        channels = len(self.channels_.names)
        signature = {"values": tf.TensorSpec([None, self.lookback, channels], tf.float64, name="values")}
        if self.future_covariates_:
            width = self.channels_.width(self.future_covariates_)
            signature["future"] = tf.TensorSpec([None, self.horizon, width], tf.float64, name="future")
        if self.calendar:
            signature["time"] = tf.TensorSpec([None, self.lookback + self.horizon], tf.int64, name="time")
        return signature

    def _clock(self, frame: SeriesFrame) -> np.ndarray:
        """Seconds of the last rows and the steps after them: (series, lookback + horizon) int64."""
        # a shorter series repeats its first time stamp, whose values are missing anyway
        rows = np.maximum(_last_rows(frame, self.lookback), frame.starts[:, None])
        past = frame.times(frame.table.iloc[rows.ravel()]).reshape(rows.shape)
        ahead = frame.times(frame.next_times(self.horizon)).reshape(-1, self.horizon)
        return np.concatenate([past, ahead], axis=1)

    def _ahead(self, frame: SeriesFrame) -> np.ndarray:
        """Known-future channels of the next steps: (series, horizon, channels) float64."""
        columns = [c for c in self.channels_.columns if c.name in self.future_covariates_]
        steps = frame.next_times(self.horizon)
        ahead = frame.table.iloc[:0] if frame.ahead is None else frame.ahead
        merged = steps.merge(ahead, on=[frame.id, frame.time], how="left", validate="one_to_one")
        for column in columns:
            if (gap := merged[column.name].isna()).any():
                row = merged[gap].iloc[0]
                raise InputError(
                    f"{frame.source}: column {column.name!r} is known ahead but has no value at {row[frame.time]} for "
                    f"series {row[frame.id]!r}; add rows for the {self.horizon} steps after the last observed target"
                )
        raw = np.concatenate([c.raw(merged) for c in columns], axis=1)
        return raw.reshape(len(frame.lengths), self.horizon, -1)

    # ------------------------------------------------------------------------------------------ the same as graph ops

    def preprocess(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Raw inputs as :meth:`raw` gives them → what the model takes. Core TensorFlow ops only."""
        values = fill_window(self.scaled_in_graph(inputs["values"]), rule=self.missing)
        return self.with_known_ahead(values, inputs)

    def scaled_in_graph(self, values: tf.Tensor) -> tf.Tensor:
        """Raw channels (..., columns' channels) → scaled ones, NaN where missing."""
        import tensorflow as tf

        values, mean, scale = tf.cast(values, tf.float64), self.channels_.mean, self.channels_.scale
        if self.transform == "log":  # of 0 it is no number, so a value that is not positive counts as missing
            values = tf.where(self.channels_.log, tf.math.log(values), values)
        return (values - mean) / scale

    def with_known_ahead(self, values: tf.Tensor, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Scaled rows and what is known ahead of them → what the model takes.

        Args:
            values: (batch, rows, columns' channels), filled.
            inputs: raw ``future`` (batch, horizon, ...) and ``time`` (batch, rows + horizon), where the model has them.
        """
        import tensorflow as tf

        mean, scale = self.channels_.mean, self.channels_.scale
        ready, future = {"values": values}, []
        if self.future_covariates_:
            n = self.channels_.width(self.future_covariates_)
            ahead = (tf.cast(inputs["future"], tf.float64) - mean[-n:]) / scale[-n:]  # (batch, horizon, channels)
            future.append(tf.cast(ahead, tf.float32))
        if self.calendar:
            waves = calendar_features_in_graph(inputs["time"], self.calendar)
            ready["values"] = tf.concat([values, tf.cast(waves[:, : -self.horizon], tf.float64)], axis=-1)
            future.append(waves[:, -self.horizon :])
        if future:
            ready["future"] = tf.concat(future, axis=-1)
        return ready

    def scaled_targets(self, forecast: Any) -> Any:
        """Forecasts in the user's units → scaled ones, as ops: float64 (batch, horizon, targets).

        What has no logarithm lies ten standard deviations below the mean.
        """
        import tensorflow as tf

        n = len(self.targets_)
        mean, scale = self.channels_.mean[:n], self.channels_.scale[:n]
        forecast = tf.cast(forecast, tf.float64)
        if self.transform == "log":
            forecast = tf.math.log(tf.maximum(forecast, tf.exp(mean - 10 * scale)))
        return (forecast - mean) / scale

    def restore(self, forecast: Any) -> Any:
        """Scaled forecasts → the user's units: float64 (batch, horizon, targets), an array or a tensor."""
        n = len(self.targets_)
        mean, scale = self.channels_.mean[:n], self.channels_.scale[:n]
        forecast = forecast * scale + mean
        if self.transform == "none":
            return forecast
        if isinstance(forecast, np.ndarray):
            return np.exp(forecast)
        import tensorflow as tf

        return tf.math.exp(forecast)

    # ------------------------------------------------------------------------------------------ kept in JSON

    def to_config(self) -> dict[str, Any]:
        """Everything learnt and chosen, as plain JSON values."""
        return {
            "lookback": self.lookback,
            "horizon": self.horizon,
            "season": self.season,
            "missing": self.missing,
            "calendar": list(self.calendar),
            "transform": self.transform,
            "targets": list(self.targets_),
            "past_covariates": list(self.past_covariates_),
            "future_covariates": list(self.future_covariates_),
            "many_series": self.many_series_,
            "columns": [asdict(column) for column in self.channels_.columns],
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeriesPipeline:
        """The pipeline that :meth:`to_config` described."""
        pipeline = cls(
            lookback=config["lookback"],
            horizon=config["horizon"],
            season=config["season"],
            missing=config["missing"],
            calendar=tuple(config["calendar"]),
            transform=config["transform"],
        )
        pipeline.targets_, pipeline.many_series_ = tuple(config["targets"]), config["many_series"]
        pipeline.past_covariates_ = tuple(config["past_covariates"])
        pipeline.future_covariates_ = tuple(config["future_covariates"])
        pipeline.channels_ = Channels([Column(**column) for column in config["columns"]])
        return pipeline


def _last_rows(frame: SeriesFrame, n: int) -> np.ndarray:
    """Numbers of the last n rows of each series in the table: (series, n); those of a shorter one lie before it."""
    return (frame.starts + frame.lengths)[:, None] + np.arange(-n, 0)
