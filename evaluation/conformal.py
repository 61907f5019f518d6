"""Split conformal intervals: how far off were forecasts on rows no model was trained on?"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .forecast_metrics import By, average


def conformal_offsets(residuals: np.ndarray, levels: Sequence[float] = (80, 95)) -> tuple[np.ndarray, tuple[str, ...]]:
    """Half widths of symmetric intervals around a forecast, for each horizon step and target.

    No assumption on the model or the noise: of ``n`` exchangeable residuals and a new one, the new one is
    within the ``ceil((n + 1) level)``-th smallest size with at least the stated chance. Series drift, so the
    chance is measured on the test folds (:func:`coverage`), not taken for granted.

    Args:
        residuals: true values minus forecasts on validation windows (windows, horizon, targets); NaN is left out.
        levels: coverage wanted, in percent.

    Returns:
        Offsets (levels, horizon, targets) in the unit of the residuals: forecast ± offset. A step without a residual
        gets what lies on a line between its neighbours; all steps are NaN for a target without any. And notes: for each
        level that needs more residuals than there are, that the largest one is used; and which steps had none.

    Raises:
        ValueError: residuals of another shape, a level outside 0..100.

    Example:
        >>> offsets, notes = conformal_offsets(np.array([[[1.0]], [[-2.0]], [[3.0]], [[-4.0]]]), levels=[80])
        >>> offsets.item()
        4.0

    Source: Lei, G'Sell, Rinaldo, Tibshirani and Wasserman (2018), Journal of the American Statistical
    Association 113, section 2.2.
    """
    residuals = np.asarray(residuals, dtype=float)
    if residuals.ndim != 3:
        raise ValueError(f"`residuals` must be shaped (windows, horizon, targets). Received: {residuals.shape}")
    if not all(0 < level < 100 for level in levels):
        raise ValueError(f"`levels` must be percentages between 0 and 100. Received: {tuple(levels)}")
    sizes = np.sort(np.abs(residuals), axis=0)  # NaN last
    sizes = np.concatenate([sizes, np.full((1, *sizes.shape[1:]), np.nan)])  # even without windows
    count = np.sum(~np.isnan(residuals), axis=0)  # (horizon, targets)
    fewest = count[count > 0].min(initial=count.max())  # a step without any has a note of its own
    offsets, notes = [], []
    for level in levels:
        rank = np.ceil((count + 1) * level / 100).astype(int)
        if np.any(rank > count):
            notes.append(
                f"the {level:g} % interval needs {_needed(level)} validation windows for every step, "
                f"there are only {fewest}: the largest error seen is used, so it may cover too little"
            )
        index = np.maximum(np.minimum(rank, count) - 1, 0)
        offsets.append(np.take_along_axis(sizes, index[None], axis=0)[0])
    filled, note = _between_neighbours(np.stack(offsets))
    return filled, (*notes, *note)


def _between_neighbours(offsets: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Fill the steps that have no offset: (levels, horizon, targets)."""
    missing = np.isnan(offsets[0])  # (horizon, targets); a step has all levels or none
    if not missing.any():
        return offsets, []
    steps, filled = np.arange(len(missing)), offsets.copy()
    for target in np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0)):
        gaps = missing[:, target]
        for level in filled:
            level[gaps, target] = np.interp(steps[gaps], steps[~gaps], level[~gaps, target])
    notes = []
    if partly := np.flatnonzero(missing[:, ~missing.all(axis=0)].any(axis=1)).tolist():
        named = ", ".join(str(step + 1) for step in partly[:5]) + (" ..." if len(partly) > 5 else "")
        notes.append(
            f"no validation window has an observed value {named} steps ahead: the intervals there are taken from the "
            "neighbouring steps"
        )
    if missing.all(axis=0).any():
        notes.append("a target has no observed value in any validation window: its intervals are left empty")
    return filled, notes


def coverage(y_true: np.ndarray, lower: np.ndarray, upper: np.ndarray, *, by: By | None = None) -> Any:
    """Fraction of observed values inside their interval, bounds included.

    Args:
        y_true: observed values (windows, horizon, targets); NaN is not counted.
        lower: lower bounds, same shape; NaN covers nothing.
        upper: upper bounds, same shape.
        by: a value per "window", "step" or "target"; one number by default.

    Returns:
        A fraction 0..1, or an array of fractions; NaN where nothing was observed.

    Raises:
        ValueError: shapes that differ or are not three-dimensional, an unknown ``by``.

    Example:
        >>> coverage(np.array([[[1.0], [2.0]]]), np.array([[[0.0], [0.0]]]), np.array([[[1.0], [1.0]]]))
        0.5
    """
    y_true, lower, upper = (np.asarray(array, dtype=float) for array in (y_true, lower, upper))
    if y_true.ndim != 3 or not y_true.shape == lower.shape == upper.shape:
        raise ValueError(
            "`y_true`, `lower` and `upper` must have one shape (windows, horizon, targets). "
            f"Received: {y_true.shape}, {lower.shape}, {upper.shape}"
        )
    return average(((y_true >= lower) & (y_true <= upper)).astype(float), y_true, by=by)


def _needed(level: float) -> int:
    """Fewest residuals whose largest is not already asked to do more than it can."""
    return int(np.ceil(level / (100 - level)))
