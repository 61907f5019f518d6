"""TF-IDF and a linear model: the text baseline that many networks fail to beat."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..grid import Grid
from .linear import LinearBaseline, logistic, ridge
from .majority import Majority, Mean, majority, mean
from .ngram_features import characters_within_words, fit_ngrams, has_ngrams, ngram_choices


def logistic_grid(inputs: Sequence[Any]) -> Grid:
    """What :func:`tfidf_logistic` may be told, for texts or token lists."""
    return {"C": [10.0, 100.0, 1.0], "ngrams": ngram_choices(inputs)}


def ridge_grid(inputs: Sequence[Any]) -> Grid:
    """What :func:`tfidf_ridge` may be told, for texts or token lists."""
    return {"alpha": [1.0, 0.1, 10.0], "ngrams": ngram_choices(inputs)}


def tfidf_logistic(
    inputs: Sequence[Any],
    targets: np.ndarray,
    n_classes: int,
    *,
    C: float = 10.0,
    ngrams: int | None = None,
    seed: int = 0,  # noqa: ARG001
) -> LinearBaseline | Majority:
    """Logistic regression on TF-IDF weighted n-grams.

    N-grams are cut by the rule of ``ngram_features.py``, weighted by 1 + log(count) and by inverse document frequency,
    each text brought to length 1. Without any n-gram, or with one class only, it is :func:`recurra.baselines.majority`.

    Arguments:
        inputs: training texts, or lists of tokens (n,).
        targets: class ids (n,), each in 0..n_classes - 1.
        n_classes: how many classes there are, seen in training or not.
        C: inverse strength of the penalty.
        ngrams: pieces of the longest n-gram; None: two words, or five characters.
        seed: not used here; every baseline takes the same arguments.

    Returns:
        A fitted baseline; called on texts (or token lists), it gives probabilities (n, n_classes) whose rows sum to 1.

    Example:
        >>> fitted = tfidf_logistic(["good film", "bad film"] * 9, np.array([1, 0] * 9), 2)
        >>> fitted(["a good one"]).argmax(axis=1)
        array([1])

    Source: Salton and Buckley (1988), Information Processing & Management 24.
    """
    if not has_ngrams(inputs) or len(np.unique(targets)) < 2:
        return majority(inputs, targets, n_classes)
    features, training = fit_ngrams(inputs, tfidf=True, longest=ngrams)
    return LinearBaseline("tfidf_logistic", features, logistic(training, targets, n_classes, C=C))


def tfidf_ridge(
    inputs: Sequence[Any],
    targets: np.ndarray,
    n_classes: int | None = None,  # noqa: ARG001
    *,
    alpha: float = 1.0,
    ngrams: int | None = None,
    seed: int = 0,  # noqa: ARG001
) -> LinearBaseline | Mean:
    """Ridge regression on TF-IDF weighted n-grams, made as for :func:`tfidf_logistic`.

    Arguments:
        inputs: training texts, or lists of tokens (n,).
        targets: values (n,), in any unit.
        alpha: strength of the penalty.
        ngrams: as for :func:`tfidf_logistic`.
        n_classes, seed: not used here; every baseline takes the same arguments.

    Returns:
        A fitted baseline; called on texts (or token lists), it gives values (n,), in the unit of ``targets``. Without
        any n-gram in training, their mean.

    Source: Hoerl and Kennard (1970), Technometrics 12.
    """
    if not has_ngrams(inputs):
        return mean(inputs, targets)
    features, training = fit_ngrams(inputs, tfidf=True, longest=ngrams)
    return LinearBaseline("tfidf_ridge", features, ridge(training, targets, alpha=alpha))


def characters_grid(of_words: Callable[[Sequence[Any]], Grid]) -> Callable[[Sequence[Any]], Grid]:
    """A grid for n-grams of words, as one for characters within words."""
    return lambda inputs: {**of_words(inputs), "ngrams": [5, 4, 6]}


def tfidf_characters_logistic(
    inputs: Sequence[str],
    targets: np.ndarray,
    n_classes: int,
    *,
    C: float = 10.0,
    ngrams: int = 5,
    seed: int = 0,  # noqa: ARG001
) -> LinearBaseline | Majority:
    """Logistic regression on TF-IDF weighted characters in a row, 2 to `ngrams` of them, within words.

    What words alone do not show: endings, misspellings, made-up names. Each word has a space before and after it
    (scikit-learn's ``char_wb``); all else is as for :func:`tfidf_logistic`.

    Source: Cavnar and Trenkle (1994), N-gram-based text categorization, SDAIR.
    """
    if not any(text.split() for text in inputs) or len(np.unique(targets)) < 2:
        return majority(inputs, targets, n_classes)
    features, training = fit_ngrams(inputs, tfidf=True, cut=characters_within_words(ngrams))
    return LinearBaseline("tfidf_characters", features, logistic(training, targets, n_classes, C=C))


def tfidf_characters_ridge(
    inputs: Sequence[str],
    targets: np.ndarray,
    n_classes: int | None = None,  # noqa: ARG001
    *,
    alpha: float = 1.0,
    ngrams: int = 5,
    seed: int = 0,  # noqa: ARG001
) -> LinearBaseline | Mean:
    """Ridge regression on what :func:`tfidf_characters_logistic` reads; arguments as for :func:`tfidf_ridge`."""
    if not any(text.split() for text in inputs):
        return mean(inputs, targets)
    features, training = fit_ngrams(inputs, tfidf=True, cut=characters_within_words(ngrams))
    return LinearBaseline("tfidf_characters", features, ridge(training, targets, alpha=alpha))
