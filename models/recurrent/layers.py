"""The layers: Keras's own, with the loop over time replaced on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import activations

from ..layers.dropout import Dropout
from . import gru, lstm, simple_rnn
from .portable import is_portable, portable_scan
from .scan import scan


def why_stock(layer: Any, mask: Any) -> str | None:
    """The reason a call is left to Keras's own loop, or None.

    On a GPU that loop is cuDNN. The others are options that no model of recurra uses.
    """
    cell = layer.cell
    every = {
        "another backend than TensorFlow": keras.backend.backend() != "tensorflow",
        "a GPU": bool(tf.config.list_logical_devices("GPU")),
        "functions run eagerly": tf.config.functions_run_eagerly(),
        "unroll": layer.unroll,
        "a nested mask": mask is not None and not hasattr(mask, "shape"),
    }
    reasons = every | (_options(layer, cell) if not hasattr(cell, "loop") else {})
    return next((reason for reason, found in reasons.items() if found), None)


def _options(layer: Any, cell: Any) -> dict[str, bool]:
    """Options of Keras's own three layers."""
    return {
        "use_cudnn=True": getattr(layer, "use_cudnn", None) is True,
        "activation": cell.activation is not activations.tanh,
        "recurrent_activation": getattr(cell, "recurrent_activation", activations.sigmoid) is not activations.sigmoid,
        "recurrent_dropout": cell.recurrent_dropout > 0,
        "dropout with implementation=1": cell.dropout > 0 and getattr(cell, "implementation", 2) == 1,
        "reset_after=False": not getattr(cell, "reset_after", True),
    }


def fast_loop(layer: Any, loop: Any, sequences: Any, initial_state: Any, mask: Any, training: bool) -> Any:
    """What `keras.layers.RNN.inner_loop` returns: last h, all h (or the last), last states."""
    cell = layer.cell
    initial_state, mask = fitting(layer, sequences, initial_state, mask)
    if training and getattr(cell, "dropout", 0) > 0:
        sequences = sequences * cell.get_dropout_mask(sequences[:, 0, :])[:, tf.newaxis, :]
    weights = _weights(cell, loop)
    # Half precision has no kernels worth the name on a CPU: inputs and weights are rounded to it as Keras does, and
    # what is done with them is done in float32.
    dtype = tf.float64 if layer.compute_dtype == "float64" else tf.float32
    x, *weights = (tf.cast(a, dtype) for a in (sequences, *weights))
    initial = [tf.cast(state, dtype) for state in initial_state]
    mask = None if mask is None else tf.cast(mask, tf.bool)
    if layer.go_backwards:
        x = tf.reverse(x, [1])  # (batch, time, inputs)
        mask = None if mask is None else tf.reverse(mask, [1])
    flags = {"return_sequences": layer.return_sequences}
    if is_portable(training):
        hs, states = portable_scan(loop, x, tuple(weights), initial, mask, **flags)
    else:
        hs, states = scan(loop, x, tuple(weights), initial, mask, keep=bool(training), **flags)
    hs = hide_unstarted(hs, mask, layer.return_sequences)
    if mask is not None and layer.zero_output_for_mask and layer.return_sequences:  # as `Bidirectional` asks for
        hs = tf.where(mask[..., tf.newaxis], hs, tf.zeros_like(hs))
    return (hs[:, -1], hs, states) if layer.return_sequences else (hs, hs[:, tf.newaxis], states)


def _weights(cell: Any, loop: Any) -> list[Any]:
    """Weights in the order in which the loop takes them."""
    if hasattr(cell, "loop_weights"):
        return list(cell.loop_weights)
    bias = cell.bias
    if bias is None:
        bias = tf.zeros([2] * (loop is gru) + [cell.kernel.shape[1]], cell.kernel.dtype)
    return [cell.kernel, cell.recurrent_kernel, bias]


def fitting(layer: Any, x: Any, states: Any, mask: Any) -> tuple[list[Any], Any]:
    """States (batch, units) and the mask (batch, time) as many as the inputs need; one row is used for all.

    Raises:
        ValueError: inputs, states or the mask have another size than they should.
    """
    batch, time, inputs = x.shape
    wanted = layer.cell.kernel.shape[0]
    if inputs != wanted:
        raise ValueError(f"The inputs have {inputs} values a step; {layer.name} was built for {wanted}.")
    sizes = layer.cell.state_size if isinstance(layer.cell.state_size, list | tuple) else [layer.cell.state_size]
    if len(states) != len(sizes):
        raise ValueError(f"`initial_state` has {len(states)} tensors; {layer.name} has {len(sizes)} states.")
    states = [_rows(state, batch, x, [size], "initial_state") for state, size in zip(states, sizes, strict=True)]
    if mask is None:
        return states, None
    mask = tf.squeeze(mask, axis=2) if mask.shape.rank == 3 else mask
    if None not in (time, mask.shape[1]) and mask.shape[1] != time:
        raise ValueError(f"The mask has {mask.shape[1]} steps, the inputs have {time}; give a value for each step.")
    return states, _rows(mask, batch, x, [tf.shape(x)[1]], "mask")


def _rows(array: Any, batch: int | None, x: Any, rest: list[Any], name: str) -> Any:
    """An array (batch or 1, ...) for as many rows as `x` has."""
    rows = array.shape[0]
    if rows == batch and batch is not None:
        return array
    if None not in (rows, batch) and rows != 1:
        raise ValueError(f"`{name}` has {rows} rows, the inputs have {batch}; give as many, or a single one for all.")
    return tf.broadcast_to(array, [tf.shape(x)[0], *rest])


def hide_unstarted(hs: Any, mask: Any, return_sequences: bool) -> Any:
    """Until its first step that counts a row's output is zero, as in Keras, whatever its initial state."""
    if mask is None:
        return hs
    if return_sequences:
        started = tf.cumsum(tf.cast(mask, tf.int32), axis=1)[..., tf.newaxis] > 0  # (batch, time, 1)
    else:
        started = tf.reduce_any(mask, axis=1)[:, tf.newaxis]  # (batch, 1)
    return tf.where(started, hs, tf.zeros_like(hs))


class _FastLoop:
    """Replaces Keras's loop over time where it can.

    Args:
        weight_dropout: fraction of the recurrent weights left out in training, the same ones at all steps of a call
            (weight-dropped LSTM, Merity et al. 2018, after DropConnect, Wan et al. 2013).

    Attributes:
        loop: of the cell, as `scan` takes it.
    """

    loop: ClassVar[Any]

    def __init__(self, *args: Any, weight_dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.weight_dropout = weight_dropout
        self.left_out = Dropout(weight_dropout) if weight_dropout else None

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """What `keras.layers.RNN` calls for all steps."""
        with self._weights_left_out(training):
            if why_stock(self, mask):
                return super().inner_loop(sequences, initial_state, mask, training)  # type: ignore[misc]
            return fast_loop(self, self.loop, sequences, initial_state, mask, training)

    @contextmanager
    def _weights_left_out(self, training: bool) -> Iterator[None]:
        """Give the cell, whichever loop reads it, other recurrent weights for one call."""
        cell: Any = self.cell  # type: ignore[attr-defined]
        if self.left_out is None or not training:
            yield
            return
        kernel = cell.recurrent_kernel
        # Past Keras's own __setattr__, which would take the variable for replaced and no longer save it.
        cell.__dict__["recurrent_kernel"] = self.left_out(tf.convert_to_tensor(kernel), training=True)
        try:
            yield
        finally:
            cell.__dict__["recurrent_kernel"] = kernel

    def get_config(self) -> dict[str, Any]:
        own = {"weight_dropout": self.weight_dropout} if self.weight_dropout else {}
        return {**super().get_config(), **own}  # type: ignore[misc]


@keras.saving.register_keras_serializable("recurra")
class SimpleRNN(_FastLoop, keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN` with the same arguments, weights and results, and a loop for the CPU.

    Source: Elman (1990), Finding structure in time, Cognitive Science 14.
    """

    loop: ClassVar[Any] = simple_rnn


@keras.saving.register_keras_serializable("recurra")
class GRU(_FastLoop, keras.layers.GRU):
    """`keras.layers.GRU` with the same arguments, weights and results, and a loop for the CPU.

    Source: Cho et al. (2014), Learning phrase representations using RNN encoder-decoder, arXiv:1406.1078.
    """

    loop: ClassVar[Any] = gru


@keras.saving.register_keras_serializable("recurra")
class LSTM(_FastLoop, keras.layers.LSTM):
    """`keras.layers.LSTM` with the same arguments, weights and results, and a loop for the CPU.

    Source: Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9.
    """

    loop: ClassVar[Any] = lstm


@keras.saving.register_keras_serializable("recurra")
class RNN(_FastLoop, keras.layers.RNN):
    """`keras.layers.RNN` around one of this package's cells, with the cell's loop for the CPU.

    Args:
        cell: a layer with `state_size`, `loop` and `loop_weights`: LSTMCell, TransitionCell or MinimalCell.
    """

    @property
    def loop(self) -> Any:
        """The loop of the cell."""
        return self.cell.loop

    @property
    def units(self) -> int:
        """Width of the state."""
        return int(self.cell.units)
