"""Sequences of numbers made ready for a baseline: gaps filled, channels on one scale, one length.

The rules: a gap is filled linearly between the values around it, the first and last observed carried outward; a channel
without any value in a sequence gets its mean over the training set. Then each channel is brought to mean 0 and standard
deviation 1 of the training set. Everything exists twice: for arrays, and in float64 as TensorFlow operations on padded
batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

# Longer sequences are shortened to this where all steps become columns.
MAX_STEPS = 1000
ROUNDING = 1e-12  # a float64 sum of a million equal numbers is off by less than this fraction


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation (channels,) of the training set; a channel that never varies has 1."""

    mean: np.ndarray
    spread: np.ndarray

    def __call__(self, sequences: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Gapless sequences in units of the spread: a list of (time, channels)."""
        return [(_filled(as_steps(values), self.mean) - self.mean) / self.spread for values in sequences]

    def graph(self, values: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """The same for ``values`` (batch, time, channels) with ``lengths`` (batch,): float64, 0 behind an end."""
        import tensorflow as tf

        inside = tf.sequence_mask(lengths, tf.shape(values)[1])[:, :, None]
        values = tf.where(inside, tf.cast(values, tf.float64), tf.constant(np.nan, tf.float64))
        values = fill_gaps(values)
        scaled = (tf.where(tf.math.is_nan(values), self.mean, values) - self.mean) / self.spread
        return tf.where(inside, scaled, tf.zeros_like(scaled))


def fit_scale(sequences: Sequence[np.ndarray]) -> Scale:
    """The scale of training sequences, each (time, channels) or (time,), NaN where nothing was observed."""
    steps = np.concatenate([as_steps(values) for values in sequences])  # (all time, channels)
    observed = ~np.isnan(steps)
    count = np.maximum(observed.sum(axis=0), 1)
    about = np.where(observed, steps, 0.0).sum(axis=0) / count
    mean = about + np.where(observed, steps - about, 0.0).sum(axis=0) / count  # to the last digit
    spread = np.sqrt((np.where(observed, steps - mean, 0.0) ** 2).sum(axis=0) / count)
    # a constant channel has no spread of its own, only what rounding makes of it
    return Scale(mean, np.where(spread > ROUNDING * np.abs(mean), spread, 1.0))


def as_steps(values: np.ndarray) -> np.ndarray:
    """One sequence as float (time, channels); (time,) is one channel."""
    values = np.asarray(values, dtype=float)
    return values[:, None] if values.ndim == 1 else values


def stretched(values: np.ndarray, length: int) -> np.ndarray:
    """A gapless sequence (time, channels) read at ``length`` evenly spaced places, linear between steps.

    As it is where it has that length already; zeros where it has no steps.
    """
    if len(values) == length:
        return values
    if len(values) == 0:
        return np.zeros((length, values.shape[1]))
    places = np.linspace(0, len(values) - 1, length)
    before = np.floor(places).astype(int)
    after = np.minimum(before + 1, len(values) - 1)
    weight = (places - before)[:, None]
    return (1 - weight) * values[before] + weight * values[after]


def fill_gaps(values: tf.Tensor) -> tf.Tensor:
    """Fill NaN in float64 (batch, time, channels): in a line, the first and last value of a channel carried outward.

    A channel without any value stays NaN.
    """
    import tensorflow as tf

    values = tf.transpose(values, [0, 2, 1])  # (batch, channels, time)
    observed = ~tf.math.is_nan(values)
    time = tf.shape(values)[2]
    places = tf.broadcast_to(tf.range(time), tf.shape(values))
    found = tf.sort(tf.where(observed, places, time))  # where something was observed, rising, then `time`
    count = tf.cumsum(tf.cast(observed, tf.int32), axis=2)  # observed up to here
    last = count[:, :, -1:] - 1
    before = tf.gather(found, tf.clip_by_value(count - 1, 0, time - 1), batch_dims=2)
    after = tf.gather(found, tf.maximum(tf.minimum(count - tf.cast(observed, tf.int32), last), 0), batch_dims=2)
    before, after = (tf.minimum(place, time - 1) for place in (before, after))
    left, right = (tf.gather(values, place, batch_dims=2) for place in (before, after))
    way = tf.cast(places - before, tf.float64) / tf.cast(tf.maximum(after - before, 1), tf.float64)
    filled = left + (right - left) * tf.clip_by_value(way, 0.0, 1.0)
    return tf.transpose(tf.where(observed, values, filled), [0, 2, 1])


def stretch_padded(values: tf.Tensor, lengths: tf.Tensor, length: int) -> tf.Tensor:
    """What :func:`stretched` does, for gapless ``values`` (batch, time, channels) with ``lengths`` (batch,)."""
    import tensorflow as tf

    last = tf.cast(tf.maximum(lengths - 1, 0), tf.float64)[:, None]  # (batch, 1)
    step = last / max(length - 1, 1)
    places = step * tf.range(length, dtype=tf.float64)  # (batch, length)
    if length > 1:
        places = tf.concat([places[:, :-1], last], axis=1)  # as numpy: the end is reached exactly
    values = tf.pad(values, [[0, 0], [0, 1], [0, 0]])  # a sequence without steps reads zeros
    before = tf.cast(tf.floor(places), tf.int32)
    after = tf.minimum(before + 1, tf.maximum(lengths - 1, 0)[:, None])
    weight = (places - tf.floor(places))[:, :, None]
    left, right = (tf.gather(values, place, batch_dims=1) for place in (before, after))
    return (1 - weight) * left + weight * right


def _filled(values: np.ndarray, mean: np.ndarray) -> np.ndarray:
    missing = np.isnan(values)
    if not missing.any():
        return values
    values, rows = values.copy(), np.arange(len(values))
    for channel in np.flatnonzero(missing.any(axis=0)):
        gaps = missing[:, channel]
        if gaps.all():
            values[:, channel] = mean[channel]
        else:
            values[gaps, channel] = np.interp(rows[gaps], rows[~gaps], values[~gaps, channel])
    return values
