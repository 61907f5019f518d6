"""The score of a baseline that the networks of a fold begin with, out of fold where they learn from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..pipelines import EncodedSequences
from ..predictor.offset import BaselineOffset
from .protocol import Config

# Parts of the training set that take turns in being scored by a baseline that has not seen them.
PARTS = 5


@dataclass(eq=False)
class FoldOffset:
    """What the networks of a fold add to.

    A baseline knows the labels of what it has learnt from, and beside such a score nothing would be left to learn: in
    training the score of an example comes from a baseline that was fitted without its part of the training set.

    Attributes:
        config: settings of the baseline.
        served: the baseline that predicts, fitted on training and validation part, and its calibration.
        scores: of all examples, calibrated: (examples, outputs), or (steps, outputs) of tags; of the training part
            out of fold, of the validation part from the training part, of the test set from both; others are 0.
        of_known: makes the same with training and validation part out of fold, for a refit.
        seconds: that it took.
        predict_ms: milliseconds per prediction that the baseline takes.
    """

    config: Config
    served: BaselineOffset
    scores: np.ndarray
    of_known: Callable[[], np.ndarray]
    seconds: float
    predict_ms: float

    @cached_property
    def known(self) -> np.ndarray:
        """The scores for a refit; made once."""
        return self.of_known()


def out_of_fold(
    fit: Callable[[np.ndarray], Any],
    predict: Callable[[Any, np.ndarray], Sequence[Any]],
    rows: np.ndarray,
    parts: np.ndarray,
) -> list[Any]:
    """What baselines predict of examples that they have not seen.

    Args:
        fit: rows → a baseline fitted on them.
        predict: a baseline, and rows → what it predicts of them.
        rows: numbers of the examples (rows,).
        parts: the part that each is in (rows,).

    Returns:
        A prediction for each row: probabilities (classes,), a value, or probabilities (time, classes) of tags.
    """
    predicted: list[Any] = [None] * len(rows)
    for part in np.unique(parts):
        held = np.flatnonzero(parts == part)
        fitted = fit(rows[parts != part])
        for place, prediction in zip(held, predict(fitted, rows[held]), strict=True):
            predicted[place] = prediction
    return predicted


def scores_of(
    served: BaselineOffset, encoded: EncodedSequences, predicted: Sequence[tuple[np.ndarray, Any]]
) -> np.ndarray:
    """Calibrated scores of all examples, 0 of those that nothing was predicted of.

    Args:
        served: knows how a prediction becomes a score.
        encoded: all examples.
        predicted: numbers of some examples, and what a baseline predicted of them, by turns.

    Returns:
        (examples, outputs), or (steps, outputs) of tags.
    """
    encoder, sequences = served.pipeline.target_encoder_, encoded.sequences
    outputs = len(served.pipeline.classes) or 1
    scores = np.zeros((len(sequences.flat) if encoder.per_step else len(sequences), outputs), "float32")
    for rows, prediction in predicted:
        if not len(rows):
            continue
        places = sequences.places(rows) if encoder.per_step else rows
        scores[places] = served.of_predictions(prediction)
    return scores
