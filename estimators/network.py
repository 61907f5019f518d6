"""Compiled networks, shared by all fits of the same structure: compiling costs more than a small fit, and memory that
TensorFlow never gives back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ..models.recurrent import portable
from ..training import Elementwise
from .pool import Pool
from .structure import network_of

Weights = list[np.ndarray]
Inputs = dict[str, np.ndarray]
_CLIPNORM = 1.0  # as in training/trainer.py
_MOST_IDLE = 32


class CompiledNetwork:
    """A network, its training step and its prediction, each compiled once.

    Args:
        structure: from :func:`recurra.estimators.structure.structure_of`.
        loss: "crossentropy", "mse", "mae" or "huber".

    One thread at a time: borrow it from :data:`POOL`.
    """

    def __init__(self, structure: str, loss: str) -> None:
        self.model = network_of(structure)
        self.loss = Elementwise(loss)
        self.optimizer = keras.optimizers.Adam(global_clipnorm=_CLIPNORM)
        self.model.compile(self.optimizer, self.loss)
        self.optimizer.epsilon = tf.Variable(self.optimizer.epsilon, trainable=False)  # fits differ, the graph does not
        self.optimizer.build(self.model.trainable_variables)
        self._structure = structure
        self._twins: dict[str, _Twin] = {}
        self._compiled: dict[Any, Any] = {}

    # ------------------------------------------------------------------------------------------------ training

    def start(self, weights: Weights, learning_rate: float, epsilon: float, optimizer: Weights | None = None) -> None:
        """Begin a fit with these weights, and with an optimizer without a past or with that of an earlier fit."""
        self.set_weights(weights)
        self.optimizer.epsilon.assign(epsilon)
        for i, variable in enumerate(self.optimizer.variables):
            variable.assign(ops.zeros_like(variable) if optimizer is None else optimizer[i])
        if optimizer is None:
            self.optimizer.learning_rate = learning_rate

    def copy_weights(self) -> Weights:
        """A copy of all weights and states."""
        return [variable.numpy().copy() for variable in self.model.variables]

    def set_weights(self, values: Weights) -> None:
        """Put all weights and states in."""
        for variable, value in zip(self.model.variables, values, strict=True):
            variable.assign(value)

    @property
    def optimizer_state(self) -> Weights:
        """A copy of what Adam remembers."""
        return [np.array(variable) for variable in self.optimizer.variables]

    def train(self, inputs: Inputs, target: np.ndarray, weight: np.ndarray, divisor: float) -> float:
        """Train on batches, one after another.

        Args:
            inputs: by name (batches, batch, ...).
            target: (batches, batch) classes or (batches, batch, values).
            weight: (batches, batch), 0 at rows that only fill a batch up.
            divisor: by what the weighted sum of a batch's losses is divided.

        Returns:
            The weighted sum of all losses, each before the step that it led to.
        """
        train = self._function(self._train, inputs, target, weight, np.float32(divisor))
        return float(train(inputs, target, weight, np.float32(divisor)))

    def evaluate(self, inputs: Inputs, target: np.ndarray, weight: np.ndarray) -> float:
        """The weighted sum of the losses of batches, shaped as for :meth:`train`."""
        losses = self._function(self._evaluate, inputs, target, weight)
        return float(losses(inputs, target, weight))

    def _train(self, inputs: Any, target: Any, weight: Any, divisor: Any) -> Any:
        variables = self.model.trainable_variables

        def step(batch: Any, target: Any, weight: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = self._weighted(self.model(batch, training=True), target, weight)
                scaled = loss / divisor
            self.optimizer.apply(tape.gradient(scaled, [variable.value for variable in variables]), variables)
            return loss

        return _sum_over_batches(step, inputs, target, weight)

    def _evaluate(self, inputs: Any, target: Any, weight: Any) -> Any:
        def losses(batch: Any, target: Any, weight: Any) -> Any:
            with portable(False):
                return self._weighted(self.model(batch, training=False), target, weight)

        return _sum_over_batches(losses, inputs, target, weight)

    def _weighted(self, outputs: Any, target: Any, weight: Any) -> Any:
        losses = self.loss.call(target, outputs)
        if losses.shape.rank > 1:  # several values for each row count as one
            losses = tf.reduce_mean(losses, axis=1)
        return tf.reduce_sum(losses * weight)

    def _function(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """A function as a graph that takes any number of batches of any width; the size of a batch is its own."""
        key = (function.__name__, *(np.shape(a)[1] for a in arguments[1:2]))
        if key not in self._compiled:
            self._compiled[key] = _graph(function, [_specs(argument, batched=True) for argument in arguments])
        return self._compiled[key]

    # ------------------------------------------------------------------------------------------------ prediction

    def predict(self, weights: Weights, inputs: Inputs, *, dtype: str) -> np.ndarray:
        """What a network with these weights gives: logits or scaled values (batch, outputs).

        Args:
            weights: of the network; the same list is put in only once.
            inputs: by name (batch, ...).
            dtype: precision of the network, and of the values among the inputs.
        """
        if dtype not in self._twins:
            self._twins[dtype] = _Twin(network_of(self._structure, dtype=dtype))
        return self._twins[dtype].predict(weights, inputs)


class _Twin:
    """A network of the same structure, in some precision, that is never trained."""

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._held: Weights | None = None
        self._forward: Any = None

    def predict(self, weights: Weights, inputs: Inputs) -> np.ndarray:
        if self._held is not weights:
            for variable, value in zip(self._model.variables, weights, strict=True):
                variable.assign(value)
            self._held = weights
        self._forward = self._forward or _graph(self._predict, [_specs(inputs, batched=False)])
        return self._forward(inputs).numpy()

    def _predict(self, inputs: Any) -> Any:
        with portable(False):  # the loop that is compiled for this machine
            return self._model(inputs, training=False)


def _graph(function: Callable[..., Any], signature: list[Any]) -> Any:
    made = tf.function(function, input_signature=signature, autograph=False)
    # One trace each, but TensorFlow counts those of all networks together and would warn of too many.
    made._omit_frequent_tracing_warning = True
    return made


def _sum_over_batches(function: Callable[..., Any], inputs: Any, target: Any, weight: Any) -> Any:
    """The sum of what a function of (inputs, target, weight) gives for each batch of a stack, one after another."""
    n = tf.shape(weight)[0]

    def body(i: Any, total: Any) -> tuple[Any, Any]:
        return i + 1, total + function({name: value[i] for name, value in inputs.items()}, target[i], weight[i])

    start = (tf.constant(0), tf.constant(0.0))
    return tf.while_loop(lambda i, _: i < n, body, start, parallel_iterations=1)[1]


POOL = Pool(CompiledNetwork, _MOST_IDLE)


def _specs(arguments: Any, batched: bool) -> Any:
    """Types of arrays: the number of batches (or of rows) and of steps vary, everything else is fixed."""
    if isinstance(arguments, dict):
        return {name: _spec(array, time=1 + batched, varies=name != "lengths") for name, array in arguments.items()}
    return _spec(arguments, time=-1, varies=False)


def _spec(array: Any, *, time: int, varies: bool) -> tf.TensorSpec:
    shape = [None if axis == 0 or (varies and axis == time) else size for axis, size in enumerate(np.shape(array))]
    return tf.TensorSpec(shape, np.asarray(array).dtype)


def first_weights(build: Callable[[], keras.Model], seed: int) -> tuple[keras.Model, Weights]:
    """A fresh network and the weights that a seed gives it."""
    from ..models import seeded

    with seeded(seed):
        model = build()
    return model, [variable.numpy() for variable in model.variables]
