"""The windows a fold is scored on, in the user's units, and the scores of a forecast on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..evaluation import coverage, mae, mase, rmse, seasonal_scale, smape
from ..frames import SeriesFrame
from ..pipelines import Fold, Windows


@dataclass(frozen=True, eq=False)
class Exam:
    """What every model is asked in one fold, the same for all.

    Attributes:
        windows: the test windows.
        truth: observed values (windows, horizon, targets), NaN where nothing was observed.
        scale: the unit of MASE, from the rows before the cutoff (windows, targets).
        place: forecast origins between the cutoff and each window's (windows,); windows of different series with the
            same place were made at the same time.
    """

    windows: Windows
    truth: np.ndarray
    scale: np.ndarray
    place: np.ndarray

    @classmethod
    def of(cls, frame: SeriesFrame, fold: Fold, *, lookback: int, horizon: int, season: int, most_origins: int) -> Exam:
        """Set the exam of one fold."""
        windows = Windows.of(frame, fold.validation, fold.test, lookback=lookback, horizon=horizon)
        windows = windows.thinned(most_origins)
        values = frame.columns(frame.targets)  # (rows, targets)
        rows = windows.starts()[:, None] + lookback + np.arange(horizon)
        starts = np.cumsum(frame.lengths) - frame.lengths
        scales = [
            # a series that begins late has no row before the cutoff, but a window's inputs before each forecast
            seasonal_scale(values[start : start + max(known, lookback)], season)
            for start, known in zip(starts, fold.validation, strict=True)
        ]
        series = windows.series()
        place = (rows[:, 0] - starts[series] - fold.validation[series]) // windows.stride
        return cls(windows, values[rows], np.stack(scales)[series], place)

    @property
    def n_origins(self) -> int:
        """Number of forecast origins."""
        return int(self.place.max(initial=-1)) + 1

    def losses(self, forecast: np.ndarray) -> np.ndarray:
        """Scaled absolute error of each window: (windows,)."""
        return mase(self.truth, forecast, scale=self.scale, by="window")

    def scores(self, outputs: dict[str, np.ndarray]) -> dict[str, Any]:
        """Accuracy overall and by horizon step, and the coverage of the intervals where there are any."""
        forecast = outputs["forecast"]
        row: dict[str, Any] = {
            "mae": mae(self.truth, forecast),
            "rmse": rmse(self.truth, forecast),
            "mase": mase(self.truth, forecast, scale=self.scale),
            "smape": smape(self.truth, forecast),
        }
        for name in [n for n in outputs if n.startswith("forecast-lo-")]:
            level = name.removeprefix("forecast-lo-")
            row[f"coverage_{level}"] = coverage(self.truth, outputs[name], outputs[f"forecast-hi-{level}"])
        row["by_step"] = {
            "mae": mae(self.truth, forecast, by="step").tolist(),
            "rmse": rmse(self.truth, forecast, by="step").tolist(),
            "mase": mase(self.truth, forecast, scale=self.scale, by="step").tolist(),
            "smape": smape(self.truth, forecast, by="step").tolist(),
        }
        return row
