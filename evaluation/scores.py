"""How wrong the y_true to whole examples are: classes, values, tags, and next tokens.

A label that training never saw is an answer id outside 0..classes - 1 (by custom -1): it is always wrong, and its
probability counts as ``SMALLEST``. ``mae`` and ``rmse`` of values are those of ``metrics.py``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

# Keras' epsilon. A baseline's plain 0 and a network's rounded 0 cost the same, 16.1 nats; no single answer decides.
SMALLEST = 1e-7
BINS = 15


def accuracy(y_true: np.ndarray, predicted: np.ndarray) -> float:
    """Share of right y_true.

    Arguments:
        y_true: true class ids (n,).
        predicted: predicted class ids (n,).

    Returns:
        A share; NaN of no examples.

    Raises:
        ValueError: shapes that differ.

    Example:
        >>> accuracy(np.array([0, 1]), np.array([0, 0]))
        0.5
    """
    y_true, predicted = _same_shape(y_true, predicted)
    return _mean(predicted == y_true)


def macro_f1(y_true: np.ndarray, predicted: np.ndarray) -> float:
    """Mean over the classes of F1, the harmonic mean of precision and recall: every class weighs the same.

    Over the classes that stand in the y_true or were predicted; one never hit counts 0. Arguments, returns and errors
    as in :func:`accuracy`.

    Example:
        >>> round(macro_f1(np.array([0, 0, 0, 1]), np.zeros(4, int)), 3)
        0.429

    Source: Sokolova and Lapalme (2009), Information Processing & Management 45, table 3; by scikit-learn.
    """
    from sklearn.metrics import f1_score

    y_true, predicted = _same_shape(y_true, predicted)
    return float(f1_score(y_true, predicted, average="macro", zero_division=0)) if len(y_true) else float("nan")


def log_loss(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean negative natural logarithm of the probability of the right class, in nats.

    Probabilities below 1e-7 count as that, and so do labels that training never saw.

    Arguments:
        y_true: true class ids (n,).
        probabilities: (n, classes), rows that sum to 1.

    Returns:
        A loss; NaN of no examples.

    Raises:
        ValueError: shapes that do not belong together.

    Example:
        >>> round(log_loss(np.array([0]), np.array([[0.5, 0.5]])), 3)
        0.693

    Source: Good (1952), Rational Decisions, Journal of the Royal Statistical Society B 14.
    """
    y_true, probabilities = _checked(y_true, probabilities)
    known = (y_true >= 0) & (y_true < probabilities.shape[1])
    own = probabilities[np.arange(len(y_true)), np.where(known, y_true, 0)]
    return _mean(-np.log(np.maximum(np.where(known, own, 0.0), SMALLEST)))


def calibration_error(y_true: np.ndarray, probabilities: np.ndarray, *, bins: int = BINS) -> float:
    """How far the probability of the answer given is from the share of right y_true (expected calibration error).

    Answers are sorted into 15 bins of equal width by their probability; the distance in each bin is weighted by the
    y_true in it. 0 is best; some hundredths are mere chance where a bin holds few. Arguments, returns and errors as
    in :func:`log_loss`.

    Example:
        >>> calibration_error(np.array([0, 1]), np.array([[0.75, 0.25], [0.75, 0.25]]))
        0.25

    Source: Guo, Pleiss, Sun and Weinberger (2017), On Calibration of Modern Neural Networks, ICML, eq. 3.
    """
    y_true, probabilities = _checked(y_true, probabilities)
    if not len(y_true):
        return float("nan")
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == y_true
    which = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    distance = np.abs(np.bincount(which, weights=right - sure, minlength=bins))
    return float(distance.sum() / len(y_true))


def r2(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Share of the variance that is explained: 1 is best, 0 is as good as the mean of the truth.

    Arguments:
        truth: true values (n,); NaN is not scored.
        predicted: predicted values (n,); NaN where a truth is known makes the result NaN.

    Returns:
        At most 1; NaN of no values, or of values that are all the same.

    Raises:
        ValueError: shapes that differ.

    Example:
        >>> r2(np.array([1.0, 3.0]), np.array([1.0, 2.0]))
        0.5

    Source: Kvålseth (1985), Cautionary Note about R², The American Statistician 39, eq. 1.
    """
    truth, predicted = _same_shape(np.asarray(truth, dtype=float), np.asarray(predicted, dtype=float))
    known = ~np.isnan(truth)
    truth, predicted = truth[known], predicted[known]
    variance = float(np.var(truth)) if len(truth) else 0.0
    return 1 - _mean((predicted - truth) ** 2) / variance if variance > 0 else float("nan")


def tag_error(y_true: Sequence[np.ndarray], predicted: Sequence[np.ndarray]) -> float:
    """Share of wrong tags; all tags weigh the same, whatever the length of their sequence.

    Arguments:
        y_true: for each sequence its true tag ids (time,).
        predicted: for each sequence the predicted ones (time,).

    Returns:
        A share; NaN of no steps.

    Raises:
        ValueError: sequences or lengths that do not belong together.

    Example:
        >>> tag_error([np.array([0, 0]), np.array([1, 1])], [np.array([0, 1]), np.array([1, 1])])
        0.25
    """
    wrong = _wrong(y_true, predicted)
    return _mean(np.concatenate([np.zeros(0, dtype=bool), *wrong]))


def exact_share(y_true: Sequence[np.ndarray], predicted: Sequence[np.ndarray]) -> float:
    """Share of sequences without any wrong tag; one without steps is not scored.

    Arguments, returns and errors as in :func:`tag_error`.

    Example:
        >>> exact_share([np.array([0, 0]), np.array([1, 1])], [np.array([0, 1]), np.array([1, 1])])
        0.5
    """
    return _mean(np.array([not wrong.any() for wrong in _wrong(y_true, predicted) if len(wrong)]))


def nats(log_probabilities: np.ndarray) -> float:
    """Mean negative log likelihood a token, in nats.

    Arguments:
        log_probabilities: natural logarithm of the probability of each token of the text (tokens,).

    Example:
        >>> round(nats(np.log([0.5, 0.125])), 3)
        1.386

    Source: Jelinek, Mercer, Bahl and Baker (1977), Perplexity, Journal of the Acoustical Society of America 62.
    """
    return _mean(-np.asarray(log_probabilities, dtype=float))


def perplexity(log_probabilities: np.ndarray) -> float:
    """Exponential of :func:`nats`: among how many equally likely tokens one would have to guess.

    Example:
        >>> round(perplexity(np.log([0.5, 0.125])), 3)
        4.0
    """
    # Beyond 700 the exponential is no longer a number that JSON knows.
    return float(np.exp(min(nats(log_probabilities), 700.0)))


def bits(log_probabilities: np.ndarray) -> float:
    """:func:`nats` in bits a token.

    Example:
        >>> round(bits(np.log([0.5, 0.125])), 3)
        2.0
    """
    return float(nats(log_probabilities) / np.log(2))


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _same_shape(truth: Any, predicted: Any) -> tuple[np.ndarray, np.ndarray]:
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if truth.ndim != 1 or truth.shape != predicted.shape:
        raise ValueError(f"truth and prediction must have one shape (n,). Received: {truth.shape}, {predicted.shape}")
    return truth, predicted


def _wrong(y_true: Sequence[np.ndarray], predicted: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Which steps of each sequence are wrong."""
    lengths, found = [len(tags) for tags in y_true], [len(tags) for tags in predicted]
    if lengths != found:
        pairs = enumerate(zip(lengths, found, strict=False))
        first = next((i for i, (true, said) in pairs if true != said), min(len(lengths), len(found)))
        raise ValueError(
            "y_true and predictions must have the same lengths. "
            f"Received: {len(lengths)} and {len(found)} sequences, differing first at {first}"
        )
    return [np.asarray(said) != np.asarray(true) for true, said in zip(y_true, predicted, strict=True)]


def _checked(y_true: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y_true, probabilities = np.asarray(y_true), np.asarray(probabilities, dtype=float)
    if y_true.ndim != 1 or probabilities.ndim != 2 or len(y_true) != len(probabilities):
        raise ValueError(
            "`y_true` must be (n,) and `probabilities` (n, classes). "
            f"Received: {y_true.shape} and {probabilities.shape}"
        )
    return y_true.astype(int), probabilities
