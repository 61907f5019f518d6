"""One observation and the states before it → the prediction after it and the states then, as a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..stream_state import StateShapes

if TYPE_CHECKING:
    import tensorflow as tf

    from ..models.stepwise import Stepwise

STATE = "state_"


class Step(Protocol):
    """What moves a stream on. Zeros begin it; states go in and come out by the same names.

    Attributes:
        state_shapes: shape without batch and type of each state, by name.
        first: observations read before the first prediction, that one included.
        note: what a reader of its predictions should know.
        complete: whether rows of numbers must have a value in every channel.
    """

    @property
    def state_shapes(self) -> StateShapes: ...

    @property
    def first(self) -> int: ...

    @property
    def note(self) -> str: ...

    @property
    def complete(self) -> bool: ...

    def __call__(self, inputs: dict[str, Any]) -> Mapping[str, Any]:
        """Inputs of an observation and the states (batch, ...) → outputs and the next states."""


class ExportableStep(Step, Protocol):
    """A step that is not a SavedModel's yet, and can become one's signature."""

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of the inputs, states included."""

    def trace(self, inputs: dict[str, Any]) -> Mapping[str, Any]:
        """The step as ops of the graph that is being traced."""


@dataclass(frozen=True, eq=False)
class GraphStep:
    """A step made of graph ops.

    Attributes:
        trace: inputs → outputs and the next states.
        observation: names, types and shapes of an observation's inputs, without the states.
        state_shapes, first, note, complete: see :class:`Step`.
    """

    trace: Callable[[dict[str, Any]], Mapping[str, Any]]
    observation: dict[str, tf.TensorSpec]
    state_shapes: StateShapes
    first: int
    note: str
    complete: bool = False

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of the inputs, states included."""
        return self.observation | state_specs(self.state_shapes)

    def __call__(self, inputs: dict[str, Any]) -> Mapping[str, Any]:
        """Compiled once."""
        return self._compiled({name: inputs[name] for name in self.signature()})

    @cached_property
    def _compiled(self) -> Callable[[dict[str, Any]], Mapping[str, Any]]:
        import tensorflow as tf

        return tf.function(self.trace, input_signature=[self.signature()], autograph=False)


def state_specs(shapes: StateShapes) -> dict[str, tf.TensorSpec]:
    """States as inputs of a signature."""
    import tensorflow as tf

    return {name: tf.TensorSpec([None, *shape], dtype, name=name) for name, (shape, dtype) in shapes.items()}


class RowsRead:
    """What every stream of rows of numbers has in common: gaps, and rows before the stream has begun.

    Args:
        stepwise: the network.
        channels: of a raw row.
        rule: for missing values, see :func:`recurra.pipelines.fill.fill_row`.
        dtype: of a row.
    """

    def __init__(self, stepwise: Stepwise, channels: int, rule: str, dtype: str = "float32") -> None:
        self.stepwise, self.rule = stepwise, rule
        self.own: StateShapes = {}
        if rule == "ffill":
            self.own = {"state_row": ((channels,), dtype), "state_begun": ((), "int32")}
        self.state_shapes: StateShapes = {**self.own, **stepwise.state_shapes}

    def __call__(
        self, row: Any, inputs: dict[str, Any], ready: Callable[[Any], dict[str, Any]]
    ) -> tuple[Any, dict[str, Any], Any]:
        """Take a step.

        Args:
            row: scaled channels (batch, channels), NaN where missing.
            inputs: the states.
            ready: a filled row (batch, 1, channels) → all inputs of the network.

        Returns:
            The network's output, the next states, and which rows have a prediction: bool (batch,).
        """
        import tensorflow as tf

        from ..pipelines.fill import fill_row

        before = inputs["state_row"] if self.own else row
        begun = inputs["state_begun"] > 0 if self.own else tf.ones_like(row[:, 0], tf.bool)
        filled, begun = fill_row(row, before, begun, rule=self.rule)
        if self.own:  # a row that is passed over must not poison what is thrown away behind it
            filled = tf.where(begun[:, tf.newaxis], filled, tf.zeros_like(filled))
        states = {name: inputs[name] for name in self.stepwise.state_shapes}
        output, after, some = self.stepwise(ready(filled[:, tf.newaxis]), states)
        if self.own:
            after = {name: _where(begun, new, states[name]) for name, new in after.items()}
            after |= {"state_row": filled, "state_begun": tf.cast(begun, tf.int32)}
        return output, after, begun if some is None else begun & some


def _where(rows: Any, this: Any, that: Any) -> Any:
    """Rows of one tensor or the other: bool (batch,), (batch, ...) twice → (batch, ...)."""
    import tensorflow as tf

    shape = tf.concat([tf.shape(rows), tf.ones([len(this.shape) - 1], tf.int32)], axis=0)
    return tf.where(tf.reshape(rows, shape), this, that)


def hide(outputs: Mapping[str, Any], known: Any) -> dict[str, Any]:
    """NaN, or an empty string, where there is no prediction yet: outputs by name, bool (batch,) → the same outputs."""
    import tensorflow as tf

    def nothing(dtype: tf.DType) -> tf.Tensor:
        return tf.constant("") if dtype == tf.string else tf.constant(np.nan, dtype)

    return {name: _where(known, output, nothing(output.dtype)) for name, output in outputs.items()}
