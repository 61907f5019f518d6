"""Recurrent language models: embedding → recurrent layers, their states in and out → logits of the next token."""

from __future__ import annotations

from typing import Annotated, Any

import keras

from ..spec import SequenceSpec
from .cells import Cell
from .embedding import SMALL_VOCABULARY
from .language_model_inputs import add_condition, language_inputs, next_token, token_table
from .layers.dropout import Dropout, TokenDropout
from .sequence_inputs import vocabulary_size
from .settings import FLAG, Flag, Layers, Rate, Rule, Units, at_least

LANGUAGE_MODEL_GRID: dict[str, list[Any]] = {
    "units": [128, 256],
    "num_layers": [1, 2],
    "dropout": [0.0, 0.2, 0.5],
    "tie_weights": [False, True],
    "learning_rate": [2e-3, 5e-3, 1e-3],
}


def default_residual(spec: SequenceSpec) -> bool:
    """Whether a vocabulary is one of words: vectors of thousands of words start small and are seldom corrected.

    What reaches the head through two layers is next to nothing then, and training stands still at how frequent each
    word is. Of a few characters each is seen thousands of times.
    """
    return vocabulary_size(spec) > SMALL_VOCABULARY


def recurrent_language_model(
    family: str,
    cell: Cell,
    spec: SequenceSpec,
    *,
    units: Units = 128,
    num_layers: Layers = 1,
    embedding: Annotated[int | None, at_least(1)] = None,
    dropout: Rate = 0.0,
    variational: Flag = False,
    token_dropout: Rate = 0.0,
    weight_dropout: Rate = 0.0,
    residual: Annotated[bool | None, FLAG, Rule(default_residual)] = None,
    tie_weights: Flag = False,
) -> keras.Model:
    """Build a recurrent model of the next token.

    Args:
        family: name of the model.
        cell: what makes the recurrent layers.
        spec: what goes in and comes out.
        units: width of each layer's state.
        num_layers: recurrent layers on top of one another.
        embedding: dimensions of the tokens' vectors; by default as many as units.
        dropout: fraction of the embedding's and of each layer's outputs left out in training, never of the states
            (Zaremba, Sutskever & Vinyals 2014).
        variational: leave out the same ones at all steps of a batch (Gal & Ghahramani 2016).
        token_dropout: fraction of the vocabulary that is left out of each batch's inputs (the same authors).
        weight_dropout: fraction of the recurrent weights left out in training (AWD-LSTM, Merity, Keskar & Socher 2018).
        residual: add each layer's input to its output where the widths agree; None follows :func:`default_residual`.
        tie_weights: the head uses the embedding's table (Press & Wolf 2017).

    Returns:
        An uncompiled model from tokens (batch, time) and states (batch, units) to logits (batch, time, vocabulary) and
        the states for the next call.
    """
    residual = default_residual(spec) if residual is None else residual
    make = cell(spec.inputs.length)
    options = {"return_sequences": True, "return_state": True, "weight_dropout": weight_dropout}
    layers = [make(units, **options) for _ in range(num_layers)]
    noise = (None, 1, None) if variational else None  # of (batch, time, units)
    each = len(layers[0].state_size)  # h, and c
    inputs = language_inputs(spec, [(units, "float32")] * each * num_layers)
    table = token_table(spec, embedding or units, tie_weights)
    x = table(inputs["tokens"])  # (batch, time, embedding)
    if token_dropout:
        x = TokenDropout(token_dropout, vocabulary_size(spec), name="token_dropout")(x, inputs["tokens"])
    x = Dropout(dropout, noise_shape=noise)(x) if dropout else x
    x = add_condition(x, inputs, spec)
    states = []
    for i, layer in enumerate(layers):
        before = [inputs[f"state_{each * i + j}"] for j in range(each)]
        y, *after = layer(x, initial_state=before)
        states += after
        x = x + y if residual and y.shape[-1] == x.shape[-1] else y  # (batch, time, units)
        x = Dropout(dropout, noise_shape=noise)(x) if dropout else x
    outputs = {"logits": next_token(x, table, spec)}
    outputs |= {f"state_{i}": state for i, state in enumerate(states)}
    return keras.Model(inputs, outputs, name=family)
