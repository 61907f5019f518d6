"""Where a model is wrong: the worst examples, errors by group, calibration, coverage, and whether errors repeat."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from ..evaluation import expected_calibration_error

_WORST = 10
# Groups listed of a kind, and examples below which a group says nothing.
_MOST_GROUPS, _FEWEST = 60, 5
_BINS = 10
_LAGS = 10


def worst(losses: np.ndarray, labels: Mapping[str, np.ndarray], n: int = _WORST) -> list[dict[str, Any]]:
    """The examples with the largest losses, the worst first.

    Args:
        losses: of each example (examples,); NaN: not scored.
        labels: columns that tell the examples apart (examples,) each.
        n: how many.
    """
    order = np.argsort(np.where(np.isnan(losses), -np.inf, -0.0 + losses))[::-1][:n]
    rows = [i for i in order if np.isfinite(losses[i])]
    return [{**{name: _named(column[i]) for name, column in labels.items()}, "loss": float(losses[i])} for i in rows]


def by_group(losses: np.ndarray, groups: Mapping[str, np.ndarray]) -> dict[str, list[dict[str, Any]]]:
    """Mean loss by group, for each way to group: season, hour, weekday, series, length, class.

    Args:
        losses: of each example (examples,).
        groups: by its name, the group of each example (examples,).

    Returns:
        For each name a list of ``group``, ``n`` and ``loss``; groups with fewer than 5 examples are left out, and a
        kind that has only one group is left out whole.
    """
    found = {}
    for name, column in groups.items():
        table = pd.DataFrame({"group": column, "loss": losses}).dropna()
        if table.empty:
            continue
        means = table.groupby("group", sort=True, observed=True)["loss"].agg(["size", "mean"])
        means = means[means["size"] >= _FEWEST]
        if len(means) < 2:
            continue
        if len(means) > _MOST_GROUPS:
            means = means.nlargest(_MOST_GROUPS, "mean")
        found[name] = [
            {"group": _plain(group), "n": int(n), "loss": float(mean)}
            for group, n, mean in zip(means.index, means["size"], means["mean"], strict=True)
        ]
    return found


def time_groups(stamps: np.ndarray, season: int, place: np.ndarray) -> dict[str, np.ndarray]:
    """Groups of windows by when they begin: hour, weekday and month where they differ, and the place in the season."""
    groups: dict[str, np.ndarray] = {}
    if np.issubdtype(np.asarray(stamps).dtype, np.datetime64):
        index = pd.DatetimeIndex(stamps)
        parts = {"hour": index.hour, "weekday": index.dayofweek, "month": index.month}
        groups = {name: np.asarray(part) for name, part in parts.items() if len(set(part)) > 1}
    if season > 1:
        groups["season"] = place % season
    return groups


def length_groups(lengths: np.ndarray) -> np.ndarray:
    """Quarters of the examples by their length, named by the range: (examples,)."""
    edges = np.unique(np.quantile(lengths, [0, 0.25, 0.5, 0.75, 1]).astype(int))
    if len(edges) < 3:
        return np.array([f"{edges[0]} to {edges[-1]} steps"] * len(lengths), dtype=object)
    place = np.clip(np.searchsorted(edges, lengths, side="right") - 1, 0, len(edges) - 2)
    width = len(str(edges[-1]))
    names = [f"{low:>{width}} to {high} steps" for low, high in pairwise(edges)]
    return np.array(names, dtype=object)[place]


def calibration(y_true: np.ndarray, y_prob: np.ndarray) -> dict[str, Any]:
    """Are 80 % of those right of which the model is 80 % sure? Bins of confidence, and the expected error.

    Args:
        y_true: class numbers (examples,).
        y_prob: probabilities (examples, classes).

    Source: Guo et al. (2017), On calibration of modern neural networks.
    """
    sure, right = y_prob.max(axis=1), y_prob.argmax(axis=1) == y_true
    place = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    bins = [
        {"n": int(n), "predicted": float(sure[place == b].mean()), "observed": float(right[place == b].mean())}
        for b in range(_BINS)
        if (n := (place == b).sum())
    ]
    return {"expected_calibration_error": float(expected_calibration_error(y_true, y_prob)), "bins": bins}


def coverage_over_time(
    y_true: np.ndarray, low: np.ndarray, high: np.ndarray, stamps: np.ndarray, parts: int = 10
) -> list[dict[str, Any]]:
    """Share of true values inside an interval, in so many stretches of time, oldest first.

    Args:
        y_true, low, high: (windows, horizon, targets).
        stamps: when each window begins (windows,).
        parts: stretches with the same number of windows.
    """
    known = np.isfinite(y_true)
    inside = (y_true >= low) & (y_true <= high)
    rows = []
    for some in np.array_split(np.argsort(stamps, kind="stable"), min(parts, len(stamps))):
        n = int(known[some].sum())
        if n:
            share = float((inside[some] & known[some]).sum() / n)
            rows.append({"from": _named(stamps[some].min()), "coverage": share, "n": n})
    return rows


def residual_autocorrelation(residuals: np.ndarray, series: np.ndarray, lags: int = _LAGS) -> dict[str, Any] | None:
    """Do errors repeat? Ljung and Box's test of one-step residuals, in a plain sentence.

    Errors several steps ahead are correlated by construction; only those one step ahead say something.

    Args:
        residuals: of the first step of successive forecasts (origins,), in order; NaN where nothing is known.
        series: the series of each (origins,); the longest run of one is tested.
        lags: autocorrelations tested together.

    Source: Ljung & Box (1978), Biometrika 65.
    """
    from scipy import stats

    names, counts = np.unique(series, return_counts=True)
    own = residuals[series == names[counts.argmax()]]
    own = own[np.isfinite(own)]
    n = len(own)
    lags = min(lags, n // 5)
    if lags < 1 or own.std() == 0:
        return None
    centred = own - own.mean()
    rho = np.array([centred[k:] @ centred[:-k] for k in range(1, lags + 1)]) / (centred @ centred)
    statistic = float(n * (n + 2) * (rho**2 / (n - np.arange(1, lags + 1))).sum())
    p = float(stats.chi2.sf(statistic, lags))
    largest = int(np.abs(rho).argmax())
    repeats = p < 0.01 and abs(rho[largest]) >= 0.1
    text = (
        f"Errors repeat: the error one step ahead is correlated ({rho[largest]:+.2f}) with the one {largest + 1} "
        f"step{'s' if largest else ''} before, so something predictable is left in them."
        if repeats
        else "Errors one step ahead do not repeat: nothing predictable from them is left."
    )
    return {"rho": [float(r) for r in rho], "statistic": statistic, "p_value": p, "repeats": repeats, "text": text}


def _named(cell: Any) -> str:
    return str(pd.Timestamp(cell)) if isinstance(cell, np.datetime64) else str(cell)


def _plain(group: Any) -> Any:
    return int(group) if isinstance(group, int | np.integer) else str(group)
