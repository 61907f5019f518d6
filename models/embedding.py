"""From token ids to vectors: a table of words, and one of hashed neighbours."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from ..errors import InputError
from ..spec import SequenceSpec, TokensInput
from .kinds import of_kind
from .steps import Masked, shifted

# Characters and the like need no more; words do.
_SMALL_VOCABULARY, _FEW_DIMENSIONS, _DIMENSIONS = 256, 32, 64
# An odd number near a million mixes the ids; products of three ids below 2**20 stay within 63 bits.
_MIXER = 1_000_003


def default_embedding(spec: SequenceSpec) -> int:
    """Dimensions of the vectors: 32 for a vocabulary of at most 256 tokens, otherwise 64."""
    small = isinstance(spec.inputs, TokensInput) and spec.inputs.vocabulary <= _SMALL_VOCABULARY
    return _FEW_DIMENSIONS if small else _DIMENSIONS


def embed(
    tokens: Any,
    spec: SequenceSpec,
    *,
    embedding: int | None = None,
    ngrams: int = 1,
    ngram_buckets: int = 2**16,
    vectors: np.ndarray | None = None,
    train_vectors: bool = True,
) -> Any:
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

    Raises:
        InputError: if `vectors` do not fit the vocabulary or `embedding`.
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
    return add_ngrams(x, tokens, ngrams, ngram_buckets)


def add_ngrams(x: Any, tokens: Any, ngrams: int, buckets: int) -> Any:
    """Add the vectors of the runs that end at each step: (batch, time, width) → the same.

    The vectors begin at zero: most runs of a new text never stood in the training ones, and should say nothing.
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


@keras.saving.register_keras_serializable("recurra")
class HashedNgrams(keras.layers.Layer):
    """Ids of runs of `size` tokens, at the last of them: int (batch, time) → int32 (batch, time).

    Id 0 stands where no whole run ends: at the first tokens and at padding; the runs share 1 to `buckets` - 1.

    Source: Joulin, Grave, Bojanowski & Mikolov (2017), Bag of tricks for efficient text classification, EACL.
    """

    def __init__(self, size: int, buckets: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.buckets = size, buckets

    def call(self, tokens: Any) -> Any:
        padded = ops.pad(ops.cast(tokens, "int64"), [(0, 0), (self.size - 1, 0)])
        run = ops.zeros_like(tokens, dtype="int64")
        whole = ops.ones_like(tokens, dtype="bool")
        for i in range(self.size):
            token = shifted(padded, i, self.size)
            run = run * _MIXER + token
            whole = ops.logical_and(whole, ops.not_equal(token, 0))
        return ops.cast(ops.where(whole, 1 + run % (self.buckets - 1), 0), "int32")

    def compute_output_spec(self, tokens: Any) -> Any:
        return keras.KerasTensor(tokens.shape, dtype="int32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "buckets": self.buckets}
