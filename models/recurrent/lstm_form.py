"""The LSTM without some of its parts: which of them matters, one at a time.

    i, f = sigmoid(x W + h U + b + p c)     o = sigmoid(x W + h U + b + p c')      g = tanh(x W + h U + b)
    c' = f c + i g                          h' = o tanh(c')

A gate that is left out is 1 and has no weights; coupled, i = 1 - f; without peepholes there is no p.

Source: Hochreiter & Schmidhuber (1997), who have no forget gate; Gers & Schmidhuber (2000), Recurrent nets that time
and count, for the peepholes; the set of variants: Greff et al. (2017), LSTM: a search space odyssey (NIG, NFG, NOG,
CIFG, and peepholes), IEEE Transactions on Neural Networks and Learning Systems 28.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import keras
import tensorflow as tf

from .stepped import Stepped


@dataclass(frozen=True)
class LSTMForm:
    """Which parts an LSTM has.

    Attributes:
        input, forget, output: whether it has the gate.
        coupled: the input gate is what the forget gate leaves, 1 - f.
        peephole: the gates see the cell.
    """

    input: bool = True
    forget: bool = True
    output: bool = True
    coupled: bool = False
    peephole: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """What has columns in the kernels, in Keras's order."""
        has = {
            "input": self.input and not self.coupled,
            "forget": self.forget,
            "candidate": True,
            "output": self.output,
        }
        return tuple(name for name, there in has.items() if there)

    @property
    def peepholes(self) -> tuple[str, ...]:
        """The gates that see the cell."""
        return tuple(name for name in self.columns if name != "candidate") if self.peephole else ()

    def __call__(self, a: Any, states: Any, weights: Any) -> list[Any]:
        """Move on by a step, as `stepped.Step` has it; weights are the recurrent kernel, and the peepholes."""
        h, c = states
        recurrent, *peepholes = weights
        z = dict(zip(self.columns, tf.split(a + h @ recurrent, len(self.columns), axis=1), strict=True))
        p = dict(zip(self.peepholes, tf.unstack(peepholes[0]) if peepholes else (), strict=True))

        def gate(name: str, cell: Any) -> Any:
            return tf.sigmoid(z[name] + p[name] * cell if name in p else z[name])  # (batch, units)

        forget = gate("forget", c) if self.forget else tf.ones_like(c)
        let_in = tf.tanh(z["candidate"])
        if self.coupled:
            let_in *= 1 - forget
        elif self.input:
            let_in *= gate("input", c)
        new_c = let_in + forget * c
        shown = tf.tanh(new_c)
        return [gate("output", new_c) * shown if self.output else shown, new_c]


@keras.saving.register_keras_serializable("recurra")
class LSTMCell(keras.layers.Layer):
    """One step of an LSTM that lacks parts, or has more than the usual ones.

    Args:
        units: width of the state.
        input, forget, output, coupled, peephole: see :class:`LSTMForm`.
        bias_initializer: of the bias (columns × units,).
    """

    def __init__(self, units: int, *, bias_initializer: Any = "zeros", **kwargs: Any) -> None:
        form = {name: kwargs.pop(name) for name in asdict(LSTMForm()) if name in kwargs}
        super().__init__(**kwargs)
        self.units, self.form = units, LSTMForm(**form)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.state_size, self.output_size = [units, units], units

    @property
    def loop(self) -> Stepped:
        """Its loop over time."""
        return Stepped(self.form)

    def build(self, input_shape: tuple) -> None:
        width, columns = self.units, len(self.form.columns)
        self.kernel = self.add_weight(
            shape=(input_shape[-1], columns * width), initializer="glorot_uniform", name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            shape=(width, columns * width), initializer="orthogonal", name="recurrent_kernel"
        )
        self.bias = self.add_weight(shape=(columns * width,), initializer=self.bias_initializer, name="bias")
        if self.form.peepholes:  # It begins as the LSTM that has none.
            self.peephole = self.add_weight(
                shape=(len(self.form.peepholes), width), initializer="zeros", name="peephole"
            )

    @property
    def loop_weights(self) -> list[Any]:
        """Weights in the order in which the loop takes them."""
        return [self.kernel, self.bias, self.recurrent_kernel, *([self.peephole] if self.form.peepholes else [])]

    def call(self, x: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:  # noqa: ARG002
        kernel, bias, *own = (tf.convert_to_tensor(w) for w in self.loop_weights)
        after = self.form(x @ kernel + bias, states, own)
        return after[0], after

    def get_config(self) -> dict[str, Any]:
        bias = keras.initializers.serialize(self.bias_initializer)
        return {**super().get_config(), "units": self.units, "bias_initializer": bias, **asdict(self.form)}
