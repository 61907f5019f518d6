"""The GRU family: a state with two gates, reset and update.

Source: Cho et al. (2014), Learning phrase representations using RNN encoder-decoder, EMNLP.
"""

from typing import Unpack

import keras

from ..spec import SequenceSpec
from .recurrence import RecurrentSettings, recurrent_forecaster


def gru(spec: SequenceSpec, **settings: Unpack[RecurrentSettings]) -> keras.Model:
    """Build a GRU model.

    Args:
        spec: what goes in and comes out.
        **settings: see :class:`recurra.models.recurrence.RecurrentSettings`.

    Returns:
        An uncompiled model from (batch, lookback, channels) to (batch, horizon, targets).

    Example:
        >>> gru(spec, units=32, segment_length=1)
    """
    return recurrent_forecaster("gru", keras.layers.GRU, spec, **settings)
