"""What is known without looking at the input: the rates of the classes, or the mean of the values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .graph_ops import as_logits, batch_size, run_eagerly
from .model_selection import class_rates

if TYPE_CHECKING:
    import tensorflow as tf


def majority(inputs: Any, targets: np.ndarray, n_classes: int, *, seed: int = 0) -> Majority:  # noqa: ARG001
    """Predict the class rates of training for every example, so the most frequent class.

    The first thing a classifier must beat: on unbalanced data a high accuracy may mean no more than this.

    Arguments:
        inputs: training examples, of any kind; not looked at.
        targets: class ids (n,), each in 0..n_classes - 1.
        n_classes: how many classes there are, seen in training or not.
        seed: not used here; every baseline takes the same arguments.

    Returns:
        A fitted baseline; called on examples, it gives probabilities (n, n_classes) whose rows sum to 1.

    Raises:
        ValueError: no targets, or ids outside the classes.

    Example:
        >>> majority(["a", "b", "c", "d"], np.array([0, 1, 1, 1]), 2)(["e"])
        array([[0.25, 0.75]])
    """
    return Majority(class_rates(targets, n_classes))


def mean(inputs: Any, targets: np.ndarray, n_classes: int | None = None, *, seed: int = 0) -> Mean:  # noqa: ARG001
    """Predict the mean of the training targets for every example.

    The first thing a regression must beat: its r2 on the training set is 0 by definition.

    Arguments:
        inputs: training examples, of any kind; not looked at.
        targets: values (n,), in any unit.
        n_classes, seed: not used here; every baseline takes the same arguments.

    Returns:
        A fitted baseline; called on examples, it gives values (n,), in the unit of ``targets``.

    Example:
        >>> mean(["a", "b"], np.array([1.0, 2.0]))(["c"])
        array([1.5])
    """
    return Mean(float(np.mean(targets)))


class Majority:
    """The same class probabilities for every example."""

    kind = "majority"
    why_no_graph = None

    def __init__(self, rates: np.ndarray) -> None:
        self.rates = rates

    def __call__(self, inputs: Any) -> np.ndarray:
        """Probabilities (n, classes)."""
        return np.tile(self.rates, (len(inputs), 1))

    def predict(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The graph on arrays."""
        return run_eagerly(self.graph, raw)

    def graph(self, raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Raw inputs of any kind → ``logits`` (batch, classes)."""
        import tensorflow as tf

        return {"logits": tf.repeat(as_logits(tf.constant(self.rates))[None], batch_size(raw), axis=0)}

    def extra_inputs(self) -> dict[str, tf.TensorSpec]:
        """None."""
        return {}

    def resources(self) -> list[Any]:
        """None."""
        return []

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays."""
        return {"kind": self.kind}, {"rates": self.rates}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Majority:  # noqa: ARG003
        """What :meth:`state` described."""
        return cls(arrays["rates"])

    def __repr__(self) -> str:
        return f"majority: class {int(self.rates.argmax())} at {self.rates.max():.1%}"


class Mean:
    """The same value for every example."""

    kind = "mean"
    why_no_graph = None

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, inputs: Any) -> np.ndarray:
        """Values (n,)."""
        return np.full(len(inputs), self.value)

    def predict(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The graph on arrays."""
        return run_eagerly(self.graph, raw)

    def graph(self, raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Raw inputs of any kind → ``value`` (batch,)."""
        import tensorflow as tf

        return {"value": tf.fill(batch_size(raw)[None], tf.constant(self.value, tf.float64))}

    def extra_inputs(self) -> dict[str, tf.TensorSpec]:
        """None."""
        return {}

    def resources(self) -> list[Any]:
        """None."""
        return []

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays."""
        return {"kind": self.kind}, {"value": np.array(self.value)}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Mean:  # noqa: ARG003
        """What :meth:`state` described."""
        return cls(float(arrays["value"]))

    def __repr__(self) -> str:
        return f"mean: {self.value:g}"
