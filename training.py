"""Train one configuration within a budget; survive a kill; repeat exactly from a seed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
from keras import ops

from .atomic import replacing
from .averaged_adam import AveragedAdam
from .errors import InputError
from .models import has_recurrent_layers, seeded
from .models.recurrent import portable
from .pipelines.protocol import Batches
from .seeds import check_seed

_MAX_STEPS_PER_EXECUTION = 16
# A checkpoint each epoch would cost a small training more than its steps; a kill loses no more than this, or an epoch.
_CHECKPOINT_SECONDS = 1.0
_FEW_BATCHES = 4  # of a validation or test set that is kept once it has been read
_read: WeakKeyDictionary[Batches, list[Any]] = WeakKeyDictionary()
LOSSES = ("mae", "mse", "huber")
# Where nobody says how long to train: steps without improvement, and steps in all, within these numbers of epochs.
_PATIENCE_STEPS, _PATIENCE_EPOCHS = 600, (3, 150)
_MAX_STEPS, _MAX_EPOCHS = 30_000, (30, 1000)


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

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss. A weight for each single error weighs the error itself: what takes a window's spread off
        has to do so before errors are squared, or the windows with a large one would count for all."""
        if not self._weighs_errors(y_pred, sample_weight):
            return super().__call__(y_true, y_pred, sample_weight)
        error, weight = self._error(y_true, y_pred), ops.cast(sample_weight, self.dtype)
        return super().__call__(ops.zeros_like(error), error * weight)

    def weighted(self, y_true: Any, y_pred: Any, weight: Any) -> tuple[float, float]:
        """The weighted sum of all losses, and what to divide it by; weights as in a call."""
        if not self._weighs_errors(y_pred, weight):
            losses = ops.convert_to_numpy(self.call(y_true, y_pred))
            return float((losses * weight).sum(dtype=float)), float(weight.sum(dtype=float))
        error = self._error(y_true, y_pred) * ops.cast(weight, self.dtype)
        losses = ops.convert_to_numpy(self.call(ops.zeros_like(error), error))
        return float(losses.sum(dtype=float)), float((weight > 0).sum())

    def _weighs_errors(self, y_pred: Any, weight: Any) -> bool:
        return weight is not None and self.kind in ("mse", "huber") and len(weight.shape) == len(y_pred.shape)

    def _error(self, y_true: Any, y_pred: Any) -> Any:
        return ops.cast(y_pred, self.dtype) - ops.cast(y_true, self.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kind": self.kind}


@dataclass
class History:
    """How a training went.

    Attributes:
        best_epoch: epoch, counted from 1, whose weights the model has now.
        best_loss: its validation loss, in scaled units (squared errors and Huber's of many series in units of each
            window's spread) or nats.
        losses: validation loss after each epoch.
        seconds: wall-clock time, over all runs where it was resumed.
        stopped_by: "patience", "budget", "max_epochs" or "callback".
    """

    best_epoch: int = 0
    best_loss: float = float("inf")
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    stopped_by: str = "max_epochs"

    def __repr__(self) -> str:
        return (
            f"History(validation loss {self.best_loss:.4g} after epoch {self.best_epoch} of {len(self.losses)}, "
            f"{self.seconds:.1f} s, stopped by {self.stopped_by})"
        )


@dataclass(frozen=True)
class FitOptions:
    """How one training runs.

    Attributes:
        seed: of the first weights, of dropout and of the examples' order.
        budget: seconds after which the training ends with the best epoch so far.
        checkpoint: file that holds the state after an epoch, at most a second or an epoch old; where it exists,
            training resumes from it.
        on_epoch: called after every epoch with its number, from 1, and the validation loss; True ends the training.
        weights: where the training goes on from, in place of first weights drawn from the seed.
        callbacks: Keras callbacks, called after the state has been judged; they find ``val_loss`` in their logs.
        followed: validation losses of an earlier training, which this one follows in place of measuring its own: see
            :meth:`Trainer.refit`.
    """

    seed: int = 0
    budget: float = float("inf")
    checkpoint: Path | None = None
    on_epoch: Callable[[int, float], bool | None] = lambda *_: None
    weights: Sequence[np.ndarray] | None = None
    callbacks: tuple[keras.callbacks.Callback, ...] = ()
    followed: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_seed(self.seed)


class Trainer:
    """Trains one configuration again and again, for each fold and seed, and compiles it only once.

    Args:
        build: makes a fresh uncompiled model.
        learning_rate: Adam's first learning rate; halved after `patience` // 3 epochs without improvement.
        epsilon: what Adam adds to the size of the gradients before it divides by it. The default makes steps of the
            same size for rare and frequent words; near the gradients' own size (1e-4), rare ones move less.
        loss: "mae", "mse", "huber" or "crossentropy".
        batch_size: examples per step; None leaves it to the training batches.
        max_epochs, patience: the most epochs, and how many without improvement end the training; None: as many as
            make 30,000 steps (30 to 1,000 epochs), and 600 steps (3 to 150 epochs).
        clipnorm: gradients whose global norm is larger are scaled down to it.
        ema: decay of an exponential moving average of the weights, which is what is judged and given back; 0: the
            weights themselves.
        decay, decay_after: where `decay` is below 1, the learning rate is multiplied by it at the end of every epoch
            from number `decay_after` on, whatever the validation loss does, and no longer halved without improvement.

    Example:
        >>> trainer = Trainer(lambda: models.build("lstm", pipeline.spec))
        >>> history = trainer.fit(train, validation, FitOptions(seed=1))
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
        ema: float = 0.0,
        decay: float = 1.0,
        decay_after: int = 1,
    ) -> None:
        self._build = build
        self.learning_rate, self.epsilon = learning_rate, epsilon
        # Padding has no weight: a mean over it too would make short sequences count for less.
        self._reduction = "mean_with_sample_weight" if loss == "crossentropy" else "sum_over_batch_size"
        self.loss = Elementwise(loss, reduction=self._reduction)
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.clipnorm, self.ema = clipnorm, ema
        self.decay, self.decay_after = decay, decay_after
        self.model: keras.Model | None = None

    def fit(self, train: Batches, validation: Batches, options: FitOptions | None = None) -> History:
        """Train fresh weights; afterwards :attr:`model` has those of the best epoch.

        The same seed and data give the same weights, bit for bit, unless the budget ends the training.

        Args:
            train, validation: what fits the weights, and what stops the training.
            options: seed, budget, checkpoint and who watches.

        Returns:
            The history.
        """
        return self._train(train, validation, options or FitOptions(), steps_of=train)

    def _train(self, train: Batches, validation: Batches, options: FitOptions, *, steps_of: Batches) -> History:
        """Train in epochs that have as many steps as those of `steps_of` would."""
        batch_size, steps = steps_per_epoch(steps_of, self.batch_size)
        model = self._fresh(options.seed)
        if options.weights is not None:
            model.set_weights(options.weights)
        at_once = steps_per_execution(steps)
        steps = max(1, round(steps / at_once)) * at_once  # whole executions only
        epochs = len(options.followed) or self.max_epochs or _epochs(_MAX_STEPS, steps, _MAX_EPOCHS)
        patience = self.patience or _epochs(_PATIENCE_STEPS, steps, _PATIENCE_EPOCHS)
        state = _TrainingState(self.loss, validation, patience, options, (self.decay, self.decay_after))
        state.set_model(model)
        state.resume()
        if state.epoch < epochs and state.epochs_without_improvement < patience:
            examples = train.dataset(batch_size=batch_size, seed=options.seed, first_epoch=state.epoch, steps=steps)
            watching = keras.callbacks.CallbackList(
                [state, *options.callbacks], model=model, epochs=epochs, steps=steps
            )
            # A budget is looked at after each execution.
            at_once = at_once if options.budget < float("inf") else min(steps, _MAX_STEPS_PER_EXECUTION)
            _run_epochs(model, iter(examples), watching, range(state.epoch, epochs), steps=steps, at_once=at_once)
        state.restore_best_weights()
        return state.history

    def refit(
        self, known: Batches, train: Batches, validation: Batches, history: History, options: FitOptions
    ) -> float:
        """Train the same first weights anew on more rows, for as many steps as the best epoch took.

        The learning rate falls where it fell then, and nothing is validated: what was held out is learnt from.

        Args:
            known: what is learnt from now: the training and the validation part.
            train, validation: what the earlier training learnt from, and what stopped it.
            history: how that went; without an epoch of finite loss there is nothing to repeat.
            options: of the earlier training.

        Returns:
            Seconds that it took.
        """
        if not history.best_epoch:
            return 0.0
        followed = tuple(history.losses[: history.best_epoch])
        options = replace(options, followed=followed, checkpoint=None, budget=float("inf"), on_epoch=lambda *_: None)
        return self._train(known, validation, options, steps_of=train).seconds

    def compile(self, train: Batches, validation: Batches) -> float:
        """Compile what training and validation run, where that was not done yet: a budget counts it apart.

        Returns:
            Seconds that it took.
        """
        if self.model is not None:
            return 0.0
        begun = time.monotonic()
        model, (batch_size, _) = self._fresh(0), steps_per_epoch(train, self.batch_size)
        _training_steps(model)(iter(train.dataset(batch_size=batch_size, seed=0, first_epoch=0, steps=1)), 1)
        for inputs, *_ in read_in_order(validation):
            compiled(model)(inputs)
            break
        return time.monotonic() - begun

    def _fresh(self, seed: int) -> keras.Model:
        """The compiled model with first weights drawn from `seed` and an optimizer without a past."""
        with seeded(seed):
            fresh = self._build()
        if self.model is None:
            self.model = fresh
            # in the precision of the outputs: errors of a large level are small beside it
            output = getattr(fresh, "output", None)  # a model that is a class of its own knows it after its first call
            own = {"dtype": output.dtype} if isinstance(output, keras.KerasTensor) else {}
            self.loss = Elementwise(self.loss.kind, reduction=self._reduction, **own)
            self.model.compile(
                self._optimizer(),
                self.loss,
                jit_compile=has_recurrent_layers(fresh),
            )
            self.model.optimizer.build(self.model.trainable_variables)
            return self.model
        for variable, first in zip(self.model.variables, fresh.variables, strict=True):
            variable.assign(first)
        for variable in self.model.optimizer.variables:
            variable.assign(ops.zeros_like(variable))
        self.model.optimizer.learning_rate = self.learning_rate
        return self.model

    def _optimizer(self) -> keras.optimizers.Adam:
        options = {"epsilon": self.epsilon, "global_clipnorm": self.clipnorm}
        if self.ema:
            return AveragedAdam(self.learning_rate, ema=self.ema, **options)
        return keras.optimizers.Adam(self.learning_rate, **options)


def steps_per_epoch(train: Batches, batch_size: int | None = None) -> tuple[int, int]:
    """Examples in a training step, and steps in an epoch."""
    size = min(batch_size or train.batch_size, len(train))
    return size, max(1, round(len(train) / size))


def steps_per_execution(steps: int) -> int:
    """Steps that are run in one call, of so many in an epoch."""
    return int(np.clip(steps // 8, 1, _MAX_STEPS_PER_EXECUTION))


def _run_epochs(
    model: keras.Model,
    batches: Any,
    watching: keras.callbacks.CallbackList,
    epochs: range,
    *,
    steps: int,
    at_once: int,
) -> None:
    """What ``model.fit`` does, without most of its price: of a small training's epochs that is nearly all.

    Few steps are one call, and their number is a tensor, so that folds of different sizes share one trace.
    """
    run, others_watch = _training_steps(model), len(watching.callbacks) > 1
    model.stop_training = False
    watching.on_train_begin()
    logs: dict[str, float] = {}
    for epoch in epochs:
        model.reset_metrics()
        watching.on_epoch_begin(epoch)
        for begin in range(0, steps, at_once):
            count = min(at_once, steps - begin)
            watching.on_train_batch_begin(begin)
            run(batches, count)
            if others_watch:
                logs = {name: float(value) for name, value in model.get_metrics_result().items()}
            watching.on_train_batch_end(begin + count - 1, logs)
            if model.stop_training:
                break
        watching.on_epoch_end(epoch, dict(logs))
        if model.stop_training:
            break
    watching.on_train_end(logs)


def _training_steps(model: keras.Model) -> Callable[[Any, int], None]:
    """Some steps of training in one call of a graph, made once per model: (iterator of batches, how many)."""
    import tensorflow as tf

    if not hasattr(model, "_training_steps"):
        step = tf.function(model.train_step, jit_compile=model.jit_compile, reduce_retracing=True, autograph=False)

        def steps(batches: Any, count: Any) -> None:
            def one(done: Any) -> Any:
                step(next(batches))
                return done + 1

            tf.while_loop(lambda done: done < count, one, [tf.constant(0)], parallel_iterations=1)

        graph = tf.function(steps, reduce_retracing=True, autograph=False)
        # Behind a plain function, for the reason in `compiled`.
        model._training_steps = lambda batches, count: graph(batches, tf.constant(count))
    return model._training_steps


def read_in_order(batches: Batches) -> Iterable[Any]:
    """All batches of (inputs, target, weight), unshuffled; where they are few, they are read only once.

    A fold's validation and test sets are the same for all families and seeds, and to set up the reading of a small one
    costs more than an epoch of training.
    """
    if batches in _read:
        return _read[batches]
    dataset = batches.dataset(batch_size=batches.predict_batch_size)
    if 0 <= int(dataset.cardinality()) <= _FEW_BATCHES:
        return _read.setdefault(batches, list(dataset))
    return dataset


def predict_batches(model: keras.Model, batches: Batches) -> Any:
    """What the model predicts for every example, in order.

    Returns:
        (examples, ...) in scaled units or logits; where examples have different lengths and an output for each of
        their steps, a list of arrays, padded as their batch was.
    """
    if not len(batches):
        return np.empty((0, *model.output_shape[1:]), "float32")
    forward, size = compiled(model), batches.predict_batch_size
    predicted = [forward(inputs).numpy() for inputs, *_ in read_in_order(batches)]
    places = _places(batches.order(size))
    if len({batch.shape[1:] for batch in predicted}) > 1:
        rows = [row for batch in predicted for row in batch]
        return [rows[place] for place in places]
    return np.concatenate(predicted)[places]


def _places(order: np.ndarray) -> np.ndarray:
    """The place of each example in an unshuffled run: (examples,)."""
    real = np.flatnonzero(order >= 0)
    places = np.empty(len(real), np.int64)
    places[order[real]] = real
    return places


def _epochs(steps: int, steps_per_epoch: int, bounds: tuple[int, int]) -> int:
    return int(np.clip(-(-steps // steps_per_epoch), *bounds))


def compiled(model: keras.Model) -> Callable[[dict[str, Any]], Any]:
    """The model's forward pass as one graph, made once per model: ``model.predict`` costs more than a small epoch."""
    import tensorflow as tf

    if not hasattr(model, "_forward"):

        def forward(inputs: dict[str, Any]) -> Any:
            with portable(False):
                return model(inputs, training=False)

        # One trace for batches of all lengths. Recurrent layers are compiled by themselves, one loop per core; a
        # training step gains more by XLA having all of it.
        graph = tf.function(forward, reduce_retracing=True, autograph=False)
        # Behind a plain function: a graph that the model itself held would be written into its SavedModel.
        model._forward = lambda inputs: graph(inputs)  # noqa: PLW0108
    return model._forward


class _TrainingState(keras.callbacks.Callback):
    """What happens after every epoch.

    Keras has a callback for each of these, but theirs forget what they knew when a run is resumed, so the resumed
    training would differ from an unbroken one.
    """

    def __init__(
        self,
        loss: Elementwise,
        validation: Batches,
        patience: int,
        options: FitOptions,
        schedule: tuple[float, int] = (1.0, 1),
    ) -> None:
        super().__init__()
        self.loss, self.patience, self.options = loss, patience, options
        self.decay, self.decay_after = schedule
        self.history = History()
        self.epoch, self.epochs_without_improvement = 0, 0
        self.best_weights: list[np.ndarray] = []
        self._begun = self._written = time.monotonic()
        self._spent = 0.0  # seconds of earlier runs
        # Gathered once: what was read for one epoch is read for all.
        self.batches = _without_padding_rows(validation)
        if not any(weight.any() for *_, weight in self.batches):
            raise InputError(
                f"none of the {len(validation)} windows or examples for validation has a known target, so nothing can "
                "stop the training; give more rows (of a series newer ones), fewer `folds` or a larger test set"
            )

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        if self._elapsed() > self.options.budget:
            self.history.stopped_by = "budget"
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch + 1
        with self._averaged_weights():
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
        if self.epochs_without_improvement >= self.patience:
            self.history.stopped_by = "patience"
            self.model.stop_training = True
        self.history.seconds = self._elapsed()
        self._write()
        if self.options.on_epoch(self.epoch, loss):
            self.history.stopped_by = "callback"
            self.model.stop_training = True

    def _lower_the_rate(self) -> None:
        """By the schedule, or where there is none after every third of the patience without improvement."""
        factor = 1.0
        if self.decay < 1:
            factor = self.decay if self.epoch >= self.decay_after else 1.0
        elif self.epochs_without_improvement and self.epochs_without_improvement % max(1, self.patience // 3) == 0:
            factor = 0.5
        if factor < 1:
            rate = float(ops.convert_to_numpy(self.model.optimizer.learning_rate))
            self.model.optimizer.learning_rate = rate * factor

    @contextmanager
    def _averaged_weights(self) -> Iterator[None]:
        """Put the average of the weights, where there is one, into the model for a while."""
        averages = getattr(self.model.optimizer, "averages", [])
        if not averages:
            yield
            return
        kept = [ops.convert_to_numpy(v) for v in self.model.trainable_variables]
        for variable, average in zip(self.model.trainable_variables, averages, strict=True):
            variable.assign(average)
        try:
            yield
        finally:
            for variable, value in zip(self.model.trainable_variables, kept, strict=True):
                variable.assign(value)

    def _validation_loss(self) -> float:
        # A state carried from batch to batch belongs to the training.
        kept = [ops.convert_to_numpy(v) for v in self.model.non_trainable_variables]
        total = count = 0.0
        for inputs, target, weight in self.batches:
            sums = self.loss.weighted(target, compiled(self.model)(inputs), weight)
            total, count = total + sums[0], count + sums[1]
        for variable, value in zip(self.model.non_trainable_variables, kept, strict=True):
            variable.assign(value)
        loss = total / count
        return loss if np.isfinite(loss) else float("inf")

    def _elapsed(self) -> float:
        return self._spent + time.monotonic() - self._begun

    def _state(self) -> list[Any]:
        return [*self.model.variables, *self.model.optimizer.variables]

    def _write(self) -> None:
        checkpoint = self.options.checkpoint
        if checkpoint is None or time.monotonic() - self._written < _CHECKPOINT_SECONDS:
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
        self._spent = self.history.seconds

    def restore_best_weights(self) -> None:
        """Put the best epoch's weights into the model; the first ones, where no epoch had a finite loss."""
        for variable, value in zip(self.model.variables, self.best_weights, strict=True):
            variable.assign(value)
        self.history.seconds = self._elapsed()


def _without_padding_rows(batches: Batches) -> list[tuple[dict[str, Any], np.ndarray, np.ndarray]]:
    """Batches of (inputs, target, weight), in which padding rows weigh nothing."""
    gathered, size = [], batches.predict_batch_size
    real = (batches.order(size) >= 0).reshape(-1, size)
    for (inputs, target, weight), kept in zip(read_in_order(batches), real, strict=True):
        counted = kept.reshape(-1, *[1] * (len(weight.shape) - 1))
        gathered.append((inputs, target.numpy(), weight.numpy() * counted))
    return gathered
