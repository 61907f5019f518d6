"""How a training runs, and how it went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ..seeds import check_seed


@dataclass
class History:
    """How a training went.

    Attributes:
        best_epoch: epoch, counted from 1, whose weights the model has now.
        best_loss: its validation loss, in scaled units (squared errors and Huber's of many series in units of each
            window's spread) or nats.
        losses: validation loss after each epoch.
        seconds: wall-clock time, over all runs where it was resumed, and over all learning rates that were tried.
        stopped_by: "patience", "budget", "max_epochs", "callback", "target": the loss that was asked for, or "halving":
            it was told to pause, see ``FitOptions.until``.
        learning_rate: Adam's first one, given or found.
        rates: where it was found, each rate that was tried with its ``epochs``, its best ``loss`` (None: never finite),
            and what it was ``stopped_by``, which says "max_epochs" of one that lost a round.
    """

    best_epoch: int = 0
    best_loss: float = float("inf")
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    stopped_by: str = "max_epochs"
    learning_rate: float = float("nan")
    rates: list[dict[str, Any]] = field(default_factory=list)

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
        until: epoch at which the training pauses; it goes on from its checkpoint.
        weights: where the training goes on from, in place of first weights drawn from the seed.
        callbacks: Keras callbacks, called after the state has been judged; they find ``val_loss`` in their logs.
        followed: validation losses of an earlier training, which this one follows in place of measuring its own: see
            :meth:`Trainer.refit`.
    """

    seed: int = 0
    budget: float = float("inf")
    checkpoint: Path | None = None
    on_epoch: Callable[[int, float], bool | None] = lambda *_: None
    until: int | None = None
    weights: Sequence[np.ndarray] | None = None
    callbacks: tuple[keras.callbacks.Callback, ...] = ()
    followed: Sequence[float] = ()

    def __post_init__(self) -> None:
        check_seed(self.seed)
