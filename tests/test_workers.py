"""Trials in several processes: the same outcomes, whatever is killed."""

import os
import pickle
import threading
from dataclasses import replace

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import psutil
import pytest

import recurra
from recurra.atomic import replacing
from recurra.comparison.run import Run
from recurra.comparison.settings import open_experiment
from recurra.comparison.trials import Outcome, Trial, TrialStore, finished_files
from recurra.comparison.work import RunDescription, Work, do
from recurra.comparison.workers import _keep, _watch
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
    pd.testing.assert_frame_equal(one.trials.drop(columns=TIMES), other.trials.drop(columns=TIMES), check_exact=True)


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
        if progress.finished and not killed:  # all of them: one may have had nothing to do any more
            for child in psutil.Process().children():
                if "popen_loky_posix" in " ".join(child.cmdline()):
                    child.kill()
                    killed.append(child)

    # Seconds of work at least: what is reported after half of one must find its worker still at it.
    many = {"seeds": 12, "families": ["linear"], "config": None, "max_epochs": 60, "patience": 60}
    many["out"] = tmp_path / "run"
    with pytest.raises(InputError, match=r"worker process was killed.*`jobs`.*resumes there"):
        quick(wave, n_jobs=2, on_progress=kill_once, **many)
    finished = list((tmp_path / "run" / "trials").glob("*.json"))
    assert killed
    assert finished
    before = {path: path.stat().st_mtime_ns for path in finished}
    resumed = quick(wave, n_jobs=2, **many)
    assert {path: path.stat().st_mtime_ns for path in finished} == before
    same(resumed, quick(wave, **(many | {"out": None})))


def described(frame, folder):
    """A small run whose finished trials its sender keeps in a folder, and one work of it."""
    own = {"horizon": 3, "lookback": 6, "season": 1, "folds": 2, "seeds": 1, "max_epochs": 1}
    experiment, settings = open_experiment(frame, families=["linear"], baselines=["naive"], **own)
    run = Run(experiment, settings, folder, lambda _: None)
    description = RunDescription(experiment.frame, experiment.task, settings, folder, run.identity)
    return run, description, Work(str(folder), os.getpid(), "linear", (0, 1))


def test_a_worker_that_does_not_see_the_folder_gives_its_outcomes_back_and_keeps_nothing(wave, tmp_path):
    run, description, work = described(wave, tmp_path / "here")
    _, by_fold, _ = do(work, replace(description, folder=tmp_path / "not_here").packed())
    assert not (tmp_path / "not_here").exists()
    assert not finished_files(tmp_path / "here" / "trials")
    outcomes = [outcome for found in by_fold.values() for outcome in found]
    _keep(outcomes, run.store)
    assert [run.store.get(outcome.trial).row["mase"] for outcome in outcomes] == [o.row["mase"] for o in outcomes]


def test_progress_of_a_resumed_run_counts_neither_mixes_nor_what_was_tried_once_more(wave, tmp_path):
    run, _, _ = described(wave, tmp_path)
    trials, ended = tmp_path / "trials", threading.Event()
    trials.mkdir(exist_ok=True)
    others = [Trial("linear", 0).mixed("naive"), Trial("linear:window=3", 0), Trial("naive", 0, among=8)]
    for trial in (Trial("naive", 0), Trial("linear", 1), *others):
        (trials / f"{trial.key}.json").write_text("{}", encoding="utf-8")
    ended.set()
    _watch(run, trials, ended)
    assert (run.done, run.total) == (2, 4)


def test_a_folder_of_another_comparison_on_a_workers_machine_is_left_alone(wave, tmp_path):
    _, description, _ = described(wave, tmp_path / "here")
    assert description.open().folder == tmp_path / "here"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "identity.json").write_text('{"data": "others"}', encoding="utf-8")
    assert replace(description, folder=tmp_path / "other").open().folder is None


def test_the_data_are_packed_once_for_all_works_and_unpacked_once_in_a_worker(wave, monkeypatch):
    packed, unpacked = [], []
    dumps, loads = cloudpickle.dumps, pickle.loads
    monkeypatch.setattr("recurra.comparison.work.cloudpickle.dumps", lambda x: packed.append(1) or dumps(x))
    monkeypatch.setattr("recurra.comparison.work.pickle.loads", lambda x: unpacked.append(1) or loads(x))
    with joblib.parallel_config("threading", n_jobs=2):
        several = quick(wave, families=["linear"], config=None)
    same(several, quick(wave, families=["linear"], config=None))
    assert (len(packed), len(unpacked)) == (1, 1)


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


def test_a_baseline_is_one_trial_whichever_of_its_configurations_was_chosen(tmp_path):
    row = {"kind": "baseline", "model": "theta", "fold": 1, "seed": None, "config_number": 2}
    outcome = Outcome(row, np.zeros(3), np.zeros(3))
    store = TrialStore(tmp_path)
    store.put(Trial("theta", 1), outcome)  # as a worker writes it
    _keep([outcome], store)  # as it comes back
    assert len(finished_files(tmp_path)) == 1
