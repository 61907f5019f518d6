"""The simple recurrent family: a state carried from step to step, overwritten at each.

Source: Elman (1990), Finding structure in time, Cognitive Science 14.
"""

from typing import Unpack

import keras

from ..spec import SequenceSpec
from .recurrence import RecurrentSettings, recurrent_forecaster


def simple_rnn(spec: SequenceSpec, **settings: Unpack[RecurrentSettings]) -> keras.Model:
    """Build a simple recurrent model.

    Args:
        spec: what goes in and comes out.
        **settings: see :class:`recurra.models.recurrence.RecurrentSettings`.

    Returns:
        An uncompiled model from (batch, lookback, channels) to (batch, horizon, targets).

    Example:
        >>> simple_rnn(spec, units=32, segment_length=1)
    """
    return recurrent_forecaster("simple_rnn", keras.layers.SimpleRNN, spec, **settings)
