"""Tagging: a class for each step of a sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..baselines import TAGGING_BASELINES
from ..baselines import SequenceBaseline as BaselineRecord
from ..evaluation import (
    Metric,
    TestRow,
    Wording,
    accuracy_by_step,
    compare_paired_losses,
    exact_match,
    tag_error_rate,
)
from ..frames import Frame
from .protocol import Evaluation, TrainingDefaults
from .sequences import SequenceExperiment, SequenceSettings, TestedExamples, open_sequences

Tags = list[np.ndarray]  # tag numbers (time,) of each sequence, or their probabilities (time, classes)
TagMetric = Metric[Tags, Tags]


def _likeliest(y_prob: Sequence[np.ndarray]) -> Tags:
    return [rows.argmax(axis=1) for rows in y_prob]


_ERROR: TagMetric = Metric(
    "tag_error_rate",
    "tag error rate",
    lambda y_true, y_prob: tag_error_rate(y_true, _likeliest(y_prob)),
    heading="tag\nerror",
    caption="tag error: fraction of wrong tags",
    axis_title="tag error rate (fraction of wrong tags)",
    with_spread=True,
    decimals=".4f",
)


@dataclass(frozen=True)
class Tagging(SequenceSettings):
    """Predict a class for each step of a sequence.

    Example:
        >>> recurra.compare("sentences.jsonl", task=recurra.tasks.Tagging(), tags="tags")
    """

    name: ClassVar[str] = "tagging"
    output_kind: ClassVar[str] = "tags"
    role: ClassVar[str | None] = "tags"
    baselines: ClassVar[Mapping[str, BaselineRecord]] = TAGGING_BASELINES
    metrics: ClassVar[tuple[TagMetric, ...]] = (
        _ERROR,
        Metric(
            "exact_match",
            "exact match",
            lambda y_true, y_prob: exact_match(y_true, _likeliest(y_prob)),
            higher_is_better=True,
            heading="exact\nmatch",
            caption="exact match: fraction of sequences without a wrong tag",
            with_spread=True,
            phrase="an exact match",
            decimals=".4f",
        ),
    )
    wording: ClassVar[Wording] = Wording(
        metric=_ERROR,
        trivial=("majority_tag",),
        unit_of_work="sequence",
        more_data="more test sequences (more of them, a larger test set or more folds)",
    )
    sample_unit: ClassVar[str] = "sequences"
    plots: ClassVar[tuple[str, ...]] = ("accuracy_by_step",)

    @property
    def training(self) -> TrainingDefaults:
        """Cross-entropy of every step."""
        return TrainingDefaults("crossentropy")

    def open(
        self,
        frame: Frame,
        *,
        folds: int = 3,
        batch_size: int | None = None,  # noqa: ARG002
    ) -> SequenceExperiment[Tags]:
        """The experiment that this task is on sequences."""
        return open_sequences(self, frame, folds)

    def decode(self, outputs: dict[str, Any]) -> Tags:
        """Probabilities (time, classes) of each sequence."""
        return outputs["probabilities"]

    def learnable(self, targets: Tags) -> list[int]:
        """Sequences whose tags the training set all knows."""
        return [i for i, tags in enumerate(targets) if (tags >= 0).all()]

    def evaluate(self, y_true: Tags, y_pred: Tags) -> Evaluation:
        """Score probabilities of tags; models are compared by the fraction of wrong tags in each sequence."""
        numbers = _likeliest(y_pred)
        losses = np.array([np.mean(n != t) if len(t) else 0.0 for n, t in zip(numbers, y_true, strict=True)])
        example = accuracy_by_step(y_true, numbers)
        return Evaluation.of(self.metrics, y_true, y_pred, losses=losses, example=example)

    def significance(
        self,
        losses: Mapping[str, np.ndarray],
        first_seed: Mapping[str, np.ndarray],  # noqa: ARG002
        tested: TestedExamples,
        against: str,
    ) -> list[TestRow]:
        """Paired bootstrap over the sequences; every tag has the same weight, so a long sequence has more."""
        return compare_paired_losses(losses, against=against, weights=tested.lengths, groups=tested.groups)
