"""The season: after how many steps a series repeats itself, read from its autocorrelation."""

from collections import Counter

import numpy as np
import pandas as pd

from .frequency import parse_freq
from .series_frame import SeriesFrame

_MOST_SERIES = 20  # a majority of twenty is settled; more cost time only
_MOST_ROWS = 100_000  # the newest rows; eleven years of hours
_LEAST_PERIODS = 2.5  # fewer repetitions than that show no season
# Standard errors a peak must stand above chance. Tried on 300 white noises, random walks and autoregressions
# for each of six periods: 2.5 takes about 1 in 100 of them for seasonal. The search through all lags
# asks for more, because it looks at many.
_SIGNIFICANT = 2.5
_SIGNIFICANT_IN_SEARCH = 4.0
# A longer season must be this much clearer than a shorter one: every multiple of a season correlates as well.
_CLEARER = 0.1
_STEPS_PER_YEAR = {"M": 12, "Q": 4, "W": 52, "B": 261}


def detect_season(frame: SeriesFrame, rows: np.ndarray | None = None) -> int:
    """Find the season of a frame's first target.

    Periods natural for the frequency come first (a day and a week of hours, a year of months); where none of
    them counts, the clearest other peak. A period counts if, with the trend taken off by a moving average of
    just that length, the autocorrelation at it is a peak and stands far above chance. (That average turns a
    random walk into noise whose true autocorrelation at this very lag is zero, so wandering isn't taken for
    a season.)

    Args:
        frame: one or many series; of many, twenty are looked at and the majority counts. Series much shorter than that
            of most rows have no vote.
        rows: how many of each series, from its start, are looked at (series,); by default all.

    Returns:
        Steps after which the series repeats, or 1.

    Example:
        >>> detect_season(load("co2"))  # doctest: +SKIP
        52
    """
    natural = natural_periods(frame.freq)
    rows = frame.lengths if rows is None else rows
    long = np.flatnonzero(rows >= typical_length(rows) / 2)
    chosen = long[np.unique(np.linspace(0, len(long) - 1, _MOST_SERIES).round().astype(int))]
    starts = frame.starts
    found = [
        _season(frame.columns(frame.targets[:1], slice(starts[i], starts[i] + rows[i]))[:, 0], natural) for i in chosen
    ]
    votes = Counter(found)
    return min(votes, key=lambda period: (-votes[period], period))


def typical_length(lengths: np.ndarray) -> int:
    """Length of the series to which the median row belongs: a few long series count for more than many stumps."""
    rising = np.sort(lengths)
    return int(rising[np.searchsorted(np.cumsum(rising), rising.sum() / 2)])


def natural_periods(freq: str | int) -> tuple[int, ...]:
    """Periods people live by, in steps: shorter first."""
    if isinstance(freq, int):
        return ()
    offset = parse_freq(freq, "the frame")
    if isinstance(offset, pd.offsets.Tick):
        day = 86_400_000_000_000 / offset.nanos
        return tuple(int(period) for period in (day, 7 * day) if period == int(period) and period > 2)
    if isinstance(offset, pd.offsets.Day):
        return {1: (7, 365), 7: (52,)}.get(offset.n, ())
    if freq == "B":
        return (5, 261)
    year = _STEPS_PER_YEAR.get(offset.rule_code.removeprefix("B")[:1], 0) // offset.n
    return (year,) if year > 1 else ()


def _season(values: np.ndarray, natural: tuple[int, ...]) -> int:
    values = _filled(values[-_MOST_ROWS:])
    best, strength = 1, 0.0
    for period in natural:
        clear = _clearness(values, period)
        if clear > strength + (_CLEARER if best > 1 else 0.0):
            best, strength = period, clear
    return best if best > 1 else _other_period(values)


def _filled(values: np.ndarray) -> np.ndarray:
    """Fill gaps on a straight line; it is only the rhythm that is looked for."""
    there = np.flatnonzero(~np.isnan(values))
    if not len(there):
        return values[:0]
    return np.interp(np.arange(there[0], there[-1] + 1), there, values[there])


def _clearness(values: np.ndarray, period: int, errors: float = _SIGNIFICANT) -> float:
    """Autocorrelation at ``period``, or 0 where it isn't a peak far above chance."""
    if len(values) < _LEAST_PERIODS * period or period < 2:
        return 0.0
    rest = values - _moving_average(values, period)
    rest = rest[period // 2 : len(rest) - period // 2]
    beside = max(1, period // 4)
    correlation = _acf(rest, period + beside)
    if len(correlation) <= period + beside:
        return 0.0
    height = float(correlation[period])
    if height <= max(correlation[period - beside], correlation[period + beside]):
        return 0.0
    # Bartlett: neighbouring rows repeat one another, so there are fewer independent ones than rows. Only
    # lags up to half the period count, for those near the period correlate by what is being looked for.
    error = np.sqrt((1 + 2 * np.sum(correlation[1 : period // 2 + 1] ** 2)) / len(rest))
    # A perfect cycle over few periods has a large error by its own doing: 0.5 is clear in any case
    return height if height > min(errors * error, 0.5) else 0.0


def _moving_average(values: np.ndarray, period: int) -> np.ndarray:
    """Centred mean over ``period`` values; the first and last half period are cut by the caller."""
    weights = np.ones(period + 1 - period % 2)
    if period % 2 == 0:
        weights[[0, -1]] = 0.5  # an even period has no middle: half of either end
    sums = np.convolve(values, weights, mode="same") if period < 200 else _fast_sums(values, weights)
    return sums / period


def _fast_sums(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    from scipy.signal import fftconvolve

    level = values.mean()  # the transform is exact only relative to the largest number
    return fftconvolve(values - level, weights, mode="same") + level * weights.sum()


def _acf(values: np.ndarray, lags: int) -> np.ndarray:
    from statsmodels.tsa.stattools import acf

    if len(values) < 4 or float(np.ptp(values)) <= 1e-12 * float(np.abs(values).max()):
        return np.zeros(0)
    return acf(values, nlags=min(lags, len(values) - 1), fft=True)


def _other_period(values: np.ndarray) -> int:
    """Look for a peak of the autocorrelation beyond lag 2 that isn't a natural period."""
    if len(values) < 8:
        return 1
    steps = np.arange(len(values))
    trend = np.polynomial.Polynomial.fit(steps, values, 1)(steps)
    correlation = _acf(values - trend, int(len(values) / _LEAST_PERIODS))
    peaks = [lag for lag in _peaks(correlation) if correlation[lag] > _SIGNIFICANT_IN_SEARCH / np.sqrt(len(values))]
    if not peaks:
        return 1
    highest = max(correlation[lag] for lag in peaks)
    for lag in peaks:  # the first that is about as high: the others are its multiples
        if correlation[lag] >= 0.8 * highest and _clearness(values, lag, _SIGNIFICANT_IN_SEARCH):
            return lag
    return 1


def _peaks(correlation: np.ndarray) -> list[int]:
    """Lags, from 3 on, higher than everything a quarter of their length around, with a valley before."""
    found = []
    inner = np.flatnonzero((correlation[1:-1] >= correlation[:-2]) & (correlation[1:-1] > correlation[2:])) + 1
    for lag in inner[inner > 2]:
        around = correlation[lag - max(1, lag // 4) : lag + max(1, lag // 4) + 1]
        if correlation[lag] == around.max() and correlation[1:lag].min() < 0.5 * correlation[lag]:
            found.append(int(lag))
    return found
