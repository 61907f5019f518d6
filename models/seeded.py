"""First weights from a seed, without touching anybody's random state."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Two threads that build at the same time would draw from each other's seeds.
_BUILDING = threading.RLock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Layers that are made inside draw first weights and dropout from the seed.

    Keras asks Python's own generator for the seed of each initializer and dropout layer. Its state is put back
    afterwards; those of numpy and TensorFlow are not used at all.

    Args:
        seed: a whole number.

    Example:
        >>> with seeded(0):
        ...     model = build("lstm", spec)
    """
    with _BUILDING:
        before = random.getstate()
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(before)
