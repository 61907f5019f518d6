"""The simple recurrent network with another way from one state to the next: deeper, or begun at the identity.

    h' = φ(x W + h U + b) with one layer; with more, h' = φ(... φ(φ(x W + h U + b) V1 + b1) ...)

Source: deep transition, Pascanu et al. (2014), How to construct deep recurrent neural networks, ICLR (DT-RNN); identity
and relu: Le, Jaitly & Hinton (2015), A simple way to initialize recurrent networks of rectified linear units (IRNN).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from .stepped import Stepped

_FUNCTIONS = {"tanh": tf.tanh, "relu": tf.nn.relu}
# Of the inputs' weights (Le, Jaitly & Hinton 2015, section 3): small, so that nothing grows before it is learnt.
_SMALL = 0.001


@dataclass(frozen=True)
class Transition:
    """From a state to the next one, without gates.

    Attributes:
        activation: "tanh" or "relu".
    """

    activation: str = "tanh"

    def __call__(self, a: Any, states: Any, weights: Any) -> list[Any]:
        """Move on by a step, as `stepped.Step` has it; weights are U, then V and its bias for each further layer."""
        recurrent, *more = weights
        activation = _FUNCTIONS[self.activation]
        h = activation(a + states[0] @ recurrent)  # (batch, units)
        for kernel, bias in zip(more[::2], more[1::2], strict=True):
            h = activation(h @ kernel + bias)
        return [h]


@keras.saving.register_keras_serializable("recurra")
class TransitionCell(keras.layers.Layer):
    """One step of a simple recurrent network of one or more layers between two states.

    Args:
        units: width of the state, and of the layers.
        depth: layers from one state to the next.
        identity: begin with states that are kept as they are, and use relu in place of tanh.
    """

    def __init__(self, units: int, *, depth: int = 1, identity: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.depth, self.identity = units, depth, identity
        self.transition = Transition("relu" if identity else "tanh")
        self.state_size = self.output_size = units

    @property
    def loop(self) -> Stepped:
        """Its loop over time."""
        return Stepped(self.transition)

    def build(self, input_shape: tuple) -> None:
        square = (self.units, self.units)
        states = "identity" if self.identity else "orthogonal"
        inputs = keras.initializers.RandomNormal(stddev=_SMALL) if self.identity else "glorot_uniform"
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer=inputs, name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.recurrent_kernel = self.add_weight(shape=square, initializer=states, name="recurrent_kernel")
        self.between = []
        for i in range(1, self.depth):
            self.between += [
                self.add_weight(shape=square, initializer=states, name=f"transition_{i}_kernel"),
                self.add_weight(shape=(self.units,), initializer="zeros", name=f"transition_{i}_bias"),
            ]

    @property
    def loop_weights(self) -> list[Any]:
        """Weights in the order in which the loop takes them."""
        return [self.kernel, self.bias, self.recurrent_kernel, *self.between]

    def call(self, x: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:  # noqa: ARG002
        kernel, bias, *own = (tf.convert_to_tensor(w) for w in self.loop_weights)
        after = self.transition(x @ kernel + bias, states, own)
        return after[0], after

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "depth": self.depth, "identity": self.identity}
