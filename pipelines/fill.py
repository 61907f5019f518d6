"""Fill missing values inside a window from that window alone, so nothing after its last input time reaches it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

RULES = ("interpolate", "ffill", "error")


def fill_window(values: tf.Tensor, *, rule: str = "interpolate", otherwise: tf.Tensor | float = 0.0) -> tf.Tensor:
    """Replace NaN in (batch, time, channels).

    Args:
        values: windows, NaN where nothing was observed.
        rule: "interpolate" draws a line between the observed neighbours; "ffill" carries the last one forward.
            Both carry the last observation to the window's end and the first one back to its start.
        otherwise: what a channel without any observation becomes: a number or (channels,).

    Returns:
        (batch, time, channels) without NaN. Made of core TensorFlow ops only: the exported graph does the same.
    """
    import tensorflow as tf

    length = tf.shape(values)[1]
    time = tf.range(length)[None, :, None]  # (1, time, 1)
    observed = tf.math.is_finite(values)  # (batch, time, channels)
    if tf.executing_eagerly() and bool(tf.reduce_all(observed)):
        return values  # op by op, the rest costs more than a small network
    # Observed times first, in order: the n-th entry is the time of the n-th observation of that channel.
    order = tf.argsort(tf.where(observed, time, time + length), axis=1)  # (batch, time, channels)
    seen = tf.cumsum(tf.cast(observed, tf.int32), axis=1)  # observations up to and with this time
    total = seen[:, -1:, :]  # (batch, 1, channels)
    before = _take(order, tf.clip_by_value(seen - 1, 0, tf.maximum(total - 1, 0)))
    after = _take(order, tf.clip_by_value(tf.where(observed, seen - 1, seen), 0, tf.maximum(total - 1, 0)))
    left, right = _take(values, before), _take(values, after)
    if rule == "interpolate":
        gap = tf.cast(tf.maximum(after - before, 1), values.dtype)
        share = tf.clip_by_value(tf.cast(time - before, values.dtype) / gap, 0.0, 1.0)
        left = left + (right - left) * share
    filled = tf.where(observed, values, left)
    return tf.where(total > 0, filled, tf.cast(otherwise, values.dtype))


def fill_row(
    row: tf.Tensor, before: tf.Tensor, begun: tf.Tensor, *, rule: str = "interpolate"
) -> tuple[tf.Tensor, tf.Tensor]:
    """Fill a row of a sequence that is read row by row: what comes after it is not known yet.

    Args:
        row: (batch, channels), NaN where nothing was observed.
        before: the row before it, filled.
        begun: whether there was any, bool (batch,).
        rule: "ffill" repeats the last observation of each channel; a sequence begins with its first complete row, and
            earlier ones are passed over. Under the other rules NaN stays NaN, and so becomes all that follows from it.

    Returns:
        The filled row, and whether the sequence has begun.
    """
    import tensorflow as tf

    observed = tf.math.is_finite(row)
    if rule != "ffill":
        return tf.where(observed, row, tf.constant(np.nan, row.dtype)), tf.ones_like(begun)
    begun = begun | tf.reduce_all(observed, axis=1)
    return tf.where(observed, row, before), begun


def _take(values: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
    """values[b, time[b, t, c], c]: (batch, time, channels)."""
    import tensorflow as tf

    by_channel = tf.gather(
        tf.transpose(values, [0, 2, 1]), tf.transpose(time, [0, 2, 1]), batch_dims=2
    )  # (batch, channels, time)
    return tf.transpose(by_channel, [0, 2, 1])  # (batch, time, channels)
