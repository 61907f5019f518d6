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
from recurra.export import language as language_export
from recurra.export import load_model, save_model
from recurra.frames import CorpusFrame, PanelFrame, TextFrame
from recurra.models import build
from recurra.pipelines import ExamplePipeline, LanguagePipeline, TokenReader, ValueReader
from recurra.predictor import ExamplePredictor, LanguagePredictor, Writer

# Weights are random, and large enough that targets differ: what is exported needs no training to be held against.
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


def example(frame, reader, family, **config):
    pipeline = ExamplePipeline(reader).fit(frame)
    return ExamplePredictor(pipeline, random_weights(build(family, pipeline.spec, **config))), frame


def language(frame, tokens, family, **config):
    pipeline = LanguagePipeline(tokens=tokens, min_count=1).fit(frame)
    return LanguagePredictor(pipeline, random_weights(build(family, pipeline.spec, **config))), frame


def make_all():
    words, characters = TokenReader(min_count=1), TokenReader(tokens="char", keep="last", length=40)
    return {
        "texts": example(texts(), words, "lstm", units=4, bidirectional=True, ngrams=2, ngram_buckets=50),
        "prices": example(prices(), characters, "dense", units=4),
        "sentences": example(sentences(), TokenReader(tokens=None), "dense", units=4, feedback=1),
        "steps": example(steps(), ValueReader(), "gru", units=4),
        "panel": example(panel(), ValueReader(length=5), "linear"),
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
    pipeline = predictor.pipeline
    if isinstance(predictor, LanguagePredictor):
        inputs = {"text": np.array([text.encode() for text in ["the cat", *AWKWARD]], dtype=object)}
        if pipeline.conditions_:
            inputs["condition"] = np.array([b"O"] * 4 + [b"A"] * 4, dtype=object)
        return inputs
    if isinstance(pipeline.reader, ValueReader):
        channels = len(pipeline.reader.mean_)
        rng = np.random.default_rng(1)
        return pipeline.reader.raw([rng.normal(50, 20, size=(n, channels)) for n in (1, 9, 4)])
    if pipeline.reader.tokens is None:
        return pipeline.reader.raw([["the", "zzz"], [], ["", "Cat", "İ", "\x00"]])
    return pipeline.reader.raw(AWKWARD)


def expected(predictor, inputs):
    if isinstance(predictor, LanguagePredictor):
        return language_export.answer(predictor, inputs)
    return predictor.answer_raw({name: tf.constant(x) for name, x in inputs.items()})


def check(name, targets, wanted):
    assert sorted(targets) == sorted(wanted)
    for key, value in wanted.items():
        ours = np.asarray(value)
        if ours.dtype.kind == "f":
            np.testing.assert_allclose(targets[key], ours, rtol=1e-4, atol=1e-6, err_msg=name)
        else:
            assert np.array_equal(np.asarray(targets[key]), ours), (name, key)


# The same targets, anywhere


def test_the_exported_models_answer_as_the_predictors_do(made, loaded):
    for name, (predictor, _) in made.items():
        inputs = raw_inputs(predictor)
        check(name, loaded[name].served(inputs), expected(predictor, inputs))


def test_a_frame_gets_the_same_table_from_both(made, loaded):
    for name in ("prices", "panel"):
        predictor, frame = made[name]
        ours, theirs = predictor.predict(frame), loaded[name].predict(frame)
        assert len(ours) == len(frame)
        pd.testing.assert_frame_equal(ours, theirs, rtol=1e-4, atol=1e-6)


SCRIPT = """
import json, os, sys
import numpy as np, tensorflow as tf
said = {}
for name, inputs in json.load(sys.stdin).items():
    serve = tf.saved_model.load(os.path.join(sys.argv[1], name, "1")).signatures["serving_default"]
    kinds = {name: spec.dtype for name, spec in serve.structured_input_signature[1].items()}
    targets = serve(**{key: tf.constant(value, kinds[key]) for key, value in inputs.items()})
    said[name] = {k: np.vectorize(bytes.decode, otypes=[object])(v).tolist() if v.dtype == tf.string
                  else v.numpy().tolist() for k, v in targets.items()}
assert not any(name.split(".")[0] == "recurra" for name in sys.modules)
print(json.dumps(said))
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
    said = json.loads(done.stdout.splitlines()[-1])
    for name, (predictor, _) in made.items():
        wanted = {k: as_text(np.asarray(v)) for k, v in expected(predictor, inputs[name]).items()}
        check(name, {k: np.array(v, dtype=wanted[k].dtype) for k, v in said[name].items()}, wanted)


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
            {"values": ("float32", [None, None, 2]), "lengths": ("int32", [None])},
            ["probabilities", "tags"],
        ),
        "panel": (
            {"values": ("float32", [None, None, 1]), "lengths": ("int32", [None])},
            ["label", "probabilities"],
        ),
        "names": (text | {"condition": ("string", [None])}, ["probabilities", "tokens"]),
        "song": (text, ["probabilities", "tokens"]),
        "letters": (text, ["probabilities", "tokens"]),
    }


# The user's own labels


def test_labels_are_the_users_own(loaded):
    answer = loaded["texts"].predict(["good", "bad film"])
    assert list(answer) == ["label", "probability", "probability_1", "probability_5"]
    assert set(answer["label"]) <= {1, 5}
    np.testing.assert_allclose(answer["probability_1"] + answer["probability_5"], 1, rtol=1e-6)
    assert (answer["probability"] >= 0.5).all()
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


def test_an_answer_does_not_hang_on_its_neighbours(made, loaded):
    predictor, _ = made["prices"]
    together = predictor.predict(["tea", *AWKWARD])["value"]
    alone = [predictor.predict([text])["value"][0] for text in ["tea", *AWKWARD]]
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    model = loaded["texts"]
    together = model.predict(["good", *AWKWARD])
    alone = pd.concat([model.predict([text]) for text in ["good", *AWKWARD]], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["texts", "prices", "sentences", "steps", "panel"])
def test_no_examples_no_answers(made, name, loaded):
    ours, theirs = made[name][0].predict([]), loaded[name].predict([])
    assert len(ours) == len(theirs) == 0
    assert list(ours) == list(theirs)


def test_a_table_is_read_by_the_columns_of_the_training_data(tmp_path, loaded):
    model = loaded["texts"]
    table = pd.DataFrame({"stars": [1, None], "review": ["so good", None], "more": [1, 2]})
    answer = model.predict(table)
    pd.testing.assert_frame_equal(answer, model.predict(["so good", ""]))
    table.to_csv(tmp_path / "new.csv", index=False)
    pd.testing.assert_frame_equal(model.predict(tmp_path / "new.csv"), answer)
    with pytest.raises(InputError, match="no column `review`"):
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
    answer = loaded["names"].served({"text": [long.encode(), b""], "condition": [b"A", b"O"]})
    assert np.isfinite(answer["probabilities"]).all()


def test_a_long_text_is_read_in_pieces(made, loaded):
    for name in ("song", "letters"):
        raw = {"text": np.array([b"the cat " * 300, b"the"], dtype=object)}
        answer = loaded[name].served(raw)
        short = language_export.answer(made[name][0], {"text": raw["text"][1:]})
        np.testing.assert_allclose(answer["probabilities"][1:], short["probabilities"], rtol=1e-4)
        ranked = loaded[name].next_tokens("the cat " * 300, top=5)
        np.testing.assert_allclose(answer["probabilities"][0, :5], ranked["probability"], rtol=1e-3)


# Language models


def eager(predictor):
    """A writer that calls the network as it is: nothing is compiled for it."""

    def step(inputs):
        return predictor.network({name: tf.constant(x) for name, x in inputs.items()}, training=False)

    step.shapes = {x.name: (tuple(x.shape[1:]), x.dtype) for x in predictor.network.inputs if "state" in x.name}
    return Writer(predictor.pipeline, step)


@pytest.mark.parametrize(("name", "told"), [("song", {}), ("letters", {}), ("names", {"condition": "A"})])
def test_the_exported_model_writes_as_the_predictor_does(made, name, told, loaded):
    model, writer = loaded[name], eager(made[name][0])
    ranked = model.next_tokens("the", top=4, **told)
    pd.testing.assert_frame_equal(ranked, writer.next_tokens("the", top=4, **told), rtol=1e-4)
    for how in ({"temperature": 0}, {"seed": 5, "temperature": 1.2, "top": 3}):
        text = model.generate("the", length=8, **how, **told)
        assert text == writer.generate("the", length=8, **how, **told)
    # the signature for texts ranks as the one for single steps
    inputs = {"text": np.array([b"the"], dtype=object)}
    if told:
        inputs["condition"] = np.array([b"A"], dtype=object)
    served = model.served(inputs)
    assert [t.decode() for t in served["tokens"][0, :4]] == ranked["token"].tolist()
    np.testing.assert_allclose(served["probabilities"][0, :4], ranked["probability"], rtol=1e-4)
    assert not set(served["tokens"].ravel().tolist()) & {b"", b"?"}


def test_steps_go_on_exactly_as_the_whole_text(made, loaded):
    for name in ("song", "names"):
        predictor, model = made[name][0], loaded[name]
        network = predictor.network
        ids = np.random.default_rng(0).integers(2, len(predictor.pipeline.vocabulary_), size=(3, 12)).astype(np.int32)
        told = {"condition": np.array([0, 1, 1], np.int32)} if name == "names" else {}
        states = {x.name: np.zeros((3, *x.shape[1:]), x.dtype) for x in network.inputs if x.name.startswith("state_")}
        whole = network({"tokens": ids, **states, **told}, training=False)
        pieces = []
        for begin, end in ((0, 5), (5, 6), (6, 12)):
            outputs = model.served({"tokens": ids[:, begin:end], **states, **told}, "step")
            pieces.append(outputs.pop("logits"))
            states = outputs
        np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole["logits"], rtol=1e-4, atol=1e-5)
        for state, value in states.items():
            np.testing.assert_allclose(value, whole[state], rtol=1e-4, atol=1e-5)


def test_an_unknown_class_is_refused(loaded):
    model = loaded["names"]
    with pytest.raises(InputError, match="--label must be one of A, O; received None"):
        model.generate("ba")
    raw = {"text": np.array([b"ba"], dtype=object), "condition": np.array([b"X"], dtype=object)}
    with pytest.raises(tf.errors.InvalidArgumentError, match="condition must be one of A, O"):
        model.served(raw)
    with pytest.raises(InputError, match=r"is told a class before it writes: use `recurra generate .*names --label"):
        model.predict(["ba"])


def test_a_language_model_answers_with_the_next_token(loaded):
    answer = loaded["song"].predict(["the cat", ""])
    assert list(answer) == ["text", "token", "probability"]
    with pytest.raises(InputError, match="is a language model, which continues texts"):
        loaded["song"].predict("song.csv")


# What stands beside it


def test_what_stands_beside_them(exported, loaded):
    from tensorflow_serving.apis import prediction_log_pb2

    purposes = {
        "texts": "Tells `stars` of a text (classification).",
        "prices": "Tells `price` of a text (regression).",
        "sentences": "Tells `tags` of a list of tokens (tagging).",
        "steps": "Tells `y` of a sequence of numbers (tagging).",
        "song": "Tells what comes next in a text, and writes texts on (language-model).",
    }
    for name, purpose in purposes.items():
        extra = exported / name / "1" / "assets.extra"
        card = (extra / "model_card.md").read_text(encoding="utf-8")
        assert card.startswith(f"# {name}\n\n{purpose}")
        said = json.loads((extra / "recurra.json").read_text(encoding="utf-8"))
        assert said["task"] in purpose
        [record] = list(tf.data.TFRecordDataset(str(extra / "tf_serving_warmup_requests")))
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        ready = {key: tf.make_ndarray(tensor) for key, tensor in request.inputs.items()}
        loaded[name].served(ready)  # the request is one that the model takes
        assert {len(x) for x in ready.values()} == {1}
    assert "classes in this order: `1`, `5`" in (exported / "texts/1/assets.extra/model_card.md").read_text()


def test_the_same_model_makes_no_second_version(made, exported):
    for name in ("texts", "names"):
        predictor, frame = made[name]
        assert save_model(predictor, exported / name, frame, training={"family": "x"}).name == "1"


def test_answers_carry_the_name_of_each_sequence(tmp_path):
    table = pd.DataFrame({"who": list("bbacccdd"), "x": np.arange(8.0), "kind": list("uuvuuuvv")})
    frame = PanelFrame.from_table(table, id="who", label="kind", channels=["x"])
    predictor, _ = example(frame, ValueReader(), "linear")
    save_model(predictor, tmp_path / "panel", frame, training={"family": "linear"})
    told = load_model(tmp_path / "panel").predict(table.drop(columns="kind"))
    assert list(told.columns[:2]) == ["who", "label"]
    assert told["who"].tolist() == ["b", "a", "c", "d"]
    # the column is that of the table read now: a model of arrays has none of its own
    predictor, arrays = example(panel(), ValueReader(length=5), "linear")
    save_model(predictor, tmp_path / "arrays", arrays, training={"family": "linear"})
    assert load_model(tmp_path / "arrays").predict(frame)["who"].tolist() == ["b", "a", "c", "d"]
