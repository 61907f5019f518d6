"""From token ids to vectors: a table of words, and one of hashed neighbours."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import keras
import numpy as np
from keras import ops

from ..errors import InputError
from ..spec import SequenceSpec, TokensInput
from .layers.hashed_ngrams import HashedNgrams
from .layers.time_steps import Masked
from .sequence_inputs import of_kind, takes_tokens
from .settings import Rule, TokensOnly, at_least
from .tensor import Tensor

# Characters and the like need no more; words do.
_SMALL_VOCABULARY, _FEW_DIMENSIONS, _DIMENSIONS = 256, 32, 64


def default_embedding(spec: SequenceSpec) -> int:
    """Dimensions of the vectors: those of a file, else 32 for a vocabulary of at most 256 tokens, otherwise 64."""
    inputs = of_kind(spec.inputs, TokensInput)
    return inputs.vectors or (_FEW_DIMENSIONS if inputs.vocabulary <= _SMALL_VOCABULARY else _DIMENSIONS)


def with_vectors(spec: SequenceSpec, vectors: np.ndarray | None) -> SequenceSpec:
    """The specification of tokens that have vectors (vocabulary, dimensions): the rules for settings look at it."""
    if vectors is None or np.ndim(vectors) != 2 or not isinstance(spec.inputs, TokensInput):
        return spec
    return replace(spec, inputs=replace(spec.inputs, vectors=vectors.shape[1]))


Embedding = Annotated[int | None, at_least(1), Rule(default_embedding), TokensOnly()]
SecondEmbedding = Annotated[int, at_least(0), TokensOnly()]


def embed(
    tokens: Tensor,
    spec: SequenceSpec,
    *,
    embedding: int | None = None,
    ngrams: int = 1,
    ngram_buckets: int = 2**16,
    vectors: np.ndarray | None = None,
    train_vectors: bool = True,
    second_embedding: int = 0,
) -> Tensor:
    """Look tokens up: int32 (batch, time) → (batch, time, embedding).

    Args:
        tokens: ids; 0 is padding.
        spec: what goes in.
        embedding: dimensions; None follows :func:`default_embedding` or takes those of `vectors`.
        ngrams: the most neighbours looked up together; the vector of each run of 2 to `ngrams` tokens is added to
            that of its last token.
        ngram_buckets: rows of the table of runs, to which their ids are hashed.
        vectors: first values of the table, float (vocabulary, dimensions).
        train_vectors: whether training changes them.
        second_embedding: dimensions of a second table, learnt from nothing, whose vectors stand beside those of
            `vectors`; 0: there is none.

    Raises:
        InputError: if `vectors` do not fit the vocabulary or `embedding`, or a second table has none to stand beside.

    Source of two tables: Kim (2014), Convolutional neural networks for sentence classification, EMNLP, "multichannel".
    """
    vocabulary = of_kind(spec.inputs, TokensInput).vocabulary
    if vectors is not None:
        embedding = _dimensions_of(vectors, vocabulary, embedding)
    width = embedding or default_embedding(spec)
    trained = vectors is None or train_vectors
    table = keras.layers.Embedding(vocabulary, width, trainable=trained, name="embedding")
    x = table(tokens)  # (batch, time, embedding)
    if vectors is not None:
        table.embeddings.assign(vectors)
    if second_embedding:
        if vectors is None:
            raise InputError("`second_embedding` stands beside `vectors`; give `vectors`, or leave it out")
        second = keras.layers.Embedding(vocabulary, second_embedding, name="second_embedding")
        x = keras.layers.Concatenate(name="channels")([x, second(tokens)])
    return add_ngrams(x, tokens, ngrams, ngram_buckets)


def step_vectors(
    x: Tensor,
    steps: Tensor,
    spec: SequenceSpec,
    *,
    embedding: int | None,
    vectors: np.ndarray | None,
    train_vectors: bool,
    second_embedding: int,
) -> Tensor:
    """What a tagger reads at every step: the token's vector, zeros at padding; values as they are.

    Args:
        x, steps: as :func:`recurra.models.sequence_inputs.sequence_inputs` gives them.
        spec: what goes in.
        embedding, vectors, train_vectors, second_embedding: as in :func:`embed`.

    Returns:
        (batch, time, width).
    """
    if not takes_tokens(spec):
        return x
    looked_up = embed(
        x,
        spec,
        embedding=embedding,
        vectors=vectors,
        train_vectors=train_vectors,
        second_embedding=second_embedding,
    )
    return Masked(name="masked_words")(looked_up, steps)


def add_ngrams(x: Tensor, tokens: Tensor, ngrams: int, buckets: int) -> Tensor:
    """Add the vectors of the runs that end at each step: (batch, time, width) → the same.

    The vectors begin at zero: most runs of a new text are not in the training ones, and should not count.
    """
    if ngrams == 1:
        return x
    table = keras.layers.Embedding(buckets, x.shape[-1], embeddings_initializer="zeros", name="ngram_embedding")
    for size in range(2, ngrams + 1):
        ids = HashedNgrams(size, buckets, name=f"ngrams_{size}")(tokens)  # (batch, time)
        x = x + Masked(name=f"masked_ngrams_{size}")(table(ids), ops.not_equal(ids, 0))
    return x


def _dimensions_of(vectors: np.ndarray, vocabulary: int, embedding: int | None) -> int:
    if np.ndim(vectors) != 2 or len(vectors) != vocabulary:
        raise InputError(
            f"`vectors` must have a row for each of the {vocabulary} tokens; received the shape {np.shape(vectors)}"
        )
    dimensions = int(vectors.shape[1])
    if embedding not in (None, dimensions):
        raise InputError(f"`vectors` have {dimensions} dimensions, so `embedding` must be that; received {embedding}")
    return dimensions
