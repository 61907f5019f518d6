"""Whether one model's losses are really smaller than another's, or merely happened to be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import numpy as np

# With fewer differences a t statistic means next to nothing.
FEWEST = 3


@dataclass(frozen=True)
class TestResult:
    """Outcome of a paired test of equal accuracy; the first model is the better one where it is negative.

    Attributes:
        statistic: t statistic; None where the test could not be made.
        p_value: two-sided; None where the test could not be made.
        difference: mean of ``loss_a - loss_b``, in the unit of the loss.
        low: lower end of the 95 % confidence interval of the difference.
        high: its upper end.
        bound: one-sided 95 % lower bound of the difference: the lower end of the 90 % interval.
        n: differences that were there.
        degrees: degrees of freedom of the statistic.
        note: why there is no result, or which kernel was used instead; otherwise empty.
    """

    __test__ = False  # pytest collects classes by this name

    statistic: float | None
    p_value: float | None
    difference: float
    low: float | None
    high: float | None
    n: int
    degrees: float | None = None
    note: str = ""
    bound: float | None = None


class TestRow(TypedDict):
    """A model compared with another, for :func:`recurra.evaluation.judge` and ``comparison.json``.

    Keys:
        effect: fraction by which the mean loss is lower (positive: better), with its 95 % interval.
        effect_bound: one-sided 95 % upper bound of the effect, what an equivalence test looks at.
        p_holm: the p-value, corrected for the number of tests.
        mcnemar_p: not corrected; classification only.
    """

    model: str
    against: str
    effect: float | None
    effect_low: float | None
    effect_high: float | None
    p_value: float | None
    p_holm: float | None
    n: int
    note: str
    mcnemar_p: NotRequired[float | None]
    effect_bound: NotRequired[float | None]


TestRow.__test__ = False  # type: ignore[attr-defined]  # pytest collects classes by this name


def diebold_mariano(
    loss_a: np.ndarray,
    loss_b: np.ndarray,
    *,
    horizon: int,
    groups: np.ndarray | None = None,
    degrees: float | None = None,
) -> TestResult:
    """Test whether two forecasts are equally accurate, where neighbouring losses are correlated.

    Losses of multi-step forecasts overlap: a plain t test would take the same surprise for many. The long-run
    variance counts ``horizon - 1`` autocovariances (rectangular kernel); where that is not positive,
    Bartlett's kernel is used instead, as in R's ``forecast::dm.test``. The small-sample correction counts the pairs
    really summed, which for one group without gaps is that of Harvey, Leybourne and Newbold.

    The statistic is compared with Student's t with ``n / horizon - 1`` degrees of freedom, the independent
    pieces that there are. The customary ``n - 1`` (the same for horizon 1) is blind to how little a long
    horizon leaves: of moving-average losses without any difference it rejects, at 5 %, 6 % with 100 origins
    and horizon 4, but 11 % with 300 and 52, 19 % with 150 and 52; ours 6 %, 4 % and 5 %.

    Args:
        loss_a: loss of the first model at each forecast origin, in time order (origins,); NaN: not scored.
        loss_b: loss of the second, same shape.
        horizon: how many successive origins share target rows: the steps forecast, divided by the rows from
            one origin to the next, rounded up. 1 means that the differences are independent.
        groups: which fold each origin belongs to (origins,); no autocovariance crosses from one to another.
            All in one by default.
        degrees: degrees of freedom in place of ours; ``n - 1`` gives the p-value of R's ``dm.test``.

    Returns:
        A :class:`TestResult`; its ``note`` says where the test could not be made.

    Raises:
        ValueError: shapes that differ, a horizon below 1.

    Example:
        >>> round(diebold_mariano(np.array([1.0, 2.0, 4.0]), np.zeros(3), horizon=1).p_value, 3)
        0.118

    Source: Diebold and Mariano (1995), Journal of Business & Economic Statistics 13; Harvey, Leybourne and
    Newbold (1997), International Journal of Forecasting 13, eq. 9.
    """
    from scipy import stats  # slow to import

    loss_a, loss_b = np.asarray(loss_a, dtype=float), np.asarray(loss_b, dtype=float)
    groups = np.zeros(len(loss_a)) if groups is None else np.asarray(groups)
    if loss_a.ndim != 1 or not loss_a.shape == loss_b.shape == groups.shape:
        raise ValueError(
            "`loss_a`, `loss_b` and `groups` must have one shape (origins,). "
            f"Received: {loss_a.shape}, {loss_b.shape}, {groups.shape}"
        )
    if horizon < 1:
        raise ValueError(f"`horizon` must be at least 1. Received: {horizon}")
    difference = loss_a - loss_b
    n = int(np.sum(~np.isnan(difference)))
    mean = float(np.nanmean(difference)) if n else float("nan")
    if n < FEWEST:
        return TestResult(None, None, mean, None, None, n, note=f"only {n} differences; {FEWEST} are needed")
    if np.nanmax(difference) == np.nanmin(difference):
        return TestResult(None, None, mean, None, None, n, note="all differences are equal")
    centred = [difference[groups == group] - mean for group in dict.fromkeys(groups.tolist())]
    horizon = min(horizon, max(len(group) for group in centred))
    variance, note = _variance_of_mean(centred, horizon=horizon)
    if variance is None:
        return TestResult(None, None, mean, None, None, n, note=note)
    error = float(np.sqrt(variance))
    degrees = n / horizon - 1 if degrees is None else degrees
    margin = float(stats.t.ppf(0.975, degrees)) * error
    p_value = float(2 * stats.t.sf(abs(mean / error), degrees))
    bound = mean - float(stats.t.ppf(0.95, degrees)) * error
    return TestResult(mean / error, p_value, mean, mean - margin, mean + margin, n, degrees, note, bound)


def paired_series_test(loss_a: np.ndarray, loss_b: np.ndarray) -> TestResult:
    """Paired t test over many independent series, each with one loss per model.

    For collections such as M4, where every series has one forecast origin. Series that move together are not
    independent; average their losses per origin and use :func:`diebold_mariano`, of which this is the case
    without overlap. Use scaled losses, or the largest series decides alone.

    Args:
        loss_a: scaled loss of the first model (series,); NaN: not scored.
        loss_b: that of the second, same shape.

    Returns:
        A :class:`TestResult`.

    Raises:
        ValueError: shapes that differ.

    Example:
        >>> round(paired_series_test(np.array([1.0, 2.0, 4.0]), np.zeros(3)).statistic, 3)
        2.646

    Source: Student (1908), Biometrika 6.
    """
    return diebold_mariano(loss_a, loss_b, horizon=1)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p-values for having made several tests, so that one false alarm among all has the stated chance.

    Args:
        p_values: one a test; None where a test could not be made: it stays None and is not counted.

    Returns:
        Adjusted p-values in the order given, none below its own p-value.

    Raises:
        ValueError: a p-value outside 0..1.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]

    Source: Holm (1979), Scandinavian Journal of Statistics 6.
    """
    made = [(p, index) for index, p in enumerate(p_values) if p is not None]
    if any(not 0 <= p <= 1 for p, _ in made):
        raise ValueError(f"`p_values` must lie in 0..1. Received: {list(p_values)}")
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, index) in enumerate(sorted(made)):
        highest = max(highest, min(1.0, (len(made) - rank) * p))
        adjusted[index] = highest
    return adjusted


def compare_losses(
    losses: Mapping[str, np.ndarray], *, against: str, horizon: int, groups: np.ndarray | None = None
) -> list[TestRow]:
    """Test every model against one of them, and say by which fraction it lowers that one's loss.

    Args:
        losses: per model its loss at each origin (origins,), all at the same origins in time order.
        against: the model to beat, a key of ``losses``; its mean loss is the unit of the effects.
        horizon: as in :func:`diebold_mariano`.
        groups: as in :func:`diebold_mariano`.

    Returns:
        For every other model a row for :func:`recurra.evaluation.judge`: ``model``, ``against``, ``effect``
        (fraction by which the mean loss is lower; positive: better), ``effect_low``, ``effect_high`` (95 %
        interval), ``p_value``, ``p_holm``, ``n``, ``note``.

    Raises:
        ValueError: an unknown ``against``, shapes that differ.

    Example:
        >>> losses = {"lstm": np.array([1, 1, 2.0]), "ets": np.array([2, 3, 3.0])}
        >>> rows = compare_losses(losses, against="ets", horizon=1)
        >>> rows[0]["model"], rows[0]["effect"]
        ('lstm', 0.5)
    """
    if against not in losses:
        raise ValueError(f"`against` must be one of {list(losses)}. Received: {against!r}")
    rows: list[TestRow] = []
    for model in (name for name in losses if name != against):
        result = diebold_mariano(losses[model], losses[against], horizon=horizon, groups=groups)
        # Over the origins both were scored at, as the difference is.
        both = ~np.isnan(losses[model]) & ~np.isnan(losses[against])
        unit = float(losses[against][both].mean()) if result.n else 0.0
        high = _ratio(result.low, -unit)
        row: TestRow = {
            "model": model,
            "against": against,
            "effect": _ratio(-result.difference, unit),
            "effect_low": _ratio(result.high, -unit),
            "effect_high": None if high is None else min(high, 1.0),  # no loss is lower than nothing
            "effect_bound": _ratio(result.bound, -unit),
            "p_value": result.p_value,
            "n": result.n,
            "note": result.note,
            "p_holm": None,
        }
        rows.append(row)
    return with_holm(rows)


def with_holm(rows: list[TestRow]) -> list[TestRow]:
    """The rows with their p-values corrected for the number of tests."""
    for row, adjusted in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        row["p_holm"] = adjusted
    return rows


def _ratio(value: float | None, unit: float) -> float | None:
    return None if value is None or not unit else value / unit


def _variance_of_mean(groups: list[np.ndarray], *, horizon: int) -> tuple[float | None, str]:
    """Small-sample corrected variance of the mean of each group's centred differences (None: too few), and a note."""
    n = sum(int(np.sum(~np.isnan(group))) for group in groups)
    products = [
        np.concatenate([group[lag:] * group[: max(len(group) - lag, 0)] for group in groups]) for lag in range(horizon)
    ]
    pairs = np.array([np.sum(~np.isnan(product)) for product in products])
    covariances = np.array([np.nansum(product) for product in products]) / n  # (horizon,)
    variance, note = covariances[0] + 2 * covariances[1:].sum(), ""
    if variance <= 0:
        weights = 1 - np.arange(1, horizon) / horizon
        variance = covariances[0] + 2 * np.sum(weights * covariances[1:])
        note = "Bartlett kernel, because the rectangular one gave no positive variance"
    # E[estimate] = variance x factor. With one gapless group the factor is (n + 1 - 2h + h(h - 1)/n) / n.
    factor = (n - 1 - 2 * pairs[1:].sum() / n) / n
    if min(factor, variance, n / horizon - 1) <= 0:
        return None, f"{n} differences are too few where {horizon} neighbouring forecasts overlap"
    return float(variance / n / factor), note
