"""Level and scale of each window, and of each target in it."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

WINDOW_NORMS = ("none", "last", "mean", "standard")


@keras.saving.register_keras_serializable("recurra")
class WindowStatistics(keras.layers.Layer):
    """Level and scale of each window and target: (batch, time, targets) → 2 × (batch, 1, targets)."""

    def __init__(self, method: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.method = method

    def call(self, targets: Any) -> tuple[Any, Any]:
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


def window_scale(targets: Any) -> Any:
    """Standard deviation of each window, never 0: (batch, time, targets) → (batch, 1, targets)."""
    deviation = ops.std(targets, axis=1, keepdims=True)
    # A constant window has no spread of its own; a thousandth of its size stands in for it.
    return ops.maximum(deviation, 1e-3 * ops.mean(ops.abs(targets), axis=1, keepdims=True) + 1e-6)
