"""Linear models on a whole sequence laid out as one row: what can be predicted without any notion of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..grid import Grid
from .linear import LinearBaseline, logistic, ridge
from .majority import Majority, majority
from .scaling import MAX_STEPS, Scale, fit_scale, stretch_padded, stretched

if TYPE_CHECKING:
    import tensorflow as tf


LOGISTIC_GRID: Grid = {"C": [1.0, 0.1, 10.0, 0.01]}
RIDGE_GRID: Grid = {"alpha": [10.0, 100.0, 1.0, 1000.0, 0.1]}


def logistic_flattened(
    inputs: Sequence[np.ndarray],
    targets: np.ndarray,
    n_classes: int,
    *,
    C: float = 1.0,
    seed: int = 0,  # noqa: ARG001
) -> LinearBaseline | Majority:
    """Logistic regression on every step of every channel.

    Where lengths differ, each sequence is stretched to that of the longest in training (at most 1,000 steps), and its
    own length is one more column. Gaps and scale: ``scaling.py``; then every column is brought to mean 0 and standard
    deviation 1. With one class only, it is :func:`recurra.baselines.majority`.

    Arguments:
        inputs: training sequences (n,), each (time, channels) in any unit; NaN where nothing was observed.
        targets: class ids (n,), each in 0..n_classes - 1.
        n_classes: how many classes there are, seen in training or not.
        C: inverse strength of the penalty.
        seed: not used here; every baseline takes the same arguments.

    Returns:
        A fitted baseline; called on sequences, it gives probabilities (n, n_classes) whose rows sum to 1.

    Example:
        >>> up, down = np.array([[0.0], [1.0]]), np.array([[1.0], [0.0]])
        >>> logistic_flattened([up, down] * 5, np.array([1, 0] * 5), 2)([up]).argmax(axis=1)
        array([1])

    Source: Wang, Yan and Oates (2017), Time Series Classification from Scratch, IJCNN, for sequences as flat inputs.
    """
    if len(np.unique(targets)) < 2:
        return majority(inputs, targets, n_classes)
    features = _fit_columns(inputs)
    return LinearBaseline("logistic_flattened", features, logistic(features(inputs), targets, n_classes, C=C))


def ridge_flattened(
    inputs: Sequence[np.ndarray],
    targets: np.ndarray,
    n_classes: int | None = None,  # noqa: ARG001
    *,
    alpha: float = 10.0,
    seed: int = 0,  # noqa: ARG001
) -> LinearBaseline:
    """Ridge regression on every step of every channel, laid out as for :func:`logistic_flattened`.

    Arguments:
        inputs: training sequences (n,), each (time, channels) in any unit; NaN where nothing was observed.
        targets: values (n,), in any unit.
        alpha: strength of the penalty.
        n_classes, seed: not used here; every baseline takes the same arguments.

    Returns:
        A fitted baseline; called on sequences, it gives values (n,), in the unit of ``targets``.

    Source: Hoerl and Kennard (1970), Technometrics 12.
    """
    features = _fit_columns(inputs)
    return LinearBaseline("ridge_flattened", features, ridge(features(inputs), targets, alpha=alpha))


class FlattenedColumns:
    """Sequences of values as standardised columns: every step of every channel, and the length.

    Args:
        scale: of the channels.
        length: to which sequences are stretched.
        mean: of the columns (length * channels + 1,).
        spread: standard deviation of the columns, 1 where they never vary.
    """

    kind = "flattened"
    per_step = False

    def __init__(self, scale: Scale, length: int, mean: np.ndarray, spread: np.ndarray) -> None:
        self.scale, self.length, self.mean, self.spread = scale, length, mean, spread

    def __call__(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Columns (n, length * channels + 1)."""
        return (_laid_out(self.scale(inputs), self.length) - self.mean) / self.spread

    def scores(self, raw: Mapping[str, tf.Tensor], weights: tf.Tensor) -> tf.Tensor:
        """Columns times weights (columns, outputs), in the graph: float64 (batch, outputs)."""
        import tensorflow as tf

        values, lengths = self.scale.graph(raw["values"], raw["lengths"]), raw["lengths"]
        flat = tf.reshape(stretch_padded(values, lengths, self.length), [tf.shape(values)[0], len(self.mean) - 1])
        columns = tf.concat([flat, tf.cast(lengths, tf.float64)[:, None]], axis=1)
        return ((columns - self.mean) / self.spread) @ weights

    def resources(self) -> list[Any]:
        """None."""
        return []

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays."""
        channels = {"channel_mean": self.scale.mean, "channel_spread": self.scale.spread}
        return {"kind": self.kind, "length": self.length}, channels | {"mean": self.mean, "spread": self.spread}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> FlattenedColumns:
        """What :meth:`state` described."""
        scale = Scale(arrays["channel_mean"], arrays["channel_spread"])
        return cls(scale, config["length"], arrays["mean"], arrays["spread"])

    def __repr__(self) -> str:
        return f"{len(self.mean):,} columns"


def _fit_columns(inputs: Sequence[np.ndarray]) -> FlattenedColumns:
    from sklearn.preprocessing import StandardScaler

    scale = fit_scale(inputs)
    length = max(1, min(MAX_STEPS, max(len(values) for values in inputs)))
    scaler = StandardScaler().fit(_laid_out(scale(inputs), length))
    return FlattenedColumns(scale, length, scaler.mean_, scaler.scale_)


def _laid_out(scaled: Sequence[np.ndarray], length: int) -> np.ndarray:
    """Steps of all channels, and the length: (n, length * channels + 1)."""
    return np.stack([np.append(stretched(values, length), len(values)) for values in scaled])
