"""What a model costs: multiply-accumulate operations (MACs) of one prediction."""

from __future__ import annotations

from math import prod

import keras

from .carried_state import CarriedState
from .layers.time_steps import Bias, JoinSteps, Pool, Scale


def macs(model: keras.Model, length: int | None = None) -> int:
    """Count the multiply-accumulate operations of one forward pass over one sequence.

    Matrix products only, which is nearly all of the work: additions of biases, activations and sums over steps are left
    out, and so are embeddings, which are looked up.

    Args:
        model: a model built by this package's factories.
        length: steps in the sequence, where the model takes any number: ``spec.inputs.length`` for the longest. For a
            language model 1 by default.

    Returns:
        Number of MACs for one window of a forecast, one sequence of `length` steps, or one token.

    Raises:
        ValueError: if a layer has weights whose use is not known here, or `length` is needed and not given.

    Example:
        >>> macs(models.build("linear", spec))
        1248
        >>> macs(models.build("lstm", text_spec), length=400)
    """
    if isinstance(model, CarriedState):
        model = model.network
    if length is None:
        length = _own_length(model)
    # One network that reads every target by itself runs once for each of them.
    runs = next((layer.targets for layer in model.layers if layer.name == "split_targets"), 1)
    total, steps = 0, length
    for layer in model.layers:  # in the order in which data pass them
        if isinstance(layer, JoinSteps):
            steps = -(-steps // layer.length)
        total += _of_layer(layer, steps) if layer.weights else 0
    return runs * total


def _own_length(model: keras.Model) -> int:
    """Steps that a model always reads, or 1 for a language model."""
    if isinstance(model.output, dict):
        return 1
    time: int | None = model.inputs[0].shape[1]
    if time is None:
        raise ValueError("`length` is needed: the model reads sequences of any length. Received: length=None")
    return time


def _of_layer(layer: keras.layers.Layer, steps: int) -> int:
    if isinstance(layer, keras.layers.ReversibleEmbedding):  # looked up as a table, multiplied as the head
        return steps * prod(layer.embeddings.shape)
    if isinstance(layer, keras.layers.Embedding | Bias | Scale):
        return 0
    if isinstance(layer, Pool):  # a product for each step: only attention has weights
        return steps * prod(layer.direction.shape)
    if isinstance(layer, keras.layers.Conv1D):  # of an unknown length: causal, as many steps out as in
        return (layer.output.shape[1] or steps) * prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.Dense):
        positions = layer.output.shape[1:-1]  # none, of a vector
        return prod(steps if size is None else size for size in positions) * prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional):
        x = layer.input[0] if isinstance(layer.input, list) else layer.input  # a list: the states, too
        return (x.shape[1] or steps) * _of_step(layer)
    raise ValueError(f"the cost of a {type(layer).__name__} layer is not known. Received: {layer.name!r}")


def _of_step(layer: keras.layers.Layer) -> int:
    return sum(prod(w.shape) for w in layer.weights if w.name.endswith("kernel"))
