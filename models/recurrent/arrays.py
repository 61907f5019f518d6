"""Helpers of the loops: arrays with time in front, read and written one step at a time."""

import tensorflow as tf


def at(array, t):
    """The step `t` of an array (time, batch, ...): XLA turns it into a view, `array[t]` with a tensor index not."""
    begin = [t] + [0] * (array.shape.rank - 1)
    size = tf.concat([[1], tf.shape(array)[1:]], axis=0)
    step = tf.squeeze(tf.slice(array, begin, size), axis=0)  # (batch, ...)
    step.set_shape(array.shape[1:])
    return step


def buffer(like, width):
    """An empty array to fill step by step: (time, batch, width), zero where the loop never comes."""
    time = tf.shape(like)[0]
    step_shape = [like.shape[1], width]
    return tf.TensorArray(like.dtype, size=time, clear_after_read=False, element_shape=step_shape)


def shifted(first, array):
    """What each step started from: `first` (batch, units), then all steps of `array` but its last one."""
    return tf.concat([first[tf.newaxis], array[:-1]], axis=0)  # (time, batch, units)


def keep_unmasked(mask, t, new, old):
    """The masked rows of a step keep what they had."""
    return new if mask is None else tf.where(at(mask, t), new, old)
