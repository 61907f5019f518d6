"""Dropout that stays cheap where XLA compiles the training step."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ..tensor import Tensor


@keras.saving.register_keras_serializable("recurra")
class Dropout(keras.layers.Dropout):
    """`keras.layers.Dropout`, its mask drawn by the Philox generator.

    Left to choose (TensorFlow 2.21), XLA draws on a CPU by a way that takes far longer than the layers around it do.

    Example:
        >>> Dropout(0.5, noise_shape=(None, None, 1))  # whole steps of (batch, time, channels)
    Source: Srivastava et al. (2014), Dropout: a simple way to prevent neural networks from overfitting, JMLR 15;
    Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3.
    """

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or not self.rate:
            return inputs
        sizes = tf.shape(inputs)
        shape = sizes if self.noise_shape is None else self._noise_sizes(sizes)
        seed = tf.cast(self.seed_generator.next(), tf.int32)  # (2,)
        drawn = tf.random.stateless_uniform(shape, seed, alg="philox")
        return tf.where(drawn >= self.rate, inputs / (1 - self.rate), tf.zeros_like(inputs))

    def _noise_sizes(self, sizes: Tensor) -> Tensor:
        return tf.stack([sizes[i] if size is None else size for i, size in enumerate(self.noise_shape)])


@keras.saving.register_keras_serializable("recurra")
class TokenDropout(keras.layers.Layer):
    """Leave out whole tokens wherever they occur in a batch: one draw for each id of the vocabulary.

    Args:
        rate: fraction of the ids that is left out.
        vocabulary: number of ids.
        seed: of the draws.

    Called on vectors (batch, time, dimensions) and ids (batch, time); what stays is scaled up by 1 / (1 - rate).

    Source: Gal & Ghahramani (2016), A theoretically grounded application of dropout in recurrent neural networks, NIPS.
    """

    def __init__(self, rate: float, vocabulary: int, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate, self.vocabulary, self.seed = rate, vocabulary, seed
        self.dropout = Dropout(rate, seed=seed)

    def call(self, inputs: Tensor, tokens: Tensor, training: bool = False) -> Tensor:
        if not training:
            return inputs
        kept = self.dropout(tf.ones([self.vocabulary, 1], inputs.dtype), training=True)
        return inputs * tf.gather(kept, tokens)  # (batch, time, 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "vocabulary": self.vocabulary, "seed": self.seed}
