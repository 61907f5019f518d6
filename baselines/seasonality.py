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


@dataclass(frozen=True)
class Seasonalities:
    """Those of many series: row ``t`` of series ``i`` has factor ``factors[i, t % season]``."""

    factors: np.ndarray  # (series, season)
    multiplicative: np.ndarray  # (series,)

    def remove(self, values: np.ndarray, series: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Values of some series (n, rows), seasonally adjusted; NaN stays NaN."""
        return _taken_off(values, *self._at(series, rows))

    def restore(self, values: np.ndarray, series: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Seasonally adjusted values of some series (n, rows) back in original units."""
        factors, multiplicative = self._at(series, rows)
        return values * np.where(multiplicative, factors, 1.0) + np.where(multiplicative, 0.0, factors)

    def _at(self, series: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        factors = self.factors[series[:, None], rows % self.factors.shape[1]]
        return factors, self.multiplicative[series, None]


def _taken_off(values: np.ndarray, factors: np.ndarray, multiplicative: np.ndarray) -> np.ndarray:
    """Values divided by factors where they multiply, less the factors elsewhere."""
    return (values - np.where(multiplicative, 0.0, factors)) / np.where(multiplicative, factors, 1.0)


def is_seasonal(history: np.ndarray, season: int) -> bool:
    """Whether the autocorrelation at lag ``season`` stands out at the 90 % level (M4's ``SeasonalityTest``).

    History shorter than three seasons, or without any variation, counts as not seasonal.
    """
    return bool(are_seasonal(history[None], np.array([len(history)]), season)[0])


def are_seasonal(histories: np.ndarray, counts: np.ndarray, season: int) -> np.ndarray:
    """The same of many series (series, time), NaN behind their `counts`: (series,)."""
    found = np.zeros(len(histories), dtype=bool)
    if season < 2 or not (long := np.flatnonzero(counts >= 3 * season)).size:
        return found
    values, n = histories[long], counts[long]
    inside = np.arange(values.shape[1]) < n[:, None]
    centred = np.where(inside, values - (np.where(inside, values, 0.0).sum(axis=1) / n)[:, None], 0.0)
    power = np.einsum("st,st->s", centred, centred)
    varies = (np.fmax.reduce(values, axis=1) > np.fmin.reduce(values, axis=1)) & (power > 0)
    lags = [np.einsum("st,st->s", centred[:, k:], centred[:, :-k]) for k in range(1, season + 1)]
    correlation = np.stack(lags) / np.where(power > 0, power, 1.0)  # (season, series)
    limit = 1.645 * np.sqrt((1 + 2 * (correlation[:-1] ** 2).sum(axis=0)) / n)
    found[long] = varies & (np.abs(correlation[-1]) > limit)
    return found


def find_seasonality(history: np.ndarray, season: int) -> Seasonality:
    """Seasonal factors of a gapless history (time,) by classical decomposition; neutral if none is found.

    Multiplicative, as in M4. Additive where a value is zero or negative, since there dividing has no meaning.

    Source: M4 competition, Benchmarks and Evaluation.R (``SeasonalityTest``, ``Benchmarks``);
    Makridakis, Spiliotis and Assimakopoulos (2020), International Journal of Forecasting 36.
    """
    found = find_seasonalities(history[None], np.array([len(history)]), season)
    return Seasonality(found.factors[0], bool(found.multiplicative[0]))


def find_seasonalities(histories: np.ndarray, counts: np.ndarray, season: int) -> Seasonalities:
    """The same of many series (series, time), NaN behind their `counts`."""
    factors, multiplicative = np.zeros((len(histories), season)), np.zeros(len(histories), dtype=bool)
    seasonal = np.flatnonzero(are_seasonal(histories, counts, season))
    if len(seasonal):
        values = histories[seasonal]
        multiplicative[seasonal] = np.fmin.reduce(values, axis=1) > 0
        factors[seasonal] = _decompose(values, multiplicative[seasonal], season)
    return Seasonalities(factors, multiplicative)


def _decompose(values: np.ndarray, multiplicative: np.ndarray, season: int) -> np.ndarray:
    """Factors (series, season): means of each phase after the trend, a centred moving average, is taken off."""
    from scipy.ndimage import correlate1d

    weights = np.full(season + 1 - season % 2, 1 / season)
    if season % 2 == 0:
        weights[[0, -1]] /= 2  # an even season has no middle: half of either end
    trend = correlate1d(values, weights, axis=1, mode="constant", cval=np.nan)
    rest = _taken_off(values, trend, multiplicative[:, None])
    behind = -rest.shape[1] % season
    phases = np.pad(rest, [(0, 0), (0, behind)], constant_values=np.nan).reshape(len(rest), -1, season)
    means = np.nanmean(phases, axis=1)  # three seasons hold every phase in their middle
    return _taken_off(means, means.mean(axis=1, keepdims=True), multiplicative[:, None])
