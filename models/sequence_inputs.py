"""What every model of whole sequences has in common: named inputs, which steps are real, the size of the head."""

from __future__ import annotations

from typing import TypeVar

import keras
from keras import ops

from ..spec import PADDING, ClassOutput, SequenceSpec, TagOutput, TokensInput, ValueOutput
from .layers.dropout import Dropout
from .layers.time_steps import Masked, SequenceMask
from .tensor import Tensor

PartT = TypeVar("PartT")


def of_kind(part: object, kind: type[PartT]) -> PartT:
    """The inputs or outputs of a specification, known to be of a kind.

    Raises:
        TypeError: if they are of another: the factory is not one for this specification.
    """
    if not isinstance(part, kind):
        raise TypeError(f"this model needs {kind.__name__} in its specification. Received: {part!r}")
    return part


def sequence_inputs(spec: SequenceSpec) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Make the named inputs of a model of sequences.

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


def takes_tokens(spec: SequenceSpec) -> bool:
    """Whether tokens come in, rather than values."""
    return isinstance(spec.inputs, TokensInput)


def vocabulary_size(spec: SequenceSpec) -> int:
    """Rows of a table of all tokens."""
    return of_kind(spec.inputs, TokensInput).vocabulary


def output_size(spec: SequenceSpec) -> int:
    """Numbers in one prediction: a logit for each class, or the values."""
    if isinstance(spec.outputs, ClassOutput | TagOutput):
        return spec.outputs.classes
    return spec.outputs.values if isinstance(spec.outputs, ValueOutput) else 1


def drop_steps(x: Tensor, rate: float) -> Tensor:
    """Leave out whole steps in training: (batch, time, channels) → the same."""
    if not rate:
        return x
    return Dropout(rate, noise_shape=(None, None, 1), name="input_dropout")(x)
