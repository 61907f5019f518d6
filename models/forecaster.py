"""What every forecasting family shares: inputs by name, window normalisation, one network for all targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ..spec import ForecastOutput, SequenceSpec, ValuesInput
from .kinds import of_kind

WINDOW_NORMS = ("none", "last", "mean", "standard")

# (values, future or None, outputs) → (batch, outputs)
Core = Callable[[Any, Any, int], Any]


def forecaster(
    family: str,
    spec: SequenceSpec,
    core: Core,
    *,
    window_norm: str | None = None,
    share_targets: bool = True,
) -> keras.Model:
    """Wrap a family's `core` into a model from named inputs to (batch, horizon, targets).

    Args:
        family: name of the model.
        spec: what goes in and comes out.
        core: from values (batch, lookback, channels) and future (batch, horizon, channels) or None, and a number of
            outputs, to (batch, outputs).
        window_norm: what is taken from each target's window before the core and given back after it: "none";
            "last" its last value (as NLinear does, Zeng et al. 2023); "mean" its mean; "standard" mean and standard
            deviation (Kim et al. 2022, RevIN). By default "last" for one series and "standard" for many.
        share_targets: one network reads every target by itself, with the same weights (channel independence,
            Nie et al. 2023); otherwise one network reads all targets together.

    Returns:
        An uncompiled model.
    """
    window_norm = window_norm or default_window_norm(spec)
    if window_norm not in WINDOW_NORMS:
        raise ValueError(f"`window_norm` must be one of {WINDOW_NORMS}. Received: {window_norm!r}")
    inputs, outputs = of_kind(spec.inputs, ValuesInput), of_kind(spec.outputs, ForecastOutput)
    values = keras.Input((inputs.length, inputs.channels), name="values")
    future = None
    if inputs.future_channels:
        future = keras.Input((outputs.horizon, inputs.future_channels), name="future")

    targets, covariates = values[:, :, : outputs.targets], values[:, :, outputs.targets :]
    level, scale = WindowStatistics(window_norm, name="window_statistics")(targets)  # 2 × (batch, 1, targets)
    x = (targets - level) / scale  # (batch, lookback, targets)
    has_covariates = inputs.channels > outputs.targets

    if share_targets and outputs.targets > 1:
        split = SplitTargets(outputs.targets, name="split_targets")
        x = split([x, covariates] if has_covariates else [x])  # (batch × targets, lookback, 1 + covariates)
        ahead = None if future is None else RepeatTargets(outputs.targets, name="repeat_targets")(future)
        y = core(x, ahead, outputs.horizon)  # (batch × targets, horizon)
        y = keras.layers.Reshape((outputs.horizon, 1))(y)
        y = JoinTargets(outputs.targets, name="join_targets")(y)  # (batch, horizon, targets)
    else:
        x = keras.layers.Concatenate()([x, covariates]) if has_covariates else x
        y = core(x, future, outputs.horizon * outputs.targets)
        y = keras.layers.Reshape((outputs.horizon, outputs.targets))(y)  # (batch, horizon, targets)

    # In this order: Keras 3.15 takes a second summand (batch, 1, 1) for a bias where batch equals horizon, and adds it
    # along the wrong axis (keras/src/backend/tensorflow/numpy.py, `add`).
    forecast = keras.layers.Identity(name="forecast")(level + y * scale)  # (batch, horizon, targets)
    arguments = {"values": values} if future is None else {"values": values, "future": future}
    return keras.Model(arguments, forecast, name=family)


def default_window_norm(spec: SequenceSpec) -> str:
    """One series keeps its scale and gives up its level; many series have neither in common."""
    return "standard" if spec.many_series else "last"


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
    # A window at rest has no spread of its own; a thousandth of its size stands in for it.
    return ops.maximum(deviation, 1e-3 * ops.mean(ops.abs(targets), axis=1, keepdims=True) + 1e-6)


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
