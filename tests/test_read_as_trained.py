"""What training read is what prediction reads: for every kind of source, the printed command works on the very file.

Nothing may be guessed anew from the file: neither its columns nor how its cells become sequences.
"""

import io
import json
import re
import shlex
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import recurra
from recurra.cli import app
from recurra.errors import InputError

WORDS = ["red", "blue", "went", "to", "Paris", "Oslo", "007", "[x]", "Mr."]


def sentences(n=24):
    random = np.random.default_rng(0)
    return [list(random.choice(WORDS, size=int(random.integers(2, 6)))) for _ in range(n)]


def tag(word):
    return "NAME" if word in ("Paris", "Oslo") else "O"


def kind(words):
    return "trip" if len(words) > 3 else "short"


def waves(n=24, steps=8, channels=2):
    random = np.random.default_rng(1)
    level = np.arange(n)[:, None, None] % 2
    return level + 0.1 * random.normal(size=(n, steps, channels))


def csv(path, **columns):
    pd.DataFrame(columns).to_csv(path, index=False)


def json_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def long_panel(path):
    values = waves()
    rows = [
        {"who": f"{i:03}", "step": t, "x": x, "z": z, "kind": "ab"[i % 2], "state": "ud"[t % 2], "dose": float(i % 2)}
        for i, sequence in enumerate(values)
        for t, (x, z) in enumerate(sequence)
    ]
    pd.DataFrame(rows).to_csv(path, index=False)


def word_rows(path, *, once):
    rows, last = [], None
    for number, words in enumerate(sentences()):
        for word in words:
            name = "" if once and last == number else f"Sentence: {number}"
            rows.append({"Sentence #": name, "Word": word, "POS": "X", "Tag": tag(word)})
            last = number
    pd.DataFrame(rows).to_csv(path, index=False)


def wide(path, order=range(12)):
    values = waves(steps=12, channels=1)[:, :, 0]
    table = pd.DataFrame({f"t{i}": values[:, i] for i in order})
    table["target"] = ["ab"[i % 2] for i in range(len(values))]
    table.to_csv(path, index=False)


def ts(path):
    header = "@problemName x\n@timeStamps false\n@classLabel true a b\n@data\n"
    lines = [",".join(f"{x:.4f}" for x in s[:, 0]) + ":" + "ab"[i % 2] for i, s in enumerate(waves())]
    path.write_text(header + "\n".join(lines) + "\n", encoding="utf-8")


def ucr(path):
    lines = ["\t".join([str(1 + i % 2), *(f"{x:.4f}" for x in s[:, 0])]) for i, s in enumerate(waves())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


TEXTS = [" ".join(words) for words in sentences()]
KINDS = [kind(words) for words in sentences()]
TAGS = [[tag(word) for word in words] for words in sentences()]
SPACED = [" ".join(tags) for tags in TAGS]

# Name of the file → how it is written, the roles given, a model that is quick.
SOURCES = {
    "texts.csv": (lambda p: csv(p, text=TEXTS, kind=KINDS), {"label": "kind"}, "tfidf_logistic"),
    "texts-named.csv": (
        lambda p: csv(p, id=[f"{i:03}" for i in range(24)], body=TEXTS, kind=KINDS),
        {"label": "kind", "text": "body", "id": "id"},
        "tfidf_logistic",
    ),
    "numbers-as-texts.csv": (
        lambda p: csv(p, text=["007", "7x"] * 12, kind=KINDS),
        {"label": "kind"},
        "tfidf_logistic",
    ),
    "scores.csv": (lambda p: csv(p, review=TEXTS, score=np.arange(24.0)), {"value": "score"}, "tfidf_ridge"),
    "sentences.csv": (lambda p: csv(p, sentence=TEXTS, tags=SPACED), {"tags": "tags"}, "most_frequent_tag"),
    "lists.csv": (
        lambda p: csv(p, tokens=[json.dumps(s) for s in sentences()], tags=[repr(t) for t in TAGS]),
        {},
        "most_frequent_tag",
    ),
    "lists-label.csv": (
        lambda p: csv(p, words=[repr([str(w) for w in s]) for s in sentences()], kind=KINDS),
        {"label": "kind"},
        "majority",
    ),
    "tokens.jsonl": (
        lambda p: json_lines(
            p, [{"tokens": [*map(str, s)], "tags": t} for s, t in zip(sentences(), TAGS, strict=True)]
        ),
        {},
        "most_frequent_tag",
    ),
    "strings.jsonl": (
        lambda p: json_lines(p, [{"tokens": s, "tags": t} for s, t in zip(TEXTS, TAGS, strict=True)]),
        {"tags": "tags"},
        "most_frequent_tag",
    ),
    "word-rows.csv": (lambda p: word_rows(p, once=False), {"id": "Sentence #", "tags": "Tag"}, "most_frequent_tag"),
    "merged-ids.csv": (
        lambda p: word_rows(p, once=True),
        {"id": "Sentence #", "tags": "Tag", "text": "Word"},
        "most_frequent_tag",
    ),
    "long.csv": (long_panel, {"id": "who", "label": "kind", "channels": ["x", "z"]}, "logistic_flattened"),
    "long-tags.csv": (long_panel, {"id": "who", "tags": "state", "channels": ["x"]}, "logistic_window"),
    "long-value.csv": (long_panel, {"id": "who", "value": "dose", "channels": ["z", "x"]}, "ridge_flattened"),
    "nested.jsonl": (
        lambda p: json_lines(p, [{"values": s.tolist(), "label": "ab"[i % 2]} for i, s in enumerate(waves())]),
        {},
        "logistic_flattened",
    ),
    "nested.csv": (
        lambda p: csv(p, series=[str(s[:, 0].tolist()) for s in waves()], kind=KINDS),
        {"values": "series", "label": "kind"},
        "logistic_flattened",
    ),
    "wide.csv": (wide, {"label": "target"}, "logistic_flattened"),
    "wide-as-text-sorts.csv": (
        lambda p: wide(p, order=[0, 1, 10, 11, *range(2, 10)]),
        {"label": "target"},
        "logistic_flattened",
    ),
    "arrays.npz": (lambda p: np.savez(p, X=waves(), y=np.arange(24) % 2), {}, "logistic_flattened"),
    "named.npz": (
        lambda p: np.savez(p, data=waves(), labels=np.arange(24) % 2),
        {"values": "data", "label": "labels"},
        "logistic_flattened",
    ),
    "splits.npz": (
        lambda p: np.savez(p, X_train=waves(), y_train=np.arange(24) % 2, X_test=waves(8), y_test=np.arange(8) % 2),
        {},
        "logistic_flattened",
    ),
    "panel.ts": (ts, {}, "logistic_flattened"),
    "panel.tsv": (ucr, {}, "logistic_flattened"),
    "corpus.txt": (lambda p: p.write_text("\n".join(TEXTS), encoding="utf-8"), {"task": "language-model"}, "bigram"),
    "lines.csv": (
        lambda p: csv(p, text=TEXTS, kind=KINDS),
        {"task": "language-model", "label": "kind", "text": "text"},
        "bigram",
    ),
}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Fit, save and export once for each source."""
    folder, made = tmp_path_factory.mktemp("sources"), {}

    def give(name):
        if name not in made:
            write, roles, model = SOURCES[name]
            write(folder / name)
            found = recurra.fit(str(folder / name), family=model, **roles)
            path = recurra.save_model(found.predictor, folder / "models" / name, found.frame)
            made[name] = (folder / name, found, recurra.load_model(path))
        return made[name]

    return give


def plain(inputs):
    return [np.asarray(x).tolist() if isinstance(x, np.ndarray) else x for x in inputs]


@pytest.mark.parametrize("name", SOURCES)
def test_the_file_it_was_trained_on_is_read_and_answered_as_in_training(fitted, name):
    path, found, loaded = fitted(name)
    of_frame = found.predictor.predict(found.frame)
    pd.testing.assert_frame_equal(loaded.predict(str(path)), of_frame)
    read = loaded.read(str(path))
    if not name.startswith("corpus"):
        assert plain(read.inputs) == plain(found.frame.inputs)
        assert read.names is None or read.names.tolist() == found.frame.names.tolist()


@pytest.mark.parametrize("name", [n for n in SOURCES if n.endswith((".csv", ".jsonl"))])
def test_a_table_in_memory_is_answered_like_its_file(fitted, name):
    path, found, loaded = fitted(name)
    ids = dict.fromkeys(("who", "id", "text"), str)
    table = (
        pd.read_csv(path, dtype=ids, keep_default_na=False) if name.endswith(".csv") else pd.read_json(path, lines=True)
    )
    pd.testing.assert_frame_equal(loaded.predict(table), found.predictor.predict(found.frame))


@pytest.mark.parametrize("name", ["sentences.csv", "long-tags.csv", "named.npz", "wide.csv", "lines.csv"])
def test_the_printed_command_gives_the_predictors_own_numbers(fitted, tmp_path, monkeypatch, name):
    _, found, _ = fitted(name)
    write, roles, model = SOURCES[name]
    monkeypatch.chdir(tmp_path)
    write(tmp_path / name)
    options = [
        part
        for role, value in roles.items()
        for part in (f"--{role}", ",".join(value) if isinstance(value, list) else value)
    ]
    done = CliRunner().invoke(app, ["fit", name, "--family", model, "--export", "m", *options])
    assert done.exit_code == 0, done.output
    if "generate with it" in done.stdout:
        command = ["predict", "m", name]
    else:
        command = re.search(r"predict with it: recurra (.*)", done.stdout)[1]
        command = shlex.split(command)
    answered = CliRunner().invoke(app, command)
    assert answered.exit_code == 0, answered.output
    printed = pd.read_csv(io.StringIO(answered.stdout), dtype={"who": str})
    own = found.predictor.predict(found.frame)
    for column in own:
        if own[column].dtype.kind == "f":
            np.testing.assert_allclose(printed[column], own[column], rtol=1e-6)
        elif column == "tags":
            assert [json.loads(cell) for cell in printed[column]] == own[column].tolist()
        else:
            assert printed[column].astype(str).tolist() == own[column].astype(str).tolist()


def test_words_of_a_sentence_are_tagged_however_it_is_handed_in(fitted):
    _, found, loaded = fitted("sentences.csv")
    for predictor in (found.predictor, loaded):
        for asked in (["went to Paris"], [["went", "to", "Paris"]], pd.DataFrame({"sentence": ["went to Paris"]})):
            assert predictor.predict(asked)["tags"].tolist() == [["O", "O", "NAME"]]
    _, found, loaded = fitted("tokens.jsonl")
    assert loaded.predict(["went to Paris"])["tags"].tolist() == [["O", "O", "NAME"]]
    with pytest.raises(InputError, match="among the tokens"):
        loaded.predict([["went", None]])


EMPTY = {
    "texts.csv": [pd.DataFrame({"text": ["", " "]}), pd.DataFrame({"text": [None, np.nan]}), ["", None], [""]],
    "scores.csv": [pd.DataFrame({"review": [""]})],
    "sentences.csv": [pd.DataFrame({"sentence": [""]}), [[]], [""]],
    "tokens.jsonl": [pd.DataFrame({"tokens": [[], []]}), [[]]],
    "nested.jsonl": [pd.DataFrame({"values": [[], []]}), [np.empty((0, 2))], [[]]],
    "arrays.npz": [[[], []]],
    "lines.csv": [pd.DataFrame({"text": [""], "kind": ["trip"]}), pd.DataFrame({"text": [None], "kind": ["short"]})],
}


@pytest.mark.parametrize(("name", "asked"), [(n, a) for n, tables in EMPTY.items() for a in tables])
def test_every_input_gets_an_answer_also_where_all_are_empty(fitted, name, asked):
    _, found, loaded = fitted(name)
    for predictor in (found.predictor, loaded):
        assert len(predictor.predict(asked)) == len(asked)


def test_a_file_of_empty_inputs_is_answered(fitted, tmp_path):
    for name, text in {
        "texts.csv": 'text\n""\n',
        "tokens.jsonl": '{"tokens": []}\n{"tokens": ""}\n',
        "nested.jsonl": '{"values": []}\n',
    }.items():
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        _, _, loaded = fitted(name)
        assert len(loaded.predict(str(path))) == max(1, text.count("\n") - text.startswith("text"))


def test_one_class_in_a_file_of_lines_is_enough_to_predict_and_an_unknown_one_is_named(fitted):
    _, _, loaded = fitted("lines.csv")
    assert len(loaded.predict(pd.DataFrame({"text": ["went", "to"], "kind": ["trip", "trip"]}))) == 2
    with pytest.raises(InputError, match="class 'long' is none that the model was trained with"):
        loaded.predict(pd.DataFrame({"text": ["went"], "kind": ["long"]}))


def test_the_end_of_a_long_text_stands_beside_what_comes_next(fitted):
    path, _, loaded = fitted("corpus.txt")
    (shown,) = loaded.predict(str(path))["text"]
    assert len(shown) < 100
    assert path.read_text(encoding="utf-8").endswith(shown[1:])


def test_notes_of_reading_are_on_standard_error(fitted, tmp_path):
    _, found, _ = fitted("texts.csv")
    model = recurra.save_model(found.predictor, tmp_path / "m", found.frame)
    (tmp_path / "old.csv").write_bytes('text\ncaf\xe9 noir\n""\n'.encode("latin-1"))
    done = subprocess.run(
        [sys.executable, "-P", "-c", "from recurra.cli import main; main()", "predict", str(model), "old.csv"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Windows-1252" in done.stderr
    assert "1 of 2 texts in 'text' is empty or missing" in done.stderr
    assert len(done.stdout.splitlines()) == 3
