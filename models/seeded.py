"""First weights from a seed, without touching anybody's random state."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

# Two threads that build at the same time would put back each other's generators.
_BUILDING = threading.RLock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Layers that are made inside draw first weights and dropout from the seed.

    Keras asks ``random.randint`` for the seed of each initializer and dropout layer. Inside, this thread gets what it
    would after ``random.seed(seed)``, and all others what they would get anyway: a thread that draws in between, such
    as those of a Dask worker, must not change the weights. The states of Python, NumPy and TensorFlow are not used.

    Args:
        seed: a whole number.

    Example:
        >>> with seeded(0):
        ...     model = build("lstm", spec)
    """
    own, me = random.Random(seed), threading.get_ident()

    def randint(a: int, b: int) -> int:
        return own.randint(a, b) if threading.get_ident() == me else usual(a, b)

    with _BUILDING:
        usual = random.randint
        with patch.object(random, "randint", randint):
            yield
