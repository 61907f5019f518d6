"""What memory costs: parameters by part, multiply-adds, memory, seconds, and how they grow with what is read."""

from __future__ import annotations

import time
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..models import build, macs
from ..spec import SequenceSpec, TokensInput
from ..training import compiled
from .examples import Examples

if TYPE_CHECKING:
    import keras

_FLOAT = 4  # bytes
_TIMED_RUNS = 5
_BATCH = 32
# A training step goes forward once and back with twice the products: gradients of inputs and of weights.
_TRAINING = 3
# Values that backpropagation needs of a unit and step: gates, cell and hidden state; of other cells the states alone.
_KEPT = {"LSTM": 6, "GRU": 5, "SimpleRNN": 1}


def cost_of(network: keras.Model, spec: SequenceSpec, examples: Examples) -> dict[str, Any]:
    """The price of a network, as it stands in the JSON of ``inspect``.

    Args:
        network: trained.
        spec: what it takes in and gives out.
        examples: real inputs, to measure the time of a prediction.

    Returns:
        ``parameters`` (``total``, ``parts`` by layer), ``multiply_adds`` of one prediction and
        ``multiply_adds_training_step`` of a batch, ``input_volume`` (features × steps × batch),
        ``activation_bytes`` of a training batch, ``seconds`` (``predicted``, ``measured`` of one prediction in
        batches), ``dense_window`` (parameters and multiply-adds of a dense network that sees as far), ``growth`` with
        the steps read.
    """
    length = spec.inputs.length if examples.metric != "cross_entropy" else 1
    total = macs(network, None if examples.metric in ("mase", "cross_entropy") else length)
    features = 1 if isinstance(spec.inputs, TokensInput) else spec.inputs.channels
    return {
        "parameters": {"total": int(network.count_params()), "parts": _parts(network)},
        "multiply_adds": int(total),
        "multiply_adds_training_step": int(_TRAINING * total * _BATCH),
        "batch": _BATCH,
        "input_volume": int(features * length * _BATCH),
        "activation_bytes": _activation_bytes(network, length),
        "seconds": _seconds(network, examples, total),
        "dense_window": _dense(spec),
        "growth": _growth(network, spec, total, length),
    }


def _parts(network: keras.Model) -> dict[str, int]:
    """Parameters by layer, those without any left out."""
    return {layer.name: int(layer.count_params()) for layer in network.layers if layer.count_params()}


def _activation_bytes(network: keras.Model, length: int) -> int:
    """What backpropagation through time keeps of a training batch."""
    import keras

    numbers = 0
    for layer in network.layers:
        outputs = layer.output if isinstance(layer.output, list | tuple) else [layer.output]
        size = max(prod(length if n is None else n for n in getattr(t, "shape", (0, 0))[1:]) for t in outputs)
        if isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional):
            own = layer.forward_layer if isinstance(layer, keras.layers.Bidirectional) else layer
            read = layer.input[0] if isinstance(layer.input, list | tuple) else layer.input
            size = (read.shape[1] or length) * own.units * _KEPT.get(type(own).__name__, len(own.state_size))
            size *= 2 if isinstance(layer, keras.layers.Bidirectional) else 1
        numbers += size
    return int(numbers * _FLOAT * _BATCH)


def _seconds(network: keras.Model, examples: Examples, total: int) -> dict[str, float]:
    """Seconds of one prediction in batches of 256: by the speed of a matrix product here, and by the clock."""
    import tensorflow as tf

    rows = np.arange(256) % len(examples)
    inputs = {name: tf.constant(array[rows]) for name, array in examples.inputs.items()}
    forward = compiled(network)

    def run() -> Any:
        outputs = forward(inputs)
        return outputs["logits"] if isinstance(outputs, dict) else outputs

    measured = _fastest(lambda: run().numpy()) / len(rows)
    a, b = tf.random.stateless_uniform((256, 256), (0, 1)), tf.random.stateless_uniform((256, 256), (0, 2))
    product = tf.function(lambda: tf.linalg.matmul(a, b), autograph=False)
    speed = 256**3 / _fastest(lambda: product().numpy())
    return {"predicted": total / speed, "measured": measured}


def _fastest(function: Any) -> float:
    function()
    seconds = []
    for _ in range(_TIMED_RUNS):
        begun = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def _dense(spec: SequenceSpec) -> dict[str, Any] | None:
    """A dense network with the defaults that reads the same window."""
    try:
        network = build("dense", spec)
    except (InputError, ValueError):
        return None
    length = spec.inputs.length
    return {"parameters": int(network.count_params()), "multiply_adds": int(macs(network, length)), "reads": length}


def _growth(network: keras.Model, spec: SequenceSpec, total: int, length: int) -> list[dict[str, Any]]:
    """The same for half, twice and four times the steps: a recurrence repeats its weights, a window needs more."""
    from dataclasses import replace

    rows = []
    for factor in (0.5, 1.0, 2.0, 4.0):
        steps = max(1, round(length * factor))
        other = replace(spec, inputs=replace(spec.inputs, length=steps))
        dense = _dense(other) if spec.kind != "next_token" else None
        rows.append(
            {
                "steps": steps,
                "parameters": int(network.count_params()),
                "multiply_adds": round(total * steps / max(length, 1)),
                "dense_parameters": dense and dense["parameters"],
                "dense_multiply_adds": dense and dense["multiply_adds"],
            }
        )
    return rows
