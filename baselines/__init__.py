"""Baselines: what a trained model must beat.

Each is a function ``forecast(values, origins, horizon, season) -> (origins, horizon)`` for one series: row
``i`` uses only ``values[:origins[i]]``, and parameters are estimated once, before the first origin, as a
network's are. ``values`` may hold NaN. To add one: a file, a line below, a test, a row in the docs.

They give point forecasts only, and none uses covariates or other series.
"""

from collections.abc import Callable

import numpy as np

from .ets import ets
from .naive import drift, naive, seasonal_naive
from .naive2 import naive2
from .theta import theta

__all__ = ["BASELINES", "drift", "ets", "list_baselines", "naive", "naive2", "seasonal_naive", "theta"]

Baseline = Callable[[np.ndarray, np.ndarray, int, int], np.ndarray]

BASELINES: dict[str, Baseline] = {
    "naive": naive,
    "seasonal_naive": seasonal_naive,
    "naive2": naive2,
    "drift": drift,
    "theta": theta,
    "ets": ets,
}


def list_baselines() -> list[str]:
    """Names of all baselines, simplest first.

    Example:
        >>> list_baselines()
        ['naive', 'seasonal_naive', 'naive2', 'drift', 'theta', 'ets']
    """
    return list(BASELINES)
