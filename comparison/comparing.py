"""Compare families and baselines under equal conditions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ..frames import Frame
from ..tasks import Task
from .progress import OnProgress, ignore
from .result import Comparison, Refit
from .rivals import try_rivals
from .run import Run
from .settings import open_experiment
from .summary import simpler_models, summarise, test_and_judge
from .terminal_progress import watching
from .trials import Outcome, Row
from .workers import run_trials


def compare(
    source: str | Path | pd.DataFrame | Frame,
    *,
    task: str | Task | None = None,
    out: str | Path | None = None,
    refit: bool = False,
    n_jobs: int | None = None,
    on_progress: OnProgress = ignore,
    progress: bool | None = None,
    **settings: Any,
) -> Comparison:
    """Compare families and baselines: same folds, examples, seeds and budget for all.

    Args:
        source: a frame, a table, a data set's name, or a file.
        task: "forecast", "classification", "regression", "tagging" or "language-model", or typed settings such as
            ``recurra.tasks.Forecast(horizon=24)``; by default what the source's columns ask for.
        out: folder for the results; an interrupted comparison resumes where it stopped.
        refit: fit the best model once more on all data, as ``Comparison.predictor``, and where it cannot be exported
            the best one that can.
        n_jobs: trials that run at once, each in a process of its own, through joblib: -1 for as many as there are
            cores; None: 1, or what ``joblib.parallel_config`` says, which also chooses another backend, Dask or Ray.
        on_progress: called often with where the run is; with several jobs from a thread of its own.
        progress: whether to show it on standard error; by default on a terminal and in a notebook.
        **settings: fields of :class:`recurra.comparison.CompareSettings`, such as ``families=["linear", "lstm"]``,
            ``baselines``, ``folds=3, seeds=3, configs=1``, ``budget="10m"`` and ``config={"units": 32}``; those of the
            task (see :mod:`recurra.tasks`), such as ``horizon`` or ``tokens``; and, where `source` is a file, its
            columns, such as ``text="review", label="stars"`` (see :func:`recurra.load`).

    Returns:
        The comparison: ``.summary``, ``.verdict``, ``.tests``, ``.trials``, ``.predictor``.

    Raises:
        InputError: anything in the source or the settings that the user can fix.

    Example:
        >>> result = recurra.compare("co2", families=["linear", "lstm"], seeds=1)
        >>> print(result.verdict["text"])
    """
    experiment, common = open_experiment(source, task=task, **settings)
    folder = None if out is None else Path(out)
    with watching(on_progress, progress) as watch:
        return _compare(Run(experiment, common, folder, watch), n_jobs, refit=refit)


def _compare(run: Run, n_jobs: int | None, *, refit: bool) -> Comparison:
    experiment = run.experiment
    outcomes = run_trials(run, n_jobs)
    summary = summarise(outcomes, experiment.task)
    tests, verdict = test_and_judge(run, summary, outcomes)
    # A yes must not rest on a rival that was made to read too much, or was tried less.
    if verdict["worth_it"]:
        more, notes = try_rivals(run, simpler_models(summary, experiment.task), outcomes)
        if more:
            outcomes += more
            summary = summarise(outcomes, experiment.task)
            tests, verdict = test_and_judge(run, summary, outcomes)
            experiment.notes.extend(notes)
    comparison = Comparison(
        task=experiment.task,
        frame=experiment.frame,
        data=experiment.describe(),
        settings=run.settings_json(),
        notes=[*experiment.notes, *run.closing_notes(outcomes)],
        folds=experiment.describe_folds(),
        trial_rows=[outcome.row for outcome in outcomes],
        summary_rows=summary,
        test_rows=tests,
        verdict=verdict,
        folder=run.folder,
        examples=run.examples(outcomes),
        plot_data=experiment.plot_data(),
        retrain=lambda model, shuffled=False: run.retrain(model, outcomes, shuffled=shuffled),
    )
    comparison.write()
    if refit:
        comparison.refits = _refits(run, summary, outcomes)
    return comparison


def _refits(run: Run, summary: list[Row], outcomes: list[Outcome]) -> list[Refit]:
    """The best model and, as long as none of them can be exported, the next best."""
    refits: list[Refit] = []
    for line in summary:
        fitted, training = run.refit(line["model"], line["kind"], outcomes)
        exportable = fitted.predictor.model.why_no_graph is None
        if not refits or exportable:
            refits.append(Refit(line["model"], fitted.predictor, training))
        if exportable:
            break
    return refits
