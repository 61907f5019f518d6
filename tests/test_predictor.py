"""Predictors on disk: the same predictions after loading, nothing pickled, whole or not at all."""

import json
import os
import pickle
import signal
import subprocess
import sys
import zipfile

import golden_cases as data
import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.errors import InputError
from recurra.frames import CorpusFrame, PanelFrame, SeriesFrame, TextFrame
from recurra.models import build
from recurra.pipelines import (
    LanguagePipeline,
    SequenceEncoder,
    SequencePipeline,
    SeriesPipeline,
    TextEncoder,
    single_split,
)
from recurra.predictor import Predictor, TextGenerator
from recurra.predictor.forecast import ForecastNetwork, ForecastSchema
from recurra.predictor.language_model import LanguageModelNetwork, LanguageModelSchema
from recurra.predictor.sequences import SequenceNetwork, SequenceSchema


def random_weights(model):
    """Large random weights: predictions differ without any training."""
    rng = np.random.default_rng(7)
    model.set_weights([rng.normal(0, 0.7, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def forecast(frame, new, family, *, lookback=8, horizon=2, **options):
    pipeline = SeriesPipeline(lookback=lookback, horizon=horizon, **options)
    fold = single_split(frame, horizon=horizon, lookback=lookback)
    pipeline.fit(frame, fold.train)
    config = {} if family == "linear" else {"units": 4}
    network = ForecastNetwork(pipeline, random_weights(build(family, pipeline.spec, **config)))
    network = network.calibrated(pipeline.batches(pipeline.encode(frame), fold.validation))
    return Predictor(ForecastSchema.of(pipeline, frame), network, "forecast"), new


def example(frame, new, encoder, family, **config):
    pipeline = SequencePipeline(encoder).fit(frame)
    network = SequenceNetwork(pipeline, random_weights(build(family, pipeline.spec, **config)))
    return Predictor(SequenceSchema.of(pipeline, frame), network, frame.task), new


def language(frame, new, tokens, family, **config):
    pipeline = LanguagePipeline(tokens=tokens, min_count=1).fit(frame)
    network = LanguageModelNetwork(pipeline, random_weights(build(family, pipeline.spec, **config)))
    return Predictor(LanguageModelSchema.of(pipeline, frame), network, "language-model"), new


def make_all():
    """Name → predictor of random weights, and what it predicts."""
    values, label, level = data.panel()
    steps, tags = data.tagged_values()
    series = SeriesFrame.from_table(data.wave(), time="month", target="y")
    reviews = TextFrame.from_table(data.texts(), text="text", label="label")
    stars = TextFrame.from_table(data.texts(), text="text", value="stars")
    sentences = TextFrame.from_records(data.tagged(), text="tokens", tags="tags")
    song = CorpusFrame.from_text("the cat sat. The dog ran, it's İ.\n\n" * 20)
    named = TextFrame.from_table(data.lines(), text="name", label="origin")
    some = [*data.texts()["text"][:4], "", "zzz 中文 😀"]
    words = TextEncoder(min_count=1)
    return {
        "series": forecast(series, series, "lstm", season=12, calendar=("year",)),
        "shops": forecast(data.shop_frame(data.shops()), data.continued_shops(), "gru", season=7, transform="log"),
        "reviews": example(reviews, some, words, "lstm", units=4, bidirectional=True, ngrams=2, ngram_buckets=50),
        "stars": example(stars, some, TextEncoder(tokens="char", keep="last"), "dense", units=4),
        "curves": example(PanelFrame.from_arrays(values, label), values[:5], SequenceEncoder(), "tcn", units=4),
        "levels": example(PanelFrame.from_arrays(values, level), values[:5], SequenceEncoder(), "simple_rnn", units=4),
        "sentences": example(
            sentences, [["(", "a"], [], ["", "zzz"]], TextEncoder(tokens=None), "dense", units=4, feedback=1
        ),
        "parities": example(
            PanelFrame.from_arrays(steps, tags, task="tagging"), steps[:4], SequenceEncoder(), "gru", units=4
        ),
        "song": language(song, ["the cat", ""], "word", "lstm", units=4, num_layers=2),
        "names": language(named, data.lines()[:3], "char", "gru", units=4),
    }


NAMES = ["series", "shops", "reviews", "stars", "curves", "levels", "sentences", "parities", "song", "names"]


@pytest.fixture(scope="module")
def made():
    return make_all()


@pytest.fixture(scope="module")
def saved(made, tmp_path_factory):
    """The folder of each, written while nothing can be pickled."""
    folder = tmp_path_factory.mktemp("predictors")
    with pytest.MonkeyPatch.context() as patch:
        forbid_pickle(patch)
        for name, (predictor, _) in made.items():
            predictor.save(folder / name)
    return folder


def forbid_pickle(patch):
    def refuse(*_, **__):
        raise AssertionError("pickle was used")

    for name in ("dump", "dumps", "load", "loads", "Pickler", "Unpickler"):
        patch.setattr(pickle, name, refuse)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# The same after loading


def test_every_example_is_tested(made):
    assert list(made) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_identical_after_loading(made, saved, name, monkeypatch):
    predictor, new = made[name]
    forbid_pickle(monkeypatch)
    loaded = Predictor.load(saved / name)
    table = predictor.predict(new)
    assert len(table)
    pd.testing.assert_frame_equal(loaded.predict(new), table, check_exact=True)
    assert (loaded.task, loaded.notes) == (predictor.task, predictor.notes)
    assert loaded.schema.to_config() == predictor.schema.to_config()
    assert (repr(loaded.schema), repr(loaded.model)) == (repr(predictor.schema), repr(predictor.model))


def test_another_process_predicts_the_same(made, saved):
    """Nothing lives on in this one: a table of tokens, a registered layer, a compiled graph."""
    code = """
import sys
from pathlib import Path
from recurra.predictor import Predictor
texts = ["good film", "", "zzz"]
for name in ("reviews", "stars"):
    Predictor.load(Path(sys.argv[1]) / name).predict(texts).to_json(f"{sys.argv[2]}/{name}.json", double_precision=15)
"""
    out = saved.parent
    subprocess.run([sys.executable, "-P", "-c", code, str(saved), str(out)], check=True, capture_output=True)
    for name in ("reviews", "stars"):
        ours = made[name][0].predict(["good film", "", "zzz"])
        pd.testing.assert_frame_equal(pd.read_json(out / f"{name}.json"), ours, check_dtype=False, rtol=1e-6)


@pytest.mark.parametrize("name", ["song", "names"])
def test_a_loaded_language_model_generates_the_same(made, saved, name):
    given = {"label": "east"} if name == "names" else {}
    ours, theirs = (TextGenerator(p) for p in (made[name][0], Predictor.load(saved / name)))
    how = {"length": 6, "seed": 3, "temperature": 1.0, **given}
    assert theirs.generate("the", **how) == ours.generate("the", **how)


def test_a_loaded_predictor_is_saved_again(made, saved, tmp_path):
    predictor, new = made["shops"]
    Predictor.load(saved / "shops").save(tmp_path / "again")
    pd.testing.assert_frame_equal(
        Predictor.load(tmp_path / "again").predict(new), predictor.predict(new), check_exact=True
    )


def test_a_path_may_be_text(made, tmp_path):
    made["levels"][0].save(str(tmp_path / "deep" / "er"))
    assert len(Predictor.load(str(tmp_path / "deep" / "er")).predict(made["levels"][1])) == 5


# What lies in the folder


@pytest.mark.parametrize("name", NAMES)
def test_the_folder_holds_json_and_arrays_only(saved, name):
    files = contents(saved / name)
    config = json.loads(files.pop("predictor.json"))
    assert list(files) == [f"{config['learnt']}/model.keras"]
    with zipfile.ZipFile(saved / name / config["learnt"] / "model.keras") as network:
        assert sorted(network.namelist()) == ["config.json", "metadata.json", "model.weights.h5"]
        config = json.loads(network.read("config.json"))
    assert "Lambda" not in json.dumps(config)  # whose function would be marshalled code


def test_a_baseline_is_arrays_without_objects(tmp_path):
    frame = SeriesFrame.from_table(data.wave(), time="month", target="y")
    predictor = recurra.fit(frame, family="seasonal_naive", horizon=3, lookback=24, season=12).predictor
    predictor.save(tmp_path)
    [arrays] = tmp_path.glob("*/arrays.npz")
    with np.load(arrays, allow_pickle=False) as read:
        assert {read[key].dtype.kind for key in read} <= set("fiubSU")
    pd.testing.assert_frame_equal(Predictor.load(tmp_path).predict(frame), predictor.predict(frame), check_exact=True)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_others_may_read_it_as_the_umask_has_it(made, tmp_path):
    mask = os.umask(0o022)
    try:
        made["levels"][0].save(tmp_path / "kept")
    finally:
        os.umask(mask)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "kept").rglob("*") if path.is_file()}
    assert modes == {0o644}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "kept").rglob("*") if path.is_dir()} == {0o755}


# Whole or not at all


def test_an_earlier_predictor_is_replaced_and_leaves_nothing(made, tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    made["curves"][0].save(tmp_path)
    earlier = set(contents(tmp_path))
    made["stars"][0].save(tmp_path)
    now = contents(tmp_path)
    assert set(now) & earlier == {"mine.txt", "predictor.json"}
    assert len(now) == 3
    predictor, new = made["stars"]
    pd.testing.assert_frame_equal(Predictor.load(tmp_path).predict(new), predictor.predict(new), check_exact=True)


@pytest.mark.parametrize("step", ["model", "json"])
def test_a_save_that_fails_leaves_the_earlier_predictor(made, tmp_path, monkeypatch, step):
    made["curves"][0].save(tmp_path)
    before = contents(tmp_path)

    def fail(*_, **__):
        raise OSError("the disk is full")

    if step == "model":
        monkeypatch.setattr(made["stars"][0].model.model, "save", fail)
    else:
        monkeypatch.setattr("recurra.predictor.persistence.replacing", fail)
    with pytest.raises(OSError, match="the disk is full"):
        made["stars"][0].save(tmp_path)
    monkeypatch.undo()
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [next(iter(before)).split("/")[0]]


def test_a_killed_save_leaves_the_earlier_predictor(made, saved, tmp_path):
    """The new network's files are there when the kill comes, `predictor.json` is not."""
    made["curves"][0].save(tmp_path)
    code = """
import json, os, signal, sys
from pathlib import Path
from recurra.predictor import Predictor, persistence
other = Predictor.load(Path(sys.argv[1]))
persistence.replacing = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
other.save(sys.argv[2])
"""
    command = [sys.executable, "-P", "-c", code, str(saved / "stars"), str(tmp_path)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob("*/model.keras"))) == 2
    predictor, new = made["curves"]
    pd.testing.assert_frame_equal(Predictor.load(tmp_path).predict(new), predictor.predict(new), check_exact=True)


def test_a_folder_that_cannot_be_written_to_is_said(made, tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match=r"cannot write the model to .*; choose another folder"):
            made["levels"][0].save(path)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


# What is missing or damaged


def refused(folder):
    """The one sentence that loading it comes to."""
    with pytest.raises(InputError) as caught:
        Predictor.load(folder)
    sentence = str(caught.value)
    assert str(folder) in sentence
    assert "\n" not in sentence
    assert not sentence.endswith(".")
    return sentence


def test_a_missing_predictor_is_said(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert refused(folder) == f"{folder} holds no saved predictor: there is no predictor.json in it"
    (tmp_path / "file").write_text("{}", encoding="utf-8")
    assert "holds no saved predictor" in refused(tmp_path / "file")


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, flip_a_bit, empty, os.remove], ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", ["series", "reviews", "song"])
def test_a_damaged_network_is_said(made, tmp_path, name, damage):
    made[name][0].save(tmp_path)
    [network] = tmp_path.glob("*/model.keras")
    damage(network)
    assert "holds a damaged predictor" in refused(tmp_path)


@pytest.mark.parametrize("damage", [cut, empty], ids=lambda damage: damage.__name__)
def test_a_damaged_json_is_said(made, tmp_path, damage):
    made["levels"][0].save(tmp_path)
    damage(tmp_path / "predictor.json")
    assert "holds a damaged predictor" in refused(tmp_path)


@pytest.mark.parametrize("config", ["[]", "{}", "7", '{"schema": {"kind": "other"}, "model": {}, "learnt": "x"}'])
def test_json_of_something_else_is_said(tmp_path, config):
    (tmp_path / "predictor.json").write_text(config, encoding="utf-8")
    assert "holds a damaged predictor" in refused(tmp_path)


@pytest.mark.parametrize("key", ["task", "schema", "model", "learnt"])
def test_a_missing_key_is_said(made, tmp_path, key):
    made["levels"][0].save(tmp_path)
    config = json.loads((tmp_path / "predictor.json").read_text(encoding="utf-8"))
    del config[key]
    (tmp_path / "predictor.json").write_text(json.dumps(config), encoding="utf-8")
    assert "holds a damaged predictor" in refused(tmp_path)


# No rows


@pytest.mark.parametrize("name", ["reviews", "stars", "curves", "levels", "sentences", "parities", "song"])
def test_no_rows_no_predictions(made, saved, name):
    predictor, new = made[name]
    some, none = predictor.predict(new), predictor.predict([])
    assert len(none) == 0
    assert list(none) == list(some)
    assert list(Predictor.load(saved / name).predict([])) == list(some)


def test_a_table_without_rows_is_said(made):
    for name, columns in (("series", ["month", "y"]), ("shops", list(data.shops())), ("names", ["name", "origin"])):
        with pytest.raises(InputError) as caught:
            made[name][0].predict(pd.DataFrame(columns=columns))
        assert "\n" not in str(caught.value)


# In one line


@pytest.mark.parametrize("name", NAMES)
def test_a_predictor_says_what_it_is_in_one_line(made, name):
    predictor, _ = made[name]
    text = repr(predictor)
    assert "\n" not in text
    assert text.startswith(f"Predictor({predictor.task}: ")
    assert f"{predictor.model.parameters():,} weights" in text
    assert len(text) < 200
