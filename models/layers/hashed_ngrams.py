"""Runs of tokens, hashed to the rows of a table."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .time_steps import shifted

# An odd number near a million mixes the ids; products of three ids below 2**20 stay within 63 bits.
_MIXER = 1_000_003


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
