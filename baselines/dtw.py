"""One nearest neighbour with dynamic time warping, the classical benchmark of sequence classification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..grid import Grid
from .graph_ops import SMALLEST
from .scaling import Scale, fit_scale

if TYPE_CHECKING:
    import tensorflow as tf

# Test sequences per block of distances, and training sequences whose own neighbour is looked up.
BLOCK, MAX_SAMPLED = 256, 500
# Of the longest training sequence; None: without a limit. UCR's archive tries all up to a tenth or so.
GRID: Grid = {"window": [None, 0.1, 0.03, 0.0]}


def dtw_1nn(
    inputs: Sequence[np.ndarray],
    targets: np.ndarray,
    n_classes: int,
    *,
    window: float | None = None,
    seed: int = 0,
) -> NearestNeighbour:
    """Predict the class of the training sequence that is nearest after warping time.

    Sequences may differ in length and have several channels, which are warped together. Gaps and scale: ``scaling.py``.
    The time it takes grows with training sequences x test sequences x length squared, or with length x window.
    A neighbour gives no probability, so the class found gets the fraction of training sequences (of at most 500) whose
    own nearest neighbour has their class, at least twice what any other class gets; the rest is spread evenly.

    Arguments:
        inputs: training sequences (n,), each (time, channels) in any unit; NaN where nothing was observed.
        targets: class ids (n,), each in 0..n_classes - 1.
        n_classes: how many classes there are, seen in training or not.
        window: how far a step may be from the one that it is matched with, as a fraction of the longest training
            sequence (Sakoe and Chiba's band); 0: step by step, as Euclidean distance; None: without a limit.
        seed: of those 500.

    Returns:
        A fitted baseline; called on sequences, it gives probabilities (n, n_classes) whose rows sum to 1.

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
    reach = None if window is None else round(window * max(len(values) for values in known))
    sampled = np.random.default_rng(seed).permutation(len(known))[:MAX_SAMPLED]
    hits = np.zeros(0)
    if len(known) > 1:
        hits = targets[_nearest([known[i] for i in sampled], known, reach, but=sampled)] == targets[sampled]
    # As if one hit and one miss more had been seen: no prediction is certain.
    sure = max((np.sum(hits) + 1) / (len(hits) + 2), 2 / (n_classes + 1))
    return NearestNeighbour(known, targets, scale, float(sure), n_classes, reach)


class NearestNeighbour:
    """Scaled training sequences and their classes.

    Args:
        known: gapless sequences (n,), each (time, channels) in units of the scale.
        targets: class ids (n,).
        scale: of the channels.
        sure: probability of the class found.
        n_classes: how many classes there are.
        reach: steps that matched ones may lie apart; None: any number.
    """

    kind = "dtw_1nn"
    why_no_graph = "its neighbours are searched by a library"

    def __init__(
        self,
        known: list[np.ndarray],
        targets: np.ndarray,
        scale: Scale,
        sure: float,
        n_classes: int,
        reach: int | None = None,
    ) -> None:
        self.known, self.targets, self.scale, self.sure, self.n_classes = known, targets, scale, sure, n_classes
        self.reach = reach

    def __call__(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Probabilities (n, classes)."""
        probabilities = np.full((len(inputs), self.n_classes), (1 - self.sure) / max(self.n_classes - 1, 1))
        nearest = self.targets[_nearest(self.scale(inputs), self.known, self.reach)]
        probabilities[np.arange(len(inputs)), nearest] = self.sure
        return probabilities

    def predict(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """``values`` (batch, time, channels) and ``lengths`` (batch,) → ``logits`` (batch, classes)."""
        pairs = zip(np.asarray(raw["values"]), np.asarray(raw["lengths"]), strict=True)
        probabilities = self([values[:length] for values, length in pairs])
        return {"logits": np.log(np.maximum(probabilities, SMALLEST)).astype(np.float32)}

    def graph(self, raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """There is none."""
        raise NotImplementedError(f"dtw_1nn has no graph: {self.why_no_graph}")

    def extra_inputs(self) -> dict[str, tf.TensorSpec]:
        """None."""
        return {}

    def resources(self) -> list[Any]:
        """None."""
        return []

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays: all steps in a row, and where each sequence ends."""
        arrays = {
            "steps": np.concatenate(self.known),
            "ends": np.cumsum([len(values) for values in self.known]),
            "targets": self.targets,
            "mean": self.scale.mean,
            "spread": self.scale.spread,
        }
        numbers = {"sure": self.sure, "n_classes": self.n_classes, "reach": self.reach}
        return {"kind": self.kind, **numbers}, arrays

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> NearestNeighbour:
        """What :meth:`state` described."""
        known = np.split(arrays["steps"], arrays["ends"][:-1])
        scale = Scale(arrays["mean"], arrays["spread"])
        return cls(known, arrays["targets"], scale, config["sure"], config["n_classes"], config["reach"])

    def __repr__(self) -> str:
        return f"dtw_1nn on {len(self.known):,} sequences"


def library() -> Any:
    """dtaidistance's functions for several channels, or what to install."""
    try:
        from dtaidistance import dtw_ndim
    except ImportError as error:
        raise InputError(
            "baseline 'dtw_1nn' needs the library dtaidistance, which is not installed: pip install 'recurra[dtw]'"
        ) from error
    return dtw_ndim


def _nearest(
    sequences: list[np.ndarray], known: list[np.ndarray], reach: int | None, *, but: np.ndarray | None = None
) -> np.ndarray:
    """Row of the nearest known sequence to each of some (n,), leaving out row ``but[i]`` for sequence i."""
    # the library counts the diagonal itself, and widens the band by the difference of two lengths
    window = None if reach is None else reach + 1
    known = [_with_steps(values) for values in known]
    nearest = np.zeros(len(sequences), dtype=int)
    for start in range(0, len(sequences), BLOCK):
        block = [_with_steps(values) for values in sequences[start : start + BLOCK]]
        n = len(block)
        distances = library().distance_matrix_fast(
            block + known, block=((0, n), (n, n + len(known))), compact=True, parallel=False, window=window
        )
        distances = np.asarray(distances).reshape(n, len(known))
        if but is not None:
            distances[np.arange(n), but[start : start + n]] = np.inf
        nearest[start : start + n] = distances.argmin(axis=1)
    return nearest


def _with_steps(values: np.ndarray) -> np.ndarray:
    """As the library wants it: contiguous, and at least one step (the mean, where there is none)."""
    return np.ascontiguousarray(values if len(values) else np.zeros((1, values.shape[1])))
