"""How long to train, by cross-validation: where few examples are held out, chance would decide when to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keras

from .state import Judge, TrainingState, averaged_weights, finite

if TYPE_CHECKING:
    import tensorflow as tf

# Runs one epoch of the model on batches: (batches, epoch).
RunEpoch = Callable[[Any, int], None]


@dataclass
class Turn:
    """One of several trainings that share a compiled model, and go on by turns.

    Attributes:
        batches: an iterator over what it learns from.
        judge: knows what it has not learnt from.
        values: of the variables of model and optimizer, while another one has its turn; empty before the first.
    """

    batches: Any
    judge: Judge
    values: list[tf.Tensor] = field(default_factory=list)


def train_by_turns(
    model: keras.Model, turns: Sequence[Turn], state: TrainingState, losses: list[float], run: RunEpoch, epochs: int
) -> None:
    """Train several times, an epoch by turns, until their validation losses, taken together, say that it is enough.

    All have the same learning rate, which falls, and the same end, as one training would have by its own loss.

    Args:
        model: compiled, with first weights and an optimizer without a past.
        turns: the trainings.
        state: judges the losses; its options follow `losses`.
        losses: gets the joint loss of every epoch.
        run: trains an epoch.
        epochs: the most.

    Source: Stone 1974: what is chosen is chosen on examples that were not learnt from, each in its turn.
    """
    read, write = _exchange(model)
    for turn in turns:
        turn.values = read()
    while state.epoch < epochs and not state.over and not state.told_to_end:
        total = count = 0.0
        for turn in turns:
            write(turn.values)
            run(turn.batches, state.epoch)
            with averaged_weights(model):
                sums = turn.judge.sums(model)
            turn.values = read()
            total, count = total + sums[0], count + sums[1]
        losses.append(finite(total / count))
        state.on_epoch_end(state.epoch)
        state.on_train_batch_end(0)  # looks at the budget


def _exchange(model: keras.Model) -> tuple[Callable[[], list[tf.Tensor]], Callable[[list[tf.Tensor]], None]]:
    """Read and write what tells the trainings apart, each in one call; the learning rate is that of all."""
    import tensorflow as tf

    rate = model.optimizer.learning_rate
    variables = [variable for variable in [*model.variables, *model.optimizer.variables] if variable is not rate]

    def read() -> list[tf.Tensor]:
        return [tf.identity(variable) for variable in variables]

    def write(values: list[tf.Tensor]) -> None:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    return tf.function(read, autograph=False), tf.function(write, autograph=False)
