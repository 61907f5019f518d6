"""Seeds from scikit-learn's ``random_state``; nobody's global state is read or changed."""

from __future__ import annotations

from typing import Any

import numpy as np

_MOST = 2**31 - 1


def seed_of(random_state: Any) -> int:
    """The seed of one fit.

    Args:
        random_state: an int for the same fit every time; a ``RandomState`` or ``Generator``, which gives another seed
            each time it is asked; None for a seed from the operating system.

    Raises:
        ValueError: if it is anything else.
    """
    if random_state is None:
        return int(np.random.default_rng().integers(_MOST))
    if isinstance(random_state, int | np.integer) and not isinstance(random_state, bool) and random_state >= 0:
        return int(random_state) % _MOST
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(_MOST))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(_MOST))
    raise ValueError(
        "The 'random_state' parameter must be None, an int from 0 on, or a numpy RandomState or Generator. "
        f"Got {random_state!r} instead."
    )
