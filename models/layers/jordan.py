"""A feed-forward network that reads some of its own last outputs."""

from __future__ import annotations

import itertools
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("recurra")
class JordanCell(keras.layers.Layer):
    """One step of a feed-forward network with `feedback` more outputs than it predicts with, read at the next step.

    ``h = relu(W x + F s + b)``; ``y, z = V h + d``; ``s = tanh(z)``: unlike the hidden state of a recurrent network, s
    is an output, and the hidden layer itself is forgotten.

    Args:
        units: width of each hidden layer.
        num_layers: number of hidden layers; the first one reads s.
        outputs: width of y.
        feedback: width of s.

    Source: Jordan (1986), Serial order: a parallel distributed processing approach, ICS report 8604.
    """

    def __init__(self, units: int, num_layers: int, outputs: int, feedback: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.num_layers, self.outputs, self.feedback = units, num_layers, outputs, feedback
        self.state_size, self.output_size = feedback, outputs

    def build(self, input_shape: tuple) -> None:
        widths = [input_shape[-1] + self.feedback, *[self.units] * self.num_layers, self.outputs + self.feedback]
        self.layers = []
        for i, (width, units) in enumerate(itertools.pairwise(widths)):
            kernel = self.add_weight(shape=(width, units), initializer="glorot_uniform", name=f"{i}_kernel")
            bias = self.add_weight(shape=(units,), initializer="zeros", name=f"{i}_bias")
            self.layers.append((kernel, bias))

    def call(self, x: Any, states: Any) -> tuple[Any, list[Any]]:
        h = ops.concatenate([x, states[0]], axis=-1)  # (batch, channels + feedback)
        for kernel, bias in self.layers[:-1]:
            h = ops.relu(h @ kernel + bias)  # (batch, units)
        kernel, bias = self.layers[-1]
        outputs = h @ kernel + bias  # (batch, outputs + feedback)
        return outputs[:, : self.outputs], [ops.tanh(outputs[:, self.outputs :])]

    def get_config(self) -> dict[str, Any]:
        own = ("units", "num_layers", "outputs", "feedback")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
