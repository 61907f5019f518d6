"""Every family on every kind of specification, one number a hand can check for each, and what a model costs."""

import random
import threading
from functools import cache

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from recurra.errors import InputError
from recurra.models import (
    FAMILIES,
    build,
    default_families,
    draw_configs,
    has_recurrent_layers,
    is_recurrent,
    known_settings,
    list_families,
    macs,
    seeded,
    simpler_families,
)
from recurra.models.layers.dropout import Dropout
from recurra.models.layers.window_statistics import WINDOW_NORMS
from recurra.models.recurrent_forecaster import default_segment_length
from recurra.models.tcn import default_num_layers, receptive_field
from recurra.spec import ForecastOutput, SequenceSpec, ValuesInput


def spec_of(length=8, channels=1, future=0, horizon=3, targets=1, **more):
    return SequenceSpec(ValuesInput(length, channels, future), ForecastOutput(horizon, targets), **more)


# name → (specification, settings of the model)
CASES = {
    "one_target": (spec_of(), {}),
    "targets_shared": (spec_of(channels=2, targets=2), {}),
    "targets_unshared": (spec_of(channels=2, targets=2), {"share_targets": False}),
    "past": (spec_of(channels=3), {}),
    "future": (spec_of(channels=3, future=1), {}),
    "everything_shared": (spec_of(channels=5, future=2, targets=2, many_series=True), {}),
    "everything_unshared": (spec_of(channels=5, future=2, targets=2, many_series=True), {"share_targets": False}),
    "single_values": (spec_of(channels=2, future=1), {"segment_length": 1}),
    "segments": (spec_of(channels=2, future=1), {"segment_length": 4}),
    "uneven_segments": (spec_of(length=7), {"segment_length": 3}),
    "stacked": (spec_of(channels=2), {"num_layers": 3, "residual": True, "dropout": 0.2}),
    "linear_path": (spec_of(channels=3, future=1), {"autoregressive": 3}),
    "linear_paths": (
        spec_of(channels=5, future=2, targets=2),
        {"autoregressive": 8, "window": 4, "window_norm": "standard"},
    ),
    "both_ways": (spec_of(), {"bidirectional": True, "num_layers": 2, "residual": True, "segment_length": 2}),
    **{f"norm_{norm}": (spec_of(channels=3, targets=2), {"window_norm": norm}) for norm in WINDOW_NORMS},
}
EXPORTED = ("everything_shared", "both_ways")  # a SavedModel takes a second each


@cache
def model_of(family, case):
    spec, wanted = CASES[case]
    keras.utils.set_random_seed(0)
    return build(family, spec, **settings_for(family, wanted))


def settings_for(family, wanted):
    """Those of the settings that the family has."""
    known = known_settings(family)
    return {name: value for name, value in ({"units": 3} | wanted).items() if name in known}


def inputs_of(spec, batch=4):
    random = np.random.default_rng(1)
    inputs = {"values": random.normal(size=(batch, spec.inputs.length, spec.inputs.channels))}
    if spec.inputs.future_channels:
        inputs["future"] = random.normal(size=(batch, spec.outputs.horizon, spec.inputs.future_channels))
    return {name: tf.constant(value, tf.float64 if name == "values" else tf.float32) for name, value in inputs.items()}


every_family = pytest.mark.parametrize("family", FAMILIES)
every_case = pytest.mark.parametrize("case", CASES)


# Every family, every specification


@every_family
@every_case
def test_conformance(family, case, tmp_path):
    spec, _ = CASES[case]
    model, inputs = model_of(family, case), inputs_of(spec)
    shape = (4, spec.outputs.horizon, spec.outputs.targets)
    with tf.GradientTape() as tape:
        forecast = model(inputs, training=True)
        loss = tf.reduce_mean(tf.abs(forecast - 1.0))
    assert forecast.shape == shape
    assert model.output_shape == (None, *shape[1:])
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(gradient is not None and np.isfinite(gradient).all() for gradient in gradients)
    model.optimizer = None
    keras.optimizers.SGD(0.1).apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    stepped = model(inputs, training=False)
    assert np.isfinite(tf.reduce_mean(tf.abs(stepped - 1.0)))
    assert {tensor.name for tensor in model.inputs} == set(inputs)
    assert macs(model) > 0

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(inputs), stepped, rtol=1e-6, atol=1e-6)


@every_family
@every_case
def test_a_window_is_forecast_alike_in_any_company(family, case):
    # three windows for three steps ahead: the batch that Keras's `add` takes for a bias
    spec, _ = CASES[case]
    model, inputs = model_of(family, case), inputs_of(spec, batch=spec.outputs.horizon)
    alone = [model({name: value[i : i + 1] for name, value in inputs.items()})[0] for i in range(spec.outputs.horizon)]
    np.testing.assert_allclose(model(inputs), alone, rtol=1e-5, atol=1e-5)


@every_family
@pytest.mark.parametrize("case", EXPORTED)
def test_a_saved_model_gives_the_same(family, case, tmp_path):
    spec, _ = CASES[case]
    model, inputs = model_of(family, case), inputs_of(spec, batch=3)
    model.export(tmp_path / "model", verbose=False)
    [served] = tf.saved_model.load(tmp_path / "model").signatures["serving_default"](**inputs).values()
    np.testing.assert_allclose(served, model(inputs), rtol=1e-5, atol=1e-6)


def test_an_unknown_family_lists_the_known_ones():
    with pytest.raises(
        InputError,
        match="no family 'transformer'; choose from linear, dense, tcn, simple_rnn, gru, lstm, min_gru, min_lstm",
    ):
        build("transformer", spec_of())
    usual = ["linear", "dense", "tcn", "simple_rnn", "gru", "lstm"]
    assert list_families() == [*usual, "min_gru", "min_lstm"]
    assert default_families("forecast") == usual
    assert simpler_families("gru", "forecast") == usual[:4]
    assert simpler_families("min_lstm", "forecast") == usual
    assert [name for name in FAMILIES if is_recurrent(name)] == ["simple_rnn", "gru", "lstm", "min_gru", "min_lstm"]


@every_family
def test_wrong_settings_are_refused(family):
    with pytest.raises(ValueError, match="window_norm"):
        build(family, spec_of(), window_norm="median")
    with pytest.raises(InputError, match="has no setting `colour`"):
        build(family, spec_of(), colour="red")
    if "segment_length" in known_settings(family):
        with pytest.raises(InputError, match="`segment_length` must be between 1 and the lookback 8; received 9"):
            build(family, spec_of(), segment_length=9)


@every_family
def test_every_setting_of_the_grid_is_taken(family):
    for config in draw_configs(family, spec_of(length=24), 100)[:4]:
        config.pop("learning_rate")
        build(family, spec_of(length=24), **config)


@pytest.mark.parametrize(
    ("name", "carries"),
    [("lstm:units=8", True), ("dense:feedback=0", False), ("dense:feedback=2", True), ("tcn", False), ("naive", False)],
)
def test_a_variant_that_feeds_outputs_back_is_recurrent(name, carries):
    assert is_recurrent(name) is carries


@every_family
def test_recurrent_layers_are_found_inside_others(family):
    assert has_recurrent_layers(model_of(family, "one_target")) is FAMILIES[family].recurrent
    assert has_recurrent_layers(model_of(family, "both_ways")) is FAMILIES[family].recurrent


# Numbers a hand can check


def with_constant_weights(family, value=0.5, **config):
    """Two rows in, two steps out, one unit; all kernels and the head `value`, all biases 0."""
    model = build(family, spec_of(length=2, horizon=2), window_norm="none", **config)
    model.set_weights([np.full(w.shape, value if len(w.shape) > 1 else 0.0) for w in model.get_weights()])
    for layer in model.layers:
        if isinstance(layer, keras.layers.GRU | keras.layers.LSTM):  # GRU: a bias of two rows; LSTM: forget bias 1
            kernel, recurrent, bias = layer.get_weights()
            layer.set_weights([kernel, recurrent, np.zeros_like(bias)])
    return model


def first_step(model):
    [[[first], [second]]] = model({"values": tf.constant([[[1.0], [2.0]]])}).numpy()
    assert first == second
    return first


def test_linear_by_hand():
    # 0.5 × 1 + 0.5 × 2
    assert first_step(with_constant_weights("linear")) == pytest.approx(1.5)


def test_dense_by_hand():
    # hidden: relu(0.5 × 1 + 0.5 × 2) = 1.5; head: 0.5 × 1.5
    assert first_step(with_constant_weights("dense", units=1)) == pytest.approx(0.75)
    # minus 0.5 everywhere: relu(-1.5) = 0
    assert first_step(with_constant_weights("dense", -0.5, units=1)) == 0


def test_simple_rnn_by_hand():
    # h1 = tanh(0.5 × 1)                  = tanh(0.5)     = 0.462117
    # h2 = tanh(0.5 × 2 + 0.5 × 0.462117) = tanh(1.231059) = 0.842886; head: 0.5 × h2
    model = with_constant_weights("simple_rnn", units=1, segment_length=1)
    assert first_step(model) == pytest.approx(0.421443, abs=1e-6)


def test_gru_by_hand():
    # step 1, h = 0: z = r = sigmoid(0.5) = 0.622459; g = tanh(0.5) = 0.462117; h1 = (1 - z) g = 0.174468
    # step 2: z = r = sigmoid(1 + 0.5 × 0.174468) = sigmoid(1.087234) = 0.747861
    #         g = tanh(1 + r × 0.5 × 0.174468) = tanh(1.065239) = 0.787661
    #         h2 = z h1 + (1 - z) g = 0.130478 + 0.198600 = 0.329078; head: 0.5 × h2
    model = with_constant_weights("gru", units=1, segment_length=1)
    assert first_step(model) == pytest.approx(0.164539, abs=1e-6)


def test_lstm_by_hand():
    # step 1, h = c = 0: i = f = o = sigmoid(0.5) = 0.622459; g = tanh(0.5) = 0.462117
    #         c1 = i g = 0.287649; h1 = o tanh(c1) = 0.622459 × 0.279970 = 0.174270
    # step 2: z = 1 + 0.5 × 0.174270 = 1.087135; i = f = o = sigmoid(z) = 0.747842; g = tanh(z) = 0.795830
    #         c2 = f c1 + i g = 0.215116 + 0.595155 = 0.810271; h2 = o tanh(c2) = 0.747842 × 0.669740 = 0.500859
    #         head: 0.5 × h2
    model = with_constant_weights("lstm", units=1, segment_length=1)
    assert first_step(model) == pytest.approx(0.250430, abs=1e-6)


def test_tcn_by_hand():
    # kernels of 2; step 1: 0.5 × 1 = 0.5; step 2: 0.5 × 1 + 0.5 × 2 = 1.5
    # second convolution, step 2: 0.5 × 0.5 + 0.5 × 1.5 = 1; the block adds its input: relu(2 + 1) = 3; head: 0.5 × 3
    model = with_constant_weights("tcn", units=1, kernel_size=2, num_layers=1, segment_length=1)
    assert first_step(model) == pytest.approx(1.5)
    # minus 0.5: relu(-1.5) = 0 in both convolutions, so relu(2 + 0) = 2; head: -0.5 × 2
    model = with_constant_weights("tcn", -0.5, units=1, kernel_size=2, num_layers=1, segment_length=1)
    assert first_step(model) == pytest.approx(-1)


def test_tcn_projects_its_input_where_the_widths_differ():
    # two equal units: 0.5, then 1.5; second convolution 2 × 0.5 × (0.5 + 1.5) = 2; projection 0.5 × 2 = 1
    # head: 0.5 × (2 + 1) of each unit
    model = with_constant_weights("tcn", units=2, kernel_size=2, num_layers=1, segment_length=1)
    assert first_step(model) == pytest.approx(3)


@pytest.mark.parametrize(("num_layers", "kernel_size"), [(1, 2), (2, 3), (3, 2)])
def test_tcn_sees_its_receptive_field_and_nothing_before(num_layers, kernel_size):
    reach = receptive_field(num_layers, kernel_size)
    spec = spec_of(length=reach + 3)
    model = build(
        "tcn", spec, units=2, kernel_size=kernel_size, num_layers=num_layers, segment_length=1, window_norm="none"
    )
    model.set_weights([np.full(w.shape, 0.1) for w in model.get_weights()])
    values = np.ones((1, reach + 3, 1), "float32")
    seen = []
    for step in range(reach + 3):
        other = values.copy()
        other[0, step] = 2
        seen.append(bool((model({"values": other}).numpy() != model({"values": values}).numpy()).any()))
    assert seen == [False] * 3 + [True] * reach


def test_tcn_blocks_by_rule():
    assert [receptive_field(n) for n in (1, 2, 4, 8)] == [5, 13, 61, 1021]  # 1 + 2 × 2 × (2ⁿ - 1)
    assert [default_num_layers(steps) for steps in (1, 5, 6, 13, 14, 1021, 9999)] == [1, 1, 2, 2, 3, 8, 8]
    # two convolutions a block: 4 segments of 2 values need one block of kernels of 3, 8 single values need two
    for segment_length, blocks in ((2, 1), (1, 2)):
        model = build("tcn", spec_of(), segment_length=segment_length)
        assert sum(isinstance(layer, keras.layers.Conv1D) for layer in model.layers) == 2 * blocks


def test_segments_by_hand():
    # one segment [1, 2]: projection relu(0.5 × 1 + 0.5 × 2) = 1.5; h = tanh(0.5 × 1.5) = 0.635149; head: 0.5 × h
    model = with_constant_weights("simple_rnn", units=1, segment_length=2)
    assert first_step(model) == pytest.approx(0.317574, abs=1e-6)


def test_segments_leave_out_the_oldest_surplus():
    model = build("gru", spec_of(length=7), units=2, segment_length=3, window_norm="none")
    values = np.random.default_rng(0).normal(size=(1, 7, 1)).astype("float32")
    other = values.copy()
    other[0, 0] = 9.0
    np.testing.assert_array_equal(model({"values": values}), model({"values": other}))
    other[0, 1] = 9.0
    assert (model({"values": values}).numpy() != model({"values": other}).numpy()).any()


@pytest.mark.parametrize("family", ["dense", "tcn", "gru"])
def test_a_linear_path_adds_a_weighted_sum_of_the_newest_values(family):
    spec = spec_of(horizon=2)
    settings = {"units": 3, "window_norm": "none"}
    keras.utils.set_random_seed(0)
    plain = build(family, spec, **settings)
    both = build(family, spec, autoregressive=2, **settings)
    path = both.get_layer("autoregressive")
    others = [v for v in both.variables if v is not path.kernel]
    for variable, value in zip(others, plain.variables, strict=True):
        variable.assign(value)
    values = inputs_of(spec)
    np.testing.assert_allclose(both(values), plain(values), atol=1e-6)  # it begins at zero
    path.kernel.assign([[1.0, 0.0], [10.0, -1.0]])
    older, newest = np.asarray(values["values"])[:, -2:, 0].T
    expected = np.asarray(plain(values))[:, :, 0] + np.stack([older + 10 * newest, -newest], axis=1)
    np.testing.assert_allclose(np.asarray(both(values))[:, :, 0], expected, rtol=1e-5)


def test_a_linear_path_of_more_than_the_lookback_is_refused():
    with pytest.raises(InputError, match="`autoregressive` must be between 0 and the lookback 8; received 9"):
        build("gru", spec_of(), autoregressive=9)


def test_shared_targets_are_each_forecast_from_themselves():
    model = model_of("gru", "targets_shared")
    values = np.random.default_rng(0).normal(size=(2, 8, 2)).astype("float32")
    swapped = model({"values": values[:, :, ::-1]}).numpy()[:, :, ::-1]
    np.testing.assert_allclose(model({"values": values}), swapped, rtol=1e-5, atol=1e-6)
    other = values.copy()
    other[:, :, 1] += 5.0
    np.testing.assert_array_equal(model({"values": values})[:, :, 0], model({"values": other})[:, :, 0])


# Normalisation of the window


@every_family
@pytest.mark.parametrize("norm", WINDOW_NORMS[1:])  # all but "none"
def test_a_window_moved_moves_its_forecast(family, norm):
    model = model_of(family, f"norm_{norm}")
    inputs = inputs_of(CASES[f"norm_{norm}"][0])
    shift = np.array([3.0, -2.0, 0.0], "float32")  # two targets; the covariate stays
    moved = model({"values": inputs["values"] + shift})
    np.testing.assert_allclose(moved, model(inputs) + shift[:2], rtol=1e-4, atol=1e-4)


@every_family
def test_a_window_scaled_scales_its_forecast(family):
    model = model_of(family, "norm_standard")
    inputs = inputs_of(CASES["norm_standard"][0])
    scale = np.array([40.0, 0.5, 1.0], "float32")
    scaled = model({"values": inputs["values"] * scale})
    np.testing.assert_allclose(scaled, model(inputs) * scale[:2], rtol=1e-3, atol=1e-4)


def test_without_normalisation_the_level_counts():
    model, inputs = model_of("dense", "norm_none"), inputs_of(CASES["norm_none"][0])
    shift = np.array([3.0, 3.0, 0.0], "float32")
    assert not np.allclose(model({"values": inputs["values"] + shift}), model(inputs) + 3.0, atol=1e-2)


@pytest.mark.parametrize("norm", WINDOW_NORMS)
def test_a_constant_window_gives_finite_forecasts(norm):
    values = np.full((2, 8, 3), 7.0, "float32")
    assert np.isfinite(model_of("gru", f"norm_{norm}")({"values": values})).all()


def test_the_normalisation_by_default():
    def method(**more):
        return build("linear", spec_of(**more)).get_layer("window_statistics").method

    assert method() == "last"
    assert method(many_series=True) == "standard"


# Segments by rule


@pytest.mark.parametrize(
    ("lookback", "season", "segment"),
    [
        (1, 1, 1),
        (16, 4, 1),  # short: value by value
        (24, 12, 3),  # a season leaves only 2 steps; an eighth of 24
        (48, 12, 12),  # a season leaves 4 steps
        (96, 24, 24),
        (96, 1, 12),
        (336, 24, 42),  # an eighth is longer than a season
        (104, 52, 13),
        (97, 24, 1),  # a prime
    ],
)
def test_default_segment_length_literally(lookback, season, segment):
    assert default_segment_length(lookback, season) == segment


@given(lookback=st.integers(1, 400), season=st.integers(1, 200))
def test_default_segment_length_divides_the_lookback_and_leaves_steps(lookback, season):
    segment = default_segment_length(lookback, season)
    assert lookback % segment == 0
    assert lookback // segment >= 4 or segment == 1


# Configurations


@every_family
@pytest.mark.parametrize("spec", [spec_of(length=8), spec_of(length=48, season=12, many_series=True)])
def test_drawn_configurations_begin_with_the_default_and_differ(family, spec):
    drawn = draw_configs(family, spec, 5)
    assert len(drawn) == 5
    assert len({tuple(sorted(config.items())) for config in drawn}) == 5
    assert drawn == draw_configs(family, spec, 5)
    assert drawn != draw_configs(family, spec, 5, seed=1)
    assert draw_configs(family, spec, 1) == draw_configs(family, spec, 1, seed=9) == drawn[:1]
    assert drawn[0]["learning_rate"] == 1e-3
    # no setting under two names: as many as there are, all of them different
    everything = draw_configs(family, spec, 10_000)
    assert len({tuple(sorted(config.items())) for config in everything}) == len(everything)
    assert all(value is not None for config in everything for value in config.values())


def test_a_fixed_setting_replaces_the_grid_where_the_family_has_it():
    fixed = {"units": 5, "segment_length": 2, "learning_rate": 0.1}
    assert all(c["units"] == 5 and c["segment_length"] == 2 for c in draw_configs("gru", spec_of(), 9, fixed=fixed))
    assert {c["learning_rate"] for c in draw_configs("linear", spec_of(), 9, fixed=fixed)} == {0.1}
    assert "units" not in draw_configs("linear", spec_of(), 1, fixed=fixed)[0]


# Cost


@pytest.mark.parametrize(
    ("family", "config", "wanted"),
    [
        # window of 8 rows and 2 channels (target and a covariate known ahead), horizon 3, head on 3 more future values
        ("linear", {}, (8 * 2 + 3) * 3),
        ("dense", {"units": 4}, (8 * 2 + 3) * 4 + 4 * 3),
        ("dense", {"units": 4, "num_layers": 2}, (8 * 2 + 3) * 4 + 4 * 4 + 4 * 3),
        # a step reads 2 channels and a state of 4, in 1, 3 or 4 gates of 4 units; the head 4 units and 3 future values
        ("simple_rnn", {"units": 4, "segment_length": 1}, 8 * (2 + 4) * 4 + (4 + 3) * 3),
        ("gru", {"units": 4, "segment_length": 1}, 8 * (2 + 4) * 12 + (4 + 3) * 3),
        ("lstm", {"units": 4, "segment_length": 1}, 8 * (2 + 4) * 16 + (4 + 3) * 3),
        # 2 segments of 4 × 2 values are projected on 4 units each
        ("gru", {"units": 4, "segment_length": 4}, 2 * 8 * 4 + 2 * (4 + 4) * 12 + (4 + 3) * 3),
        ("lstm", {"units": 4, "segment_length": 1, "num_layers": 2}, 8 * (2 + 4) * 16 + 8 * (4 + 4) * 16 + 7 * 3),
        # 8 steps of two convolutions, of 3 × 2 and 3 × 4 values, and the projection of 2 channels to 4
        (
            "tcn",
            {"units": 4, "segment_length": 1, "num_layers": 1},
            8 * (3 * 2 * 4 + 3 * 4 * 4 + 2 * 4) + (4 + 3) * 3,
        ),
        # the newest 3 steps of 2 channels are read once more
        ("gru", {"units": 4, "segment_length": 4, "autoregressive": 3}, 2 * 8 * 4 + 2 * 8 * 12 + 7 * 3 + 6 * 3),
        ("dense", {"units": 4, "window": 2, "autoregressive": 3}, (2 * 2 + 3) * 4 + 4 * 3 + 4 * 3),
        # two directions; the second layer and the head read both
        ("gru", {"units": 4, "segment_length": 1, "bidirectional": True}, 2 * 8 * (2 + 4) * 12 + (8 + 3) * 3),
        (
            "simple_rnn",
            {"units": 4, "segment_length": 1, "bidirectional": True, "num_layers": 2},
            2 * 8 * (2 + 4) * 4 + 2 * 8 * (8 + 4) * 4 + (8 + 3) * 3,
        ),
    ],
)
def test_macs_by_hand(family, config, wanted):
    assert macs(build(family, spec_of(channels=2, future=1), **config)) == wanted


def test_macs_of_several_targets():
    spec = spec_of(channels=2, targets=2)
    assert macs(build("linear", spec)) == 2 * (8 * 3)  # one network, run for each target
    assert macs(build("linear", spec, share_targets=False)) == 16 * 6  # all values for all steps
    assert macs(build("gru", spec, units=4, segment_length=1)) == 2 * (8 * (1 + 4) * 12 + 4 * 3)


def test_the_cost_of_a_convolution_without_padding():
    inputs = keras.Input((8, 1))
    model = keras.Model(inputs, keras.layers.Conv1D(2, 3)(inputs))
    assert macs(model) == 6 * 3 * 1 * 2  # six places, three steps of one channel, two units


def test_the_cost_of_an_unknown_layer_is_not_guessed():
    inputs = keras.Input((8, 1))
    model = keras.Model(inputs, keras.layers.LayerNormalization()(inputs))
    with pytest.raises(ValueError, match="cost of a LayerNormalization layer is not known"):
        macs(model)


# Dropout


@pytest.mark.parametrize("compiled", [False, True])
def test_dropout_leaves_out_its_fraction_and_keeps_the_mean(compiled):
    layer = Dropout(0.3, seed=1)
    run = tf.function(lambda x: layer(x, training=True), jit_compile=compiled)
    dropped = run(tf.ones((50, 20, 30))).numpy()
    assert np.unique(dropped) == pytest.approx([0, 1 / 0.7])
    assert (dropped == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert not np.array_equal(dropped, run(tf.ones((50, 20, 30))))  # another mask every time
    np.testing.assert_array_equal(layer(tf.ones((2, 3))), np.ones((2, 3)))


def test_dropout_of_whole_steps_and_from_a_seed():
    x = tf.ones((7, 50, 4))
    first, again = (Dropout(0.5, noise_shape=(None, None, 1), seed=3)(x, training=True).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, np.repeat(first[:, :, :1], 4, axis=2))
    assert 0 < (first[:, :, 0] == 0).mean() < 1


# From a seed


def test_a_thread_that_draws_random_numbers_meanwhile_changes_no_weights():
    """A Dask worker's threads did: in one training of six the first weights were others."""

    def drawn(meanwhile):
        with seeded(3):
            first = random.randint(1, 10**9)
            meanwhile()
            return [first, random.randint(1, 10**9)]

    def in_a_thread():
        thread = threading.Thread(target=lambda: random.randint(1, 6))
        thread.start()
        thread.join()

    assert drawn(in_a_thread) == drawn(lambda: None)
    state = random.getstate()
    alone = drawn(lambda: None)
    assert random.getstate() == state
    random.seed(3)
    assert [random.randint(1, 10**9) for _ in range(2)] == alone
    random.setstate(state)
