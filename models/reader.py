"""What every reader of whole sequences shares: inputs by name, which steps are real, the head."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..spec import PADDING, ClassOutput, SequenceSpec, TagOutput, TokensInput
from .dropout import Dropout
from .kinds import of_kind
from .steps import Masked, SequenceMask


def read_inputs(spec: SequenceSpec) -> tuple[dict[str, Any], Any, Any]:
    """Make the named inputs of a reader.

    Args:
        spec: what goes in.

    Returns:
        The inputs by name; tokens int32 (batch, time), or values (batch, time, channels) that are 0 at padding; and
        which steps are real, bool (batch, time).
    """
    if isinstance(spec.inputs, TokensInput):
        tokens = keras.Input((None,), dtype="int32", name="tokens")
        return {"tokens": tokens}, tokens, ops.not_equal(tokens, PADDING)
    values = keras.Input((None, spec.inputs.channels), name="values")
    lengths = keras.Input((), dtype="int32", name="lengths")
    steps = SequenceMask(name="steps")(values, lengths)
    return {"values": values, "lengths": lengths}, Masked(name="masked_values")(values, steps), steps


def reads_tokens(spec: SequenceSpec) -> bool:
    """Whether tokens come in, rather than values."""
    return isinstance(spec.inputs, TokensInput)


def vocabulary_size(spec: SequenceSpec) -> int:
    """Rows of a table of all tokens."""
    return of_kind(spec.inputs, TokensInput).vocabulary


def answer_size(spec: SequenceSpec) -> int:
    """Numbers in one answer: a logit for each class, or the one value."""
    return spec.outputs.classes if isinstance(spec.outputs, ClassOutput | TagOutput) else 1


def drop_steps(x: Any, rate: float) -> Any:
    """Leave out whole steps in training: (batch, time, channels) → the same."""
    if not rate:
        return x
    return Dropout(rate, noise_shape=(None, None, 1), name="input_dropout")(x)
