"""A network of whole sequences, run one step at a time, its state outside.

Nothing is built a second time: the layers of the trained network are called in their own order, each on a single step.
A layer that looks at one step at a time is called as it is; one with a memory of earlier steps has a function here,
which takes that memory as a state and gives the next one.

    recurrent layers    their own states
    Pool                the mean or the maximum so far; of attention the weighted sum, its weights and the largest score
    JoinSteps           the open segment; what lies behind it moves on when the segment is whole, until then its
                        prediction is made from a state that is not kept
    Segments            the newest values. Segments end at the newest step, so they begin anew at each: what lies behind
                        keeps a state for each of the `length` places where segments can begin, and moves one of them on
    Newest              the newest values, and how many there were
    HashedNgrams        the newest tokens

Not promised: anything for layers that read a sequence from its end, or all of it at once; :class:`NotStepwise` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from ..stream_state import StateShapes
from .layers.dropout import Dropout
from .layers.hashed_ngrams import HashedNgrams
from .layers.segments import Newest, Segments
from .layers.targets import JoinTargets, RepeatTargets, SplitTargets
from .layers.time_steps import Bias, JoinSteps, Masked, Pool, SequenceMask
from .layers.window_statistics import WindowStatistics

# What may be called on a single step as it is.
_ONE_STEP = (
    keras.layers.InputLayer,
    keras.layers.Dense,
    keras.layers.Embedding,
    keras.layers.Dropout,
    keras.layers.Concatenate,
    keras.layers.Identity,
    keras.layers.Reshape,
    keras.layers.Flatten,
    Dropout,
    Bias,
    Masked,
    SequenceMask,
    JoinTargets,
    RepeatTargets,
)
_ONE_STEP_OPERATIONS = ("GetItem", "Add", "Subtract", "Multiply", "TrueDivide", "NotEqual", "Cast")


class NotStepwise(ValueError):
    """The network cannot be run one step at a time; the message says why, as the end of a sentence."""


@dataclass
class _Clock:
    """Which state the layers read now, and whether they keep the next one.

    Attributes:
        rows: rows of a layer's batch for each row of the network's (targets that share one network).
        phases: states kept side by side, of which `phase` (batch,) is read.
        keep: bool (batch,), or None where every step is kept.
    """

    rows: int = 1
    phases: int = 1
    phase: Any = None
    keep: Any = None

    def stored(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape without the batch of what is kept for a layer's state (rows of the layer's batch, *shape)."""
        return (*(n for n in (self.phases, self.rows) if n > 1), *shape)

    def read(self, stored: Any, shape: tuple[int, ...]) -> Any:
        """(batch, *stored) → (batch × rows, *shape)."""
        if self.phases > 1:
            stored = tf.gather(stored, self.phase, axis=1, batch_dims=1)
        return tf.reshape(stored, [-1, *shape]) if self.rows > 1 else stored

    def written(self, stored: Any, new: Any, shape: tuple[int, ...]) -> Any:
        """What is kept after a step."""
        if self.rows > 1:
            new = tf.reshape(new, [-1, self.rows, *shape])
        where = self.keep
        if self.phases > 1:
            here = tf.one_hot(self.phase, self.phases, on_value=True, off_value=False)  # (batch, phases)
            where, new = here & self.keep[:, tf.newaxis], new[:, tf.newaxis]
        if where is None:
            return new
        return tf.where(
            tf.reshape(where, [*tf.unstack(tf.shape(where)), *[1] * (len(stored.shape) - where.shape.rank)]),
            new,
            stored,
        )


class _Walk:
    """One step through the network: the states in the order in which the layers ask for them."""

    def __init__(self, states: list[Any] | None) -> None:
        self.given = states
        self.shapes: list[tuple[tuple[int, ...], str]] = []
        self.after: list[Any] = []
        self.clock = _Clock()
        self.begun: Any = None  # bool (batch,): whether there is anything to predict from

    def state(self, shape: tuple[int, ...], dtype: str = "float32") -> Any:
        """The next state, zeros (1, *shape) while the walk only finds out which there are."""
        self.shapes.append((shape, dtype))
        return tf.zeros([1, *shape], dtype) if self.given is None else self.given[len(self.shapes) - 1]

    def begins(self, rows: Any) -> None:
        """There is something to predict from only in these rows: bool (batch,)."""
        self.begun = rows if self.begun is None else self.begun & rows

    def layer_state(self, shape: tuple[int, ...], dtype: str = "float32") -> tuple[Any, Callable[[Any], None]]:
        """The next state of a layer (rows, *shape), and what to call with the one after it."""
        clock, stored = self.clock, self.state(self.clock.stored(shape), dtype)
        return clock.read(stored, shape), lambda new: self.after.append(clock.written(stored, new, shape))


class Stepwise:
    """A network that takes one step and its states.

    Args:
        network: from (batch, time, ...) to one prediction for each sequence, or for each step.

    Attributes:
        state_shapes: shape without batch and type of each state: ``state_0``, ...; zeros begin a sequence.

    Raises:
        NotStepwise: where a layer reads a sequence from its end, or several steps at once.

    Example:
        >>> step = Stepwise(build("gru", spec, units=8))
        >>> output, states, begun = step({"values": row, "lengths": ones}, states)
    """

    def __init__(self, network: keras.Model) -> None:
        if not any(isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional) for layer in network.layers):
            raise NotStepwise("the network has no recurrent layer: it reads all steps at once")
        self.network = network
        walk = _Walk(None)
        self._run({x.name: _one_blank_step(x) for x in network.inputs}, walk)
        self.state_shapes: StateShapes = {f"state_{i}": found for i, found in enumerate(walk.shapes)}

    def __call__(self, inputs: Mapping[str, Any], states: Mapping[str, Any]) -> tuple[Any, dict[str, Any], Any]:
        """Take a step, as ops that can be traced.

        Args:
            inputs: the network's inputs of a single step, by name: (batch, 1, ...).
            states: of the step before: (batch, ...) by name.

        Returns:
            What the network gives for the sequence so far; the next states; and which rows have a prediction at all,
            bool (batch,), or None for all of them.
        """
        walk = _Walk([states[name] for name in self.state_shapes])
        output = self._run(inputs, walk)
        return output, dict(zip(self.state_shapes, walk.after, strict=True)), walk.begun

    def _run(self, inputs: Mapping[str, Any], walk: _Walk) -> Any:
        def at_one_step(operation: Any) -> Callable[..., Any]:
            handler = next((run for kind, run in _WITH_MEMORY.items() if isinstance(operation, kind)), None)
            if handler is not None:
                return lambda *args, **_: handler(operation, walk, *args)
            if isinstance(operation, keras.Layer):
                known = isinstance(operation, _ONE_STEP)
            else:
                known = type(operation).__name__ in _ONE_STEP_OPERATIONS
            if not known:
                raise NotStepwise(f"its layer {operation.name!r} reads several steps at once")
            return operation

        given = [inputs[x.name] for x in self.network.inputs]
        return self.network._run_through_graph(given, operation_fn=at_one_step)


def _one_blank_step(x: Any) -> Any:
    shape = [1, *x.shape[1:]]
    if x.name in ("values", "tokens"):
        shape[1] = 1
    return tf.ones(shape, x.dtype)


# ---------------------------------------------------------------------------------------------- layers with a memory


def _recurrent(layer: Any, walk: _Walk, x: Any, **_: Any) -> Any:
    """(rows, 1, channels) → (rows, 1, units), or (rows, units) of a layer that gives its last state."""
    sizes = layer.cell.state_size if isinstance(layer.cell.state_size, list | tuple) else [layer.cell.state_size]
    states, put = zip(*(walk.layer_state((size,)) for size in sizes), strict=True)
    h, after = layer.cell(x[:, 0], list(states), training=False)
    for write, new in zip(put, after if isinstance(after, list | tuple) else [after], strict=True):
        write(new)
    return h[:, tf.newaxis] if layer.return_sequences else h


def _both_ways(*_: Any) -> Any:
    raise NotStepwise("it reads every sequence from its end as well (`bidirectional`)")


def _pool(layer: Pool, walk: _Walk, x: Any, _steps: Any) -> Any:
    """(batch, 1, units) → (batch, units)."""
    x = x[:, 0]
    if layer.how == "last":
        return x
    if layer.how == "attention":
        return _attention(layer, walk, x)
    before, put = walk.layer_state((x.shape[-1],))
    seen, put_seen = walk.layer_state((), "int32")
    if layer.how == "max":
        now = tf.where((seen > 0)[:, tf.newaxis], tf.maximum(before, x), x)
    else:
        now = before + (x - before) / tf.cast(seen + 1, x.dtype)[:, tf.newaxis]
    put(now)
    put_seen(seen + 1)
    return now


def _attention(layer: Pool, walk: _Walk, x: Any) -> Any:
    """(batch, units) → (batch, units): the softmax so far, by the largest score so that no power is too large."""
    before, put = walk.layer_state((x.shape[-1],))
    weights, put_weights = walk.layer_state(())
    largest, put_largest = walk.layer_state(())
    score = layer.scores(x)
    now = tf.where(weights > 0, tf.maximum(largest, score), score)
    old, new = tf.exp(largest - now) * tf.cast(weights > 0, x.dtype), tf.exp(score - now)
    total = before * old[:, tf.newaxis] + x * new[:, tf.newaxis]
    put(total)
    put_weights(weights * old + new)
    put_largest(now)
    return total / (weights * old + new)[:, tf.newaxis]


def _join_steps(layer: JoinSteps, walk: _Walk, x: Any, _steps: Any) -> Any:
    """(batch, 1, channels) → (batch, 1, width) of the open segment, and that it is real."""
    width = x.shape[-1] * (layer.length if layer.how == "concatenate" else 1)
    before, put = walk.layer_state((width,))
    place, put_place = walk.layer_state((), "int32")  # steps in the open segment
    if layer.how == "concatenate":
        here = tf.one_hot(place, layer.length, dtype=x.dtype)[:, :, tf.newaxis]  # (batch, length, 1)
        held = before + tf.reshape(here * x, [-1, width])
        segment = held
    else:
        held = before + x[:, 0]
        segment = held / tf.cast(place + 1, x.dtype)[:, tf.newaxis]
    whole = place + 1 == layer.length
    put(tf.where(whole[:, tf.newaxis], tf.zeros_like(held), held))
    put_place(tf.where(whole, 0, place + 1))
    walk.clock = _Clock(walk.clock.rows, keep=whole)
    return segment[:, tf.newaxis], tf.ones_like(segment[:, :1], dtype=tf.bool)


def _segments(layer: Segments, walk: _Walk, x: Any) -> Any:
    """(rows, 1, channels) → (rows, 1, length × channels): the newest values."""
    length, channels = layer.length, x.shape[-1]
    before, put = walk.layer_state((length - 1, channels))
    values = tf.concat([before, x], axis=1)  # (rows, length, channels)
    put(values[:, 1:])
    number = walk.state((), "int32")  # steps before this one; from `length` on only its remainder matters
    walk.after.append(tf.where(number + 1 == 2 * length, length, number + 1))
    whole = number + 1 >= length
    walk.begins(whole)
    walk.clock = _Clock(walk.clock.rows, length, number % length, whole)
    return tf.reshape(values, [-1, 1, length * channels])


def _newest(layer: Newest, walk: _Walk, x: Any) -> Any:
    """(rows, 1, channels) → (rows, length × channels)."""
    length, channels = layer.length, x.shape[-1]
    # beside the segments, not behind them: it moves on with every row, whatever place those are at
    others, walk.clock = walk.clock, _Clock(walk.clock.rows)
    if length > 1:
        before, put = walk.layer_state((length - 1, channels))
        x = tf.concat([before, x], axis=1)  # (rows, length, channels)
        put(x[:, 1:])
    number = walk.state((), "int32")
    walk.after.append(tf.minimum(number + 1, length))
    walk.begins(number + 1 >= length)
    walk.clock = others
    return tf.reshape(x, [-1, length * channels])


def _hashed_ngrams(layer: HashedNgrams, walk: _Walk, tokens: Any) -> Any:
    """(batch, 1) → (batch, 1)."""
    before, put = walk.layer_state((layer.size - 1,), "int32")
    together = tf.concat([before, tokens], axis=1)
    put(together[:, 1:])
    return layer(together)[:, -1:]


def _window_statistics(layer: WindowStatistics, _walk: _Walk, targets: Any) -> Any:
    if layer.method != "none":
        raise NotStepwise(
            f"`window_norm` {layer.method!r} subtracts from every row of a window what only its newest row settles"
        )
    return layer(targets)


def _split_targets(layer: SplitTargets, walk: _Walk, inputs: Any) -> Any:
    walk.clock = _Clock(layer.targets)
    return layer(inputs)


_WITH_MEMORY: dict[type, Callable[..., Any]] = {
    keras.layers.Bidirectional: _both_ways,
    keras.layers.RNN: _recurrent,
    Pool: _pool,
    JoinSteps: _join_steps,
    Segments: _segments,
    Newest: _newest,
    HashedNgrams: _hashed_ngrams,
    WindowStatistics: _window_statistics,
    SplitTargets: _split_targets,
}
