"""Variants of the cells, minGRU and minLSTM: a plain loop gives the same, and so do padding, streams and exports."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

import recurra
from recurra import diagnostics
from recurra.errors import InputError
from recurra.frames import TextFrame
from recurra.models import build, check_config, known_settings, macs, recurrent
from recurra.models.recurrent import portable, scan
from recurra.models.recurrent.parallel import scan_linear
from recurra.models.stepwise import Stepwise
from recurra.spec import ClassOutput, ForecastOutput, NextTokenOutput, SequenceSpec, TokensInput, ValuesInput

VARIANTS = {
    "lstm:forget=false": {"forget": False},
    "lstm:input=false": {"input": False},
    "lstm:output=false": {"output": False},
    "lstm:coupled=true": {"coupled": True},
    "lstm:peephole=true": {"peephole": True},
    "lstm:coupled=true+peephole=true+output=false": {"coupled": True, "peephole": True, "output": False},
    "simple_rnn:recurrent=identity": {"recurrent": "identity"},
    "simple_rnn:transition_depth=3": {"transition_depth": 3},
    "min_gru": {},
    "min_lstm": {},
}
every_variant = pytest.mark.parametrize("name", VARIANTS)
UNITS = 3


def family_of(name):
    return name.partition(":")[0]


def layer_of(name, **options):
    """A layer of 3 units with random weights, that reads two channels."""
    make = getattr(recurra.models.cells, family_of(name))(8, **VARIANTS[name])
    layer = make(UNITS, return_sequences=True, **options)
    layer.build((None, None, 2))
    random = np.random.default_rng(0)
    layer.set_weights([random.normal(0, 0.6, w.shape) for w in layer.get_weights()])
    return layer


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def by_hand(name, weights, x):
    """The textbook, one sequence and one step after another: x (time, 2) → h (time, 3)."""
    family, settings = family_of(name), VARIANTS[name]
    kernel, *recurrent_kernel, bias = weights[: 2 if family.startswith("min") else 3]
    recurrent_kernel = recurrent_kernel[0] if recurrent_kernel else None
    h, c, states = np.zeros(UNITS), np.zeros(UNITS), []
    for now in x:
        if family == "min_gru":
            z, g = np.split(now @ kernel + bias, 2)
            h = sigmoid(z) * h + (1 - sigmoid(z)) * g
        elif family == "min_lstm":
            i, f, g = np.split(now @ kernel + bias, 3)
            i, f = sigmoid(i), sigmoid(f)
            h = (f * h + i * g) / (f + i)
        elif family == "simple_rnn":
            phi = (lambda a: np.maximum(a, 0)) if "recurrent" in settings else np.tanh
            h = phi(now @ kernel + h @ recurrent_kernel + bias)
            for further in range(settings.get("transition_depth", 1) - 1):
                h = phi(h @ weights[3 + 2 * further] + weights[4 + 2 * further])
        else:
            columns = list(np.split(now @ kernel + h @ recurrent_kernel + bias, len(bias) // UNITS))
            eyes = list(weights[3]) if settings.get("peephole") else [np.zeros(UNITS)] * 3
            coupled = settings.get("coupled")
            i = sigmoid(columns.pop(0) + eyes.pop(0) * c) if settings.get("input", True) and not coupled else 1
            f = sigmoid(columns.pop(0) + eyes.pop(0) * c) if settings.get("forget", True) else 1
            i = 1 - f if coupled else i
            c = f * c + i * np.tanh(columns.pop(0))
            o = sigmoid(columns.pop(0) + eyes.pop(0) * c) if settings.get("output", True) else 1
            h = o * np.tanh(c)
        states.append(h)
    return np.array(states)


def ordered(layer):
    """Weights as `by_hand` takes them: kernel, recurrent kernel, bias, the others."""
    named = {w.name: w.numpy() for w in layer.weights}
    first = [named.pop(name) for name in ("kernel", "recurrent_kernel", "bias") if name in named]
    return [*first, *named.values()]


@pytest.fixture
def without_xla(monkeypatch):
    def plain(function, *, inputs, units, **flags):  # noqa: ARG001
        return functools.partial(function, **flags)

    monkeypatch.setattr(scan, "compiled", plain)


# ------------------------------------------------------------------------------------------------ the layers


@every_variant
@pytest.mark.usefixtures("without_xla")
def test_a_layer_does_what_the_textbook_says(name):
    layer = layer_of(name)
    x = np.random.default_rng(1).normal(size=(5, 9, 2)).astype("float32")
    lengths = np.array([9, 1, 4, 8, 6])
    mask = tf.sequence_mask(lengths, 9)
    outputs = np.asarray(layer(x, mask=mask))
    with portable():
        np.testing.assert_allclose(layer(x, mask=mask), outputs, atol=1e-5)
    for row, length in enumerate(lengths):
        expected = by_hand(name, ordered(layer), x[row, :length])
        np.testing.assert_allclose(outputs[row, :length], expected, atol=1e-5)
        np.testing.assert_allclose(outputs[row, length:], np.repeat(expected[-1:], 9 - length, axis=0), atol=1e-5)


@every_variant
@pytest.mark.usefixtures("without_xla")
def test_gradients_against_finite_differences(name):
    layer = layer_of(name, dtype="float64")
    random = np.random.default_rng(1)
    mask = tf.constant(random.random((3, 5)) < 0.7)
    x = tf.constant(random.normal(size=(3, 5, 2)))
    initial = [tf.constant(random.normal(size=(3, UNITS))) for _ in layer.state_size]
    weights = [tf.convert_to_tensor(w) for w in layer.cell.loop_weights]

    @tf.function  # step by step it takes ten times as long
    def loss(x, *rest):
        hs, last = scan.scan(
            layer.loop, x, rest[: len(weights)], rest[len(weights) :], mask, return_sequences=True, keep=True
        )
        return tf.reduce_sum(tf.sin(hs)) + tf.add_n([tf.reduce_sum(tf.cos(state)) for state in last])

    by_autodiff, measured = tf.test.compute_gradient(loss, [x, *weights, *initial], delta=1e-5)
    for one, other in zip(by_autodiff, measured, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)


@pytest.mark.parametrize(
    "name", ["lstm:coupled=true+peephole=true+output=false", "simple_rnn:transition_depth=3", "min_lstm"]
)
def test_the_compiled_loop_gives_the_same(name):
    layer = layer_of(name, go_backwards=True)
    x = tf.constant(np.random.default_rng(1).normal(size=(9, 11, 2)), "float32")
    weights = [w.value for w in layer.trainable_weights]

    def run(x, form):
        with portable(form), tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=not form)
            loss = tf.reduce_sum(tf.sin(y))
        return [y, *tape.gradient(loss, [x, *weights])]

    expected = run(x, True)  # core ops, differentiated by TensorFlow
    in_graph = tf.function(lambda x: run(x, False), input_signature=[tf.TensorSpec((None, None, 2))])
    whole = tf.function(lambda x: run(x, False), jit_compile=True)
    for form in (in_graph, whole):
        for one, other in zip(form(x), expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("time", [1, 2, 7, 64, 100])
def test_the_parallel_scan_is_the_recurrence(time):
    random = np.random.default_rng(time)
    a, b = random.uniform(0, 1, (time, 2, 3)), random.normal(size=(time, 2, 3))
    h, expected = np.zeros((2, 3)), []
    for step in range(time):
        h = a[step] * h + b[step]
        expected.append(h)
    np.testing.assert_allclose(scan_linear(tf.constant(a), tf.constant(b)), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # All kernels 1/2, biases 0, inputs 1 and 2, by pocket calculator; s is the logistic function.
        # f = 1: c1 = s(0.5) tanh(0.5) = 0.28765, h1 = 0.62246 tanh(c1) = 0.17427; c2 = c1 + 0.74784 * 0.79583 = 0.8828,
        # h2 = 0.74784 tanh(c2)
        ("lstm:forget=false", 0.52934),
        # h1 = tanh(c1) = 0.27998; z2 = 1.13999, s = 0.75767, tanh = 0.81438; c2 = 0.75767 (c1 + 0.81438), h2 = tanh(c2)
        ("lstm:output=false", 0.68315),
        # h1 = 0.5, h2 = 1 + 0.25
        ("simple_rnn:recurrent=identity", 1.25),
        # z = s(0.5) keeps: h1 = 0.37754 * 0.5 = 0.18877; z2 = s(1) = 0.73106, h2 = 0.73106 h1 + 0.26894 * 1
        ("min_gru", 0.40694),
        # f = i: half is kept; h1 = 0.25, h2 = 0.125 + 0.5
        ("min_lstm", 0.625),
    ],
)
def test_number_by_hand(name, expected):
    layer = getattr(recurra.models.cells, family_of(name))(2, **VARIANTS[name])(1)
    layer.build((None, 2, 1))
    layer.set_weights([np.full(w.shape, 0.0 if w.name == "bias" else 0.5) for w in layer.weights])
    assert float(layer(np.array([[[1.0], [2.0]]], "float32"))[0, 0]) == pytest.approx(expected, abs=2e-5)


@every_variant
@pytest.mark.usefixtures("without_xla")
def test_the_gates_give_the_layers_own_output(name):
    layer = layer_of(name)
    x = np.random.default_rng(0).normal(size=(3, 7, 2)).astype("float32")
    states = diagnostics.unroll(layer, x)
    np.testing.assert_allclose(states["hidden"], np.asarray(layer(x)), atol=1e-5)
    settings = VARIANTS[name]
    if family_of(name) == "lstm":
        assert [gate for gate in ("input", "forget", "output") if gate not in states] == [
            gate for gate in ("input", "forget", "output") if settings.get(gate) is False
        ]
        kept = states.get("forget", np.ones((3, 7, 1)))[:, 1:] * states["cell"][:, :-1]
        kept += states.get("input", np.ones((3, 7, 1)))[:, 1:] * states["candidate"][:, 1:]
        np.testing.assert_allclose(kept, states["cell"][:, 1:], atol=1e-9)
    if settings.get("coupled"):
        np.testing.assert_allclose(states["input"], 1 - states["forget"])


# ------------------------------------------------------------------------------------------------ where they begin


def test_a_forget_bias_begins_where_it_is_asked_to():
    def bias(**settings):
        layer = recurra.models.cells.lstm(50, **settings)(400)
        layer.build((None, None, 1))
        return next(w for w in layer.weights if w.name == "bias").numpy().reshape(-1, 400)

    assert bias().sum(axis=1).tolist() == [0, 400, 0, 0]
    assert bias(forget_bias=0).sum() == 0
    assert bias(forget_bias=2.5, input=False).sum(axis=1).tolist() == [1000, 0, 0]
    i, f, *others = bias(forget_bias="chrono")
    np.testing.assert_array_equal(i, -f)
    assert not np.any(others)
    scales = 1 / (1 - sigmoid(f))  # 2 to 50: 1 + U(1, T - 1)
    assert 2 <= scales.min() < 4
    assert 46 < scales.max() <= 50
    assert scales.mean() == pytest.approx(26, abs=2)
    again = keras.layers.deserialize(keras.layers.serialize(recurra.models.cells.lstm(50, forget_bias="chrono")(4)))
    again.build((None, None, 1))
    assert np.all(again.get_weights()[2].reshape(4, 4)[1] > 0)


def test_chrono_takes_the_steps_that_the_layer_reads():
    def longest(segment):
        spec = SequenceSpec(ValuesInput(120, 1), ForecastOutput(1))
        model = build("lstm", spec, units=300, segment_length=segment, forget_bias="chrono")
        layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.RNN))
        return 1 + np.exp(layer.get_weights()[2].max())

    assert 100 < longest(1) <= 120
    assert 10 < longest(10) <= 12


def test_an_identity_keeps_what_it_holds():
    layer = recurra.models.cells.simple_rnn(8, recurrent="identity")(4, return_sequences=True)
    layer.build((None, None, 1))
    held = tf.constant([[1.0, 2.0, 3.0, 4.0]])
    np.testing.assert_array_equal(layer(np.zeros((1, 6, 1), "float32"), initial_state=[held])[0, -1], held[0])
    assert np.abs(layer.get_weights()[0]).max() < 0.01


def test_without_settings_the_cells_are_the_fast_layers_that_keras_has():
    assert recurra.models.cells.lstm(8) is recurrent.LSTM
    assert recurra.models.cells.gru(8) is recurrent.GRU
    assert recurra.models.cells.simple_rnn(8) is recurrent.SimpleRNN


# ------------------------------------------------------------------------------------------------ in a network


@every_variant
def test_padding_changes_nothing_and_a_stream_gives_the_whole(name, tmp_path):
    spec = SequenceSpec(ValuesInput(7, 2), ClassOutput(3))
    settings = {"units": UNITS, "segment_length": 1, "num_layers": 2, **VARIANTS[name]}
    random = np.random.default_rng(1)
    values, ones = tf.constant(random.normal(size=(2, 7, 2)), "float32"), tf.ones([2], tf.int32)
    model = build(family_of(name), spec, pooling="last", **settings)
    model.set_weights([random.normal(0, 0.6, w.shape) for w in model.get_weights()])
    with portable():
        whole = np.asarray(model({"values": values, "lengths": 7 * ones}, training=False))
        padded = model({"values": tf.pad(values, [(0, 0), (0, 3), (0, 0)]), "lengths": 7 * ones}, training=False)
    np.testing.assert_allclose(padded, whole, atol=1e-6)

    step = Stepwise(model)
    states = {key: tf.zeros([2, *shape], dtype) for key, (shape, dtype) in step.state_shapes.items()}
    for t in range(7):
        output, states, _ = step({"values": values[:, t : t + 1], "lengths": ones}, states)
    np.testing.assert_allclose(output, whole, atol=1e-5)

    model.save(tmp_path / "model.keras")
    with portable():
        again = keras.saving.load_model(tmp_path / "model.keras")({"values": values, "lengths": 7 * ones})
    np.testing.assert_allclose(again, whole, atol=1e-6)
    model.export(tmp_path / "served", verbose=False)
    served = tf.saved_model.load(tmp_path / "served").signatures["serving_default"]
    [found] = served(values=values, lengths=7 * ones).values()
    np.testing.assert_allclose(found, whole, atol=1e-5)


@pytest.mark.parametrize("name", ["lstm:forget=false", "simple_rnn:transition_depth=3", "min_gru"])
def test_reading_from_both_ends_is_blind_to_padding(name):
    spec = SequenceSpec(ValuesInput(7, 2), ClassOutput(3))
    model = build(family_of(name), spec, pooling="last", bidirectional=True, units=UNITS, **VARIANTS[name])
    values = np.random.default_rng(1).normal(size=(2, 5, 2)).astype("float32")
    lengths = tf.constant([5, 3])
    values[1, 3:] = 0
    with portable():
        short, long = (
            model({"values": tf.pad(values, [(0, 0), (0, more), (0, 0)]), "lengths": lengths}, training=False)
            for more in (0, 4)
        )
    np.testing.assert_allclose(short, long, atol=1e-6)


@pytest.mark.parametrize("name", ["lstm:forget=false", "simple_rnn:recurrent=identity", "min_lstm"])
def test_a_language_model_goes_on_from_its_states(name):
    spec = SequenceSpec(TokensInput(11, 8), NextTokenOutput(11))
    model = build(family_of(name), spec, units=UNITS, num_layers=2, **VARIANTS[name])
    tokens = tf.constant(np.random.default_rng(0).integers(2, 11, (2, 8)), tf.int32)
    zeros = {x.name: tf.zeros((2, UNITS)) for x in model.inputs if x.name.startswith("state_")}
    with portable():
        whole = model({"tokens": tokens, **zeros}, training=False)["logits"]
        first = model({"tokens": tokens[:, :5], **zeros}, training=False)
        states = {name: first[name] for name in zeros}
        second = model({"tokens": tokens[:, 5:], **states}, training=False)["logits"]
    np.testing.assert_allclose(np.concatenate([first["logits"], second], axis=1), whole, atol=1e-5)


def test_a_part_left_out_costs_nothing():
    spec = SequenceSpec(ValuesInput(10, 1), ForecastOutput(1))

    def cost(family, **settings):
        return macs(build(family, spec, units=4, segment_length=1, **settings))

    gate = 10 * 4 * (1 + 4)  # steps, units, inputs and states
    assert cost("lstm") - cost("lstm", forget=False) == gate
    assert cost("lstm") == cost("lstm", peephole=True)
    assert cost("simple_rnn", transition_depth=2) - cost("simple_rnn") == 10 * 4 * 4
    assert cost("lstm") - cost("min_lstm") == 10 * 4 * (1 + 4 * 4)


# ------------------------------------------------------------------------------------------------ as a user has them


@pytest.fixture(scope="module")
def sentences():
    random = np.random.default_rng(0)
    rows = [{"text": " ".join(random.choice(list("abc"), 6)), "label": str(random.integers(2))} for _ in range(40)]
    return TextFrame.from_records(rows, text="text", label="label")


def test_variants_stand_in_one_comparison_and_are_exported(sentences, tmp_path):
    families = ["lstm:forget=false", "simple_rnn:recurrent=identity", "min_gru"]
    small = {"config": {"units": 3, "embedding": 2}, "max_epochs": 1}
    once = {"seeds": 1, "folds": 1, "mix": "none"}
    result = recurra.compare(sentences, families=families, baselines=["majority"], **once, **small)
    assert set(result.summary.index) == {*families, "majority"}
    assert {row["model"]: row["config"].get("forget") for row in result.to_dict()["trials"]}[
        "lstm:forget=false"
    ] is False
    fitted = recurra.fit(sentences, family="lstm:forget=false", **small)
    recurra.save_model(fitted.predictor, tmp_path / "served", fitted.frame)
    served = recurra.load_model(tmp_path / "served")
    texts = ["a b c a b c", "b"]
    numbers, expected = (model.predict(texts).select_dtypes("number") for model in (served, fitted.predictor))
    np.testing.assert_allclose(numbers, expected, atol=1e-5)
    assert numbers.shape[1] >= 1


@pytest.mark.parametrize(
    ("family", "settings", "words"),
    [
        (
            "lstm",
            {"forget_bias": "long"},
            "`forget_bias` of lstm for classification must be a number or chrono; received 'long'",
        ),
        ("lstm", {"peephole": 1}, "`peephole` of lstm for classification must be true or false; received 1"),
        ("simple_rnn", {"recurrent": "zeros"}, "must be one of orthogonal, identity; received 'zeros'"),
        ("simple_rnn", {"transition_depth": 0}, "must be a whole number of at least 1; received 0"),
        ("gru", {"forget": False}, "gru for classification has no setting `forget`"),
        ("min_lstm", {"coupled": True}, "min_lstm for classification has no setting `coupled`"),
        ("lstm", {"coupled": True, "forget": False}, "`coupled` of lstm makes the input gate of the forget gate"),
        ("lstm", {"coupled": True, "input": False}, "received `input`=False"),
        ("lstm", {"forget": False, "forget_bias": "chrono"}, "`forget_bias` of lstm needs the forget gate"),
        ("lstm", dict.fromkeys(("input", "forget", "output"), False) | {"peephole": True}, "without any gate"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(family, settings, words):
    with pytest.raises(InputError) as caught:
        check_config(family, "class", settings)
    assert words in str(caught.value)


def test_settings_of_a_cell_belong_to_its_family():
    own = known_settings("lstm") - known_settings("gru")
    assert own == {"input", "forget", "output", "coupled", "peephole", "forget_bias"}
    assert known_settings("simple_rnn") - known_settings("gru") == {"recurrent", "transition_depth"}
    assert known_settings("min_gru") == known_settings("min_lstm") == known_settings("gru")


def test_an_estimator_takes_a_variant():
    random = np.random.default_rng(0)
    X = random.normal(size=(24, 5, 1))
    y = np.where(X[:, 0, 0] > 0, "up", "down")
    estimator = recurra.SequenceClassifier(family="lstm:forget=false", units=3, max_epochs=1, random_state=0)
    assert estimator.fit(X, y).predict_proba(X[:3]).shape == (3, 2)
    assert "LSTMCell" in estimator._state.structure
    names = estimator._comparison_settings()["families"]
    assert names == ["linear", "dense", "tcn", "simple_rnn", "gru", "lstm:forget=False+units=3"]
    with pytest.raises(InputError, match="has no setting `forgett`"):
        recurra.SequenceClassifier(family="lstm:forgett=false").fit(X, y)
    forecaster = recurra.SequenceForecaster(family="min_gru:units=2", horizon=1, lookback=4, max_epochs=1)
    assert forecaster._config(SequenceSpec(ValuesInput(4, 1), ForecastOutput(1)))["units"] == 2
    with pytest.raises(InputError, match=r"`family` must be one of .*min_lstm; received 'mingru'"):
        recurra.SequenceForecaster(family="mingru:units=2")._family()
