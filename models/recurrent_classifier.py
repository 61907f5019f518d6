"""Recurrent families on whole sequences: one prediction for each, or a tag for every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import keras

from ..spec import SequenceSpec
from .cells import Cell
from .embedding import Embedding, SecondEmbedding, embed
from .layers.dropout import Dropout
from .layers.time_steps import POOLINGS, JoinSteps, Masked, Pool
from .sequence_inputs import drop_steps, output_size, sequence_inputs, takes_tokens
from .settings import Buckets, Flag, Layers, NGrams, Rate, Rule, TokenFlag, Units, Vectors, at_least, one_of
from .tensor import Tensor

CLASSIFIER_GRID: dict[str, list[Any]] = {
    "units": [64, 128],
    "embedding": [None],
    "segment_length": [None, 1],
    "pooling": [None, "last"],
    "bidirectional": [False, True],
    "ngrams": [1, 2],
    "dropout": [0.3, 0.5, 0.0],
    "input_dropout": [0.0, 0.2],
    "learning_rate": [3e-3, 1e-3, 1e-2],
}
TAGGER_GRID: dict[str, list[Any]] = {
    "units": [64, 128, 32],
    "embedding": [None],
    "bidirectional": [False, True],
    "dropout": [0.0, 0.3],
    "learning_rate": [3e-3, 1e-3, 1e-2],
}

# Steps of a long sequence: enough for the words of a review in threes, few enough for a training on two cores.
_MOST_STEPS = 128


def default_steps_per_segment(spec: SequenceSpec) -> int:
    """Steps read as one: as many as leave at most 128 of the longest sequence."""
    return -(-spec.inputs.length // _MOST_STEPS)


def default_pooling(spec: SequenceSpec) -> str:
    """Of texts, the strongest sign wherever it is; of numbers, the mean over time."""
    return "max" if takes_tokens(spec) else "mean"


StepsPerSegment = Annotated[int | None, at_least(1), Rule(default_steps_per_segment)]
Pooling = Annotated[str | None, one_of(*POOLINGS), Rule(default_pooling)]


def recurrent_classifier(
    family: str,
    cell: Cell,
    spec: SequenceSpec,
    *,
    units: Units = 64,
    num_layers: Layers = 1,
    segment_length: StepsPerSegment = None,
    pooling: Pooling = None,
    bidirectional: Flag = False,
    residual: Flag = False,
    dropout: Rate = 0.0,
    input_dropout: Rate = 0.0,
    embedding: Embedding = None,
    ngrams: NGrams = 1,
    ngram_buckets: Buckets = 2**16,
    vectors: Vectors = None,
    train_vectors: TokenFlag = True,
    second_embedding: SecondEmbedding = 0,
) -> keras.Model:
    """Build embedding → segments → recurrent layers → pooling → one prediction.

    Args:
        family: name of the model.
        cell: what makes the recurrent layers.
        spec: what goes in and comes out.
        units: width of the carried state.
        num_layers: recurrent layers on top of one another.
        segment_length: steps read as one, tokens averaged, values side by side; None follows
            :func:`default_steps_per_segment`.
        pooling: which states the prediction is made from: the "last", their "mean", their "max", or a mean weighted by
            "attention" (:class:`recurra.models.layers.time_steps.Pool`); None follows
            :func:`default_pooling`.
        bidirectional: read from both ends.
        residual: add each layer's input to its output where the widths agree.
        dropout: fraction of units left out after each layer, and before the head, in training.
        input_dropout: fraction of tokens, or steps of values, left out in training.
        embedding, ngrams, ngram_buckets, vectors, train_vectors, second_embedding: see
            :func:`recurra.models.embedding.embed`.

    Returns:
        An uncompiled model from tokens (batch, time), or values (batch, time, channels) and lengths, to
        (batch, classes).

    Source of the segments: Lin et al. (2023), SegRNN; of pooling over states: Collobert & Weston (2008).
    """
    inputs, x, steps = sequence_inputs(spec)
    if takes_tokens(spec):
        x = embed(
            x,
            spec,
            embedding=embedding,
            ngrams=ngrams,
            ngram_buckets=ngram_buckets,
            vectors=vectors,
            train_vectors=train_vectors,
            second_embedding=second_embedding,
        )  # (batch, time, embedding)
    x = drop_steps(x, input_dropout)
    segment = segment_length or default_steps_per_segment(spec)
    if segment > 1:
        how = "average" if takes_tokens(spec) else "concatenate"
        x, steps = JoinSteps(segment, how, name="segments")(x, steps)  # (batch, segments, ...)
        if how == "concatenate":
            x = keras.layers.Dense(units, activation="relu", name="projection")(x)
    pooling = pooling or default_pooling(spec)
    # Both last states are two ends of a sequence: only the layer itself knows where its backward half ends.
    both_ends = bidirectional and pooling == "last"
    make = cell(-(-spec.inputs.length // segment))
    x = _stack(make, x, steps if bidirectional else None, units, num_layers, residual, dropout, not both_ends)
    x = x if both_ends else Pool(pooling, name="pooling")(x, steps)  # (batch, units)
    return keras.Model(inputs, keras.layers.Dense(output_size(spec), name="head")(x), name=family)


def recurrent_tagger(
    family: str,
    cell: Cell,
    spec: SequenceSpec,
    *,
    units: Units = 64,
    num_layers: Layers = 1,
    bidirectional: Flag = False,
    residual: Flag = False,
    dropout: Rate = 0.0,
    input_dropout: Rate = 0.0,
    embedding: Embedding = None,
    ngrams: NGrams = 1,
    ngram_buckets: Buckets = 2**16,
    vectors: Vectors = None,
    train_vectors: TokenFlag = True,
    second_embedding: SecondEmbedding = 0,
) -> keras.Model:
    """Build embedding → recurrent layers → a tag for every step.

    Args:
        family: name of the model.
        cell: what makes the recurrent layers.
        spec: what goes in and comes out.
        units, num_layers, bidirectional, residual, dropout, input_dropout, embedding, ngrams, ngram_buckets, vectors,
            train_vectors, second_embedding: as in :func:`recurrent_classifier`.

    Returns:
        An uncompiled model from tokens (batch, time), or values (batch, time, channels) and lengths, to
        (batch, time, classes).
    """
    inputs, x, steps = sequence_inputs(spec)
    if takes_tokens(spec):
        x = embed(
            x,
            spec,
            embedding=embedding,
            ngrams=ngrams,
            ngram_buckets=ngram_buckets,
            vectors=vectors,
            train_vectors=train_vectors,
            second_embedding=second_embedding,
        )  # (batch, time, embedding)
    x = drop_steps(x, input_dropout)
    make = cell(spec.inputs.length)
    x = _stack(make, x, steps if bidirectional else None, units, num_layers, residual, dropout, True)
    return keras.Model(inputs, keras.layers.Dense(output_size(spec), name="head")(x), name=family)


def _stack(
    make: Callable[..., keras.layers.RNN],
    x: Tensor,
    steps: Tensor | None,
    units: int,
    num_layers: int,
    residual: bool,
    dropout: float,
    sequences: bool,
) -> Tensor:
    """(batch, time, channels) → (batch, time, width), or (batch, width) of the last states without `sequences`.

    `steps` says which steps are real to layers that read backwards, and is None otherwise: padding is on the right,
    so a layer that reads forwards has left the real steps behind when it meets any, and is faster without a mask.
    """
    for i in range(num_layers):
        whole = sequences or i < num_layers - 1
        layer = make(units, return_sequences=whole)
        if steps is None:
            y = layer(x)
        else:
            y = keras.layers.Bidirectional(layer)(x, mask=steps)
            y = Masked()(y, steps) if whole else y
        x = x + y if residual and whole and y.shape[-1] == x.shape[-1] else y
        x = Dropout(dropout)(x) if dropout else x
    return x
