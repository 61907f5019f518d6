"""Values of several steps side by side."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("recurra")
class Segments(keras.layers.Layer):
    """(batch, time, channels) → (batch, time // length, length × channels); the oldest surplus rows are left out."""

    def __init__(self, length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.length = length

    def call(self, values: Any) -> Any:
        time, channels = values.shape[1:]
        steps = time // self.length
        return ops.reshape(values[:, time - steps * self.length :], (-1, steps, self.length * channels))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        _, time, channels = input_shape
        return (None, time // self.length, self.length * channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "length": self.length}
