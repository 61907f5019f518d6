"""Regression: a number for each text or sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..baselines import REGRESSION_BASELINES
from ..baselines import SequenceBaseline as BaselineRecord
from ..evaluation import OF_DATA, Metric, TestRow, Wording, compare_paired_losses, mae, r2, rmse
from ..frames import Frame
from .protocol import Evaluation, TrainingDefaults
from .sequences import SequenceExperiment, SequenceSettings, TestedExamples, open_sequences

ValueMetric = Metric[np.ndarray, np.ndarray]  # values (examples,) both
_MAE: ValueMetric = Metric(
    "mae",
    "MAE",
    mae,
    unit=OF_DATA,
    caption="MAE and RMSE in the unit of {unit}",
    with_spread=True,
    phrase="an MAE",
    decimals=".4g",
)


@dataclass(frozen=True)
class Regression(SequenceSettings):
    """Predict a number for each text or sequence of numbers.

    Example:
        >>> recurra.compare("reviews.csv", task=recurra.tasks.Regression(loss="mse"), value="stars")
    """

    name: ClassVar[str] = "regression"
    output_kind: ClassVar[str] = "value"
    role: ClassVar[str | None] = "value"
    baselines: ClassVar[Mapping[str, BaselineRecord]] = REGRESSION_BASELINES
    metrics: ClassVar[tuple[ValueMetric, ...]] = (
        _MAE,
        Metric("rmse", "RMSE", rmse, unit=OF_DATA, phrase="an RMSE", decimals=".4g"),
        Metric("r2", "R²", r2, higher_is_better=True, caption="R²: fraction of the variance explained", phrase="an R²"),
    )
    wording: ClassVar[Wording] = Wording(
        metric=_MAE,
        trivial=("mean",),
        unit_of_work="sequence",
        more_data="more test examples (more rows, a larger test set or more folds)",
    )
    sample_unit: ClassVar[str] = "examples"
    plots: ClassVar[tuple[str, ...]] = ("predicted_against_true",)

    @property
    def training(self) -> TrainingDefaults:
        """The loss that was chosen."""
        return TrainingDefaults(self.loss)

    def open(
        self,
        frame: Frame,
        *,
        folds: int = 3,
        batch_size: int | None = None,  # noqa: ARG002
    ) -> SequenceExperiment[np.ndarray]:
        """The experiment that this task is on texts or panels."""
        return open_sequences(self, frame, folds)

    def decode(self, outputs: dict[str, Any]) -> np.ndarray:
        """Values in the user's unit: (examples,)."""
        return outputs["value"]

    def learnable(self, targets: np.ndarray) -> list[int]:
        """Every example."""
        return list(range(len(targets)))

    def evaluate(self, y_true: np.ndarray, y_pred: np.ndarray) -> Evaluation:
        """Score values; models are compared by the absolute error of each example."""
        example = np.asarray(y_pred, dtype=float)
        return Evaluation.of(self.metrics, y_true, y_pred, losses=np.abs(y_pred - y_true), example=example)

    def significance(
        self,
        losses: Mapping[str, np.ndarray],
        first_seed: Mapping[str, np.ndarray],  # noqa: ARG002
        tested: TestedExamples,
        against: str,
    ) -> list[TestRow]:
        """Paired bootstrap over the examples, or their groups."""
        return compare_paired_losses(losses, against=against, groups=tested.groups)
