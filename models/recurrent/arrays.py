"""Small helpers of the loops: arrays with time in front, read and written one step at a time."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def at(array: Any, t: Any) -> Any:
    """The step `t` of an array (time, batch, ...). XLA makes a view of it, where `array[t]` becomes a copy."""
    size = tf.concat([[1], tf.shape(array)[1:]], axis=0)
    step = tf.slice(array, [t] + [0] * (array.shape.rank - 1), size)  # (1, batch, ...)
    return tf.ensure_shape(tf.squeeze(step, axis=0), array.shape[1:])  # (batch, ...)


def steps(like: Any, width: Any) -> Any:
    """An array (time, batch, width) to be written step by step, zero where the loop never comes."""
    return tf.TensorArray(
        like.dtype, size=tf.shape(like)[0], clear_after_read=False, element_shape=[like.shape[1], width]
    )


def rewritten(array: Any) -> Any:
    """An array (time, batch, ...) to be read and written over step by step: in its place, without a second one."""
    return tf.TensorArray(
        array.dtype, size=tf.shape(array)[0], clear_after_read=False, element_shape=array.shape[1:]
    ).unstack(array)


def until(length: Any, array: Any) -> Any:
    """An array (time, batch, ...) with zeros from step `length` on. An int is the whole of it."""
    if isinstance(length, int):
        return array
    return tf.where(tf.range(tf.shape(array)[0])[:, tf.newaxis, tf.newaxis] < length, array, tf.zeros_like(array))


def before(initial: Any, states: Any) -> Any:
    """What each step started from: `initial` (batch, units), then `states` (time, batch, units) but for the last."""
    return tf.concat([initial[tf.newaxis], states[:-1]], axis=0)  # (time, batch, units)


def with_one(array: Any) -> Any:
    """(time, batch, width) → (time, batch, width + 1): a one behind, which brings the bias into matrix products."""
    return tf.concat([array, tf.ones_like(array[..., :1])], axis=2)


def weighted(x: Any, kernel: Any, bias: Any) -> Any:
    """x W + b of all steps, as one matrix product: (time, batch, inputs) → (time, batch, width)."""
    return tf.tensordot(with_one(x), tf.concat([kernel, bias[tf.newaxis]], axis=0), 1)


def weight_gradients(x: Any, d: Any) -> Any:
    """Gradients of W (inputs, width) and b (width,) in x W + b, whose gradient d is (time, batch, width)."""
    both = tf.matmul(flat(with_one(x)), flat(d), transpose_a=True)  # (inputs + 1, width)
    return both[:-1], both[-1]


def flat(array: Any) -> Any:
    """All steps of all rows below one another, for one matrix product instead of one a step."""
    return tf.reshape(array, [-1, array.shape[-1]])  # (time * batch, width)


def unmasked(mask: Any, t: Any, new: Any, old: Any) -> Any:
    """Masked rows keep what they had."""
    if mask is None:
        return new
    return [tf.where(at(mask, t), a, b) for a, b in zip(new, old, strict=True)]
