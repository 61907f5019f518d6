"""Grids: values that each setting of a model may have, and the configurations that are drawn from one."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from typing import Any

# Of each setting the values to try, the default first; nothing to choose where it is empty.
Grid = Mapping[str, Sequence[Any]]


def draw(grid: Grid, n: int, *, seed: int = 0) -> list[dict[str, Any]]:
    """Draw `n` different configurations from a grid, its defaults first; more of them begin with the same ones.

    Args:
        grid: the values of each setting, the default first.
        n: how many; fewer if the grid holds fewer.
        seed: of the draws.

    Example:
        >>> draw({"C": [1.0, 10.0], "ngrams": [2]}, 5)
        [{'C': 1.0, 'ngrams': 2}, {'C': 10.0, 'ngrams': 2}]
    """
    everything = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    order = random.Random(seed).sample(range(1, len(everything)), len(everything) - 1)
    return [everything[i] for i in (0, *order)][:n]
