"""Windows are gathered, not generated: their starts are counted, shuffled and batched; one gather per batch reads them.

Memory grows with the series, not with series × window: the list of windows is never written down. Window number k
is found by arithmetic, and the order of an epoch is a pseudo-random permutation that is computed number by number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..frames import SeriesFrame
from .fold import Fold, RowRange

if TYPE_CHECKING:
    import tensorflow as tf

_EDGES = ("first_input", "last_input", "first_target", "last_target")


@dataclass(frozen=True, eq=False)
class Windows:
    """Complete windows of one selection, none of which crosses two series.

    Attributes:
        first: row in the frame's table at which the first window of a series starts: (series,).
        count: number of windows of each series: (series,).
        lookback: rows a window reads.
        horizon: rows after them that it forecasts.
        stride: rows between two windows' starts.
    """

    first: np.ndarray
    count: np.ndarray
    lookback: int
    horizon: int
    stride: int = 1

    @classmethod
    def of(
        cls,
        lengths: np.ndarray,
        start: np.ndarray | int,
        stop: np.ndarray,
        *,
        lookback: int,
        horizon: int,
        stride: int = 1,
    ) -> Windows:
        """Windows whose target rows all lie in rows [start, stop) of their series; their inputs may lie before.

        Args:
            lengths: rows of each series (series,).
            start, stop: counted from each series' start.
            lookback, horizon, stride: see the attributes.
        """
        offsets = np.cumsum(lengths) - lengths  # (series,)
        origin = np.maximum(start, lookback)
        count = np.maximum((stop - horizon - origin) // stride + 1, 0)
        return cls(offsets + origin - lookback, count, lookback, horizon, stride)

    @classmethod
    def selected(cls, lengths: np.ndarray, rows: RowRange, *, lookback: int, horizon: int) -> Windows:
        """Windows of a selection, as many of each series as it wants."""
        windows = cls.of(lengths, rows.start, rows.stop, lookback=lookback, horizon=horizon)
        return windows if rows.max_windows is None else windows.thinned(rows.max_windows)

    def __len__(self) -> int:
        return int(self.count.sum())

    def thinned(self, most: int) -> Windows:
        """Keep about `most` windows of each series, evenly spaced."""
        every = max(1, -(-int(self.count.max(initial=0)) // most))
        return replace(self, count=-(-self.count // every), stride=self.stride * every)

    def starts(self, numbers: np.ndarray | None = None) -> np.ndarray:
        """First input row of windows by number, by default of every one in order: (windows,)."""
        ends = np.cumsum(self.count)
        numbers = np.arange(len(self)) if numbers is None else numbers
        series = np.searchsorted(ends, numbers, side="right")
        return self.first[series] + (numbers - (ends - self.count)[series]) * self.stride

    def series(self) -> np.ndarray:
        """Number of the series of every window: (windows,)."""
        return np.repeat(np.arange(len(self.count)), self.count)


def gather(values: tf.Tensor, windows: Windows, numbers: tf.Tensor) -> tf.Tensor:
    """Read windows by number: (rows, channels), (batch,) → (batch, lookback + horizon, channels)."""
    import tensorflow as tf

    ends = tf.constant(np.cumsum(windows.count), tf.int64)  # (series,)
    shift = windows.first - (np.cumsum(windows.count) - windows.count) * windows.stride
    series = tf.searchsorted(ends, numbers, side="right")  # (batch,)
    starts = numbers * windows.stride + tf.gather(tf.constant(shift, tf.int64), series)  # (batch,)
    steps = tf.range(windows.lookback + windows.horizon, dtype=tf.int64)  # (time,)
    return tf.gather(values, starts[:, None] + steps)  # (batch, time, channels)


def numbers_in_order(n_windows: int, batch_size: int) -> tf.data.Dataset:
    """Window numbers 0, 1, ...; the last batch repeats the last number, so that every batch has one shape."""
    import tensorflow as tf

    def batch(step: tf.Tensor) -> tf.Tensor:
        return tf.minimum(step * batch_size + tf.range(batch_size, dtype=tf.int64), n_windows - 1)

    return tf.data.Dataset.range(-(-n_windows // batch_size)).map(batch)


def numbers_shuffled(
    n_windows: int, batch_size: int, seed: int, *, steps: int, first_epoch: int = 0
) -> tf.data.Dataset:
    """Window numbers in a new random order every epoch of `steps` batches, without end.

    The order depends on `seed` and the epoch's number only, so a run that resumes at an epoch continues as before.
    A longer epoch than there are windows begins its order again.
    """
    import tensorflow as tf

    def batch(step: tf.Tensor) -> tf.Tensor:
        epoch, within = step // steps, step % steps
        places = (within * batch_size + tf.range(batch_size, dtype=tf.int64)) % n_windows
        key = tf.stack([tf.constant(seed, tf.int64), epoch])
        return tf.random.experimental.index_shuffle(places, key, tf.constant(n_windows - 1, tf.int64))

    return tf.data.Dataset.counter(first_epoch * steps).map(batch)


def window_table(frame: SeriesFrame, folds: list[Fold[RowRange]], *, lookback: int, horizon: int) -> pd.DataFrame:
    """List the first and last window of every selection of every fold, so that an off-by-one can be seen.

    Returns:
        One row per window: fold, selection, windows (in that selection and series), unique_id, first and last input
        time, first and last target time.

    Example:
        >>> print(window_table(frame, rolling_origin(frame, horizon=12, lookback=24), lookback=24, horizon=12))
    """
    times = frame.table[frame.time].to_numpy()
    rows = []
    for fold in folds:
        for name, rows_of in fold.named().items():
            windows = Windows.of(frame.lengths, rows_of.start, rows_of.stop, lookback=lookback, horizon=horizon)
            for series in np.flatnonzero(windows.count):
                for k in sorted({0, int(windows.count[series]) - 1}):
                    row = windows.first[series] + k
                    edges = (row, row + lookback - 1, row + lookback, row + lookback + horizon - 1)
                    seen = dict(zip(_EDGES, times[list(edges)], strict=True))
                    where = {"fold": fold.index, "selection": name, "windows": int(windows.count[series])}
                    rows.append({**where, "unique_id": frame.ids[series], **seen})
    return pd.DataFrame(rows)
