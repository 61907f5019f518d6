"""One network for all targets: each target of a batch becomes a row of its own, and rows become targets again."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("recurra")
class SplitTargets(keras.layers.Layer):
    """[(batch, time, targets), (batch, time, covariates)?] → (batch × targets, time, 1 + covariates)."""

    def __init__(self, targets: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.targets = targets

    def call(self, inputs: list[Any]) -> Any:
        time = inputs[0].shape[1]
        x = ops.transpose(inputs[0], (0, 2, 1))  # (batch, targets, time)
        x = ops.reshape(x, (-1, time, 1))  # (batch × targets, time, 1)
        if len(inputs) == 1:
            return x
        return ops.concatenate([x, ops.repeat(inputs[1], self.targets, axis=0)], axis=-1)

    def compute_output_shape(self, input_shape: list[tuple]) -> tuple:
        return (None, input_shape[0][1], 1 + (input_shape[1][2] if len(input_shape) > 1 else 0))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "targets": self.targets}


@keras.saving.register_keras_serializable("recurra")
class RepeatTargets(keras.layers.Layer):
    """(batch, horizon, channels) → (batch × targets, horizon, channels)."""

    def __init__(self, targets: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.targets = targets

    def call(self, future: Any) -> Any:
        return ops.repeat(future, self.targets, axis=0)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (None, *input_shape[1:])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "targets": self.targets}


@keras.saving.register_keras_serializable("recurra")
class JoinTargets(keras.layers.Layer):
    """(batch × targets, horizon, 1) → (batch, horizon, targets)."""

    def __init__(self, targets: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.targets = targets

    def call(self, y: Any) -> Any:
        y = ops.reshape(y, (-1, self.targets, y.shape[1]))  # (batch, targets, horizon)
        return ops.transpose(y, (0, 2, 1))  # (batch, horizon, targets)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (None, input_shape[1], self.targets)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "targets": self.targets}
