"""Influence by lag: how much what was read k steps ago still moves the prediction, through the gradient.

The vanishing gradient, measured on the user's model and data: I_k = mean over windows and outputs of
‖∂ŷ/∂x_{t-k}‖², in scaled units, where lag 1 is the newest value read. Squares are summed, never absolute values:
small weights of noise at many lags add up, and would hide the few that matter.

Source: Hochreiter (1991); Bengio, Simard & Frasconi (1994); Pascanu, Mikolov & Bengio (2013).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..models.layers.time_steps import JoinSteps
from ..models.layers.window_statistics import WindowStatistics
from ..models.recurrent import portable
from .examples import BATCH, Examples, Inputs, in_batches

if TYPE_CHECKING:
    import keras

# The share of all influence that the horizon has to hold.
SHARE = 0.95
# Outputs up to which each is differentiated by itself; of more, sums with random signs have the same mean square.
_EACH, _DRAWS = 6, 4
_GRADIENT_EXAMPLES = 512


def influence_by_lag(network: keras.Model, examples: Examples) -> np.ndarray | None:
    """Share of the influence that each lag has.

    Args:
        network: trained, or with its first weights.
        examples: what it reads.

    Returns:
        Shares (lags,), the newest step first, with the sum 1; None where no gradient reaches the inputs (a table that
        is looked up has none, unless it is an embedding that the network learnt).
    """
    some = examples.spread(_GRADIENT_EXAMPLES)
    entry = _entry(network, some)
    if entry is None:
        return None
    function, inputs = entry
    squares = _squared_gradients(function, inputs, some)
    total = squares.sum()
    return squares / total if total > 0 else None


def horizon(shares: np.ndarray | None, share: float = SHARE) -> int | None:
    """Least number of newest steps that hold `share` of the influence.

    Example:
        >>> horizon(np.array([0.5, 0.46, 0.04]))
        2
    """
    if shares is None:
        return None
    return int(np.searchsorted(np.cumsum(shares), share - 1e-9)) + 1


def with_fixed_statistics(network: keras.Model) -> keras.Model | None:
    """The same network, its window's level and scale held fixed in gradients; None where it has none.

    Level and scale of the whole window (`window_norm`) are a path of every lag to the output that needs no memory.
    """
    import keras

    if not any(isinstance(layer, WindowStatistics) and layer.method != "none" for layer in network.layers):
        return None

    class Fixed(WindowStatistics):
        def call(self, targets: Any) -> tuple[Any, Any]:
            level, scale = super().call(targets)
            return keras.ops.stop_gradient(level), keras.ops.stop_gradient(scale)

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, WindowStatistics):
            return Fixed(layer.method, name=layer.name)
        return layer.__class__.from_config(layer.get_config())

    fixed = keras.models.clone_model(network, clone_function=clone)
    fixed.set_weights(network.get_weights())
    return fixed


def inside_layers(network: keras.Model, examples: Examples) -> list[dict[str, Any]]:
    """Influence inside each recurrent layer: of its inputs on its last state, whatever else the network does.

    Pooling, both reading directions, segments and window statistics reach back by other ways; this is memory proper.

    Returns:
        For each recurrent layer ``layer``, ``steps`` (that it reads), ``steps_per_segment`` (of the data, in one of
        its steps), ``influence`` (shares by its own lags) and ``horizon_gradient`` (in its own steps).
    """
    import tensorflow as tf

    some = examples.spread(_GRADIENT_EXAMPLES)
    rows = []
    for layer, x, segment in layer_inputs(network, some):
        runs = len(x) // len(some)
        lengths = np.repeat(-(-some.lengths // segment), runs)

        def last_state(inputs: Inputs, layer: Any = layer) -> Any:
            y = layer(inputs["x"])
            y = y[0] if isinstance(y, list | tuple) else y
            return y if len(y.shape) == 2 else tf.gather(y, inputs["last"], batch_dims=1)

        inputs = {"x": x, "last": (lengths - 1).astype("int32")}
        squares = _by_lag(_gradient_squares(last_state, inputs, "x"), lengths)
        shares = squares / squares.sum() if squares.sum() > 0 else squares
        rows.append(
            {
                "layer": layer.name,
                "steps": int(x.shape[1]),
                "steps_per_segment": segment,
                "influence": shares,
                "horizon_gradient": horizon(shares) if squares.sum() > 0 else None,
            }
        )
    return rows


def layer_inputs(network: keras.Model, examples: Examples) -> list[tuple[Any, np.ndarray, int]]:
    """Recurrent layers, what each reads (rows, steps, channels), and the steps of the data in one of its own."""
    import keras

    found, segment = [], 1
    names = [t.name for t in network.inputs]
    for layer in network.layers:
        if isinstance(layer, JoinSteps):
            segment = layer.length
        if not isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional):
            continue
        source = layer.input[0] if isinstance(layer.input, list | tuple) else layer.input
        below = keras.Model(network.inputs, source)
        given = {name: examples.inputs[name] for name in names}
        x = in_batches(lambda some, below=below: below([some[n] for n in names], training=False), given)  # type: ignore[misc]
        if segment == 1 and examples.lengths.min() == examples.longest:
            segment = max(1, examples.longest // x.shape[1])
        found.append((layer, x, segment))
    return found


def _entry(network: keras.Model, examples: Examples) -> tuple[Callable[[Inputs], Any], Inputs] | None:
    """The network from where a gradient makes sense: its values, or the vectors of its tokens."""
    import keras

    def output(result: Any) -> Any:
        return result["logits"] if isinstance(result, dict) else result

    if examples.time_input == "values":
        return lambda inputs: output(network(inputs, training=False)), examples.inputs
    tables = [layer for layer in network.layers if isinstance(layer, keras.layers.Embedding)]
    tables = [layer for layer in tables if layer.input is network_input(network, "tokens")]
    if not tables:
        return None
    # several stand side by side: see `second_embedding`
    entry = tables[0] if len(tables) == 1 else network.get_layer("channels")
    names = [t.name for t in network.inputs]
    above = keras.Model([entry.output, *network.inputs], network.output)
    vectors = np.concatenate([np.asarray(table(examples.steps)) for table in tables], axis=-1)

    def function(inputs: Inputs) -> Any:
        return output(above([inputs["entry"], *(inputs[name] for name in names)], training=False))

    return function, {"entry": vectors, **examples.inputs}


def network_input(network: keras.Model, name: str) -> Any:
    """An input of a network by its name."""
    return next((t for t in network.inputs if t.name == name), None)


def _squared_gradients(function: Callable[[Inputs], Any], inputs: Inputs, examples: Examples) -> np.ndarray:
    name = "entry" if "entry" in inputs else "values"
    per_step = len(function({k: v[:1] for k, v in inputs.items()}).shape) == 3 and examples.metric != "mase"
    last = (examples.lengths - 1).astype("int32")

    def of_last(given: Inputs) -> Any:
        import tensorflow as tf

        outputs = function({k: v for k, v in given.items() if k != "last"})
        return tf.gather(outputs, given["last"], batch_dims=1) if per_step else outputs

    return _by_lag(_gradient_squares(of_last, {**inputs, "last": last}, name), examples.lengths)


def _gradient_squares(function: Callable[[Inputs], Any], inputs: Inputs, name: str) -> np.ndarray:
    """Σ over outputs of the squared gradient at each step: (rows, time).

    Of many outputs, sums with random signs are differentiated: E‖∂(s·ŷ)/∂x‖² = Σ_j ‖∂ŷ_j/∂x‖² (Hutchinson 1989).
    """
    import tensorflow as tf

    outputs = int(np.prod(function({k: tf.constant(v[:1]) for k, v in inputs.items()}).shape[1:]))
    each = outputs <= _EACH
    draws = outputs if each else _DRAWS
    random = np.random.default_rng(0)

    def graph(given: dict[str, Any], signs: Any) -> Any:
        x = given[name]
        with portable(), tf.GradientTape() as tape:
            tape.watch(x)
            y = function({**given, name: x})
            weighted = tf.reduce_sum(tf.reshape(y, [tf.shape(y)[0], -1]) * tf.cast(signs, y.dtype))
        gradient = tape.gradient(weighted, x)
        return tf.reduce_sum(tf.square(tf.convert_to_tensor(gradient)), axis=2)

    def spec(array: np.ndarray) -> tf.TensorSpec:
        return tf.TensorSpec((BATCH, *array.shape[1:]), array.dtype)

    # one graph of one shape: a function that is called with the network's own would be traced for each network
    signature = ({k: spec(v) for k, v in inputs.items()}, tf.TensorSpec((BATCH, outputs), tf.float32))
    concrete = tf.function(graph, autograph=False).get_concrete_function(*signature)
    total = np.zeros(inputs[name].shape[:2])
    for draw in range(draws):

        def one(some: Inputs, draw: int = draw) -> Any:
            if each:
                signs = np.zeros((BATCH, outputs), "float32")
                signs[:, draw] = 1
            else:
                signs = random.choice(np.array([-1, 1], "float32"), size=(BATCH, outputs))
            return concrete({k: tf.constant(v) for k, v in some.items()}, tf.constant(signs))

        total = total + in_batches(one, inputs)
    return total


def _by_lag(squares: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(rows, time), real steps of each row → the mean over rows by lag, the newest step first (lags,)."""
    longest = int(lengths.max())
    total = np.zeros(longest)
    for lag in range(1, longest + 1):
        there = lengths >= lag
        total[lag - 1] = squares[np.flatnonzero(there), lengths[there] - lag].sum()
    return total / len(lengths)
