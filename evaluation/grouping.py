"""Means over groups of losses, blind to what was not observed."""

from collections.abc import Sequence

import numpy as np


def mean_by_group(groups: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Mean loss of each group, NaN where nothing was observed.

    Args:
        groups: number of the group of each loss, from 0 on (losses,).
        losses: (losses,); NaN where nothing was observed.

    Returns:
        Means (groups,).

    Example:
        >>> mean_by_group(np.array([0, 0, 1]), np.array([1.0, 3.0, np.nan]))
        array([ 2., nan])
    """
    observed = np.isfinite(losses)
    count = np.bincount(groups, weights=observed)
    total = np.bincount(groups, weights=np.where(observed, losses, 0.0))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def mean_ignoring_nan(rows: Sequence[Sequence[float] | np.ndarray]) -> np.ndarray:
    """Mean of each column without its NaN; ``np.nanmean`` warns where nothing else is in it, here NaN is the result.

    Args:
        rows: of equal length (rows, columns).

    Returns:
        Means (columns,).

    Example:
        >>> mean_ignoring_nan([[1.0, np.nan], [3.0, np.nan]])
        array([ 2., nan])
    """
    values = np.array(rows, dtype=float)
    count = (~np.isnan(values)).sum(axis=0)
    return np.where(count > 0, np.nansum(values, axis=0) / np.maximum(count, 1), np.nan)
