"""TF-IDF and a linear model: the text baseline that many networks fail to beat."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .examples import Predict
from .grams import has_grams, vectoriser
from .linear import logistic, ridge
from .majority import majority, mean


def tfidf_logistic(inputs: Sequence[Any], targets: np.ndarray, n_classes: int, *, seed: int = 0) -> Predict:
    """Logistic regression on TF-IDF weighted n-grams.

    N-grams are cut by the rule of ``grams.py``, weighted by 1 + log(count) and by inverse document frequency, each text
    brought to length 1. The strength of the penalty is chosen on a held-out tenth of the training part. Without any
    n-gram, or with one class only, the answer is that of :func:`recurra.baselines.majority`.

    Arguments:
        inputs: training texts, or lists of tokens (n,).
        targets: class ids (n,), each in 0..n_classes - 1.
        n_classes: how many classes there are, seen in training or not.
        seed: of the held-out tenth.

    Returns:
        A function from texts (or token lists) to probabilities (n, n_classes) whose rows sum to 1.

    Example:
        >>> predict = tfidf_logistic(["good film", "bad film"] * 9, np.array([1, 0] * 9), 2)
        >>> predict(["a good one"]).argmax(axis=1)
        array([1])

    Source: Salton and Buckley (1988), Information Processing & Management 24.
    """
    if not has_grams(inputs) or len(np.unique(targets)) < 2:
        return majority(inputs, targets, n_classes)
    features, transform = _weighted(inputs)
    model = logistic(features, targets, n_classes, seed=seed)
    return lambda inputs: model(transform(inputs)) if len(inputs) else np.zeros((0, n_classes))


def tfidf_ridge(
    inputs: Sequence[Any],
    targets: np.ndarray,
    n_classes: int | None = None,  # noqa: ARG001
    *,
    seed: int = 0,
) -> Predict:
    """Ridge regression on TF-IDF weighted n-grams, made as for :func:`tfidf_logistic`.

    Arguments:
        inputs: training texts, or lists of tokens (n,).
        targets: values (n,), in any unit.
        n_classes: not used here; every baseline takes the same arguments.
        seed: of the held-out tenth.

    Returns:
        A function from texts (or token lists) to values (n,), in the unit of ``targets``. Without any n-gram in
        training, their mean.

    Source: Hoerl and Kennard (1970), Technometrics 12.
    """
    if not has_grams(inputs):
        return mean(inputs, targets)
    features, transform = _weighted(inputs)
    model = ridge(features, targets, seed=seed)
    return lambda inputs: model(transform(inputs)) if len(inputs) else np.zeros(0)


def _weighted(inputs: Sequence[Any]) -> tuple[Any, Callable[[Any], Any]]:
    """Sparse features (n, n-grams), and the function that makes them of other texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    weights = vectoriser(TfidfVectorizer, inputs, sublinear_tf=True)
    return weights.fit_transform(inputs), weights.transform
