"""Memory tasks: accuracy against the distance that has to be bridged."""

import io
import json

import keras
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import recurra
from recurra.cli import app
from recurra.command_options import as_flags
from recurra.datasets import synthetic_sequences
from recurra.diagnostics import MEMORY_TASKS, MemoryResult
from recurra.diagnostics.memory_gradient import gradient_left
from recurra.errors import InputError
from recurra.reports import gradient_table, memory_table, write_memory_result


def test_how_far_a_model_remembers():
    rows = [
        *({"model": "rnn", "distance": d, "seed": 0, "accuracy": a} for d, a in ((5, 1.0), (10, 0.95), (20, 0.5))),
        *({"model": "lstm", "distance": d, "seed": 0, "accuracy": 0.99} for d in (5, 10, 20)),
        # right again by luck after it was wrong: that is not remembered
        *({"model": "dense", "distance": d, "seed": 0, "accuracy": a} for d, a in ((5, 0.5), (10, 1.0), (20, 1.0))),
    ]
    result = MemoryResult("recall", pd.DataFrame(rows).assign(outcome="forgets"), 0.5)
    assert result.table["remembers"].to_dict() == {"rnn": 10, "lstm": 20, "dense": 0}
    assert {model: result.reach(model) for model in ("rnn", "lstm", "dense")} == {
        "rnn": "10",
        "lstm": "20",
        "dense": "",
    }


def test_what_was_cut_short_is_not_forgotten():
    rows = pd.DataFrame(
        {
            "model": ["lstm"] * 3 + ["gru"] * 3,
            "distance": [5, 10, 20] * 2,
            "accuracy": [1.0, 0.5, 0.5, 0.6, 0.5, 0.5],
            "outcome": ["remembers", "cut short", "forgets", "cut short", "forgets", "forgets"],
            "stopped_by": ["target", "max_epochs", "patience", "budget", "patience", "patience"],
        }
    ).assign(seed=0)
    result = MemoryResult("order", rows, 0.5)
    assert result.undecided == {("lstm", 10), ("gru", 5)}
    assert (result.reach("lstm"), result.reach("gru")) == ("at least 5", "not known")
    assert result.cut_short == [(1, "the budget"), (1, "`max_epochs`")]
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(memory_table(result, rewrite=as_flags))
    text = " ".join(console.export_text().split())
    assert "lstm 1.000 0.500? 0.500 at least 5" in text
    assert "?: cut short" in text
    assert "0.5?" in result._repr_html_()


# What solves the tasks, and what cannot


def chance_of_table_of_counts(table, pairs):
    """Test accuracy of a classifier that counts words and, if asked, pairs of neighbours."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    counter = CountVectorizer(
        analyzer="word", token_pattern=r"\S+", lowercase=False, ngram_range=(1, 3 if pairs else 1)
    )
    texts, train = table["tokens"].str.join(" "), table["split"] == "train"
    model = LogisticRegression(max_iter=500, C=0.1).fit(counter.fit_transform(texts[train]), table["label"][train])
    return model.score(counter.transform(texts[~train]), table["label"][~train])


def test_counting_solves_neither_recall_nor_order():
    assert chance_of_table_of_counts(synthetic_sequences.recall(15), pairs=False) == pytest.approx(0.5, abs=0.06)
    assert chance_of_table_of_counts(synthetic_sequences.order(15), pairs=True) == pytest.approx(0.5, abs=0.06)


def test_a_shorter_window_sees_nothing_of_order_and_a_state_holds_it():
    table = synthetic_sequences.order(7, train=300, test=50)
    assert all({"X", "Y"} & {*tokens[:7], *tokens[-7:]} == set() for tokens in table["tokens"])
    last = [max(map(tokens.index, "XY")) for tokens in table["tokens"]]
    assert [tokens[i] for tokens, i in zip(table["tokens"], last, strict=True)] == table["label"].tolist()
    apart = [last - min(map(tokens.index, "XY")) for tokens, last in zip(table["tokens"], last, strict=True)]
    assert min(apart) >= 4  # or a triple of neighbours would tell


@pytest.fixture(scope="module")
def order():
    """Short: what only counts is beside a state."""
    families = ["linear", "dense", "dense:reading=window+window=6", "simple_rnn"]
    return recurra.measure_memory("order", distances=[6], families=families, seeds=2, max_epochs=6, patience=2)


def test_only_a_state_solves_order(order):
    rows = order.rows.set_index(["model", "seed"])
    for model in ("linear", "dense", "dense:reading=window+window=6"):
        assert rows.loc[model, "accuracy"].mean() == pytest.approx(0.5, abs=0.06)
        assert set(rows.loc[model, "outcome"]) <= {"forgets", "cut short"}
    assert rows.loc["simple_rnn", "outcome"].tolist() == ["remembers", "remembers"]
    assert rows.loc["simple_rnn", "stopped_by"].tolist() == ["target", "target"]


def test_the_first_seed_finds_the_rate_for_all(order):
    for _, rows in order.rows.groupby("model"):
        assert len(set(rows["learning_rate"])) == 1
    tried = order.rows[order.rows["model"] == "dense"].set_index("seed")["epochs"]
    assert tried[0] > tried[1]  # three rates against one


def test_what_is_left_of_the_gradient_stands_beside(order):
    gradients = order.gradients
    assert gradients.index.tolist() == [("simple_rnn", 6)]  # the first seed's
    # an orthogonal matrix keeps the norm, and tanh takes a little of it
    assert 0.3 < gradients["gradient_before"].iloc[0] <= 1.05
    assert np.isfinite(gradients["gradient_after"]).all()
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(gradient_table(order))
    assert "simple_rnn" in console.export_text()


def test_the_gradient_of_a_known_recurrence_is_known():
    keras.utils.set_random_seed(0)
    values = keras.Input((9, 1), name="values")
    layer = keras.layers.SimpleRNN(1, activation="linear", use_bias=False)
    network = keras.Model(values, layer(values))
    layer.set_weights([np.array([[3.0]]), np.array([[0.5]])])

    class Batches:
        def __len__(self):
            return 8

        def dataset(self, *, batch_size):
            return [({"values": np.ones((batch_size, 9, 1), "float32")},)]

    assert gradient_left(network, Batches(), 4) == pytest.approx(0.5**4)
    assert gradient_left(network, Batches(), 9) is None  # longer than the sequences


@pytest.fixture(scope="module")
def remembered(tmp_path_factory):
    seen = []
    asked = {
        "distances": [6, 2],
        "families": ["dense:reading=window+window=3", "dense:reading=window+window=7"],
        "config": {"units": 8, "learning_rate": 0.01},
        "max_epochs": 4,
        "seeds": 1,
        "batch_size": 128,
        "out": tmp_path_factory.mktemp("remembered"),
        "on_progress": seen.append,
    }
    return recurra.measure_memory("recall", **asked), seen, asked


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


def test_a_measurement_resumes_where_it_was_stopped(remembered):
    result, _, asked = remembered
    trials = sorted(asked["out"].rglob("trials/*.json"))
    assert len(trials) == 4
    trials[-1].unlink()
    seen = []
    again = recurra.measure_memory("recall", **asked | {"on_progress": seen.append})
    trained = [p for p in seen if p.epoch]
    assert {p.done for p in trained} == {3}
    assert again.rows["accuracy"].tolist() == result.rows["accuracy"].tolist()
    with pytest.raises(InputError, match="holds another comparison: its `seeds` is 1, now it is 2"):
        recurra.measure_memory("recall", **asked | {"seeds": 2})


def test_a_measurement_is_written_and_drawn(remembered, tmp_path):
    result = remembered[0]
    files = write_memory_result(result, tmp_path)
    assert [f.name for f in files] == ["memory.json", "memory.csv", "memory.png"]
    written = json.loads(files[0].read_text())
    assert written["chance"] == 0.5
    assert len(written["rows"]) == 4
    assert pd.read_csv(files[1])["accuracy"].tolist() == result.rows["accuracy"].tolist()
    assert files[2].read_bytes().startswith(b"\x89PNG")
    assert memory_table(result).row_count == 2


def test_the_command_measures_writes_and_resumes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["memory", "recall", "--distances", "3,2", "--families", "dense:window=2,linear", "--max-epochs", "1"]
    command += ["--set", "units=4", "--seeds", "1", "--set", "learning_rate=0.003"]
    app(command, standalone_mode=False)
    said = capsys.readouterr().out
    files = [f"runs/memory_recall/memory.{kind}" for kind in ("json", "csv", "png")]
    assert f"results: {', '.join(files)}" in said
    assert all((tmp_path / file).stat().st_size > 100 for file in files)
    rows = pd.read_csv(files[1])
    assert list(zip(rows["distance"], rows["model"], strict=True)) == [
        (distance, model) for distance in (2, 3) for model in ("dense:window=2", "linear")
    ]
    assert "4 of 4 trainings ended by --max-epochs, more might have helped" in " ".join(said.split())
    trials = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("trials/*.json")}
    assert len(trials) == 4
    # the same command again trains nothing anew, and says the same
    app(command, standalone_mode=False)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("trials/*.json")} == trials
    assert capsys.readouterr().out == said


@pytest.mark.parametrize(
    ("task", "targets"),
    [("recall", "classification"), ("order", "classification"), ("adding", "regression"), ("copy", "tagging")],
)
def test_the_drawn_sequences_have_a_test_set(task, targets):
    frame = MEMORY_TASKS[task].draw(3)
    assert frame.task == targets
    assert frame.is_test.sum() == 1000


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"task": "recal"}, "the memory task must be one of recall, order, adding, copy; received 'recal'"),
        ({"distances": []}, "`distances` must be whole numbers of at least 1"),
        ({"distances": [0, 5]}, "`distances` must be whole numbers of at least 1"),
    ],
)
def test_what_cannot_be_remembered(how, words):
    with pytest.raises(InputError) as caught:
        recurra.measure_memory(**how)
    assert words in str(caught.value)
