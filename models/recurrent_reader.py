"""Recurrent families on whole sequences: one answer for each, or a tag for every step."""

from __future__ import annotations

from typing import Any, TypedDict

import keras
import numpy as np

from ..spec import SequenceSpec
from .dropout import Dropout
from .embedding import embed
from .reader import answer_size, drop_steps, read_inputs, reads_tokens
from .steps import JoinSteps, Masked, Pool

READER_GRID: dict[str, list[Any]] = {
    "units": [64, 128],
    "embedding": [None],
    "segment_length": [None, 1],
    "pooling": [None, "last"],
    "bidirectional": [False, True],
    "ngrams": [1, 2],
    "dropout": [0.3, 0.5, 0.0],
    "input_dropout": [0.0, 0.2],
    "learning_rate": [1e-3, 3e-3, 3e-4],
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


def default_reader_segment(spec: SequenceSpec) -> int:
    """Steps read as one: as many as leave at most 128 of the longest sequence."""
    return -(-spec.inputs.length // _MOST_STEPS)


def default_pooling(spec: SequenceSpec) -> str:
    """Of texts, the strongest sign wherever it stands; of numbers, the mean over the course."""
    return "max" if reads_tokens(spec) else "mean"


class ReaderSettings(TypedDict, total=False):
    """Settings of the recurrent families for classification and regression.

    Attributes:
        units: width of the carried state, 64 by default.
        num_layers: recurrent layers on top of one another, 1 by default.
        segment_length: steps read as one, tokens averaged, values side by side; None follows
            :func:`default_reader_segment`.
        pooling: what of the states is answered from: the "last", their "mean" or their "max"; None follows
            :func:`default_pooling`.
        bidirectional: read from both ends.
        residual: add each layer's input to its output where the widths agree.
        dropout: share of units left out after each layer, and before the head, in training, 0 by default.
        input_dropout: share of tokens, or steps of values, left out in training, 0 by default.
        embedding, ngrams, ngram_buckets, vectors, train_vectors: see :func:`recurra.models.embedding.embed`.
    """

    units: int
    num_layers: int
    segment_length: int | None
    pooling: str | None
    bidirectional: bool
    residual: bool
    dropout: float
    input_dropout: float
    embedding: int | None
    ngrams: int
    ngram_buckets: int
    vectors: np.ndarray | None
    train_vectors: bool


class TaggerSettings(TypedDict, total=False):
    """Settings of the recurrent families for tagging; see :class:`ReaderSettings`."""

    units: int
    num_layers: int
    bidirectional: bool
    residual: bool
    dropout: float
    input_dropout: float
    embedding: int | None
    ngrams: int
    ngram_buckets: int
    vectors: np.ndarray | None
    train_vectors: bool


def recurrent_reader(
    family: str,
    layer: type[keras.layers.Layer],
    spec: SequenceSpec,
    *,
    units: int = 64,
    num_layers: int = 1,
    segment_length: int | None = None,
    pooling: str | None = None,
    bidirectional: bool = False,
    residual: bool = False,
    dropout: float = 0.0,
    input_dropout: float = 0.0,
    **embedding: Any,
) -> keras.Model:
    """Build embedding → segments → recurrent layers → pooling → one answer.

    Source of the segments: Lin et al. (2023), SegRNN; of pooling over states: Collobert & Weston (2008).
    """
    inputs, x, steps = read_inputs(spec)
    x = embed(x, spec, **embedding) if reads_tokens(spec) else x  # (batch, time, embedding)
    x = drop_steps(x, input_dropout)
    segment = segment_length or default_reader_segment(spec)
    if segment > 1:
        how = "average" if reads_tokens(spec) else "concatenate"
        x, steps = JoinSteps(segment, how, name="segments")(x, steps)  # (batch, segments, ...)
        if how == "concatenate":
            x = keras.layers.Dense(units, activation="relu", name="projection")(x)
    pooling = pooling or default_pooling(spec)
    # Both last states are two ends of a sequence: only the layer itself knows where its backward half ends.
    both_ends = bidirectional and pooling == "last"
    x = _stack(layer, x, steps if bidirectional else None, units, num_layers, residual, dropout, not both_ends)
    x = x if both_ends else Pool(pooling, name="pooling")(x, steps)  # (batch, units)
    return keras.Model(inputs, keras.layers.Dense(answer_size(spec), name="head")(x), name=family)


def recurrent_tagger(
    family: str,
    layer: type[keras.layers.Layer],
    spec: SequenceSpec,
    *,
    units: int = 64,
    num_layers: int = 1,
    bidirectional: bool = False,
    residual: bool = False,
    dropout: float = 0.0,
    input_dropout: float = 0.0,
    **embedding: Any,
) -> keras.Model:
    """Build embedding → recurrent layers → a tag for every step."""
    inputs, x, steps = read_inputs(spec)
    x = embed(x, spec, **embedding) if reads_tokens(spec) else x  # (batch, time, embedding)
    x = drop_steps(x, input_dropout)
    x = _stack(layer, x, steps if bidirectional else None, units, num_layers, residual, dropout, True)
    return keras.Model(inputs, keras.layers.Dense(answer_size(spec), name="head")(x), name=family)


def _stack(
    layer: type[keras.layers.Layer],
    x: Any,
    steps: Any,
    units: int,
    num_layers: int,
    residual: bool,
    dropout: float,
    sequences: bool,
) -> Any:
    """(batch, time, channels) → (batch, time, width), or (batch, width) of the last states without `sequences`.

    `steps` says which steps are real to layers that read backwards, and is None otherwise: padding is on the right,
    so a layer that reads forwards has left the real steps behind when it meets any, and is faster without a mask.
    """
    for i in range(num_layers):
        whole = sequences or i < num_layers - 1
        cell = layer(units, return_sequences=whole)
        if steps is None:
            y = cell(x)
        else:
            y = keras.layers.Bidirectional(cell)(x, mask=steps)
            y = Masked()(y, steps) if whole else y
        x = x + y if residual and whole and y.shape[-1] == x.shape[-1] else y
        x = Dropout(dropout)(x) if dropout else x
    return x
