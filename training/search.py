"""The trainings of several learning rates, until one is left."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from keras import ops

from .halving import find
from .history import FitOptions
from .learning_rates import CANDIDATES
from .state import Judge, TrainingState


def search(
    model: keras.Model,
    judge: Judge,
    options: FitOptions,
    ends: Sequence[int],
    run: Callable[[TrainingState, int], None],
) -> TrainingState:
    """Train the candidates, each from the first weights, until one is left: its training, ready to go on.

    Each keeps its state in a file of its own beside the checkpoint. After a kill the search begins anew and finds there
    what is done, so it decides as an unbroken one.
    """
    variables = [*model.variables, *model.optimizer.variables]
    first = [ops.convert_to_numpy(v) for v in variables]
    states: dict[float, TrainingState] = {}

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = options.checkpoint or Path(folder) / "checkpoint.npz"

        def state_of(rate: float) -> TrainingState:
            for variable, value in zip(variables, first, strict=True):
                variable.assign(value)
            model.optimizer.learning_rate = rate
            others = sum(state.history.seconds for r, state in states.items() if r != rate)
            file = checkpoint.with_name(f"{checkpoint.stem}.rate-{rate:g}.npz")
            own = replace(options, checkpoint=file, budget=options.budget - others)
            return TrainingState(model, judge, own, rate)

        def train(rate: float, end: int) -> tuple[list[float], bool]:
            state = states[rate] = state_of(rate)
            run(state, end)
            state.write(at_once=True)  # the next round goes on from there
            return state.history.losses, state.told_to_end or judge.reached(state.history.best_loss)

        best, losses = find(train, ends, CANDIDATES)
        winner = state_of(best)
        _take_over(winner, states, losses, best)
        winner.options = options
        winner.write(at_once=True)
        for state in states.values():
            if state.options.checkpoint is not None:
                state.options.checkpoint.unlink()
    return winner


def _take_over(
    winner: TrainingState, states: Mapping[float, TrainingState], losses: Mapping[float, Sequence[float]], best: float
) -> None:
    """Give the training that goes on the history and the price of all that were begun."""
    winner.history.rates = [
        {
            "learning_rate": rate,
            "epochs": len(losses[rate]),
            "loss": min(losses[rate]) if np.isfinite(losses[rate]).any() else None,
            "stopped_by": states[rate].history.stopped_by,
        }
        for rate in sorted(losses)
    ]
    last = next((state for state in states.values() if state.told_to_end), states[best])
    winner.told_to_end, winner.history.stopped_by = last.told_to_end, last.history.stopped_by
    winner.history.seconds = winner.spent = sum(state.history.seconds for state in states.values())
