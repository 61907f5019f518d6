"""How batches are made while the network computes: the same in every pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tensorflow as tf

_AT_ONCE, _AHEAD = 2, 4


def read_ahead(plan: tf.data.Dataset, gather: Callable[..., Any]) -> tf.data.Dataset:
    """Gather each element of a plan, some of them ahead of their use, in the plan's order.

    How many is fixed, so TensorFlow has nothing to tune: its tuner sleeps up to a minute between two looks, and where
    there is one core, an iterator that is given up waits for it to wake (seconds at the end of every training).
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return plan.map(gather, num_parallel_calls=_AT_ONCE, deterministic=True).prefetch(_AHEAD).with_options(options)
