"""Train one configuration within a budget; survive a kill; repeat exactly from a seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import ops

from ..models import has_recurrent_layers, seeded
from ..pipelines.protocol import Batches
from .averaged_adam import AveragedAdam
from .cross_validation import Turn, train_by_turns
from .devices import mirrored
from .halving import rounds
from .history import FitOptions, History
from .learning_rates import CANDIDATES, FIND
from .loss import Elementwise
from .prediction import compiled, read_in_order
from .search import search
from .state import Judge, TrainingState, exists
from .steps import MAX_STEPS_PER_EXECUTION, run_epochs, steps_per_epoch, steps_per_execution, training_steps

# Adam's first, where nobody says another.
LEARNING_RATE = 1e-3
# Where nobody says how long to train: steps without improvement, and steps in all, within these numbers of epochs.
_PATIENCE_STEPS, _PATIENCE_EPOCHS = 600, (3, 150)
_MAX_STEPS, _MAX_EPOCHS = 30_000, (30, 1000)


class Trainer:
    """Trains one configuration again and again, for each fold and seed, and compiles it only once.

    Args:
        build: makes a fresh uncompiled model.
        learning_rate: Adam's first learning rate; halved after `patience` // 3 epochs without improvement. "find" tries
            some (:mod:`recurra.training.learning_rates`) from the same first weights, and goes on with the one whose
            validation loss is smallest: exactly the training that this rate would have had from the start.
        epsilon: what Adam adds to the size of the gradients before it divides by it. The default makes steps of the
            same size for rare and frequent words; near the gradients' own size (1e-4), rare ones move less.
        loss: "mae", "mse", "huber" or "crossentropy".
        batch_size: examples per step; None leaves it to the training batches.
        max_epochs, patience: the most epochs, and how many without improvement end the training; None: as many as
            make 30,000 steps (30 to 1,000 epochs), and 600 steps (3 to 150 epochs).
        clipnorm: gradients whose global norm is larger are scaled down to it.
        target_loss: a validation loss with which the training has reached what it is for, and ends; None: it goes on.
        ema: decay of an exponential moving average of the weights, which is what is judged and given back; 0: the
            weights themselves.
        decay, decay_after: where `decay` is below 1, the learning rate is multiplied by it at the end of every epoch
            from number `decay_after` on, whatever the validation loss does, and no longer halved without improvement.
        label_smoothing: part of the cross-entropy of training that is that of all classes alike; not of what is judged.
        strategy: "mirrored": each batch is shared out among all GPUs, see :mod:`recurra.training.devices`.

    Example:
        >>> trainer = Trainer(lambda: models.build("lstm", pipeline.spec))
        >>> history = trainer.fit(train, validation, FitOptions(seed=1))
        >>> trainer.model
    """

    def __init__(
        self,
        build: Callable[[], keras.Model],
        *,
        learning_rate: float | str = LEARNING_RATE,
        epsilon: float = 1e-7,
        loss: str = "mae",
        batch_size: int | None = None,
        max_epochs: int | None = 100,
        patience: int | None = 9,
        clipnorm: float = 1.0,
        target_loss: float | None = None,
        ema: float = 0.0,
        decay: float = 1.0,
        decay_after: int = 1,
        label_smoothing: float = 0.0,
        strategy: str | None = None,
    ) -> None:
        if isinstance(learning_rate, str) and learning_rate != FIND:
            raise ValueError(f'`learning_rate` must be a number or "{FIND}". Received: {learning_rate!r}')
        self._build = build
        self.learning_rate, self.epsilon = learning_rate, epsilon
        # Padding has no weight: a mean over it too would make short sequences count for less.
        self._reduction = "mean_with_sample_weight" if loss == "crossentropy" else "sum_over_batch_size"
        self.loss = Elementwise(loss, reduction=self._reduction)
        self.label_smoothing = label_smoothing
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.clipnorm, self.target_loss, self.ema = clipnorm, target_loss, ema
        self.decay, self.decay_after = decay, decay_after
        self.strategy = strategy
        self.model: keras.Model | None = None
        self._trained: keras.Model | None = None  # the same; on several devices what is trained, and copied

    def fit(self, train: Batches, validation: Batches, options: FitOptions | None = None) -> History:
        """Train fresh weights; afterwards :attr:`model` has those of the best epoch.

        The same seed and data give the same weights, bit for bit, unless the budget ends the training.

        Args:
            train, validation: what fits the weights, and what stops the training.
            options: seed, budget, checkpoint and who watches.

        Returns:
            The history.
        """
        return self._train(train, validation, options or FitOptions(), steps_of=train, learning_rate=self.learning_rate)

    def _train(
        self,
        train: Batches,
        validation: Batches,
        options: FitOptions,
        *,
        steps_of: Batches,
        learning_rate: float | str,
    ) -> History:
        """Train in epochs that have as many steps as those of `steps_of` would."""
        batch_size, steps, at_once = self._steps(steps_of)
        model = self._fresh(options.seed, learning_rate)
        if options.weights is not None:
            model.set_weights(options.weights)
        epochs = len(options.followed) or self._most_epochs(steps)
        judge = self._judge(validation, steps)

        def run(state: TrainingState, until: int) -> None:
            if state.epoch >= until or state.over or state.told_to_end:
                return
            examples = train.dataset(batch_size=batch_size, seed=options.seed, first_epoch=state.epoch, steps=steps)
            watching = keras.callbacks.CallbackList([state, *options.callbacks], model=model, epochs=until, steps=steps)
            # A budget is looked at after each execution.
            few = at_once if options.budget < float("inf") else min(steps, MAX_STEPS_PER_EXECUTION)
            run_epochs(model, iter(examples), watching, range(state.epoch, until), steps=steps, at_once=few)

        if isinstance(learning_rate, str) and not exists(options.checkpoint):
            ends = rounds(steps, epochs, len(CANDIDATES)) if self.target_loss is None else [epochs]
            state = search(model, judge, options, ends, run)
        else:
            state = TrainingState(model, judge, options, learning_rate)  # type: ignore[arg-type]  # or the file's
        run(state, epochs if options.until is None else min(options.until, epochs))
        if options.until is not None:
            state.pause(epochs)
        state.restore_best_weights()
        self.model = model if self.strategy is None else self._copied(model)
        return state.history

    def rounds(self, train: Batches, candidates: int) -> list[int]:
        """Epochs at which configurations are compared until one of so many is left; see :mod:`.halving`."""
        _, steps, _ = self._steps(train)
        return rounds(steps, self._most_epochs(steps), candidates)

    def _steps(self, batches: Batches) -> tuple[int, int, int]:
        """Examples in a step, steps in an epoch, and steps in an execution: an epoch is whole executions only."""
        batch_size, steps = steps_per_epoch(batches, self.batch_size)
        at_once = steps_per_execution(steps)
        return batch_size, max(1, round(steps / at_once)) * at_once, at_once

    def _judge(self, validation: Batches, steps: int) -> Judge:
        patience = self.patience or _epochs(_PATIENCE_STEPS, steps, _PATIENCE_EPOCHS)
        return Judge(self.loss, validation, patience, self.target_loss, (self.decay, self.decay_after))

    def _most_epochs(self, steps: int) -> int:
        return self.max_epochs or _epochs(_MAX_STEPS, steps, _MAX_EPOCHS)

    def cross_validate(
        self, parts: Sequence[tuple[Batches, Batches]], history: History, options: FitOptions
    ) -> History:
        """How training goes by cross-validation: trainings by turns, stopped by what all of them have not learnt from.

        :attr:`model` has weights of none of them afterwards: what is found is for :meth:`refit`.

        Args:
            parts: what is learnt from and what is held out, by turns.
            history: of an earlier training, whose learning rate is taken.
            options: of the earlier training.

        Returns:
            The history: joint losses, and the epoch at which they were best.
        """
        batch_size, steps, _ = self._steps(parts[0][0])
        model = self._fresh(options.seed, history.learning_rate)
        losses: list[float] = []
        turns = []
        for train, held_out in parts:
            examples = train.dataset(batch_size=batch_size, seed=options.seed, first_epoch=0, steps=steps)
            turns.append(Turn(iter(examples), self._judge(held_out, steps)))

        def run(batches: Any, epoch: int) -> None:
            nobody = keras.callbacks.CallbackList([], model=model, epochs=epoch + 1, steps=steps)
            at_once = min(steps, MAX_STEPS_PER_EXECUTION)
            run_epochs(model, batches, nobody, range(epoch, epoch + 1), steps=steps, at_once=at_once)

        options = replace(options, followed=losses, checkpoint=None, until=None)
        state = TrainingState(model, turns[0].judge, options, history.learning_rate)
        train_by_turns(model, turns, state, losses, run, self._most_epochs(steps))
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
        options = replace(
            options, followed=followed, checkpoint=None, until=None, budget=float("inf"), on_epoch=lambda *_: None
        )
        again = self._train(known, validation, options, steps_of=train, learning_rate=history.learning_rate)
        return again.seconds

    def compile(self, train: Batches, validation: Batches) -> float:
        """Compile what training and validation run, where that was not done yet: a budget counts it apart.

        Returns:
            Seconds that it took.
        """
        if self._trained is not None:
            return 0.0
        begun = time.monotonic()
        model, (batch_size, _) = self._fresh(0, self.learning_rate), steps_per_epoch(train, self.batch_size)
        training_steps(model)(iter(train.dataset(batch_size=batch_size, seed=0, first_epoch=0, steps=1)), 1)
        for inputs, *_ in read_in_order(validation):
            compiled(model)(inputs)
            break
        return time.monotonic() - begun

    def _fresh(self, seed: int, learning_rate: float | str) -> keras.Model:
        """The compiled model with first weights drawn from `seed` and an optimizer without a past."""
        with seeded(seed):
            fresh = self._build()
        rate = 0.0 if isinstance(learning_rate, str) else learning_rate  # a search sets its own
        if self._trained is None:
            if self.strategy is None:
                self.model = self._trained = self._compiled(fresh, rate)
                return fresh
            with mirrored().scope(), seeded(seed):
                self._trained = self._compiled(self._build(), rate)
        for variable, first in zip(self._trained.variables, fresh.variables, strict=True):
            variable.assign(first)
        for variable in self._trained.optimizer.variables:
            variable.assign(ops.zeros_like(variable))
        self._trained.optimizer.learning_rate = rate
        return self._trained

    def _compiled(self, model: keras.Model, rate: float) -> keras.Model:
        # in the precision of the outputs: errors of a large level are small beside it
        output = getattr(model, "output", None)  # a model that is a class of its own knows it after its first call
        own = {"dtype": output.dtype} if isinstance(output, keras.KerasTensor) else {}
        self.loss = Elementwise(self.loss.kind, reduction=self._reduction, **own)
        learnt = Elementwise(self.loss.kind, self.label_smoothing, reduction=self._reduction, **own)
        model.compile(self._optimizer(rate), learnt, jit_compile=has_recurrent_layers(model))
        model.optimizer.build(model.trainable_variables)
        return model

    def _copied(self, trained: keras.Model) -> keras.Model:
        """An ordinary model with the weights of one whose variables are on several devices."""
        with seeded(0):
            copy = self._build() if self.model is None else self.model
        for variable, value in zip(copy.variables, trained.variables, strict=True):
            variable.assign(ops.convert_to_numpy(value))
        return copy

    def _optimizer(self, rate: float) -> keras.optimizers.Adam:
        options = {"epsilon": self.epsilon, "global_clipnorm": self.clipnorm}
        if self.ema:
            return AveragedAdam(rate, ema=self.ema, **options)
        return keras.optimizers.Adam(rate, **options)


def _epochs(steps: int, steps_per_epoch: int, bounds: tuple[int, int]) -> int:
    return int(np.clip(-(-steps // steps_per_epoch), *bounds))
