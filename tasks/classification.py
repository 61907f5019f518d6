"""Classification: a class for each text or sequence; stratified folds or a held-out test set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..baselines import CLASSIFICATION_BASELINES
from ..baselines import SequenceBaseline as BaselineRecord
from ..evaluation import (
    Metric,
    TestRow,
    Wording,
    accuracy,
    compare_paired_losses,
    expected_calibration_error,
    log_loss,
    macro_f1,
)
from ..frames import Frame
from ..frames.wording import counted, verb
from .protocol import Evaluation, TrainingDefaults
from .sequences import SequenceExperiment, SequenceSettings, TestedExamples, open_sequences

# More classes than these are only counted.
_MOST_CLASSES_NAMED = 20

ClassMetric = Metric[np.ndarray, np.ndarray]  # class numbers (examples,) and probabilities (examples, classes)
_ERROR: ClassMetric = Metric(
    "error",
    "error",
    lambda y_true, y_prob: 1 - accuracy(y_true, y_prob.argmax(axis=1)),
    caption="error: fraction of wrong labels",
    axis_title="error (fraction of wrong labels)",
    with_spread=True,
    phrase="an error",
    decimals=".4f",
)


@dataclass(frozen=True)
class Classification(SequenceSettings):
    """Predict a class for each text or sequence of numbers.

    Example:
        >>> recurra.compare("reviews.csv", task=recurra.tasks.Classification(tokens="word"), label="stars")
    """

    name: ClassVar[str] = "classification"
    output_kind: ClassVar[str] = "class"
    role: ClassVar[str | None] = "label"
    baselines: ClassVar[Mapping[str, BaselineRecord]] = CLASSIFICATION_BASELINES
    metrics: ClassVar[tuple[ClassMetric, ...]] = (
        _ERROR,
        Metric(
            "accuracy",
            "accuracy",
            lambda y_true, y_prob: accuracy(y_true, y_prob.argmax(axis=1)),
            higher_is_better=True,
            decimals=".4f",
            shown=False,
        ),
        Metric(
            "macro_f1",
            "macro F1",
            lambda y_true, y_prob: macro_f1(y_true, y_prob.argmax(axis=1)),
            higher_is_better=True,
            heading="macro\nF1",
            caption="macro F1: every class has the same weight",
        ),
        Metric(
            "log_loss", "log loss", log_loss, unit="nats", heading="log\nloss", caption="log loss in nats", noun="loss"
        ),
        Metric(
            "expected_calibration_error",
            "expected calibration error",
            expected_calibration_error,
            heading="calib.\nerror",
            caption="calib. error: expected calibration error, probabilities against the fraction of right labels",
            phrase="an expected calibration error",
        ),
    )
    wording: ClassVar[Wording] = Wording(
        metric=_ERROR,
        trivial=("majority",),
        unit_of_work="sequence",
        more_data="more test examples (more rows, a larger test set or more folds)",
    )
    sample_unit: ClassVar[str] = "examples"
    plots: ClassVar[tuple[str, ...]] = ("confusion",)

    @property
    def training(self) -> TrainingDefaults:
        """Cross-entropy."""
        return TrainingDefaults("crossentropy")

    def open(self, frame: Frame, *, folds: int = 3, batch_size: int | None = None) -> ClassificationExperiment:  # noqa: ARG002
        """The experiment that this task is on texts or panels."""
        opened: SequenceExperiment[np.ndarray] = open_sequences(self, frame, folds)
        return ClassificationExperiment(opened.task, opened.frame, opened.targets, opened.notes, folds)

    def decode(self, outputs: dict[str, Any]) -> np.ndarray:
        """Probabilities (examples, classes)."""
        return outputs["probabilities"]

    def learnable(self, targets: np.ndarray) -> list[int]:
        """Examples whose class the training set knows."""
        return np.flatnonzero(targets >= 0).tolist()

    def evaluate(self, y_true: np.ndarray, y_pred: np.ndarray) -> Evaluation:
        """Score probabilities (examples, classes); models are compared by 0 or 1 for each example."""
        number = y_pred.argmax(axis=1)
        losses = (number != y_true).astype(float)
        return Evaluation.of(self.metrics, y_true, y_pred, losses=losses, example=number)

    def significance(
        self,
        losses: Mapping[str, np.ndarray],
        first_seed: Mapping[str, np.ndarray],
        tested: TestedExamples,
        against: str,
    ) -> list[TestRow]:
        """Paired bootstrap over the examples, or their groups; without groups McNemar's test of the first seed too."""
        correct = None if tested.groups is not None else {model: loss == 0 for model, loss in first_seed.items()}
        return compare_paired_losses(losses, against=against, groups=tested.groups, correct=correct)


class ClassificationExperiment(SequenceExperiment[np.ndarray]):
    """Counts of the classes, and a note on those that a training set misses."""

    def describe(self) -> dict[str, Any]:
        """The data, with the number of examples of each class."""
        counts = Counter(self.targets.values).most_common()
        named = {str(name): n for name, n in counts[:_MOST_CLASSES_NAMED]}
        return {**super().describe(), "classes": len(counts), "class_counts": named}

    def closing_notes(self) -> list[str]:
        """How many test labels nobody could know."""
        if self.frame.is_test is not None:
            return []  # the frame has a note on a held-out test set
        values, unseen = self.targets.values, 0
        for fold in self.folds:
            learnt = {values[i] for i in fold.train}
            unseen += sum(values[i] not in learnt for i in fold.test)
        if not unseen:
            return []
        return [
            f"{counted(unseen, 'test example')} {verb(unseen, 'has a label that its', 'have a label that their')} "
            f"training set does not have; every model gets {verb(unseen, 'it', 'them')} wrong"
        ]
