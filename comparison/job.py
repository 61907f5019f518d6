"""A job: what one task asks of a comparison. The run knows trials, seeds and files; the job knows the data."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from .. import models
from ..spec import SequenceSpec
from ..training import History, Part, Trainer
from .settings import Settings


@dataclass(frozen=True, eq=False)
class Score:
    """What a model achieved in one fold.

    Attributes:
        scores: metrics, as they stand in ``comparison.json``.
        losses: what the models are compared by, one for each window, example or stretch of text (losses,).
        example: what the plots show of it.
    """

    scores: dict[str, Any]
    losses: np.ndarray
    example: np.ndarray


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained model.

    Attributes:
        predictor: it and its pipeline.
        history: how its training went.
        notes: what a reader of its row should know.
    """

    predictor: Any
    history: History
    notes: tuple[str, ...] = ()

    @property
    def network(self) -> keras.Model:
        """What is counted and exported; a language model's wrapper for training is left out."""
        return getattr(self.predictor.model, "network", self.predictor.model)


@dataclass(frozen=True)
class Order:
    """How a model is to be trained."""

    seed: int = 0
    config: dict[str, Any] = field(default_factory=dict)
    budget: float = float("inf")
    checkpoint: Path | None = None
    on_epoch: Callable[[int, float], None] = lambda *_: None


class Job(Protocol):
    """What :class:`recurra.comparison.run.Run` needs of a task.

    Attributes:
        task: its name.
        folds: with ``index`` each; what else is in them only the job knows.
        notes: what was found and chosen before any training.
    """

    task: str
    settings: Settings
    folds: Sequence[Any]
    notes: list[str]

    def question(self) -> dict[str, Any]:
        """Everything that decides the outcome, as JSON."""

    def spec(self, fold: Any) -> SequenceSpec:
        """What the models of a fold take in and give out."""

    def fit(self, family: str, fold: Any, order: Order) -> Fitted:
        """Train a family on a fold."""

    def final_fold(self) -> Any:
        """All data, with a validation part and nothing to be scored."""

    def examine(self, fitted: Fitted, fold: Any) -> Score:
        """Ask a trained model what the fold's test part asks."""

    def baseline(self, name: str, fold: Any) -> Score:
        """Ask a baseline the same."""

    def timed(self, fitted: Fitted, fold: Any) -> tuple[Part, int]:
        """What prediction time is measured on, and the targets that one batch of it gives."""

    def priced_steps(self, fold: Any) -> int | None:
        """Steps that one answer takes, where the network can take any number of them."""

    def describe(self) -> dict[str, Any]:
        """The data, for reports."""

    def describe_folds(self) -> list[dict[str, Any]]:
        """The folds, for reports."""

    def notes_after(self, scored: Sequence[Any]) -> list[str]:
        """What the run found that a reader should know."""

    def tests(self, recurrent: list[str], against: str, outcomes: Sequence[Any]) -> list[dict[str, Any]]:
        """Test recurrent families against the best simpler model."""


def train(trainer: Trainer, train: Part, validation: Part, order: Order) -> tuple[keras.Model, History]:
    """Train as ordered: the model with its best weights, and how it went."""
    history = trainer.fit(
        train,
        validation,
        seed=order.seed,
        budget=order.budget,
        checkpoint=order.checkpoint,
        on_epoch=order.on_epoch,
    )
    if trainer.model is None:
        raise RuntimeError("a trainer that has trained has a model")
    return trainer.model, history


class Trainers:
    """Keeps each compiled configuration for all folds and seeds."""

    def __init__(self, settings: Settings, **training: Any) -> None:
        s = settings
        self._training = {
            "max_epochs": s.max_epochs,
            "patience": s.patience,
            "batch_size": s.batch_size,
            **training,
        }
        self._kept: dict[tuple, Trainer] = {}

    def get(
        self,
        family: str,
        spec: SequenceSpec,
        config: dict[str, Any],
        *,
        also: dict[str, Any] | None = None,
        wrap: Callable[[keras.Model], keras.Model] = lambda model: model,
        key: Any = None,
    ) -> Trainer:
        """The trainer of a configuration.

        Args:
            family, spec, config: what is built; those of ``models.TRAINING`` are the training's.
            also: settings that are no JSON, such as word vectors.
            wrap: what is put around the network for training.
            key: what else tells one trainer from another.
        """
        # Another fold may have seen other words: then its vocabulary differs, and so does the model.
        which = (family, spec, json.dumps(config, sort_keys=True), key)
        if which not in self._kept:
            shape = {k: v for k, v in config.items() if k not in models.TRAINING} | (also or {})
            own = {k: v for k, v in config.items() if k in models.TRAINING}
            self._kept[which] = Trainer(lambda: wrap(models.build(family, spec, **shape)), **(self._training | own))
        return self._kept[which]
