"""SeriesPredictor: forecasts in the user's units, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from ..evaluation.conformal import conformal_offsets
from ..frames import SeriesFrame
from ..models.forecaster import window_scale
from ..pipelines import SeriesPipeline, Windows
from ..training import predict_part
from .kept import read_kept, write_kept

LEVELS = (80, 95)


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


class SeriesPredictor:
    """A fitted pipeline and a trained model, joined.

    Args:
        pipeline: fitted on training rows.
        model: trained on what the pipeline gives.
        intervals: calibrated on validation windows, or None.

    Example:
        >>> predictor = recurra.fit("co2", family="lstm").predictor
        >>> predictor.predict(frame)
    """

    def __init__(self, pipeline: SeriesPipeline, model: keras.Model, intervals: Intervals | None = None) -> None:
        self.pipeline = pipeline
        self.model = model
        self.intervals = intervals

    def calibrate(self, values: np.ndarray, validation: Windows, levels: tuple[int, ...] = LEVELS) -> None:
        """Set the intervals from the residuals of validation windows."""
        part = self.pipeline.part(values, validation)
        target, weight = part.targets()
        forecast = predict_part(self.model, part)
        residuals = np.where(weight > 0, forecast - target, np.nan)  # (windows, horizon, targets)
        if self.pipeline.many_series_:
            residuals = residuals / self._window_scale(values, validation)
        self.intervals = Intervals(levels, *conformal_offsets(residuals, levels=levels))

    def predict_windows(self, values: np.ndarray, windows: Windows) -> dict[str, np.ndarray]:
        """Forecast windows in the user's units.

        Args:
            values: what the pipeline's ``values(frame)`` returned.
            windows: which windows.

        Returns:
            ``forecast`` and, with intervals, ``forecast-lo-80``, ``forecast-hi-80``, ...:
            each (windows, horizon, targets).
        """
        forecast = predict_part(self.model, self.pipeline.part(values, windows))
        scale = self._window_scale(values, windows) if self.pipeline.many_series_ and self.intervals else 1.0
        return {name: self.pipeline.restore(y) for name, y in self.with_intervals(forecast, scale).items()}

    def with_intervals(self, forecast: Any, scale: Any) -> dict[str, Any]:
        """Add the interval ends to scaled forecasts (batch, horizon, targets): arrays or tensors."""
        outputs = {"forecast": forecast}
        if self.intervals is not None:
            for level, offset in zip(self.intervals.levels, self.intervals.offsets, strict=True):
                reach = offset.astype("float32") * scale
                outputs[f"forecast-lo-{level}"] = forecast - reach
                outputs[f"forecast-hi-{level}"] = forecast + reach
        return outputs

    def predict(self, frame: SeriesFrame) -> pd.DataFrame:
        """Forecast the steps after each series' end.

        Args:
            frame: the newest rows of series known or never seen, with the columns the pipeline was fitted on.

        Returns:
            A row a step: the frame's id and time columns, each target, and ``<target>-lo-80``, ``<target>-hi-80``, ...

        Raises:
            InputError: if a column or a known-future value is missing.
        """
        inputs = self.pipeline.latest(frame)
        return forecast_table(self.pipeline, frame, self.forecast_raw(inputs))

    def forecast_raw(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Raw inputs as the pipeline's ``latest(frame)`` gives them → forecasts in the user's units.

        The exported graph is this function traced, so both give the same numbers.
        """
        ready = self.pipeline.preprocess(inputs)
        forecast = self.model(ready, training=False)
        scale = self._scale_of(ready["values"]) if self.pipeline.many_series_ else 1.0
        return {name: self.pipeline.restore(y) for name, y in self.with_intervals(forecast, scale).items()}

    def _scale_of(self, values: Any) -> Any:
        """Standard deviation of each scaled window's targets: (batch, 1, targets)."""
        targets = values[:, :, : len(self.pipeline.targets_)]
        return window_scale(targets)

    def _window_scale(self, values: np.ndarray, windows: Windows) -> np.ndarray:
        batches = self.pipeline.dataset(values, windows, batch_size=256)
        scales = [keras.ops.convert_to_numpy(self._scale_of(inputs["values"])) for inputs, *_ in batches]
        return np.concatenate(scales)[: len(windows)]

    def save(self, path: Path | str) -> None:
        """Write ``model.keras`` and ``pipeline.json`` into the folder `path`."""
        said: dict[str, Any] = {"pipeline": self.pipeline.to_config(), "intervals": None}
        if self.intervals is not None:
            said["intervals"] = {
                "levels": list(self.intervals.levels),
                "offsets": self.intervals.offsets.tolist(),
                "notes": list(self.intervals.notes),
            }
        write_kept(path, self.model, said)

    @classmethod
    def load(cls, path: Path | str) -> SeriesPredictor:
        """Read what :meth:`save` wrote."""
        model, said = read_kept(path)
        intervals = said["intervals"] and Intervals(
            tuple(said["intervals"]["levels"]),
            np.array(said["intervals"]["offsets"]),
            tuple(said["intervals"]["notes"]),
        )
        return cls(SeriesPipeline.from_config(said["pipeline"]), model, intervals)


def forecast_table(pipeline: SeriesPipeline, frame: SeriesFrame, outputs: dict[str, Any]) -> pd.DataFrame:
    """Forecasts (series, horizon, targets) as rows beside their ids and time stamps."""
    table = frame.next_times(pipeline.horizon)
    for i, target in enumerate(pipeline.targets_):
        for name, values in outputs.items():
            column = name.replace("forecast", target, 1)
            table[column] = np.asarray(values)[:, :, i].reshape(-1).astype("float64")
    return table
