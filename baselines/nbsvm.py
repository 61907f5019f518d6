"""NBSVM: a linear classifier on n-grams weighted by how much likelier one class makes them."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .examples import FEWEST_HELD_OUT, Predict, held_out_tenth, in_columns
from .grams import has_grams, vectoriser
from .majority import majority

# Wang and Manning's: how far the weights go from their mean size, and the count added to every n-gram of a class.
BETA, ALPHA = 0.25, 1.0
INVERSE_STRENGTH = 1.0
TEMPERATURES = (0.05, 20.0)


def nbsvm(inputs: Sequence[Any], targets: np.ndarray, n_classes: int, *, seed: int = 0) -> Predict:
    """Naive Bayes log-count ratios as features of a linear classifier, one class against the rest.

    The strongest simple classifier of long texts there is. Which n-grams stand in a text (cut by the rule of
    ``grams.py``, not counted) is weighted by the logarithm of how much likelier the class makes them; the fitted
    weights are drawn back three quarters of the way to their mean size. The classifier has logistic loss, and the
    scores become probabilities by one temperature, fitted on a held-out tenth of the training part (1 where that is
    too small). Without any n-gram, or with one class only, the answer is that of
    :func:`recurra.baselines.majority`.

    Arguments, returns and errors are those of :func:`recurra.baselines.tfidf_logistic`; ``seed`` is of the held-out
    tenth and of the solver.

    Source: Wang and Manning (2012), Baselines and Bigrams, ACL, sections 2.1 to 2.3. Temperature: Guo, Pleiss, Sun and
    Weinberger (2017), On Calibration of Modern Neural Networks, ICML, section 4.2.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    targets = np.asarray(targets, dtype=int)
    if not has_grams(inputs) or len(np.unique(targets)) < 2:
        return majority(inputs, targets, n_classes)
    stands = vectoriser(CountVectorizer, inputs, binary=True)
    features = stands.fit_transform(inputs)
    temperature = _temperature(features, targets, seed=seed)
    scorer = _fit(features, targets, seed=seed)

    def predict(inputs: Sequence[Any]) -> np.ndarray:
        if not len(inputs):
            return np.zeros((0, n_classes))
        return in_columns(_softmax(scorer.scores(stands.transform(inputs)) / temperature), scorer.classes, n_classes)

    return predict


@dataclass(frozen=True)
class Scorer:
    """Linear scores of the classes seen in training: weights (columns, classes) and offsets (classes,)."""

    weights: np.ndarray
    offsets: np.ndarray
    classes: np.ndarray

    def scores(self, features: Any) -> np.ndarray:
        """Scores (n, classes); their softmax with temperature 1 are the uncalibrated probabilities."""
        return features @ self.weights + self.offsets


def _fit(features: Any, targets: np.ndarray, *, seed: int) -> Scorer:
    classes = np.unique(targets)
    if len(classes) == 2:  # one problem, told from both sides
        weights, offset = _one_against_rest(features, targets == classes[1], seed=seed)
        return Scorer(np.stack([-weights, weights], axis=1) / 2, np.array([-offset, offset]) / 2, classes)
    fits = [_one_against_rest(features, targets == name, seed=seed) for name in classes]
    return Scorer(np.stack([fit[0] for fit in fits], axis=1), np.array([fit[1] for fit in fits]), classes)


def _one_against_rest(features: Any, is_class: np.ndarray, *, seed: int) -> tuple[np.ndarray, float]:
    """Interpolated weights (columns,) on the unweighted features, and the offset."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    ratio = _log_shares(features[is_class]) - _log_shares(features[~is_class])  # (columns,)
    model = LogisticRegression(C=INVERSE_STRENGTH, solver="liblinear", dual=True, max_iter=300, random_state=seed)
    with warnings.catch_warnings():
        # Of a class that is easily told the last digits of the weights are still moving; the targets no longer do.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features.multiply(ratio).tocsr(), is_class)
    weights = model.coef_[0]
    return ratio * ((1 - BETA) * np.abs(weights).mean() + BETA * weights), float(model.intercept_[0])


def _log_shares(features: Any) -> np.ndarray:
    """Logarithm of each n-gram's share among all those of some texts: (columns,)."""
    counts = ALPHA + np.asarray(features.sum(axis=0), dtype=float).ravel()
    return np.log(counts / counts.sum())


def _temperature(features: Any, targets: np.ndarray, *, seed: int) -> float:
    """What the scores are divided by, so that held-out targets are likeliest."""
    from scipy.optimize import minimize_scalar

    fitted, held = held_out_tenth(len(targets), seed=seed)
    held = held[np.isin(targets[held], targets[fitted])]
    if len(held) < FEWEST_HELD_OUT or len(np.unique(targets[fitted])) < 2:
        return 1.0
    scorer = _fit(features[fitted], targets[fitted], seed=seed)
    scores = scorer.scores(features[held])
    own = np.searchsorted(scorer.classes, targets[held])

    def log_loss(log_temperature: float) -> float:
        probabilities = _softmax(scores / np.exp(log_temperature))[np.arange(len(held)), own]
        return float(-np.mean(np.log(np.maximum(probabilities, np.finfo(float).tiny))))

    return float(np.exp(minimize_scalar(log_loss, bounds=np.log(TEMPERATURES), method="bounded").x))


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
