"""Trials in several processes through joblib, which alone decides where they run: ``joblib.parallel_config`` chooses
loky (the default), Dask or Ray.

A worker takes whole families where there are enough of them, so that each is compiled once, and single folds of them
otherwise. Finished trials go through the store where a worker sees its folder, and come back with the work in any case:
whatever is killed loses only the epochs since its last checkpoint, on another machine the work that it was at.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import joblib

from ..errors import InputError
from .identity import check_identity
from .run import Run
from .trials import Outcome, Trial, TrialStore, finished_files, trial_of
from .work import RunDescription, Work, do, sent_once

# From so many families per worker on, one that takes longer than the others leaves no worker idle for long.
_FAMILIES_PER_WORKER = 2
_POLL_SECONDS = 0.5
_KILLED = "a worker process was killed, perhaps because memory ran out (fewer `jobs` need less)"
# What the engines raise when something is gone for good; named, because Dask and Ray need not be installed.
_LOST = {
    "TerminatedWorkerError": _KILLED,
    "KilledWorker": _KILLED,
    "RayActorError": _KILLED,
    "WorkerCrashedError": _KILLED,
    "FutureCancelledError": "the connection to the scheduler was lost",
}


def run_trials(run: Run, n_jobs: int | None = None) -> list[Outcome]:
    """Run all trials of a comparison that are not finished yet.

    Args:
        run: the comparison; with several workers its ``on_progress`` is called from a thread of its own.
        n_jobs: workers, as joblib counts them: -1 for as many as there are cores; 1: in this process; None: as
            ``joblib.parallel_config`` says, 1 where nobody called it.

    Returns:
        Outcomes, fold by fold.

    Raises:
        InputError: if a worker was killed or a scheduler lost, or for a number of jobs that cannot be.
    """
    if n_jobs == 0:
        raise InputError("`jobs` must be 1 or more, or -1 for as many as there are cores; received 0")
    run.at_once = joblib.effective_n_jobs(n_jobs)
    if run.at_once == 1:
        return [outcome for model, fold in run.places for outcome in run.trials_of(model, fold)]
    found = _run_in_workers(run, run.at_once)
    return [outcome for place in run.places for outcome in found[place]]


def _run_in_workers(run: Run, workers: int) -> dict[tuple[str, int], list[Outcome]]:
    found: dict[tuple[str, int], list[Outcome]] = {}
    with _kept_in(run) as folder, _watching(run, folder / "trials"), _lost_workers(run.folder):
        store = TrialStore(folder / "trials")
        for work, by_fold, notes in _results(run, folder, workers):
            found |= {(work.model, fold): outcomes for fold, outcomes in by_fold.items()}
            for outcomes in by_fold.values():
                _keep(outcomes, store)
            run.experiment.notes.extend(note for note in notes if note not in run.experiment.notes)
    return found


def _results(run: Run, folder: Path, workers: int) -> Iterable[Any]:
    """What the workers give back, as they give it back where joblib's backend can do that."""
    opened, run_id = run.experiment, uuid4().hex
    description = RunDescription(
        opened.frame, opened.task, run.settings, folder, run.identity, run.partner, run.observe
    )
    backend, _ = joblib.parallel.get_active_backend()
    as_they_come = "generator_unordered" if backend.supports_return_generator else "list"
    parallel = joblib.Parallel(n_jobs=workers, return_as=as_they_come, batch_size=1)
    packed = sent_once(description.packed())
    return parallel(
        joblib.delayed(do)(Work(run_id, os.getpid(), model, folds), packed) for model, folds in _share_out(run, workers)
    )


def _keep(outcomes: list[Outcome], store: TrialStore) -> None:
    """Write down what came back from a worker that does not see the folder."""
    for outcome in reversed(outcomes):  # a network's own after its mix, as in `Run`
        if not store.has(outcome.trial):
            store.put(outcome.trial, outcome)


def _share_out(run: Run, workers: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Models and folds, what takes longest first: recurrent families stand last in the registry."""
    families, folds = run.settings.families, tuple(range(run.n_folds))
    whole = len(families) >= _FAMILIES_PER_WORKER * workers
    for family in reversed(families):
        yield from [(family, folds)] if whole else [(family, (fold,)) for fold in folds]
    for baseline in run.settings.baselines:
        yield baseline, folds


@contextmanager
def _kept_in(run: Run) -> Iterator[Path]:
    if run.folder is not None:
        yield run.folder.resolve()  # a worker may stand elsewhere
        return
    with tempfile.TemporaryDirectory(prefix="recurra-trials-") as temporary:
        check_identity(Path(temporary), run.identity)
        yield Path(temporary)


@contextmanager
def _lost_workers(folder: Path | None) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        lost = next((_LOST[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _LOST), None)
        if lost is None:
            raise
        kept = f"; finished trainings are kept in {folder}, and the same call resumes there" if folder else ""
        raise InputError(f"{lost}{kept}") from error


@contextmanager
def _watching(run: Run, trials: Path) -> Iterator[None]:
    """Report every trial that a worker finishes, as its file appears in the folder."""
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(run, trials, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch(run: Run, trials: Path, ended: threading.Event) -> None:
    begun, planned = time.monotonic(), _planned(run)
    seen = {path for path in finished_files(trials) if path.stem in planned}
    resumed = run.done = len(seen)
    while not ended.wait(_POLL_SECONDS):
        for path in sorted(path for path in finished_files(trials) - seen if path.stem in planned):
            seen.add(path)
            run.done += 1
            seconds_each = (time.monotonic() - begun) / (run.done - resumed)
            run.report_finished(trial_of(json.loads(path.read_text(encoding="utf-8"))), seconds_each)


def _planned(run: Run) -> set[str]:
    """Keys of the trials that are counted: no mixes, and nothing that an earlier call tried once more before a yes."""
    own = run.settings
    numbers = [(seed, number) for seed in range(own.seeds) for number in range(own.configs_of_a_family)]
    return {Trial(model, fold, *chosen).key for model, fold in run.places for chosen in numbers}
