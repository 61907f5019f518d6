"""A dilated convolution that looks back only."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("recurra")
class CausalConvolution(keras.layers.Layer):
    """relu(W [x(t), x(t - d), ..., x(t - (k - 1) d)] + b): (batch, time, channels) → (batch, time, units).

    Shifted copies side by side and one matrix product: on a CPU quicker than a dilated convolution operator, whose
    gradient has no kernel there. Steps before the first one are zeros.

    Args:
        units: output channels.
        kernel_size: steps read, `dilation` apart, the current one the last of them.
        dilation: steps between two of them.

    Source: van den Oord et al. (2016), WaveNet: a generative model for raw audio.
    """

    def __init__(self, units: int, kernel_size: int, dilation: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.kernel_size, self.dilation = units, kernel_size, dilation

    def build(self, input_shape: tuple) -> None:
        shape = (self.kernel_size * input_shape[-1], self.units)
        self.kernel = self.add_weight(shape=shape, initializer="he_uniform", name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        reach = (self.kernel_size - 1) * self.dilation
        padded = ops.pad(x, [(0, 0), (reach, 0), (0, 0)])
        shifts = [self._shifted(padded, reach - i * self.dilation) for i in range(self.kernel_size)]
        return ops.relu(ops.concatenate(shifts, axis=-1) @ self.kernel + self.bias)  # (batch, time, units)

    def _shifted(self, padded: Any, behind: int) -> Any:
        """The steps that leave `behind` ones after them: (batch, time, channels)."""
        start = (self.kernel_size - 1) * self.dilation - behind
        return padded[:, start : -behind if behind else None]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        own = ("units", "kernel_size", "dilation")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
