"""Fit one model within a budget; survive a kill; repeat exactly from a seed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from .atomic import replacing
from .errors import InputError
from .pipelines import SeriesPipeline, Windows

# Windows read together in prediction; a fixed number, so that prediction compiles once.
PREDICT_BATCH = 256
_MOST_STEPS_PER_EXECUTION = 16
LOSSES = ("mae", "mse", "huber")


@keras.saving.register_keras_serializable("recurra")
class Elementwise(keras.losses.Loss):
    """A loss for each step and target, so that weights can leave out single missing values.

    Args:
        kind: "mae" absolute, "mse" squared, or "huber" error with delta 1, in scaled units.
    """

    def __init__(self, kind: str = "mae", name: str = "loss", **kwargs: Any) -> None:
        if kind not in LOSSES:
            raise ValueError(f"`loss` must be mae, mse or huber. Received: {kind!r}")
        super().__init__(name=name, **kwargs)
        self.kind = kind

    def call(self, y_true: Any, y_pred: Any) -> Any:
        error = ops.abs(y_true - y_pred)  # (batch, horizon, targets)
        if self.kind == "mae":
            return error
        if self.kind == "mse":
            return ops.square(error)
        return ops.where(error < 1, 0.5 * ops.square(error), error - 0.5)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kind": self.kind}


@dataclass
class History:
    """How a training went.

    Attributes:
        best_epoch: epoch, counted from 1, whose weights the model has now.
        best_loss: its validation loss, in scaled units.
        losses: validation loss after each epoch.
        seconds: wall-clock time, over all runs where it was taken up again.
        stopped_by: "patience", "budget" or "max_epochs".
    """

    best_epoch: int = 0
    best_loss: float = float("inf")
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    stopped_by: str = "max_epochs"


class Trainer:
    """Trains one configuration again and again, for each fold and seed, and compiles it only once.

    Args:
        build: makes a fresh uncompiled model.
        learning_rate: Adam's first learning rate; halved after `patience` // 3 epochs without improvement.
        loss: "mae", "mse" or "huber".
        batch_size: windows a step; by default 32, and 128 from 8,192 windows on.
        max_epochs, patience: the most epochs, and how many without improvement end the training.

    Example:
        >>> trainer = Trainer(lambda: models.build("lstm", pipeline.spec))
        >>> history = trainer.fit(pipeline, values, train, validation, seed=0)
        >>> trainer.model
    """

    def __init__(
        self,
        build: Callable[[], keras.Model],
        *,
        learning_rate: float = 1e-3,
        loss: str = "mae",
        batch_size: int | None = None,
        max_epochs: int = 100,
        patience: int = 9,
    ) -> None:
        self._build = build
        self.learning_rate = learning_rate
        self.loss = Elementwise(loss)
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.model: keras.Model | None = None

    def fit(
        self,
        pipeline: SeriesPipeline,
        values: np.ndarray,
        train: Windows,
        validation: Windows,
        *,
        seed: int,
        budget: float = float("inf"),
        checkpoint: Path | None = None,
        on_epoch: Callable[[int, float], None] = lambda *_: None,
    ) -> History:
        """Train fresh weights; afterwards :attr:`model` has those of the best epoch.

        The same seed and data give the same weights, bit for bit, unless the budget ends the training.

        Args:
            pipeline: the fitted pipeline that made `values`.
            values: all rows as scaled channels (rows, channels).
            train, validation: the windows that fit the weights and those that stop the training.
            seed: of the first weights, of dropout and of the windows' order.
            budget: seconds after which the training ends with the best epoch so far.
            checkpoint: file that carries the state after every epoch; where it exists, training goes on from it.
            on_epoch: called after every epoch with its number, from 1, and the validation loss.

        Returns:
            The history.
        """
        n_windows = len(train)
        batch_size = min(self.batch_size or (32 if n_windows < 8192 else 128), n_windows)
        steps = max(1, round(n_windows / batch_size))
        model = self._fresh(seed, steps)
        # Whole executions only: Keras would take the rest of the last one out of the next epoch.
        steps = max(1, round(steps / model.steps_per_execution)) * model.steps_per_execution
        course = _Course(self, pipeline, values, validation, budget, checkpoint, on_epoch)
        course.set_model(model)
        course.take_up()
        if course.epoch < self.max_epochs and course.waited < self.patience:
            data = pipeline.dataset(
                values, train, batch_size=batch_size, seed=seed, first_epoch=course.epoch, steps=steps
            )
            model.fit(
                data,
                epochs=self.max_epochs,
                initial_epoch=course.epoch,
                steps_per_epoch=steps,
                shuffle=False,
                callbacks=[course],
                verbose=0,
            )
        course.give_best()
        return course.history

    def _fresh(self, seed: int, steps: int) -> keras.Model:
        """The compiled model with first weights drawn from `seed` and an optimizer without a past."""
        keras.utils.set_random_seed(seed)
        fresh = self._build()
        if self.model is None:
            self.model = fresh
            self.model.compile(
                keras.optimizers.Adam(self.learning_rate, global_clipnorm=1.0),
                self.loss,
                jit_compile=is_recurrent(fresh),
                steps_per_execution=int(np.clip(steps // 8, 1, _MOST_STEPS_PER_EXECUTION)),
            )
            self.model.optimizer.build(self.model.trainable_variables)
            return self.model
        for variable, first in zip(self.model.variables, fresh.variables, strict=True):
            variable.assign(first)
        for variable in self.model.optimizer.variables:
            variable.assign(ops.zeros_like(variable))
        self.model.optimizer.learning_rate = self.learning_rate
        return self.model


def predict_windows(model: keras.Model, pipeline: SeriesPipeline, values: np.ndarray, windows: Windows) -> np.ndarray:
    """Forecast windows, in order and in scaled units: (windows, horizon, targets)."""
    if not len(windows):
        return np.empty((0, *model.output_shape[1:]), "float32")
    data = pipeline.dataset(values, windows, batch_size=PREDICT_BATCH)
    forward = compiled(model)
    return np.concatenate([forward(inputs).numpy() for inputs, *_ in data])[: len(windows)]


def compiled(model: keras.Model) -> Callable[[dict[str, Any]], Any]:
    """The model's forward pass as one graph, made once a model: ``model.predict`` costs more than a small epoch."""
    import tensorflow as tf

    if not hasattr(model, "_forward"):
        graph = tf.function(lambda inputs: model(inputs, training=False), jit_compile=is_recurrent(model))
        # Behind a plain function: a graph that the model itself held would be written into its SavedModel.
        model._forward = lambda inputs: graph(inputs)  # noqa: PLW0108
    return model._forward


def is_recurrent(model: keras.Model) -> bool:
    """Whether a step of the model has the many small operations for which compiling with XLA pays."""
    return any(isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional) for layer in model.layers)


def window_arrays(pipeline: SeriesPipeline, values: np.ndarray, windows: Windows) -> tuple[np.ndarray, np.ndarray]:
    """Targets in scaled units and their weights, in order: 2 × (windows, horizon, targets)."""
    batches = pipeline.dataset(values, windows, batch_size=PREDICT_BATCH)
    pairs = [(target.numpy(), weight.numpy()) for _, target, weight in batches]
    target, weight = (np.concatenate(arrays)[: len(windows)] for arrays in zip(*pairs, strict=True))
    return target, weight


class _Course(keras.callbacks.Callback):
    """What happens after every epoch.

    Keras has a callback for each of these, but theirs forget what they knew when a run is taken up again, so the
    resumed training would differ from an unbroken one.
    """

    def __init__(
        self,
        trainer: Trainer,
        pipeline: SeriesPipeline,
        values: np.ndarray,
        validation: Windows,
        budget: float,
        checkpoint: Path | None,
        on_epoch: Callable[[int, float], None],
    ) -> None:
        super().__init__()
        self.trainer, self.budget, self.checkpoint, self.on_epoch = trainer, budget, checkpoint, on_epoch
        self.history = History()
        self.epoch, self.waited = 0, 0
        self.best: list[np.ndarray] = []
        self._begun = time.monotonic()
        self._spent = 0.0  # seconds of earlier runs
        self.target, self.weight = window_arrays(pipeline, values, validation)
        if not self.weight.any():
            raise InputError(
                f"none of the {len(validation)} validation windows has an observed target, so nothing can stop the "
                "training; give newer rows, fewer --folds or a larger --test-size"
            )
        # Gathered once: what was read for one epoch is read for all.
        self.inputs = [inputs for inputs, *_ in pipeline.dataset(values, validation, batch_size=PREDICT_BATCH)]

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        if self._elapsed() > self.budget:
            self.history.stopped_by = "budget"
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        loss = self._validation_loss()
        self.epoch = epoch + 1
        self.history.losses.append(loss)
        if loss < self.history.best_loss:
            self.history.best_loss, self.history.best_epoch, self.waited = loss, self.epoch, 0
            self.best = [ops.convert_to_numpy(v) for v in self.model.variables]
        else:
            self.waited += 1
            if self.waited % max(1, self.trainer.patience // 3) == 0:
                rate = float(ops.convert_to_numpy(self.model.optimizer.learning_rate))
                self.model.optimizer.learning_rate = rate / 2
        if self.waited >= self.trainer.patience:
            self.history.stopped_by = "patience"
            self.model.stop_training = True
        self.history.seconds = self._elapsed()
        self._write()
        self.on_epoch(self.epoch, loss)

    def _validation_loss(self) -> float:
        forecast = np.concatenate([compiled(self.model)(inputs).numpy() for inputs in self.inputs])
        losses = ops.convert_to_numpy(self.trainer.loss.call(self.target, forecast[: len(self.target)]))
        loss = float((losses * self.weight).mean())
        return loss if np.isfinite(loss) else float("inf")

    def _elapsed(self) -> float:
        return self._spent + time.monotonic() - self._begun

    def _state(self) -> list[Any]:
        return [*self.model.variables, *self.model.optimizer.variables]

    def _write(self) -> None:
        if self.checkpoint is None:
            return
        arrays = {f"now_{i}": ops.convert_to_numpy(v) for i, v in enumerate(self._state())}
        arrays |= {f"best_{i}": v for i, v in enumerate(self.best)}
        said = {"epoch": self.epoch, "waited": self.waited, "history": asdict(self.history)}
        with replacing(self.checkpoint) as path:
            np.savez(path, said=np.array(json.dumps(said)), **arrays)

    def take_up(self) -> None:
        """Go on from the checkpoint, if there is one."""
        self.best = [ops.convert_to_numpy(v) for v in self.model.variables]  # until an epoch has a finite loss
        if self.checkpoint is None or not self.checkpoint.exists():
            return
        with np.load(self.checkpoint) as arrays:
            said = json.loads(str(arrays["said"]))
            for i, variable in enumerate(self._state()):
                variable.assign(arrays[f"now_{i}"])
            self.best = [arrays[f"best_{i}"] for i in range(len(self.model.variables))]
        self.epoch, self.waited = said["epoch"], said["waited"]
        self.history = History(**said["history"])
        self._spent = self.history.seconds

    def give_best(self) -> None:
        """Put the best epoch's weights into the model; the first ones, where no epoch had a finite loss."""
        for variable, value in zip(self.model.variables, self.best, strict=True):
            variable.assign(value)
        self.history.seconds = self._elapsed()
