"""Forecasts that need no fitting: the last value, the last season, the last value and the average step."""

import numpy as np

from .history import check
from .many_series import ManySeries


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
    return naive_of_many(ManySeries.of_one(values, origins), horizon, season)


def naive_of_many(many: ManySeries, horizon: int, season: int) -> np.ndarray:  # noqa: ARG001
    """The same for many series: (origins, horizon)."""
    return np.repeat(many.known(many.origins[:, None] - 1), horizon, axis=1)


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
    return seasonal_naive_of_many(ManySeries.of_one(values, origins), horizon, season)


def seasonal_naive_of_many(many: ManySeries, horizon: int, season: int) -> np.ndarray:
    """The same for many series: (origins, horizon)."""
    ends = many.origins[:, None]
    rows = ends - season + np.arange(horizon) % season  # (origins, horizon)
    return many.known(np.where(ends < season, ends - 1, rows))


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
    return drift_of_many(ManySeries.of_one(values, origins), horizon, season)


def drift_of_many(many: ManySeries, horizon: int, season: int) -> np.ndarray:  # noqa: ARG001
    """The same for many series: (origins, horizon)."""
    last = many.known(many.origins[:, None] - 1)
    last_row = np.maximum(many.last_observed(), 0)[:, None]
    steps = many.origins[:, None] + np.arange(horizon) - last_row  # (origins, horizon)
    return last + slopes(many)[many.series, None] * steps


def slopes(many: ManySeries) -> np.ndarray:
    """Average step from first to last value observed before the first origin, 0 if fewer than two: (series,)."""
    first, last = many.first_observed(), many.last_before(many.first_origins)
    two = last > first
    start = many.starts[two]
    rise = np.zeros(len(many.lengths))
    rise[two] = (many.values[start + last[two]] - many.values[start + first[two]]) / (last - first)[two]
    return rise
