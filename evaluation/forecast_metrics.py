"""Accuracy measures: plain functions on arrays (windows, horizon, targets), or (n,) where every example has one value.

A cell whose true value is NaN is not scored. A NaN *forecast* of an observed value makes the result NaN: a model
that gives no prediction must not look better for it. All observed cells have the same weight.

``by`` gives a value per ``"window"``, per horizon ``"step"`` or per ``"target"`` in place of one number;
where nothing was observed the value is NaN.
"""

from typing import Any, Literal

import numpy as np

By = Literal["window", "step", "target"]
AXES: dict[str | None, tuple[int, ...]] = {
    None: (0, 1, 2),
    "window": (1, 2),
    "step": (0, 2),
    "target": (0, 1),
}


def average(cells: np.ndarray, y_true: np.ndarray, *, by: By | None = None) -> Any:
    """Mean of ``cells`` (windows, horizon, targets) over those whose true value was observed."""
    if by not in AXES:
        raise ValueError(f"`by` must be one of {list(AXES)}. Received: {by!r}")
    observed = ~np.isnan(y_true)
    count = observed.sum(axis=AXES[by])
    total = np.where(observed, cells, 0.0).sum(axis=AXES[by])
    result = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return float(result) if by is None else result


def check(y_true: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as float arrays of one shape (windows, horizon, targets), or an error naming the shapes."""
    y_true, y_pred = np.asarray(y_true, dtype=float), np.asarray(y_pred, dtype=float)
    if y_true.ndim == y_pred.ndim == 1:  # as many windows of one step and one target
        y_true, y_pred = y_true[:, None, None], y_pred[:, None, None]
    if y_true.ndim != 3 or y_true.shape != y_pred.shape:
        raise ValueError(
            "`y_true` and `y_pred` must have one shape (windows, horizon, targets). "
            f"Received: {y_true.shape} and {y_pred.shape}"
        )
    return y_true, y_pred


def mae(y_true: np.ndarray, y_pred: np.ndarray, *, by: By | None = None) -> Any:
    """Mean absolute error, in the unit of the data.

    Args:
        y_true: observed values (windows, horizon, targets), or (n,); NaN is not scored.
        y_pred: forecasts of the same shape.
        by: a value per "window", "step" or "target"; one number by default.

    Returns:
        A float, or an array (windows,), (horizon,) or (targets,).

    Raises:
        ValueError: shapes that differ or are not three-dimensional, an unknown ``by``.

    Example:
        >>> mae(np.array([[[1.0], [2.0]]]), np.array([[[2.0], [4.0]]]))
        1.5

    Source: Hyndman and Koehler (2006), International Journal of Forecasting 22, section 2.1.
    """
    y_true, y_pred = check(y_true, y_pred)
    return average(np.abs(y_true - y_pred), y_true, by=by)


def mse(y_true: np.ndarray, y_pred: np.ndarray, *, by: By | None = None) -> Any:
    """Mean squared error, in the squared unit of the data. Arguments as in :func:`mae`."""
    y_true, y_pred = check(y_true, y_pred)
    return average((y_true - y_pred) ** 2, y_true, by=by)


def rmse(y_true: np.ndarray, y_pred: np.ndarray, *, by: By | None = None) -> Any:
    """Square root of the mean squared error, in the unit of the data. Arguments as in :func:`mae`."""
    result = np.sqrt(mse(y_true, y_pred, by=by))
    return float(result) if by is None else result


def smape(y_true: np.ndarray, y_pred: np.ndarray, *, by: By | None = None) -> Any:
    """Symmetric mean absolute percentage error, 0 to 200, as the M4 competition computes it.

    Comparable across series of different size, but meaningless where values cross zero. A forecast of 0 for a
    true value of 0 counts as no error. Arguments, returns and errors as in :func:`mae`; the unit is percent.

    Example:
        >>> smape(np.array([[[100.0]]]), np.array([[[300.0]]]))
        100.0

    Source: Makridakis, Spiliotis and Assimakopoulos (2020), International Journal of Forecasting 36, eq. 1.
    """
    y_true, y_pred = check(y_true, y_pred)
    size = np.abs(y_true) + np.abs(y_pred)
    ratio = np.divide(np.abs(y_true - y_pred), size, out=np.zeros_like(size), where=size != 0)
    return average(200 * ratio, y_true, by=by)


def mase(y_true: np.ndarray, y_pred: np.ndarray, *, scale: np.ndarray, by: By | None = None) -> Any:
    """Mean absolute scaled error: 1 is the in-sample error of the one-step seasonal naive forecast.

    Free of units, so it may be averaged over series and targets. Other arguments, returns and errors as in
    :func:`mae`.

    Args:
        scale: what one unit of error is: (targets,), or (windows, targets) where windows come from several
            series; from :func:`seasonal_scale`.

    Example:
        >>> mase(np.array([[[1.0], [2.0]]]), np.array([[[2.0], [4.0]]]), scale=np.array([3.0]))
        0.5

    Source: Hyndman and Koehler (2006), International Journal of Forecasting 22, section 3.
    """
    y_true, y_pred = check(y_true, y_pred)
    scale = np.asarray(scale, dtype=float)
    windows, _, targets = y_true.shape
    if scale.shape not in {(targets,), (windows, targets)} or not np.all(scale > 0):
        raise ValueError(
            f"`scale` must be positive, shaped ({targets},) or ({windows}, {targets}). "
            f"Received: shape {scale.shape}, smallest {scale.min() if scale.size else None}"
        )
    return average(np.abs(y_true - y_pred) / scale.reshape(-1, 1, targets), y_true, by=by)


def seasonal_scale(values: np.ndarray, season: int) -> np.ndarray:
    """Mean absolute difference to the value one season earlier, for each target of one series.

    The denominator of MASE, from training rows. Where it is 0, or no pair of rows is a season apart, the
    first of these that is positive replaces it: the mean absolute step, the mean absolute value, 1.

    Args:
        values: training rows of one series, (time, targets) or (time,), in original units; NaN is left out.
        season: rows in one cycle, 1 for none.

    Returns:
        Positive scales (targets,), in the unit of the data.

    Raises:
        ValueError: a season below 1, values of another shape.

    Example:
        >>> seasonal_scale(np.array([1.0, 2.0, 4.0, 8.0]), 2)
        array([4.5])

    Source: Hyndman and Koehler (2006); with a season as in the M4 competition (see :func:`smape`), eq. 2.
    """
    values = np.asarray(values, dtype=float)
    if season < 1 or values.ndim not in {1, 2}:
        raise ValueError(
            f"`values` must be (time, targets) and `season` at least 1. Received: {values.shape}, {season}"
        )
    rows = np.array([len(values)])
    return seasonal_scales(values.reshape(len(values), -1), rows, rows, season)[0]


def seasonal_scales(values: np.ndarray, lengths: np.ndarray, counts: np.ndarray, season: int) -> np.ndarray:
    """The same of many series at once, each from its first rows.

    Args:
        values: all rows, series after series, (rows, targets); NaN is left out.
        lengths: rows of each series (series,).
        counts: how many of them, from its start, are training rows (series,).
        season: rows in one cycle, 1 for none.

    Returns:
        Positive scales (series, targets), in the unit of the data.

    Example:
        >>> seasonal_scales(np.array([[1.0], [2.0], [4.0], [5.0], [5.5]]), np.array([3, 2]), np.array([3, 2]), 1)
        array([[1.5],
               [0.5]])
    """
    series = np.repeat(np.arange(len(lengths)), lengths)
    number = np.arange(len(values)) - (np.cumsum(lengths) - lengths)[series]
    kept = number < counts[series]
    scale = np.ones((len(lengths), values.shape[1]))
    # From the last resort to the definition: each positive one replaces the one before.
    for lag in (0, 1, season):
        there = (kept & (number >= lag))[lag:]
        sizes = np.abs(values[lag:] - values[: max(len(values) - lag, 0)] if lag else values)
        for target in range(values.shape[1]):
            observed = there & ~np.isnan(sizes[:, target])
            of = series[lag:][observed]
            count = np.bincount(of, minlength=len(lengths))
            sums = np.bincount(of, sizes[observed, target], minlength=len(lengths))
            scale[:, target] = np.where(sums > 0, sums / np.maximum(count, 1), scale[:, target])
    return scale


def owa(*, smape: float, mase: float, smape_naive2: float, mase_naive2: float) -> float:
    """Overall weighted average of the M4 competition: below 1 is better than Naive2.

    Example:
        >>> owa(smape=9.0, mase=1.0, smape_naive2=18.0, mase_naive2=2.0)
        0.5

    Source: Makridakis, Spiliotis and Assimakopoulos (2020), International Journal of Forecasting 36, section
    2.5.
    """
    return (smape / smape_naive2 + mase / mase_naive2) / 2
