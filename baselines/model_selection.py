"""Rows held out of a baseline's training set, and how class probabilities are laid out."""

import numpy as np

# Fewer held-out rows than this say nothing about a temperature.
MIN_HELD_OUT = 20


def held_out_tenth(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Training rows shuffled into nine tenths to fit on, and a tenth to calibrate with."""
    order = np.random.default_rng(seed).permutation(n)
    return np.sort(order[n // 10 :]), np.sort(order[: n // 10])


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
