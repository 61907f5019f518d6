"""The linear family: every forecast step is a weighted sum of the window.

Source: Zeng, Chen, Zhang & Xu (2023), Are Transformers effective for time series forecasting?, AAAI (NLinear; DLinear's
moving-average split adds weights but no functions: the sum of two linear maps is one).
"""

from typing import Any

import keras

from ..spec import SequenceSpec
from .forecaster import forecaster

GRID: dict[str, list[Any]] = {"learning_rate": [1e-3, 3e-3, 3e-4], "window_norm": [None, "standard", "mean"]}


def linear(spec: SequenceSpec, *, window_norm: str | None = None, share_targets: bool = True) -> keras.Model:
    """Build a linear model.

    Args:
        spec: what goes in and comes out.
        window_norm, share_targets: see :func:`recurra.models.forecaster.forecaster`.

    Returns:
        An uncompiled model from (batch, lookback, channels) to (batch, horizon, targets).
    """

    def core(values: Any, future: Any, outputs: int) -> Any:
        x = keras.layers.Flatten()(values)  # (batch, lookback × channels)
        if future is not None:
            x = keras.layers.Concatenate()([x, keras.layers.Flatten()(future)])
        # Starts near zero: larger random weights would add noise that early stopping may keep.
        return keras.layers.Dense(outputs, kernel_initializer=_near_zero(spec.inputs.length), name="head")(x)

    return forecaster("linear", spec, core, window_norm=window_norm, share_targets=share_targets)


def _near_zero(lookback: int) -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.1 / lookback)
