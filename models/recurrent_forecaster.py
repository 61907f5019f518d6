"""Recurrent forecasts: segments, stacked layers, and a direct head on the last state."""

from __future__ import annotations

from typing import Annotated, Any

import keras

from ..errors import InputError
from ..spec import SequenceSpec
from .cells import Cell
from .forecaster import Autoregressive, ShareTargets, WindowNorm, forecaster
from .layers.dropout import Dropout
from .layers.segments import Segments
from .settings import Flag, Layers, Rate, Rule, Units, at_least
from .tensor import Tensor

FORECASTER_GRID: dict[str, list[Any]] = {
    "units": [64, 128, 32],
    "segment_length": [None, 1],
    "dropout": [0.0, 0.2],
    "learning_rate": [1e-3, 3e-3, 3e-4],
}

# A recurrence forgets after some ten steps (Bengio, Simard & Frasconi 1994), so a window is read in about that many.
_STEPS = 8


def default_segment(spec: SequenceSpec) -> int:
    """Values read in one recurrent step of what goes in; see :func:`default_segment_length`."""
    return default_segment_length(spec.inputs.length, spec.season)


def default_segment_length(lookback: int, season: int = 1) -> int:
    """Values read in one recurrent step.

    A short window, of at most 16 values, is read value by value. A longer one is cut into segments: the longest divisor
    of the lookback that leaves at least 4 steps and is no longer than a season or, where there is none or it is short,
    an eighth of the lookback.
    """
    if lookback <= 2 * _STEPS:
        return 1
    most = max(season if season <= lookback // 4 else 1, lookback // _STEPS)
    return max(d for d in range(1, most + 1) if lookback % d == 0)


SegmentLength = Annotated[int | None, at_least(1), Rule(default_segment)]


def recurrent_forecaster(
    family: str,
    cell: Cell,
    spec: SequenceSpec,
    *,
    units: Units = 64,
    num_layers: Layers = 1,
    segment_length: SegmentLength = None,
    dropout: Rate = 0.0,
    bidirectional: Flag = False,
    residual: Flag = False,
    window_norm: WindowNorm = None,
    share_targets: ShareTargets = True,
    autoregressive: Autoregressive = 0,
) -> keras.Model:
    """Build segments → projection → recurrent layers → last state → all forecast steps at once.

    Args:
        family: name of the model.
        cell: what makes the recurrent layers.
        spec: what goes in and comes out.
        units: width of the carried state.
        num_layers: recurrent layers on top of one another.
        segment_length: values read in one step; None follows :func:`default_segment_length`.
        dropout: fraction of units left out after each layer in training.
        bidirectional: read the window from both ends.
        residual: add each layer's input to its output where the widths agree.
        window_norm, share_targets, autoregressive: see :func:`recurra.models.forecaster.forecaster`.

    Returns:
        An uncompiled model from (batch, lookback, channels) to (batch, horizon, targets).

    Source: Lin et al. (2023), SegRNN: segment recurrent neural network for long-term time series forecasting.
    """
    lookback = spec.inputs.length
    segment = segment_length or default_segment(spec)
    if not 1 <= segment <= lookback:
        raise InputError(f"`segment_length` must be between 1 and the lookback {lookback}; received {segment}")
    make = cell(lookback // segment)

    def core(values: Tensor, future: Tensor | None, outputs: int) -> Tensor:
        x = values  # (batch, lookback, channels)
        if segment > 1:
            x = Segments(segment, name="segments")(x)  # (batch, steps, segment × channels)
            x = keras.layers.Dense(units, activation="relu", name="projection")(x)  # (batch, steps, units)
        for i in range(num_layers):
            last = i == num_layers - 1
            layer = make(units, return_sequences=not last)
            y = keras.layers.Bidirectional(layer)(x) if bidirectional else layer(x)
            same = not last and y.shape[-1] == x.shape[-1]
            x = x + y if residual and same else y
            x = Dropout(dropout)(x) if dropout else x
        if future is not None:
            x = keras.layers.Concatenate()([x, keras.layers.Flatten()(future)])
        return keras.layers.Dense(outputs, name="head")(x)

    return forecaster(
        family, spec, core, window_norm=window_norm, share_targets=share_targets, autoregressive=autoregressive
    )
