"""What every language model has in common: carried states by name, the condition, the head."""

from __future__ import annotations

from typing import Annotated, Any

import keras
from keras import ops

from ..spec import NextTokenOutput, SequenceSpec, TokensInput
from .layers.at_every_step import AtEveryStep
from .layers.time_steps import Bias
from .sequence_inputs import of_kind, vocabulary_size
from .settings import Rule, at_least

# A condition is one of a few: it needs no wider vector than this.
_CONDITION_DIMENSIONS = 16
# Words: the window of Bengio et al. (2003) and of a five-gram; characters: about as much text.
_WORDS, _CHARACTERS, _SMALL_VOCABULARY = 5, 16, 256


def default_language_window(spec: SequenceSpec) -> int:
    """Tokens read for the next one: 5 words; 16 where the vocabulary has at most 256 tokens, as of characters."""
    return _CHARACTERS if vocabulary_size(spec) <= _SMALL_VOCABULARY else _WORDS


# With a window of 1 nothing would be carried from one call to the next.
TokenWindow = Annotated[int | None, at_least(2), Rule(default_language_window)]


def language_inputs(spec: SequenceSpec, states: list[tuple[int, str]]) -> dict[str, Any]:
    """Named inputs: tokens (batch, time), a state (batch, size) for each (size, dtype), condition (batch,) if any."""
    inputs = {"tokens": keras.Input((None,), dtype="int32", name="tokens")}
    for i, (size, dtype) in enumerate(states):
        inputs[f"state_{i}"] = keras.Input((size,), dtype=dtype, name=f"state_{i}")
    if of_kind(spec.inputs, TokensInput).conditions:
        inputs["condition"] = keras.Input((), dtype="int32", name="condition")
    return inputs


def carry_tokens(tokens: Any, state: Any) -> tuple[Any, Any]:
    """All ids to be read (batch, n + time), and the last n of them, to be carried along; `state` holds the n before."""
    together = ops.concatenate([state, tokens], axis=1)
    return together, together[:, -state.shape[1] :]


def add_condition(x: Any, inputs: dict[str, Any], spec: SequenceSpec) -> Any:
    """Set the condition, if any, beside every step: (batch, time, width) → (batch, time, width + 16)."""
    if not of_kind(spec.inputs, TokensInput).conditions:
        return x
    table = keras.layers.Embedding(
        of_kind(spec.inputs, TokensInput).conditions, _CONDITION_DIMENSIONS, name="condition_embedding"
    )
    return AtEveryStep(name="at_every_step")(x, table(inputs["condition"]))


def token_table(spec: SequenceSpec, embedding: int, tie_weights: bool = False) -> keras.layers.Layer:
    """The table of the tokens' vectors; a tied one serves as head, too."""
    if tie_weights:
        return keras.layers.ReversibleEmbedding(vocabulary_size(spec), embedding, name="embedding")
    return keras.layers.Embedding(vocabulary_size(spec), embedding, name="embedding")


def next_token(x: Any, table: keras.layers.Layer, spec: SequenceSpec) -> Any:
    """Logits of the next token: (batch, time, units) → (batch, time, vocabulary)."""
    if not isinstance(table, keras.layers.ReversibleEmbedding):
        return keras.layers.Dense(of_kind(spec.outputs, NextTokenOutput).vocabulary, name="head")(x)
    if x.shape[-1] != table.output_dim:
        x = keras.layers.Dense(table.output_dim, use_bias=False, name="projection")(x)
    return Bias(name="head")(table(x, reverse=True))
