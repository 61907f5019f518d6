"""The loop of an LSTM over one window, compiled when a model is loaded.

A SavedModel holds core operations alone, among them TensorFlow's fused kernel of an LSTM, which takes about two
microseconds a step however small the step is. In the graph that is served a function of the same inputs and outputs
stands in its place: a single window runs through a loop that XLA has compiled, more of them through the kernel.

XLA compiles for each number of steps anew. So this is done only where the signatures fix it; texts, and sequences of
any length, keep the kernel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow.python.saved_model.loader_impl import SavedModelLoader

_KERNEL, _FUNCTION = "BlockLSTMV2", "recurra_lstm"
_USED = ("cs", "h")  # what the function gives of the kernel's outputs
_WINDOW_RANK = 3  # windows, steps, channels


def load(session: tf.compat.v1.Session, path: str) -> Any:
    """Load a SavedModel into a session, as ``tf.compat.v1.saved_model.load`` does, its LSTMs quicker for one window.

    Returns:
        Its meta graph.
    """
    loader = SavedModelLoader(path)
    meta_graph = loader.get_meta_graph_def_from_tags(["serve"])
    if has_fixed_length(meta_graph) and not tf.config.list_physical_devices("GPU"):
        compile_loops(meta_graph.graph_def)
    return loader.load(session, ["serve"])


def has_fixed_length(meta_graph: Any) -> bool:
    """Whether there are windows among the inputs, and each has the same number of steps in every request."""
    shapes = [
        tf.TensorShape(info.tensor_shape)
        for definition in meta_graph.signature_def.values()
        for info in definition.inputs.values()
        if tf.as_dtype(info.dtype).is_floating
    ]
    windows = [shape for shape in shapes if shape.rank is None or shape.rank >= _WINDOW_RANK]
    return bool(windows) and all(shape[1:].is_fully_defined() for shape in windows)


def compile_loops(graph: Any) -> int:
    """Replace the fused kernels in the functions of a graph definition, in place; how many there were."""
    places = [node for function in graph.library.function for node in _kernels(function)]
    if places:
        graph.library.MergeFrom(_library())
    for node in places:
        node.op = _FUNCTION
        node.attr.clear()
    return len(places)


def _kernels(function: Any) -> Iterator[Any]:
    """Kernels of which nothing is read that the function does not give."""
    read = [text for node in function.node_def for text in node.input] + list(function.ret.values())
    for node in function.node_def:
        outputs = {text.split(":")[1] for text in read if text.startswith(f"{node.name}:")}
        if node.op == _KERNEL and _is_plain(node) and outputs <= set(_USED):
            yield node


def _is_plain(node: Any) -> bool:
    """Whether a kernel has float32 numbers, no peepholes, and no limit to its cells."""
    # A SavedModel leaves out what is the default, and to look up what is not there would put it there, empty.
    given = {name: value for name, value in node.attr.items() if not name.startswith("_")}
    peepholes = "use_peephole" in given and given["use_peephole"].b
    clip = given["cell_clip"].f if "cell_clip" in given else 0.0
    return given["T"].type == tf.float32.as_datatype_enum and not peepholes and clip <= 0


def _library() -> Any:
    """The function, under its name and with the outputs' names of the kernel, and those that it calls."""
    rank = [None, None]
    kinds = [tf.TensorSpec([], tf.int64), tf.TensorSpec([None, *rank]), *[tf.TensorSpec(rank)] * 3]
    kinds += [tf.TensorSpec([None])] * 4
    with tf.Graph().as_default():
        concrete = tf.function(_lstm, autograph=False).get_concrete_function(*kinds)
    library = concrete.graph.as_graph_def().library
    own = library.function.add()
    own.CopyFrom(concrete.function_def)
    own.signature.name = _FUNCTION
    for argument, name in zip(own.signature.output_arg, _USED, strict=True):
        own.ret[name] = own.ret.pop(argument.name)
        argument.name = name
    return library


def _lstm(length: Any, x: Any, c: Any, h: Any, w: Any, wci: Any, wcf: Any, wco: Any, b: Any) -> Any:
    """Cells and outputs of all steps, (time, batch, units) each; the arguments are the kernel's."""

    def kernel() -> Any:
        found = tf.raw_ops.BlockLSTMV2(
            seq_len_max=length, x=x, cs_prev=c, h_prev=h, w=w, wci=wci, wcf=wcf, wco=wco, b=b, cell_clip=0.0
        )
        return found.cs, found.h

    return tf.cond(tf.equal(tf.shape(x)[1], 1), lambda: _compiled_loop(x, c, h, w, b), kernel)


@tf.function(jit_compile=True, autograph=False)
def _compiled_loop(x: Any, c: Any, h: Any, w: Any, b: Any) -> Any:
    """The same for a batch of one."""
    inputs, units = tf.shape(x)[2], tf.shape(h)[1]
    column = tf.range(4 * units)
    is_candidate = (column >= 2 * units) & (column < 3 * units)
    scale = tf.where(is_candidate, 1.0, 0.5)  # sigmoid(a) = tanh(a / 2) / 2 + 1 / 2: one function for all columns
    w, b = w * scale, b * scale
    z = tf.matmul(x[:, 0], w[:inputs]) + b  # (time, 4 * units)
    recurrent = w[inputs:]

    def step(t: Any, c: Any, h: Any, cs: Any, hs: Any) -> Any:
        a = tf.tanh(tf.slice(z, [t, 0], [1, 4 * units]) + h @ recurrent)
        i, f, g, o = tf.split(a, 4, axis=1)
        c = (f * 0.5 + 0.5) * c + (i * 0.5 + 0.5) * g
        h = (o * 0.5 + 0.5) * tf.tanh(c)
        return t + 1, c, h, cs.write(t, c), hs.write(t, h)

    time = tf.shape(x)[0]
    cs, hs = (tf.TensorArray(x.dtype, time, element_shape=[None, None], clear_after_read=False) for _ in _USED)
    *_, cs, hs = tf.while_loop(lambda t, *_: t < time, step, (0, c, h, cs, hs))
    return cs.stack(), hs.stack()
