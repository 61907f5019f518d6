"""Networks of forecasters, compiled once for each structure and lent to whoever trains or predicts.

Compiling costs more than a small fit, and memory that TensorFlow never gives back; so estimators hold weights, and what
is compiled stays here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..models import TRAINING_SETTINGS, build, seeded
from ..training import FitOptions, History, Trainer, compiled
from .pool import Pool

if TYPE_CHECKING:
    import keras

    from ..pipelines import WindowBatches
    from ..spec import SequenceSpec

Weights = list[np.ndarray]
# Settings of the training, beside the learning rate, that are compiled into a trainer: epsilon, ema, decay.
Own = tuple[tuple[str, float], ...]
_MOST_IDLE = 16


@dataclass(frozen=True)
class Structure:
    """What tells one network from another, beside its weights.

    Attributes:
        family: its name.
        config: the family's own settings as JSON.
        spec: what goes in and comes out.
    """

    family: str
    config: str
    spec: SequenceSpec

    @classmethod
    def of(cls, family: str, config: dict[str, Any], spec: SequenceSpec) -> Structure:
        """The structure of a configuration; settings of the training are left out."""
        own = {name: value for name, value in config.items() if name not in TRAINING_SETTINGS}
        return cls(family, json.dumps(own, sort_keys=True), spec)

    def build(self) -> keras.Model:
        """A fresh network."""
        return build(self.family, self.spec, **json.loads(self.config))

    def with_weights(self, weights: Weights) -> keras.Model:
        """A network of one's own, with these weights."""
        with seeded(0):
            model = self.build()
        model.set_weights(weights)
        return model


def _trainer(structure: Structure, loss: str, own: Own) -> Trainer:
    return Trainer(structure.build, loss=loss, **dict(own))  # type: ignore[arg-type]


class _Forward:
    """A network whose forward pass is compiled, and the weights that it has at the moment."""

    def __init__(self, structure: Structure) -> None:
        with seeded(0):
            self.model = structure.build()
        self.held: Sequence[np.ndarray] | None = None


_TRAINERS = Pool(_trainer, _MOST_IDLE)
_NETWORKS = Pool(_Forward, _MOST_IDLE)


@dataclass(frozen=True)
class TrainingSettings:
    """How a forecaster's network is trained; see :class:`recurra.training.Trainer`."""

    loss: str
    learning_rate: float
    own: Own
    batch_size: int | None
    max_epochs: int
    patience: int


def train(
    structure: Structure,
    settings: TrainingSettings,
    batches: tuple[WindowBatches, WindowBatches],
    options: FitOptions,
) -> tuple[Weights, History]:
    """Train a network.

    Args:
        structure: of the network.
        settings: of the training.
        batches: what fits the weights, and what stops the training.
        options: seed, first weights, and who watches.

    Returns:
        The weights of the best epoch, and how the training went.
    """
    with _TRAINERS.borrow(structure, settings.loss, settings.own) as trainer:
        trainer.learning_rate, trainer.batch_size = settings.learning_rate, settings.batch_size
        trainer.max_epochs, trainer.patience = settings.max_epochs, settings.patience
        history = trainer.fit(*batches, options)
        if trainer.model is None:
            raise RuntimeError("a trainer that has trained has a model")
        return trainer.model.get_weights(), history


@contextmanager
def network(structure: Structure, weights: Weights) -> Iterator[keras.Model]:
    """A compiled network with these weights, until the block ends.

    Args:
        structure: of the network.
        weights: the same list again costs nothing.
    """
    with _NETWORKS.borrow(structure) as forward:
        if forward.held is not weights:
            forward.model.set_weights(weights)
            forward.held = weights
        yield forward.model


def forward_of(model: keras.Model) -> Callable[..., Any]:
    """The compiled forward pass, called as the network itself is; an array, whose scale numpy puts back sooner."""
    return lambda inputs, training=False: compiled(model)(inputs).numpy()  # noqa: ARG005  (never training)
