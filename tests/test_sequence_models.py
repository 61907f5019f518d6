"""Every family on texts, panels, tags and next words: one contract for all, and numbers that a hand can check."""

import re
from functools import cache, partial
from pathlib import Path
from typing import Annotated

import keras
import numpy as np
import pytest
import tensorflow as tf

from recurra.errors import InputError
from recurra.models import (
    FAMILIES,
    OFFSET_SETTINGS,
    TRAINING_SETTINGS,
    CarriedState,
    Plan,
    build,
    check_config,
    draw_configs,
    known_settings,
    list_families,
    macs,
    parse_settings,
    parse_variant,
    with_vectors,
)
from recurra.models.embedding import default_embedding
from recurra.models.language_model_inputs import default_language_window
from recurra.models.layers.dropout import Dropout, TokenDropout
from recurra.models.layers.hashed_ngrams import HashedNgrams
from recurra.models.layers.time_steps import FixedLength, JoinSteps, Pool, SumOfPositions, Windows
from recurra.models.recurrent_classifier import default_pooling, default_steps_per_segment
from recurra.models.settings import Rule, TokensOnly, applicable, at_least, settings_of
from recurra.spec import (
    ClassOutput,
    ForecastOutput,
    NextTokenOutput,
    SequenceSpec,
    TagOutput,
    TokensInput,
    ValueOutput,
    ValuesInput,
)

VOCABULARY, LENGTH, CHANNELS, CLASSES, BATCH = 11, 7, 2, 3, 5
KINDS = ("forecast", "class", "value", "tags", "next_token")
TITLES = dict(
    zip(KINDS, ("Forecasts", *["Classification and regression"] * 2, "Tagging", "Language models"), strict=True)
)
OUTPUTS = {"class": ClassOutput(CLASSES), "value": ValueOutput(), "tags": TagOutput(CLASSES)}
INPUTS = {"tokens": TokensInput(VOCABULARY, LENGTH), "values": ValuesInput(LENGTH, CHANNELS)}
LANGUAGE = SequenceSpec(TokensInput(VOCABULARY, LENGTH, conditions=2), NextTokenOutput(VOCABULARY))
SMALL = {"units": 3, "ngram_buckets": 20, "embedding": 4}
REGULARISED = {"dropout": 0.2, "variational": True, "token_dropout": 0.1, "weight_dropout": 0.3}
# More settings, for the families that have the first one of each.
SETTINGS = {
    "default": {},
    "both_ways": {"bidirectional": True, "num_layers": 2, "residual": True, "dropout": 0.2, "pooling": "last"},
    "segments": {"segment_length": 3, "ngrams": 2, "pooling": "mean", "bidirectional": True},
    "pairs": {"ngrams": 2},
    "window": {"reading": "window", "window": 4, "num_layers": 2, "input_dropout": 0.2, "ngrams": 3},
    "average": {"reading": "average", "input_dropout": 0.2},
    "fed_back": {"feedback": 2, "window": 2, "num_layers": 2},
}

every_family = pytest.mark.parametrize("family", FAMILIES)
every_kind = pytest.mark.parametrize("kind", KINDS)
# All recurrent families have one builder, whose settings two of them try at once, and the others with `make test-all`.
LATER = {"simple_rnn", "min_gru", "min_lstm"}
every_classifier = [
    pytest.param(
        family,
        kind,
        source,
        settings,
        id=f"{family}-{kind}-{source}-{settings}",
        marks=[pytest.mark.slow] if family in LATER and wanted else [],
    )
    for family in FAMILIES
    for kind in OUTPUTS
    for source in INPUTS
    for settings, wanted in SETTINGS.items()
    if not wanted or (next(iter(wanted)) in known_settings(family, kind) and kind != "value")
    if settings not in ("pairs", "window", "average") or source == "tokens"
]


def spec_of(kind, source):
    return SequenceSpec(INPUTS[source], OUTPUTS[kind])


def settings_for(family, spec, wanted):
    """Those of the settings that the family has for this kind of output and the inputs."""
    known = applicable(factory_settings(family, spec.kind), spec)
    return {name: value for name, value in (SMALL | wanted).items() if name in known}


def factory_settings(family, kind):
    return settings_of(FAMILIES[family].plans[kind].build)


@cache
def model_of(family, kind, source, settings="default"):
    spec = spec_of(kind, source)
    keras.utils.set_random_seed(0)
    return build(family, spec, **settings_for(family, spec, SETTINGS[settings]))


@cache
def language_model_of(family, tie_weights=False):
    keras.utils.set_random_seed(0)
    return build(family, LANGUAGE, **settings_for(family, LANGUAGE, {"window": 3, "tie_weights": tie_weights}))


def sequences(source, padding=0):
    """Sequences of all lengths from 1 to 7, padded with further columns, and which steps are real."""
    random = np.random.default_rng(1)
    lengths = np.array([LENGTH, 1, 4, 6, 3], "int32")
    real = np.arange(LENGTH + padding) < lengths[:, None]
    if source == "tokens":
        tokens = np.zeros((BATCH, LENGTH + padding), "int32")
        tokens[:, :LENGTH] = random.integers(1, VOCABULARY, (BATCH, LENGTH))
        return {"tokens": tf.constant(np.where(real, tokens, 0))}, real
    values = np.zeros((BATCH, LENGTH + padding, CHANNELS), "float32")
    values[:, :LENGTH] = random.normal(size=(BATCH, LENGTH, CHANNELS))
    return {"values": tf.constant(values * real[:, :, None]), "lengths": tf.constant(lengths)}, real


def some_text(model, batch=4, time=6, seed=0):
    """Tokens, zero states and conditions for a language model."""
    random = np.random.default_rng(seed)
    states = {x.name: tf.zeros((batch, *x.shape[1:]), x.dtype) for x in model.inputs if x.name.startswith("state_")}
    tokens = random.integers(2, VOCABULARY, (batch, time)).astype("int32")
    return {"tokens": tf.constant(tokens), "condition": tf.constant(np.arange(batch, dtype="int32") % 2), **states}


# Every family, every kind


def test_the_registry_has_every_pair():
    for family in FAMILIES.values():
        assert tuple(family.plans) == KINDS
        assert all(isinstance(plan, Plan) or plan for plan in family.plans.values())


@pytest.mark.parametrize(("family", "kind", "source", "settings"), every_classifier)
def test_conformance_of_classifiers(family, kind, source, settings, tmp_path):
    model, (inputs, _) = model_of(family, kind, source, settings), sequences(source)
    width = 1 if kind == "value" else CLASSES
    shape = (BATCH, LENGTH, width) if kind == "tags" else (BATCH, width)
    with tf.GradientTape() as tape:
        prediction = model(inputs, training=True)
        loss = tf.reduce_mean(tf.abs(prediction - 1.0))
    assert prediction.shape == shape
    assert model.output_shape == ((None, None, width) if kind == "tags" else (None, width))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(gradient is not None and np.isfinite(tf.convert_to_tensor(gradient)).all() for gradient in gradients)
    assert {tensor.name for tensor in model.inputs} == set(inputs)
    assert (macs(model, LENGTH) == 0) == (family == "linear" and source == "tokens")

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(inputs), model(inputs), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("num_layers", [1, 2])
def test_no_mask_of_keras_reaches_the_loss(num_layers):
    # Keras would divide the loss by its fraction of real steps, on top of the weights that leave padding out
    model = build("gru", spec_of("tags", "tokens"), units=2, bidirectional=True, num_layers=num_layers)
    assert getattr(model.output, "_keras_mask", None) is None


@pytest.mark.parametrize(("family", "kind", "source", "settings"), every_classifier)
def test_padding_changes_nothing(family, kind, source, settings):
    model, (inputs, real) = model_of(family, kind, source, settings), sequences(source)
    prediction = model(inputs).numpy()
    for padding in (3, 17):
        padded = model(sequences(source, padding)[0]).numpy()
        if kind == "tags":
            np.testing.assert_allclose(padded[:, :LENGTH][real], prediction[real], rtol=1e-5, atol=1e-5)
        else:
            np.testing.assert_allclose(padded, prediction, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("family", "kind", "source", "settings"), every_classifier)
def test_a_prediction_does_not_depend_on_the_batch(family, kind, source, settings):
    model, (inputs, real) = model_of(family, kind, source, settings), sequences(source)
    together = model(inputs).numpy()
    for i in (1, 4):
        steps = real[i].sum()  # without any padding
        alone = model({k: v[i : i + 1, :steps] if v.ndim > 1 else v[i : i + 1] for k, v in inputs.items()}).numpy()
        wanted = together[i, :steps] if kind == "tags" else together[i]
        np.testing.assert_allclose(alone[0], wanted, rtol=1e-5, atol=1e-5)


def test_what_stands_in_padded_values_does_not_matter():
    inputs, real = sequences("values", padding=2)
    dirty = {**inputs, "values": tf.where(real[:, :, None], inputs["values"], np.nan)}
    for family in FAMILIES:
        model = model_of(family, "class", "values")
        np.testing.assert_array_equal(model(dirty), model(inputs))


@every_family
@pytest.mark.parametrize("source", INPUTS)
def test_an_empty_sequence_has_a_prediction(family, source):
    inputs = {name: tf.zeros_like(x[:1]) for name, x in sequences(source)[0].items()}
    assert np.isfinite(model_of(family, "class", source)(inputs)).all()


@pytest.mark.parametrize(
    ("family", "kind", "source", "settings"),
    [
        ("simple_rnn", "tags", "tokens", "default"),
        ("gru", "class", "values", "both_ways"),
        ("lstm", "class", "tokens", "segments"),
        ("dense", "tags", "values", "fed_back"),
        ("tcn", "tags", "tokens", "default"),
        ("tcn", "class", "values", "segments"),
    ],
)
def test_training_compiles_for_every_length(family, kind, source, settings):
    spec = spec_of(kind, source)
    model = build(family, spec, **settings_for(family, spec, SETTINGS[settings]))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=True)
    for padding in (0, 2) if family == "lstm" else (0,):
        inputs, _ = sequences(source, padding)
        labels = np.zeros((BATCH, LENGTH + padding) if len(model.output_shape) == 3 else BATCH, "int32")
        assert np.isfinite(model.train_on_batch(inputs, labels))


@every_family
@pytest.mark.parametrize(("kind", "source"), [("class", "tokens"), ("tags", "values")])
def test_a_saved_model_gives_the_same(family, kind, source, tmp_path):
    settings = "both_ways" if family == "gru" else "segments" if family == "lstm" and source == "tokens" else "default"
    model, (inputs, _) = model_of(family, kind, source, settings), sequences(source, padding=2)
    model.export(tmp_path / "model", verbose=False)
    [served] = tf.saved_model.load(tmp_path / "model").signatures["serving_default"](**inputs).values()
    np.testing.assert_allclose(served, model(inputs), rtol=1e-5, atol=1e-6)


# Settings

WORK_ON = {
    "forecast": "forecasting",
    "class": "classification",
    "value": "regression",
    "tags": "tagging",
    "next_token": "language models",
}


@every_family
@every_kind
def test_wrong_settings_are_refused(family, kind):
    spec = forecast() if kind == "forecast" else LANGUAGE if kind == "next_token" else spec_of(kind, "tokens")
    named = f"{family} for {WORK_ON[kind]}"
    with pytest.raises(InputError, match=f"{named} has no setting `colour`; there are .*"):
        build(family, spec, colour="red")
    known = factory_settings(family, kind) | TRAINING_SETTINGS
    known |= OFFSET_SETTINGS if kind in ("class", "value", "tags") else {}
    if kind in ("forecast", "value"):  # whose loss is not the cross-entropy
        known.pop("label_smoothing")
    assert set(known) == known_settings(family, kind)
    for name in known_settings(family, kind):
        setting = known[name]
        for value in ("a", [1], -1, 1.5, float("nan"), None):
            if setting.constraint.fits(value) or (value is None and setting.may_be_none):
                continue
            message = re.escape(f"`{name}` of {named} must be {setting.constraint.expected}; received {value!r}")
            with pytest.raises(InputError, match=message):
                check_config(family, kind, {name: value})
            if name not in TRAINING_SETTINGS:
                with pytest.raises(InputError, match=message):
                    build(family, spec, **{name: value})


def forecast():
    return SequenceSpec(ValuesInput(8, 1), ForecastOutput(3))


def test_settings_literally():
    message = "`units` of lstm for classification must be a whole number of at least 1; received 0"
    with pytest.raises(InputError, match=message):
        build("lstm", spec_of("class", "tokens"), units=0)
    with pytest.raises(
        InputError, match=r"`dropout` of dense for forecasting must be a number from 0 to below 1; .* 1.5"
    ):
        build("dense", forecast(), dropout=1.5)
    with pytest.raises(InputError, match=r"`units` .* received 'a'"):
        build("gru", LANGUAGE, units="a")
    with pytest.raises(InputError, match=r"`units` .* received True"):
        build("gru", LANGUAGE, units=True)
    with pytest.raises(InputError, match=r"`window` of dense for language models .* at least 2; received 1"):
        build("dense", LANGUAGE, window=1)
    with pytest.raises(InputError, match="has no setting `embedding`"):
        build("gru", spec_of("tags", "values"), embedding=3)


def test_a_family_can_say_why_it_does_not_predict_a_kind(monkeypatch):
    monkeypatch.setitem(FAMILIES["linear"].plans, "tags", "it has no idea")
    with pytest.raises(InputError, match="the family linear cannot predict tags: it has no idea"):
        build("linear", spec_of("tags", "values"))
    assert "linear" not in list_families("tags")
    assert "linear" in list_families("class")


def test_settings_are_read_from_the_signature():
    """A factory that no table of names knows of."""
    least = at_least(3)

    def factory(
        family: str,
        spec: SequenceSpec,
        *,
        width: Annotated[int, least] = 4,
        depth: Annotated[float | None, least, Rule(lambda spec: spec.inputs.length), TokensOnly()] = None,
    ) -> None:
        del family, spec, width, depth

    known = settings_of(partial(factory, "name"))
    assert list(known) == ["width", "depth"]
    width, depth = known.values()
    assert (width.type, width.may_be_none, width.constraint, width.rule, width.tokens_only) == (
        int,
        False,
        least,
        None,
        False,
    )
    assert (depth.type, depth.may_be_none, depth.tokens_only) == (float, True, True)
    assert depth.rule.value(spec_of("class", "tokens")) == LENGTH
    assert set(applicable(known, spec_of("class", "tokens"))) == {"width", "depth"}
    assert set(applicable(known, spec_of("class", "values"))) == {"width"}


def test_a_setting_without_a_constraint_is_a_mistake():
    def factory(spec: SequenceSpec, *, width: int = 4) -> None:
        del spec, width

    with pytest.raises(TypeError, match="`width` needs a constraint in its annotation"):
        settings_of(factory)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("forecast", "window_norm=none", "none"),  # one of its words
        ("forecast", "window_norm=None", "none"),
        ("forecast", "window_norm=last", "last"),
        ("forecast", "segment_length=none", None),  # left to the rule
        ("class", "pooling=none", None),
        ("class", "pooling=MAX", "max"),
        ("class", "vectors=none", None),
        ("forecast", "residual=true", True),
        ("forecast", "residual=False", False),
        ("forecast", "units=32", 32),
        ("forecast", "dropout=0", 0.0),
        ("forecast", "learning_rate=1e-2", 0.01),
        ("next_token", " units = 8 ", 8),
    ],
)
def test_values_are_read_by_the_type_of_their_setting(kind, text, value):
    name = text.partition("=")[0].strip()
    for settings in (parse_settings([text], ["gru"], kind), parse_variant(f"gru:{text}", kind)[1]):
        assert settings == {name: value}
        assert type(settings[name]) is type(value)
        check_config("gru", kind, settings)


@pytest.mark.parametrize(
    ("kind", "text", "received"),
    [
        ("forecast", "units=none", "'none'"),  # has no rule
        ("forecast", "units=3.5", "'3.5'"),
        ("forecast", "residual=1", "'1'"),
        ("forecast", "window_norm=median", "'median'"),
        ("forecast", "dropout=nan", "nan"),
        ("class", "vectors=words.txt", "'words.txt'"),
    ],
)
def test_values_that_cannot_be_read_are_refused_as_they_are_written(kind, text, received):
    name = text.partition("=")[0]
    with pytest.raises(
        InputError, match=re.escape(f"`{name}` of gru for {WORK_ON[kind]} must be ") + f".*; received {received}"
    ):
        check_config("gru", kind, parse_settings([text], ["gru"], kind))


def test_window_norm_none_takes_nothing_from_the_window():
    [config] = draw_configs("gru", forecast(), 1, fixed=parse_settings(["window_norm=none"], ["gru"], "forecast"))
    assert config["window_norm"] == "none"


def test_variants_of_an_unknown_kind_are_read_by_their_look():
    assert parse_variant("gru") == ("gru", {})
    assert parse_variant("dense:feedback=1+dropout=0.5+residual=true+window=none+reading=window") == (
        "dense",
        {"feedback": 1, "dropout": 0.5, "residual": True, "window": None, "reading": "window"},
    )
    # several families: the setting of whichever has it
    assert parse_settings(["feedback=2", "units=3"], ["gru", "dense"], "tags") == {"feedback": 2, "units": 3}


@pytest.mark.parametrize("pair", ["units", "=3", ""])
def test_a_setting_has_a_name_and_a_value(pair):
    with pytest.raises(InputError, match="`config` must be NAME=VALUE, such as units=32; received"):
        parse_settings([pair], ["gru"], "class")


def settings_column(section, family):
    """Names in the last column of the rows of a family."""
    rows = re.findall(rf"^\| `{family}` \|(.*)$", section, re.MULTILINE)
    return [set(re.findall(r"`(\w+)`", row.split("|")[-2])) for row in rows]


@every_family
@every_kind
def test_every_setting_is_in_the_docs(family, kind):
    text = (Path(__file__).parents[1] / "docs" / "models.md").read_text(encoding="utf-8")
    [section] = re.findall(rf"^## {TITLES[kind]}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    [cells] = re.findall(r"^## Cells\n(.*?)(?=^## )", text, re.DOTALL | re.MULTILINE)
    [settings] = settings_column(section, family)
    if settings == {"simple_rnn"}:  # "as `simple_rnn`"
        [settings] = settings_column(section, "simple_rnn")
    own = set().union(*settings_column(cells, family))
    beside = set(OFFSET_SETTINGS) & known_settings(family, kind)  # has a section of its own
    assert settings | own == known_settings(family, kind) - {*TRAINING_SETTINGS} - beside
    assert all(f"## {name.capitalize()}" in text for name in beside)


@every_family
@pytest.mark.parametrize("source", INPUTS)
@pytest.mark.parametrize("kind", OUTPUTS)
def test_drawn_configurations_of_classifiers(family, kind, source):
    spec = spec_of(kind, source)
    drawn = draw_configs(family, spec, 10_000)
    assert len({tuple(sorted(config.items())) for config in drawn}) == len(drawn)
    assert len(drawn) >= 3
    assert all(value is not None for config in drawn for value in config.values())
    assert not any(config.get("feedback") for config in drawn)  # with a state it would be no simpler rival
    assert drawn[0] == draw_configs(family, spec, 1, seed=5)[0]
    names, known = set(drawn[0]) - {*TRAINING_SETTINGS}, factory_settings(family, kind)
    assert names <= known_settings(family, kind)
    assert source == "tokens" or not any(known[name].tokens_only for name in names)
    build(family, spec, **{k: v for k, v in drawn[0].items() if k not in TRAINING_SETTINGS})


def test_drawn_configurations_of_language_models_and_fixed_settings():
    for family in FAMILIES:
        config = draw_configs(family, LANGUAGE, 3, fixed={"embedding": 3, "units": 2, "reading": "window"})[-1]
        assert config["embedding"] == 3
        assert "reading" not in config
    vectors = np.ones((VOCABULARY, 2), "float32")
    [config] = draw_configs("gru", spec_of("tags", "tokens"), 1, fixed={"vectors": vectors, "embedding": None})
    assert config["vectors"] is vectors
    with pytest.raises(InputError, match="`units`"):
        draw_configs("gru", LANGUAGE, 1, fixed={"units": 0})


def test_what_follows_from_the_specification():
    def tokens(vocabulary, length):
        return SequenceSpec(TokensInput(vocabulary, length), ClassOutput(2))

    assert [default_embedding(tokens(v, 1)) for v in (10, 256, 257, 20_000)] == [32, 32, 64, 64]
    assert [default_steps_per_segment(tokens(9, n)) for n in (1, 128, 129, 400)] == [1, 1, 2, 4]
    assert default_pooling(tokens(9, 9)) == "max"
    assert default_pooling(spec_of("class", "values")) == "mean"
    assert [default_language_window(tokens(v, 9)) for v in (65, 10_000)] == [16, 5]


# Numbers a hand can check: one prediction per sequence, and tags


def set_by_name(model, **weights):
    """Set each layer's weights by its name; scalars fill."""
    for name, values in weights.items():
        layer = model.get_layer(name)
        layer.set_weights([np.broadcast_to(v, w.shape) for v, w in zip(values, layer.get_weights(), strict=True)])


def test_linear_bag_of_words_by_hand():
    model = build("linear", spec_of("class", "tokens"))
    scores = np.zeros((VOCABULARY, CLASSES))
    scores[0], scores[3], scores[4] = 99, (1, 0, 2), (3, 0, -2)
    set_by_name(model, embedding=[scores], head=[[0.5, 0, 0]])
    # twice word 3 and once word 4: (1 + 1 + 3) / 3 + 0.5, 0, (2 + 2 - 2) / 3
    np.testing.assert_allclose(model({"tokens": tf.constant([[3, 4, 3, 0]])}), [[2.166667, 0, 0.666667]], rtol=1e-6)


def test_hashed_ngrams_by_hand():
    # (3 × 1000003 + 4) mod 10 = 3000013 mod 10 = 3; (4 × 1000003 + 3) mod 10 = 4000015 mod 10 = 5; plus 1
    pairs = HashedNgrams(2, 11)(tf.constant([[3, 4, 3, 0, 0], [3, 0, 0, 0, 0]]))
    np.testing.assert_array_equal(pairs, [[0, 4, 6, 0, 0], [0, 0, 0, 0, 0]])
    # (3 × 1000003 + 4) × 1000003 + 3 = 3000013 × 1000003 + 3, whose last digit is 9 + 3 = 2; plus 1
    np.testing.assert_array_equal(HashedNgrams(3, 11)(tf.constant([[3, 4, 3, 0]])), [[0, 0, 3, 0]])
    large = HashedNgrams(3, 2**18)(tf.constant([[2**20 - 1] * 3])).numpy()  # stays within 63 bits
    run = ((2**20 - 1) * 1_000_003 + 2**20 - 1) * 1_000_003 + 2**20 - 1
    assert run < 2**63
    assert large[0, 2] == 1 + run % (2**18 - 1)


def test_ngrams_count_the_order_of_words():
    one, other = tf.constant([[3, 4, 5]]), tf.constant([[4, 3, 5]])
    for family in ("linear", "dense"):
        for ngrams in (1, 2):
            model = build(family, spec_of("class", "tokens"), ngrams=ngrams, ngram_buckets=1000)
            for weight in model.trainable_variables:
                weight.assign(np.random.default_rng(0).normal(size=weight.shape))
            apart = np.abs(model({"tokens": one}).numpy() - model({"tokens": other}).numpy()).max()
            assert (apart > 1e-2) == (ngrams == 2)


def test_linear_tags_by_hand():
    model = build("linear", SequenceSpec(INPUTS["values"], TagOutput(1)), window=3)
    # rows of the kernel: the step before, the current one, the next one, two channels each
    set_by_name(model, head=[[[1], [0], [10], [0], [100], [0]], 0.5])
    inputs = {"values": tf.constant([[[1.0, 9], [2, 9], [3, 9], [7, 9]]]), "lengths": tf.constant([3])}
    np.testing.assert_allclose(model(inputs)[0, :3, 0], [210.5, 321.5, 32.5])
    model = build("linear", SequenceSpec(INPUTS["tokens"], TagOutput(1)), window=3)
    table = np.zeros((VOCABULARY, 3))
    table[0], table[3], table[4] = 9, (1, 10, 100), (2, 20, 200)
    set_by_name(model, embedding=[table], head=[0.5])
    np.testing.assert_allclose(model({"tokens": tf.constant([[3, 4, 3, 0]])})[0, :3, 0], [210.5, 121.5, 12.5])


def test_dense_average_by_hand():
    model = build("dense", spec_of("class", "tokens"), reading="average", units=1, embedding=1)
    table = np.zeros((VOCABULARY, 1))
    table[0], table[3], table[4] = 99, 1, 3
    hidden = next(layer.name for layer in model.layers if layer.name.startswith("dense"))
    set_by_name(model, embedding=[table], head=[0.5, 0], **{hidden: [2, -1]})
    # relu(2 × (1 + 3) / 2 - 1) = 3; head 0.5
    np.testing.assert_allclose(model({"tokens": tf.constant([[3, 4, 0]])}), [[1.5, 1.5, 1.5]])


def test_dense_reads_the_average_and_the_strongest_sign():
    model = build("dense", SequenceSpec(INPUTS["tokens"], ValueOutput()), units=2, embedding=1)
    table = np.zeros((VOCABULARY, 1))
    table[3], table[4] = 1, 3
    hidden = next(layer.name for layer in model.layers if layer.name.startswith("dense"))
    set_by_name(model, embedding=[table], head=[1, 0], **{hidden: [1, 0]})
    # (1 + 3) / 2 + 3 = 5, of two units each; padding counts for neither
    np.testing.assert_allclose(model({"tokens": tf.constant([[3, 4, 0]])}), [[10]])


def test_dense_reads_the_average_alone_where_a_file_has_vectors():
    spec, vectors = spec_of("class", "tokens"), np.ones((VOCABULARY, 6), "float32")
    of_file = with_vectors(spec, vectors)
    assert [layer.name for layer in build("dense", spec).layers if layer.name in ("average", "highest")] == [
        "average",
        "highest",
    ]
    for model in (build("dense", spec, vectors=vectors), build("dense", of_file, vectors=vectors)):
        assert "highest" not in [layer.name for layer in model.layers]
    drawn = [draw_configs("dense", spec, 1)[0], draw_configs("dense", of_file, 1)[0]]
    drawn += draw_configs("dense", spec, 1, fixed={"vectors": vectors})
    assert [(config["reading"], config["embedding"]) for config in drawn] == [
        ("average_and_max", 32),
        ("average", 6),
        ("average", 6),
    ]
    readings = {config["reading"] for config in draw_configs("dense", of_file, 100)}
    assert readings == {"average", "average_and_max", "window"}


def test_dense_window_leaves_out_what_comes_later():
    model = model_of("dense", "class", "tokens", "window")  # reads four tokens
    targets = [model({"tokens": tf.constant([[3, 4, 5, 6, *rest]])}).numpy() for rest in ([], [7], [8, 9])]
    np.testing.assert_array_equal(targets[0], targets[1])
    np.testing.assert_array_equal(targets[0], targets[2])
    assert (model({"tokens": tf.constant([[3, 4, 5, 7]])}).numpy() != targets[0]).any()


@pytest.mark.parametrize(("pooling", "wanted"), [("last", 0.842886), ("mean", 0.652502), ("max", 0.842886)])
def test_simple_rnn_classifier_by_hand(pooling, wanted):
    # h1 = tanh(0.5 × 1) = 0.462117; h2 = tanh(0.5 × 2 + 0.5 × 0.462117) = 0.842886; then padding
    model = build("simple_rnn", SequenceSpec(ValuesInput(4, 1), ValueOutput()), units=1, pooling=pooling)
    model.set_weights([np.full(w.shape, 0.5 if len(w.shape) == 2 else 0) for w in model.get_weights()])
    inputs = {"values": tf.constant([[[1.0], [2], [9], [9]]]), "lengths": tf.constant([2])}
    assert model(inputs).numpy()[0, 0] == pytest.approx(0.5 * wanted, abs=1e-6)


@pytest.mark.parametrize(("pooling", "wanted"), [("last", 3), ("mean", 2.125), ("max", 3)])
def test_tcn_classifier_by_hand(pooling, wanted):
    # kernels of 2, all 0.5: 0.5, 1.5; second convolution 0.25, 1; with the input 1.25, 3; then padding
    spec = SequenceSpec(ValuesInput(4, 1), ValueOutput())
    model = build("tcn", spec, units=1, kernel_size=2, num_layers=1, pooling=pooling)
    model.set_weights([np.full(w.shape, 0.5 if len(w.shape) > 1 else 0) for w in model.get_weights()])
    inputs = {"values": tf.constant([[[1.0], [2], [9], [9]]]), "lengths": tf.constant([2])}
    assert model(inputs).numpy()[0, 0] == pytest.approx(0.5 * wanted)


def test_a_tcn_language_model_carries_its_receptive_field():
    model = build("tcn", LANGUAGE, units=3, num_layers=2, kernel_size=2)
    assert model.input["state_0"].shape == (None, 6)  # 1 + 2 × 1 × (2² - 1) = 7 tokens, the current one included
    random = np.random.default_rng(0)  # above 0: no relu is off
    model.set_weights([random.uniform(0.1, 1, w.shape) for w in model.get_weights()])
    inputs = some_text(model, batch=1)
    logits = model(inputs)["logits"].numpy()
    for place in range(6):  # each of the ids before counts for the first token
        before = np.zeros((1, 6), "int32")
        before[0, place] = 5
        assert (np.abs(model({**inputs, "state_0": tf.constant(before)})["logits"].numpy() - logits)[0, 0] > 1e-4).all()


def test_segments_of_words_are_averaged():
    x, real = JoinSteps(2, "average")(tf.constant([[[1.0], [3], [5], [9]]]), tf.constant([[True, True, True, False]]))
    np.testing.assert_array_equal(x, [[[2], [5]]])
    np.testing.assert_array_equal(real, [[True, True]])
    x, real = JoinSteps(3, "average")(tf.constant([[[1.0], [3], [5], [9]]]), tf.constant([[True, False, False, False]]))
    np.testing.assert_array_equal(x, [[[1], [0]]])
    np.testing.assert_array_equal(real, [[True, False]])


def test_segments_of_values_are_set_side_by_side():
    x, real = JoinSteps(2, "concatenate")(tf.constant([[[1.0], [3], [5]]]), tf.constant([[True, True, True]]))
    np.testing.assert_array_equal(x, [[[1, 3], [5, 0]]])
    np.testing.assert_array_equal(real, [[True, True]])


def test_pooling_by_hand():
    x = tf.constant([[[-1.0], [-3], [7]], [[1], [2], [3]]])
    real = tf.constant([[True, True, False], [False, False, False]])
    targets = {how: Pool(how)(x, real).numpy()[:, 0].tolist() for how in ("last", "mean", "max")}
    assert targets == {"last": [-3, 0], "mean": [-2, 0], "max": [-1, 0]}
    attention = Pool("attention")
    np.testing.assert_allclose(attention(x, real)[:, 0], [-2, 0])  # at first the mean
    attention.direction.assign([2.0])
    one, three = np.exp(2 * np.tanh([-1, -3]))
    np.testing.assert_allclose(attention(x, real)[:, 0], [(-one - 3 * three) / (one + three), 0], rtol=1e-6)


def test_windows_by_hand():
    x = tf.constant([[[1.0], [2], [3]]])
    np.testing.assert_array_equal(Windows(2)(x), [[[1, 2], [2, 3]]])
    np.testing.assert_array_equal(FixedLength(2)(x)[0, :, 0], [1, 2])
    np.testing.assert_array_equal(FixedLength(5)(x)[0, :, 0], [1, 2, 3, 0, 0])
    parts = tf.constant([[[1.0, 10], [2, 20], [3, 30]]])  # of each step: its part as the first, and as the second
    np.testing.assert_array_equal(SumOfPositions(2)(parts), [[[1 + 20], [2 + 30]]])


def test_a_jordan_network_adds_numbers_of_any_length():
    # n = a + b + s; hidden: relu(n), relu(n - 1), relu(n - 2)
    # the sum's bit is n mod 2 = relu(n) - 2 relu(n - 1) + 2 relu(n - 2); the carry tanh(20 relu(n - 1)) is 0 or 1
    model = build("dense", SequenceSpec(ValuesInput(100, 2), TagOutput(2)), window=1, units=3, feedback=1)
    outputs = [[0, 1, 0], [0, -2, 20], [0, 2, 0]]
    set_by_name(model, feedback=[1, [0, -1, -2], outputs, [0, -0.5, 0]])
    random = np.random.default_rng(0)
    bits = random.integers(0, 2, (50, 100, 2))
    bits[:, -1] = 0  # room for the last carry
    powers = 2 ** np.arange(100, dtype=object)
    wanted = (bits[:, :, 0] * powers).sum(axis=1) + (bits[:, :, 1] * powers).sum(axis=1)
    inputs = {"values": tf.constant(bits, tf.float32), "lengths": tf.fill([50], 100)}
    tags = model(inputs).numpy().argmax(axis=2)
    np.testing.assert_array_equal((tags * powers).sum(axis=1), wanted)


def test_a_window_of_tags_looks_back_only():
    for family in ("dense", "tcn", "simple_rnn"):
        model = model_of(family, "tags", "tokens")
        one, other = tf.constant([[3, 4, 5, 6]]), tf.constant([[3, 4, 5, 7]])
        np.testing.assert_allclose(model({"tokens": one})[:, :3], model({"tokens": other})[:, :3], atol=1e-6)
    model = build("dense", spec_of("tags", "tokens"), window=2)
    one, other = (
        model({"tokens": tf.constant([[3, 4, 5]])}).numpy(),
        model({"tokens": tf.constant([[9, 4, 5]])}).numpy(),
    )
    assert np.abs(one - other)[0, 1].max() > 1e-4
    np.testing.assert_allclose(one[0, 2], other[0, 2], atol=1e-6)


def test_pretrained_vectors():
    vectors = np.random.default_rng(0).normal(size=(VOCABULARY, 6)).astype("float32")
    for family in ("dense", "lstm"):
        for kind in ("class", "tags"):
            spec = spec_of(kind, "tokens")
            model = build(family, spec, vectors=vectors, train_vectors=False, units=2)
            np.testing.assert_array_equal(model.get_layer("embedding").embeddings, vectors)
            assert not model.get_layer("embedding").trainable_variables
            assert build(family, spec, vectors=vectors, units=2).get_layer("embedding").trainable_variables
            with pytest.raises(InputError, match=r"`vectors` must have a row for each of the 11 tokens; .*\(10, 6\)"):
                build(family, spec, vectors=vectors[1:])
            two = build(family, spec, vectors=vectors, train_vectors=False, second_embedding=3, units=2)
            assert two.get_layer("channels").output.shape[-1] == 6 + 3
            assert [v.path for v in two.trainable_variables if "embedding" in v.path] == ["second_embedding/embeddings"]
            with pytest.raises(InputError, match="`second_embedding` stands beside `vectors`"):
                build(family, spec, second_embedding=3)
            with pytest.raises(InputError, match="6 dimensions, so `embedding` must be that; received 5"):
                build(family, spec, vectors=vectors, embedding=5)


def test_input_dropout_leaves_out_whole_tokens():
    model = build("gru", spec_of("class", "tokens"), input_dropout=0.5, **SMALL)
    layer = model.get_layer("input_dropout")
    dropped = layer(tf.ones((20, 30, 4)), training=True).numpy()
    assert set(np.unique(dropped)) == {0, 2}
    assert (dropped == dropped[:, :, :1]).all()


# Language models


@every_family
@pytest.mark.parametrize("tie_weights", [False, True])
def test_conformance_of_language_models(family, tie_weights, tmp_path):
    if tie_weights and "tie_weights" not in known_settings(family, "next_token"):
        pytest.skip("this family has nothing to tie")
    model = language_model_of(family, tie_weights)
    inputs = some_text(model)
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        loss = tf.reduce_mean(tf.square(outputs["logits"] - 1.0))
    assert outputs["logits"].shape == (4, 6, VOCABULARY)
    states = {name for name in inputs if name.startswith("state_")}
    assert set(outputs) == {"logits"} | states
    assert all(
        outputs[name].shape == inputs[name].shape and outputs[name].dtype == inputs[name].dtype for name in states
    )
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(gradient is not None and np.isfinite(tf.convert_to_tensor(gradient)).all() for gradient in gradients)
    assert macs(model) > 0
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")(inputs)
    for name in outputs:
        np.testing.assert_allclose(loaded[name], model(inputs)[name], rtol=1e-6, atol=1e-6)


@every_family
def test_a_text_read_in_pieces_gives_the_same(family):
    model = language_model_of(family)
    inputs = some_text(model, time=7)
    whole = model(inputs)
    state, logits = {name: x for name, x in inputs.items() if name.startswith("state_")}, []
    for piece in (inputs["tokens"][:, :1], inputs["tokens"][:, 1:5], inputs["tokens"][:, 5:]):
        outputs = model({"tokens": piece, "condition": inputs["condition"], **state})
        logits.append(outputs.pop("logits"))
        state = outputs
    np.testing.assert_allclose(tf.concat(logits, axis=1), whole["logits"], rtol=1e-5, atol=1e-5)
    for name in state:
        np.testing.assert_allclose(state[name], whole[name], rtol=1e-5, atol=1e-5)


@every_family
def test_a_language_model_does_not_see_ahead_and_takes_the_condition(family):
    model = language_model_of(family)
    inputs = some_text(model)
    later = tf.concat([inputs["tokens"][:, :4], inputs["tokens"][:, 4:] % 7 + 3], axis=1)
    logits = model(inputs)["logits"].numpy()
    np.testing.assert_allclose(model({**inputs, "tokens": later})["logits"][:, :4], logits[:, :4], atol=1e-6)
    changed = model({**inputs, "condition": 1 - inputs["condition"]})["logits"].numpy()
    assert (np.abs(changed - logits).max(axis=(1, 2)) > 1e-5).all()


@every_family
def test_a_saved_language_model_gives_the_same(family, tmp_path):
    model = language_model_of(family, tie_weights=family == "lstm")
    inputs = some_text(model, batch=3)
    model.export(tmp_path / "model", verbose=False)
    served = tf.saved_model.load(tmp_path / "model").signatures["serving_default"](**inputs)
    outputs = model(inputs)
    assert set(served) == set(outputs)
    for name in outputs:
        np.testing.assert_allclose(served[name], outputs[name], rtol=1e-5, atol=1e-6)


def test_log_bilinear_by_hand():
    spec = SequenceSpec(TokensInput(5, 9), NextTokenOutput(5))
    model = build("linear", spec, window=2, embedding=1)
    table = np.zeros((5, 2))
    table[0], table[3], table[4] = (7, 0), (1, 10), (2, 20)  # as the token before, as the current token
    set_by_name(model, embedding=[table], head=[0.5, 1])
    outputs = model({"tokens": tf.constant([[3, 4, 3]]), "state_0": tf.constant([[0]])})
    # 0.5 × (7 + 10) + 1; 0.5 × (1 + 20) + 1; 0.5 × (2 + 10) + 1
    np.testing.assert_allclose(outputs["logits"][0, :, 0], [9.5, 11.5, 7])
    np.testing.assert_array_equal(outputs["state_0"], [[3]])


def test_a_tied_head_has_no_table_of_its_own():
    spec = SequenceSpec(TokensInput(100, 9), NextTokenOutput(100))
    plain, tied = (build("lstm", spec, units=8, tie_weights=tie) for tie in (False, True))
    assert plain.count_params() - tied.count_params() == 100 * 8
    narrow = build("lstm", spec, units=8, embedding=3, tie_weights=True)
    assert narrow.get_layer("projection").kernel.shape == (8, 3)
    # logits are products with the tokens' own vectors
    x = tf.random.normal((1, 2, 8))
    table = tied.get_layer("embedding")
    np.testing.assert_allclose(table(x, reverse=True), x @ tf.transpose(table.embeddings.value), rtol=1e-5)


# Carried states


@pytest.mark.parametrize("family", ["dense", "tcn", "simple_rnn", "lstm"])
def test_carried_states_go_from_batch_to_batch(family):
    network = language_model_of(family)
    carried = CarriedState(network, batch_size=4)
    inputs = some_text(network, time=6)
    others = {"condition": inputs["condition"], "start": tf.zeros(4)}
    whole = network(inputs)["logits"]
    tokens = inputs["tokens"]
    first = carried({**others, "tokens": tokens[:, :2]})
    second = carried({**others, "tokens": tokens[:, 2:]})
    np.testing.assert_allclose(tf.concat([first, second], axis=1), whole, rtol=1e-5, atol=1e-5)
    # two rows begin a new text, two go on
    start = tf.constant([1.0, 0, 1, 0])
    again = carried({**others, "tokens": tokens, "start": start}).numpy()
    alike = np.isclose(again, whole, rtol=1e-5, atol=1e-5).all(axis=(1, 2))
    assert alike.tolist() == [True, False, True, False]


@pytest.mark.parametrize("family", [pytest.param("dense", marks=pytest.mark.slow), "lstm"])
def test_carried_states_train_compiled_in_several_steps_at_once(family, tmp_path):
    keras.utils.set_random_seed(0)
    network = build(family, LANGUAGE, **settings_for(family, LANGUAGE, REGULARISED))
    carried = CarriedState(network, batch_size=4)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    carried.compile("adam", loss, jit_compile=True, steps_per_execution=2)
    before = [w.numpy() for w in network.trainable_variables]
    text = np.random.default_rng(0).integers(3, VOCABULARY, (16, 5)).astype("int32")  # four batches
    inputs = {"tokens": text, "start": np.zeros(16, "float32"), "condition": np.zeros(16, "int32")}
    history = carried.fit(inputs, text, batch_size=4, shuffle=False, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert len(carried.trainable_variables) == len(network.trainable_variables)
    assert all((w.numpy() != b).any() for w, b in zip(network.trainable_variables, before, strict=True) if b.ndim > 1)
    assert all((state.numpy() != 0).any() for state in carried.carried)
    assert macs(carried) == macs(network)

    carried.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    batch = {name: tf.constant(x[:4]) for name, x in inputs.items()}
    np.testing.assert_allclose(loaded(batch), carried(batch), rtol=1e-6, atol=1e-6)


def test_variational_dropout_leaves_out_the_same_at_all_steps():
    network = build("gru", LANGUAGE, units=8, embedding=8, dropout=0.5, variational=True)
    first = next(layer for layer in network.layers if isinstance(layer, Dropout))
    kept = first(tf.ones((3, 5, 8)), training=True).numpy() > 0
    assert (kept == kept[:, :1]).all()
    assert not kept.all()
    assert (kept[0] != kept[1]).any()


def test_token_dropout_leaves_out_a_token_wherever_it_stands():
    tokens = tf.constant([[3, 4, 3, 5, 3], [4, 4, 3, 6, 7]])
    layer = TokenDropout(0.5, VOCABULARY, seed=1)
    seen = layer(tf.ones((2, 5, 2)), tokens, training=True).numpy()
    for token in range(3, 8):
        assert len(np.unique(seen[tokens == token])) == 1
    assert set(np.unique(seen)) == {0.0, 2.0}
    np.testing.assert_array_equal(layer(tf.ones((2, 5, 2)), tokens), tf.ones((2, 5, 2)))


def test_a_cell_without_recurrent_weights_refuses_to_leave_some_out():
    with pytest.raises(
        InputError, match="`weight_dropout` leaves out weights from state to state, and min_gru has none"
    ):
        check_config("min_gru", "next_token", {"weight_dropout": 0.5})


def test_no_gradient_goes_back_beyond_one_call():
    network = build("simple_rnn", SequenceSpec(TokensInput(5, 9), NextTokenOutput(5)), units=1, embedding=1)
    carried = CarriedState(network, batch_size=1)
    others = {"start": tf.zeros(1)}
    with tf.GradientTape() as tape:
        carried({"tokens": tf.constant([[3]]), **others})
        logits = carried({"tokens": tf.constant([[4]]), **others})
    gradient = tf.convert_to_tensor(tape.gradient(logits, network.get_layer("embedding").embeddings.value)).numpy()
    assert gradient[4] != 0
    assert gradient[3] == 0


# Cost


@pytest.mark.parametrize(
    ("family", "kind", "source", "config", "wanted"),
    [
        # 7 steps of 4 dimensions or 2 channels, 3 classes
        ("linear", "class", "tokens", {}, 0),
        ("linear", "class", "values", {}, 7 * 2 * 3),
        ("linear", "tags", "values", {"window": 3}, 7 * (3 * 2) * 3),
        ("dense", "class", "tokens", {"units": 5, "embedding": 4}, 2 * 4 * 5 + 5 * 3),
        ("dense", "class", "values", {"units": 5}, 7 * 2 * 5 + 5 * 3),
        ("dense", "tags", "tokens", {"units": 5, "embedding": 4, "window": 3}, 7 * (12 * 5 + 5 * 3)),
        ("dense", "tags", "values", {"units": 5, "window": 3, "feedback": 2}, 7 * ((6 + 2) * 5 + 5 * (3 + 2))),
        ("gru", "class", "tokens", {"units": 5, "embedding": 4}, 7 * (4 + 5) * 15 + 5 * 3),
        ("lstm", "tags", "values", {"units": 5}, 7 * ((2 + 5) * 20 + 5 * 3)),
        # 7 steps of two convolutions of 3 steps, and the projection of 4 dimensions
        ("tcn", "tags", "tokens", {"units": 5, "embedding": 4, "num_layers": 1}, 7 * (60 + 75 + 20 + 5 * 3)),
        ("tcn", "class", "values", {"units": 5, "segment_length": 3, "num_layers": 1}, 3 * (90 + 75 + 30) + 5 * 3),
        # 3 segments of 3 steps: averaged words; 3 × 2 values projected on 5 units
        ("gru", "class", "tokens", {"units": 5, "embedding": 4, "segment_length": 3}, 3 * (4 + 5) * 15 + 15),
        ("gru", "value", "values", {"units": 5, "segment_length": 3}, 3 * 6 * 5 + 3 * (5 + 5) * 15 + 5),
        (
            "lstm",
            "class",
            "tokens",
            {"units": 5, "embedding": 4, "bidirectional": True, "num_layers": 2},
            2 * 7 * (4 + 5) * 20 + 2 * 7 * (10 + 5) * 20 + 10 * 3,
        ),
    ],
)
def test_macs_of_classifiers_by_hand(family, kind, source, config, wanted):
    assert macs(build(family, spec_of(kind, source), **config), LENGTH) == wanted


def test_macs_of_language_models_by_hand():
    spec = SequenceSpec(TokensInput(100, 9), NextTokenOutput(100))
    assert macs(build("linear", spec, embedding=4)) == 4 * 100
    assert macs(build("dense", spec, embedding=4, window=3, units=5)) == 12 * 5 + 5 * 100
    assert macs(build("lstm", spec, embedding=4, units=5, num_layers=2)) == (4 + 5 + 5 + 5) * 20 + 5 * 100
    tied = build("gru", spec, embedding=4, units=5, tie_weights=True)
    assert macs(tied) == (4 + 5) * 15 + 5 * 4 + 4 * 100
    assert macs(tied, 10) == 10 * macs(tied)


def test_the_length_of_a_classifier_is_asked_for():
    with pytest.raises(ValueError, match="`length` is needed"):
        macs(model_of("gru", "class", "tokens"))
