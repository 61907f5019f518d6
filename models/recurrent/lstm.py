"""The LSTM loop and backpropagation through it, by hand.

Source: Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9; the forget gate f: Gers,
Schmidhuber & Cummins (2000). Gates stand in Keras's order i, f, g, o (Keras calls the candidate g "c").

    i, f, o = sigmoid(x W + h U + b)        g = tanh(x W + h U + b)
    c' = f c + i g                          h' = o tanh(c')
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .arrays import at, before, flat, rewritten, steps, unmasked, until, weight_gradients, weighted

GATES = 4


def as_tanh(units: Any, dtype: Any) -> Any:
    """Scale and offset, a value a gate unit, with which sigmoid(z) = tanh(z / 2) / 2 + 1 / 2 joins one tanh for all."""
    scale = tf.constant([0.5] * (2 * units) + [1.0] * units + [0.5] * units, dtype)  # (4 * units,)
    offset = tf.constant([0.5] * (2 * units) + [0.0] * units + [0.5] * units, dtype)  # (4 * units,)
    return scale, offset


def forward(x: Any, weights: Any, initial: Any, mask: Any, length: Any, *, keep: bool) -> Any:
    """Run the loop over `length` steps.

    Args:
        x: (time, batch, inputs). weights: kernel, recurrent kernel, bias. initial: h and c (batch, units).
        mask: (time, batch, 1), True where a step counts, or None. keep: also return what `backward` needs.

    Returns:
        All h (time, batch, units), the last h and c (batch, units), and what was kept.
    """
    kernel, recurrent, bias = weights
    units = recurrent.shape[0]
    scale, offset = as_tanh(units, x.dtype)
    x = weighted(x, kernel * scale, bias * scale)  # (time, batch, 4 * units)
    recurrent = recurrent * scale

    def step(t: Any, h: Any, c: Any, hs: Any, cs: Any, gates: Any) -> Any:
        z = tf.tanh(at(x, t) + h @ recurrent) * scale + offset  # (batch, 4 * units)
        if keep:  # Read it back from where it is kept: one kernel less than to make it and to copy it.
            gates = gates.write(t, z)
            z = gates.read(t)
        i, f, g, o = tf.split(z, 4, axis=1)  # (batch, units)
        new_c = f * c + i * g
        h, c = unmasked(mask, t, [o * tf.tanh(new_c), new_c], [h, c])
        return t + 1, h, c, hs.write(t, h), cs.write(t, c) if keep else (), gates

    h, c = initial
    state = (0, h, c, steps(x, units), steps(x, units) if keep else (), steps(x, 4 * units) if keep else ())
    _, h, c, hs, cs, gates = tf.while_loop(lambda t, *_: t < length, step, state)
    hs = hs.stack()  # (time, batch, units)
    return hs, [h, c], [hs, cs.stack(), gates.stack()] if keep else []


def backward(kept: Any, x: Any, weights: Any, initial: Any, mask: Any, length: Any, d_hs: Any, d_last: Any) -> Any:
    """Go back through the loop.

    Everything that doesn't depend on the gradient that flows back is made for all steps at once, so a step is one
    matrix product and three lines.

    Args:
        kept, x, weights, initial, mask, length: as in `forward`.
        d_hs: gradient of all h (time, batch, units), or None. d_last: of the last h and c (batch, units).

    Returns:
        Gradients of x W + b (time, batch, 4 * units), of the weights, and of the initial h and c.
    """
    _, recurrent, _ = weights
    units = recurrent.shape[0]
    hs, cs, gates = kept
    i, f, g, o = tf.split(gates, 4, axis=2)  # (time, batch, units)
    tanh_c = tf.tanh(cs)
    of_c = o * (1 - tanh_c**2)  # what h passes to c
    of_i, of_f = g * i * (1 - i), before(initial[1], cs) * f * (1 - f)
    of_g, of_o = i * (1 - g**2), tanh_c * o * (1 - o)
    of_gates = tf.concat([of_i, of_f, of_g, of_o], axis=2)  # (time, batch, 4 * units)
    if mask is not None:
        of_gates, of_c = (tf.where(mask, a, tf.zeros_like(a)) for a in (of_gates, of_c))
    back = tf.transpose(recurrent)  # (4 * units, units)

    def step(t: Any, d_h: Any, d_c: Any, d_zs: Any) -> Any:
        d_h = d_h if d_hs is None else d_h + at(d_hs, t)
        d_c = d_c + d_h * at(of_c, t)
        d_z = tf.concat([d_c, d_c, d_c, d_h], axis=1) * d_zs.read(t)  # (batch, 4 * units)
        before_h, before_c = d_z @ back, d_c * at(gates, t)[:, units : 2 * units]  # (batch, units)
        return t - 1, *unmasked(mask, t, [before_h, before_c], [d_h, d_c]), d_zs.write(t, d_z)

    state = (length - 1, *d_last, rewritten(until(length, of_gates)))
    _, d_h, d_c, d_zs = tf.while_loop(lambda t, *_: t >= 0, step, state)
    d_zs = d_zs.stack()  # (time, batch, 4 * units)
    d_kernel, d_bias = weight_gradients(x, d_zs)
    d_recurrent = tf.matmul(flat(before(initial[0], hs)), flat(d_zs), transpose_a=True)
    return d_zs, [d_kernel, d_recurrent, d_bias], [d_h, d_c]
