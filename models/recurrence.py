"""What the three recurrent families share: segments, stacked layers, and a direct head on the last state."""

from __future__ import annotations

from typing import Any, TypedDict

import keras
from keras import ops

from ..errors import InputError
from ..spec import SequenceSpec
from .dropout import Dropout
from .forecaster import forecaster

GRID: dict[str, list[Any]] = {
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


class RecurrentSettings(TypedDict, total=False):
    """Settings of the recurrent families.

    Attributes:
        units: width of the carried state, 64 by default.
        num_layers: recurrent layers on top of one another, 1 by default.
        segment_length: values read in one step; None follows :func:`default_segment_length`.
        dropout: share of units left out after each layer in training, 0 by default.
        bidirectional: read the window from both ends.
        residual: add each layer's input to its output where the widths agree.
        window_norm, share_targets: see :func:`recurra.models.forecaster.forecaster`.
    """

    units: int
    num_layers: int
    segment_length: int | None
    dropout: float
    bidirectional: bool
    residual: bool
    window_norm: str | None
    share_targets: bool


def recurrent_forecaster(
    family: str,
    layer: type[keras.layers.Layer],
    spec: SequenceSpec,
    *,
    units: int = 64,
    num_layers: int = 1,
    segment_length: int | None = None,
    dropout: float = 0.0,
    bidirectional: bool = False,
    residual: bool = False,
    window_norm: str | None = None,
    share_targets: bool = True,
) -> keras.Model:
    """Build segments → projection → recurrent layers → last state → all forecast steps at once.

    Source: Lin et al. (2023), SegRNN: segment recurrent neural network for long-term time series forecasting.
    """
    lookback = spec.inputs.length
    segment = segment_length or default_segment(spec)
    if not 1 <= segment <= lookback:
        raise InputError(f"`segment_length` must be between 1 and the lookback {lookback}. Received: {segment}")

    def core(values: Any, future: Any, outputs: int) -> Any:
        x = values  # (batch, lookback, channels)
        if segment > 1:
            x = Segments(segment, name="segments")(x)  # (batch, steps, segment × channels)
            x = keras.layers.Dense(units, activation="relu", name="projection")(x)  # (batch, steps, units)
        for i in range(num_layers):
            last = i == num_layers - 1
            cell = layer(units, return_sequences=not last)
            y = keras.layers.Bidirectional(cell)(x) if bidirectional else cell(x)
            same = not last and y.shape[-1] == x.shape[-1]
            x = x + y if residual and same else y
            x = Dropout(dropout)(x) if dropout else x
        if future is not None:
            x = keras.layers.Concatenate()([x, keras.layers.Flatten()(future)])
        return keras.layers.Dense(outputs, name="head")(x)

    return forecaster(family, spec, core, window_norm=window_norm, share_targets=share_targets)


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
