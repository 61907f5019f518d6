"""Naive2: the naive forecast of the seasonally adjusted series, the benchmark of the M competitions."""

import numpy as np

from .history import check
from .many_series import ManySeries
from .seasonality import find_seasonalities


def naive2(values: np.ndarray, origins: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Repeat the last value after seasonal adjustment, then put the season back.

    OWA, the M4 ranking, is measured relative to it. The seasonal factors come from the history before the first
    origin: multiplicative classical decomposition where a 90 % test on the autocorrelation finds a season
    (additive where a value is not positive), none otherwise.

    Arguments and errors are those of :func:`recurra.baselines.naive`; ``season`` is the rows of one cycle.

    Returns:
        Forecasts (origins, horizon) in the unit of ``values``; NaN where nothing had been observed yet.

    Example:
        >>> naive2(np.array([1.0, 2.0, 3.0]), np.array([3]), 2, 1)
        array([[3., 3.]])

    Source: Makridakis, Spiliotis and Assimakopoulos (2020), The M4 Competition, International Journal of
    Forecasting 36, appendix A; the organisers' Benchmarks and Evaluation.R.
    """
    values, origins = check(values, origins, horizon=horizon, season=season)
    return naive2_of_many(ManySeries.of_one(values, origins), horizon, season)


def naive2_of_many(many: ManySeries, horizon: int, season: int) -> np.ndarray:
    """The same for many series: (origins, horizon)."""
    forecast = np.empty((len(many.origins), horizon))
    for rows, part in many.from_first_observed().groups():
        own = find_seasonalities(part.histories(), part.first_origins, season)
        ends = part.origins[:, None]
        adjusted = own.remove(part.known(ends - 1), part.series, ends - 1)  # (origins, 1)
        forecast[rows] = own.restore(adjusted, part.series, ends + np.arange(horizon))
    return forecast
