"""Run a cell over time on a CPU: what all cells share.

Why it is faster than the stock loop:

- The input projection of all steps is one matrix product before the loop, the weight gradients are one after it.
- The gradient is written by hand (`backward` of each cell), so nothing is kept but gates and states.
  Cells that are compared with the usual ones differentiate one step at a time (`stepped`) or run all at once
  (`parallel`).
- XLA compiles the loop, so a step costs no executor overhead.
- The batch is cut into a shard a core. TensorFlow runs independent compiled loops at the same time, while inside one
  of them a step is too small to be shared between cores.

XLA compiles for each shape anew. Where the length or the batch is not known when the graph is built, it is padded to
the next of a few sizes (`bucket`); the loop itself still runs only as many steps as there are.
"""

from __future__ import annotations

import functools
import os
from typing import Any

import tensorflow as tf


def scan(cell: Any, x: Any, weights: Any, initial: Any, mask: Any, *, return_sequences: bool, keep: bool) -> Any:
    """Run a cell over time.

    Args:
        cell: has `forward` and `backward`: the module lstm, gru or simple_rnn, or the `loop` of another cell.
        x: (batch, time, inputs).
        weights: kernel (inputs, width) first, then the cell's others; of lstm, gru and simple_rnn the recurrent kernel
            (units, gates * units) and the bias.
        initial: the first states, each (batch, units).
        mask: bool (batch, time), True where a step counts, or None.
        return_sequences: return all h rather than the last one.
        keep: a gradient will be asked for. Without it one can be, but costs a second pass forward.

    Returns:
        h of all steps (batch, time, units) or of the last one (batch, units), and the last states.
    """
    batch, time = size(x, 0), size(x, 1)
    shards = shard_count(x.shape[0])
    rows = -(-padded(x, 0) // shards) * shards  # a multiple of `shards`
    # Known beforehand, XLA runs the loop without asking before every step whether it is the last.
    length = time if is_known(x, 1) else tf.convert_to_tensor(time, tf.int32)
    x = pad(pad(x, 0, rows), 1, padded(x, 1))
    mask = None if mask is None else pad(pad(mask, 0, rows), 1, padded(mask, 1))
    initial = [pad(state, 0, rows) for state in initial]
    hs, last = sharded(
        cell,
        x,
        weights,
        initial,
        mask,
        length,
        shards=shards,
        return_sequences=return_sequences,
        keep=keep,
    )
    last = [state[:batch] for state in last]
    return (hs[:batch, :time] if return_sequences else last[0]), last


def sharded(
    cell: Any,
    x: Any,
    weights: Any,
    initial: Any,
    mask: Any,
    length: Any,
    *,
    shards: int,
    return_sequences: bool,
    keep: bool,
) -> Any:
    """Run a loop for each shard of the batch, with the gradient written by hand."""
    flags = {"cell": cell, "inputs": x.shape[2], "units": initial[0].shape[1]}
    forward = compiled(forward_shard, return_sequences=return_sequences, keep=keep, **flags)
    backward = compiled(backward_shard, **flags)
    d_inputs = compiled(d_inputs_shard, **flags)

    cut, cut_all = functools.partial(_cut, shards=shards), functools.partial(_cut_all, shards=shards)
    masks, count = cut(mask), len(weights)

    @tf.custom_gradient
    def run(*arguments: Any) -> Any:
        # An eager tape would look inside the compiled functions, which are there so that it needn't.
        x, *rest = (tf.stop_gradient(argument) for argument in arguments)
        weights, initial = tuple(rest[:count]), rest[count:]
        inputs = list(zip(cut(x), cut_all(initial), masks, strict=True))
        results = [forward(part, weights, first, mask, length) for part, first, mask in inputs]

        def grad(*d_results: Any) -> Any:
            d_hs = d_results[0] if return_sequences else None
            d_last = d_results[1:] if return_sequences else d_results
            kept = [result[2] for result in results]
            if not keep:
                again = compiled(forward_shard, return_sequences=False, keep=True, **flags)
                kept = [again(part, weights, first, mask, length)[2] for part, first, mask in inputs]
            parts = [
                backward(k, part, weights, first, mask, length, d, list(d_l))
                for k, (part, first, mask), d, d_l in zip(kept, inputs, cut(d_hs), cut_all(d_last), strict=True)
            ]
            d_weights = [tf.add_n(list(d)) for d in zip(*(part[1] for part in parts), strict=True)]
            d_initial = [tf.concat(d, axis=0) for d in zip(*(part[2] for part in parts), strict=True)]
            # Apart from the rest, so that it is left out of the graph where the inputs need no gradient.
            d_x = tf.concat([d_inputs(part[0], weights[0]) for part in parts], axis=0)  # (batch, time, inputs)
            return d_x, *d_weights, *d_initial

        last = [tf.concat(states, axis=0) for states in zip(*(result[1] for result in results), strict=True)]
        if not return_sequences:
            return tuple(last), grad
        return (tf.concat([result[0] for result in results], axis=0), *last), grad

    results = run(x, *weights, *initial)
    return (results[0], results[1:]) if return_sequences else (None, results)


def _cut(array: Any, *, shards: int) -> Any:
    """The parts of an array (batch, ...), or as many times None."""
    return [None] * shards if array is None else tf.split(array, shards, axis=0)


def _cut_all(arrays: Any, *, shards: int) -> Any:
    """Of each shard its parts of all arrays."""
    return list(zip(*(_cut(array, shards=shards) for array in arrays), strict=True))


def forward_shard(
    x: Any,
    weights: Any,
    initial: Any,
    mask: Any,
    length: Any,
    *,
    cell: Any,
    return_sequences: bool,
    keep: bool,
) -> Any:
    """Go forward over the rows of one shard."""
    x = tf.transpose(x, [1, 0, 2])  # (time, batch, inputs)
    hs, last, kept = cell.forward(x, weights, initial, in_front(mask), length, keep=keep)
    return tf.transpose(hs, [1, 0, 2]) if return_sequences else None, last, kept


def backward_shard(
    kept: Any,
    x: Any,
    weights: Any,
    initial: Any,
    mask: Any,
    length: Any,
    d_hs: Any,
    d_last: Any,
    *,
    cell: Any,
) -> Any:
    """Go backward over the rows of one shard."""
    d_hs = None if d_hs is None else tf.transpose(d_hs, [1, 0, 2])  # (time, batch, units)
    x = tf.transpose(x, [1, 0, 2])  # (time, batch, inputs)
    return cell.backward(kept, x, weights, initial, in_front(mask), length, d_hs, d_last)


def d_inputs_shard(d_zs: Any, kernel: Any, *, cell: Any) -> Any:  # noqa: ARG001 - all compiled functions take their cell
    """The gradient of the inputs of one shard."""
    return tf.transpose(tf.tensordot(d_zs, kernel, [[2], [1]]), [1, 0, 2])  # (batch, time, inputs)


def in_front(mask: Any) -> Any:
    """(batch, time) → (time, batch, 1)."""
    return None if mask is None else tf.transpose(mask)[..., tf.newaxis]


@functools.cache
def compiled(function: Any, *, inputs: Any, units: Any, **flags: Any) -> Any:  # noqa: ARG001 - part of the key
    """The XLA form of a function. One for each width, so that only batch and time vary among the calls it sees."""
    return tf.function(functools.partial(function, **flags), jit_compile=True, autograph=False, reduce_retracing=True)


def shard_count(batch: Any) -> int:
    """A shard a core, each of at least 4 rows: with fewer the weights are read for too little work."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if batch is None else max(1, min(cores, batch // 4))


def bucket(n: Any) -> Any:
    """The next of 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, ...: at most a quarter more, and four sizes an octave.

    Up to 8 each size is its own.
    """
    if isinstance(n, int):
        step = 2 ** max((n - 1).bit_length() - 3, 0)
    else:
        log2 = tf.math.log(tf.cast(tf.maximum(n - 1, 1), tf.float64)) / tf.math.log(tf.constant(2.0, tf.float64))
        octave = tf.cast(tf.floor(log2 + 1e-9), tf.int32)  # logarithms of powers of two may come out a bit below
        step = tf.bitwise.left_shift(1, tf.maximum(octave - 2, 0))
    return -(-n // step) * step


def size(x: Any, axis: int) -> Any:
    """The size of an axis: an int where it is known, else a tensor."""
    return tf.shape(x)[axis] if x.shape[axis] is None else x.shape[axis]


def is_known(x: Any, axis: int) -> bool:
    """Whether the size of an axis never varies: in a graph a known size doesn't; eager calls may bring any."""
    return x.shape[axis] is not None and not tf.executing_eagerly()


def padded(x: Any, axis: int) -> Any:
    """The size to pad an axis to."""
    return x.shape[axis] if is_known(x, axis) else bucket(size(x, axis))


def pad(x: Any, axis: int, to: Any) -> Any:
    """Pad an axis with zeros (False in a mask) at its end."""
    missing = to - size(x, axis)
    if isinstance(missing, int) and missing == 0:
        return x
    paddings = [[0, missing if i == axis else 0] for i in range(x.shape.rank)]
    return tf.pad(x, paddings)
