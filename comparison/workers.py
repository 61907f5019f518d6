"""Trials in several processes through joblib, which alone decides where they run: ``joblib.parallel_config`` chooses
loky (the default), Dask or Ray.

A worker takes whole families where there are enough of them, so that each is compiled once, and single folds of them
otherwise. Finished trials go through the store: whatever is killed loses only the epochs since its last checkpoint.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from ..errors import InputError
from .progress import ignore
from .run import Run
from .trials import Observe, Outcome, Trial, finished_files

if TYPE_CHECKING:
    from ..frames import Frame
    from ..tasks import Task
    from .settings import CompareSettings

# From so many families per worker on, one that takes longer than the others leaves no worker idle for long.
_FAMILIES_PER_WORKER = 2
_POLL_SECONDS = 0.5
ByFold = dict[int, list[Outcome]]


@dataclass(frozen=True, eq=False)
class Work:
    """A model on some folds; everything in it can be sent to another process.

    Attributes:
        frame, task, settings: of the run; the task has nothing left open.
        folder: where finished trials are kept.
        model: a family or a baseline.
        folds: their numbers.
        threads: that the worker may use.
        sender: the process that it comes from.
        partner: the baseline that networks are mixed with.
        observe: see :class:`recurra.comparison.run.Run`.
    """

    frame: Frame
    task: Task
    settings: CompareSettings
    folder: Path
    model: str
    folds: tuple[int, ...]
    threads: int
    sender: int
    partner: str | None = None
    observe: Observe | None = None

    def run(self) -> tuple[str, ByFold, list[str]]:
        """The model, its outcomes, and what preparing the data noted."""
        if os.getpid() != self.sender:
            _settle_in(self.threads)
        run = _run_of(self)
        return self.model, {fold: run.trials_of(self.model, fold) for fold in self.folds}, run.experiment.notes


_kept: list[tuple[Path, Run]] = []  # a worker keeps what it has compiled for the next work of the same run


def _run_of(work: Work) -> Run:
    if not _kept or _kept[0][0] != work.folder:
        opened = work.task.open(work.frame, folds=work.settings.folds, batch_size=work.settings.batch_size)
        _kept[:] = [(work.folder, Run(opened, work.settings, work.folder, ignore, work.partner, work.observe))]
    return _kept[0][1]


def _settle_in(threads: int) -> None:
    """Give TensorFlow in this process so many threads, and leave Ctrl-C to the process that the user sees."""
    import tensorflow as tf

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        return  # this worker has computed before, and has them already


def run_trials(run: Run, n_jobs: int = 1) -> list[Outcome]:
    """Run all trials of a comparison that are not finished yet.

    Args:
        run: the comparison; with several workers its ``on_progress`` is called from a thread of its own.
        n_jobs: workers, as joblib counts them: -1 for as many as there are cores; 1: in this process.

    Returns:
        Outcomes, fold by fold.

    Raises:
        InputError: if a worker was killed, or for a number of jobs that cannot be.
    """
    if n_jobs == 0:
        raise InputError("`jobs` must be 1 or more, or -1 for as many as there are cores; received 0")
    run.at_once = joblib.effective_n_jobs(n_jobs)
    if run.at_once == 1:
        return [outcome for model, fold in run.places for outcome in run.trials_of(model, fold)]
    found = _run_in_workers(run, run.at_once, run.folder)
    return [outcome for place in run.places for outcome in found[place]]


def _run_in_workers(run: Run, workers: int, folder: Path | None) -> dict[tuple[str, int], list[Outcome]]:
    threads = max(1, (os.cpu_count() or 1) // workers)
    found: dict[tuple[str, int], list[Outcome]] = {}
    with _kept_in(folder) as place, _watching(run, place / "trials"), _killed_workers(folder):
        works = [
            Work(
                run.experiment.frame,
                run.experiment.task,
                run.settings,
                place,
                model,
                folds,
                threads,
                os.getpid(),
                run.partner,
                run.observe,
            )
            for model, folds in _share_out(run, workers)
        ]
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", max_nbytes=None)
        for model, by_fold, notes in parallel(joblib.delayed(Work.run)(work) for work in works):
            found |= {(model, fold): outcomes for fold, outcomes in by_fold.items()}
            run.experiment.notes.extend(note for note in notes if note not in run.experiment.notes)
    return found


def _share_out(run: Run, workers: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Models and folds, what takes longest first: recurrent families stand last in the registry."""
    families, folds = run.settings.families, tuple(range(run.n_folds))
    whole = len(families) >= _FAMILIES_PER_WORKER * workers
    for family in reversed(families):
        yield from [(family, folds)] if whole else [(family, (fold,)) for fold in folds]
    for baseline in run.settings.baselines:
        yield baseline, folds


@contextmanager
def _kept_in(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="recurra-trials-") as temporary:
        yield Path(temporary)


@contextmanager
def _killed_workers(folder: Path | None) -> Iterator[None]:
    try:
        yield
    except TerminatedWorkerError as error:
        kept = f"; finished trainings are kept in {folder}, and the same call resumes there" if folder else ""
        raise InputError(
            f"a worker process was killed, perhaps because memory ran out{kept}; fewer `jobs` need less memory"
        ) from error


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
    begun, seen = time.monotonic(), finished_files(trials)
    run.done = sum(json.loads(path.read_text(encoding="utf-8"))["kind"] != "mix" for path in seen)
    resumed = run.done
    while not ended.wait(_POLL_SECONDS):
        for path in sorted(finished_files(trials) - seen):
            seen.add(path)
            row = json.loads(path.read_text(encoding="utf-8"))
            if row["kind"] == "mix":  # of a training that is counted by its network
                continue
            run.done += 1
            seconds_each = (time.monotonic() - begun) / (run.done - resumed)
            trial = Trial(row["model"], row["fold"], row["seed"] or 0, row["config_number"] or 0)
            run.report_finished(trial, seconds_each)
