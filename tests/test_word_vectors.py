"""Word vectors from a file."""

import gzip

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.datasets import read_vectors
from recurra.diagnostics import inspect
from recurra.errors import InputError
from recurra.frames import TextFrame
from recurra.tasks import Classification


def test_vectors_of_known_words_are_read(tmp_path):
    file = tmp_path / "glove.txt.gz"
    with gzip.open(file, "wt", encoding="utf-8") as lines:
        lines.write("the 1 2 3\ncat 0.5 -1 2e-1\nNew York 4 5 6\n")
    vectors, found = read_vectors(file, ["cat", "dog", "New York"])
    assert found == 2
    np.testing.assert_allclose(vectors[[0, 2]], [[0.5, -1, 0.2], [4, 5, 6]])
    assert 0 < np.abs(vectors[1]).max() <= 0.05
    scaled, _ = read_vectors(file, ["cat", "dog", "New York"], length=5.0)
    np.testing.assert_allclose(np.linalg.norm(scaled[[0, 2]], axis=1), 5, rtol=1e-6)
    np.testing.assert_allclose(scaled[2] / scaled[2][0], vectors[2] / vectors[2][0], rtol=1e-6)
    np.testing.assert_array_equal(scaled[1], vectors[1])  # none of the file's own


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("cat 1 2\ndog x y\n", "line 2: 2 numbers were expected after the word 'dog'"),
        ("bird 1 2\n", "no vector was found for any of the 2 words"),
    ],
)
def test_a_file_without_vectors_is_refused(tmp_path, content, words):
    file = tmp_path / "glove.txt"
    file.write_text(content)
    with pytest.raises(InputError) as caught:
        read_vectors(file, ["cat", "dog"])
    assert words in str(caught.value)


def test_embeddings_begin_with_the_vectors(tmp_path):
    file = tmp_path / "glove.txt"
    file.write_text("good 1 0\nbad 0 1\nonce 3 4\n")
    texts = pd.DataFrame({"text": ["good film", "bad film"] * 20 + ["good once"], "label": [1, 0] * 20 + [1]})
    fitted = recurra.fit(
        TextFrame.from_table(texts, label="label"),
        family="dense",
        vectors=str(file),
        max_epochs=1,
        tokens="word",
        config={"units": 2, "train_vectors": False},
    )
    assert (fitted.training["reading"], fitted.training["embedding"]) == ("average", 2)
    words = fitted.predictor.schema.pipeline.encoder.vocabulary_.words
    table = fitted.predictor.model.model.get_layer("embedding").get_weights()[0]
    # all of one length, and a word that occurs once is known: the file knows more of it
    np.testing.assert_allclose(table[3 + words.index("good")], [5, 0])
    assert fitted.task.min_count == 1
    assert any("are initialised with a vector" in note for note in fitted.notes)


def test_dimensions_other_than_those_of_the_file_are_refused(tmp_path):
    file = tmp_path / "glove.txt"
    file.write_text("good 1 0\nbad 0 1\n")
    texts = pd.DataFrame({"text": ["good film", "bad film"] * 20, "label": [1, 0] * 20})
    with pytest.raises(InputError, match="`vectors` have 2 dimensions, so `embedding` must be that; received 8"):
        recurra.fit(texts, label="label", family="gru:embedding=8", vectors=str(file), tokens="word")


def test_a_rare_word_is_known_by_default_only_where_a_file_knows_it():
    frame = TextFrame.from_table(pd.DataFrame({"text": ["a b", "b c"] * 9, "label": [0, 1] * 9}), label="label")
    assert Classification(tokens="word").open(frame).task.min_count == 2
    assert Classification(tokens="word", vectors="words.txt").open(frame).task.min_count == 1
    assert Classification(tokens="word", vectors="words.txt", min_count=3).open(frame).task.min_count == 3


def test_learnt_vectors_stand_beside_those_of_a_file(tmp_path):
    file = tmp_path / "glove.txt"
    file.write_text("good 1 0\nbad 0 1\n")
    texts = pd.DataFrame({"text": ["good film", "bad film"] * 20, "label": [1, 0] * 20})
    fitted = recurra.fit(
        texts,
        label="label",
        family="gru:second_embedding=3+train_vectors=false+units=2",
        vectors=str(file),
        max_epochs=2,
    )
    network = fitted.predictor.model.model
    words = fitted.predictor.schema.pipeline.encoder.vocabulary_.words
    np.testing.assert_allclose(network.get_layer("embedding").get_weights()[0][3 + words.index("good")], [5, 0])
    assert network.get_layer("second_embedding").get_weights()[0].shape == (3 + len(words), 3)
    stream = fitted.predictor.stream()
    stream.push("good film")
    whole = fitted.predictor.predict(["good film"])
    assert stream.prediction["probabilities"].max() == pytest.approx(whole["probability"][0], abs=1e-5)
    found = inspect(fitted.predictor, fitted.frame)
    assert found.memory["horizon_gradient"] is not None
    with pytest.raises(InputError, match="`second_embedding` stands beside `vectors`; give `vectors`"):
        recurra.compare(texts, label="label", families=["gru:second_embedding=3"], folds=2, seeds=1)
