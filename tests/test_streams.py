"""Streams: one observation at a time gives what the whole sequence gives; a moment can be kept, forked, taken back."""

import itertools

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import recurra
from recurra.errors import InputError
from recurra.export import load_model, save_model
from recurra.frames import CorpusFrame, PanelFrame, SeriesFrame, TextFrame
from recurra.models import build
from recurra.models.recurrent import portable
from recurra.models.stepwise import NotStepwise, Stepwise
from recurra.pipelines import LanguagePipeline, SequenceEncoder, SequencePipeline, SeriesPipeline, TextEncoder
from recurra.predictor import Predictor
from recurra.predictor.forecast import ForecastNetwork, ForecastSchema, Intervals
from recurra.predictor.language_model import LanguageModelNetwork, LanguageModelSchema
from recurra.predictor.sequences import SequenceNetwork, SequenceSchema
from recurra.spec import ClassOutput, ForecastOutput, SequenceSpec, TagOutput, TokensInput, ValueOutput, ValuesInput
from recurra.stream_state import StreamCursor, StreamState

FAMILIES = ("simple_rnn", "gru", "lstm")
BATCH, TIME = 2, 7
RNG = np.random.default_rng(0)


def random_weights(model):
    model.set_weights([RNG.normal(0, 0.6, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


# A network, one step at a time


def steps_of(network, sequence, constant):
    """Outputs after each step, and whether there was one."""
    step = Stepwise(network)
    states = {name: tf.zeros([BATCH, *shape], dtype) for name, (shape, dtype) in step.state_shapes.items()}
    name = "tokens" if sequence.ndim == 2 else "values"
    for t in range(sequence.shape[1]):
        output, states, begun = step({name: tf.constant(sequence[:, t : t + 1]), **constant}, states)
        yield np.asarray(output), True if begun is None else bool(begun.numpy().all())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["values", "tokens"])
def test_a_network_gives_at_each_step_what_the_whole_sequence_gives(family, kind):
    inputs = ValuesInput(TIME, 2) if kind == "values" else TokensInput(20, TIME)
    sequence = RNG.normal(size=(BATCH, TIME, 2)).astype("float32")
    if kind == "tokens":
        sequence = RNG.integers(1, 20, size=(BATCH, TIME)).astype("int32")
    more = {"ngrams": 3, "ngram_buckets": 30} if kind == "tokens" else {}
    poolings = ("last", "mean", "max", "attention")
    settings = [(pooling, segment, 1) for pooling, segment in itertools.product(poolings, (1, 3))]
    networks = [
        build(
            family, SequenceSpec(inputs, output), units=3, pooling=pooling, segment_length=segment, num_layers=n, **more
        )
        for output, (pooling, segment, n) in zip(
            [ClassOutput(3), ValueOutput()] * 5, [*settings, ("mean", 2, 2), ("max", 3, 2)], strict=True
        )
    ]
    tagger = build(family, SequenceSpec(inputs, TagOutput(3)), units=3, num_layers=2, residual=True, **more)
    for network in map(random_weights, [*networks, tagger]):
        ones = {"lengths": tf.ones([BATCH], tf.int32)} if kind == "values" else {}
        for t, (output, _) in enumerate(steps_of(network, sequence, ones)):
            if t not in (3, TIME - 1):
                continue
            given = {name: tf.fill([BATCH], t + 1) for name in ones}
            with portable():  # a loop compiled for each length would take most of the test's time
                whole = np.asarray(network({kind: tf.constant(sequence[:, : t + 1]), **given}, training=False))
            np.testing.assert_allclose(output, whole[:, -1:] if network is tagger else whole, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("targets", "future", "share", "segment", "layers"), [(1, 0, True, 1, 2), (2, 1, True, 3, 2), (2, 1, False, 2, 1)]
)
def test_a_forecaster_gives_at_each_row_what_all_rows_give(family, targets, future, share, segment, layers):
    def network(rows):
        spec = SequenceSpec(ValuesInput(rows, targets + 1, future), ForecastOutput(2, targets))
        settings = {"units": 3, "segment_length": segment, "num_layers": layers, "share_targets": share}
        return build(family, spec, window_norm="none", residual=True, **settings)

    trained = random_weights(network(TIME))
    sequence = RNG.normal(size=(BATCH, TIME, targets + 1)).astype("float32")
    ahead = {"future": RNG.normal(size=(BATCH, 2, 1)).astype("float32")} if future else {}
    for t, (output, begun) in enumerate(steps_of(trained, sequence, ahead)):
        assert begun == (t + 1 >= segment)
        if t not in (segment - 1, 3, 4, TIME - 1):
            continue
        whole = network(t + 1)
        whole.set_weights(trained.get_weights())
        with portable():
            expected = whole({"values": sequence[:, : t + 1], **ahead}, training=False)
        np.testing.assert_allclose(output, expected, atol=1e-5)


@pytest.mark.parametrize(("segment", "steps"), [(1, 1), (1, 4), (3, 2), (2, 5)])
def test_a_linear_path_moves_on_with_every_row(segment, steps):
    def network(rows):
        spec = SequenceSpec(ValuesInput(rows, 3), ForecastOutput(2, 2))
        return build("gru", spec, window_norm="none", units=3, segment_length=segment, autoregressive=steps)

    trained = random_weights(network(TIME))
    sequence = RNG.normal(size=(BATCH, TIME, 3)).astype("float32")
    for t, (output, begun) in enumerate(steps_of(trained, sequence, {})):
        assert begun == (t + 1 >= max(segment, steps))
        if t not in (max(segment, steps) - 1, TIME - 2, TIME - 1):
            continue
        whole = network(t + 1)
        whole.set_weights(trained.get_weights())
        with portable():
            expected = whole({"values": sequence[:, : t + 1]}, training=False)
        np.testing.assert_allclose(output, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("family", "spec", "settings", "why"),
    [
        ("gru", SequenceSpec(TokensInput(9, 5), ClassOutput(2)), {"bidirectional": True}, "from its end"),
        ("lstm", SequenceSpec(ValuesInput(5, 1), ForecastOutput(1)), {"window_norm": "last"}, "`window_norm` 'last'"),
        ("gru", SequenceSpec(ValuesInput(5, 1), ForecastOutput(1)), {"window_norm": "standard"}, "newest row settles"),
        ("linear", SequenceSpec(ValuesInput(5, 1), ForecastOutput(1)), {}, "no recurrent layer"),
        ("tcn", SequenceSpec(TokensInput(9, 5), TagOutput(2)), {"units": 4}, "no recurrent layer"),
        (
            "dense",
            SequenceSpec(TokensInput(9, 5), TagOutput(2)),
            {"units": 4, "feedback": 1},
            "no recurrent layer|several",
        ),
    ],
)
def test_what_cannot_be_run_so_says_why(family, spec, settings, why):
    with pytest.raises(NotStepwise, match=why):
        Stepwise(build(family, spec, **settings))


# Predictors and exported models of every task

TEXTS = ["good film good", "bad film", "so bad it is good", "what a bad film"] * 4


def sequence_predictor(frame, encoder, family, **settings):
    pipeline = SequencePipeline(encoder).fit(frame)
    network = SequenceNetwork(pipeline, random_weights(build(family, pipeline.spec, units=3, **settings)))
    return Predictor(SequenceSchema.of(pipeline, frame), network, frame.task), frame


def series(*, shops=1, gap=False):
    rows = []
    for shop in range(shops):
        sold = 50 + 10 * np.sin(np.arange(40)) + RNG.normal(size=40)
        if gap:
            sold[[7, 8]] = np.nan
        days = pd.date_range("2024-01-01", periods=40)
        rows.append(pd.DataFrame({"shop": str(shop), "day": days, "sold": sold, "price": RNG.normal(size=40)}))
    return pd.concat(rows, ignore_index=True)


def forecast_predictor(table, family, *, intervals=True, future=False, window_norm="none", segment=1, **settings):
    roles = {"future_covariates" if future else "past_covariates": ["price"]}
    frame = SeriesFrame.from_table(table, time="day", target="sold", id="shop", **roles)
    pipeline = SeriesPipeline(lookback=6, horizon=2, **settings).fit(frame)
    model = {"units": 3, "window_norm": window_norm, "segment_length": segment}
    if family == "linear":
        model = {}
    network = random_weights(build(family, pipeline.spec, **model))
    offsets = Intervals((80,), np.ones((1, 2, 1))) if intervals else None
    return Predictor(ForecastSchema.of(pipeline, frame), ForecastNetwork(pipeline, network, offsets), "forecast"), frame


def language_predictor(frame, family, tokens):
    pipeline = LanguagePipeline(tokens=tokens, min_count=1).fit(frame)
    network = LanguageModelNetwork(pipeline, random_weights(build(family, pipeline.spec, units=4)))
    return Predictor(LanguageModelSchema.of(pipeline, frame), network, "language-model"), frame


def make_all():
    labels, prices = ["pos", "neg"] * 8, list(np.arange(16.0))
    text = pd.DataFrame({"text": TEXTS, "label": labels, "price": prices})
    arrays = [RNG.normal(50, 9, size=(n, 2)) for n in (3, 5, 4, 7) * 4]
    tags = [["hi" if step[0] > 50 else "lo" for step in array] for array in arrays]
    words = [{"words": t.split(), "tags": [w[0] for w in t.split()]} for t in TEXTS]
    names = pd.DataFrame({"name": ["bara", "bilo", "dona", "firo"] * 4, "kind": ["A", "O"] * 8})
    return {
        "texts": sequence_predictor(
            TextFrame.from_table(text, text="text", label="label"),
            TextEncoder(min_count=1, sequence_length=9),
            "gru",
            ngrams=2,
            ngram_buckets=50,
        ),
        "prices": sequence_predictor(
            TextFrame.from_table(text, text="text", value="price"),
            TextEncoder(tokens="char", sequence_length=30),
            "lstm",
            segment_length=3,
        ),
        "words": sequence_predictor(
            TextFrame.from_records(words, text="words", tags="tags"), TextEncoder(tokens=None), "simple_rnn"
        ),
        "panel": sequence_predictor(PanelFrame.from_arrays(arrays, labels), SequenceEncoder(), "lstm"),
        "steps": sequence_predictor(
            PanelFrame.from_arrays(arrays, tags, task="tagging", channels=("x", "y")),
            SequenceEncoder(missing="ffill"),
            "gru",
        ),
        "sales": forecast_predictor(series(), "lstm", segment=2, calendar=("week",), future=True, transform="log"),
        "gaps": forecast_predictor(series(gap=True), "gru", missing="ffill"),
        "window": forecast_predictor(series(shops=2, gap=True), "gru", window_norm="standard", calendar=("week",)),
        "linear": forecast_predictor(series(), "linear", future=True),
        "song": language_predictor(CorpusFrame.from_text("the cat sat.\n\nThe dog ran.\n\n" * 20), "lstm", "word"),
        "names": language_predictor(TextFrame.from_table(names, text="name", label="kind"), "gru", "char"),
    }


@pytest.fixture(scope="module")
def made():
    return make_all()


@pytest.fixture(scope="module")
def loaded(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models")
    kinds = ("texts", "words", "steps", "sales", "window", "song")  # the others differ in what comes before the export
    return {name: load_model(save_model(made[name][0], folder / name, made[name][1]).parent) for name in kinds}


def both(made, loaded, name):
    """The predictor and, where there is one, its export."""
    return [made[name][0], *([loaded[name]] if name in loaded else [])]


def assert_same(prediction, outputs):
    for name, value in prediction.items():
        expected = np.asarray(outputs[name])[0]
        if value.dtype.kind == "f":
            np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-5, err_msg=name)
        else:
            texts = [v.decode() if isinstance(v, bytes) else str(v) for v in np.ravel(expected)]
            assert [str(v) for v in np.ravel(value)] == texts


@pytest.mark.parametrize("name", ["texts", "prices"])
def test_a_text_in_pieces_is_the_text(made, loaded, name):
    for predictor in both(made, loaded, name):
        stream = predictor.stream()
        assert stream.prediction is None
        for piece in ("so bad ", "it is "):
            stream.push(piece)
        prediction = stream.push("good film")
        assert_same(prediction, predictor.serve({"text": np.array([b"so bad it is good film"], dtype=object)}))
        assert stream.steps == (22 if name == "prices" else 6)
        assert_same(stream.push(""), {key: value[None] for key, value in stream.prediction.items()})


def test_tokens_are_tagged_one_by_one(made, loaded):
    tokens = ["so", "bad", "", "unseen", "good"]
    for predictor in (made["words"][0], loaded["words"]):
        raw = predictor.schema.pipeline.raw([tokens])
        whole = predictor.serve(raw)
        together, one_by_one = predictor.stream().push(tokens), predictor.stream()
        assert together["tags"].shape == (5,)
        for i, token in enumerate(tokens):
            tag = one_by_one.push(token)
            assert str(tag["tags"]) == together["tags"][i] == np.asarray(whole["tags"])[0, i].decode()
            np.testing.assert_allclose(tag["probabilities"], np.asarray(whole["probabilities"])[0, i], atol=1e-5)


@pytest.mark.parametrize("name", ["panel", "steps"])
def test_rows_of_numbers_are_read_one_by_one(made, loaded, name):
    rows = RNG.normal(50, 9, size=(9, 2))
    if name == "steps":
        rows[4, 0] = rows[8, 1] = np.nan
    for predictor in both(made, loaded, name):
        stream = predictor.stream()
        for i, row in enumerate(rows):
            prediction = stream.push(row)
            if i == 6:  # no longer than the longest training sequence
                whole = predictor.serve(predictor.schema.pipeline.raw([rows[:7]]))
                last = {n: np.asarray(v)[:, -1] if name == "steps" else v for n, v in whole.items()}
                assert_same(prediction, last)


def test_a_gap_is_refused_where_it_cannot_be_filled(made):
    stream = made["panel"][0].stream()
    stream.push([50.0, 51.0])
    with pytest.raises(InputError, match="row 1 of the push has no value in channel 1: gaps in training"):
        stream.push([[50.0, 51.0], [50.0, np.nan]])
    assert stream.steps == 1  # nothing of a refused push counts
    with pytest.raises(InputError, match=r"a row has 2 values \(channel 0, channel 1\)"):
        stream.push([1.0, 2.0, 3.0])


def test_a_stream_begins_with_its_first_complete_row(made):
    predictor = made["steps"][0]
    late, plain = predictor.stream(), predictor.stream()
    assert np.isnan(late.push([np.nan, 50.0])["probabilities"]).all()
    assert str(late.push([np.nan, np.nan])["tags"]) == ""
    for row in ([48.0, 50.0], [53.0, np.nan]):
        np.testing.assert_allclose(late.push(row)["probabilities"], plain.push(row)["probabilities"], atol=1e-6)


def rows_of(table, n):
    return [row._asdict() for row in table.iloc[:n].itertuples(index=False)]


def over_all_rows(predictor, rows):
    """The network built anew for so many rows."""
    old = predictor.schema.pipeline
    config = old.to_config() | {"lookback": rows}
    pipeline = SeriesPipeline.from_config(config)
    segments = [layer.length for layer in predictor.model.model.layers if layer.name == "segments"]
    family = predictor.model.model.name
    network = build(family, pipeline.spec, units=3, window_norm="none", segment_length=(segments or [1])[0])
    network.set_weights(predictor.model.model.get_weights())
    return ForecastNetwork(pipeline, network, predictor.model.intervals)


@pytest.mark.parametrize("name", ["sales", "gaps"])
def test_a_recurrent_forecast_is_that_of_all_rows(made, loaded, name):
    table, ahead = series(gap=name == "gaps"), name == "sales"
    roles = {"future_covariates" if ahead else "past_covariates": ["price"]}
    streams = [predictor.stream() for predictor in both(made, loaded, name)]
    for i, row in enumerate(rows_of(table, 11)):
        future = {"future": table.iloc[i + 1 : i + 3]} if ahead else {}
        predictions = [stream.push(row, **future) for stream in streams]
        if i in (5, 10):
            part = table.assign(sold=table["sold"].where(table.index <= i)).iloc[: i + (3 if ahead else 1)]
            whole = over_all_rows(made[name][0], i + 1)
            frame = SeriesFrame.from_table(part, time="day", target="sold", id="shop", **roles)
            with portable():
                expected = whole.serve(whole.pipeline.raw(frame))
            for prediction in predictions:
                assert_same(prediction, expected)
    assert set(predictions[0]) == {"forecast", "forecast-lo-80", "forecast-hi-80"}
    note = streams[-1].notes[0]
    assert "all rows since the stream began, where `predict` reads the last 6" in note


@pytest.mark.parametrize("name", ["window", "linear"])
def test_a_model_of_windows_forecasts_as_predict_does(made, loaded, name):
    table = series(gap=name == "window")
    for predictor in both(made, loaded, name):
        stream = predictor.stream()
        assert "a prediction is NaN until 6 observations" in stream.notes[1]
        for i, row in enumerate(rows_of(table, 11)):
            future = {"future": table.iloc[i + 1 : i + 3]} if name == "linear" else {}
            prediction = stream.push(row, **future)
            assert np.isnan(prediction["forecast"]).all() == (i < 5)
        rows = table.iloc[:13].copy() if name == "linear" else table.iloc[:11]
        if name == "linear":
            rows.loc[11:, "sold"] = np.nan
        expected = predictor.predict(rows)
        np.testing.assert_allclose(prediction["forecast"][:, 0], expected["sold"], rtol=1e-5)
        if "sold-lo-80" in expected:
            np.testing.assert_allclose(prediction["forecast-lo-80"][:, 0], expected["sold-lo-80"], rtol=1e-5)


def test_many_rows_are_pushed_as_one_by_one(made):
    table = series()
    one_by_one, together = made["sales"][0].stream(), made["sales"][0].stream()
    each = [one_by_one.push(row, future=table.iloc[i + 1 : i + 3]) for i, row in enumerate(rows_of(table, 8))]
    stacked = together.push(table.iloc[:8], future=table.iloc[8:10])
    assert stacked["forecast"].shape == (8, 2, 1)
    np.testing.assert_allclose(stacked["forecast"], [p["forecast"] for p in each], rtol=1e-5)


def test_rows_that_do_not_follow_are_refused(made):
    table, stream = series(), made["gaps"][0].stream()
    stream.push(table.iloc[:3])
    with pytest.raises(InputError, match=r"the row is of 2024-01-05T00:00:00, and the stream goes on at 2024-01-04"):
        stream.push(table.iloc[4])
    with pytest.raises(InputError, match=r"row 1 is not one step \(D\) after the row before it"):
        stream.push(table.iloc[[3, 5]])
    with pytest.raises(InputError, match="the rows have no column 'price'"):
        stream.push({"sold": 3.0})
    with pytest.raises(InputError, match="several in 'shop'"):
        stream.push(series(shops=2))
    stream.push([51.0, 0.5])  # without a time nothing is known of it
    assert stream.steps == 4
    with pytest.raises(InputError, match="needs to know price of the 2 steps"):
        made["linear"][0].stream().push([51.0, 0.5])
    with pytest.raises(InputError, match="reads the calendar"):
        made["window"][0].stream().push([51.0, 0.5])
    stream = made["sales"][0].stream()
    with pytest.raises(InputError, match="the prediction is not a number"):
        stream.push(table.iloc[:3].assign(sold=-1.0), future=table.iloc[3:5])


def test_a_language_model_ranks_what_comes_next(made, loaded):
    for name, given, text in (("song", {}, "the cat"), ("names", {"label": "O"}, "bi")):
        for predictor in both(made, loaded, name):
            stream = predictor.stream(**given)
            first = recurra.TextGenerator(predictor).next_tokens("", top=3, **given)
            assert list(stream.prediction["tokens"][:3]) == first["token"].tolist()
            for piece in text.partition(" " if " " in text else "i"):
                prediction = stream.push(piece)
            ranked = recurra.TextGenerator(predictor).next_tokens(text, top=4, **given)
            assert list(prediction["tokens"][:4]) == ranked["token"].tolist()
            np.testing.assert_allclose(prediction["probabilities"][:4], ranked["probability"], rtol=1e-4)
    with pytest.raises(InputError, match="`label` must be one of A, O"):
        made["names"][0].stream()
    with pytest.raises(InputError, match="`label` 'A' does not apply"):
        made["texts"][0].stream(label="A")


def test_what_has_no_streams_says_why(made, tmp_path):
    frame = made["texts"][1]
    both = sequence_predictor(frame, TextEncoder(min_count=1), "gru", bidirectional=True)[0]
    for predictor in (both, load_model(save_model(both, tmp_path / "both", frame).parent)):
        with pytest.raises(InputError, match=r"has no streams, because it reads every sequence from its end as well"):
            predictor.stream()
    assert "step" not in load_model(tmp_path / "both").model.loaded.signatures


# A moment of a stream


def test_a_moment_can_be_forked_taken_back_and_kept(made, loaded):
    rows = RNG.normal(50, 9, size=(80, 2))
    stream = loaded["steps"].stream()
    stream.push(rows[:5])
    fork, kept = stream.fork(), stream.save()
    after = stream.push(rows[5])
    np.testing.assert_array_equal(fork.push(rows[5])["probabilities"], after["probabilities"])
    fork.push(rows[6])
    assert (fork.steps, stream.steps) == (7, 6)
    fork.rewind(2)
    np.testing.assert_array_equal(fork.push(rows[5])["probabilities"], after["probabilities"])
    # elsewhere: in the predictor it was exported from
    for predictor in both(made, loaded, "steps"):
        again = predictor.stream(saved=kept)
        assert again.steps == 5
        np.testing.assert_allclose(again.push(rows[5])["probabilities"], after["probabilities"], atol=1e-6)
        assert set(again.state()) == set(stream.state())
    with pytest.raises(InputError, match="cannot go back 2 steps: it has read 6 and remembers the last 1"):
        again.rewind(2)
    long = made["steps"][0].stream()
    long.push(rows)
    with pytest.raises(InputError, match="cannot go back 65 steps: it has read 80 and remembers the last 64"):
        long.rewind(65)
    long.rewind(64)
    assert long.steps == 16


def test_a_kept_language_stream_keeps_its_words(loaded):
    stream = loaded["song"].stream()
    stream.push("the cat")
    again = loaded["song"].stream(saved=stream.save())
    assert again.prediction["tokens"].tolist() == stream.prediction["tokens"].tolist()
    assert again.push("sat")["tokens"].tolist() == stream.push("sat")["tokens"].tolist()


def test_bytes_of_something_else_are_refused(loaded):
    kept = loaded["steps"].stream().save()
    with pytest.raises(InputError, match="belongs to another model"):
        loaded["texts"].stream(saved=kept)
    for wrong in (b"", b"PK", kept[:-40], kept[40:], b"\x80\x04N."):
        with pytest.raises(InputError, match="not a saved stream"):
            loaded["steps"].stream(saved=wrong)
    shapes = {"state_0": ((2,), "float32")}
    data = StreamCursor(StreamState.begin(shapes)).to_bytes("m")
    assert StreamCursor.from_bytes(data, "m", shapes).now.steps == 0
    with pytest.raises(InputError, match="other shapes"):
        StreamCursor.from_bytes(data, "m", {"state_0": ((3,), "float32")})
