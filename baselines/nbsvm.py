"""NBSVM: a linear classifier on n-grams weighted by how much likelier one class makes them."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..grid import Grid
from .linear import Classifier, LinearBaseline, softmax
from .majority import Majority, majority
from .model_selection import MIN_HELD_OUT, held_out_tenth
from .ngram_features import fit_ngrams, has_ngrams, ngram_choices

# Wang and Manning's: how far the weights go from their mean size.
BETA = 0.25
TEMPERATURES = (0.05, 20.0)


def nbsvm_grid(inputs: Sequence[Any]) -> Grid:
    """What :func:`nbsvm` may be told, for texts or token lists."""
    return {"C": [1.0, 0.1, 10.0], "alpha": [1.0, 0.3], "ngrams": ngram_choices(inputs)}


def nbsvm(
    inputs: Sequence[Any],
    targets: np.ndarray,
    n_classes: int,
    *,
    C: float = 1.0,
    alpha: float = 1.0,
    ngrams: int | None = None,
    seed: int = 0,
) -> LinearBaseline | Majority:
    """Naive Bayes log-count ratios as features of a linear classifier, one class against the rest.

    The strongest simple classifier of long texts there is. Which n-grams occur in a text (cut by the rule of
    ``ngram_features.py``, not counted) is weighted by the logarithm of how much likelier the class makes them; the
    fitted weights are shrunk three quarters of the way to their mean size, and the offset is fitted again to what they
    then give. The classifier has logistic loss, and the scores become probabilities by one temperature, fitted on a
    held-out tenth of the training set (1 where that is too small). Without any n-gram, or with one class only, it is
    :func:`recurra.baselines.majority`.

    Arguments, returns and errors are those of :func:`recurra.baselines.tfidf_logistic`; ``alpha`` is the count added to
    every n-gram of a class, ``seed`` is of the held-out tenth and of the solver.

    Source: Wang and Manning (2012), Baselines and Bigrams, ACL, sections 2.1 to 2.3. Temperature: Guo, Pleiss, Sun and
    Weinberger (2017), On Calibration of Modern Neural Networks, ICML, section 4.2.
    """
    targets = np.asarray(targets, dtype=int)
    if not has_ngrams(inputs) or len(np.unique(targets)) < 2:
        return majority(inputs, targets, n_classes)
    features, training = fit_ngrams(inputs, tfidf=False, longest=ngrams)
    fit = partial(_fit, C=C, alpha=alpha, seed=seed)
    temperature = _temperature(training, targets, fit, seed=seed)
    fitted = fit(training, targets)
    model = Classifier(fitted.weights, fitted.offsets, fitted.classes, n_classes, temperature)
    return LinearBaseline("nbsvm", features, model)


@dataclass(frozen=True)
class Scorer:
    """Linear scores of the classes seen in training: weights (columns, classes) and offsets (classes,)."""

    weights: np.ndarray
    offsets: np.ndarray
    classes: np.ndarray

    def scores(self, features: Any) -> np.ndarray:
        """Scores (n, classes); their softmax with temperature 1 are the uncalibrated probabilities."""
        return features @ self.weights + self.offsets


def _fit(features: Any, targets: np.ndarray, *, C: float, alpha: float, seed: int) -> Scorer:
    one_against_rest = partial(_one_against_rest, features, C=C, alpha=alpha, seed=seed)
    classes = np.unique(targets)
    if len(classes) == 2:  # one problem, seen from both sides
        weights, offset = one_against_rest(targets == classes[1])
        return Scorer(np.stack([-weights, weights], axis=1) / 2, np.array([-offset, offset]) / 2, classes)
    fits = [one_against_rest(targets == name) for name in classes]
    return Scorer(np.stack([fit[0] for fit in fits], axis=1), np.array([fit[1] for fit in fits]), classes)


def _one_against_rest(
    features: Any, is_class: np.ndarray, *, C: float, alpha: float, seed: int
) -> tuple[np.ndarray, float]:
    """Interpolated weights (columns,) on the unweighted features, and the offset."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    ratio = _log_rates(features[is_class], alpha) - _log_rates(features[~is_class], alpha)  # (columns,)
    model = LogisticRegression(C=C, solver="liblinear", dual=True, max_iter=300, random_state=seed)
    with warnings.catch_warnings():
        # Where a class is easily recognised the last digits of the weights still move; the predictions no longer do.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features.multiply(ratio).tocsr(), is_class)
    weights = model.coef_[0]
    weights = ratio * ((1 - BETA) * np.abs(weights).mean() + BETA * weights)
    return weights, _offset(features @ weights, is_class)


def _offset(scores: np.ndarray, is_class: np.ndarray) -> float:
    """What is added to scores (n,), made with interpolated weights, so that 0 is between the classes.

    The mean size weighs every n-gram, so it moves all texts: with the offset that was fitted to the weights before,
    all of them may be on one side.
    """
    from sklearn.linear_model import LogisticRegression

    spread = float(scores.std())
    if spread == 0:
        return 0.0
    line = LogisticRegression().fit(scores[:, np.newaxis] / spread, is_class)
    slope = float(line.coef_[0, 0]) / spread
    return float(line.intercept_[0]) / slope if slope > 0 else 0.0


def _log_rates(features: Any, alpha: float) -> np.ndarray:
    """Logarithm of each n-gram's relative frequency in some texts: (columns,)."""
    counts = alpha + np.asarray(features.sum(axis=0), dtype=float).ravel()
    return np.log(counts / counts.sum())


def _temperature(features: Any, targets: np.ndarray, fit: Callable[[Any, np.ndarray], Scorer], *, seed: int) -> float:
    """What the scores are divided by to give the held-out targets the highest likelihood."""
    from scipy.optimize import minimize_scalar

    fitted, held = held_out_tenth(len(targets), seed=seed)
    held = held[np.isin(targets[held], targets[fitted])]
    if len(held) < MIN_HELD_OUT or len(np.unique(targets[fitted])) < 2:
        return 1.0
    scorer = fit(features[fitted], targets[fitted])
    scores = scorer.scores(features[held])
    own = np.searchsorted(scorer.classes, targets[held])

    def log_loss(log_temperature: float) -> float:
        probabilities = softmax(scores / np.exp(log_temperature))[np.arange(len(held)), own]
        return float(-np.mean(np.log(np.maximum(probabilities, np.finfo(float).tiny))))

    return float(np.exp(minimize_scalar(log_loss, bounds=np.log(TEMPERATURES), method="bounded").x))
