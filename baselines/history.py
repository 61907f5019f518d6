"""The arguments that every forecast baseline takes, checked."""

import numpy as np

from .many_series import ManySeries


def check(values: np.ndarray, origins: np.ndarray, *, horizon: int, season: int) -> tuple[np.ndarray, np.ndarray]:
    """Return values as float (time,) and origins as int (origins,); raise ValueError where they are wrong.

    Origins must not fall: parameters are estimated before the first one, so an earlier one behind it would be
    forecast with knowledge of its own future.
    """
    values = np.asarray(values, dtype=float)
    origins = np.asarray(origins)
    if values.ndim != 1:
        raise ValueError(f"`values` must be one series, shaped (time,). Received: shape {values.shape}")
    if origins.ndim != 1 or origins.size == 0 or not np.issubdtype(origins.dtype, np.integer):
        raise ValueError(f"`origins` must be row counts, shaped (origins,), at least one. Received: {origins!r}")
    if origins.min() < 1 or origins.max() > len(values) or np.any(np.diff(origins) < 0):
        raise ValueError(f"`origins` must rise within 1..{len(values)} (the rows of `values`). Received: {origins!r}")
    if horizon < 1 or season < 1:
        raise ValueError(f"`horizon` and `season` must be at least 1. Received: {horizon=}, {season=}")
    return values, origins


def from_first_observed(values: np.ndarray, origins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Drop the leading NaN and count origins from the first observed row; 0 or less: nothing was seen yet.

    A model fitted on a flat, invented beginning would mistake it for the series' nature.
    """
    seen = np.flatnonzero(~np.isnan(values))
    first = int(seen[0]) if seen.size else len(values)
    return values[first:], origins - first


def training_history(values: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """The gapless history (time,) before the first origin, on which parameters are estimated."""
    return ManySeries.of_one(values, origins).histories()[0]
