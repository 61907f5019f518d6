"""Which numbers are seeds: those that NumPy, TensorFlow and Keras all take."""

from typing import Any

import numpy as np

from .errors import InputError

LARGEST_SEED = 2**32 - 1


def check_seed(seed: Any) -> int:
    """Give a seed as an int.

    Raises:
        InputError: anything but a whole number from 0 to 4,294,967,295.

    Example:
        >>> check_seed(7)
        7
    """
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not whole or not 0 <= seed <= LARGEST_SEED:
        raise InputError(f"`seed` must be a whole number from 0 to {LARGEST_SEED}; received {seed!r}")
    return int(seed)
