"""The GRU family: a state with two gates, reset and update.

Source: Cho et al. (2014), Learning phrase representations using RNN encoder-decoder, EMNLP.
"""

from typing import Unpack

import keras

from ..spec import SequenceSpec
from . import recurrent
from .language import LanguageSettings, recurrent_language
from .recurrence import RecurrentSettings, recurrent_forecaster
from .recurrent_reader import ReaderSettings, TaggerSettings, recurrent_reader, recurrent_tagger


def gru(spec: SequenceSpec, **settings: Unpack[RecurrentSettings]) -> keras.Model:
    """Build a GRU model of the next steps.

    Args:
        spec: what goes in and comes out.
        **settings: see :class:`recurra.models.recurrence.RecurrentSettings`.

    Returns:
        An uncompiled model from (batch, lookback, channels) to (batch, horizon, targets).

    Example:
        >>> gru(spec, units=32, segment_length=1)
    """
    return recurrent_forecaster("gru", recurrent.GRU, spec, **settings)


def gru_reader(spec: SequenceSpec, **settings: Unpack[ReaderSettings]) -> keras.Model:
    """Build a GRU model that reads a whole sequence and answers once.

    Args:
        spec: what goes in and comes out.
        **settings: see :class:`recurra.models.recurrent_reader.ReaderSettings`.

    Returns:
        An uncompiled model from tokens (batch, time), or values (batch, time, channels) and lengths, to
        (batch, classes).
    """
    return recurrent_reader("gru", recurrent.GRU, spec, **settings)


def gru_tagger(spec: SequenceSpec, **settings: Unpack[TaggerSettings]) -> keras.Model:
    """Build a GRU model of each step's tag.

    Args:
        spec: what goes in and comes out.
        **settings: see :class:`recurra.models.recurrent_reader.TaggerSettings`.

    Returns:
        An uncompiled model from tokens (batch, time), or values (batch, time, channels) and lengths, to
        (batch, time, classes).
    """
    return recurrent_tagger("gru", recurrent.GRU, spec, **settings)


def gru_language(spec: SequenceSpec, **settings: Unpack[LanguageSettings]) -> keras.Model:
    """Build a GRU model of the next token.

    Args:
        spec: what goes in and comes out.
        **settings: see :class:`recurra.models.language.LanguageSettings`.

    Returns:
        An uncompiled model from tokens (batch, time) and states (batch, units) to logits (batch, time, vocabulary)
        and the states for the next call.
    """
    return recurrent_language("gru", recurrent.GRU, spec, **settings)
