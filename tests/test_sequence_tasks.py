"""Texts, panels, tags and next words from file to prediction: training that repeats, and the command line."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra import models
from recurra.cli import app
from recurra.errors import InputError
from recurra.export import load_model
from recurra.frames import TextFrame
from recurra.frames.targets import objects
from recurra.pipelines import SequencePipeline, TextEncoder
from recurra.predictor import Predictor
from recurra.predictor.sequences import SequenceNetwork, SequenceSchema
from recurra.tasks import Classification
from recurra.training import FitOptions, Trainer

RECURRA = Path(sys.executable).parent / "recurra"
GOOD, BAD = ["fine", "great", "lovely", "superb"], ["awful", "poor", "dull", "weak"]
QUICK = ["--max-epochs", "1", "--set", "units=4"]
TINY = ["--max-epochs", "1", "--families", "linear", "--folds", "2", "--seeds", "1"]


def reviews(n=60, seed=0):
    rng = np.random.default_rng(seed)
    good = np.arange(n) % 2 == 0
    text = [" ".join([*rng.choice(GOOD if k else BAD, 3), "film", str(i % 9)]) for i, k in enumerate(good)]
    return pd.DataFrame({"review": text, "stars": np.where(good, 5, 1)})


def sentences(n=30):
    rng = np.random.default_rng(0)
    rows = [rng.choice(list("abc"), 1 + i % 5).tolist() for i in range(n)]
    return [{"tokens": row, "tags": ["V" if token == "a" else "C" for token in row]} for row in rows]


# Training


def text_parts(frame, **config):
    pipeline = SequencePipeline(TextEncoder(min_count=1)).fit(frame, np.arange(40))
    encoded = pipeline.encode(frame)
    parts = pipeline.batches(encoded, np.arange(40)), pipeline.batches(encoded, np.arange(40, 60))
    options = {"loss": "crossentropy", "max_epochs": 3, "batch_size": 8, "learning_rate": 0.01}
    trainer = Trainer(lambda: models.build("dense", pipeline.spec, units=4, **config), **options)
    return pipeline, parts, trainer


def weights_of(trainer):
    return [v.numpy() for v in trainer.model.variables]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_text_classifier_resumed_goes_on_as_if_unbroken(monkeypatch, tmp_path):
    monkeypatch.setattr("recurra.training.state.CHECKPOINT_SECONDS", 0.0)  # after every epoch, however short
    frame = TextFrame.from_table(reviews(), label="stars")
    _, parts, trainer = text_parts(frame, dropout=0.3, input_dropout=0.2, ngrams=2, ngram_buckets=50)
    unbroken = trainer.fit(*parts, FitOptions(seed=0))
    weights = weights_of(trainer)
    trainer.fit(*parts, FitOptions(seed=1))
    assert not same(weights_of(trainer), weights)
    checkpoint = tmp_path / "state.npz"

    def interrupt(epoch, loss):
        assert loss == unbroken.losses[epoch - 1]
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer.fit(*parts, FitOptions(seed=0, checkpoint=checkpoint, on_epoch=interrupt))
    trainer.model = None  # as in another process
    again = trainer.fit(*parts, FitOptions(seed=0, checkpoint=checkpoint))
    assert again.losses == unbroken.losses
    assert same(weights_of(trainer), weights)


def test_a_tagger_repeats_from_its_seed():
    frame = TextFrame.from_records(sentences(), tags="tags")
    found = []
    for seed in (3, 4, 3):
        fitted = recurra.fit(frame, family="dense", seed=seed, max_epochs=1, config={"units": 4, "dropout": 0.2})
        found.append(fitted.predictor.outputs(frame)["probabilities"])
    assert same(found[0], found[2])
    assert not same(found[0], found[1])
    tags = fitted.predictor.predict(frame)["tags"]
    assert [len(row) for row in tags] == [len(row) for row in frame.texts]


def test_the_validation_loss_of_values_is_the_mean_over_the_examples():
    table = reviews().assign(stars=lambda t: t["stars"] * 10 + np.arange(60) % 7)
    frame = TextFrame.from_table(table, value="stars")
    pipeline = SequencePipeline(TextEncoder(min_count=1)).fit(frame, np.arange(53))
    encoded = pipeline.encode(frame)
    train, validation = pipeline.batches(encoded, np.arange(53)), pipeline.batches(encoded, np.arange(53, 60))
    trainer = Trainer(lambda: models.build("dense", pipeline.spec, units=4), loss="mae", max_epochs=1)
    history = trainer.fit(train, validation, FitOptions(seed=0))
    predictor = Predictor(SequenceSchema.of(pipeline, frame), SequenceNetwork(pipeline, trainer.model))
    predicted = predictor.outputs(frame)["value"][53:]
    wrong = np.abs(predicted - frame.targets.values[53:]).mean() / pipeline.target_encoder_.scale_
    assert history.best_loss == pytest.approx(wrong, rel=1e-4)


def test_neither_validation_nor_test_texts_reach_the_weights():
    """A text of the test set may hold anything: predictions for the other ones do not change."""
    table = pd.concat([reviews(40), reviews(20, seed=1)], ignore_index=True)
    table["split"] = ["train"] * 40 + ["test"] * 20
    frame = TextFrame.from_table(table, label="stars", split="split")
    found = []
    for last in ("fine film", "zzz " * 500):
        changed = replace(frame, texts=objects([*frame.texts[:-1], last]))
        data = Classification().open(changed).prepare(0)
        assert data.fold.test.tolist() == list(range(40, 60))
        trainer = Trainer(lambda data=data: data.build("dense", {"units": 4}), loss="crossentropy", max_epochs=1)
        trainer.fit(data.train, data.validation, FitOptions(seed=0))
        found.append(data.network(trainer.model).predictor.outputs(changed)["probabilities"][40:])
        assert "zzz" not in data.pipeline.encoder.vocabulary_.words
    np.testing.assert_array_equal(found[0][:-1], found[1][:-1])


# Predictors


@pytest.fixture(scope="module")
def classifier():
    return recurra.fit(
        TextFrame.from_table(reviews(), label="stars"), family="dense", max_epochs=20, batch_size=8, config={"units": 8}
    ).predictor


def test_a_classifier_predicts_the_labels_it_was_given(classifier, tmp_path):
    texts = ["superb great fine", "awful dull weak", "", "zzz", "great " * 5000]
    table = classifier.predict(texts)
    assert table["label"].tolist()[:2] == [5, 1]
    assert list(table) == ["label", "probability", "probability_1", "probability_5"]
    frame = TextFrame.from_table(pd.DataFrame({"text": texts}))
    pd.testing.assert_frame_equal(classifier.predict(frame), table)
    classifier.save(tmp_path / "kept")
    again = Predictor.load(tmp_path / "kept")
    pd.testing.assert_frame_equal(again.predict(texts), table, check_exact=True)


def test_a_prediction_does_not_depend_on_its_neighbours(classifier):
    texts = [*reviews(30, seed=5)["review"], "great " * 300, ""]
    together = classifier.predict(texts)
    alone = pd.concat([classifier.predict([text]) for text in texts[-4:]], ignore_index=True)
    pd.testing.assert_frame_equal(together[-4:].reset_index(drop=True), alone, rtol=1e-5)
    backwards = classifier.predict(texts[::-1])[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(backwards, together, rtol=1e-5)


# The command line


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with a user's files, good ones and bad ones."""
    folder = tmp_path_factory.mktemp("desk")
    table = reviews()
    table.to_csv(folder / "reviews.csv", index=False)
    reviews(20, seed=1).to_csv(folder / "test.csv", index=False)
    table.assign(stars=table["stars"] + np.arange(60) / 7).to_csv(folder / "values.csv", index=False)
    lines = [json.dumps(row) for row in sentences()]
    (folder / "tags.jsonl").write_text("\n".join(lines), encoding="utf-8")
    rng = np.random.default_rng(0)
    np.savez(folder / "panel.npz", X=rng.normal(size=(24, 5, 2)), y=np.array(["up", "down"] * 12))
    np.savez(folder / "new.npz", X=rng.normal(size=(3, 9, 2)), y=np.array(["up"] * 3))
    (folder / "novel.txt").write_text("the cat sat on the mat.\n\nthe dog ran.\n\n" * 40, encoding="utf-8")
    names = ["bara", "bilo", "dona", "firo", "gera", "halo"] * 6
    pd.DataFrame({"text": names, "kind": [n[-1].upper() for n in names]}).to_csv(folder / "names.csv", index=False)

    texts = ["a b", "c d", "e f"] * 8
    bad = {
        "nolabels": (texts, [None] * 24),
        "oneclass": (texts, ["x"] * 24),
        "classes": (["aa bb", "cc dd", "ee ff", "gg hh", "ii jj", "kk ll"], list("abcdef")),
        "few": (["a b", "c d"], ["x", "y"]),
    }
    for name, (text, label) in bad.items():
        pd.DataFrame({"text": text, "label": label}).to_csv(folder / f"{name}.csv", index=False)
    (folder / "empty.csv").write_bytes(b"")
    (folder / "empty.txt").write_bytes(b" \n")
    (folder / "header.csv").write_text("text,label\n", encoding="utf-8")
    (folder / "nul.csv").write_bytes(b"text,label\na\0b,x\nc,y\n")
    (folder / "lengths.jsonl").write_text('{"tokens": ["a", "b"], "tags": ["N"]}\n', encoding="utf-8")
    ragged = np.array([np.zeros(3), np.zeros(4)], dtype=object)
    np.savez(folder / "ragged.npz", X=ragged, y=np.array([0, 1]))
    # whatever a text can hold, an old encoding, a class of one, a label that only the test part has, a megabyte
    odd = pd.DataFrame(
        {
            "text": ["", " ", None, "zz qq", "caf\xe9 gut", "bad film " * 120_000, *["so gut", "so schlecht"] * 9],
            "label": ["x", "y", "x", "y", "z", "y", *["x", "y"] * 9],
        }
    )
    odd.to_csv(folder / "odd.csv", index=False, encoding="latin-1")
    pd.DataFrame({"text": ["so gut", "neu"], "label": ["x", "new"]}).to_csv(folder / "odd_test.csv", index=False)
    return folder


@pytest.fixture
def there(desk, monkeypatch):
    monkeypatch.chdir(desk)
    return desk


def run(*arguments):
    """The command line in this process: TensorFlow has started already."""
    app([str(a) for a in arguments], standalone_mode=False)


def process(*arguments, cwd, expect=0):
    done = subprocess.run(
        [str(RECURRA), *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == expect, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def compared(desk):
    roles = ["--text", "review", "--label", "stars", "--test", "test.csv"]
    baselines = ["--baselines", "majority,tfidf_logistic"]
    return process("compare", "reviews.csv", *roles, *TINY, *baselines, "--export", "saved_models/reviews", cwd=desk)


def test_compare_texts_with_a_held_out_test_set(desk, compared):
    said = json.loads((desk / "runs/reviews/comparison.json").read_text(encoding="utf-8"))
    assert (said["task"], said["data"]["class_counts"]) == ("classification", {"1": 40, "5": 40})
    assert said["folds"] == [{"fold": 0, "train_rows": 54, "validation_rows": 6, "test_rows": 20}]
    models = {"majority", "tfidf_logistic", "linear", "linear + tfidf_logistic"}
    assert {row["model"] for row in said["trials"]} == models
    told = " ".join(compared.stdout.split())
    assert "the held-out test set is scored, once: 20 examples; 6 of the other 60 stop the training" in told
    assert "predict with it: recurra predict saved_models/reviews reviews.csv" in told


@pytest.mark.usefixtures("there")
def test_predict_from_a_file_or_from_texts(compared, capsys):
    assert compared.returncode == 0
    run("predict", "saved_models/reviews", "test.csv", "-o", "out.csv")
    table = pd.read_csv("out.csv")
    assert len(table) == 20
    assert set(table["label"]) <= {1, 5}
    capsys.readouterr()
    run("predict", "saved_models/reviews", "--text", "great film", "--text", "")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "label,probability,probability_1,probability_5"
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("source", "roles", "baselines"),
    [
        ("values.csv", ["--text", "review", "--value", "stars"], "mean"),
        ("tags.jsonl", ["--tags", "tags"], "majority_tag"),
        ("panel.npz", [], "majority"),
        ("novel.txt", ["--task", "language-model", "--tokens", "word"], "unigram"),
    ],
)
def test_every_other_task_is_compared(there, capsys, source, roles, baselines):
    run("compare", source, *roles, *TINY, "--baselines", baselines)
    folder = there / "runs" / source.split(".")[0]
    said = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    mixes = {row["model"] for row in said["trials"] if row["kind"] == "mix"}
    assert {row["model"] for row in said["trials"]} - mixes == {"linear", baselines}
    numbers = [v for row in said["trials"] for v in row.values() if isinstance(v, float)]
    assert numbers
    assert np.isfinite(numbers).all()
    assert "results: " in capsys.readouterr().out


@pytest.mark.usefixtures("there")
def test_fit_and_predict_tags_and_values(capsys):
    run("fit", "tags.jsonl", "--tags", "tags", "--family", "linear", *QUICK[:2])
    run("predict", "saved_models/tags", "tags.jsonl", "-o", "tags.parquet")
    tags = pd.read_parquet("tags.parquet")["tags"]
    assert tags.map(len).tolist() == [len(row["tags"]) for row in sentences()]
    run("fit", "values.csv", "--text", "review", "--value", "stars", "--family", "dense", *QUICK)
    capsys.readouterr()
    run("predict", "saved_models/values", "test.csv")
    assert capsys.readouterr().out.splitlines()[0] == "value"
    run("fit", "panel.npz", "--family", "linear", *QUICK[:2])
    # labels in the file are not asked for, be they of one class only
    run("predict", "saved_models/panel", "new.npz", "-o", "panel.csv")
    assert len(pd.read_csv("panel.csv")) == 3
    with pytest.raises(InputError, match=r"panel\.npz holds numbers, but the model reads text"):
        run("predict", "saved_models/values", "panel.npz")
    with pytest.raises(
        InputError,
        match="saved_models/panel does not read single texts, so `text` does not apply to it; give it a file",
    ):
        run("predict", "saved_models/panel", "--text", "x")


@pytest.mark.usefixtures("there")
def test_fit_and_generate(capsys):
    arguments = ["--task", "language-model", "--text", "text", "--label", "kind", "--family", "dense", *QUICK]
    run("fit", "names.csv", *arguments, "--batch-size", "4")
    said = " ".join(capsys.readouterr().out.split())
    assert 'generate with it: recurra generate saved_models/names --label A --prompt "..."' in said
    run("generate", "saved_models/names", "--label", "A", "--prompt", "ba", "--length", "5", "--samples", "2")
    lines = capsys.readouterr().out.splitlines()
    assert [line[:2] for line in lines[:2]] == ["ba", "ba"]
    assert lines[2:4] == ["next, after the prompt:", "token  probability"]
    ranked = [float(line.split()[-1]) for line in lines[4:]]
    assert len(ranked) == 5
    assert ranked == sorted(ranked, reverse=True)
    model = load_model("saved_models/names")
    assert lines[0] == recurra.TextGenerator(model).generate("ba", length=5, seed=0, label="A")
    for arguments, words in (
        (["--label", "X"], "`label` must be one of A, O; received 'X'"),
        ([], "`label` must be one of A, O; received None"),
        (["--label", "A", "--temperature", "-1"], "`temperature` must be a number of at least 0; received -1.0"),
        (["--label", "A", "--top-k", "0"], "`top_k` must be at least 1; received 0"),
        (["--length", "0"], "`length` must be at least 1; received 0"),
    ):
        with pytest.raises(InputError, match=words):
            run("generate", "saved_models/names", *arguments)
    run("predict", "saved_models/names", "names.csv", "-o", "names_out.csv")
    table = pd.read_csv("names_out.csv")
    assert list(table) == ["text", "token", "probability"]
    assert len(table) == 36


@pytest.mark.usefixtures("there")
def test_odd_texts_are_handled_by_a_stated_rule(capsys):
    odd = ["odd.csv", "--text", "text", "--label", "label", "--test", "odd_test.csv", "--tokens", "word"]
    run("compare", *odd, *TINY, "--baselines", "majority", "--export", "saved_models/odd")
    told = " ".join(capsys.readouterr().out.split())
    for note in (
        "'odd.csv' is not UTF-8: it is read as Windows-1252",
        "3 of 26 texts in 'text' are empty or missing: they are kept, as empty texts",
        "a class of 'label' with only one example, which is kept but hard to learn: 'z'",
        "1 test row has a label that is not in the training set ('new'): it counts as wrong",
    ):
        assert note in told
    run("predict", "saved_models/odd", "odd.csv", "-o", "odd_out.csv")
    assert len(pd.read_csv("odd_out.csv")) == 24


BY_LABEL = ["--text", "text", "--label", "label"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compare", "empty.csv", *BY_LABEL], "empty.csv: the file is empty where a table was expected"),
        (["compare", "header.csv", *BY_LABEL], "header.csv: the file has a header and no rows"),
        (["compare", "reviews.csv", "--text", "review", "--label", "star"], "did you mean 'stars'?"),
        (
            ["compare", "nolabels.csv", *BY_LABEL],
            "nolabels.csv: column 'label' holds no labels where some were expected",
        ),
        (["compare", "oneclass.csv", *BY_LABEL], "holds only one label, 'x', in all 24 labelled rows"),
        (["compare", "classes.csv", *BY_LABEL], "each of the 6 examples has a class of its own"),
        (["compare", "few.csv", *BY_LABEL], "2 examples are too few for 3 folds"),
        (["compare", "nul.csv", *BY_LABEL], "nul.csv: a NUL byte was found in line 2"),
        (
            ["compare", "ragged.npz"],
            "ragged.npz: Python objects (pickled arrays, perhaps sequences of different length) were found",
        ),
        (
            ["compare", "lengths.jsonl", "--tags", "tags"],
            "lengths.jsonl: column 'tags' holds 1 tags in line 1 where 2 were expected",
        ),
        (
            ["compare", "empty.txt", "--task", "language-model"],
            "empty.txt: the file is empty where a text was expected",
        ),
        (
            ["compare", "reviews.csv", "--text", "review", "--label", "stars", "--horizon", "3"],
            "`horizon` does not apply to the task classification",
        ),
        (
            ["fit", "reviews.csv", "--text", "review", "--label", "stars", "--family", "lstm", "--set", "units=0"],
            "`units` of lstm for classification must be a whole number of at least 1; received 0",
        ),
        (
            ["fit", "reviews.csv", "--text", "review", "--label", "stars", "--family", "lstm", "--tokens", "letter"],
            "`tokens` must be one of word, char, space; received 'letter'",
        ),
        (["predict", "saved_models/reviews"], "give either a file or `text`; received neither"),
        (["predict", "saved_models/reviews", "nul.csv"], "nul.csv: a NUL byte was found"),
        (["predict", "saved_models/reviews", "nolabels.csv"], "nolabels.csv: no column is called 'review'"),
        (["generate", "saved_models/reviews"], "is a model for classification and generates no text"),
    ],
)
def test_what_a_user_can_fix_is_one_sentence_and_nothing_is_written(there, compared, capsys, arguments, words):
    assert compared.returncode == 0
    before = sorted(there.rglob("*"))
    with pytest.raises(InputError) as raised:
        run(*arguments)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert capsys.readouterr().out == ""
    assert sorted(there.rglob("*")) == before


@pytest.mark.usefixtures("compared")
def test_a_mistake_ends_with_code_2(desk):
    done = process("generate", "saved_models/reviews", "--prompt", "x", cwd=desk, expect=2)
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("recurra: saved_models/reviews is a model for classification")
    done = process("compare", "nul.csv", *BY_LABEL, cwd=desk, expect=2)
    assert [line for line in done.stderr.splitlines() if line.startswith("recurra: ")] == done.stderr.splitlines()


@pytest.mark.usefixtures("there")
def test_texts_are_nothing_for_a_forecast():
    run("fit", "ar2", "--family", "linear", "--horizon", "2", "--lookback", "4", "--season", "1", "--max-epochs", "1")
    with pytest.raises(
        InputError, match="saved_models/ar2 does not read single texts, so `text` does not apply to it; give it a file"
    ):
        run("predict", "saved_models/ar2", "--text", "x")
