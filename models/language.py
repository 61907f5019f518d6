"""What every language model shares: carried states by name, the condition, the head; and the recurrent ones."""

from __future__ import annotations

from typing import Any, TypedDict

import keras
from keras import ops

from ..errors import InputError
from ..spec import NextTokenOutput, SequenceSpec, TokensInput
from .dropout import Dropout
from .kinds import of_kind
from .reader import vocabulary_size
from .steps import Bias

GRID: dict[str, list[Any]] = {
    "units": [128, 256],
    "num_layers": [1, 2],
    "dropout": [0.0, 0.2, 0.5],
    "tie_weights": [False, True],
    "learning_rate": [2e-3, 5e-3, 1e-3],
}

# A condition is one of a few: it needs no wider vector than this.
_CONDITION_DIMENSIONS = 16
# Words: the window of Bengio et al. (2003) and of a five-gram; a vocabulary of characters needs several words' worth.
_WORDS, _CHARACTERS, _SMALL_VOCABULARY = 5, 16, 256


def default_language_window(spec: SequenceSpec) -> int:
    """Tokens read for the next one: 5 words; 16 where the vocabulary has at most 256 tokens, as of characters."""
    return _CHARACTERS if vocabulary_size(spec) <= _SMALL_VOCABULARY else _WORDS


def language_window(window: int | None, spec: SequenceSpec) -> int:
    """The window asked for, or the default one.

    Raises:
        InputError: if nothing would be carried from one call to the next.
    """
    if window == 1:
        raise InputError("`window` of a language model must be a whole number of at least 2; received 1")
    return window or default_language_window(spec)


def language_inputs(spec: SequenceSpec, states: list[tuple[int, str]]) -> dict[str, Any]:
    """Named inputs: tokens (batch, time), a state (batch, size) for each (size, dtype), condition (batch,) if any."""
    inputs = {"tokens": keras.Input((None,), dtype="int32", name="tokens")}
    for i, (size, dtype) in enumerate(states):
        inputs[f"state_{i}"] = keras.Input((size,), dtype=dtype, name=f"state_{i}")
    if of_kind(spec.inputs, TokensInput).conditions:
        inputs["condition"] = keras.Input((), dtype="int32", name="condition")
    return inputs


def remember_tokens(tokens: Any, state: Any) -> tuple[Any, Any]:
    """All ids to be read (batch, n + time), and the last n of them, to be carried on; `state` holds the n before."""
    together = ops.concatenate([state, tokens], axis=1)
    return together, together[:, -state.shape[1] :]


def add_condition(x: Any, inputs: dict[str, Any], spec: SequenceSpec) -> Any:
    """Tell every step the condition: (batch, time, width) → (batch, time, width + 16), or the same without one."""
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


class LanguageSettings(TypedDict, total=False):
    """Settings of the recurrent families for language models.

    Attributes:
        units: width of each layer's state, 128 by default.
        num_layers: recurrent layers on top of one another, 1 by default.
        embedding: dimensions of the tokens' vectors; by default as many as units.
        dropout: share of the embedding's and of each layer's outputs left out in training, never of the states
            (Zaremba, Sutskever & Vinyals 2014); 0 by default.
        residual: add each layer's input to its output where the widths agree.
        tie_weights: the head uses the embedding's table (Press & Wolf 2017).
    """

    units: int
    num_layers: int
    embedding: int | None
    dropout: float
    residual: bool
    tie_weights: bool


def recurrent_language(
    family: str,
    layer: type[keras.layers.Layer],
    spec: SequenceSpec,
    *,
    units: int = 128,
    num_layers: int = 1,
    embedding: int | None = None,
    dropout: float = 0.0,
    residual: bool = False,
    tie_weights: bool = False,
) -> keras.Model:
    """Build embedding → recurrent layers, their states in and out → logits of the next token."""
    each = 2 if issubclass(layer, keras.layers.LSTM) else 1  # h, and c
    inputs = language_inputs(spec, [(units, "float32")] * each * num_layers)
    table = token_table(spec, embedding or units, tie_weights)
    x = table(inputs["tokens"])  # (batch, time, embedding)
    x = Dropout(dropout)(x) if dropout else x
    x = add_condition(x, inputs, spec)
    states = []
    for i in range(num_layers):
        before = [inputs[f"state_{each * i + j}"] for j in range(each)]
        y, *after = layer(units, return_sequences=True, return_state=True)(x, initial_state=before)
        states += after
        x = x + y if residual and y.shape[-1] == x.shape[-1] else y  # (batch, time, units)
        x = Dropout(dropout)(x) if dropout else x
    outputs = {"logits": next_token(x, table, spec)}
    outputs |= {f"state_{i}": state for i, state in enumerate(states)}
    return keras.Model(inputs, outputs, name=family)


@keras.saving.register_keras_serializable("recurra")
class AtEveryStep(keras.layers.Layer):
    """Set a vector beside every step: (batch, time, width), (batch, more) → (batch, time, width + more)."""

    def call(self, x: Any, vector: Any) -> Any:
        batch, time = ops.shape(x)[:2]
        repeated = ops.broadcast_to(vector[:, None, :], (batch, time, vector.shape[1]))
        return ops.concatenate([x, repeated], axis=-1)

    def compute_output_spec(self, x: Any, vector: Any) -> Any:
        return keras.KerasTensor((*x.shape[:2], x.shape[2] + vector.shape[1]), dtype=x.dtype)
