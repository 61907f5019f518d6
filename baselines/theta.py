"""Theta: simple exponential smoothing plus half the slope of the time trend, seasonally adjusted."""

import numpy as np

from ..grid import Grid
from .history import check
from .many_series import ManySeries
from .seasonality import find_seasonalities

# The smoothing constant lies between these, as in statsmodels; at 0 the closed form would divide by it.
LEAST, MOST = 1e-4, 1 - 1e-4
# Points of the first grid and of each finer one, which is a quarter as wide.
COARSE, FINE, PASSES = 33, 9, 8
FEW = 8  # series

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
    return theta_of_many(ManySeries.of_one(values, origins), horizon, season, theta=theta)


def theta_of_many(many: ManySeries, horizon: int, season: int, *, theta: float = 2.0) -> np.ndarray:
    """The same for many series: (origins, horizon)."""
    forecast = np.empty((len(many.origins), horizon))
    for rows, part in many.from_first_observed().groups():
        forecast[rows] = _forecast(part, horizon, season, 1 - 1 / theta)
    return forecast


def _forecast(part: ManySeries, horizon: int, season: int, share: float) -> np.ndarray:
    """Forecasts that go on with a share of the slope: (origins, horizon)."""
    counts, everyone = np.minimum(part.first_origins, part.lengths), np.arange(len(part.lengths))
    histories = part.histories()
    own = find_seasonalities(histories, counts, season)
    adjusted = own.remove(histories, everyone, np.arange(histories.shape[1])[None])
    alpha, slope = _estimate(adjusted, counts)
    values = part.table(part.last_origins)
    levels = _levels(own.remove(values, everyone, np.arange(values.shape[1])[None]), alpha)
    seen = np.maximum(part.origins, 0)
    level = np.where(part.origins > 0, levels[part.series, seen], np.nan)[:, None]
    alpha, slope = alpha[part.series, None], slope[part.series, None]
    steps = np.arange(horizon) + (1 - (1 - alpha) ** seen[:, None]) / alpha
    return own.restore(level + share * slope * steps, part.series, part.origins[:, None] + np.arange(horizon))


def _estimate(histories: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smoothing constant and slope per row of gapless, seasonally adjusted histories, NaN behind `counts`."""
    alpha, slope = np.ones(len(histories)), np.zeros(len(histories))
    long = np.flatnonzero((counts >= 3) & _varies(histories))
    if len(long):
        values, n = histories[long][:, : int(counts[long].max())], counts[long]
        alpha[long], slope[long] = smoothing(values, n), _slope(values, n)
    return alpha, slope


def _varies(values: np.ndarray) -> np.ndarray:
    return np.fmax.reduce(values, axis=1, initial=np.nan) > np.fmin.reduce(values, axis=1, initial=np.nan)


def _slope(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Slope of the straight line through each series by least squares: (series,)."""
    steps = np.arange(values.shape[1]) - (counts[:, None] - 1) / 2
    inside = ~np.isnan(values)
    weights = np.where(inside, steps, 0.0)
    level = np.where(inside, values, 0.0).sum(axis=1) / counts
    return (weights * np.where(inside, values - level[:, None], 0.0)).sum(axis=1) / (weights**2).sum(axis=1)


def smoothing(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The constant with the least squared errors one step ahead, to six decimals: (series,).

    First on a grid, then on finer ones around the best: nothing is missed that a single start would walk past.
    """
    order = np.argsort(counts, kind="stable")
    values, counts, each = values[order], counts[order], np.arange(len(values))
    low, high = np.full(len(values), LEAST), np.full(len(values), MOST)
    for points in (COARSE, *[FINE] * PASSES):
        shares = np.linspace(0.0, 1.0, points)
        tried = low[:, None] + (high - low)[:, None] * shares  # (series, points)
        best = np.argmin(_squared_errors(values, counts, tried), axis=1)
        low, high = tried[each, np.maximum(best - 1, 0)], tried[each, np.minimum(best + 1, points - 1)]
    found = np.empty(len(values))
    found[order] = tried[each, best]
    return found


def _squared_errors(values: np.ndarray, counts: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Sum of squared errors one step ahead for each `alpha`: (series, points); `counts` rise."""
    if len(values) <= FEW:  # filters in C along each series beat steps in Python across them
        return np.array([[_error(row[:n], a) for a in own] for row, n, own in zip(values, counts, alpha, strict=True)])
    level = np.repeat(values[:, :1], alpha.shape[1], axis=1)
    total = np.zeros_like(alpha)
    first = np.searchsorted(counts, np.arange(values.shape[1]), side="right")  # of the series that have that row
    for row in range(1, values.shape[1]):
        on = slice(first[row], None)
        change = values[on, row, None] - level[on]
        total[on] += change * change
        change *= alpha[on]
        level[on] += change
    return total


def _error(values: np.ndarray, alpha: float) -> float:
    from scipy.signal import lfilter

    levels, _ = lfilter([alpha], [1.0, alpha - 1.0], values[1:], zi=[(1 - alpha) * values[0]])
    errors = values[1:] - np.concatenate([values[:1], levels[:-1]])
    return float(errors @ errors)


def _levels(values: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Exponentially smoothed level known at each origin 0..time: (series, time + 1); NaN corrects nothing."""
    levels = np.full((values.shape[1] + 1, len(values)), np.nan)  # time first: each step writes a row
    if values.shape[1]:
        levels[0] = values[:, 0]
    for row, column in enumerate(values.T):
        change = alpha * (column - levels[row])
        levels[row + 1] = levels[row] + np.where(np.isnan(change), 0.0, change)
    return levels.T
