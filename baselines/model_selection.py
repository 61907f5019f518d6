"""How a setting of a baseline is chosen on held-out rows, and how class probabilities are laid out."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

Candidate = TypeVar("Candidate")

# With fewer held-out rows than this a choice between candidates is a lottery.
MIN_HELD_OUT = 20


def held_out_tenth(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Training rows shuffled into nine tenths to fit on, and a tenth to choose with."""
    order = np.random.default_rng(seed).permutation(n)
    return np.sort(order[n // 10 :]), np.sort(order[: n // 10])


def choose(
    candidates: Sequence[Candidate],
    error: Callable[[Candidate, np.ndarray, np.ndarray], float],
    n: int,
    *,
    seed: int,
) -> Candidate:
    """The candidate with the smallest error on a held-out tenth; the middle one where that tenth is too small.

    Arguments:
        candidates: what to choose from, at least one.
        error: from a candidate, the rows to fit on and the rows to score: its error.
        n: number of training rows.
        seed: of the split.
    """
    fitted, held = held_out_tenth(n, seed=seed)
    if len(candidates) == 1 or len(held) < MIN_HELD_OUT:
        return candidates[len(candidates) // 2]
    return min(candidates, key=lambda candidate: error(candidate, fitted, held))


def in_columns(probabilities: np.ndarray, classes: np.ndarray, n_classes: int) -> np.ndarray:
    """Probabilities (n, classes seen) as float64 (n, n_classes); a class never seen in training has 0."""
    wide = np.zeros((len(probabilities), n_classes))
    wide[:, classes] = probabilities
    return wide / wide.sum(axis=1, keepdims=True)


def class_rates(targets: np.ndarray, n_classes: int) -> np.ndarray:
    """Relative frequency of each class among the targets: (n_classes,)."""
    targets = np.asarray(targets, dtype=int)
    if targets.size == 0 or targets.min() < 0 or targets.max() >= n_classes:
        raise ValueError(f"`targets` must be class ids in 0..{n_classes - 1}, at least one. Received: {targets!r}")
    return np.bincount(targets, minlength=n_classes) / len(targets)
