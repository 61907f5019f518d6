"""The GRU loop and backpropagation through it, by hand.

Source: Cho et al. (2014), Learning phrase representations using RNN encoder-decoder, arXiv:1406.1078; the reset gate
after the matrix product, as in Keras's default and cuDNN. Gates stand in Keras's order z, r, g.

    z, r = sigmoid(x W + h U + b)           p = h U + b (candidate's columns, before the reset)
    g = tanh(x W + b + r p)                 h' = z h + (1 - z) g
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .arrays import at, before, steps, unmasked, weight_gradients, weighted

GATES = 3


def forward(x: Any, weights: Any, initial: Any, mask: Any, length: Any, *, keep: bool) -> Any:
    """Run the loop over `length` steps; arguments and returns as in `lstm.forward`, the state being h alone.

    The bias has two rows (2, 3 * units), the inputs' and the state's.
    """
    kernel, recurrent, bias = weights
    units = recurrent.shape[0]
    # sigmoid(z) = tanh(z / 2) / 2 + 1 / 2: the halves of z and r are taken from the weights once.
    scale = tf.constant([0.5] * (2 * units) + [1.0] * units, x.dtype)  # (3 * units,)
    x = weighted(x, kernel * scale, bias[0] * scale)  # (time, batch, 3 * units)
    recurrent, bias = recurrent * scale, bias[1] * scale

    def step(t: Any, h: Any, hs: Any, gates: Any, ps: Any) -> Any:
        q = h @ recurrent + bias  # (batch, 3 * units)
        a = at(x, t)
        zr = tf.tanh(a[:, : 2 * units] + q[:, : 2 * units]) * 0.5 + 0.5  # (batch, 2 * units)
        z, r = tf.split(zr, 2, axis=1)  # (batch, units)
        p = q[:, 2 * units :]
        g = tf.tanh(a[:, 2 * units :] + r * p)
        if keep:
            gates, ps = gates.write(t, tf.concat([zr, g], axis=1)), ps.write(t, p)
        else:  # Carried out of the loop, for nothing else makes XLA take the tanh of several values at a time.
            gates = zr
        [h] = unmasked(mask, t, [z * h + (1 - z) * g], [h])
        return t + 1, h, hs.write(t, h), gates, ps

    kept = (steps(x, 3 * units), steps(x, units)) if keep else (tf.tile(initial[0], [1, 2]), ())
    state = (0, *initial, steps(x, units), *kept)
    _, h, hs, gates, ps = tf.while_loop(lambda t, *_: t < length, step, state)
    hs = hs.stack()  # (time, batch, units)
    return hs, [h], [hs, gates.stack(), ps.stack()] if keep else [gates]


def backward(kept: Any, x: Any, weights: Any, initial: Any, mask: Any, length: Any, d_hs: Any, d_last: Any) -> Any:
    """Go back through the loop; arguments and returns as in `lstm.backward`."""
    _, recurrent, _ = weights
    hs, gates, p = kept
    z, r, g = tf.split(gates, 3, axis=2)  # (time, batch, units)
    h_before = before(initial[0], hs)
    of_z = (h_before - g) * z * (1 - z)
    of_g = (1 - z) * (1 - g**2)
    of_r = of_g * p * r * (1 - r)
    of_state = tf.concat([of_z, of_r, of_g * r], axis=2)  # (time, batch, 3 * units), what h U + b gets
    of_input = tf.concat([of_z, of_r, of_g], axis=2)  # (time, batch, 3 * units), what x W + b gets
    if mask is not None:
        of_state, of_input = (tf.where(mask, a, tf.zeros_like(a)) for a in (of_state, of_input))
        z = tf.where(mask, z, tf.ones_like(z))
    back = tf.transpose(recurrent)  # (3 * units, units)

    def step(t: Any, d_h: Any, d_all: Any) -> Any:
        d_h = d_h if d_hs is None else d_h + at(d_hs, t)
        d_q = tf.concat([d_h, d_h, d_h], axis=1) * at(of_state, t)  # (batch, 3 * units)
        return t - 1, d_h * at(z, t) + d_q @ back, d_all.write(t, d_h)

    state = (length - 1, *d_last, steps(hs, recurrent.shape[0]))
    _, d_h, d_all = tf.while_loop(lambda t, *_: t >= 0, step, state)
    d_all = tf.tile(d_all.stack(), [1, 1, 3])  # (time, batch, 3 * units)
    d_qs, d_xs = d_all * of_state, d_all * of_input
    d_kernel, d_bias = weight_gradients(x, d_xs)
    d_recurrent, d_state_bias = weight_gradients(h_before, d_qs)
    return d_xs, [d_kernel, d_recurrent, tf.stack([d_bias, d_state_bias])], [d_h]
