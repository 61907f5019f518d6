"""The dense family: a feed-forward network on the sliding window; what leaves the window is lost."""

from typing import Any

import keras

from ..spec import SequenceSpec
from .forecaster import forecaster

GRID: dict[str, list[Any]] = {
    "units": [64, 128, 256],
    "num_layers": [1, 2],
    "dropout": [0.0, 0.1, 0.3],
    "learning_rate": [1e-3, 3e-3, 3e-4],
}


def dense(
    spec: SequenceSpec,
    *,
    units: int = 64,
    num_layers: int = 1,
    dropout: float = 0.0,
    residual: bool = False,
    window_norm: str | None = None,
    share_targets: bool = True,
) -> keras.Model:
    """Build a feed-forward network on the window.

    Args:
        spec: what goes in and comes out.
        units: width of each hidden layer.
        num_layers: number of hidden layers.
        dropout: share of hidden units left out in training.
        residual: add each hidden layer's input to its output, from the second one on.
        window_norm, share_targets: see :func:`recurra.models.forecaster.forecaster`.

    Returns:
        An uncompiled model from (batch, lookback, channels) to (batch, horizon, targets).
    """

    def core(values: Any, future: Any, outputs: int) -> Any:
        x = keras.layers.Flatten()(values)  # (batch, lookback × channels)
        if future is not None:
            x = keras.layers.Concatenate()([x, keras.layers.Flatten()(future)])
        for layer in range(num_layers):
            y = keras.layers.Dense(units, activation="relu")(x)  # (batch, units)
            y = keras.layers.Dropout(dropout)(y) if dropout else y
            x = x + y if residual and layer else y
        return keras.layers.Dense(outputs, name="head")(x)

    return forecaster("dense", spec, core, window_norm=window_norm, share_targets=share_targets)
