"""A served model's LSTM, one window at a time: another loop, the same numbers, and only where lengths are fixed."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.saved_model.loader_impl import SavedModelLoader

from recurra.models import recurrent
from recurra.serving.compiled_loops import compile_loops, has_fixed_length
from recurra.serving.served_model import ServedModel

STEPS, CHANNELS = 7, 2


def network(steps=STEPS, **options):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((steps, CHANNELS), name="window")
    x = keras.layers.Bidirectional(recurrent.LSTM(5, return_sequences=True))(inputs)
    return keras.Model(inputs, keras.layers.Dense(3)(recurrent.LSTM(4, **options)(x)))


def kernels(path):
    """How many kernels a model's graph has, and how many of them were replaced."""
    graph = SavedModelLoader(str(path)).get_meta_graph_def_from_tags(["serve"]).graph_def
    there = sum(node.op == "BlockLSTMV2" for function in graph.library.function for node in function.node_def)
    return there, compile_loops(graph)


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_the_numbers_are_those_of_the_network(tmp_path, rows):
    model = network()
    model.export(tmp_path / "1", verbose=False)
    there, replaced = kernels(tmp_path / "1")
    assert there == replaced == 3
    served = ServedModel(tmp_path / "1", "two", 1)
    x = np.random.default_rng(rows).normal(size=(rows, STEPS, CHANNELS)).astype("float32")
    found = served.call(served.signatures["serving_default"], {"window": x})
    np.testing.assert_allclose(next(iter(found.values())), model(x), rtol=1e-5, atol=1e-6)
    served.close()


def test_a_row_alone_is_the_row_among_others(tmp_path):
    network().export(tmp_path / "1", verbose=False)
    served = ServedModel(tmp_path / "1", "two", 1)
    x = np.random.default_rng(0).normal(size=(4, STEPS, CHANNELS)).astype("float32")
    ask = lambda rows: next(iter(served.call(served.signatures["serving_default"], {"window": rows}).values()))  # noqa: E731
    np.testing.assert_allclose(np.concatenate([ask(x[i : i + 1]) for i in range(4)]), ask(x), rtol=1e-5, atol=1e-6)
    served.close()


@pytest.mark.parametrize(
    ("shapes", "fixed"),
    [
        ({"window": [None, 7, 2]}, True),
        ({"window": [None, 7, 2], "known": [None, 3, 1], "level": [None]}, True),
        ({"window": [None, None, 2]}, False),  # a sequence of any length
        ({"window": [None, 7, 2], "known": [None, None, 1]}, False),
        ({"state_0": [None, 5]}, False),  # one step of a stream: there is no loop
        ({"text": tf.string}, False),
        ({"window": None}, False),
    ],
)
def test_only_a_fixed_length_is_compiled_for(tmp_path, shapes, fixed):
    def spec(name, shape):
        of_text = shape is tf.string
        return tf.TensorSpec([None] if of_text else shape, tf.string if of_text else tf.float32, name)

    module = tf.Module()
    module.f = tf.function(
        lambda **given: {name: tf.identity(x) for name, x in given.items()}, autograph=False
    ).get_concrete_function(**{name: spec(name, shape) for name, shape in shapes.items()})
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.f)
    meta_graph = SavedModelLoader(str(tmp_path / "1")).get_meta_graph_def_from_tags(["serve"])
    assert has_fixed_length(meta_graph) is fixed


@pytest.mark.parametrize("other", [{"use_peephole": True}, {"cell_clip": 3.0}, {"dtype": tf.float16}, {"read": "i"}])
def test_a_kernel_with_other_options_stays(tmp_path, other):
    kind = other.get("dtype", tf.float32)

    def call(x):
        rng = np.random.default_rng(0)
        w, b, peephole = (tf.constant(rng.normal(size=s), kind) for s in ((CHANNELS + 3, 12), (12,), (3,)))
        x = tf.transpose(tf.cast(x, kind), [1, 0, 2])
        zero = tf.zeros([tf.shape(x)[1], 3], kind)
        found = tf.raw_ops.BlockLSTMV2(
            seq_len_max=STEPS,
            x=x,
            cs_prev=zero,
            h_prev=zero,
            w=w,
            wci=peephole,
            wcf=peephole,
            wco=peephole,
            b=b,
            use_peephole=other.get("use_peephole", False),
            cell_clip=other.get("cell_clip", 0.0),
        )
        return {"y": tf.cast(getattr(found, other.get("read", "h"))[-1], tf.float32)}

    module = tf.Module()
    module.f = tf.function(call, input_signature=[tf.TensorSpec([None, STEPS, CHANNELS], name="x")], autograph=False)
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.f)
    assert kernels(tmp_path / "1") == (1, 0)
    x = np.ones((1, STEPS, CHANNELS), "float32")
    served = ServedModel(tmp_path / "1", "other", 1)
    found = served.call(served.signatures["serving_default"], {"x": x})["y"]
    np.testing.assert_allclose(found, module.f(x)["y"], rtol=1e-3)
    served.close()
