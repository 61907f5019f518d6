"""Mixes of a task: what a network and a baseline predicted of the validation part → weights, and mixed predictions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..evaluation.mixing import (
    LEAST_PROBABILITY,
    Weights,
    class_scale,
    class_weights,
    mixed_probabilities,
    mixed_values,
    value_scale,
    value_weights,
)
from .protocol import Config, FittedModel


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A baseline on the validation part, fitted on the training part alone.

    Attributes:
        predicted: of the validation part.
        loss: its mean loss there: log loss of classes, absolute error of values, MASE of forecasts.
        has_graph: whether a network can be mixed with it.
        seconds: of fitting and predicting.
    """

    predicted: Any
    loss: float
    has_graph: bool
    seconds: float


@dataclass(frozen=True, eq=False)
class Partner:
    """A baseline that a network is mixed with.

    Attributes:
        held_out: what it predicts of the validation part, fitted on the training part alone.
        fitted: the baseline that predicts, fitted on both parts.
        tested: what that one predicts of the test set; None where nothing is scored.
        seconds: of fitting it twice.
        predict_ms: milliseconds per prediction.
    """

    held_out: Any
    fitted: Any
    tested: Any
    seconds: float
    predict_ms: float


@dataclass(frozen=True, eq=False)
class MixedModel:
    """A network mixed with a baseline, on the data of one fold.

    Attributes:
        fitted: predictor and evaluation of the mix.
        weights: of the network and of the baseline.
        seconds: that the mix takes beyond the network's training.
        predict_ms: milliseconds per prediction beyond the network's.
    """

    fitted: FittedModel
    weights: Weights
    seconds: float
    predict_ms: float


def which(name: str, config: Config) -> tuple[str, str]:
    """What tells a baseline with its settings from all others."""
    return name, json.dumps(config, sort_keys=True)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What the work gives, and its seconds."""
    begun = time.perf_counter()
    return work(), time.perf_counter() - begun


class Partners:
    """The baselines of a fold by their settings, each fitted once: on the training part alone, and on both parts.

    Args:
        fit: a baseline's name, its settings and whether it learns from the validation part too → it, fitted.
        validated: a fitted baseline → what it predicts of the validation part, and its loss there.
        tested: a fitted baseline → what it predicts of the test set, and how many predictions that is.
    """

    def __init__(
        self,
        fit: Callable[[str, Config, bool], Any],
        validated: Callable[[Any], tuple[Any, float]],
        tested: Callable[[Any], tuple[Any, int]],
    ) -> None:
        self._fit, self._validated, self._tested = fit, validated, tested
        self._tried: dict[tuple[str, str], HeldOut] = {}
        self._partners: dict[tuple[str, str], Partner] = {}

    def held_out(self, name: str, config: Config) -> HeldOut:
        """A baseline on the training part alone; kept, since a mix asks for what a choice has asked before."""
        key = which(name, config)
        if key not in self._tried:
            begun = time.perf_counter()
            fitted = self._fit(name, config, False)
            predicted, loss = self._validated(fitted)
            self._tried[key] = HeldOut(predicted, loss, fitted.why_no_graph is None, time.perf_counter() - begun)
        return self._tried[key]

    def partner(self, name: str, config: Config) -> Partner:
        """A baseline on both parts and on the training part alone; kept, since every network asks for it."""
        held = self.held_out(name, config)
        if not held.has_graph:
            raise ValueError(f"`baseline` must have a graph. Received: {name!r}")
        key = which(name, config)
        if key not in self._partners:
            fitted, again = timed(lambda: self._fit(name, config, True))
            (tested, count), spent = timed(lambda: self._tested(fitted))
            predict_ms = 1000 * spent / max(count, 1)
            self._partners[key] = Partner(held.predicted, fitted, tested, held.seconds + again, predict_ms)
        return self._partners[key]


class ClassMixing:
    """Classes: weighted logits; a prediction is (n, classes), or a list of (time, classes)."""

    @staticmethod
    def loss(y_true: Any, predicted: Any) -> float:
        """Mean log loss over the classes that training knows."""
        y, p = _rows(y_true), _rows(predicted)
        known = y >= 0
        return float(-np.mean(np.log(np.maximum(p[known, y[known]], LEAST_PROBABILITY)))) if known.any() else np.nan

    @staticmethod
    def weights(y_true: Any, first: Any, second: Any) -> Weights:
        """Logistic regression on the two logits."""
        return class_weights(_rows(y_true), _rows(first), _rows(second))

    @staticmethod
    def scale(y_true: Any, predicted: Any) -> float:
        """What the logits are multiplied by: logistic regression on them."""
        return class_scale(_rows(y_true), _rows(predicted))

    @staticmethod
    def mixed(weights: Weights, first: Any, second: Any) -> Any:
        """Probabilities of the mix."""
        if not isinstance(first, list):
            return mixed_probabilities(weights, first, second)
        return [mixed_probabilities(weights, a, b) for a, b in zip(first, second, strict=True)]


class ValueMixing:
    """Numbers: weighted values (n,)."""

    @staticmethod
    def loss(y_true: np.ndarray, predicted: np.ndarray) -> float:
        """Mean absolute error."""
        return float(np.mean(np.abs(y_true - predicted)))

    weights = staticmethod(value_weights)
    scale = staticmethod(value_scale)
    mixed = staticmethod(mixed_values)


def _rows(given: Any) -> np.ndarray:
    """Steps of all sequences in a row; what is one for each sequence stays as it is."""
    return np.concatenate(given) if isinstance(given, list) else np.asarray(given)
