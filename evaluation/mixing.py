"""Weights with which two models' predictions are joined, fitted on examples that neither has learnt from."""

from __future__ import annotations

import numpy as np

# A probability below this counts as this: one class that a model has never seen must not outweigh all else.
LEAST_PROBABILITY = 1e-7
EQUAL = (0.5, 0.5)
_LARGEST_SCALE = 20.0
Weights = tuple[float, float]


def class_weights(y_true: np.ndarray, first: np.ndarray, second: np.ndarray) -> Weights:
    """Weights of two models' logits by logistic regression, none negative.

    The sum of log losses plus half the squared distance of the weights from one half each is least: with few
    examples, or where one model is always right, the weights stay finite and near equal ones.

    Args:
        y_true: class numbers (n,); those below 0 are left out.
        first, second: probabilities of each model (n, classes).

    Returns:
        The two weights; one half each without examples.

    Example:
        >>> right = np.array([[0.9, 0.1], [0.1, 0.9]] * 50)
        >>> w = class_weights(np.array([0, 1] * 50), right, np.full((100, 2), 0.5))
        >>> w[0] > 1 > w[1]
        True

    Source: Wolpert (1992), Stacked generalization, Neural Networks 5; Mesnil, Mikolov, Ranzato and Bengio (2015),
    Ensemble of generative and discriminative techniques for sentiment analysis, ICLR workshop.
    """
    from scipy.optimize import minimize  # slow to import
    from scipy.special import log_softmax

    known = y_true >= 0
    if not known.any():
        return EQUAL
    own = np.flatnonzero(known), y_true[known]
    logs = np.stack([_logs(first), _logs(second)])  # (2, n, classes)

    def cost(weights: np.ndarray) -> tuple[float, np.ndarray]:
        log_p = log_softmax(np.tensordot(weights, logs, axes=1), axis=1)
        loss = -log_p[own].sum() + 0.5 * np.sum((weights - EQUAL) ** 2)
        expected = (np.exp(log_p)[known] * logs[:, known]).sum(axis=(1, 2))
        return loss, expected - logs[:, own[0], own[1]].sum(axis=1) + weights - EQUAL

    found = minimize(cost, np.array(EQUAL), jac=True, method="L-BFGS-B", bounds=[(0, None)] * 2).x
    return float(found[0]), float(found[1])


def class_scale(y_true: np.ndarray, predicted: np.ndarray) -> float:
    """What a model's logits are to be multiplied by, from logistic regression in one dimension.

    Half the squared distance from one is added to the log losses, so that it stays finite where all is right.

    Args:
        y_true: class numbers (n,); those below 0 are left out.
        predicted: probabilities (n, classes) of examples that the model has not learnt from.

    Returns:
        A number from 0 on; 1 without examples.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    known = y_true >= 0
    if not known.any():
        return 1.0
    logs, own = _logs(predicted[known]), y_true[known]

    def cost(scale: float) -> float:
        return float(0.5 * (scale - 1) ** 2 - log_softmax(scale * logs, axis=1)[np.arange(len(own)), own].sum())

    return float(minimize_scalar(cost, bounds=(0.0, _LARGEST_SCALE), method="bounded").x)


def value_scale(y_true: np.ndarray, predicted: np.ndarray) -> float:
    """What a model's scaled values are to be multiplied by, from least squares, not below 0; 1 where all are 0."""
    size = float(np.sum(predicted**2))
    return float(max(np.sum(predicted * y_true) / size, 0.0)) if size else 1.0


def mixed_probabilities(weights: Weights, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Softmax of the weighted logits of two models: (n, classes)."""
    from scipy.special import softmax

    return softmax(weights[0] * _logs(first) + weights[1] * _logs(second), axis=1)


def value_weights(y_true: np.ndarray, first: np.ndarray, second: np.ndarray) -> Weights:
    """Weights of two models' values by least squares, none negative, with a sum of one, so that no level is moved.

    Args:
        y_true: values of any shape; NaN is left out.
        first, second: what each model predicts, of the same shape.

    Example:
        >>> value_weights(np.array([1.0, 2.0]), np.array([1.5, 2.5]), np.array([0.5, 1.5]))
        (0.5, 0.5)
    """
    apart, missing = first - second, y_true - second
    known = np.isfinite(apart) & np.isfinite(missing)
    size = float(np.sum(apart[known] ** 2))
    if size == 0:
        return EQUAL
    weight = float(np.clip(np.sum(apart[known] * missing[known]) / size, 0, 1))
    return weight, 1 - weight


def mixed_values(weights: Weights, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Weighted values of two models; where the second has none, those of the first."""
    return np.where(np.isfinite(second), weights[0] * first + weights[1] * second, first)


def interpolation_weights(first: np.ndarray, second: np.ndarray) -> Weights:
    """Weights of two models' probabilities, with a sum of one, that make observed tokens likeliest.

    Half an observation of each model is added, so that neither gets a weight of 0 and a surprise stays possible.

    Args:
        first, second: log probability that each model gave to every token (tokens,).

    Example:
        >>> w = interpolation_weights(np.log([0.9, 0.1]), np.log([0.1, 0.9]))
        >>> round(w[0], 2)
        0.5

    Source: Jelinek & Mercer (1980), Interpolated estimation of Markov source parameters.
    """
    from scipy.optimize import minimize_scalar  # slow to import

    def cost(weight: float) -> float:
        both = interpolated((weight, 1 - weight), first, second)
        return float(-both.sum() - 0.5 * (np.log(weight) + np.log1p(-weight)))

    weight = float(minimize_scalar(cost, bounds=(0, 1), method="bounded").x)
    return weight, 1 - weight


def interpolated(weights: Weights, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Logarithm of the weighted probabilities of two models: log probabilities (tokens,) each → (tokens,)."""
    return np.logaddexp(np.log(weights[0]) + first, np.log(weights[1]) + second)


def _logs(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities, LEAST_PROBABILITY))
