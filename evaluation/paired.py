"""Tests between models that predicted the same examples: paired bootstrap and McNemar's test.

Examples are independent of one another, unlike neighbouring forecasts (``significance.py``); where they are not (the
tags of one sequence, the tokens of one text) whole groups are drawn.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from .significance import TestResult, TestRow, with_holm

RESAMPLES = 10_000
# With fewer groups their resamples say little about other groups.
FEWEST_GROUPS = 10
# Cells of a block of resamples held at once: 16 MB.
CELLS = 2_000_000
# Up to so many distinct groups, how often each is drawn is cheaper than which one is.
FEW_KINDS = 100


def mcnemar(correct_a: np.ndarray, correct_b: np.ndarray) -> TestResult:
    """Exact test whether two classifiers err equally often, from the examples that only one of them gets right.

    Args:
        correct_a: whether the first model was right (n,).
        correct_b: whether the second was, on the same examples.

    Returns:
        A :class:`TestResult` without an interval: ``statistic`` is the number of examples that only the second gets
        right, ``difference`` the difference of the error rates, ``p_value`` 1 where no example tells them apart.

    Raises:
        ValueError: shapes that differ, no examples.

    Example:
        >>> mcnemar(np.array([True] * 6), np.array([False] * 6)).p_value
        0.03125

    Source: McNemar (1947), Psychometrika 12; exact binomial form.
    """
    from scipy import stats  # slow to import

    correct_a, correct_b = np.asarray(correct_a, dtype=bool), np.asarray(correct_b, dtype=bool)
    if correct_a.ndim != 1 or correct_a.shape != correct_b.shape or not len(correct_a):
        raise ValueError(
            "`correct_a` and `correct_b` must have one shape (n,), n at least 1. "
            f"Received: {correct_a.shape} and {correct_b.shape}"
        )
    only_a, only_b = int(np.sum(correct_a & ~correct_b)), int(np.sum(correct_b & ~correct_a))
    p_value = float(stats.binomtest(only_b, only_a + only_b).pvalue) if only_a + only_b else 1.0
    return TestResult(float(only_b), p_value, (only_b - only_a) / len(correct_a), None, None, len(correct_a))


def paired_bootstrap(
    loss_a: np.ndarray,
    loss_b: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> TestResult:
    """Interval and test of the difference of two mean losses, by drawing the examples anew many times.

    Losses of single predictions are anything but normal (0 or 1, or long-tailed). The percentile interval is widened as
    Student's is against the normal one, with as many degrees of freedom as groups on which the models differ, less
    one: without that, six examples that only one model gets right would already be significant at 1 % (McNemar: 3 %).
    The p-value is the one at which the widened interval just reaches 0, so both always agree. Where the losses do not
    differ at all, the rule of three gives the interval: 3/n of the largest loss on either side.

    Args:
        loss_a: loss of the first model on each example, or tag, or token (n,); NaN: not scored.
        loss_b: that of the second, same shape.
        groups: what is drawn as a whole (n,): the sequence of each tag, the block of text of each token (see
            :func:`in_blocks`). Each example for itself by default.
        weights: how much each loss counts (n,): the tags or tokens that it is the mean of. All the same by default.
        resamples: how many; the smallest p-value possible is 2 / (resamples + 1).
        seed: of the draws.

    Returns:
        A :class:`TestResult` whose ``statistic`` is the difference in standard errors; its ``note`` says where the test
        could not be made (fewer than 10 groups).

    Raises:
        ValueError: shapes that differ, fewer than 100 resamples.

    Example:
        >>> result = paired_bootstrap(np.zeros(50), np.tile([1.0, 0.0], 25))
        >>> result.difference, result.low < -0.5 < result.high, result.p_value < 0.001
        (-0.5, True, True)

    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 13 and 16; the widening: Hesterberg
    (2015), The American Statistician 69, section 5.3 ("expanded percentile"); rule of three: Hanley and Lippman-Hand
    (1983), JAMA 249.
    """
    from scipy import stats  # slow to import

    loss_a, loss_b, groups, weights = _aligned(loss_a, loss_b, groups, weights)
    if resamples < 100:
        raise ValueError(f"`resamples` must be at least 100. Received: {resamples}")
    scored = ~np.isnan(loss_a - loss_b) & (weights > 0)
    difference, weights, n = (loss_a - loss_b)[scored], weights[scored], int(scored.sum())
    _, group = np.unique(groups[scored], return_inverse=True)
    sums, sizes = np.bincount(group, weights=weights * difference), np.bincount(group, weights=weights)
    mean = float(sums.sum() / sizes.sum()) if n else float("nan")
    if len(sums) < FEWEST_GROUPS:
        note = f"only {len(sums)} independent example{'' if len(sums) == 1 else 's'}; {FEWEST_GROUPS} are needed"
        return TestResult(None, None, mean, None, None, n, note=note)
    differing = int(np.sum(sums != 0))
    if differing == 0:
        margin = 3 / len(sums) * float(max(np.abs(loss_a[scored]).max(), np.abs(loss_b[scored]).max()))
        note = "no example tells the two apart; rule of three"
        return TestResult(0.0, 1.0, 0.0, -margin, margin, n, note=note, bound=-margin)
    degrees = max(differing - 1, 1)
    widening = np.sqrt((degrees + 1) / degrees) * stats.t.ppf(0.975, degrees) / stats.norm.ppf(0.975)
    rng = np.random.default_rng(seed)
    drawn = np.concatenate(list(_resampled_means(sums, sizes, resamples=resamples, rng=rng)))
    error = float(drawn.std() * np.sqrt((degrees + 1) / degrees))
    drawn = mean + widening * (drawn - mean)
    low, bound, high = np.quantile(drawn, [0.025, 0.05, 0.975])
    beyond = min(np.sum(drawn <= 0), np.sum(drawn >= 0))
    p_value = min(1.0, 2 * (float(beyond) + 1) / (resamples + 1))
    statistic = mean / error if error else None
    return TestResult(statistic, p_value, mean, float(low), float(high), n, bound=float(bound))


def in_blocks(n: int, *, blocks: int = 100) -> np.ndarray:
    """Groups for :func:`paired_bootstrap` from one long text: blocks of equal length, in order.

    The loss of a token is correlated with that of its neighbours, hardly with that of tokens a hundredth of the
    text away.

    Args:
        n: tokens scored.
        blocks: how many; fewer where there are fewer tokens.

    Returns:
        The block of each token (n,).

    Example:
        >>> in_blocks(5, blocks=2)
        array([0, 0, 0, 1, 1])

    Source: Künsch (1989), Annals of Statistics 17 (blocks that do not overlap: Carlstein 1986, ibidem 14).
    """
    return np.arange(n) * min(blocks, n) // max(n, 1)


def compare_paired_losses(
    losses: Mapping[str, np.ndarray],
    *,
    against: str,
    groups: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    correct: Mapping[str, np.ndarray] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[TestRow]:
    """Test every model against one of them, and say by which fraction it lowers that one's loss.

    Args:
        losses: per model its loss on each example, tag or token (n,), or (seeds, n), all on the same ones. Of several
            seeds the losses are averaged per example before the test.
        against: the model to beat, a key of ``losses``; its mean loss is the unit of the effects.
        groups, weights: as in :func:`paired_bootstrap`.
        correct: per model whether each prediction of one seed is right (n,): McNemar's test is made too. Those of
            several seeds cannot be averaged, so hand in those of the first seed of every model.
        resamples, seed: as in :func:`paired_bootstrap`.

    Returns:
        For every other model a row for :func:`recurra.evaluation.judge`: ``model``, ``against``, ``effect``
        (fraction by which the mean loss is lower; positive: better), ``effect_low``, ``effect_high`` (95 % interval),
        ``p_value``, ``p_holm``, ``n``, ``note``; with ``correct`` also ``mcnemar_p`` (not corrected). Against a loss of
        0 nothing can be better: the effect is 0 for a model without losses too and -1 for any other, and its interval
        ends at 0.

    Raises:
        ValueError: an unknown ``against``, shapes that differ.

    Example:
        >>> wrong = np.arange(100) % 2
        >>> row = compare_paired_losses({"lstm": wrong * (np.arange(100) < 60), "nbsvm": wrong}, against="nbsvm")[0]
        >>> row["model"], row["effect"], row["effect_low"] > 0
        ('lstm', 0.4, True)
    """
    if against not in losses:
        raise ValueError(f"`against` must be one of {list(losses)}. Received: {against!r}")
    averaged = {model: np.atleast_2d(np.asarray(loss, dtype=float)).mean(axis=0) for model, loss in losses.items()}
    rows: list[TestRow] = []
    for model in (name for name in losses if name != against):
        result = paired_bootstrap(
            averaged[model], averaged[against], groups=groups, weights=weights, resamples=resamples, seed=seed
        )
        effect, low, high, bound = _effects(result, averaged[model], averaged[against], weights)
        row: TestRow = {
            "model": model,
            "against": against,
            "effect": effect,
            "effect_low": low,
            "effect_high": high,
            "effect_bound": bound,
            "p_value": result.p_value,
            "n": result.n,
            "note": result.note,
            "p_holm": None,
        }
        if correct is not None:
            row["mcnemar_p"] = mcnemar(correct[model], correct[against]).p_value
        rows.append(row)
    return with_holm(rows)


def _aligned(
    loss_a: np.ndarray, loss_b: np.ndarray, groups: np.ndarray | None, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The arguments of :func:`paired_bootstrap` as arrays of one shape (n,), its defaults filled in."""
    loss_a, loss_b = np.asarray(loss_a, dtype=float), np.asarray(loss_b, dtype=float)
    groups = np.arange(len(loss_a)) if groups is None else np.asarray(groups)
    weights = np.ones(len(loss_a)) if weights is None else np.asarray(weights, dtype=float)
    if loss_a.ndim != 1 or not loss_a.shape == loss_b.shape == groups.shape == weights.shape:
        raise ValueError(
            "`loss_a`, `loss_b`, `groups` and `weights` must have one shape (n,). "
            f"Received: {loss_a.shape}, {loss_b.shape}, {groups.shape}, {weights.shape}"
        )
    return loss_a, loss_b, groups, weights


def _effects(
    result: TestResult, loss: np.ndarray, reference: np.ndarray, weights: np.ndarray | None
) -> tuple[float | None, float | None, float | None, float | None]:
    """Difference, interval and bound as fractions of the reference's mean loss, over what both were scored on."""
    both = ~np.isnan(loss) & ~np.isnan(reference)
    weights = np.ones(len(loss)) if weights is None else np.asarray(weights, dtype=float)
    unit = float(np.average(reference[both], weights=weights[both])) if weights[both].any() else float("nan")
    if result.low is None or result.high is None:
        effect = -result.difference / unit if unit > 0 else None
        return effect, None, None, None
    if unit == 0:
        return -1.0 if result.difference else 0.0, -1.0, 0.0, 0.0
    bound = result.low if result.bound is None else result.bound
    # no loss is lower than nothing
    return -result.difference / unit, -result.high / unit, min(-result.low / unit, 1.0), min(-bound / unit, 1.0)


def _resampled_means(
    sums: np.ndarray, sizes: np.ndarray, *, resamples: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Means of resampled groups, a block of resamples at a time."""
    n = len(sums)
    kinds, often = np.unique(np.stack([sums, sizes], axis=1), axis=0, return_counts=True)
    few = len(kinds) <= FEW_KINDS
    block = max(1, CELLS // (len(kinds) if few else n))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        if few:  # right and wrong predictions are of three kinds, however many there are
            total = rng.multinomial(n, often / n, size=rows) @ kinds  # (rows, 2)
            yield total[:, 0] / total[:, 1]
        else:
            drawn = rng.integers(n, size=(rows, n), dtype=np.int32)
            yield sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
