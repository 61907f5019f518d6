"""A vector set beside every step of a sequence."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("recurra")
class AtEveryStep(keras.layers.Layer):
    """Set a vector beside every step: (batch, time, width), (batch, more) → (batch, time, width + more)."""

    def call(self, x: Any, vector: Any) -> Any:
        batch, time = ops.shape(x)[:2]
        repeated = ops.broadcast_to(vector[:, None, :], (batch, time, vector.shape[1]))
        return ops.concatenate([x, repeated], axis=-1)

    def compute_output_spec(self, x: Any, vector: Any) -> Any:
        return keras.KerasTensor((*x.shape[:2], x.shape[2] + vector.shape[1]), dtype=x.dtype)
