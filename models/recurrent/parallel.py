"""minGRU and minLSTM: gates that look at the input alone, so that all steps are computed at once.

    minGRU      z = sigmoid(x W + b)            g = x W + b     h' = z h + (1 - z) g
    minLSTM     f, i = sigmoid(x W + b)         g = x W + b     h' = f / (f + i) h + i / (f + i) g

As in this package's GRU z is what keeps; the paper swaps z and 1 - z. Each is a linear recurrence h' = a h + b with
0 < a < 1, whose steps can be joined in any order: (a, b) then (A, B) is (A a, A b + B). Doubling the steps joined, all
states are there after log2(time) rounds. The way back is the same recurrence from the end.

Source: Feng et al. (2024), Were RNNs all we needed?, arXiv:2410.01201; the scan: Hillis & Steele (1986), Data parallel
algorithms, Communications of the ACM 29; its gradient: Martin & Cundy (2018), Parallelizing linear recurrent neural
nets over sequence length, ICLR.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from .arrays import before, weight_gradients, weighted


def scan_linear(a: Any, b: Any) -> Any:
    """All states of h' = a h + b from a zero state: (time, batch, units) → (time, batch, units)."""
    time = tf.shape(a)[0]
    here = tf.range(time)

    def join(reach: Any, a: Any, b: Any) -> Any:
        there = tf.maximum(here - reach, 0)
        inside = (here >= reach)[:, tf.newaxis, tf.newaxis]
        joined = b + a * tf.gather(b, there)
        return 2 * reach, tf.where(inside, a * tf.gather(a, there), a), tf.where(inside, joined, b)

    return tf.while_loop(lambda reach, *_: reach < time, join, (1, a, b))[2]


def min_gru(x: Any) -> tuple[Any, Any]:
    """x W + b (..., 2 * units) → what is kept of the state, and what is added to it, each (..., units)."""
    z, g = tf.split(x, 2, axis=-1)
    z = tf.sigmoid(z)
    return z, (1 - z) * g


def min_lstm(x: Any) -> tuple[Any, Any]:
    """x W + b (..., 3 * units) → what is kept of the state, and what is added to it, each (..., units)."""
    i, f, g = tf.split(x, 3, axis=-1)
    # f / (f + i), of the logarithms: both gates may be next to 0.
    kept = tf.sigmoid(tf.nn.softplus(-i) - tf.nn.softplus(-f))
    return kept, (1 - kept) * g


@dataclass(frozen=True)
class Parallel:
    """All steps of a linear recurrence at once, and the way back; weights are kernel and bias.

    Attributes:
        gates: from x W + b to a and b of h' = a h + b.
    """

    gates: Callable[[Any], tuple[Any, Any]]

    def forward(self, x: Any, weights: Any, initial: Any, mask: Any, length: Any, *, keep: bool) -> Any:
        """Give the states of `length` steps; arguments and returns as in `lstm.forward`, the state being h alone."""
        a, b = self._coefficients(weighted(x, *weights), mask, length)
        b = tf.concat([b[:1] + a[:1] * initial[0], b[1:]], axis=0)
        hs = scan_linear(a, b)  # (time, batch, units)
        return hs, [hs[-1]], [hs] if keep else []

    def backward(
        self, kept: Any, x: Any, weights: Any, initial: Any, mask: Any, length: Any, d_hs: Any, d_last: Any
    ) -> Any:
        """Go back through the steps; arguments and returns as in `lstm.backward`."""
        [hs] = kept
        d_hs = tf.zeros_like(hs) if d_hs is None else d_hs
        d_hs = tf.concat([d_hs[:-1], d_hs[-1:] + d_last[0]], axis=0)
        xs = weighted(x, *weights)  # (time, batch, width)
        with tf.GradientTape() as tape:
            tape.watch(xs)
            a, b = self._coefficients(xs, mask, length)
        after = tf.concat([a[1:], tf.zeros_like(a[:1])], axis=0)  # what the next step keeps of this one
        d_b = tf.reverse(scan_linear(tf.reverse(after, [0]), tf.reverse(d_hs, [0])), [0])
        d_xs = tape.gradient([a, b], xs, [d_b * before(initial[0], hs), d_b])
        return d_xs, list(weight_gradients(x, d_xs)), [a[0] * d_b[0]]

    def _coefficients(self, xs: Any, mask: Any, length: Any) -> tuple[Any, Any]:
        """a and b; a step that is masked, or comes after the last one, keeps what there was."""
        a, b = self.gates(xs)
        real = mask
        if not isinstance(length, int):
            inside = (tf.range(tf.shape(xs)[0]) < length)[:, tf.newaxis, tf.newaxis]
            real = inside if mask is None else mask & inside
        return (a, b) if real is None else (tf.where(real, a, tf.ones_like(a)), tf.where(real, b, tf.zeros_like(b)))


_GATES = {"min_gru": (min_gru, 2), "min_lstm": (min_lstm, 3)}


@keras.saving.register_keras_serializable("recurra")
class MinimalCell(keras.layers.Layer):
    """One step of a recurrence whose gates look at the input alone.

    Args:
        units: width of the state.
        kind: "min_gru" or "min_lstm".
    """

    def __init__(self, units: int, *, kind: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.kind = units, kind
        self.gates, self.columns = _GATES[kind]
        self.state_size = self.output_size = units

    @property
    def loop(self) -> Parallel:
        """All its steps at once."""
        return Parallel(self.gates)

    def build(self, input_shape: tuple) -> None:
        width = self.columns * self.units
        self.kernel = self.add_weight(shape=(input_shape[-1], width), initializer="glorot_uniform", name="kernel")
        self.bias = self.add_weight(shape=(width,), initializer="zeros", name="bias")

    @property
    def loop_weights(self) -> list[Any]:
        """Weights in the order in which the loop takes them."""
        return [self.kernel, self.bias]

    def call(self, x: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:  # noqa: ARG002
        kernel, bias = (tf.convert_to_tensor(w) for w in self.loop_weights)
        kept, added = self.gates(x @ kernel + bias)
        h = kept * states[0] + added  # (batch, units)
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "kind": self.kind}
