"""Variants of a family, remembering over distances, and word vectors from a file."""

import gzip
import io
import json

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import recurra
from recurra.comparison import Remembering
from recurra.comparison.remembering import made
from recurra.comparison.variants import carries_state, parse_settings, parse_variant
from recurra.datasets import read_vectors
from recurra.errors import InputError
from recurra.frames import TextFrame
from recurra.reports import remembering_table, write_remembering

TINY = {"max_epochs": 2, "seeds": 1, "folds": 1}


# Variants


def test_a_variant_is_a_family_with_settings_of_its_own():
    assert parse_variant("gru") == ("gru", {})
    assert parse_variant("dense:feedback=1+dropout=0.5+residual=true+window=none+reading=window") == (
        "dense",
        {"feedback": 1, "dropout": 0.5, "residual": True, "window": None, "reading": "window"},
    )


@pytest.mark.parametrize("pair", ["units", "=3", ""])
def test_a_setting_has_a_name_and_a_value(pair):
    with pytest.raises(InputError, match="takes NAME=VALUE, such as units=32; received"):
        parse_settings([pair])


@pytest.mark.parametrize(
    ("name", "carries"),
    [("gru", True), ("lstm:units=8", True), ("dense", False), ("dense:feedback=0", False), ("dense:feedback=2", True)],
)
def test_what_is_fed_back_is_a_state(name, carries):
    assert carries_state(name) is carries


@pytest.fixture(scope="module")
def tagged():
    """Tags that are the token before: with a window of one nothing can be known, with two all of it."""
    random = np.random.default_rng(0)
    tokens = [random.choice(["a", "b"], size=n).tolist() for n in random.integers(4, 9, size=60)]
    records = [{"tokens": t, "tags": ["-", *t[:-1]]} for t in tokens]
    return TextFrame.from_records(records, tags="tags")


def test_variants_of_one_family_are_compared(tagged, tmp_path):
    names = ["dense:window=1", "dense:window=2+units=16+learning_rate=0.03"]
    result = recurra.compare(
        tagged, families=names, baselines=["majority_tag"], **(TINY | {"max_epochs": 40}), out=tmp_path, refit=True
    )
    assert set(result.summary.index) == {*names, "majority_tag"}
    assert result.summary.loc[names[1], "tag_error"] < 0.05 < result.summary.loc[names[0], "tag_error"]
    assert result.training["window"] == 2
    assert result.provenance()["metrics"]["tag_error"] == result.summary.loc[names[1], "tag_error"]
    kept = sorted(path.name for path in (tmp_path / "trials").glob("dense*.json"))
    assert len(kept) == 2
    assert not any(":" in name for name in kept)
    assert result.verdict["worth_it"] is None  # nothing that carries a state took part
    rows = {row["model"]: row["config"] for row in result.said["rows"]}
    assert rows[names[0]]["window"] == 1


@pytest.mark.parametrize(
    ("families", "words"),
    [
        (["dense:windw=1"], "has no setting `windw`"),
        (["dense:window=0"], "`window` of dense for tagging must be a whole number of at least 1; received 0"),
        (["dence:window=1"], "there is no 'dence'; choose from linear, dense"),
        (["dense:window=1", "dense:window=1"], "names one twice"),
    ],
)
def test_a_wrong_variant_is_named(tagged, families, words):
    with pytest.raises(InputError) as caught:
        recurra.compare(tagged, families=families, **TINY)
    assert words in str(caught.value)


# Remembering


def test_how_far_a_model_remembers():
    rows = [
        *({"model": "rnn", "distance": d, "seed": 0, "accuracy": a} for d, a in ((5, 1.0), (10, 0.95), (20, 0.5))),
        *({"model": "lstm", "distance": d, "seed": 0, "accuracy": 0.99} for d in (5, 10, 20)),
        # right again by luck after it was wrong: that is not remembered
        *({"model": "dense", "distance": d, "seed": 0, "accuracy": a} for d, a in ((5, 0.5), (10, 1.0), (20, 1.0))),
    ]
    table = Remembering("recall", pd.DataFrame(rows), 0.5).table
    assert table["remembers"].to_dict() == {"rnn": 10, "lstm": 20, "dense": 0}


@pytest.fixture(scope="module")
def remembered(tmp_path_factory):
    seen = []
    asked = {
        "distances": [6, 2],
        "families": ["dense:reading=window+window=3", "dense:reading=window+window=7"],
        "config": {"units": 8},
        "max_epochs": 4,
        "batch_size": 128,
        "out": tmp_path_factory.mktemp("remembered"),
        "on_progress": seen.append,
    }
    return recurra.remember("recall", **asked), seen, asked


def test_what_left_the_window_is_lost(remembered):
    table = remembered[0].table
    assert table.columns.tolist() == [2, 6, "remembers"]
    window = table.loc["dense:reading=window+window=3"]
    assert window[2] > 0.95
    assert (table.loc["dense:reading=window+window=7", [2, 6]] > 0.95).all()
    assert table["remembers"].tolist()[1] == 6


def test_progress_counts_all_trainings(remembered):
    seen = remembered[1]
    assert {p.total for p in seen} == {4}
    assert sorted({p.done for p in seen}) == [0, 1, 2, 3]


def test_remembering_goes_on_where_it_was_stopped(remembered):
    result, _, asked = remembered
    file = asked["out"] / "remember.json"
    said = json.loads(file.read_text())
    file.write_text(json.dumps({**said, "rows": said["rows"][:3]}))
    seen = []
    again = recurra.remember("recall", **asked | {"on_progress": seen.append})
    assert {p.done for p in seen} == {3}
    assert again.rows["accuracy"].tolist() == result.rows["accuracy"].tolist()
    with pytest.raises(InputError, match="holds another comparison: its seeds is 1, now it is 2"):
        recurra.remember("recall", **asked, seeds=2)


def test_remembering_says_what_ended_the_trainings(remembered):
    assert set(remembered[0].rows["ended_by"]) == {"max_epochs"}
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(remembering_table(remembered[0]))
    assert "4 of 4 trainings ended by --max-epochs, more might have helped" in " ".join(console.export_text().split())


def test_remembering_is_written_and_drawn(remembered, tmp_path):
    result = remembered[0]
    files = write_remembering(result, tmp_path)
    assert [f.name for f in files] == ["remember.json", "remember.csv", "remember.png"]
    said = json.loads(files[0].read_text())
    assert said["chance"] == 0.5
    assert len(said["rows"]) == 4
    assert pd.read_csv(files[1])["accuracy"].tolist() == result.rows["accuracy"].tolist()
    assert files[2].read_bytes().startswith(b"\x89PNG")
    assert remembering_table(result).row_count == 2


@pytest.mark.parametrize(
    ("task", "targets"), [("recall", "classification"), ("adding", "regression"), ("copy", "tagging")]
)
def test_the_made_sequences_have_a_test_part(task, targets):
    frame = made(task, 3)
    assert frame.task == targets
    assert frame.is_test.sum() == 1000


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"task": "recal"}, "there is no task 'recal' to remember; choose from recall, adding, copy"),
        ({"distances": []}, "--distances must be whole numbers of at least 1"),
        ({"distances": [0, 5]}, "--distances must be whole numbers of at least 1"),
    ],
)
def test_what_cannot_be_remembered(how, words):
    with pytest.raises(InputError) as caught:
        recurra.remember(**how)
    assert words in str(caught.value)


# Word vectors


def test_vectors_of_known_words_are_read(tmp_path):
    file = tmp_path / "glove.txt.gz"
    with gzip.open(file, "wt", encoding="utf-8") as lines:
        lines.write("the 1 2 3\ncat 0.5 -1 2e-1\nNew York 4 5 6\n")
    vectors, found = read_vectors(file, ["cat", "dog", "New York"])
    assert found == 2
    np.testing.assert_allclose(vectors[[0, 2]], [[0.5, -1, 0.2], [4, 5, 6]])
    assert 0 < np.abs(vectors[1]).max() <= 0.05


@pytest.mark.parametrize(
    ("content", "words"),
    [("cat 1 2\ndog x y\n", "line 2: 2 numbers were expected after the word 'dog'"), ("bird 1 2\n", "has no vector")],
)
def test_a_file_without_vectors_is_refused(tmp_path, content, words):
    file = tmp_path / "glove.txt"
    file.write_text(content)
    with pytest.raises(InputError) as caught:
        read_vectors(file, ["cat", "dog"])
    assert words in str(caught.value)


def test_embeddings_begin_with_the_vectors(tmp_path):
    file = tmp_path / "glove.txt"
    file.write_text("good 1 0\nbad 0 1\n")
    texts = pd.DataFrame({"text": ["good film", "bad film"] * 20, "label": [1, 0] * 20})
    fitted = recurra.fit(
        TextFrame.from_table(texts, label="label"),
        family="dense",
        vectors=str(file),
        max_epochs=1,
        tokens="word",
        config={"units": 2, "train_vectors": False},
    )
    words = fitted.predictor.pipeline.reader.vocabulary_.words
    table = fitted.predictor.model.get_layer("embedding").get_weights()[0]
    np.testing.assert_array_equal(table[3 + words.index("good")], [1, 0])
    assert any("2 of 3 words begin with a vector" in note for note in fitted.notes)
