"""Texts larger than memory: read in streams, with the numbers that they have in memory."""

import gc
import gzip
import json
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.cli import app
from recurra.errors import InputError
from recurra.frames.fingerprint import data_hash
from recurra.frames.sequences.stored_texts import StoredTexts
from recurra.pipelines.token_counts import TokenCounts
from recurra.pipelines.tokens import tokenize
from recurra.tasks import Classification, Regression

MEMORY = "200KB"
SETTINGS = {"folds": 1, "seeds": 1, "max_epochs": 2, "mix": "none", "configs": 1, "progress": False}


def reviews(n=900):
    """Texts of which some are empty, missing, repeated, or go over several lines; not all have a label."""
    random = np.random.default_rng(3)
    words = np.array([f"w{i}" for i in range(300)])
    good = random.random(n) < 0.4
    texts = [
        " ".join(random.choice(words[:220] if g else words[80:], size))
        for g, size in zip(good, random.integers(1, 40, n), strict=True)
    ]
    table = pd.DataFrame(
        {
            "doc": [f"D{i}" for i in range(n)],
            "text": pd.Series(texts, dtype=object),
            "label": pd.Series(np.where(good, "good", "bad"), dtype=object),
            "stars": np.where(good, 4.0, 2.0) + random.normal(size=n),
            "film": [f"film {i // 7}" for i in range(n)],
            "part": np.where(np.arange(n) % 5 == 0, "test", "train"),
            "extra": 1,
        }
    )
    table.loc[5, "text"] = 'a "quoted" text,\nof two lines, with an é and 😀'
    table.loc[9, "text"], table.loc[12, "text"] = None, " "
    table.loc[31, "text"], table.loc[80, "text"] = table["text"][30], table["text"][77]
    table.loc[[7, 300], "label"] = None
    table.loc[40, "stars"] = np.nan
    table.loc[[50, 51], "film"] = None
    return table


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The same rows in every form."""
    path, table = tmp_path_factory.mktemp("texts"), reviews()
    table.to_csv(path / "rows.csv", index=False)
    (path / "rows.csv.gz").write_bytes(gzip.compress((path / "rows.csv").read_bytes()))
    table.to_parquet(path / "rows.parquet", index=False)
    (path / "folder").mkdir()
    for part, start in enumerate(range(0, len(table), 250)):
        table.iloc[start : start + 250].to_parquet(path / "folder" / f"{part}.parquet", index=False)
    return path


def assert_same_frame(streamed, frame):
    assert streamed.stored is not None
    assert frame.stored is None
    assert list(streamed.texts) == list(frame.texts)
    assert streamed.notes[0].startswith("900 rows are more than `memory` (200 KB) holds")
    assert streamed.notes[1:] == frame.notes
    assert streamed.roles == frame.roles
    for name in ("is_test", "groups", "names"):
        found, expected = getattr(streamed, name), getattr(frame, name)
        assert (found is None) == (expected is None)
        if found is not None:
            assert list(found) == list(expected), name
    if frame.targets is not None:
        assert streamed.targets.values.tolist() == frame.targets.values.tolist()
        assert set(map(type, streamed.targets.values)) == set(map(type, frame.targets.values))
    assert data_hash(streamed) == data_hash(frame)


@pytest.mark.parametrize("file", ["rows.csv", "rows.csv.gz", "rows.parquet", "folder"])
@pytest.mark.parametrize(
    "roles",
    [
        {"label": "label"},
        {"value": "stars", "id": "doc"},
        {"label": "label", "group": "film", "split": "part"},
        {"label": "extra", "value": None},
    ],
)
def test_every_source_is_the_same_frame_in_streams_and_in_memory(sources, file, roles):
    if roles.get("label") == "extra":  # numbers as classes; of one kind only, which is said alike
        for memory in (None, MEMORY):
            with pytest.raises(InputError, match="'extra' holds only one label, 1, in all 900 labelled rows"):
                recurra.load(sources / file, text="text", label="extra", memory=memory)
        return
    frame = recurra.load(sources / file, text="text", **roles)
    streamed = recurra.load(sources / file, text="text", memory=MEMORY, **roles)
    assert_same_frame(streamed, frame)
    rows = np.arange(len(frame))[::-3]
    assert list(streamed.take(rows).texts) == list(frame.take(rows).texts)
    again = pickle.dumps(streamed)
    assert data_hash(pickle.loads(again)) == data_hash(frame)


def test_columns_are_found_and_a_test_file_is_read_beside(sources, tmp_path):
    reviews().iloc[:300].to_csv(tmp_path / "test.csv", index=False)
    frame, streamed = (
        recurra.load(sources / "rows.csv", task="classification", test=tmp_path / "test.csv", memory=memory)
        for memory in (None, MEMORY)
    )
    assert frame.is_test.sum() == 299
    assert any("of the held-out test set are in the training set too" in note for note in frame.notes)
    assert data_hash(streamed) == data_hash(frame)
    assert streamed.notes[1:] == frame.notes


@pytest.mark.parametrize(
    ("task", "roles"), [(Classification(), {"label": "label"}), (Regression(), {"value": "stars"})]
)
def test_all_that_is_made_of_the_rows_is_the_same(sources, task, roles, monkeypatch):
    monkeypatch.setattr("recurra.tasks.sequences._COUNTED", 0.1)  # all texts fit, and are predicted in one piece
    found = []
    for memory in (MEMORY, None):
        frame = recurra.load(sources / "rows.parquet", text="text", memory=memory, **roles)
        experiment = task.open(frame, folds=2)
        fold = experiment.prepare(0)
        batches = [b for seed in (None, 5) for b in fold.train.dataset(batch_size=16, seed=seed).take(6)]
        name = "tfidf_logistic" if "label" in roles else "tfidf_ridge"
        scores = fold.baseline(name, {}).evaluate()
        found.append((experiment.describe_folds(), fold.pipeline.to_config(), fold.encoded, batches, scores))
    (folds, config, encoded, batches, scores), (folds_, config_, encoded_, batches_, scores_) = found
    assert isinstance(encoded.sequences.flat, np.memmap)
    assert folds == folds_
    assert config == config_
    np.testing.assert_array_equal(encoded.sequences.flat, encoded_.sequences.flat)
    np.testing.assert_array_equal(encoded.target, encoded_.target)
    for left, right in zip(batches, batches_, strict=True):
        assert [part.dtype for part in left[1:]] == [part.dtype for part in right[1:]]
        np.testing.assert_equal([part.numpy() for part in left[1:]], [part.numpy() for part in right[1:]])
        np.testing.assert_equal({k: v.numpy() for k, v in left[0].items()}, {k: v.numpy() for k, v in right[0].items()})
    assert scores.metrics == scores_.metrics
    np.testing.assert_array_equal(scores.losses, scores_.losses)


@pytest.fixture(scope="module")
def fitted(sources):
    """Both ways: the figures of all models, notes, and a model."""
    found = []
    for memory in (MEMORY, None):
        data = recurra.load(sources / "rows.csv", text="text", label="label", id="doc", memory=memory)
        models = {"families": ("dense",), "baselines": ("majority", "nbsvm"), "config": {"units": 4}}
        compared = recurra.compare(data, **models, **SETTINGS)
        made = recurra.fit(data, family="dense", max_epochs=2, progress=False)
        found.append((compared, made.predictor))
    return found


def test_a_comparison_gives_the_same_figures_and_says_what_baselines_learn_from(fitted):
    ours, theirs = (
        {line["model"]: (line["error"], line["log_loss"]) for line in c.to_dict()["summary"]} for c, _ in fitted
    )
    for model in ("dense", "majority"):
        assert ours[model] == theirs[model]
    assert ours["nbsvm"] != theirs["nbsvm"]
    said = [note for note in fitted[0][0].notes if note.startswith("baselines that read texts (all but majority)")]
    assert len(said) == 1
    assert "training texts they are given 100, drawn in proportion" in said[0]
    assert fitted[0][0].to_dict()["data"]["baseline_rows"] == 100
    assert "baseline_rows" not in fitted[1][0].to_dict()["data"]


@pytest.mark.parametrize("file", ["rows.csv", "rows.parquet"])
def test_predictions_are_the_same_and_are_written_in_parts(fitted, sources, file, tmp_path):
    predictor, other = (made for _, made in fitted)
    expected = other.predict(sources / file)
    frame = predictor.schema.read(sources / file, memory=MEMORY)
    tables = list(predictor.tables(frame))
    assert len(tables) > 3
    pd.testing.assert_frame_equal(pd.concat(tables, ignore_index=True), expected)
    predictor.save(tmp_path / "model")
    for name, options in (("streams", ["--memory", MEMORY]), ("memory", [])):
        for output in ("csv", "parquet"):
            out = tmp_path / f"{name}.{output}"
            app(
                ["predict", str(tmp_path / "model"), str(sources / file), "-o", str(out), *options],
                standalone_mode=False,
            )
    assert (tmp_path / "streams.csv").read_text() == (tmp_path / "memory.csv").read_text()
    pd.testing.assert_frame_equal(*[pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("streams", "memory")])
    with pytest.raises(InputError, match="`memory` applies to files"):
        predictor.schema.read(["a text"], memory=MEMORY)


def test_the_baselines_sample_has_every_class_and_repeats(sources):
    frame = recurra.load(sources / "rows.csv", text="text", label="label", memory=MEMORY)
    folds = [Classification().open(frame, folds=2).prepare(0) for _ in range(2)]
    states = [fold._fit_baseline("nbsvm", {}, fold.fold.train).state()[1] for fold in folds]
    np.testing.assert_equal(*states)
    assert set(states[0]["classes"]) == {0, 1}


def test_the_files_are_gone_with_the_frame(sources):
    frame = recurra.load(sources / "rows.csv", text="text", label="label", memory=MEMORY)
    folder, part = frame.stored.files.folder, frame.take(np.array([3]))
    ids = Classification().open(frame, folds=1).prepare(0).encoded.sequences.flat
    del frame
    gc.collect()
    assert folder.is_dir()
    assert part.texts[0].startswith("w")
    del part
    gc.collect()
    assert not folder.exists()
    assert ids[:5].max() > 0  # what is still mapped can be read


def test_tokens_are_counted_in_files_as_in_memory():
    texts = [f"the w{i % 50} n{i} {'the ' * (i % 3)}\n" for i in range(400)]
    few, all_of_them = TokenCounts(20), TokenCounts()
    for start in range(0, 400, 40):
        for flat, _ in tokenize(texts[start : start + 40], "space"):
            few.add(flat)
            all_of_them.add(flat)
    assert len(few._runs) > 5
    assert few.total == all_of_them.total
    for number in (1, 30, 10_000):
        assert few.most_common(number) == all_of_them.most_common(number)
    few.close()


def test_stored_texts_are_a_sequence():
    texts = StoredTexts.of(["good", "", "é😀\0", "bad"])
    assert texts.tolist() == ["good", "", "é😀\0", "bad"]
    assert [texts[-1], texts[np.int64(2)]] == ["bad", "é😀\0"]
    assert list(texts[1:3]) == ["", "é😀\0"]
    assert list(texts[np.array([3, 0])][1:]) == ["good"]
    assert list(texts[np.array([True, False, False, True])]) == ["good", "bad"]
    assert texts.sizes.tolist() == [4, 0, 7, 3]
    assert [block.tolist() for block in texts.blocks(5)] == [[0, 1], [2], [3]]
    assert [block.tolist() for block in texts.blocks(1, 2)] == [[0, 1], [2, 3]]
    with pytest.raises(IndexError):
        texts[4]


CSV_FAULTS = [
    ("D1,only two", "line 801 has 2 fields where 7 were expected"),
    ('D1,"a text that never ends', "the text that begins in line 801 has no end; close its quotation mark"),
    ("D1,a,b,many,f,train,1", "'stars' holds the text 'many' in line 801"),
    ("D1,a,b,3,f,rest,1", "'part' holds 'rest' in line 801"),
    ("D1,a\0b,b,3,f,train,1", "a NUL byte was found in line 801"),
]


@pytest.mark.parametrize(("line", "said"), CSV_FAULTS)
def test_what_is_wrong_in_a_csv_is_named_with_its_line(tmp_path, line, said):
    table = reviews().dropna(subset=["text", "stars"])
    lines = table[~table["text"].str.contains("\n")].to_csv(index=False).splitlines()
    (tmp_path / "rows.csv").write_text("\n".join([*lines[:800], line, *lines[800:]]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=said):
        recurra.load(tmp_path / "rows.csv", text="text", value="stars", split="part", memory="100KB")


def test_a_csv_without_a_header_is_said(tmp_path):
    table = reviews()[["text", "label"]].dropna()
    table.to_csv(tmp_path / "rows.csv", index=False, header=False)
    for memory in (None, "50KB"):
        with pytest.raises(InputError, match=r"the first line holds values .* where the names of the columns"):
            recurra.load(tmp_path / "rows.csv", text="text", label="label", memory=memory)


def test_how_a_csv_is_written_does_not_matter(tmp_path):
    table = reviews()[["text", "label"]].dropna()
    table["text"] = table["text"].str.replace("😀", "ß")
    texts = {
        "latin": table.to_csv(index=False).encode("cp1252"),
        "bom": table.to_csv(index=False).encode("utf-8-sig"),
        "semicolons": table.to_csv(index=False, sep=";").encode(),
        "comments": b"# made by hand\n# twice\n" + table.to_csv(index=False).encode(),
        "repeated header": (table.to_csv(index=False) + table.to_csv(index=False)).encode(),
        "blank lines": table.to_csv(index=False).replace("\nw", "\n\nw").encode(),
        "old mac": table[~table["text"].str.contains("\n")].to_csv(index=False).replace("\n", "\r").encode(),
        "windows": table.to_csv(index=False, lineterminator="\r\n").encode(),
    }
    for name, data in texts.items():
        (tmp_path / "rows.csv").write_bytes(data)
        frame = recurra.load(tmp_path / "rows.csv", text="text", label="label")
        streamed = recurra.load(tmp_path / "rows.csv", text="text", label="label", memory="100KB")
        assert streamed.stored is not None
        assert data_hash(streamed) == data_hash(frame), name
        assert sorted(streamed.notes[1:]) == sorted(frame.notes), name


def test_what_cannot_be_streamed_says_so(tmp_path):
    table = reviews()
    tokens = table.assign(text=table["text"].fillna("").str.split(), tags=table["text"].fillna("").str.split())
    tokens.to_parquet(tmp_path / "tokens.parquet", index=False)
    for roles in ({"label": "label"}, {"tags": "tags"}):
        with pytest.raises(InputError, match="of such only texts with a class or a number are read in streams"):
            recurra.load(tmp_path / "tokens.parquet", text="text", memory=MEMORY, **roles)
    table.assign(doc=table.index // 2).to_csv(tmp_path / "words.csv", index=False)
    with pytest.raises(InputError, match="450 of 900 ids in 'doc' come again where each row was expected to be a text"):
        recurra.load(tmp_path / "words.csv", text="text", label="label", id="doc", memory=MEMORY)
    table.to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(InputError, match="only series to forecast in Parquet, and texts with a class or a number in"):
        recurra.load(tmp_path / "rows.csv", text="text", task="language-model", memory=MEMORY)
    table.to_csv(tmp_path / "rows.csv", sep="\t", index=False)
    with pytest.raises(InputError, match="tabs were found between the columns where commas were expected"):
        recurra.load(tmp_path / "rows.csv", text="text", label="label", memory=MEMORY)
    series = pd.DataFrame({"ds": pd.date_range("2020-01-01", periods=9000), "y": np.arange(9000.0)})
    series.to_csv(tmp_path / "series.csv", index=False)
    with pytest.raises(InputError, match="only series to forecast in Parquet"):
        recurra.load(tmp_path / "series.csv", memory=MEMORY)


def test_what_reads_all_rows_at_once_says_so(fitted, sources, tmp_path, monkeypatch):
    frame = recurra.load(sources / "rows.csv", text="text", label="label", memory=MEMORY)
    with pytest.raises(InputError, match="an audit reads all rows at once, and these are larger than memory"):
        recurra.diagnostics.audit(frame)
    fitted[0][1].save(tmp_path / "model")
    monkeypatch.setattr("recurra.datasets.parquet_folders._free_memory", lambda: 400_000)
    with pytest.raises(InputError, match="an inspection reads all rows at once"):
        recurra.diagnostics.inspect(tmp_path / "model", sources / "rows.csv")


def test_the_default_is_half_of_what_is_free(sources, monkeypatch):
    monkeypatch.setattr("recurra.datasets.parquet_folders._free_memory", lambda: 400_000)
    for file in ("rows.csv", "rows.csv.gz", "rows.parquet"):
        assert recurra.load(sources / file, text="text", label="label").stored.memory == 200_000
        assert recurra.load(sources / file, text="text", label="label", memory="1GB").stored is None


MEASURE = """
import json, sys, threading, time
import keras, pyarrow.dataset, sklearn.feature_extraction.text, sklearn.linear_model, tensorflow as tf
import recurra, recurra.datasets.text_streams, recurra.predictor.sequences
from recurra.pipelines.tokens import tokenize
from recurra.tasks import Classification

def anonymous():  # what the process holds beside files that are mapped, which the system gives back
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))

tf.random.uniform([2])
list(tokenize(["a text"], "word"))
before, peak = anonymous(), [0]

def look():
    while True:
        peak[0] = max(peak[0], anonymous())
        time.sleep(0.01)

threading.Thread(target=look, daemon=True).start()
frame = recurra.load(sys.argv[1], text="text", label="label", memory=sys.argv[2])
fold = Classification(tokens="word").open(frame, folds=1).prepare(0)
for _ in fold.train.dataset(batch_size=32, seed=0).take(200):
    pass
majority = fold.baseline("majority", {})
majority.evaluate()
found = majority.predictor
rows = sum(len(table) for table in found.tables(found.schema.read(sys.argv[1], memory=sys.argv[2])))
print(json.dumps({"peak": peak[0] - before, "streamed": frame.stored is not None, "rows": rows}))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_the_peak_stays_within_the_limit_on_four_times_as_much(tmp_path):
    limit, random = 60_000_000, np.random.default_rng(0)
    words = np.array([f"w{i:x}" for i in range(20_000)], dtype=object)
    rows, file = 0, tmp_path / "texts.csv"
    while rows == 0 or file.stat().st_size < 4 * limit:
        texts = [f"n{rows + i} " + " ".join(words[random.integers(0, 20_000, 300)]) for i in range(5000)]
        table = pd.DataFrame({"text": texts, "label": np.where(random.random(5000) < 0.5, "yes", "no")})
        table.to_csv(file, mode="a", header=not rows, index=False)
        rows += 5000
    command = [sys.executable, "-P", "-c", textwrap.dedent(MEASURE), str(file), "60MB"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["streamed"]
    assert found["rows"] == rows
    assert found["peak"] < limit + 100 * rows, f"{found['peak'] / 1e6:.0f} MB"  # as docs/scaling.md says
