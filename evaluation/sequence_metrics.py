"""How wrong predictions of classes, values, tags and next tokens are.

A label that training never saw is a class id outside 0..classes - 1 (by custom -1): it is always wrong, and its
probability counts as ``SMALLEST``. ``mae`` and ``rmse`` of values are those of ``forecast_metrics.py``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

# Keras' epsilon. A baseline's plain 0 and a network's rounded 0 cost the same, 16.1 nats; no single label decides.
SMALLEST = 1e-7
BINS = 15


def accuracy(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Fraction of right labels.

    Args:
        y_true: true class ids (n,).
        y_pred: predicted class ids (n,).

    Returns:
        A fraction; NaN of no examples.

    Raises:
        ValueError: shapes that differ.

    Example:
        >>> accuracy(np.array([0, 1]), np.array([0, 0]))
        0.5
    """
    y_true, y_pred = _same_shape(y_true, y_pred)
    return _mean(y_pred == y_true)


def macro_f1(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Mean over the classes of F1, the harmonic mean of precision and recall: every class has the same weight.

    Over the classes that occur or were predicted; one never hit counts 0. Arguments, returns and errors as in
    :func:`accuracy`.

    Example:
        >>> round(macro_f1(np.array([0, 0, 0, 1]), np.zeros(4, int)), 3)
        0.429

    Source: Sokolova and Lapalme (2009), Information Processing & Management 45, table 3; by scikit-learn.
    """
    from sklearn.metrics import f1_score

    y_true, y_pred = _same_shape(y_true, y_pred)
    return float(f1_score(y_true, y_pred, average="macro", zero_division=0)) if len(y_true) else float("nan")


def log_loss(y_true: np.ndarray, y_prob: np.ndarray) -> float:
    """Mean negative natural logarithm of the probability of the right class, in nats.

    Probabilities below 1e-7 count as that, and so do labels that training never saw.

    Args:
        y_true: true class ids (n,).
        y_prob: probabilities (n, classes), rows that sum to 1.

    Returns:
        A loss; NaN of no examples.

    Raises:
        ValueError: shapes that do not belong together.

    Example:
        >>> round(log_loss(np.array([0]), np.array([[0.5, 0.5]])), 3)
        0.693

    Source: Good (1952), Rational Decisions, Journal of the Royal Statistical Society B 14.
    """
    y_true, y_prob = _checked(y_true, y_prob)
    known = (y_true >= 0) & (y_true < y_prob.shape[1])
    own = y_prob[np.arange(len(y_true)), np.where(known, y_true, 0)]
    return _mean(-np.log(np.maximum(np.where(known, own, 0.0), SMALLEST)))


def expected_calibration_error(y_true: np.ndarray, y_prob: np.ndarray, *, bins: int = BINS) -> float:
    """How far the probability of the predicted class is from the fraction of right labels.

    Predictions are sorted into 15 bins of equal width by their probability; the distance in each bin is weighted by
    the predictions in it. 0 is best; some hundredths are mere chance where a bin holds few. Arguments, returns and
    errors as in :func:`log_loss`.

    Example:
        >>> expected_calibration_error(np.array([0, 1]), np.array([[0.75, 0.25], [0.75, 0.25]]))
        0.25

    Source: Guo, Pleiss, Sun and Weinberger (2017), On Calibration of Modern Neural Networks, ICML, eq. 3.
    """
    y_true, y_prob = _checked(y_true, y_prob)
    if not len(y_true):
        return float("nan")
    confidence = y_prob.max(axis=1)
    right = y_prob.argmax(axis=1) == y_true
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    distance = np.abs(np.bincount(which, weights=right - confidence, minlength=bins))
    return float(distance.sum() / len(y_true))


def r2(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Fraction of the variance that is explained: 1 is best, 0 is as good as the mean of the true values.

    Args:
        y_true: true values (n,); NaN is not scored.
        y_pred: predicted values (n,); NaN where a true value is known makes the result NaN.

    Returns:
        At most 1; NaN of no values, or of values that are all the same.

    Raises:
        ValueError: shapes that differ.

    Example:
        >>> r2(np.array([1.0, 3.0]), np.array([1.0, 2.0]))
        0.5

    Source: Kvålseth (1985), Cautionary Note about R², The American Statistician 39, eq. 1.
    """
    y_true, y_pred = _same_shape(np.asarray(y_true, dtype=float), np.asarray(y_pred, dtype=float))
    known = ~np.isnan(y_true)
    y_true, y_pred = y_true[known], y_pred[known]
    variance = float(np.var(y_true)) if len(y_true) else 0.0
    return 1 - _mean((y_pred - y_true) ** 2) / variance if variance > 0 else float("nan")


def tag_error_rate(y_true: Sequence[np.ndarray], y_pred: Sequence[np.ndarray]) -> float:
    """Fraction of wrong tags; all tags have the same weight, whatever the length of their sequence.

    Args:
        y_true: for each sequence its true tag ids (time,).
        y_pred: for each sequence the predicted ones (time,).

    Returns:
        A fraction; NaN of no steps.

    Raises:
        ValueError: sequences or lengths that do not belong together.

    Example:
        >>> tag_error_rate([np.array([0, 0]), np.array([1, 1])], [np.array([0, 1]), np.array([1, 1])])
        0.25
    """
    wrong = _wrong(y_true, y_pred)
    return _mean(np.concatenate([np.zeros(0, dtype=bool), *wrong]))


def exact_match(y_true: Sequence[np.ndarray], y_pred: Sequence[np.ndarray]) -> float:
    """Fraction of sequences without any wrong tag; one without steps is not scored.

    Arguments, returns and errors as in :func:`tag_error_rate`.

    Example:
        >>> exact_match([np.array([0, 0]), np.array([1, 1])], [np.array([0, 1]), np.array([1, 1])])
        0.5
    """
    return _mean(np.array([not wrong.any() for wrong in _wrong(y_true, y_pred) if len(wrong)]))


def accuracy_by_step(y_true: Sequence[np.ndarray], y_pred: Sequence[np.ndarray]) -> np.ndarray:
    """Fraction of right tags at each step, over the sequences that reach it.

    Args:
        y_true: for each sequence its true tag ids (time,).
        y_pred: for each sequence the predicted ones (time,).

    Returns:
        Fractions (longest time,).

    Example:
        >>> accuracy_by_step([np.array([0, 0]), np.array([1])], [np.array([0, 1]), np.array([0])])
        array([0.5, 0. ])
    """
    longest = max((len(tags) for tags in y_true), default=0)
    right, count = np.zeros(longest), np.zeros(longest)
    for true, predicted in zip(y_true, y_pred, strict=True):
        right[: len(true)] += true == predicted
        count[: len(true)] += 1
    return right / np.maximum(count, 1)


def cross_entropy(log_probabilities: np.ndarray) -> float:
    """Mean negative log likelihood per token, in nats.

    Args:
        log_probabilities: natural logarithm of the probability of each token of the text (tokens,).

    Example:
        >>> round(cross_entropy(np.log([0.5, 0.125])), 3)
        1.386

    Source: Jelinek, Mercer, Bahl and Baker (1977), Perplexity, Journal of the Acoustical Society of America 62.
    """
    return _mean(-np.asarray(log_probabilities, dtype=float))


def perplexity(log_probabilities: np.ndarray) -> float:
    """Exponential of :func:`cross_entropy`: among how many equally likely tokens one would have to guess.

    Example:
        >>> round(perplexity(np.log([0.5, 0.125])), 3)
        4.0
    """
    # A little beyond 700 the exponential is infinite, which JSON cannot hold.
    return float(np.exp(min(cross_entropy(log_probabilities), 700.0)))


def bits_per_token(log_probabilities: np.ndarray) -> float:
    """:func:`cross_entropy` in bits per token.

    Example:
        >>> round(bits_per_token(np.log([0.5, 0.125])), 3)
        2.0
    """
    return float(cross_entropy(log_probabilities) / np.log(2))


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _same_shape(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape:
        raise ValueError(f"`y_true` and `y_pred` must have one shape (n,). Received: {y_true.shape}, {y_pred.shape}")
    return y_true, y_pred


def _wrong(y_true: Sequence[np.ndarray], y_pred: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Which steps of each sequence are wrong."""
    lengths, found = [len(tags) for tags in y_true], [len(tags) for tags in y_pred]
    if lengths != found:
        pairs = enumerate(zip(lengths, found, strict=False))
        first = next((i for i, (true, other) in pairs if true != other), min(len(lengths), len(found)))
        raise ValueError(
            "`y_true` and `y_pred` must have the same lengths. "
            f"Received: {len(lengths)} and {len(found)} sequences, differing first at {first}"
        )
    return [np.asarray(predicted) != np.asarray(true) for true, predicted in zip(y_true, y_pred, strict=True)]


def _checked(y_true: np.ndarray, y_prob: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y_true, y_prob = np.asarray(y_true), np.asarray(y_prob, dtype=float)
    if y_true.ndim != 1 or y_prob.ndim != 2 or len(y_true) != len(y_prob):
        raise ValueError(
            f"`y_true` must be (n,) and `y_prob` (n, classes). Received: {y_true.shape} and {y_prob.shape}"
        )
    return y_true.astype(int), y_prob
