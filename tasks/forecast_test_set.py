"""What forecasts are scored on: the windows of one fold, and losses of all folds side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..evaluation import mase, mean_by_group, mean_ignoring_nan, seasonal_scales
from ..frames import SeriesFrame
from ..pipelines import RowRange, Windows
from .protocol import FoldLosses

# With fewer forecast origins than this, series are the sample (as in M4); with fewer series too, nothing is tested.
_FEWEST_ORIGINS = 10

# What a model gives for all windows, by name: (windows, horizon, targets).
Outputs = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class ForecastTestSet:
    """The windows that every model is scored on in one fold, in the user's units.

    Attributes:
        windows: the test windows.
        y_true: observed values (windows, horizon, targets), NaN where nothing was observed.
        scale: the unit of MASE, from the rows before the cutoff (windows, targets).
        origin: forecast origins between the cutoff and each window's (windows,); windows of different series with the
            same number were made at the same time.
    """

    windows: Windows
    y_true: np.ndarray
    scale: np.ndarray
    origin: np.ndarray

    @classmethod
    def of(cls, frame: SeriesFrame, test: RowRange, *, lookback: int, horizon: int, season: int) -> ForecastTestSet:
        """The test set of one fold."""
        windows = Windows.selected(frame.lengths, test, lookback=lookback, horizon=horizon)
        rows = windows.starts()[:, None] + lookback + np.arange(horizon)
        # a series that begins late has no row before the cutoff, but a window's inputs before each forecast
        known = np.maximum(test.start, lookback)
        scales = [
            seasonal_scales(frame.columns(frame.targets, of), frame.lengths[some], known[some], season)
            for some, of in frame.blocks()
        ]
        series = windows.series()
        origin = (rows[:, 0] - frame.starts[series] - test.start[series]) // windows.stride
        return cls(windows, frame.columns(frame.targets, rows), np.concatenate(scales)[series], origin)

    @property
    def n_origins(self) -> int:
        """Number of forecast origins."""
        return int(self.origin.max(initial=-1)) + 1

    def losses(self, forecast: np.ndarray) -> np.ndarray:
        """Scaled absolute error of each window: (windows,)."""
        return mase(self.y_true, forecast, scale=self.scale, by="window")


def align_losses(
    losses: Mapping[str, FoldLosses], test_sets: Sequence[ForecastTestSet]
) -> tuple[dict[str, np.ndarray], np.ndarray, int]:
    """Losses of several models at the same forecast origins, averaged over seeds.

    Returns:
        For each model its losses (origins,), the fold of each origin, and how many neighbouring origins overlap.
        With fewer than ten origins and more series, each series' mean loss takes an origin's place.
    """
    n_series = len(test_sets[0].windows.count)
    by_series = sum(test.n_origins for test in test_sets) < _FEWEST_ORIGINS < n_series
    aligned = {}
    for model, of_folds in losses.items():
        means = [np.mean(seeds, axis=0) for seeds in of_folds]
        if by_series:
            of_series = [mean_by_group(t.windows.series(), loss) for t, loss in zip(test_sets, means, strict=True)]
            aligned[model] = mean_ignoring_nan([_padded(loss, n_series) for loss in of_series])
        else:
            of_origin = [mean_by_group(t.origin, loss) for t, loss in zip(test_sets, means, strict=True)]
            aligned[model] = np.concatenate(of_origin)
    if by_series:
        return aligned, np.arange(len(next(iter(aligned.values())))), 1
    groups = np.concatenate([np.full(test.n_origins, i) for i, test in enumerate(test_sets)])
    windows = test_sets[0].windows
    return aligned, groups, -(-windows.horizon // windows.stride)


def _padded(values: np.ndarray, n: int) -> np.ndarray:
    return np.concatenate([values, np.full(n - len(values), np.nan)])
