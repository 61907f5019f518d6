"""Trials in several processes: the same outcomes, whatever is killed."""

import numpy as np
import pandas as pd
import psutil
import pytest

import recurra
from recurra.atomic import replacing
from recurra.comparison.trials import TrialStore, finished_files
from recurra.errors import InputError
from recurra.frames import SeriesFrame

TIMES = ["train_seconds", "predict_ms"]


@pytest.fixture(scope="module")
def wave():
    random = np.random.default_rng(0)
    table = pd.DataFrame({"y": np.sin(np.arange(120) * 0.5) + 0.1 * random.normal(size=120)})
    return SeriesFrame.from_table(table, time="none", target="y")


def quick(frame, **settings):
    small = {"horizon": 3, "lookback": 6, "season": 1, "folds": 2, "seeds": 2, "max_epochs": 2, "config": {"units": 4}}
    return recurra.compare(frame, **(small | {"families": ["linear", "dense"], "baselines": ["naive"]} | settings))


@pytest.fixture(scope="module")
def alone(wave):
    return quick(wave)


def same(one, other):
    pd.testing.assert_frame_equal(one.trials.drop(columns=TIMES), other.trials.drop(columns=TIMES))


def test_several_processes_give_the_numbers_of_one_and_say_that_they_ran_at_once(wave, alone, tmp_path):
    seen = []
    result = quick(wave, n_jobs=2, out=tmp_path / "run", on_progress=seen.append)
    same(result, alone)
    assert any("several processes" in note for note in result.notes)
    assert not any("several processes" in note for note in alone.notes)
    counts = [progress.done for progress in seen if progress.finished]
    assert counts == sorted(counts)
    assert max(progress.done for progress in seen) <= 10
    same(quick(wave, out=tmp_path / "run"), alone)  # what they wrote down is what one process resumes from


def test_a_killed_worker_is_one_sentence_and_the_same_call_resumes(wave, tmp_path):
    killed = []

    def kill_once(progress):
        if progress.finished and not killed:
            children = psutil.Process().children()
            worker = next(child for child in children if "popen_loky_posix" in " ".join(child.cmdline()))
            worker.kill()
            killed.append(worker)

    many = {"seeds": 4, "families": ["linear"], "config": None, "out": tmp_path / "run"}
    with pytest.raises(InputError, match=r"worker process was killed.*`jobs`.*resumes there"):
        quick(wave, n_jobs=2, on_progress=kill_once, **many)
    finished = list((tmp_path / "run" / "trials").glob("*.json"))
    assert killed
    assert finished
    before = {path: path.stat().st_mtime_ns for path in finished}
    resumed = quick(wave, n_jobs=2, **many)
    assert {path: path.stat().st_mtime_ns for path in finished} == before
    same(resumed, quick(wave, **(many | {"out": None})))


def test_no_jobs_at_all_are_refused(wave):
    with pytest.raises(InputError, match="`jobs` must be 1 or more, or -1"):
        quick(wave, n_jobs=0)


def test_a_row_that_is_being_written_is_not_read_yet(tmp_path):
    """A run's watcher once read half a file, and its thread ended with a traceback."""
    store = TrialStore(tmp_path)
    with replacing(tmp_path / "gru-fold0-seed0-config0.json") as path:
        path.write_text("", encoding="utf-8")
        assert list(tmp_path.glob("*.json")) == [path]
        assert finished_files(store.folder) == set()
        path.write_text("{}", encoding="utf-8")
    assert finished_files(store.folder) == {tmp_path / "gru-fold0-seed0-config0.json"}
