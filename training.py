"""Fit one model within a budget; survive a kill; repeat exactly from a seed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import keras
import numpy as np
from keras import ops

from .atomic import replacing
from .errors import InputError
from .models.recurrent import portable

if TYPE_CHECKING:
    import tensorflow as tf

_MOST_STEPS_PER_EXECUTION = 16
LOSSES = ("mae", "mse", "huber")
# Where nobody says how long to train: so many steps without improvement, and in all, within these numbers of epochs.
_PATIENT_STEPS, _PATIENT_EPOCHS = 600, (3, 150)
_MOST_STEPS, _MOST_EPOCHS = 30_000, (30, 1000)


class Part(Protocol):
    """What a training reads: windows of a series, texts, pieces of a novel; the pipelines make them.

    Attributes:
        batch_size: examples a training step reads, where nobody says otherwise.
        predict_batch: examples read together in prediction; a fixed number, so that prediction compiles once.
    """

    @property
    def batch_size(self) -> int: ...

    @property
    def predict_batch(self) -> int: ...

    def __len__(self) -> int: ...

    def dataset(
        self, *, batch_size: int, seed: int | None = None, first_epoch: int = 0, steps: int | None = None
    ) -> tf.data.Dataset:
        """Batches of (inputs, target, weight): without end and shuffled by `seed`, or once in :meth:`order`."""

    def order(self, batch_size: int) -> np.ndarray:
        """Which example stands where in an unshuffled run, -1 for a filler: (batches × batch_size,)."""


@keras.saving.register_keras_serializable("recurra")
class Elementwise(keras.losses.Loss):
    """A loss for each step and target, so that weights can leave out single missing values.

    Args:
        kind: "mae" absolute, "mse" squared, or "huber" error with delta 1, in scaled units; "crossentropy" of class
            numbers and logits.
    """

    def __init__(self, kind: str = "mae", name: str = "loss", **kwargs: Any) -> None:
        if kind not in (*LOSSES, "crossentropy"):
            raise ValueError(f"`loss` must be mae, mse, huber or crossentropy. Received: {kind!r}")
        super().__init__(name=name, **kwargs)
        self.kind = kind

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if self.kind == "crossentropy":
            return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)  # (batch,) or (batch, time)
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
        best_loss: its validation loss, in scaled units or nats.
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
        epsilon: what Adam adds to the size of the gradients before it divides by it. The default makes steps of the
            same size for rare and frequent words; near the gradients' own size (1e-4), rare ones move less.
        loss: "mae", "mse", "huber" or "crossentropy".
        batch_size: examples a step; None leaves it to the training part.
        max_epochs, patience: the most epochs, and how many without improvement end the training; None: as many as
            make 30,000 steps (30 to 1,000 epochs), and 600 steps (3 to 150 epochs).
        clipnorm: gradients that are longer, all weights together, are shortened to this length.

    Example:
        >>> trainer = Trainer(lambda: models.build("lstm", pipeline.spec))
        >>> history = trainer.fit(train, validation, seed=0)
        >>> trainer.model
    """

    def __init__(
        self,
        build: Callable[[], keras.Model],
        *,
        learning_rate: float = 1e-3,
        epsilon: float = 1e-7,
        loss: str = "mae",
        batch_size: int | None = None,
        max_epochs: int | None = 100,
        patience: int | None = 9,
        clipnorm: float = 1.0,
    ) -> None:
        self._build = build
        self.learning_rate, self.epsilon = learning_rate, epsilon
        # Padding has no weight: a mean over it too would make short sequences count for less.
        reduction = "mean_with_sample_weight" if loss == "crossentropy" else "sum_over_batch_size"
        self.loss = Elementwise(loss, reduction=reduction)
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.clipnorm = clipnorm
        self.model: keras.Model | None = None

    def fit(
        self,
        train: Part,
        validation: Part,
        *,
        seed: int,
        budget: float = float("inf"),
        checkpoint: Path | None = None,
        on_epoch: Callable[[int, float], None] = lambda *_: None,
    ) -> History:
        """Train fresh weights; afterwards :attr:`model` has those of the best epoch.

        The same seed and data give the same weights, bit for bit, unless the budget ends the training.

        Args:
            train, validation: what fits the weights, and what stops the training.
            seed: of the first weights, of dropout and of the examples' order.
            budget: seconds after which the training ends with the best epoch so far.
            checkpoint: file that carries the state after every epoch; where it exists, training goes on from it.
            on_epoch: called after every epoch with its number, from 1, and the validation loss.

        Returns:
            The history.
        """
        batch_size = min(self.batch_size or train.batch_size, len(train))
        steps = max(1, round(len(train) / batch_size))
        model = self._fresh(seed, steps)
        # Whole executions only: Keras would take the rest of the last one out of the next epoch.
        steps = max(1, round(steps / model.steps_per_execution)) * model.steps_per_execution
        epochs = self.max_epochs or _epochs(_MOST_STEPS, steps, _MOST_EPOCHS)
        patience = self.patience or _epochs(_PATIENT_STEPS, steps, _PATIENT_EPOCHS)
        course = _Course(self.loss, validation, patience, budget, checkpoint, on_epoch)
        course.set_model(model)
        course.take_up()
        if course.epoch < epochs and course.waited < patience:
            model.fit(
                train.dataset(batch_size=batch_size, seed=seed, first_epoch=course.epoch, steps=steps),
                epochs=epochs,
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
                keras.optimizers.Adam(self.learning_rate, epsilon=self.epsilon, global_clipnorm=self.clipnorm),
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


def predict_part(model: keras.Model, part: Part) -> Any:
    """What the model says of every example, in order.

    Returns:
        (examples, ...) in scaled units or logits; where examples have different lengths and an output for each of
        their steps, a list of arrays, padded as their batch was.
    """
    if not len(part):
        return np.empty((0, *model.output_shape[1:]), "float32")
    forward = compiled(model)
    batches = [forward(inputs).numpy() for inputs, *_ in part.dataset(batch_size=part.predict_batch)]
    order = part.order(part.predict_batch)
    if len({batch.shape[1:] for batch in batches}) > 1:
        rows = [row for batch in batches for row in batch]
        return [rows[place] for place in _places(order)]
    return np.concatenate(batches)[_places(order)]


def _places(order: np.ndarray) -> np.ndarray:
    """Where each example stands in an unshuffled run: (examples,)."""
    real = np.flatnonzero(order >= 0)
    places = np.empty(len(real), np.int64)
    places[order[real]] = real
    return places


def _epochs(steps: int, a_epoch: int, bounds: tuple[int, int]) -> int:
    return int(np.clip(-(-steps // a_epoch), *bounds))


def compiled(model: keras.Model) -> Callable[[dict[str, Any]], Any]:
    """The model's forward pass as one graph, made once a model: ``model.predict`` costs more than a small epoch."""
    import tensorflow as tf

    if not hasattr(model, "_forward"):

        def forward(inputs: dict[str, Any]) -> Any:
            with portable(False):
                return model(inputs, training=False)

        # One trace for batches of all lengths. Recurrent layers are compiled by themselves, a loop a core; a training
        # step gains more by XLA having all of it.
        graph = tf.function(forward, reduce_retracing=True, autograph=False)
        # Behind a plain function: a graph that the model itself held would be written into its SavedModel.
        model._forward = lambda inputs: graph(inputs)  # noqa: PLW0108
    return model._forward


def is_recurrent(model: keras.Model) -> bool:
    """Whether a step of the model has the many small operations for which compiling with XLA pays."""
    layers = model._flatten_layers()
    return any(isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional) for layer in layers)


class _Course(keras.callbacks.Callback):
    """What happens after every epoch.

    Keras has a callback for each of these, but theirs forget what they knew when a run is taken up again, so the
    resumed training would differ from an unbroken one.
    """

    def __init__(
        self,
        loss: Elementwise,
        validation: Part,
        patience: int,
        budget: float,
        checkpoint: Path | None,
        on_epoch: Callable[[int, float], None],
    ) -> None:
        super().__init__()
        self.loss, self.patience, self.budget = loss, patience, budget
        self.checkpoint, self.on_epoch = checkpoint, on_epoch
        self.history = History()
        self.epoch, self.waited = 0, 0
        self.best: list[np.ndarray] = []
        self._begun = time.monotonic()
        self._spent = 0.0  # seconds of earlier runs
        # Gathered once: what was read for one epoch is read for all.
        self.batches = _without_fillers(validation)
        if not any(weight.any() for *_, weight in self.batches):
            raise InputError(
                f"none of the {len(validation)} windows or examples for validation has a known target, so nothing can "
                "stop the training; give more rows (of a series newer ones), fewer --folds or a larger test part"
            )

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
            if self.waited % max(1, self.patience // 3) == 0:
                rate = float(ops.convert_to_numpy(self.model.optimizer.learning_rate))
                self.model.optimizer.learning_rate = rate / 2
        if self.waited >= self.patience:
            self.history.stopped_by = "patience"
            self.model.stop_training = True
        self.history.seconds = self._elapsed()
        self._write()
        self.on_epoch(self.epoch, loss)

    def _validation_loss(self) -> float:
        # A state carried from batch to batch belongs to the training.
        kept = [ops.convert_to_numpy(v) for v in self.model.non_trainable_variables]
        total = count = 0.0
        for inputs, target, weight in self.batches:
            losses = ops.convert_to_numpy(self.loss.call(target, compiled(self.model)(inputs)))
            total += float((losses * weight).sum(dtype=float))
            count += float(weight.sum(dtype=float))
        for variable, value in zip(self.model.non_trainable_variables, kept, strict=True):
            variable.assign(value)
        loss = total / count
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


def _without_fillers(part: Part) -> list[tuple[dict[str, Any], np.ndarray, np.ndarray]]:
    """Batches of (inputs, target, weight), in which what only fills the last batch weighs nothing."""
    batches = []
    real = (part.order(part.predict_batch) >= 0).reshape(-1, part.predict_batch)
    for (inputs, target, weight), kept in zip(part.dataset(batch_size=part.predict_batch), real, strict=True):
        counted = kept.reshape(-1, *[1] * (len(weight.shape) - 1))
        batches.append((inputs, target.numpy(), weight.numpy() * counted))
    return batches
