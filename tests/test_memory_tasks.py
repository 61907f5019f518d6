"""Memory tasks: accuracy against the distance that has to be bridged."""

import io
import json

import pandas as pd
import pytest
from rich.console import Console

import recurra
from recurra.cli import app
from recurra.command_options import as_flags
from recurra.diagnostics import MEMORY_TASKS, MemoryResult
from recurra.errors import InputError
from recurra.reports import memory_table, write_memory_result


def test_how_far_a_model_remembers():
    rows = [
        *({"model": "rnn", "distance": d, "seed": 0, "accuracy": a} for d, a in ((5, 1.0), (10, 0.95), (20, 0.5))),
        *({"model": "lstm", "distance": d, "seed": 0, "accuracy": 0.99} for d in (5, 10, 20)),
        # right again by luck after it was wrong: that is not remembered
        *({"model": "dense", "distance": d, "seed": 0, "accuracy": a} for d, a in ((5, 0.5), (10, 1.0), (20, 1.0))),
    ]
    table = MemoryResult("recall", pd.DataFrame(rows), 0.5).table
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
        recurra.measure_memory("recall", **asked, seeds=2)


def test_a_measurement_reports_what_ended_the_trainings(remembered):
    assert set(remembered[0].rows["stopped_by"]) == {"max_epochs"}
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(memory_table(remembered[0], rewrite=as_flags))
    assert "4 of 4 trainings ended by --max-epochs, more might have helped" in " ".join(console.export_text().split())


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
    command += ["--set", "units=4"]
    app(command, standalone_mode=False)
    said = capsys.readouterr().out
    files = [f"runs/memory_recall/memory.{kind}" for kind in ("json", "csv", "png")]
    assert f"results: {', '.join(files)}" in said
    assert all((tmp_path / file).stat().st_size > 100 for file in files)
    rows = pd.read_csv(files[1])
    assert list(zip(rows["distance"], rows["model"], strict=True)) == [
        (distance, model) for distance in (2, 3) for model in ("dense:window=2", "linear")
    ]
    assert "4 of 4 trainings ended by --max-epochs" in " ".join(said.split())
    trials = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("trials/*.json")}
    assert len(trials) == 4
    # the same command again trains nothing anew, and says the same
    app(command, standalone_mode=False)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("trials/*.json")} == trials
    assert capsys.readouterr().out == said


@pytest.mark.parametrize(
    ("task", "targets"), [("recall", "classification"), ("adding", "regression"), ("copy", "tagging")]
)
def test_the_drawn_sequences_have_a_test_set(task, targets):
    frame = MEMORY_TASKS[task].draw(3)
    assert frame.task == targets
    assert frame.is_test.sum() == 1000


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"task": "recal"}, "the memory task must be one of recall, adding, copy; received 'recal'"),
        ({"distances": []}, "`distances` must be whole numbers of at least 1"),
        ({"distances": [0, 5]}, "`distances` must be whole numbers of at least 1"),
    ],
)
def test_what_cannot_be_remembered(how, words):
    with pytest.raises(InputError) as caught:
        recurra.measure_memory(**how)
    assert words in str(caught.value)
