"""The loss of every network that is trained here."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..errors import InputError

LOSSES = ("mae", "mse", "huber")


@keras.saving.register_keras_serializable("recurra")
class Elementwise(keras.losses.Loss):
    """A loss for each step and target, so that weights can leave out single missing values.

    Args:
        kind: "mae" absolute, "mse" squared, or "huber" error with delta 1, in scaled units; "crossentropy" of class
            numbers and logits.
        label_smoothing: part of the cross-entropy that is that of all classes alike (Szegedy et al. 2016).
    """

    def __init__(self, kind: str = "mae", label_smoothing: float = 0.0, name: str = "loss", **kwargs: Any) -> None:
        if kind not in (*LOSSES, "crossentropy"):
            raise ValueError(f"`loss` must be mae, mse, huber or crossentropy. Received: {kind!r}")
        super().__init__(name=name, **kwargs)
        if label_smoothing and kind != "crossentropy":
            raise InputError(f"`label_smoothing` is for classes, and this loss is {kind}; leave it out")
        self.kind, self.label_smoothing = kind, label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if self.kind == "crossentropy":
            losses = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)  # (batch,) or (batch, time)
            if not self.label_smoothing:
                return losses
            of_all = ops.logsumexp(y_pred, axis=-1) - ops.mean(y_pred, axis=-1)
            return (1 - self.label_smoothing) * losses + self.label_smoothing * of_all
        error = ops.abs(y_true - y_pred)  # (batch, horizon, targets)
        if self.kind == "mae":
            return error
        if self.kind == "mse":
            return ops.square(error)
        return ops.where(error < 1, 0.5 * ops.square(error), error - 0.5)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss. A weight for each single error weighs the error itself: what takes a window's spread off
        has to do so before errors are squared, or the windows with a large one would count for all."""
        if not self._weighs_errors(y_pred, sample_weight):
            return super().__call__(y_true, y_pred, sample_weight)
        error, weight = self._error(y_true, y_pred), ops.cast(sample_weight, self.dtype)
        return super().__call__(ops.zeros_like(error), error * weight)

    def weighted(self, y_true: Any, y_pred: Any, weight: Any) -> tuple[float, float]:
        """The weighted sum of all losses, and what to divide it by; weights as in a call."""
        if not self._weighs_errors(y_pred, weight):
            losses = ops.convert_to_numpy(self.call(y_true, y_pred))
            return float((losses * weight).sum(dtype=float)), float(weight.sum(dtype=float))
        error = self._error(y_true, y_pred) * ops.cast(weight, self.dtype)
        losses = ops.convert_to_numpy(self.call(ops.zeros_like(error), error))
        return float(losses.sum(dtype=float)), float((weight > 0).sum())

    def _weighs_errors(self, y_pred: Any, weight: Any) -> bool:
        return weight is not None and self.kind in ("mse", "huber") and len(weight.shape) == len(y_pred.shape)

    def _error(self, y_true: Any, y_pred: Any) -> Any:
        return ops.cast(y_pred, self.dtype) - ops.cast(y_true, self.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kind": self.kind, "label_smoothing": self.label_smoothing}
