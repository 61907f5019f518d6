"""Forecasts after every new row: with a state that has read all of them, or from the last rows read anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..pipelines import SeriesPipeline
from ..pipelines.protocol import Tensors
from .step import GraphStep, RowsRead, hide

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def observation(pipeline: SeriesPipeline) -> dict[str, tf.TensorSpec]:
    """A row in place of a window: the other inputs keep their names."""
    import tensorflow as tf

    whole = pipeline.signature()
    specs = {"values": tf.TensorSpec([None, whole["values"].shape[-1]], whole["values"].dtype, name="values")}
    if "future" in whole:
        specs["future"] = whole["future"]
    if "time" in whole:  # of this row and of the steps ahead
        specs["time"] = tf.TensorSpec([None, 1 + pipeline.horizon], tf.int64, name="time")
    return specs


def recurrent_step(pipeline: SeriesPipeline, network: keras.Model, restored: Callable[[Any], Tensors]) -> GraphStep:
    """A step that costs the same however many rows were read.

    Args:
        pipeline: fitted on training rows.
        network: reads what the pipeline gives.
        restored: scaled forecasts → outputs in the user's units.

    Raises:
        NotStepwise: where the network reads a window as a whole.
    """
    from ..models.layers.segments import Newest, Segments
    from ..models.stepwise import Stepwise

    specs = observation(pipeline)
    rows = RowsRead(Stepwise(network), specs["values"].shape[-1], pipeline.missing, specs["values"].dtype.name)

    def trace(inputs: dict[str, Any]) -> Mapping[str, Any]:
        row = pipeline.scaled_in_graph(inputs["values"])
        forecast, states, known = rows(row, inputs, lambda filled: pipeline.with_known_ahead(filled, inputs))
        return hide(restored(forecast), known) | states

    first = max([layer.length for layer in network.layers if isinstance(layer, Newest | Segments)], default=1)
    note = (
        "each push moves the state one row on: a forecast is made from all rows since the stream began, "
        f"where `predict` reads the last {pipeline.lookback}"
    )
    return GraphStep(trace, specs, rows.state_shapes, first, note, complete=pipeline.missing != "ffill")


def window_step(pipeline: SeriesPipeline, serve: Callable[[Tensors], Tensors], why: str) -> GraphStep:
    """A step that keeps the last rows as its state and reads them anew each time: what `predict` gives.

    Args:
        pipeline: fitted on training rows.
        serve: raw windows → outputs in the user's units.
        why: the reason that the model can be run no other way, as the end of a sentence.
    """
    import tensorflow as tf

    specs, lookback = observation(pipeline), pipeline.lookback
    states: dict[str, tuple[tuple[int, ...], str]] = {
        "state_values": ((lookback, specs["values"].shape[-1]), specs["values"].dtype.name),
        "state_rows": ((), "int32"),
    }
    if "time" in specs:
        states["state_time"] = ((lookback,), "int64")

    def trace(inputs: dict[str, Any]) -> Mapping[str, Any]:
        window = {"values": _moved_on(inputs["state_values"], inputs["values"][:, tf.newaxis])}
        rows = tf.minimum(inputs["state_rows"] + 1, lookback)
        after = {"state_values": window["values"], "state_rows": rows}
        if "future" in specs:
            window["future"] = inputs["future"]
        if "time" in specs:
            after["state_time"] = _moved_on(inputs["state_time"], inputs["time"][:, :1])
            window["time"] = tf.concat([after["state_time"], inputs["time"][:, 1:]], axis=1)
        return hide(serve(window), rows == lookback) | after

    note = f"each push reads the last {lookback} rows anew, as `predict` does, because {why}"
    return GraphStep(trace, specs, states, lookback, note)


def _moved_on(before: tf.Tensor, new: tf.Tensor) -> tf.Tensor:
    """The newest steps of (batch, time, ...), the oldest left out."""
    import tensorflow as tf

    return tf.concat([before[:, 1:], new], axis=1)
