"""The simple recurrent loop and backpropagation through it, by hand.

Source: Elman (1990), Finding structure in time, Cognitive Science 14.

    h' = tanh(x W + h U + b)
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .arrays import at, before, flat, rewritten, steps, unmasked, until, weight_gradients, weighted

GATES = 1


def forward(x: Any, weights: Any, initial: Any, mask: Any, length: Any, *, keep: bool) -> Any:
    """Run the loop over `length` steps; arguments and returns as in `lstm.forward`, the state being h alone."""
    kernel, recurrent, bias = weights
    x = weighted(x, kernel, bias)  # (time, batch, units)

    def step(t: Any, h: Any, hs: Any) -> Any:
        [h] = unmasked(mask, t, [tf.tanh(at(x, t) + h @ recurrent)], [h])  # (batch, units)
        return t + 1, h, hs.write(t, h)

    state = (0, *initial, steps(x, recurrent.shape[0]))
    _, h, hs = tf.while_loop(lambda t, *_: t < length, step, state)
    hs = hs.stack()  # (time, batch, units)
    return hs, [h], [hs] if keep else []


def backward(kept: Any, x: Any, weights: Any, initial: Any, mask: Any, length: Any, d_hs: Any, d_last: Any) -> Any:
    """Go back through the loop; arguments and returns as in `lstm.backward`."""
    _, recurrent, _ = weights
    [hs] = kept
    of_z = 1 - hs**2  # (time, batch, units)
    if mask is not None:
        of_z = tf.where(mask, of_z, tf.zeros_like(of_z))
    back = tf.transpose(recurrent)

    def step(t: Any, d_h: Any, d_zs: Any) -> Any:
        d_h = d_h if d_hs is None else d_h + at(d_hs, t)
        d_z = d_h * d_zs.read(t)  # (batch, units)
        [d_before] = unmasked(mask, t, [d_z @ back], [d_h])
        return t - 1, d_before, d_zs.write(t, d_z)

    state = (length - 1, *d_last, rewritten(until(length, of_z)))
    _, d_h, d_zs = tf.while_loop(lambda t, *_: t >= 0, step, state)
    d_zs = d_zs.stack()  # (time, batch, units)
    d_kernel, d_bias = weight_gradients(x, d_zs)
    d_recurrent = tf.matmul(flat(before(initial[0], hs)), flat(d_zs), transpose_a=True)
    return d_zs, [d_kernel, d_recurrent, d_bias], [d_h]
