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


def before(initial: Any, states: Any) -> Any:
    """What each step started from: `initial` (batch, units), then `states` (time, batch, units) but for the last."""
    return tf.concat([initial[tf.newaxis], states[:-1]], axis=0)  # (time, batch, units)


def flat(array: Any) -> Any:
    """All steps of all rows below one another, for one matrix product instead of one a step."""
    return tf.reshape(array, [-1, array.shape[-1]])  # (time * batch, width)


def unmasked(mask: Any, t: Any, new: Any, old: Any) -> Any:
    """Masked rows keep what they had."""
    if mask is None:
        return new
    return [tf.where(at(mask, t), a, b) for a, b in zip(new, old, strict=True)]
