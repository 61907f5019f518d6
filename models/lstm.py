"""The LSTM family: a cell that gates keep, write and read.

Source: Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9;
the keep gate: Gers, Schmidhuber & Cummins (2000), Neural Computation 12.
"""

import keras

from ..spec import SequenceSpec
from .recurrence import recurrent_forecaster


def lstm(
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
    """Build an LSTM model.

    Args:
        spec: what goes in and comes out.
        units: width of the carried state.
        num_layers: recurrent layers on top of one another.
        segment_length: values read in one step; None follows the rule of
            :func:`recurra.models.recurrence.default_segment_length`.
        dropout: share of units left out between layers in training.
        bidirectional: read the window from both ends.
        residual: add each layer's input to its output where the widths agree.
        window_norm, share_targets: see :func:`recurra.models.forecaster.forecaster`.

    Returns:
        An uncompiled model from (batch, lookback, channels) to (batch, horizon, targets).
    """
    return recurrent_forecaster(
        "lstm",
        keras.layers.LSTM,
        spec,
        units=units,
        num_layers=num_layers,
        segment_length=segment_length,
        dropout=dropout,
        bidirectional=bidirectional,
        residual=residual,
        window_norm=window_norm,
        share_targets=share_targets,
    )
