"""Train a network in memory: epochs until the validation loss stops falling, nothing on disk, nothing global."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .batches import Rows
from .network import POOL, CompiledNetwork, Weights

if TYPE_CHECKING:
    import keras

# A training loss that falls by less than this fraction of itself has stopped falling, as in scikit-learn's networks.
_LEAST_PROGRESS = 1e-4


@dataclass(frozen=True)
class FitSettings:
    """How one fit runs.

    Attributes:
        learning_rate: Adam's first one, halved after every third of `patience` without progress.
        epsilon: Adam's.
        batch_size: rows in a step.
        max_epochs, patience: the most epochs, and how many without progress end the fit.
        seed, first_epoch: of the order of the rows, and how many orders were drawn from it before.
        callbacks: Keras callbacks.
        keep_optimizer: whether the next fit goes on with what Adam remembers.
    """

    learning_rate: float
    epsilon: float
    batch_size: int
    max_epochs: int
    patience: int
    seed: int
    first_epoch: int = 0
    keep_optimizer: bool = False
    callbacks: Sequence[keras.callbacks.Callback] = ()


@dataclass
class NetworkState:
    """A network between two fits, as plain arrays.

    Attributes:
        structure: its config.
        loss: what it is trained by.
        weights: its weights and the states of its dropout layers.
        optimizer: what Adam remembers, for ``partial_fit``; None where nobody will go on.
    """

    structure: str
    loss: str
    weights: Weights
    optimizer: Weights | None = None


@dataclass
class Progress:
    """How far a fit has come.

    Attributes:
        history: losses after each epoch by name.
        best: the smallest loss so far; epochs since then, and the weights it had.
    """

    history: dict[str, list[float]] = field(default_factory=lambda: {"loss": []})
    best: float = float("inf")
    epochs_without: int = 0
    best_weights: Weights | None = None


def train(
    state: NetworkState,
    train_rows: Rows,
    validation: Rows | None,
    settings: FitSettings,
    on_epoch: Callable[[int, float, Callable[[], Weights]], bool],
) -> dict[str, list[float]]:
    """Train a network; its state has the new weights afterwards.

    Args:
        state: where it starts.
        train_rows, validation: what fits the weights, and what stops the fit; without a validation set the training
            loss stops it.
        settings: how.
        on_epoch: called with the number of each epoch, from 1, its loss, and a function that gives the weights; True
            ends the fit.

    Returns:
        ``{"loss": [...], "val_loss": [...]}``, a number for each epoch.
    """
    progress = Progress() if validation is None else Progress({"loss": [], "val_loss": []})
    with POOL.borrow(state.structure, state.loss) as network:
        network.start(state.weights, settings.learning_rate, settings.epsilon, state.optimizer)
        watchers = _KerasCallbacks(settings, network, len(train_rows))
        for epoch in range(settings.max_epochs):
            loss = _one_epoch(network, train_rows, validation, settings, epoch, progress, watchers)
            stop = on_epoch(epoch + 1, loss, network.copy_weights) or watchers.stop or not np.isfinite(loss)
            if stop or progress.epochs_without >= settings.patience:
                break
        watchers.end()
        if progress.best_weights is not None:
            network.set_weights(progress.best_weights)
        if not np.isfinite(progress.history["loss"][-1]):
            _warn_of_divergence(epoch + 1, settings.learning_rate)
        kept = network.copy_weights()
        state.weights = kept if all(np.isfinite(w).all() for w in kept) else state.weights
        state.optimizer = network.optimizer_state if settings.keep_optimizer else None
    return progress.history


def _one_epoch(
    network: CompiledNetwork,
    rows: Rows,
    validation: Rows | None,
    settings: FitSettings,
    epoch: int,
    progress: Progress,
    watchers: _KerasCallbacks,
) -> float:
    """Train for an epoch and score it; gives the loss that decides."""
    watchers.begin(epoch)
    divisor = min(settings.batch_size, len(rows))
    random = np.random.default_rng((settings.seed, settings.first_epoch + epoch))
    total = 0.0
    for inputs, target, weight in rows.epoch(settings.batch_size, random):
        total += watchers.train(inputs, target, weight, divisor)
    logs = {"loss": total / float(rows.weight.sum(dtype=float))}
    if validation is not None:
        stacks = validation.epoch(settings.batch_size, None)
        logs["val_loss"] = sum(network.evaluate(*stack) for stack in stacks) / float(validation.weight.sum(dtype=float))
    for name, value in logs.items():
        progress.history[name].append(value)
    decisive = logs["loss"] if validation is None else logs["val_loss"]
    _judge(network, settings, progress, decisive, keep=validation is not None)
    watchers.finish(epoch, logs)
    return decisive


def _judge(network: CompiledNetwork, settings: FitSettings, progress: Progress, loss: float, *, keep: bool) -> None:
    """Count epochs without progress; keep the best weights, or make smaller steps."""
    least = 0.0 if keep else _LEAST_PROGRESS * abs(progress.best)
    if np.isfinite(loss) and (loss < progress.best - least if np.isfinite(progress.best) else True):
        progress.best, progress.epochs_without = loss, 0
        progress.best_weights = network.copy_weights() if keep else None
        return
    progress.epochs_without += 1
    if progress.epochs_without % max(1, settings.patience // 3) == 0:
        rate = float(network.optimizer.learning_rate)
        network.optimizer.learning_rate = rate / 2


def _warn_of_divergence(epoch: int, learning_rate: float) -> None:
    warnings.warn(
        f"the training diverged in epoch {epoch}: its loss is not a number any more; the best weights before that are "
        f"used. Lower `learning_rate` ({learning_rate:g}), or scale the data.",
        ConvergenceWarning,
        stacklevel=4,
    )


class _KerasCallbacks:
    """Calls Keras callbacks where ``keras.Model.fit`` would; without any, nothing is called."""

    def __init__(self, settings: FitSettings, network: CompiledNetwork, n_rows: int) -> None:
        self._network, self._list = network, None
        self._step = 0
        network.model.stop_training = False
        if settings.callbacks:
            import keras

            self._list = keras.callbacks.CallbackList(
                list(settings.callbacks),
                model=network.model,
                epochs=settings.max_epochs,
                steps=-(-n_rows // settings.batch_size),
                verbose=0,
            )
            self._list.on_train_begin()

    @property
    def stop(self) -> bool:
        """Whether a callback has asked for the end."""
        return bool(self._network.model.stop_training)

    def begin(self, epoch: int) -> None:
        self._step = 0
        if self._list is not None:
            self._list.on_epoch_begin(epoch)

    def train(self, inputs: dict[str, np.ndarray], target: np.ndarray, weight: np.ndarray, divisor: float) -> float:
        """Train on a stack of batches; one by one where somebody watches them."""
        if self._list is None:
            return self._network.train(inputs, target, weight, divisor)
        total = 0.0
        for i in range(len(weight)):
            self._list.on_train_batch_begin(self._step)
            batch = {name: value[i : i + 1] for name, value in inputs.items()}
            loss = self._network.train(batch, target[i : i + 1], weight[i : i + 1], divisor)
            self._list.on_train_batch_end(self._step, {"loss": loss / divisor})
            self._step += 1
            total += loss
        return total

    def finish(self, epoch: int, logs: dict[str, float]) -> None:
        if self._list is not None:
            self._list.on_epoch_end(epoch, logs)

    def end(self) -> None:
        if self._list is not None:
            self._list.on_train_end()
