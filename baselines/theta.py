"""Theta: simple exponential smoothing plus half the slope of the time trend, seasonally adjusted."""

import math

import numpy as np

from ..grid import Grid
from .history import check, from_first_observed, training_history
from .seasonality import find_seasonality

# Theta 1 has no slope, as simple exponential smoothing; a large one has the whole slope of the straight line.
GRID: Grid = {"theta": [2.0, 1.0, 4.0]}


def theta(values: np.ndarray, origins: np.ndarray, horizon: int, season: int, *, theta: float = 2.0) -> np.ndarray:
    """Forecast with the Theta method, the winner of the M3 competition and still hard to beat.

    Seasonal factors (found as for :func:`recurra.baselines.naive2`), smoothing and slope come from the
    history before the first origin; at later origins only the smoothed level is carried on. A missing value
    leaves the level as it is. A training history that is constant or shorter than three rows is smoothed by 1
    and has slope 0: the naive forecast.

    Arguments and errors are those of :func:`recurra.baselines.naive`; ``season`` is the rows of one cycle, ``theta``
    (at least 1) says how much of the trend's slope is gone on with: 1 - 1 / theta of it, half for the published 2.

    Returns:
        Forecasts (origins, horizon) in the unit of ``values``; NaN where nothing had been observed yet.

    Example:
        >>> theta(np.array([1.0, 1.0, 1.0, 5.0]), np.array([3, 4]), 2, 1)
        array([[1., 1.],
               [5., 5.]])

    Source: Assimakopoulos and Nikolopoulos (2000), International Journal of Forecasting 16; the closed form
    is Hyndman and Billah (2003), International Journal of Forecasting 19, eq. 4.
    """
    values, origins = check(values, origins, horizon=horizon, season=season)
    values, origins = from_first_observed(values, origins)
    history = training_history(values, origins)
    seasonality = find_seasonality(history, season)
    alpha, slope = _estimate(seasonality.remove(history, np.arange(len(history))))
    levels = _levels(seasonality.remove(values, np.arange(len(values))), alpha)
    level = np.where(origins > 0, levels[np.maximum(origins, 0)], np.nan)[:, None]
    steps = np.arange(horizon) + (1 - (1 - alpha) ** np.maximum(origins, 0)[:, None]) / alpha
    return seasonality.restore(level + (1 - 1 / theta) * slope * steps, origins[:, None] + np.arange(horizon))


def _estimate(history: np.ndarray) -> tuple[float, float]:
    """Smoothing constant and slope per row of a gapless, seasonally adjusted history."""
    if len(history) < 3 or np.ptp(history) == 0:
        return 1.0, 0.0
    from statsmodels.tsa.forecasting.theta import ThetaModel

    fitted = ThetaModel(history, deseasonalize=False).fit()
    # The optimiser may end on 0, where the closed form divides by it; its limit is reached well before.
    return max(float(fitted.params["alpha"]), 1e-4), float(fitted.params["b0"])


def _levels(values: np.ndarray, alpha: float) -> np.ndarray:
    """Exponentially smoothed level known at each origin 0..time: (time + 1,)."""
    if len(values) == 0:
        return np.full(1, np.nan)
    levels = [float(values[0])]
    for value in values.tolist():
        levels.append(levels[-1] if math.isnan(value) else levels[-1] + alpha * (value - levels[-1]))
    return np.array(levels)
