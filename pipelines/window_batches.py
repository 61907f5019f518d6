"""WindowBatches: windows of encoded series as tf.data batches of (inputs, target, weight)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .fill import fill_window
from .read_ahead import read_ahead
from .windows import Windows, gather, numbers_in_order, numbers_shuffled

if TYPE_CHECKING:
    import tensorflow as tf

_SMALL_PREDICT_BATCH, _PREDICT_BATCH = 32, 256
_BATCH_SIZE, _LARGE_BATCH_SIZE, _MANY_WINDOWS = 32, 128, 8192
_CHUNK = 1 << 20  # rows looked at together
# As in models/layers/window_statistics.py: a spread below that fraction of the size is rounding.
_FLAT, _SMALLEST = 1e-14, 1e-100


@dataclass(frozen=True)
class WindowLayout:
    """Which rows and channels of a window are inputs, and which are targets.

    Attributes:
        lookback: rows that are inputs; the rest are the horizon.
        targets: channels to be forecast, the first ones.
        future_channels: channels known ahead, the last ones.
        missing: rule for missing inputs.
        many_series: whether errors are weighted by the scale of their window.
    """

    lookback: int
    targets: int
    future_channels: int
    missing: str
    many_series: bool


@dataclass(frozen=True, eq=False)
class WindowBatches:
    """Some windows of encoded series; see :class:`recurra.pipelines.protocol.Batches`.

    Attributes:
        values: all rows as scaled channels (rows, channels) float64.
        windows: which windows.
        layout: what is input and what is target.
    """

    values: np.ndarray
    windows: Windows
    layout: WindowLayout

    @property
    def batch_size(self) -> int:
        """Windows in a training step, where nobody says otherwise: 32, and 128 from 8,192 windows on."""
        return _BATCH_SIZE if len(self) < _MANY_WINDOWS else _LARGE_BATCH_SIZE

    @property
    def predict_batch_size(self) -> int:
        """Windows read together in prediction: 32 where there are no more, otherwise 256; two shapes to compile."""
        return _SMALL_PREDICT_BATCH if len(self) <= _SMALL_PREDICT_BATCH else _PREDICT_BATCH

    def __len__(self) -> int:
        return len(self.windows)

    def dataset(
        self, *, batch_size: int, seed: int | None = None, first_epoch: int = 0, steps: int | None = None
    ) -> tf.data.Dataset:
        """Batches of (inputs, target, weight).

        Args:
            batch_size: windows per batch.
            seed: shuffles without end, a new order every epoch; None reads every window once, in order, and fills
                the last batch up with repetitions of the last window.
            first_epoch: where a shuffled run resumes.
            steps: batches in a shuffled epoch; by default as many full ones as there are.

        Returns:
            Of inputs: ``{"values": float64 (batch, lookback, channels)}``, with ``"future": float32 (batch, horizon,
            future channels)`` where covariates are known ahead; target float64 (batch, horizon, targets), 0 where
            missing; weight of the same shape, 0 where missing and, with many series, one over the window's scale.
        """

        n_windows = len(self.windows)
        if seed is None:
            numbers = numbers_in_order(n_windows, batch_size)
        else:
            steps = steps or max(1, n_windows // batch_size)
            numbers = numbers_shuffled(n_windows, batch_size, seed, steps=steps, first_epoch=first_epoch)
        windows, has_gaps = self._reader(batch_size), self._has_gaps

        def batch(which: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
            return self._split(windows(which), has_gaps)

        return read_ahead(numbers, batch)

    def _reader(self, batch_size: int) -> Callable[[tf.Tensor], tf.Tensor]:
        """What reads windows by number: from memory as part of the graph, from files by a call out of it."""
        import tensorflow as tf

        if not isinstance(self.values, np.memmap):
            rows = tf.constant(self.values)
            return lambda which: gather(rows, self.windows, which)
        steps = np.arange(self.windows.lookback + self.windows.horizon)

        def read(which: np.ndarray) -> np.ndarray:
            return self.values[self.windows.starts(which)[:, None] + steps]

        def batch(which: tf.Tensor) -> tf.Tensor:
            found = tf.numpy_function(read, [which], tf.float64, stateful=False)
            return tf.ensure_shape(found, [batch_size, len(steps), self.values.shape[1]])

        return batch

    @cached_property
    def _has_gaps(self) -> bool:
        rows = (self.values[start : start + _CHUNK] for start in range(0, len(self.values), _CHUNK))
        return any(bool(np.isnan(some).any()) for some in rows)

    def order(self, batch_size: int) -> np.ndarray:
        """Which window has which place in an unshuffled run, -1 for a padding row: (batches × batch_size,)."""
        n = len(self)
        return np.concatenate([np.arange(n), np.full(-n % batch_size, -1)])

    def targets(self, read: Iterable[Any] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Targets in scaled units and their weights, in order: 2 × (windows, horizon, targets).

        Args:
            read: the batches in order, where they have been read already.
        """
        batches = self.dataset(batch_size=self.predict_batch_size) if read is None else read
        pairs = [(target.numpy(), weight.numpy()) for _, target, weight in batches]
        target, weight = (np.concatenate(arrays)[: len(self)] for arrays in zip(*pairs, strict=True))
        return target, weight

    def _split(self, window: tf.Tensor, has_gaps: bool) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        import tensorflow as tf

        own = self.layout
        past = window[:, : own.lookback]  # (batch, lookback, channels)
        target = window[:, own.lookback :, : own.targets]  # (batch, horizon, targets)
        weight = tf.ones_like(target)
        if has_gaps:
            past = fill_window(past, rule=own.missing)
            weight = tf.cast(tf.math.is_finite(target), target.dtype)
            target = tf.where(weight > 0, target, 0.0)
        if own.many_series:
            weight = weight / _spread(window[:, :, : own.targets], has_gaps)
        inputs = {"values": past}
        if own.future_channels:
            future = window[:, own.lookback :, -own.future_channels :]  # (batch, horizon, future channels)
            future = fill_window(future, rule=own.missing) if has_gaps else future
            inputs["future"] = tf.cast(future, tf.float32)
        return inputs, target, weight


def _spread(whole: tf.Tensor, has_gaps: bool) -> tf.Tensor:
    """What makes errors of different series alike: (batch, lookback + horizon, targets) → (batch, 1, targets).

    A loss in common units would see the large series only. The spread is that of inputs and targets together, so that
    a jump after a flat past cannot outweigh everything else; a constant window counts as in the models' own
    normalisation.
    """
    import tensorflow as tf

    whole = fill_window(whole) if has_gaps else whole
    size = tf.reduce_mean(tf.abs(whole), axis=1, keepdims=True)
    deviation = tf.math.reduce_std(whole - whole[:, -1:], axis=1, keepdims=True)
    return tf.maximum(deviation, _FLAT * size + _SMALLEST)
