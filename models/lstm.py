"""The LSTM family: a cell that three gates keep, write and read.

Source: Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9;
the keep gate: Gers, Schmidhuber & Cummins (2000), Neural Computation 12.
"""

from typing import Unpack

import keras

from ..spec import SequenceSpec
from .recurrence import RecurrentSettings, recurrent_forecaster


def lstm(spec: SequenceSpec, **settings: Unpack[RecurrentSettings]) -> keras.Model:
    """Build an LSTM model.

    Args:
        spec: what goes in and comes out.
        **settings: see :class:`recurra.models.recurrence.RecurrentSettings`.

    Returns:
        An uncompiled model from (batch, lookback, channels) to (batch, horizon, targets).

    Example:
        >>> lstm(spec, units=32, segment_length=1)
    """
    return recurrent_forecaster("lstm", keras.layers.LSTM, spec, **settings)
