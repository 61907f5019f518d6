"""Calendar features: where in the day, week and year a time stamp lies, as points on a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

# cycle → (length in seconds, a moment at which it begins, in seconds since 1970-01-01, a Thursday)
CYCLES = {
    "day": (86_400, 0),
    "week": (604_800, 4 * 86_400),  # Monday
    "year": (31_556_952, 0),  # the mean Gregorian year, 365.2425 days
}


def calendar_features(seconds: np.ndarray, cycles: tuple[str, ...]) -> np.ndarray:
    """Sine and cosine of each cycle's phase: (rows,) int64 seconds → (rows, 2 × cycles) float32.

    Wall-clock seconds since 1970, so that noon is noon whatever the time zone.
    """
    angles = [_phase(seconds, cycle) * (2 * np.pi) for cycle in cycles]
    waves = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
    return np.stack(waves, axis=-1).astype("float32") if waves else np.empty((len(seconds), 0), "float32")


def calendar_features_in_graph(seconds: tf.Tensor, cycles: tuple[str, ...]) -> tf.Tensor:
    """The same as graph ops, for exported models: (batch, time) int64 → (batch, time, 2 × cycles) float32."""
    import tensorflow as tf

    waves = []
    for cycle in cycles:
        length, start = CYCLES[cycle]
        # The remainder is taken in whole seconds: float32 would blur a time stamp of today by two minutes.
        angle = tf.cast((seconds - start) % length, tf.float32) / length * (2 * np.pi)
        waves += [tf.sin(angle), tf.cos(angle)]
    return tf.stack(waves, axis=-1)


def feature_names(cycles: tuple[str, ...]) -> list[str]:
    """Channel names, in the order of :func:`calendar_features`."""
    return [f"{cycle}_{wave}" for cycle in cycles for wave in ("sin", "cos")]


def _phase(seconds: np.ndarray, cycle: str) -> np.ndarray:
    length, start = CYCLES[cycle]
    return ((np.asarray(seconds, "int64") - start) % length) / length
