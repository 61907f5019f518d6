"""Dropout that stays cheap where XLA compiles the training step."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("recurra")
class Dropout(keras.layers.Dropout):
    """`keras.layers.Dropout`, its mask drawn by the Philox generator.

    Left to choose (TensorFlow 2.21), XLA draws on a CPU by a way that takes far longer than the layers around it do.

    Example:
        >>> Dropout(0.5, noise_shape=(None, None, 1))  # whole steps of (batch, time, channels)
    Source: Srivastava et al. (2014), Dropout: a simple way to prevent neural networks from overfitting, JMLR 15;
    Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.rate:
            return inputs
        sizes = tf.shape(inputs)
        shape = sizes if self.noise_shape is None else self._noise_sizes(sizes)
        seed = tf.cast(self.seed_generator.next(), tf.int32)  # (2,)
        drawn = tf.random.stateless_uniform(shape, seed, alg="philox")
        return tf.where(drawn >= self.rate, inputs / (1 - self.rate), tf.zeros_like(inputs))

    def _noise_sizes(self, sizes: Any) -> Any:
        return tf.stack([sizes[i] if size is None else size for i, size in enumerate(self.noise_shape)])
