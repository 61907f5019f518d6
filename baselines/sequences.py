"""Sequences of numbers made ready for a baseline: gaps filled, channels on one scale, one length.

The rules: a gap is filled linearly between the values around it, the first and last observed carried outward; a channel
without any value in a sequence gets its mean over the training part. Then each channel is brought to mean 0 and
standard deviation 1 of the training part.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Longer sequences are shortened to this where all steps become columns.
MOST_STEPS = 1000


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation (channels,) of the training part; a channel that never varies has 1."""

    mean: np.ndarray
    spread: np.ndarray

    def __call__(self, sequences: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Gapless sequences in units of the spread: a list of (time, channels)."""
        return [(_filled(as_steps(values), self.mean) - self.mean) / self.spread for values in sequences]


def fit_scale(sequences: Sequence[np.ndarray]) -> Scale:
    """The scale of training sequences, each (time, channels) or (time,), NaN where nothing was observed."""
    steps = np.concatenate([as_steps(values) for values in sequences])  # (all time, channels)
    observed = ~np.isnan(steps)
    count = np.maximum(observed.sum(axis=0), 1)
    mean = np.where(observed, steps, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(observed, steps - mean, 0.0) ** 2).sum(axis=0) / count)
    return Scale(mean, np.where(spread > 0, spread, 1.0))


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
    share = (places - before)[:, None]
    return (1 - share) * values[before] + share * values[after]


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
