"""Canonical training rows: what a fit sees does not depend on how rows are ordered, repeated or weighted.

A row of weight 3 and the same row three times are the same data. A network trained on mini-batches in a random order
takes them for different data; on canonical rows it sees the same bits either way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from ..pipelines.stratified import grouped_sets

FEWEST_VALIDATION = 30  # rows; fewer tell nothing
_DIGEST = 16  # bytes: two different rows out of a billion have the same one with a chance of 1e-21


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Rows to learn from, each once.

    Attributes:
        rows: number of one of the original rows for each: (rows,).
        weight: the sum of the weights of all rows that are equal to it, with a mean of 1: (rows,).
    """

    rows: np.ndarray
    weight: np.ndarray


def canonical(
    n_rows: int, row_bytes: Callable[[int], bytes], target: np.ndarray, weight: np.ndarray | None
) -> TrainingRows:
    """Leave out rows without weight, join equal ones, and sort.

    Args:
        n_rows: how many there are.
        row_bytes: a row's inputs as bytes, equal for equal rows.
        target: what is learnt of each (n_rows, ...).
        weight: of each row (n_rows,); None for 1 each.

    Returns:
        The rows in the order of a hash, which is as good as a random one.
    """
    weight = np.ones(n_rows) if weight is None else weight.astype(float)
    kept = np.flatnonzero(weight > 0)
    targets = np.ascontiguousarray(target.reshape(n_rows, -1) + 0)  # + 0 makes 0 of -0
    digests = np.array([_digest(row_bytes(int(row)), targets[row]) for row in kept], dtype=f"V{_DIGEST}")
    numbers = digests.view(">u8").reshape(-1, 2)
    # equal rows by weight, so that their sum has the same bits whatever their order was
    order = np.lexsort((weight[kept], numbers[:, 1], numbers[:, 0]))
    numbers, kept = numbers[order], kept[order]
    first = np.flatnonzero(np.r_[True, (numbers[1:] != numbers[:-1]).any(axis=1)])
    summed = np.add.reduceat(weight[kept], first)
    return TrainingRows(kept[first], summed / summed.mean())


def _digest(inputs: bytes, target: np.ndarray) -> bytes:
    return blake2b(target.tobytes(), digest_size=_DIGEST, key=blake2b(inputs, digest_size=_DIGEST).digest()).digest()


def hold_out(
    rows: TrainingRows, strata: np.ndarray | None, fraction: float, seed: int, groups: np.ndarray | None = None
) -> tuple[np.ndarray, ...]:
    """Draw the rows that stop the training, every class in its proportion and never all of it.

    Args:
        rows: canonical ones.
        strata: class of each of them; None where there are none.
        fraction: of the rows.
        seed: of the draw.
        groups: what belongs together, and is drawn as a whole.

    Returns:
        Places in `rows` to train on, and to validate on: none where the fraction is less than 30 rows.
    """
    n = len(rows.rows)
    wanted = int(fraction * n)
    if wanted < FEWEST_VALIDATION:
        return np.arange(n), np.arange(0)
    random = np.random.default_rng(seed)
    if groups is not None and (n_groups := len(np.unique(groups))) > 1:
        n_sets = min(max(round(n / wanted), 2), n_groups)
        sets = grouped_sets(np.zeros(n, int) if strata is None else strata, groups, n_sets, random)
        return np.flatnonzero(sets != 0), np.flatnonzero(sets == 0)
    order = random.permutation(n)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]  # class by class, shuffled inside
        counts = np.bincount(strata)
        order = order[counts[strata[order]] > 1]
    places = np.unique(np.floor((np.arange(wanted) + 0.5) * len(order) / wanted).astype(int))
    chosen = order[places]  # evenly spaced along the classes
    if strata is not None:
        chosen = chosen[~_emptied(strata, chosen)]
    validation = np.sort(chosen)
    return np.setdiff1d(np.arange(n), validation), validation


def _emptied(strata: np.ndarray, chosen: np.ndarray) -> Any:
    """Which chosen rows are the first of a class of which all were chosen."""
    all_gone = np.bincount(strata[chosen], minlength=strata.max() + 1) == np.bincount(strata)
    _, first = np.unique(strata[chosen], return_index=True)
    is_first = np.zeros(len(chosen), bool)
    is_first[first] = True
    return is_first & all_gone[strata[chosen]]
