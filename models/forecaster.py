"""What every forecasting family has in common: named inputs, window normalisation, one network for all targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import keras
from keras import ops

from ..errors import InputError
from ..spec import ForecastOutput, SequenceSpec, ValuesInput
from .layers.segments import Newest
from .layers.targets import JoinTargets, RepeatTargets, SplitTargets
from .layers.window_statistics import WINDOW_NORMS, WindowStatistics
from .sequence_inputs import of_kind
from .settings import Flag, Rule, at_least, one_of
from .tensor import Tensor

# (values, future or None, outputs) → (batch, outputs)
Core = Callable[[Tensor, Tensor | None, int], Tensor]


def default_window_norm(spec: SequenceSpec) -> str:
    """One series keeps its scale and gives up its level; many series have neither in common."""
    return "standard" if spec.many_series else "last"


WindowNorm = Annotated[str | None, one_of(*WINDOW_NORMS), Rule(default_window_norm)]
ShareTargets = Flag


def default_window(spec: SequenceSpec) -> int:
    """All of the lookback."""
    return of_kind(spec.inputs, ValuesInput).length


ForecastWindow = Annotated[int | None, at_least(1), Rule(default_window)]
Autoregressive = Annotated[int, at_least(0)]


def forecaster(
    family: str,
    spec: SequenceSpec,
    core: Core,
    *,
    window_norm: str | None = None,
    share_targets: bool = True,
    window: int | None = None,
    autoregressive: int = 0,
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
        window: how many of the newest steps are read, at most the lookback; by default all.
        autoregressive: how many of the newest steps a linear map reads beside the core, at most the lookback; what it
            gives is added to the core's output (Lai et al. 2018, LSTNet). It begins at zero, and of a shorter `window`
            it reads all. 0: there is none.

    Returns:
        An uncompiled model. Windows come in and forecasts go out in double precision, so that a large level keeps its
        small movements; the core in between works in single precision, as it sees movements only.
    """
    window_norm = window_norm or default_window_norm(spec)
    inputs, outputs = of_kind(spec.inputs, ValuesInput), of_kind(spec.outputs, ForecastOutput)
    values = keras.Input((inputs.length, inputs.channels), name="values", dtype="float64")
    future = None
    if inputs.future_channels:
        future = keras.Input((outputs.horizon, inputs.future_channels), name="future")

    window = window or inputs.length
    if window > inputs.length:
        raise InputError(f"`window` must be between 1 and the lookback {inputs.length}; received {window}")
    read = values if window == inputs.length else values[:, -window:]  # (batch, window, channels)
    if autoregressive > inputs.length:
        raise InputError(
            f"`autoregressive` must be between 0 and the lookback {inputs.length}; received {autoregressive}"
        )
    core = _with_linear_path(core, min(autoregressive, window)) if autoregressive else core
    targets, covariates = read[:, :, : outputs.targets], read[:, :, outputs.targets :]
    level, scale = WindowStatistics(window_norm, name="window_statistics")(targets)  # 2 × (batch, 1, targets)
    x = ops.cast((targets - level) / scale, "float32")  # (batch, lookback, targets)
    covariates = ops.cast(covariates, "float32")
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
    restored = level + ops.cast(y, "float64") * scale
    forecast = keras.layers.Identity(name="forecast", dtype="float64")(restored)  # (batch, horizon, targets)
    arguments = {"values": values} if future is None else {"values": values, "future": future}
    return keras.Model(arguments, forecast, name=family)


def _with_linear_path(core: Core, steps: int) -> Core:
    """The core, and a linear map of the newest steps added to what it gives."""

    def both(values: Tensor, future: Tensor | None, outputs: int) -> Tensor:
        newest = Newest(steps, name="newest")(values)  # (batch, steps × channels)
        linear = keras.layers.Dense(outputs, use_bias=False, kernel_initializer="zeros", name="autoregressive")
        return core(values, future, outputs) + linear(newest)  # (batch, outputs)

    return both
