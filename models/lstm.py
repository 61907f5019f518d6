"""The LSTM family: a cell that three gates keep, write and read.

Source: Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9;
the keep gate: Gers, Schmidhuber & Cummins (2000), Neural Computation 12.
"""

from typing import Unpack

import keras

from ..spec import SequenceSpec
from . import recurrent
from .language import LanguageSettings, recurrent_language
from .recurrence import RecurrentSettings, recurrent_forecaster
from .recurrent_reader import ReaderSettings, TaggerSettings, recurrent_reader, recurrent_tagger


def lstm(spec: SequenceSpec, **settings: Unpack[RecurrentSettings]) -> keras.Model:
    """Build an LSTM model of the next steps.

    Args:
        spec: what goes in and comes out.
        **settings: see :class:`recurra.models.recurrence.RecurrentSettings`.

    Returns:
        An uncompiled model from (batch, lookback, channels) to (batch, horizon, targets).

    Example:
        >>> lstm(spec, units=32, segment_length=1)
    """
    return recurrent_forecaster("lstm", recurrent.LSTM, spec, **settings)


def lstm_reader(spec: SequenceSpec, **settings: Unpack[ReaderSettings]) -> keras.Model:
    """Build an LSTM model that reads a whole sequence and answers once.

    Args:
        spec: what goes in and comes out.
        **settings: see :class:`recurra.models.recurrent_reader.ReaderSettings`.

    Returns:
        An uncompiled model from tokens (batch, time), or values (batch, time, channels) and lengths, to
        (batch, classes).
    """
    return recurrent_reader("lstm", recurrent.LSTM, spec, **settings)


def lstm_tagger(spec: SequenceSpec, **settings: Unpack[TaggerSettings]) -> keras.Model:
    """Build an LSTM model of each step's tag.

    Args:
        spec: what goes in and comes out.
        **settings: see :class:`recurra.models.recurrent_reader.TaggerSettings`.

    Returns:
        An uncompiled model from tokens (batch, time), or values (batch, time, channels) and lengths, to
        (batch, time, classes).
    """
    return recurrent_tagger("lstm", recurrent.LSTM, spec, **settings)


def lstm_language(spec: SequenceSpec, **settings: Unpack[LanguageSettings]) -> keras.Model:
    """Build an LSTM model of the next token.

    Args:
        spec: what goes in and comes out.
        **settings: see :class:`recurra.models.language.LanguageSettings`.

    Returns:
        An uncompiled model from tokens (batch, time) and states (batch, units) to logits (batch, time, vocabulary)
        and the states for the next call.
    """
    return recurrent_language("lstm", recurrent.LSTM, spec, **settings)
