"""Seasonal adjustment as the M4 competition did it for Naive2 and Theta: test, decompose, adjust."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Seasonality:
    """Seasonal factors by phase: row ``t`` has factor ``factors[t % len(factors)]``."""

    factors: np.ndarray  # (season,)
    multiplicative: bool

    def remove(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Values at ``rows``, seasonally adjusted; NaN stays NaN."""
        factors = self.factors[rows % len(self.factors)]
        return values / factors if self.multiplicative else values - factors

    def restore(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Seasonally adjusted values at ``rows`` back in original units."""
        factors = self.factors[rows % len(self.factors)]
        return values * factors if self.multiplicative else values + factors


def is_seasonal(history: np.ndarray, season: int) -> bool:
    """Whether the autocorrelation at lag ``season`` stands out at the 90 % level (M4's ``SeasonalityTest``).

    History shorter than three seasons, or without any variation, counts as not seasonal.
    """
    n = len(history)
    centred = history - history.mean() if n else history
    power = centred @ centred
    if season < 2 or n < 3 * season or np.ptp(history) == 0 or power == 0:
        return False
    lags = np.array([centred[k:] @ centred[:-k] for k in range(1, season + 1)]) / power
    limit = 1.645 * np.sqrt((1 + 2 * np.sum(lags[:-1] ** 2)) / n)
    return bool(abs(lags[-1]) > limit)


def find_seasonality(history: np.ndarray, season: int) -> Seasonality:
    """Seasonal factors of a gapless history (time,) by classical decomposition; neutral if none is found.

    Multiplicative, as in M4. Additive where a value is zero or negative, since there dividing has no meaning.

    Source: M4 competition, Benchmarks and Evaluation.R (``SeasonalityTest``, ``Benchmarks``);
    Makridakis, Spiliotis and Assimakopoulos (2020), International Journal of Forecasting 36.
    """
    if not is_seasonal(history, season):
        return Seasonality(np.zeros(1), multiplicative=False)
    from statsmodels.tsa.seasonal import seasonal_decompose

    multiplicative = bool(history.min() > 0)
    model = "multiplicative" if multiplicative else "additive"
    factors = seasonal_decompose(history, model=model, period=season).seasonal[:season]
    return Seasonality(factors, multiplicative)
