"""One nearest neighbour with dynamic time warping, the classical yardstick of sequence classification."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from .examples import Predict
from .sequences import fit_scale

# Test sequences per block of distances, and training sequences asked for their own neighbour.
BLOCK, MOST_ASKED = 256, 500


def dtw_1nn(inputs: Sequence[np.ndarray], targets: np.ndarray, n_classes: int, *, seed: int = 0) -> Predict:
    """Answer with the class of the training sequence that is nearest after warping time.

    Sequences may differ in length and have several channels, which are warped together; no limit on the warping. Gaps
    and scale: ``sequences.py``. The time it takes grows with training sequences x test sequences x length squared.
    A neighbour gives no probability, so the class found gets the share of training sequences (at most 500 are asked)
    whose own nearest neighbour has their class, at least twice what any other class gets; the others share the rest.

    Arguments:
        inputs: training sequences (n,), each (time, channels) in any unit; NaN where nothing was observed.
        targets: class ids (n,), each in 0..n_classes - 1.
        n_classes: how many classes there are, seen in training or not.
        seed: of who is asked.

    Returns:
        A function from sequences to probabilities (n, n_classes) whose rows sum to 1.

    Raises:
        InputError: dtaidistance is not installed.

    Example:
        >>> early, late = np.array([[1.0], [0], [0], [0]]), np.array([[0.0], [0], [0], [-1]])
        >>> dtw_1nn([early, late], np.array([0, 1]), 2)([np.array([[0.0], [1], [0]])]).argmax(axis=1)
        array([0])

    Source: Shokoohi-Yekta, Hu, Jin, Wang and Keogh (2017), Data Mining and Knowledge Discovery 31 (DTW_D, "dependent");
    distances by dtaidistance (Meert and others).
    """
    library()
    targets = np.asarray(targets, dtype=int)
    scale = fit_scale(inputs)
    known = scale(inputs)
    asked = np.random.default_rng(seed).permutation(len(known))[:MOST_ASKED]
    hits = targets[_nearest([known[i] for i in asked], known, but=asked)] == targets[asked] if len(known) > 1 else []
    # As if one hit and one miss more had been seen: no answer is certain.
    sure = max((np.sum(hits) + 1) / (len(hits) + 2), 2 / (n_classes + 1))
    others = (1 - sure) / max(n_classes - 1, 1)

    def predict(inputs: Sequence[np.ndarray]) -> np.ndarray:
        probabilities = np.full((len(inputs), n_classes), others)
        probabilities[np.arange(len(inputs)), targets[_nearest(scale(inputs), known)]] = sure
        return probabilities

    return predict


def library() -> Any:
    """dtaidistance's functions for several channels, or what to install."""
    try:
        from dtaidistance import dtw_ndim
    except ImportError as error:
        raise InputError(
            "baseline 'dtw_1nn' needs the library dtaidistance, which is not installed: pip install 'recurra[dtw]'"
        ) from error
    return dtw_ndim


def _nearest(sequences: list[np.ndarray], known: list[np.ndarray], *, but: np.ndarray | None = None) -> np.ndarray:
    """Row of the nearest known sequence to each of some (n,), leaving out row ``but[i]`` for sequence i."""
    known = [_with_steps(values) for values in known]
    nearest = np.zeros(len(sequences), dtype=int)
    for start in range(0, len(sequences), BLOCK):
        block = [_with_steps(values) for values in sequences[start : start + BLOCK]]
        n = len(block)
        distances = library().distance_matrix_fast(
            block + known, block=((0, n), (n, n + len(known))), compact=True, parallel=False
        )
        distances = np.asarray(distances).reshape(n, len(known))
        if but is not None:
            distances[np.arange(n), but[start : start + n]] = np.inf
        nearest[start : start + n] = distances.argmin(axis=1)
    return nearest


def _with_steps(values: np.ndarray) -> np.ndarray:
    """As the library wants it: contiguous, and at least one step (the mean, where there is none)."""
    return np.ascontiguousarray(values if len(values) else np.zeros((1, values.shape[1])))
