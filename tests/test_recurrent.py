"""The recurrent layers agree with Keras's own, whatever the shape, mask, state or direction, and run where those do."""

import functools
import subprocess
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow.core.protobuf import saved_model_pb2

from recurra.models import recurrent
from recurra.models.recurrent import scan
from recurra.models.recurrent.layers import fast_loop

CELLS = ["SimpleRNN", "GRU", "LSTM"]


def rng(seed=0):
    return np.random.default_rng(seed)


def pair(kind, x, weights_seed=0, **options):
    """Keras's layer and ours, with the same random weights."""
    ours, stock = getattr(recurrent, kind)(**options), getattr(keras.layers, kind)(**options)
    ours.build(x.shape)
    stock.build(x.shape)
    weights = [rng(weights_seed).normal(0, 0.5, w.shape) for w in stock.weights if "seed" not in w.path]
    for layer in (ours, stock):
        trainable = [w for w in layer.weights if "seed" not in w.path]
        for variable, value in zip(trainable, weights, strict=True):
            variable.assign(value)
    return ours, stock


def states(kind, batch, units, dtype="float32"):
    return [tf.constant(rng(5 + i).normal(size=(batch, units)), dtype) for i in range(1 + (kind == "LSTM"))]


def run(layer, x, training=True, **arguments):
    """Outputs of a layer, and the gradient of a function of all of them for inputs, weights and states."""
    sources = [x, *(arguments.get("initial_state") or [])]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs = tf.nest.flatten(layer(x, training=training, **arguments))
        loss = tf.add_n([tf.reduce_sum(tf.sin((i + 1.0) * tf.cast(y, "float32"))) for i, y in enumerate(outputs)])
    gradients = tape.gradient(loss, [*sources, *(w.value for w in layer.trainable_weights)])
    return outputs, gradients


def assert_agree(ours, stock, atol=1e-5):
    for a, b in zip(tf.nest.flatten(ours), tf.nest.flatten(stock), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(tf.cast(a, "float64"), tf.cast(b, "float64"), rtol=1e-5, atol=atol)


@contextmanager
def without_xla():
    """Run the same loops step by step: no compilation, so that many shapes can be tried."""

    def plain(function, *, inputs, units, **flags):  # noqa: ARG001
        return functools.partial(function, **flags)

    with mock.patch.object(scan, "compiled", plain):
        yield


# ---------------------------------------------------------------------------------------------------- results


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(CELLS),
    batch=st.integers(1, 19),
    time=st.integers(1, 11),
    inputs=st.integers(1, 5),
    units=st.integers(1, 6),
    options=st.fixed_dictionaries(
        {"return_sequences": st.booleans(), "return_state": st.booleans(), "go_backwards": st.booleans()},
        optional={"use_bias": st.just(False)},
    ),
    masked=st.booleans(),
    stateful=st.booleans(),
    training=st.booleans(),
    seed=st.integers(0, 99),
)
def test_agrees_with_keras(kind, batch, time, inputs, units, options, masked, stateful, training, seed):
    x = tf.constant(rng(seed).normal(size=(batch, time, inputs)), "float32")
    ours, stock = pair(kind, x, weights_seed=seed, units=units, **options)
    arguments = {"training": training}
    if masked:
        arguments["mask"] = tf.sequence_mask(rng(seed).integers(0, time + 1, batch), time)  # right padding
    if stateful:
        arguments["initial_state"] = states(kind, batch, units)
    with without_xla():
        assert_agree(run(ours, x, **arguments), run(stock, x, **arguments))


@pytest.mark.parametrize("kind", CELLS)
def test_agrees_with_keras_when_compiled(kind):
    x = tf.constant(rng().normal(size=(9, 11, 3)), "float32")
    ours, stock = pair(kind, x, units=5, return_sequences=True, return_state=True, go_backwards=True)
    mask = tf.constant(rng(1).random((9, 11)) < 0.7)  # any mask, not only right padding
    arguments = {"mask": mask, "initial_state": states(kind, 9, 5)}
    expected = run(stock, x, **arguments)
    assert_agree(run(ours, x, **arguments), expected)  # eager: padded to a bucket
    in_graph = tf.function(lambda x: run(ours, x, **arguments))
    assert_agree(in_graph(x), expected)
    for a, b in zip(tf.nest.flatten(in_graph(x)), tf.nest.flatten(in_graph(x)), strict=True):
        np.testing.assert_array_equal(a, b)  # bit for bit
    without_keeping = tf.function(lambda x: run(ours, x, training=False, **arguments))
    with recurrent.portable(False):
        assert_agree(without_keeping(x), expected)
    whole = tf.function(lambda x: run(ours, x, **arguments), jit_compile=True)
    assert_agree(whole(x), expected)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("masked", [False, True])
def test_portable_form_agrees(kind, masked):
    x = tf.constant(rng().normal(size=(4, 7, 3)), "float32")
    ours, stock = pair(kind, x, units=5, return_sequences=True, return_state=True)
    arguments = {"initial_state": states(kind, 4, 5), "mask": tf.sequence_mask([7, 3, 1, 0], 7) if masked else None}
    outputs = tf.function(lambda x: run(ours, x, training=False, **arguments))(x)
    assert_agree(outputs, run(stock, x, training=False, **arguments))


@pytest.mark.parametrize("kind", CELLS)
def test_gradient_against_finite_differences(kind):
    x = tf.constant(rng().normal(size=(3, 4, 2)), "float64")
    layer, _ = pair(kind, x, units=3, return_sequences=True, dtype="float64")
    mask = tf.sequence_mask([4, 2, 3], 4)

    def loss(x, *initial):
        return tf.reduce_sum(tf.sin(layer(x, initial_state=list(initial), mask=mask, training=True)))

    arguments = [x, *states(kind, 3, 3, "float64")]
    with without_xla():
        for by_hand, measured in zip(*tf.test.compute_gradient(loss, arguments, delta=1e-5), strict=True):
            np.testing.assert_allclose(by_hand, measured, atol=1e-8)


@pytest.mark.parametrize("kind", CELLS)
def test_weight_gradient_against_finite_differences(kind):
    x = tf.constant(rng().normal(size=(3, 4, 2)), "float64")
    layer, _ = pair(kind, x, units=3, dtype="float64")
    weights = [tf.convert_to_tensor(w.value) for w in layer.trainable_weights]

    def loss(*weights):
        initial = [tf.zeros((3, 3), "float64")] * (1 + (kind == "LSTM"))
        cell = getattr(recurrent, kind).loop
        h, _ = scan.scan(cell, x, weights, initial, None, return_sequences=False, keep=True)
        return tf.reduce_sum(tf.sin(h))

    with without_xla():
        for by_hand, measured in zip(*tf.test.compute_gradient(loss, weights, delta=1e-5), strict=True):
            np.testing.assert_allclose(by_hand, measured, atol=1e-8)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # All weights 1/2, biases 0, inputs 1 and 2, by pocket calculator:
        # h1 = tanh(0.5) = 0.46212, h2 = tanh(1 + 0.23106) = 0.84289
        ("SimpleRNN", 0.84289),
        # z1 = r1 = s(0.5) = 0.62246, h1 = 0.37754 tanh(0.5) = 0.17447; z2 = r2 = s(1.08723) = 0.74786,
        # g2 = tanh(1 + 0.74786 * 0.08723) = 0.78766; h2 = 0.74786 h1 + 0.25214 g2
        ("GRU", 0.32908),
        # i = f = o = 0.62246, c1 = 0.62246 * 0.46212 = 0.28765, h1 = 0.62246 tanh(c1) = 0.17427; then s(1.08713) =
        # 0.74784, g2 = tanh(1.08713) = 0.79583, c2 = 0.74784 (c1 + g2) = 0.81027, h2 = 0.74784 tanh(c2)
        ("LSTM", 0.50086),
    ],
)
def test_number_by_hand(kind, expected):
    half = {"kernel_initializer": keras.initializers.Constant(0.5)}
    half["recurrent_initializer"] = keras.initializers.Constant(0.5)
    layer = getattr(recurrent, kind)(1, **half, **({"unit_forget_bias": False} if kind == "LSTM" else {}))
    h = layer(np.array([[[1.0], [2.0]]], "float32"))  # (1, 1)
    assert float(h[0, 0]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kind", CELLS)
def test_dropout_draws_the_masks_keras_draws(kind):
    x = tf.constant(rng().normal(size=(6, 4, 8)), "float32")
    ours, stock = pair(kind, x, units=3, dropout=0.5, seed=7)
    with without_xla():
        outputs = ours(x, training=True)
        assert_agree(outputs, stock(x, training=True))
        assert np.abs(outputs - ours(x, training=False)).max() > 0.01


@pytest.mark.parametrize("kind", CELLS)
def test_mixed_bfloat16(kind):
    x = tf.constant(rng().normal(size=(6, 4, 8)), "float32")
    ours, stock = pair(kind, x, units=3, return_sequences=True, dtype="mixed_bfloat16")
    with without_xla():
        assert_agree(run(ours, x)[0], run(stock, x)[0], atol=0.03)  # bfloat16 has 8 bits
        assert_agree(run(ours, x)[1], run(stock, x)[1], atol=0.3)


@pytest.mark.parametrize(
    "options",
    [
        {"recurrent_dropout": 0.3, "seed": 3},
        {"activation": "relu"},
        {"unroll": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", CELLS)
def test_other_options_are_left_to_keras(kind, options):
    x = tf.constant(rng().normal(size=(3, 4, 2)), "float32")
    ours, stock = pair(kind, x, units=3, **options)
    mask = tf.sequence_mask([4, 2, 3], 4)
    with mock.patch("recurra.models.recurrent.layers.fast_loop", side_effect=AssertionError):
        assert_agree(ours(x, mask=mask, training=True), stock(x, mask=mask, training=True))


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("kind", CELLS)
def test_steps_that_do_not_count_are_zero_where_that_is_asked_for(kind, backwards):
    x = tf.constant(rng().normal(size=(3, 4, 2)), "float32")
    options = {"zero_output_for_mask": True, "return_sequences": True, "return_state": True, "go_backwards": backwards}
    ours, stock = pair(kind, x, units=3, **options)
    mask = tf.constant([[True, True, True, True], [True, False, True, False], [False, True, True, False]])
    assert_agree(run(ours, x, mask=mask), run(stock, x, mask=mask))


@pytest.mark.parametrize("kind", CELLS)
def test_both_directions_take_the_fast_loop(kind):
    layer = keras.layers.Bidirectional(getattr(recurrent, kind)(3, return_sequences=True))
    x = tf.constant(rng().normal(size=(3, 4, 2)), "float32")
    with mock.patch("recurra.models.recurrent.layers.fast_loop", side_effect=fast_loop) as loop:
        layer(x, training=True)
    assert loop.call_count == 2


# ------------------------------------------------------------------------------------------------ in a model


def model_of(kind, module=recurrent, time=None, jit_compile="auto", steps=2):
    keras.utils.set_random_seed(1)
    layer = getattr(module, kind)
    model = keras.Sequential(
        [
            keras.Input((time, 2), name="values"),
            keras.layers.Masking(),
            keras.layers.Bidirectional(layer(3)),
            keras.layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse", jit_compile=jit_compile, steps_per_execution=steps)
    return model


def batches(n=24, time=5, batch_size=8):
    x = rng().normal(size=(n, time, 2)).astype("float32")
    x[::3, time - 2 :] = 0  # masked
    return tf.data.Dataset.from_tensor_slices((x, x.sum(axis=(1, 2))[:, None])).batch(batch_size)


@pytest.mark.parametrize("kind", CELLS)
def test_fit_as_keras_does(kind):
    ours, stock = model_of(kind), model_of(kind, keras.layers, jit_compile=False)
    stock.set_weights(ours.get_weights())
    histories = [model.fit(batches(), epochs=2, verbose=0, shuffle=False).history["loss"] for model in (ours, stock)]
    np.testing.assert_allclose(*histories, rtol=1e-4)
    assert_agree([tf.constant(w) for w in ours.get_weights()], [tf.constant(w) for w in stock.get_weights()])
    np.testing.assert_allclose(ours.predict(batches(), verbose=0), stock.predict(batches(), verbose=0), atol=1e-5)


MIRRORED = """
import keras, numpy as np, tensorflow as tf
from recurra.models import recurrent

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
x = np.random.default_rng(0).normal(size=(16, 5, 2)).astype("float32")
weights = []
for strategy in (tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), tf.distribute.get_strategy()):
    keras.utils.set_random_seed(1)
    with strategy.scope():
        model = keras.Sequential([keras.Input((5, 2)), recurrent.GRU(3), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
    model.fit(tf.data.Dataset.from_tensor_slices((x, x[:, :1, 0])).batch(8), verbose=0, shuffle=False)
    weights.append(model.get_weights())
for two, one in zip(*weights):
    np.testing.assert_allclose(two, one, atol=1e-6)
print("agree")
"""


@pytest.mark.slow  # test_devices.py has whole trainings on two devices
def test_under_mirrored_strategy():
    # TensorFlow takes the number of devices before it does anything else: this needs a process of its own.
    result = subprocess.run([sys.executable, "-c", MIRRORED], capture_output=True, text=True, check=False)
    assert "agree" in result.stdout, result.stderr


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("kind", CELLS)
def test_one_row_of_states_or_mask_stands_for_all(kind, compiled):
    x, mask = tf.constant(rng().normal(size=(5, 7, 4)), "float32"), np.arange(7)[None] < 5
    ours, stock = pair(kind, x, units=3)
    one = states(kind, 1, 3)
    many = [tf.repeat(state, 5, axis=0) for state in one]

    def ask(x, mask, *initial):
        return ours(x, mask=mask, initial_state=list(initial))

    ask = tf.function(ask) if compiled else ask
    expected = stock(x, mask=np.repeat(mask, 5, axis=0), initial_state=many)
    assert_agree(ask(x, tf.constant(mask), *one), expected)
    assert_agree(ask(x, tf.constant(np.repeat(mask, 5, axis=0)[..., None]), *many), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"initial_state": 4}, "`initial_state` has 4 rows, the inputs have 5"),
        ({"mask": (5, 4)}, "The mask has 4 steps, the inputs have 7"),
        ({"mask": (4, 7)}, "`mask` has 4 rows, the inputs have 5"),
    ],
)
@pytest.mark.parametrize("kind", CELLS)
def test_other_sizes_are_refused(kind, arguments, message):
    x = tf.constant(rng().normal(size=(5, 7, 4)), "float32")
    ours, _ = pair(kind, x, units=3)
    if "mask" in arguments:
        given = {"mask": tf.ones(arguments["mask"], tf.bool)}
    else:
        given = {"initial_state": states(kind, arguments["initial_state"], 3)}
    with pytest.raises(ValueError, match=message):
        ours(x, **given)


def test_other_inputs_and_too_many_states_are_refused():
    x = tf.constant(rng().normal(size=(5, 7, 4)), "float32")
    ours, _ = pair("GRU", x, units=3)
    with pytest.raises(ValueError, match=r"has 2 tensors; .* has 1 states"):
        ours(x, initial_state=states("LSTM", 5, 3))
    model = keras.Sequential([keras.Input((None, 4)), recurrent.GRU(3)])
    with pytest.raises(ValueError, match=r"The inputs have 3 values a step; .* was built for 4"):
        model.predict(x[:, :, :3], verbose=0)


def test_new_lengths_compile_a_few_times_only():
    x = tf.random.stateless_normal((8, 40, 2), (1, 2))
    layer, stock = pair("GRU", x, units=3)
    compiled = scan.compiled(
        scan.forward_shard, cell=recurrent.GRU.loop, inputs=2, units=3, return_sequences=False, keep=True
    )
    in_graph = tf.function(lambda x: layer(x, training=True), input_signature=[tf.TensorSpec((None, None, 2))])
    sizes = set()
    for time in range(1, 41):
        sizes.add(int(scan.bucket(time)))
        assert int(scan.bucket(tf.constant(time))) == int(scan.bucket(time)) >= time
    assert sorted(sizes) == [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40]
    for time in (33, 35, 37, 40):  # one bucket
        assert_agree(in_graph(x[:, :time]), stock(x[:, :time]))
    assert compiled.experimental_get_tracing_count() <= 2


# ------------------------------------------------------------------------------------------------ on the disk


@pytest.mark.parametrize("kind", CELLS)
def test_save_and_load(kind, tmp_path):
    x = rng().normal(size=(3, 5, 2)).astype("float32")
    model = model_of(kind)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-2].forward_layer) is getattr(recurrent, kind)
    with without_xla():
        expected = model(x)
        np.testing.assert_array_equal(loaded(x), expected)
    model.save_weights(tmp_path / "model.weights.h5")
    stock = model_of(kind, keras.layers)
    stock.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(stock(x), expected, atol=1e-6)
    stock.save_weights(tmp_path / "stock.weights.h5")
    model.load_weights(tmp_path / "stock.weights.h5")


@pytest.mark.parametrize("kind", CELLS)
def test_config_is_that_of_keras(kind):
    ours, stock = (
        getattr(recurrent, kind)(3, dropout=0.1, name="a"),
        getattr(keras.layers, kind)(3, dropout=0.1, name="a"),
    )
    assert ours.get_config() == stock.get_config()
    assert type(ours).from_config(ours.get_config()).get_config() == stock.get_config()


@pytest.mark.parametrize("kind", CELLS)
def test_saved_model_holds_core_ops_alone(kind, tmp_path):
    model = model_of(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's exporter looks at deprecated attributes of layers
        model.export(tmp_path / "1", verbose=False)
    saved = Path(tmp_path / "1" / "saved_model.pb").read_bytes()
    graph = saved_model_pb2.SavedModel.FromString(saved).meta_graphs[0].graph_def
    ops = {node.op for function in graph.library.function for node in function.node_def}
    assert not any("Xla" in op for op in ops)
    assert b"XlaMustCompile" not in saved
    served = tf.saved_model.load(tmp_path / "1")
    for batch, time in ((1, 5), (7, 3)):
        x = rng().normal(size=(batch, time, 2)).astype("float32")
        with without_xla():
            np.testing.assert_allclose(served.serve(x), model(x), atol=1e-6)


# Weight dropout


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("stock", [False, True])
def test_weight_dropout_leaves_out_recurrent_weights_in_training_alone(kind, stock):
    x = tf.constant(rng().normal(size=(8, 6, 3)), "float32")
    layer = getattr(recurrent, kind)(16, weight_dropout=0.4, unroll=stock)
    plain = getattr(recurrent, kind)(16)
    plain.build(x.shape)
    layer.build(x.shape)
    layer.set_weights([*plain.get_weights(), *(v for v in layer.get_weights()[len(plain.get_weights()) :])])
    kernel = layer.cell.recurrent_kernel
    np.testing.assert_allclose(layer(x), plain(x), atol=1e-6)
    with tf.GradientTape() as tape:
        h = layer(x, training=True)
    # a weight that was left out has no gradient; the others do
    gradient = tape.gradient(h, kernel.value).numpy()
    assert 0.3 < (gradient == 0).mean() < 0.5
    assert layer.cell.recurrent_kernel is kernel
    assert (np.abs(h - layer(x, training=True)) > 1e-4).any()


def test_weight_dropout_is_saved_and_is_no_matter_of_a_prediction(tmp_path):
    model = keras.Sequential([keras.Input((5, 2)), recurrent.LSTM(3, weight_dropout=0.5)])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = rng().normal(size=(2, 5, 2)).astype("float32")
    np.testing.assert_allclose(loaded(x), model(x), atol=1e-6)
    assert loaded.layers[0].weight_dropout == 0.5
    assert "weight_dropout" not in recurrent.LSTM(3).get_config()
