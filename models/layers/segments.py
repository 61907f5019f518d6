"""Values of several steps side by side: of all of them in segments, or of the newest ones."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..tensor import Tensor


@keras.saving.register_keras_serializable("recurra")
class Segments(keras.layers.Layer):
    """(batch, time, channels) → (batch, time // length, length × channels); the oldest surplus rows are left out."""

    def __init__(self, length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.length = length

    def call(self, values: Tensor) -> Tensor:
        time, channels = values.shape[1:]
        steps = time // self.length
        return ops.reshape(values[:, time - steps * self.length :], (-1, steps, self.length * channels))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        _, time, channels = input_shape
        return (None, time // self.length, self.length * channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "length": self.length}


@keras.saving.register_keras_serializable("recurra")
class Newest(keras.layers.Layer):
    """(batch, time, channels) → (batch, length × channels): the newest steps, the oldest of them first."""

    def __init__(self, length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.length = length

    def call(self, values: Tensor) -> Tensor:
        return ops.reshape(values[:, -self.length :], (-1, self.length * values.shape[2]))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (None, self.length * input_shape[2])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "length": self.length}
