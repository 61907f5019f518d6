"""The forward pass in core TensorFlow ops: what goes into a SavedModel.

XLA's must-compile attribute would bind a SavedModel to servers built with XLA and to one compilation a shape. So where
a graph is built for inference outside Keras's own `fit`, `evaluate` and `predict`, the layers use this form instead.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from . import lstm
from .scan import in_front

_forced: contextvars.ContextVar[bool | None] = contextvars.ContextVar("recurra_portable", default=None)

# The names keras.src.backend.tensorflow.trainer gives the functions that fit, evaluate and predict run.
_KERAS_STEPS = ("one_step_on_data", "multi_step_on_iterator", "multi_step_on_data")


@contextlib.contextmanager
def portable(wanted: bool = True) -> Iterator[None]:
    """Choose the form of the recurrent layers by hand, for graphs built inside the block.

    Args:
        wanted: True for core ops, as in a SavedModel; False for the compiled loop.

    Example:
        >>> with portable():
        ...     model.export("saved_models/demand/1")
    """
    token = _forced.set(wanted)
    try:
        yield
    finally:
        _forced.reset(token)


def is_portable(training: bool) -> bool:
    """Whether the graph now being built should hold core ops alone."""
    forced = _forced.get()
    if forced is not None:
        return forced
    if training or tf.executing_eagerly():
        return False
    graph = tf.compat.v1.get_default_graph()
    while graph is not None:
        if getattr(graph, "name", "").startswith(_KERAS_STEPS):
            return False
        graph = getattr(graph, "outer_graph", None)
    return True


def portable_scan(cell: Any, x: Any, weights: Any, initial: Any, mask: Any, *, return_sequences: bool) -> Any:
    """Run a cell over time in core ops; arguments and returns as in `scan.scan`."""
    if cell is lstm and mask is None:
        hs, last = fused_lstm(x, weights, initial)
    else:
        time = tf.shape(x)[1]
        x = tf.transpose(x, [1, 0, 2])  # (time, batch, inputs)
        hs, last, _ = cell.forward(x, weights, initial, in_front(mask), time, keep=False)
    return (tf.transpose(hs, [1, 0, 2]) if return_sequences else last[0]), last


def fused_lstm(x: Any, weights: Any, initial: Any) -> Any:
    """TensorFlow's fused LSTM kernel, the quickest for one window: no executor runs between steps.

    Its gates stand in Keras's order, and it takes the kernels below one another. Its own gradient disagrees with finite
    differences (TensorFlow 2.21), so where one is asked for it is that of the plain loop.
    """

    @tf.custom_gradient
    def run(*arguments: Any) -> Any:
        x, kernel, recurrent, bias, h, c = arguments
        x = tf.transpose(x, [1, 0, 2])  # (time, batch, inputs)
        time = tf.shape(x)[0]
        peephole = tf.zeros_like(bias[: recurrent.shape[0]])
        _, cs, _, _, _, _, hs = tf.raw_ops.BlockLSTMV2(
            seq_len_max=tf.cast(time, tf.int64),
            x=x,
            cs_prev=c,
            h_prev=h,
            w=tf.concat([kernel, recurrent], axis=0),
            wci=peephole,
            wcf=peephole,
            wco=peephole,
            b=bias,
            cell_clip=0.0,
        )

        def grad(*d_results: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(arguments)
                x = tf.transpose(arguments[0], [1, 0, 2])  # (time, batch, inputs)
                hs, last, _ = lstm.forward(x, arguments[1:4], arguments[4:], None, time, keep=False)
                # The last c has no step of its own among the results.
                results = [hs, last[1]]
            return tape.gradient(results, arguments, d_results)

        return (hs, cs[-1]), grad

    hs, c = run(x, *weights, *initial)  # (time, batch, units), (batch, units)
    return hs, [hs[-1], c]
