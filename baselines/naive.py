"""Forecasts that need no fitting: the last value, the last season, the last value and the average step."""

import numpy as np

from .history import check, known


def naive(values: np.ndarray, origins: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Repeat the last observed value.

    The forecast of a random walk, and the first thing a trained model must beat.

    Arguments:
        values: one series (time,), in any unit; NaN where nothing was observed.
        origins: rows known at each forecast, rising (origins,); row ``i`` sees ``values[:origins[i]]`` only.
        horizon: steps to forecast.
        season: not used here; every baseline takes the same arguments.

    Returns:
        Forecasts (origins, horizon) in the unit of ``values``; NaN where nothing had been observed yet.

    Raises:
        ValueError: values or origins of the wrong shape, origins that fall or lie outside the series.

    Example:
        >>> naive(np.array([1.0, 2.0, 3.0]), np.array([2, 3]), 2, 1)
        array([[2., 2.],
               [3., 3.]])

    Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, section 5.2.
    """
    values, origins = check(values, origins, horizon=horizon, season=season)
    last = known(values, origins - 1, origins=origins)  # (origins,)
    return np.repeat(last[:, None], horizon, axis=1)


def seasonal_naive(values: np.ndarray, origins: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Repeat the last season.

    Hard to beat where a cycle is strong. Origins with less than one season behind them get the naive
    forecast.

    Arguments and errors are those of :func:`naive`; ``season`` is the number of rows in one cycle, 1 for
    none.

    Returns:
        Forecasts (origins, horizon) in the unit of ``values``.

    Example:
        >>> seasonal_naive(np.array([1.0, 2.0, 3.0, 4.0]), np.array([4]), 3, 2)
        array([[3., 4., 3.]])

    Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, section 5.2.
    """
    values, origins = check(values, origins, horizon=horizon, season=season)
    ends = origins[:, None]
    rows = ends - season + np.arange(horizon) % season  # (origins, horizon)
    rows = np.where(ends < season, ends - 1, rows)
    return known(values, rows, origins=ends)


def drift(values: np.ndarray, origins: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Continue from the last observed value with the average step of the training rows.

    The slope is a parameter like any other: estimated once, before the first origin (0 when fewer than two
    values were observed there). It runs from the last *observed* row, also across a gap that is open at the
    origin.

    Arguments and errors are those of :func:`naive`.

    Returns:
        Forecasts (origins, horizon) in the unit of ``values``; NaN where nothing had been observed yet.

    Example:
        >>> drift(np.array([1.0, 2.0, 3.0]), np.array([3]), 2, 1)
        array([[4., 5.]])

    Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, section 5.2.
    """
    values, origins = check(values, origins, horizon=horizon, season=season)
    seen = np.flatnonzero(~np.isnan(values))
    slope = slope_of(values[: origins[0]])
    index = np.searchsorted(seen, origins) - 1
    last_row = seen[np.maximum(index, 0)] if seen.size else np.zeros_like(origins)
    last = known(values, origins - 1, origins=origins)
    steps = origins[:, None] + np.arange(horizon) - last_row[:, None]  # (origins, horizon)
    return last[:, None] + slope * steps


def slope_of(values: np.ndarray) -> float:
    """Average step between the first and the last observed value of (time,); 0 where there are fewer than two."""
    seen = np.flatnonzero(~np.isnan(values))
    return float((values[seen[-1]] - values[seen[0]]) / (seen[-1] - seen[0])) if len(seen) > 1 else 0.0
