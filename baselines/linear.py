"""Linear models on features: logistic and ridge regression, fitted by scikit-learn and kept as plain arrays."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .graph_ops import GraphConstants, as_logits, run_eagerly
from .model_selection import in_columns

if TYPE_CHECKING:
    import tensorflow as tf


class Features(Protocol):
    """Columns made of inputs; ``per_step``: one row for every step of a sequence, not for every sequence."""

    per_step: bool

    def __call__(self, inputs: Any) -> Any:
        """Features (n, columns), dense or sparse; of all steps in a row where they are per step."""

    def scores(self, raw: Mapping[str, tf.Tensor], weights: tf.Tensor) -> tf.Tensor:
        """Features of raw inputs times weights (columns, outputs), in the graph: float64 (batch, [time,] outputs)."""

    def resources(self) -> list[Any]:
        """Tables and variables."""

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values with the kind, and arrays."""


class Classifier:
    """Linear scores of the classes seen in training, and their softmax.

    Args:
        weights: (columns, scores); a single score is that of the second of two classes against the first.
        offsets: (scores,).
        classes: ids of the classes seen (classes seen,).
        n_classes: those never seen included.
        temperature: what the scores are divided by.
    """

    kind = "classifier"

    def __init__(
        self, weights: np.ndarray, offsets: np.ndarray, classes: np.ndarray, n_classes: int, temperature: float = 1.0
    ) -> None:
        self.weights, self.offsets, self.classes = weights, offsets, classes
        self.n_classes, self.temperature = n_classes, temperature

    def __call__(self, features: Any) -> np.ndarray:
        """Probabilities (n, n_classes); a class never seen in training has 0."""
        from scipy.special import expit

        scores = np.asarray(features @ self.weights) + self.offsets
        scores = scores / self.temperature if self.temperature != 1 else scores
        if scores.shape[1] == 1:
            second = expit(scores[:, 0])
            return in_columns(np.stack([1 - second, second], axis=1), self.classes, self.n_classes)
        return in_columns(softmax(scores), self.classes, self.n_classes)

    def graph(self, scores: tf.Tensor) -> dict[str, tf.Tensor]:
        """Scores float64 (batch, [time,] scores) → ``logits`` (batch, [time,] n_classes)."""
        import tensorflow as tf

        scores = scores / self.temperature
        if scores.shape[-1] == 1:
            scores = tf.concat([tf.zeros_like(scores), scores], axis=-1)
        probabilities = tf.nn.softmax(scores)
        wide = tf.concat([probabilities, tf.zeros_like(probabilities[..., :1])], axis=-1)
        columns = np.full(self.n_classes, len(self.classes))
        columns[self.classes] = np.arange(len(self.classes))
        return {"logits": as_logits(tf.gather(wide, columns, axis=-1))}

    def none(self) -> np.ndarray:
        """Predictions for no examples."""
        return np.zeros((0, self.n_classes))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays."""
        arrays = {"weights": self.weights, "offsets": self.offsets, "classes": self.classes}
        return {"kind": self.kind, "n_classes": self.n_classes, "temperature": self.temperature}, arrays

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Classifier:
        """What :meth:`state` described."""
        return cls(arrays["weights"], arrays["offsets"], arrays["classes"], config["n_classes"], config["temperature"])


class Regressor:
    """A linear function: weights (columns, 1) and offsets (1,)."""

    kind = "regressor"

    def __init__(self, weights: np.ndarray, offsets: np.ndarray) -> None:
        self.weights, self.offsets = weights, offsets

    def __call__(self, features: Any) -> np.ndarray:
        """Values (n,)."""
        return np.asarray(features @ self.weights[:, 0] + self.offsets[0], dtype=float)

    def graph(self, scores: tf.Tensor) -> dict[str, tf.Tensor]:
        """Scores float64 (batch, 1) → ``value`` (batch,)."""

        return {"value": scores[:, 0]}

    def none(self) -> np.ndarray:
        """Predictions for no examples."""
        return np.zeros(0)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays."""
        return {"kind": self.kind}, {"weights": self.weights, "offsets": self.offsets}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Regressor:  # noqa: ARG003
        """What :meth:`state` described."""
        return cls(arrays["weights"], arrays["offsets"])


class LinearBaseline:
    """A linear model on features of the raw inputs.

    Args:
        name: that of the baseline.
        features: made of inputs.
        model: reads them.
    """

    why_no_graph = None
    kind = "linear"

    def __init__(self, name: str, features: Features, model: Classifier | Regressor) -> None:
        self.name, self.features, self.model = name, features, model
        weights, offsets = (array.astype(np.float64) for array in (model.weights, model.offsets))
        self._constants = GraphConstants(weights=weights, offsets=offsets)

    def __call__(self, inputs: Sequence[Any]) -> Any:
        """Probabilities (n, classes), values (n,), or a list of probabilities (time, classes)."""
        if self.features.per_step:
            if not sum(len(sequence) for sequence in inputs):
                return [self.model.none() for _ in inputs]
            return split_steps(self.model(self.features(inputs)), inputs)
        return self.model(self.features(inputs)) if len(inputs) else self.model.none()

    def predict(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The graph on arrays."""
        return run_eagerly(self.graph, raw)

    def graph(self, raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Raw inputs → ``logits`` (batch, [time,] classes) or ``value`` (batch,)."""
        scores = self.features.scores(raw, self._constants["weights"].value())
        return self.model.graph(scores + self._constants["offsets"])

    def extra_inputs(self) -> dict[str, tf.TensorSpec]:
        """None."""
        return {}

    def resources(self) -> list[Any]:
        """Tables and variables of the features, and the weights."""
        return [*self.features.resources(), *self._constants.resources()]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays."""
        features, learnt = self.features.state()
        model, weights = self.model.state()
        arrays = {f"features_{name}": array for name, array in learnt.items()}
        return {"kind": self.kind, "name": self.name, "features": features, "model": model}, arrays | weights

    def __repr__(self) -> str:
        return f"{self.name} on {self.features!r}"


def restore_linear(
    config: dict[str, Any], arrays: Mapping[str, np.ndarray], feature_kinds: Mapping[str, Any]
) -> LinearBaseline:
    """What :meth:`LinearBaseline.state` described, by the classes of features."""
    own = {name.removeprefix("features_"): array for name, array in arrays.items() if name.startswith("features_")}
    features = feature_kinds[config["features"]["kind"]].from_state(config["features"], own)
    model: Classifier | Regressor
    if config["model"]["kind"] == Classifier.kind:
        model = Classifier.from_state(config["model"], arrays)
    else:
        model = Regressor.from_state(config["model"], arrays)
    return LinearBaseline(config["name"], features, model)


def logistic(features: Any, targets: np.ndarray, n_classes: int, *, C: float) -> Classifier:
    """Fit multinomial logistic regression.

    Arguments:
        features: (n, columns), dense or sparse.
        targets: class ids (n,), of at least two classes.
        n_classes: how many classes there are, seen or not.
        C: inverse strength of the penalty, as in scikit-learn.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # scikit-learn depends on it

    # Its many small products take a hundred times longer where several threads wait for a busy core.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # With a weak penalty the last digits of the loss are still moving; the predictions no longer do.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=C, max_iter=300).fit(features, np.asarray(targets, dtype=int))
    return Classifier(model.coef_.T, model.intercept_, model.classes_, n_classes)


def ridge(features: Any, targets: np.ndarray, *, alpha: float) -> Regressor:
    """Fit ridge regression to features (n, columns); `alpha` is the strength of its penalty."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=alpha).fit(features, np.asarray(targets, dtype=float))
    return Regressor(model.coef_[:, None], np.array([model.intercept_]))


def softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities (n, classes) of scores."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def split_steps(rows: np.ndarray, sequences: Sequence[Any]) -> list[np.ndarray]:
    """Rows of all steps given back to their sequences."""
    return np.split(rows, np.cumsum([len(sequence) for sequence in sequences])[:-1]) if len(sequences) else []
