"""What was known at an origin: the one place where a baseline may look at a series.

Row ``t`` of a series as seen from origin ``o`` (the number of rows already there) is: the observed value;
inside a gap that closed before ``o``, the straight line across it; in a gap still open at ``o``, the last
value seen. This is the rule the pipelines use for the inputs of a network, so the baselines neither gain nor
lose by it.
"""

import numpy as np


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


def known(values: np.ndarray, rows: np.ndarray, *, origins: np.ndarray) -> np.ndarray:
    """Values at ``rows`` as they were known at ``origins``; NaN where nothing had been observed yet.

    Arguments:
        values: (time,), may hold NaN.
        rows: row numbers below their origin; any shape that broadcasts with ``origins``.
        origins: for each of the rows, how many rows were there.
    """
    seen = np.flatnonzero(~np.isnan(values))
    if seen.size == 0:
        return np.full(np.broadcast_shapes(rows.shape, origins.shape), np.nan)
    before = np.searchsorted(seen, rows, side="right") - 1
    carried = np.where(before >= 0, values[seen[np.maximum(before, 0)]], np.nan)
    # A gap is closed when the first value at or after the row lies before the origin; len(values) stands for
    # never.
    closing = np.append(seen, len(values))[np.searchsorted(seen, rows, side="left")]
    return np.where(closing < origins, np.interp(rows, seen, values[seen]), carried)


def from_first_observed(values: np.ndarray, origins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Drop the leading NaN and count origins from the first observed row; 0 or less: nothing was seen yet.

    A model fitted on a flat, invented beginning would mistake it for the series' nature.
    """
    seen = np.flatnonzero(~np.isnan(values))
    first = int(seen[0]) if seen.size else len(values)
    return values[first:], origins - first


def training_history(values: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """The gapless history (time,) before the first origin, on which parameters are estimated."""
    end = max(int(origins[0]), 0)
    return known(values, np.arange(end), origins=np.full(end, end))
