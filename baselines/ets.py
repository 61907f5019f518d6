"""ETS: exponential smoothing with level, trend and season, the form chosen by AICc."""

import math
import warnings
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from .history import check, from_first_observed, training_history

# Below this many rows statsmodels refuses to guess the initial states.
FEWEST_ROWS = 10
# Seasons drift (a year is 52.18 weeks, not 52): states averaged over decades fit none of them. Two hundred rows stay
# where seasons are short.
NEWEST_SEASONS, NEWEST_ROWS = 10, 200
# Trend and damped trend, in order of preference where AICc is equal.
TRENDS = ((None, False), ("add", True), ("add", False))


@dataclass(frozen=True)
class Smoother:
    """Parameters and initial states of an additive ETS model, in error-correction form."""

    level: float
    trend: float
    seasonal: np.ndarray  # (season,), by phase
    alpha: float
    beta: float = 0.0
    gamma: float = 0.0
    phi: float = 1.0


def ets(values: np.ndarray, origins: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Forecast with exponential smoothing: additive error, with or without trend (also damped) and season.

    The strongest of the classical one-series methods in this package. The form with the smallest AICc is
    fitted once, on the newest ten seasons before the first origin; at later origins the states are updated with those
    parameters. A missing value corrects no state. The season is included when the
    history holds two of them. A training history that is constant or shorter than ten rows gets the naive
    forecast.

    Arguments and errors are those of :func:`recurra.baselines.naive`; ``season`` is the rows of one cycle.

    Returns:
        Forecasts (origins, horizon) in the unit of ``values``; NaN where nothing had been observed yet.

    Example:
        >>> ets(np.array([1.0, 1.0, 1.0, 5.0]), np.array([3, 4]), 2, 1)
        array([[1., 1.],
               [5., 5.]])

    Source: Hyndman, Koehler, Ord and Snyder (2008), Forecasting with Exponential Smoothing, chapter 2.
    Initial states are read off a classical decomposition, not optimised: a season of 168 would add 168
    parameters.
    """
    values, origins = check(values, origins, horizon=horizon, season=season)
    values, origins = from_first_observed(values, origins)
    if season > 1:
        old = max(int(origins[0]) - max(NEWEST_SEASONS * season, NEWEST_ROWS), 0)
        values, origins = values[old:], origins - old
    smoother = _fit(training_history(values, origins), season)
    levels, trends, seasonal = _run(values[: max(int(origins[-1]), 0)], smoother)
    rows = np.maximum(origins, 0)[:, None]  # (origins, 1)
    ahead = np.arange(horizon)
    damped = np.cumsum(smoother.phi ** (ahead + 1))  # phi + phi^2 + ...
    forecast = levels[rows] + trends[rows] * damped + seasonal[rows + ahead % len(smoother.seasonal)]
    return np.where(origins[:, None] > 0, forecast, np.nan)


def _fit(history: np.ndarray, season: int) -> Smoother:
    """The form with the smallest AICc on a gapless history (time,)."""
    if len(history) < FEWEST_ROWS or np.ptp(history) == 0:
        return Smoother(level=history[0] if len(history) else 0.0, trend=0.0, seasonal=np.zeros(1), alpha=1.0)
    # In units of its own spread: the optimiser's tolerances are absolute.
    centre, spread = history.mean(), history.std()
    seasons = _seasons(history, season)
    fits = [
        _fit_form((history - centre) / spread, trend=trend, damped=damped, season=length)
        for length, (trend, damped) in product(seasons, TRENDS)
    ]
    _, best = min(fits, key=lambda fit: fit[0])
    return replace(
        best,
        level=centre + spread * best.level,
        trend=spread * best.trend,
        seasonal=spread * best.seasonal,
    )


def _fit_form(history: np.ndarray, *, trend: str | None, damped: bool, season: int) -> tuple[float, Smoother]:
    """AICc and fitted smoother of one form."""
    from statsmodels.tools.sm_exceptions import ConvergenceWarning
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    level, slope, seasonal = _initial_states(history, season)
    known: dict[str, object] = {"initialization_method": "known", "initial_level": level}
    if trend:
        known |= {"trend": trend, "damped_trend": damped, "initial_trend": slope}
    if season > 1:
        known |= {"seasonal": "add", "seasonal_periods": season, "initial_seasonal": seasonal}
    model = ETSModel(history, **known)
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        # A form that fits badly loses by its AICc; one that fits exactly takes the logarithm of 0.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = model.fit(disp=False, maxiter=200)
    found = dict(zip(model.param_names, fitted.params, strict=True))
    # Initial states count too, or a season of noise would come free; so does the variance.
    count = len(fitted.params) + 1 + (1 if trend else 0) + season
    return _aicc(float(fitted.llf), count, len(history)), Smoother(
        level=level,
        trend=slope if trend else 0.0,
        seasonal=seasonal,
        alpha=float(found["smoothing_level"]),
        beta=float(found.get("smoothing_trend", 0.0)),
        gamma=float(found.get("smoothing_seasonal", 0.0)),
        phi=float(found.get("damping_trend", 1.0)),
    )


def _seasons(history: np.ndarray, season: int) -> tuple[int, ...]:
    """Season lengths to try (1: none): both where AICc shall decide, the season alone where it is strong.

    AICc judges steps of one row. That favours no season where a season is long and smooth, though a forecast over
    half of it needs it badly; 0.64 is the strength from which R's ``forecast::nsdiffs`` calls a series seasonal.
    """
    if season == 1 or len(history) < 2 * season:
        return (1,)
    from statsmodels.tsa.seasonal import seasonal_decompose

    parts = seasonal_decompose(history, model="additive", period=season)
    noise, both = np.nanvar(parts.resid), np.nanvar(parts.resid + parts.seasonal)
    # With two cycles only, each phase is seen once and always looks regular.
    strong = len(history) >= 3 * season and both > 0 and noise < (1 - 0.64) * both
    return (season,) if strong else (1, season)


def _aicc(likelihood: float, count: int, rows: int) -> float:
    """Akaike's criterion for short series; infinite where there are too many parameters or no likelihood."""
    if math.isnan(likelihood) or rows - count - 1 <= 0:
        return math.inf
    return 2 * count * rows / (rows - count - 1) - 2 * likelihood


def _initial_states(history: np.ndarray, season: int) -> tuple[float, float, np.ndarray]:
    """Level and trend before the first row, and the seasonal states, from the whole gapless history.

    A straight line through the values freed from their additive season. The first ten rows alone, as in the
    usual heuristic, would give a weekly series the slope of one spring, which a small trend constant never
    unlearns.
    """
    from statsmodels.tsa.seasonal import seasonal_decompose

    seasonal = np.zeros(1)
    if season > 1:
        seasonal = seasonal_decompose(history, model="additive", period=season).seasonal[:season]
    rows = np.arange(len(history))
    slope, level = np.polyfit(rows + 1, history - seasonal[rows % len(seasonal)], 1)
    return float(level), float(slope), seasonal


def _run(values: np.ndarray, smoother: Smoother) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """States known at each origin: level and trend (time + 1,), seasonal (time + season,).

    The seasonal states of the rows from an origin on stand at that origin's index and after it.
    """
    alpha, beta, gamma, phi = smoother.alpha, smoother.beta, smoother.gamma, smoother.phi
    level, trend = smoother.level, smoother.trend
    levels, trends, seasonal = [level], [trend], smoother.seasonal.tolist()
    for row, value in enumerate(values.tolist()):
        error = value - (level + phi * trend + seasonal[row])
        error = 0.0 if math.isnan(error) else error  # nothing observed, nothing to correct
        level, trend = level + phi * trend + alpha * error, phi * trend + beta * error
        levels.append(level)
        trends.append(trend)
        seasonal.append(seasonal[row] + gamma * error)
    return np.array(levels), np.array(trends), np.array(seasonal)
