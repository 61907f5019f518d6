"""Level and scale of each window, and of each target in it."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..tensor import Tensor

WINDOW_NORMS = ("none", "last", "mean", "standard")
FLAT = 1e-14  # of its size: a spread that is rounding
SMALLEST_SCALE = 1e-100  # of a window of zeros; its square, and one over it, are numbers still


@keras.saving.register_keras_serializable("recurra")
class WindowStatistics(keras.layers.Layer):
    """Level and scale of each window and target, in double precision: (batch, time, targets) → 2 × (batch, 1, targets).

    A level taken off in single precision takes the movements of a large one with it.
    """

    def __init__(self, method: str, dtype: Any = "float64", **kwargs: Any) -> None:
        super().__init__(dtype=dtype, **kwargs)
        self.method = method

    def call(self, targets: Tensor) -> tuple[Tensor, Tensor]:
        one = ops.ones_like(targets[:, :1, :])
        if self.method == "none":
            return 0.0 * one, one
        if self.method == "last":
            return targets[:, -1:, :], one
        mean = ops.mean(targets, axis=1, keepdims=True)
        if self.method == "mean":
            return mean, one
        return mean, window_scale(targets)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "method": self.method}


def window_scale(targets: Tensor) -> Tensor:
    """Standard deviation of each window, never 0: float64 (batch, time, targets) → (batch, 1, targets).

    A constant window gets next to nothing, so that what is forecast after it is its value: a scale taken from its level
    would make the forecasts depend on where the data have their zero, one taken from other series on their size.
    """
    deviation = ops.std(targets - targets[:, -1:, :], axis=1, keepdims=True)  # of a constant window exactly 0
    return ops.maximum(deviation, FLAT * window_size(targets) + SMALLEST_SCALE)


def window_size(targets: Tensor) -> Tensor:
    """Mean absolute value of each window: (batch, time, targets) → (batch, 1, targets)."""
    return ops.mean(ops.abs(targets), axis=1, keepdims=True)


def is_flat(scale: Tensor, size: Tensor) -> Tensor:
    """Which windows have no spread beyond rounding, by their scale and size: bool, of the same shape."""
    return scale <= 2 * FLAT * size + SMALLEST_SCALE
