"""Where a training stands after each epoch: judged, kept as a checkpoint, resumed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from ..atomic import replacing
from ..errors import InputError
from ..pipelines.protocol import Batches
from .history import FitOptions, History
from .loss import Elementwise
from .prediction import compiled, read_in_order

# A checkpoint each epoch would cost a small training more than its steps; a kill loses no more than this, or an epoch.
CHECKPOINT_SECONDS = 1.0
# What ended a training that other configurations have left behind.
PAUSED = "halving"


class Judge:
    """What decides about a training: the validation set, the patience, the loss that is good enough, the schedule."""

    def __init__(
        self,
        loss: Elementwise,
        validation: Batches,
        patience: int,
        target_loss: float | None,
        schedule: tuple[float, int],
    ) -> None:
        self.loss, self.patience, self.target_loss = loss, patience, target_loss
        self.decay, self.decay_after = schedule
        # Gathered once: what was read for one epoch is read for all.
        self.batches = _without_padding_rows(validation)
        if not any(weight.any() for *_, weight in self.batches):
            raise InputError(
                f"none of the {len(validation)} windows or examples for validation has a known target, so nothing can "
                "stop the training; give more rows (of a series newer ones), fewer `folds` or a larger test set"
            )

    def reached(self, loss: float) -> bool:
        return self.target_loss is not None and loss <= self.target_loss

    def sums(self, model: keras.Model) -> tuple[float, float]:
        """The loss on the validation set, summed, and the weights that it is divided by."""
        # A state carried from batch to batch belongs to the training.
        kept = [ops.convert_to_numpy(v) for v in model.non_trainable_variables]
        total = count = 0.0
        for inputs, target, weight in self.batches:
            sums = self.loss.weighted(target, compiled(model)(inputs), weight)
            total, count = total + sums[0], count + sums[1]
        for variable, value in zip(model.non_trainable_variables, kept, strict=True):
            variable.assign(value)
        return total, count


class TrainingState(keras.callbacks.Callback):
    """What happens after every epoch.

    Keras has a callback for each of these, but theirs forget what they knew when a run is resumed, so the resumed
    training would differ from an unbroken one.
    """

    def __init__(self, model: keras.Model, judge: Judge, options: FitOptions, learning_rate: float) -> None:
        super().__init__()
        self.judge, self.options = judge, options
        self.set_model(model)
        self.history = History(learning_rate=learning_rate)
        self.epoch, self.epochs_without_improvement = 0, 0
        self.best_weights: list[np.ndarray] = []
        self.told_to_end = False  # by the budget or a caller: a search has to end with it
        self._begun = self._written = time.monotonic()
        self.spent = 0.0  # seconds of earlier runs
        self.resume()

    @property
    def over(self) -> bool:
        """Whether more epochs would be in vain."""
        return self.epochs_without_improvement >= self.judge.patience or self.judge.reached(self.history.best_loss)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        if self._elapsed() > self.options.budget:
            self._end("budget")

    def _end(self, by: str) -> None:
        self.history.stopped_by = by
        self.told_to_end = self.told_to_end or by in ("budget", "callback")
        self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch + 1
        with averaged_weights(self.model):
            loss = self.options.followed[epoch] if self.options.followed else self._validation_loss()
            if loss < self.history.best_loss:
                self.history.best_loss, self.history.best_epoch = loss, self.epoch
                self.epochs_without_improvement = 0
                self.best_weights = [ops.convert_to_numpy(v) for v in self.model.variables]
            else:
                self.epochs_without_improvement += 1
        if logs is not None:
            logs["val_loss"] = loss
        self.history.losses.append(loss)
        self._lower_the_rate()
        if self.judge.reached(loss):
            self._end("target")
        elif self.epochs_without_improvement >= self.judge.patience:
            self._end("patience")
        self.history.seconds = self._elapsed()
        self.write()
        if self.options.on_epoch(self.epoch, loss):
            self._end("callback")

    def _lower_the_rate(self) -> None:
        """By the schedule, or where there is none after every third of the patience without improvement."""
        factor = 1.0
        if self.judge.decay < 1:
            factor = self.judge.decay if self.epoch >= self.judge.decay_after else 1.0
        elif (
            self.epochs_without_improvement and self.epochs_without_improvement % max(1, self.judge.patience // 3) == 0
        ):
            factor = 0.5
        if factor < 1:
            rate = float(ops.convert_to_numpy(self.model.optimizer.learning_rate))
            self.model.optimizer.learning_rate = rate * factor

    def _validation_loss(self) -> float:
        total, count = self.judge.sums(self.model)
        return finite(total / count)

    def _elapsed(self) -> float:
        return self.spent + time.monotonic() - self._begun

    def _state(self) -> list[Any]:
        return [*self.model.variables, *self.model.optimizer.variables]

    def write(self, *, at_once: bool = False) -> None:
        """Write the checkpoint, if one was asked for; after an epoch only where the last one is a while ago."""
        checkpoint = self.options.checkpoint
        if checkpoint is None or (time.monotonic() - self._written < CHECKPOINT_SECONDS and not at_once):
            return
        arrays = {f"now_{i}": ops.convert_to_numpy(v) for i, v in enumerate(self._state())}
        arrays |= {f"best_{i}": v for i, v in enumerate(self.best_weights)}
        info = {
            "epoch": self.epoch,
            "epochs_without_improvement": self.epochs_without_improvement,
            "history": asdict(self.history),
        }
        with replacing(checkpoint) as path:
            np.savez(path, info=np.array(json.dumps(info)), **arrays)
        self._written = time.monotonic()

    def pause(self, epochs: int) -> None:
        """Leave the state in the checkpoint, for a later run to go on from; `epochs` is the end of the training."""
        if self.epoch < epochs and not self.over and not self.told_to_end:
            self.history.stopped_by = PAUSED
        self.write(at_once=True)

    def resume(self) -> None:
        """Continue from the checkpoint, if there is one."""
        # until an epoch has a finite loss
        self.best_weights = [ops.convert_to_numpy(v) for v in self.model.variables]
        checkpoint = self.options.checkpoint
        if checkpoint is None or not checkpoint.exists():
            return
        with np.load(checkpoint) as arrays:
            info = json.loads(str(arrays["info"]))
            for i, variable in enumerate(self._state()):
                variable.assign(arrays[f"now_{i}"])
            self.best_weights = [arrays[f"best_{i}"] for i in range(len(self.model.variables))]
        self.epoch, self.epochs_without_improvement = info["epoch"], info["epochs_without_improvement"]
        self.history = History(**info["history"])
        if self.history.stopped_by == PAUSED:
            self.history.stopped_by = "max_epochs"  # as of every training, until something else ends it
        self.spent = self.history.seconds

    def restore_best_weights(self) -> None:
        """Put the best epoch's weights into the model; the first ones, where no epoch had a finite loss."""
        for variable, value in zip(self.model.variables, self.best_weights, strict=True):
            variable.assign(value)
        self.history.seconds = self._elapsed()


@contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Put the average of the weights, where there is one, into the model for a while."""
    averages = getattr(model.optimizer, "averages", [])
    if not averages:
        yield
        return
    kept = [ops.convert_to_numpy(v) for v in model.trainable_variables]
    for variable, average in zip(model.trainable_variables, averages, strict=True):
        variable.assign(average)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, kept, strict=True):
            variable.assign(value)


def finite(loss: float) -> float:
    """A loss that can be compared with others: what is no number is worse than any."""
    return loss if np.isfinite(loss) else float("inf")


def exists(checkpoint: Path | None) -> bool:
    return checkpoint is not None and checkpoint.exists()


def _without_padding_rows(batches: Batches) -> list[tuple[dict[str, Any], np.ndarray, np.ndarray]]:
    """Batches of (inputs, target, weight), in which padding rows weigh nothing."""
    gathered, size = [], batches.predict_batch_size
    real = (batches.order(size) >= 0).reshape(-1, size)
    for (inputs, target, weight), kept in zip(read_in_order(batches), real, strict=True):
        counted = kept.reshape(-1, *[1] * (len(weight.shape) - 1))
        gathered.append((inputs, target.numpy(), weight.numpy() * counted))
    return gathered
