"""Trainers of an experiment: each configuration is compiled once for all folds and seeds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..models import TRAINING_SETTINGS
from ..tasks import FoldData, Task
from ..training import LEARNING_RATE, FitOptions, History, Trainer
from .settings import CROSS_VALIDATION, NO_REFIT, CompareSettings

if TYPE_CHECKING:
    import keras


class Trainers:
    """Keeps each compiled configuration.

    Args:
        task: knows the loss.
        settings: epochs, patience and batch size.
    """

    def __init__(self, task: Task, settings: CompareSettings) -> None:
        training = task.training
        self._loss = training.loss
        self._max_epochs, self._patience = settings.max_epochs, settings.patience
        self._batch_size = None if training.fixed_batch_size else settings.batch_size
        self._strategy, self._refit_folds = settings.strategy, settings.refit_folds
        self._kept: dict[tuple[Any, ...], Trainer] = {}

    def train(
        self, data: FoldData, family: str, config: dict[str, Any], options: FitOptions
    ) -> tuple[keras.Model, History]:
        """Train a configuration on a fold: the model with its best weights, and how it went."""
        trainer = self._trainer(data, family, config)
        history = trainer.fit(data.train, data.validation, options)
        if trainer.model is None:
            raise RuntimeError("a trainer that has trained has a model")
        return trainer.model, history

    def refit(
        self, data: FoldData, family: str, config: dict[str, Any], history: History, options: FitOptions
    ) -> tuple[int | None, float]:
        """Train a configuration that was trained just now on the validation part too, where that was asked for.

        Returns:
            For how many epochs, None where it was not asked for; and seconds.
        """
        if self._refit_folds == NO_REFIT:
            return None, 0.0
        if data.known is None:
            raise ValueError("`data` must have a training and a validation part that can be joined. Received: None")
        trainer, like, seconds = self._trainer(data, family, config), data.train, 0.0
        if self._refit_folds == CROSS_VALIDATION:
            parts = data.known_parts()
            history, like = trainer.cross_validate(parts, history, options), parts[0][0]
            seconds = history.seconds
        seconds += trainer.refit(data.known, like, data.validation, history, options)
        return history.best_epoch, seconds

    def rounds(self, data: FoldData, family: str, config: dict[str, Any], candidates: int) -> list[int]:
        """Epochs at which configurations of a family are compared, until one of so many is left."""
        return self._trainer(data, family, config).rounds(data.train, candidates)

    def compile(self, data: FoldData, family: str, config: dict[str, Any]) -> float:
        """Compile a configuration that was not compiled before; the seconds that it took."""
        return self._trainer(data, family, config).compile(data.train, data.validation)

    def _trainer(self, data: FoldData, family: str, config: dict[str, Any]) -> Trainer:
        # Another fold may have seen other words: then its vocabulary differs, and so does the model.
        # The learning rate is a variable: another one is no reason to compile again.
        compiled = {name: value for name, value in config.items() if name != "learning_rate"}
        which = (family, data.spec, json.dumps(compiled, sort_keys=True), data.trainer_key(family))
        if which not in self._kept:
            shape = {name: value for name, value in config.items() if name not in TRAINING_SETTINGS}
            own = {name: value for name, value in config.items() if name in TRAINING_SETTINGS}
            defaults = {"max_epochs": self._max_epochs, "patience": self._patience, "batch_size": self._batch_size}
            own |= {"strategy": self._strategy}
            self._kept[which] = Trainer(lambda: data.build(family, shape), loss=self._loss, **{**defaults, **own})
        trainer = self._kept[which]
        trainer.learning_rate = config.get("learning_rate", LEARNING_RATE)
        return trainer
