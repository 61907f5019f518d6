"""ARIMA: an autoregressive integrated moving average of the seasonally adjusted series, the orders chosen by AICc."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from operator import mul

import numpy as np

from .ets import NEWEST_SEASONS
from .history import check, from_first_observed, training_history
from .seasonality import find_seasonality

# Shorter histories give no order a fair chance.
FEWEST_ROWS = 12
# Orders are told by the newest rows; older ones cost time and may have been of another kind.
NEWEST_ROWS = 1000
MOST_LAGS, MOST_DIFFERENCES = 3, 2
# Orders of which the likelihood is maximised.
_FITTED = 3
_STATIONARY = 0.05
# Spread, in that of the history, that is only rounding.
_EXACT = 1e-9


def arima(values: np.ndarray, origins: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Forecast with an ARIMA model of the seasonally adjusted series.

    Seasonal factors are found as for :func:`recurra.baselines.naive2`. How often the rest is differenced (at most
    twice) is decided by KPSS tests, as Hyndman and Khandakar do; the numbers of lags (at most 3) and whether there is a
    mean by AICc, first of Hannan and Rissanen's regressions, then of the likelihood of the best three. Orders and
    parameters come from the newest 1,000 rows, or ten seasons, before the first origin; at later origins the states are
    updated with those parameters. A missing value corrects no state. A training history that is constant or shorter
    than twelve rows gets the naive forecast.

    Arguments and errors are those of :func:`recurra.baselines.naive`; ``season`` is the rows of one cycle.

    Returns:
        Forecasts (origins, horizon) in the unit of ``values``; NaN where nothing had been observed yet.

    Example:
        >>> arima(np.array([1.0, 1.0, 1.0, 5.0]), np.array([3, 4]), 2, 1)
        array([[1., 1.],
               [5., 5.]])

    Source: Hyndman and Khandakar (2008), Automatic time series forecasting, Journal of Statistical Software 27;
    Hannan and Rissanen (1982), Recursive estimation of mixed autoregressive-moving average order, Biometrika 69.
    """
    values, origins = check(values, origins, horizon=horizon, season=season)
    values, origins = from_first_observed(values, origins)
    history = training_history(values, origins)
    seasonality = find_seasonality(history, season)
    rows = np.arange(len(values))
    adjusted = seasonality.remove(values, rows)
    old = max(len(history) - max(NEWEST_ROWS, NEWEST_SEASONS * season), 0)
    ahead = _forecasts(seasonality.remove(history, rows[: len(history)])[old:], adjusted[old:], origins - old, horizon)
    return np.where(origins[:, None] > 0, seasonality.restore(ahead, origins[:, None] + np.arange(horizon)), np.nan)


def _forecasts(history: np.ndarray, values: np.ndarray, origins: np.ndarray, horizon: int) -> np.ndarray:
    """Forecasts (origins, horizon) of a series without season, fitted on its gapless beginning."""
    if len(history) < FEWEST_ROWS or np.ptp(history) == 0:
        return np.repeat(_last_seen(values, origins)[:, None], horizon, axis=1)
    # In units of its own spread: the optimiser's tolerances are absolute.
    centre, spread = history.mean(), history.std()
    return centre + spread * _run((values - centre) / spread, origins, horizon, _search((history - centre) / spread))


@dataclass(frozen=True)
class Arma:
    """What was fitted: differenced so often, less its mean, a value is a sum of earlier ones and of earlier errors."""

    differences: int
    mean: float
    ar: np.ndarray  # (p,), of the newest value first
    ma: np.ndarray  # (q,), of the newest error first


def _run(values: np.ndarray, origins: np.ndarray, horizon: int, model: Arma) -> np.ndarray:
    """Forecasts (origins, horizon); errors one step ahead are carried along the series, and are 0 outside of it."""
    p, q, d = len(model.ar), len(model.ma), model.differences
    binomial = [math.comb(d, k) * (-1) ** (k + 1) for k in range(1, d + 1)]  # y = w + 2 y[-1] - y[-2] for d = 2
    past, w, errors = [float(values[0])] * max(d, 1), [0.0] * max(p, 1), [0.0] * max(q, 1)
    ar, ma = model.ar.tolist(), model.ma.tolist()
    kept = {}
    wanted = set(origins.tolist())
    for row, value in enumerate(values[: max(int(origins[-1]), 0)].tolist(), start=1):
        expected = model.mean + sum(map(mul, ar, w)) + sum(map(mul, ma, errors))
        base = sum(map(mul, binomial, past))
        change = expected if math.isnan(value) else value - base  # nothing observed, nothing to correct
        # before the first differences there is nothing to expect
        errors = [change - expected if row > d else 0.0, *errors[:-1]]
        w = [change - model.mean if row > d else 0.0, *w[:-1]]
        past = [base + change, *past[:-1]]
        if row in wanted:
            kept[row] = (past, w, errors)
    states = [kept.get(max(origin, 1), (past, w, errors)) for origin in origins.tolist()]
    past_, w_, errors_ = (np.array(part) for part in zip(*states, strict=True))  # (origins, lags) each
    found = np.empty((len(origins), horizon))
    for step in range(horizon):
        ahead = w_[:, :p] @ model.ar + errors_[:, :q] @ model.ma
        found[:, step] = past_[:, :d] @ np.array(binomial) + model.mean + ahead if d else model.mean + ahead
        w_ = np.concatenate([ahead[:, None], w_[:, :-1]], axis=1)
        errors_ = np.concatenate([np.zeros((len(origins), 1)), errors_[:, :-1]], axis=1)
        past_ = np.concatenate([found[:, step : step + 1], past_[:, :-1]], axis=1)
    return found


_Order = tuple[int, int, bool]  # lags, earlier errors, whether with a mean
_RANDOM_WALK = Arma(1, 0.0, np.empty(0), np.empty(0))


def _last_seen(values: np.ndarray, origins: np.ndarray) -> np.ndarray:
    seen = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    known = np.append(values, np.nan)  # of a series never observed, nothing is
    return known[np.append(seen, -1)[np.maximum(origins, 1) - 1]]


def _search(history: np.ndarray) -> Arma:
    """The model with the least AICc among those that look best by least squares; a random walk where none fits."""
    differences = _differences(history)
    changes = np.diff(history, n=differences)
    if changes.std() < _EXACT:  # a straight line: nothing is left to explain
        return Arma(differences, float(changes.mean()), np.empty(0), np.empty(0))
    orders = [
        (p, q, constant)
        for p in range(MOST_LAGS + 1)
        for q in range(MOST_LAGS + 1)
        for constant in ((True, False) if differences < MOST_DIFFERENCES else (False,))
    ]
    likely = sorted(orders, key=lambda order: _quick_score(changes, order))[:_FITTED]
    return min((_fit(changes, order, differences) for order in likely), key=lambda fit: fit[0])[1]


def _quick_score(changes: np.ndarray, order: _Order) -> float:
    """AICc by the variance of Hannan and Rissanen's two regressions, which take a hundredth of a fit's time."""
    from statsmodels.tsa.arima.estimators.hannan_rissanen import hannan_rissanen

    p, q, constant = order
    centred = changes - changes.mean() if constant else changes
    variance = float(np.mean(centred**2))
    if p + q:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # lags that say the same
                found, _ = hannan_rissanen(centred, p, q, demean=False)
            variance = float(found.sigma2)
        except (np.linalg.LinAlgError, ValueError, ZeroDivisionError):  # too few rows for so many lags
            return math.inf
    return _aicc(len(changes) / 2 * math.log(max(variance, 1e-300)), order, len(changes))


def _aicc(loss: float, order: _Order, rows: int) -> float:
    """Akaike's criterion for short series, from the negative log-likelihood; infinite with too many parameters."""
    count = order[0] + order[1] + 1 + order[2]
    return 2 * loss + 2 * count * rows / (rows - count - 1) if rows - count - 1 > 0 else math.inf


def _differences(history: np.ndarray) -> int:
    """How often to difference until KPSS no longer tells the series from a stationary one."""
    from statsmodels.tsa.stattools import kpss

    for count in range(MOST_DIFFERENCES):
        if np.ptp(history) == 0:
            return count
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its table of p-values ends at 0.01 and 0.1
            if kpss(history, regression="c", nlags="auto")[1] >= _STATIONARY:
                return count
        history = np.diff(history)
    return MOST_DIFFERENCES


def _fit(changes: np.ndarray, order: _Order, differences: int) -> tuple[float, Arma]:
    """AICc and fitted model of one order; infinite, and a random walk, where it cannot be fitted."""
    from statsmodels.tsa.arima.estimators.innovations import innovations_mle

    p, q, constant = order
    mean = float(changes.mean()) if constant else 0.0
    centred, unit = changes - mean, float(changes.std())
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found, details = innovations_mle(centred / unit, order=(p, 0, q), demean=False)
        except (np.linalg.LinAlgError, ValueError, ZeroDivisionError):  # first values that are not stationary
            return math.inf, _RANDOM_WALK
    loss = float(details.minimize_results.fun) if p + q else _white_noise_loss(centred / unit)
    if not math.isfinite(loss):
        return math.inf, _RANDOM_WALK
    return _aicc(loss, order, len(changes)), Arma(
        differences, mean, np.asarray(found.ar_params, float), np.asarray(found.ma_params, float)
    )


def _white_noise_loss(values: np.ndarray) -> float:
    """Negative log-likelihood of values without any memory, at their own variance."""
    return len(values) / 2 * (math.log(2 * math.pi * float(np.mean(values**2))) + 1)
