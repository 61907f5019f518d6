"""Logistic and ridge regression whose strength is chosen on a held-out tenth of the training part."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .examples import choose, held_out_tenth, in_columns

# Inverse strengths of the penalty, a factor of ten apart: between neighbours accuracy hardly differs.
INVERSE_STRENGTHS = (1.0, 10.0, 100.0)
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
# A held-out class that the fitted part has not seen costs as much as in `evaluation.log_loss`.
SMALLEST = 1e-7


def logistic(
    features: Any,
    targets: np.ndarray,
    n_classes: int,
    *,
    inverse_strengths: Sequence[float] = INVERSE_STRENGTHS,
    seed: int = 0,
) -> Callable[[Any], np.ndarray]:
    """Fit multinomial logistic regression to features (n, columns), dense or sparse, of at least two classes.

    Returns:
        A function from features to probabilities (n, n_classes); a class never seen in training has 0.
    """
    targets = np.asarray(targets, dtype=int)

    def log_loss(strength: float, fitted: np.ndarray, held: np.ndarray) -> float:
        model = _logistic(features[fitted], targets[fitted], strength)
        probabilities = in_columns(model.predict_proba(features[held]), model.classes_, n_classes)
        return float(-np.mean(np.log(np.maximum(probabilities[np.arange(len(held)), targets[held]], SMALLEST))))

    if len(np.unique(targets[held_out_tenth(len(targets), seed=seed)[0]])) < 2:  # a rare class is all held out
        inverse_strengths = (1.0,)
    chosen = choose(inverse_strengths, log_loss, len(targets), seed=seed)
    model = _logistic(features, targets, chosen)
    return lambda features: in_columns(model.predict_proba(features), model.classes_, n_classes)


def ridge(features: Any, targets: np.ndarray, *, seed: int = 0) -> Callable[[Any], np.ndarray]:
    """Fit ridge regression to features (n, columns), dense or sparse.

    Returns:
        A function from features to values (n,).
    """
    targets = np.asarray(targets, dtype=float)

    def squared_error(strength: float, fitted: np.ndarray, held: np.ndarray) -> float:
        predicted = _ridge(features[fitted], targets[fitted], strength).predict(features[held])
        return float(np.mean((predicted - targets[held]) ** 2))

    model = _ridge(features, targets, choose(STRENGTHS, squared_error, len(targets), seed=seed))
    return lambda features: np.asarray(model.predict(features), dtype=float)


def _logistic(features: Any, targets: np.ndarray, inverse_strength: float) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # scikit-learn depends on it

    # Its many small products take a hundred times longer where several threads wait for a busy core.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # Of a weak penalty the last digits of the loss are still moving; the targets no longer do.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=inverse_strength, max_iter=300).fit(features, targets)


def _ridge(features: Any, targets: np.ndarray, strength: float) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=strength).fit(features, targets)
