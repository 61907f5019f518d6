"""Exported models of texts, panels, tags and next words: raw strings and values in, the user's own labels out."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from recurra.errors import InputError
from recurra.export import load_model, save_model
from recurra.frames import CorpusFrame, PanelFrame, TextFrame
from recurra.models import build
from recurra.pipelines import LanguagePipeline, SequenceEncoder, SequencePipeline, TextEncoder
from recurra.predictor import Predictor, TextGenerator
from recurra.predictor.language_model import LanguageModelNetwork, LanguageModelSchema
from recurra.predictor.sequences import SequenceNetwork, SequenceSchema

# Weights are random, and large enough that predictions differ: what is exported needs no training to be compared with.
SPREAD = 0.7
AWKWARD = ["", " ", "\x00", "zzz qqq", "Istanbul İT'S <br/> 中文 😀", "bad\xa0film\u2028good", "'good' " * 20]


def texts():
    rows = [("Good film, it's good", 5), ("bad FILM 😀", 1), ("Istanbul is İt", 5), ("so <br /> bad", 1)] * 4
    table = pd.DataFrame(rows, columns=["review", "stars"])
    return TextFrame.from_table(table, text="review", label="stars", source="reviews.csv")


def prices():
    table = pd.DataFrame(
        {"text": ["cheap tea", "dear gold", "cheap gold", "dear tea"] * 4, "price": [1.5, 90, 20, 4] * 4}
    )
    return TextFrame.from_table(table, text="text", value="price")


def sentences():
    records = [
        {"words": ["the", "cat", "sat"], "tags": ["D", "N", "V"]},
        {"words": ["", "dogs", "ran", "fast", "İ"], "tags": ["X", "N", "V", "A", "X"]},
    ]
    return TextFrame.from_records(records * 8, text="words", tags="tags")


def steps():
    rng = np.random.default_rng(0)
    sequences = [rng.normal(50, 9, size=(n, 2)) for n in (3, 5, 4, 7) * 4]
    sequences[1][2, 0] = np.nan
    tags = [[int(step[0] > 50) for step in np.nan_to_num(sequence)] for sequence in sequences]
    return PanelFrame.from_arrays(sequences, tags, task="tagging", channels=("x", "y"))


def panel():
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(n, 1)) * 100 for n in (3, 5, 4, 7) * 4]
    return PanelFrame.from_arrays(sequences, ["up", "down"] * 8)


def names():
    table = pd.DataFrame({"name": ["bara", "bilo", "dona", "firo"] * 4, "kind": ["A", "O"] * 8})
    return TextFrame.from_table(table, text="name", label="kind")


def song():
    return CorpusFrame.from_text("the cat sat.\n\nThe dog ran, it's İ.\n\n" * 20)


def random_weights(model):
    rng = np.random.default_rng(7)
    model.set_weights([rng.normal(0, SPREAD, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def example(frame, encoder, family, **config):
    pipeline = SequencePipeline(encoder).fit(frame)
    network = SequenceNetwork(pipeline, random_weights(build(family, pipeline.spec, **config)))
    return Predictor(SequenceSchema.of(pipeline, frame), network, frame.task), frame


def language(frame, tokens, family, **config):
    pipeline = LanguagePipeline(tokens=tokens, min_count=1).fit(frame)
    network = LanguageModelNetwork(pipeline, random_weights(build(family, pipeline.spec, **config)))
    return Predictor(LanguageModelSchema.of(pipeline, frame), network, "language-model"), frame


def make_all():
    words, characters = TextEncoder(min_count=1), TextEncoder(tokens="char", keep="last", sequence_length=40)
    return {
        "texts": example(texts(), words, "lstm", units=4, bidirectional=True, ngrams=2, ngram_buckets=50),
        "prices": example(prices(), characters, "dense", units=4),
        "sentences": example(sentences(), TextEncoder(tokens=None), "dense", units=4, feedback=1),
        "steps": example(steps(), SequenceEncoder(), "gru", units=4),
        "panel": example(panel(), SequenceEncoder(sequence_length=5), "linear"),
        "names": language(names(), "char", "dense", units=4, window=3),
        "song": language(song(), "word", "lstm", units=4, num_layers=2),
        "letters": language(song(), "char", "gru", units=4, tie_weights=True),
    }


@pytest.fixture(scope="module")
def made():
    return make_all()


@pytest.fixture(scope="module")
def exported(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models")
    for name, (predictor, frame) in made.items():
        save_model(predictor, folder / name, frame, training={"family": "x"})
    return folder


@pytest.fixture(scope="module")
def loaded(exported):
    return {folder.name: load_model(folder) for folder in sorted(exported.iterdir())}


def raw_inputs(predictor):
    """Raw requests that go beyond what was trained on, by signature name."""
    pipeline = predictor.schema.pipeline
    if isinstance(pipeline, LanguagePipeline):
        inputs = {"text": np.array([text.encode() for text in ["the cat", *AWKWARD]], dtype=object)}
        if pipeline.conditions_:
            inputs["condition"] = np.array([b"O"] * 4 + [b"A"] * 4, dtype=object)
        return inputs
    if isinstance(pipeline.encoder, SequenceEncoder):
        channels = len(pipeline.encoder.mean_)
        rng = np.random.default_rng(1)
        return pipeline.raw([rng.normal(50, 20, size=(n, channels)) for n in (1, 9, 4)])
    if pipeline.encoder.tokens is None:
        return pipeline.raw([["the", "zzz"], [], ["", "Cat", "İ", "\x00"]])
    return pipeline.raw(AWKWARD)


def expected(predictor, inputs):
    return predictor.serve({name: tf.constant(x) for name, x in inputs.items()})


def check(name, outputs, wanted):
    assert sorted(outputs) == sorted(wanted)
    for key, value in wanted.items():
        ours = np.asarray(value)
        if ours.dtype.kind == "f":
            np.testing.assert_allclose(outputs[key], ours, rtol=1e-4, atol=1e-6, err_msg=name)
        else:
            assert np.array_equal(np.asarray(outputs[key]), ours), (name, key)


# The same predictions, anywhere


def test_the_exported_models_predict_as_the_predictors_do(made, loaded):
    for name, (predictor, _) in made.items():
        inputs = raw_inputs(predictor)
        check(name, loaded[name].serve(inputs), expected(predictor, inputs))


def test_a_frame_gets_the_same_table_from_both(made, loaded):
    for name, (predictor, frame) in made.items():
        ours, theirs = predictor.predict(frame), loaded[name].predict(frame)
        assert len(ours) == (1 if isinstance(frame, CorpusFrame) else len(frame))
        pd.testing.assert_frame_equal(ours, theirs, rtol=1e-4, atol=1e-6)


SCRIPT = """
import json, os, sys
import numpy as np, tensorflow as tf
outputs = {}
for name, inputs in json.load(sys.stdin).items():
    serve = tf.saved_model.load(os.path.join(sys.argv[1], name, "1")).signatures["serving_default"]
    kinds = {name: spec.dtype for name, spec in serve.structured_input_signature[1].items()}
    served = serve(**{key: tf.constant(value, kinds[key]) for key, value in inputs.items()})
    outputs[name] = {k: np.vectorize(bytes.decode, otypes=[object])(v).tolist() if v.dtype == tf.string
                  else v.numpy().tolist() for k, v in served.items()}
assert not any(name.split(".")[0] == "recurra" for name in sys.modules)
print(json.dumps(outputs))
"""


def test_plain_tensorflow_serves_them_in_any_language(made, exported):
    """In a process that knows nothing of this package, on a machine set to Turkish, which has another small I."""
    inputs = {name: raw_inputs(predictor) for name, (predictor, _) in made.items()}
    readable = {
        name: {k: [x.decode() for x in v] if v.dtype == object and v.ndim == 1 else as_lists(v) for k, v in raw.items()}
        for name, raw in inputs.items()
    }
    turkish = {**os.environ, "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(exported)],
        input=json.dumps(readable),
        capture_output=True,
        text=True,
        check=False,
        env=turkish,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    outputs = json.loads(done.stdout.splitlines()[-1])
    for name, (predictor, _) in made.items():
        wanted = {k: as_text(np.asarray(v)) for k, v in expected(predictor, inputs[name]).items()}
        check(name, {k: np.array(v, dtype=wanted[k].dtype) for k, v in outputs[name].items()}, wanted)


def as_lists(array):
    return as_text(array).tolist()


def as_text(array):
    if array.dtype != object:
        return array
    return np.vectorize(bytes.decode, otypes=[object])(array)


def test_they_need_neither_xla_nor_custom_operations(exported):
    from tensorflow.core.protobuf import saved_model_pb2

    calls = {"PartitionedCall", "StatefulPartitionedCall"}
    for folder in exported.iterdir():
        saved = saved_model_pb2.SavedModel.FromString((folder / "1" / "saved_model.pb").read_bytes())
        graph = saved.meta_graphs[0].graph_def
        nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
        operations = {node.op for node in nodes}
        assert operations - set(dir(tf.raw_ops)) - calls == set(), folder.name
        assert not operations & {"PyFunc", "EagerPyFunc"}, folder.name
        must = [
            m for m in [*nodes, *graph.library.function] for k, v in m.attr.items() if "XlaMustCompile" in k and v.b
        ]
        assert must == [], folder.name


def test_signatures_name_their_tensors(exported):
    found = {}
    for folder in sorted(exported.iterdir()):
        signature = tf.saved_model.load(str(folder / "1")).signatures["serving_default"]
        ins = {
            k: (spec.dtype.name, spec.shape.as_list()) for k, spec in signature.structured_input_signature[1].items()
        }
        found[folder.name] = (ins, sorted(signature.structured_outputs))
    text = {"text": ("string", [None])}
    assert found == {
        "texts": (text, ["label", "probabilities"]),
        "prices": (text, ["value"]),
        "sentences": ({"tokens": ("string", [None, None])}, ["probabilities", "tags"]),
        "steps": (
            {"values": ("float64", [None, None, 2]), "lengths": ("int32", [None])},
            ["probabilities", "tags"],
        ),
        "panel": (
            {"values": ("float64", [None, None, 1]), "lengths": ("int32", [None])},
            ["label", "probabilities"],
        ),
        "names": (text | {"condition": ("string", [None])}, ["probabilities", "tokens"]),
        "song": (text, ["probabilities", "tokens"]),
        "letters": (text, ["probabilities", "tokens"]),
    }


# The user's own labels


def test_labels_are_the_users_own(loaded):
    table = loaded["texts"].predict(["good", "bad film"])
    assert list(table) == ["label", "probability", "probability_1", "probability_5"]
    assert set(table["label"]) <= {1, 5}
    np.testing.assert_allclose(table["probability_1"] + table["probability_5"], 1, rtol=1e-6)
    assert (table["probability"] >= 0.5).all()
    assert set(loaded["panel"].predict([[1.0, 2.0], [3.0]])["label"]) <= {"up", "down"}


def test_tags_are_as_many_as_the_steps(made, loaded):
    model = loaded["sentences"]
    given = [["the", "cat"], [], ["", "İ", "zzz", "", ""]]
    tags = model.predict(given)["tags"].tolist()
    assert [len(row) for row in tags] == [2, 0, 5]
    assert {tag for row in tags for tag in row} <= {"D", "N", "V", "A", "X"}
    # one by one they are tagged as together
    assert [model.predict([row])["tags"][0] for row in given] == tags
    values = loaded["steps"].predict(made["steps"][1])["tags"]
    assert [len(row) for row in values] == [len(v) for v in made["steps"][1].values]
    assert {type(tag) for row in values for tag in row} == {int}


def test_a_prediction_does_not_depend_on_its_neighbours(made, loaded):
    predictor, _ = made["prices"]
    together = predictor.predict(["tea", *AWKWARD])["value"]
    alone = [predictor.predict([text])["value"][0] for text in ["tea", *AWKWARD]]
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    model = loaded["texts"]
    together = model.predict(["good", *AWKWARD])
    alone = pd.concat([model.predict([text]) for text in ["good", *AWKWARD]], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["texts", "prices", "sentences", "steps", "panel"])
def test_no_examples_no_predictions(made, name, loaded):
    ours, theirs = made[name][0].predict([]), loaded[name].predict([])
    assert len(ours) == len(theirs) == 0
    assert list(ours) == list(theirs)


def test_a_table_is_read_by_the_columns_of_the_training_data(tmp_path, loaded):
    model = loaded["texts"]
    table = pd.DataFrame({"stars": [1, None], "review": ["so good", None], "more": [1, 2]})
    predicted = model.predict(table)
    pd.testing.assert_frame_equal(predicted, model.predict(["so good", ""]))
    table.to_csv(tmp_path / "new.csv", index=False)
    pd.testing.assert_frame_equal(model.predict(tmp_path / "new.csv"), predicted)
    with pytest.raises(InputError, match="no column is called 'review'"):
        model.predict(table.rename(columns={"review": "opinion"}))
    np.savez(tmp_path / "new.npz", X=np.zeros((3, 4)))
    with pytest.raises(InputError):
        model.predict(tmp_path / "new.npz")
    assert len(loaded["panel"].predict(tmp_path / "new.npz")) == 3
    (tmp_path / "new.jsonl").write_text('{"words": ["the", "cat"]}\n{"words": []}\n', encoding="utf-8")
    assert loaded["sentences"].predict(tmp_path / "new.jsonl")["tags"].map(len).tolist() == [2, 0]


# A megabyte


def test_a_megabyte_is_read(loaded):
    long = "good film " * 100_000
    for name in ("texts", "prices"):
        assert loaded[name].predict([long, "good"]).notna().all(axis=None)
    tags = loaded["sentences"].predict([["the"] * 10_000])["tags"][0]
    assert len(tags) == 10_000
    served = loaded["names"].serve({"text": [long.encode(), b""], "condition": [b"A", b"O"]})
    assert np.isfinite(served["probabilities"]).all()


def test_a_long_text_is_read_in_pieces(made, loaded):
    for name in ("song", "letters"):
        raw = {"text": np.array([b"the cat " * 300, b"the"], dtype=object)}
        served = loaded[name].serve(raw)
        short = made[name][0].serve({"text": raw["text"][1:]})
        np.testing.assert_allclose(served["probabilities"][1:], short["probabilities"], rtol=1e-4)
        ranked = TextGenerator(loaded[name]).next_tokens("the cat " * 300, top=5)
        np.testing.assert_allclose(served["probabilities"][0, :5], ranked["probability"], rtol=1e-3)


# Language models


def eager(predictor):
    """A generator that calls the network as it is: nothing is compiled for it."""
    generator, step = TextGenerator(predictor), predictor.model.step

    def call(inputs):
        return step.trace({name: tf.constant(x) for name, x in inputs.items()})

    call.state_shapes = step.state_shapes
    generator.step = call
    return generator


@pytest.mark.parametrize(("name", "given"), [("song", {}), ("letters", {}), ("names", {"label": "A"})])
def test_the_exported_model_generates_as_the_predictor_does(made, name, given, loaded):
    model, generator = loaded[name], eager(made[name][0])
    exported = TextGenerator(model)
    ranked = exported.next_tokens("the", top=4, **given)
    pd.testing.assert_frame_equal(ranked, generator.next_tokens("the", top=4, **given), rtol=1e-4)
    for how in ({"temperature": 0}, {"seed": 5, "temperature": 1.2, "top_k": 3}):
        text = exported.generate("the", length=8, **how, **given)
        assert text == generator.generate("the", length=8, **how, **given)
    # the signature for texts ranks as the one for single steps
    inputs = {"text": np.array([b"the"], dtype=object)}
    if given:
        inputs["condition"] = np.array([b"A"], dtype=object)
    served = model.serve(inputs)
    assert [t.decode() for t in served["tokens"][0, :4]] == ranked["token"].tolist()
    np.testing.assert_allclose(served["probabilities"][0, :4], ranked["probability"], rtol=1e-4)
    assert not set(served["tokens"].ravel().tolist()) & {b"", b"?"}


def test_steps_give_exactly_what_the_whole_text_gives(made, loaded):
    for name in ("song", "names"):
        predictor, model = made[name][0], loaded[name]
        network, known = predictor.model.model, len(predictor.schema.pipeline.vocabulary_)
        ids = np.random.default_rng(0).integers(2, known, size=(3, 12)).astype(np.int32)
        given = {"condition": np.array([0, 1, 1], np.int32)} if name == "names" else {}
        states = {x.name: np.zeros((3, *x.shape[1:]), x.dtype) for x in network.inputs if x.name.startswith("state_")}
        whole = network({"tokens": ids, **states, **given}, training=False)
        pieces = []
        for begin, end in ((0, 5), (5, 6), (6, 12)):
            outputs = model.model.call("step", {"tokens": ids[:, begin:end], **states, **given})
            pieces.append(outputs["logits"])
            states = {name: outputs[name] for name in states}
        np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole["logits"], rtol=1e-4, atol=1e-5)
        for state, value in states.items():
            np.testing.assert_allclose(value, whole[state], rtol=1e-4, atol=1e-5)


def test_an_unknown_class_is_refused(loaded):
    model = loaded["names"]
    with pytest.raises(InputError, match="`label` must be one of A, O; received None"):
        TextGenerator(model).generate("ba")
    raw = {"text": np.array([b"ba"], dtype=object), "condition": np.array([b"X"], dtype=object)}
    with pytest.raises(tf.errors.InvalidArgumentError, match="condition must be one of A, O"):
        model.serve(raw)
    with pytest.raises(InputError, match="the model needs a class for every text"):
        model.predict(["ba"])


def test_a_language_model_predicts_the_next_token(made, loaded, tmp_path):
    table = loaded["song"].predict(["the cat", ""])
    assert list(table) == ["text", "token", "probability"]
    ranked = TextGenerator(loaded["song"]).next_tokens("the cat", top=1)
    assert table["token"][0] == ranked["token"][0]
    assert table["probability"][0] == pytest.approx(ranked["probability"][0], rel=1e-4)
    # a file that is one long text is continued as one
    (tmp_path / "song.txt").write_text(song().text, encoding="utf-8")
    pd.testing.assert_frame_equal(loaded["song"].predict(tmp_path / "song.txt"), loaded["song"].predict(song()))
    # of a table every row, with its class
    lines = pd.DataFrame({"name": ["ba", "bi"], "kind": ["A", "O"]})
    lines.to_csv(tmp_path / "names.csv", index=False)
    predicted = loaded["names"].predict(tmp_path / "names.csv")
    assert predicted["text"].tolist() == ["ba", "bi"]
    for row, label in zip(predicted.itertuples(), "AO", strict=True):
        assert row.token == TextGenerator(made["names"][0]).next_tokens(row.text, top=1, label=label)["token"][0]
    with pytest.raises(InputError, match="no column of classes"):
        loaded["names"].predict(TextFrame.from_table(lines, text="name"))


def test_only_a_language_model_continues_texts(made, loaded):
    for predictor in (made["texts"][0], loaded["texts"]):
        with pytest.raises(InputError, match="a text is continued by a language model; received"):
            TextGenerator(predictor)


# What is beside it


def test_what_is_beside_them(exported, loaded):
    from tensorflow_serving.apis import prediction_log_pb2

    purposes = {
        "texts": "Predicts 'stars' of texts. Task: classification.",
        "prices": "Predicts 'price' of texts. Task: regression.",
        "sentences": "Predicts 'tags' of lists of tokens. Task: tagging.",
        "steps": "Predicts 'y' of sequences of numbers. Task: tagging.",
        "song": "Predicts what comes next in a text, and continues texts. Task: language-model.",
    }
    for name, purpose in purposes.items():
        extra = exported / name / "1" / "assets.extra"
        card = (extra / "model_card.md").read_text(encoding="utf-8")
        assert card.startswith(f"# {name}\n\n{purpose}")
        info = json.loads((extra / "recurra.json").read_text(encoding="utf-8"))
        assert info["task"] in purpose
        [record] = list(tf.data.TFRecordDataset(str(extra / "tf_serving_warmup_requests")))
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        ready = {key: tf.make_ndarray(tensor) for key, tensor in request.inputs.items()}
        loaded[name].serve(ready)  # the request is one that the model takes
        assert {len(x) for x in ready.values()} == {1}
    assert "classes in this order: `1`, `5`" in (exported / "texts/1/assets.extra/model_card.md").read_text()


def test_the_same_model_makes_no_second_version(made, exported):
    for name in ("texts", "names"):
        predictor, frame = made[name]
        assert save_model(predictor, exported / name, frame, training={"family": "x"}).name == "1"


def test_predictions_carry_the_name_of_each_sequence(tmp_path):
    table = pd.DataFrame({"who": list("bbacccdd"), "x": np.arange(8.0), "kind": list("uuvuuuvv")})
    frame = PanelFrame.from_table(table, id="who", label="kind", channels=["x"])
    predictor, _ = example(frame, SequenceEncoder(), "linear")
    save_model(predictor, tmp_path / "panel", frame, training={"family": "linear"})
    predicted = load_model(tmp_path / "panel").predict(table.drop(columns="kind"))
    assert list(predicted.columns[:2]) == ["who", "label"]
    assert predicted["who"].tolist() == ["b", "a", "c", "d"]
    # the column is that of the table read now: a model of arrays has none of its own
    predictor, arrays = example(panel(), SequenceEncoder(sequence_length=5), "linear")
    save_model(predictor, tmp_path / "arrays", arrays, training={"family": "linear"})
    assert load_model(tmp_path / "arrays").predict(frame)["who"].tolist() == ["b", "a", "c", "d"]
