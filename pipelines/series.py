"""SeriesPipeline: a SeriesFrame → windows of numbers, and forecasts back into the user's units."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..frames import SeriesFrame
from ..spec import ForecastOutput, SequenceSpec, ValuesInput
from .calendar import CYCLES, calendar_features, calendar_features_in_graph, feature_names
from .channels import Channels, Column
from .fill import RULES, fill_window
from .refuse import refuse_missing, refuse_not_positive
from .windows import Windows, gather, numbers_in_order, numbers_shuffled

if TYPE_CHECKING:
    import tensorflow as tf


TRANSFORMS = ("none", "log")


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
        >>> pipeline = SeriesPipeline(lookback=24, horizon=12).fit(frame, rows=fold.train)
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
            raise InputError(f"`calendar` takes {', '.join(CYCLES)}; received {', '.join(sorted(unknown))}")
        if transform not in TRANSFORMS:
            raise InputError(f"`transform` must be one of {', '.join(TRANSFORMS)}; received {transform!r}")
        self.lookback = lookback
        self.horizon = horizon
        self.season = season
        self.missing = missing
        self.calendar = tuple(calendar)
        self.transform = transform

    def fit(self, frame: SeriesFrame, rows: np.ndarray | None = None) -> SeriesPipeline:
        """Learn scaling and categories from the first rows[i] rows of series i, or from all of them."""
        if self.calendar and isinstance(frame.freq, int):
            raise InputError(
                f"{frame.source}: calendar features need time stamps, but the rows are merely counted; "
                "name the time column with --time or leave --calendar out"
            )
        self.targets_ = tuple(frame.targets)
        self.past_ = tuple(frame.past)
        self.future_ = tuple(frame.future)
        self.many_series_ = len(frame.lengths) > 1
        if self.transform == "log":
            refuse_not_positive(frame)
        rows = frame.lengths if rows is None else rows
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
        return self.channels_.width(self.future_) + 2 * len(self.calendar)

    @property
    def channel_names(self) -> list[str]:
        """Names of the model's channels, in order: targets, past, future, calendar."""
        return self.channels_.names + feature_names(self.calendar)

    # ------------------------------------------------------------------------------------------ frame → numbers

    def values(self, frame: SeriesFrame) -> np.ndarray:
        """All rows of a frame as scaled channels, missing ones NaN: (rows, channels) float32."""
        if self.missing == "error":
            refuse_missing(frame)
        if self.transform == "log":
            refuse_not_positive(frame)
        scaled = self.channels_.scaled(frame.table)
        if not self.calendar:
            return scaled
        return np.concatenate([scaled, calendar_features(frame.times(), self.calendar)], axis=1)

    def windows(self, frame: SeriesFrame, start: np.ndarray | int, stop: np.ndarray, *, stride: int = 1) -> Windows:
        """Windows whose targets lie in rows [start, stop) of each series."""
        return Windows.of(frame, start, stop, lookback=self.lookback, horizon=self.horizon, stride=stride)

    def part(self, values: np.ndarray, windows: Windows) -> WindowPart:
        """Windows of a frame's `values`, as training and prediction read them."""
        return WindowPart(self, values, windows)

    def dataset(
        self,
        values: np.ndarray,
        windows: Windows,
        *,
        batch_size: int,
        seed: int | None = None,
        first_epoch: int = 0,
        steps: int | None = None,
    ) -> tf.data.Dataset:
        """Batches of (inputs, target, weight).

        Args:
            values: what :meth:`values` returned.
            windows: which windows.
            batch_size: windows a batch.
            seed: shuffles without end, a new order every epoch; None reads every window once, in order, and fills
                the last batch up with repetitions of the last window.
            first_epoch: where a shuffled run goes on.
            steps: batches in a shuffled epoch; by default as many full ones as there are.

        Returns:
            Of inputs: ``{"values": (batch, lookback, channels)}``, with ``"future": (batch, horizon, future channels)``
            where covariates are known ahead; target (batch, horizon, targets), 0 where missing; weight of the same
            shape, 0 where missing and, with many series, one over the window's scale.
        """
        import tensorflow as tf

        n_windows = len(windows)
        if seed is None:
            numbers = numbers_in_order(n_windows, batch_size)
        else:
            steps = steps or max(1, n_windows // batch_size)
            numbers = numbers_shuffled(n_windows, batch_size, seed, steps=steps, first_epoch=first_epoch)
        rows = tf.constant(values)
        has_gaps = bool(np.isnan(values).any())

        def batch(which: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
            return self._split(gather(rows, windows, which), has_gaps)

        return numbers.map(batch, num_parallel_calls=2, deterministic=True).prefetch(4)

    def _split(self, window: tf.Tensor, has_gaps: bool) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        import tensorflow as tf

        n_targets, n_future = len(self.targets_), self._n_future
        past = window[:, : self.lookback]  # (batch, lookback, channels)
        target = window[:, self.lookback :, :n_targets]  # (batch, horizon, targets)
        weight = tf.ones_like(target)
        if has_gaps:
            past = fill_window(past, rule=self.missing)
            weight = tf.cast(tf.math.is_finite(target), target.dtype)
            target = tf.where(weight > 0, target, 0.0)
        if self.many_series_:
            weight = weight / _spread(window[:, :, :n_targets], has_gaps)
        inputs = {"values": past}
        if n_future:
            future = window[:, self.lookback :, -n_future:]  # (batch, horizon, future channels)
            inputs["future"] = fill_window(future, rule=self.missing) if has_gaps else future
        return inputs, target, weight

    def latest(self, frame: SeriesFrame) -> dict[str, np.ndarray]:
        """The inputs that forecast the steps after each series' end, in the user's units.

        Returns:
            ``values`` (series, lookback, columns' channels) float32, NaN before a series' first row; ``future`` and
            ``time`` (int64 seconds, lookback and horizon) where the model uses them.

        Raises:
            InputError: if a known-future covariate is missing for a step to be forecast.
        """
        ends = np.cumsum(frame.lengths)
        values = np.full((len(ends), self.lookback, len(self.channels_.names)), np.nan, "float32")
        seconds = frame.times() if self.calendar else np.empty(0, "int64")
        for i, (end, length) in enumerate(zip(ends, frame.lengths, strict=True)):
            n = min(length, self.lookback)
            tail = frame.table.iloc[end - n : end]
            values[i, -n:] = np.concatenate([c.raw(tail) for c in self.channels_.columns], axis=1)
        inputs = {"values": values}
        if self.future_:
            inputs["future"] = self._ahead(frame)
        if self.calendar:
            ahead = frame.times(frame.next_times(self.horizon)).reshape(-1, self.horizon)
            inputs["time"] = np.stack(
                [
                    np.concatenate([_last(seconds[end - length : end], self.lookback), after])
                    for end, length, after in zip(ends, frame.lengths, ahead, strict=True)
                ]
            )
        return inputs

    def _ahead(self, frame: SeriesFrame) -> np.ndarray:
        """Known-future channels of the next steps: (series, horizon, channels) float32."""
        columns = [c for c in self.channels_.columns if c.name in self.future_]
        steps = frame.next_times(self.horizon)
        ahead = frame.table.iloc[:0] if frame.ahead is None else frame.ahead
        merged = steps.merge(ahead, on=[frame.id, frame.time], how="left", validate="one_to_one")
        for column in columns:
            if (gap := merged[column.name].isna()).any():
                row = merged[gap].iloc[0]
                raise InputError(
                    f"{frame.source}: column `{column.name}` is known-future but has no value at "
                    f"{row[frame.time]} for series {row[frame.id]}; "
                    f"add rows for the {self.horizon} steps after the last observed target"
                )
        raw = np.concatenate([c.raw(merged) for c in columns], axis=1).astype("float32")
        return raw.reshape(len(frame.lengths), self.horizon, -1)

    # ------------------------------------------------------------------------------------------ the same as graph ops

    def preprocess(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Raw inputs as :meth:`latest` gives them → what the model takes. Core TensorFlow ops only."""
        import tensorflow as tf

        mean, scale = self.channels_.mean.astype("float32"), self.channels_.scale.astype("float32")
        values = inputs["values"]  # (batch, lookback, columns' channels)
        if self.transform == "log":  # of 0 it is no number, so a value that is not positive counts as missing
            values = tf.where(self.channels_.log, tf.math.log(values), values)
        values = (values - mean) / scale
        values = fill_window(values, rule=self.missing)
        ready, future = {"values": values}, []
        if self.future_:
            n = self.channels_.width(self.future_)
            future.append((inputs["future"] - mean[-n:]) / scale[-n:])  # (batch, horizon, future channels)
        if self.calendar:
            waves = calendar_features_in_graph(inputs["time"], self.calendar)
            ready["values"] = tf.concat([values, waves[:, : self.lookback]], axis=-1)
            future.append(waves[:, self.lookback :])
        if future:
            ready["future"] = tf.concat(future, axis=-1)
        return ready

    def restore(self, forecast: Any) -> Any:
        """Scaled forecasts → the user's units: (batch, horizon, targets), an array or a tensor."""
        n = len(self.targets_)
        mean, scale = self.channels_.mean[:n].astype("float32"), self.channels_.scale[:n].astype("float32")
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
            "past": list(self.past_),
            "future": list(self.future_),
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
        pipeline.targets_, pipeline.past_ = tuple(config["targets"]), tuple(config["past"])
        pipeline.future_, pipeline.many_series_ = tuple(config["future"]), config["many_series"]
        pipeline.channels_ = Channels([Column(**column) for column in config["columns"]])
        return pipeline


@dataclass(frozen=True, eq=False)
class WindowPart:
    """Some windows of a frame.

    Attributes:
        pipeline: the fitted pipeline that made `values`.
        values: all rows of the frame as scaled channels (rows, channels).
        windows: which windows.
    """

    pipeline: SeriesPipeline
    values: np.ndarray
    windows: Windows

    predict_batch = 256

    @property
    def batch_size(self) -> int:
        """Windows a training step reads, where nobody says otherwise: 32, and 128 from 8,192 windows on."""
        return 32 if len(self) < 8192 else 128

    def __len__(self) -> int:
        return len(self.windows)

    def dataset(self, **how: Any) -> tf.data.Dataset:
        """See :meth:`SeriesPipeline.dataset`."""
        return self.pipeline.dataset(self.values, self.windows, **how)

    def order(self, batch_size: int) -> np.ndarray:
        """Which window stands where in an unshuffled run, -1 for a filler: (batches × batch_size,)."""
        n = len(self)
        return np.concatenate([np.arange(n), np.full(-n % batch_size, -1)])

    def targets(self) -> tuple[np.ndarray, np.ndarray]:
        """Targets in scaled units and their weights, in order: 2 × (windows, horizon, targets)."""
        batches = self.dataset(batch_size=self.predict_batch)
        pairs = [(target.numpy(), weight.numpy()) for _, target, weight in batches]
        target, weight = (np.concatenate(arrays)[: len(self)] for arrays in zip(*pairs, strict=True))
        return target, weight


def _spread(whole: tf.Tensor, has_gaps: bool) -> tf.Tensor:
    """What makes errors of different series alike: (batch, lookback + horizon, targets) → (batch, 1, targets).

    A loss in common units would hear the large series only. The spread is that of inputs and targets together, so that
    a jump after a flat past cannot outweigh everything else; a window at rest counts as one with a thousandth of its
    size for a spread, as in the models' own normalisation.
    """
    import tensorflow as tf

    whole = fill_window(whole) if has_gaps else whole
    size = tf.reduce_mean(tf.abs(whole), axis=1, keepdims=True)
    return tf.maximum(tf.math.reduce_std(whole, axis=1, keepdims=True), 1e-3 * size + 1e-6)


def _last(seconds: np.ndarray, n: int) -> np.ndarray:
    """The last n time stamps; a shorter series repeats its first one, whose values are missing anyway."""
    return np.pad(seconds[-n:], (max(n - len(seconds), 0), 0), mode="edge")
