"""Compare families and baselines: the question, asked and answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import __version__
from .example_job import ExampleJob
from .jobs import Frame, make_job
from .result import SCHEMA_VERSION, Comparison
from .run import Progress, Run
from .summary import summarise, test_and_judge

# The smallest share of the error that is worth a recurrent network's trouble.
MINIMUM_EFFECT = 0.02


def compare(
    source: str | Path | Frame,
    *,
    task: str | None = None,
    out: str | Path | None = None,
    refit: bool = False,
    on_progress: Callable[[Progress], None] = lambda *_: None,
    **settings: Any,
) -> Comparison:
    """Compare families and baselines: same folds, examples, seeds and budget for all.

    Args:
        source: a frame, a data set's name, or a file.
        task: "forecast", "classification", "regression", "tagging" or "language-model"; by default what the source's
            columns ask for.
        out: folder for the results; an interrupted comparison goes on where it stopped.
        refit: train the best family once more on all rows, as ``Comparison.predictor``.
        on_progress: called often with where the run is.
        **settings: fields of :class:`recurra.comparison.Settings`, such as ``families=["linear", "lstm"]``,
            ``baselines``, ``folds=3, seeds=3, configs=1``, ``budget="10m"`` and ``config={"units": 32}``; those of the
            task, ``SeriesSettings`` (``horizon``, ``lookback``, ``season``, ...), ``ExampleSettings`` (``tokens``,
            ``length``, ...) or ``LanguageSettings``; and, where `source` is a file, its columns, such as
            ``text="review", label="stars"`` (see :func:`recurra.load`).

    Returns:
        The comparison: ``.summary``, ``.verdict``, ``.tests``, ``.rows``, ``.predictor``.

    Raises:
        InputError: anything in the source or the settings that the user can mend.

    Example:
        >>> result = recurra.compare("co2", families=["linear", "lstm"], seeds=1)
        >>> print(result.verdict["text"])
    """
    job = make_job(source, task=task, **settings)
    folder = None if out is None else Path(out)
    run = Run(job, folder, on_progress)
    outcomes = run.all_trials()
    summary = summarise(outcomes, job.task)
    tests, verdict = test_and_judge(job, summary, outcomes, minimum_effect=MINIMUM_EFFECT)
    comparison = Comparison(
        {
            "schema_version": SCHEMA_VERSION,
            "recurra": __version__,
            "task": job.task,
            "data": job.describe(),
            "settings": job.settings_json(),
            "notes": [*job.notes, *run.notes(outcomes)],
            "folds": job.describe_folds(),
            "rows": [outcome.row for outcome in outcomes],
            "summary": summary,
            "tests": tests,
            "verdict": verdict,
        },
        folder,
        job.frame,
        run.examples(outcomes),
        job.example_row(),
    )
    if isinstance(job, ExampleJob):
        comparison.truth, comparison.classes = job.asked()
    comparison.write()
    if refit:
        fitted, comparison.training = run.refit(summary, outcomes)
        comparison.predictor = fitted.predictor
    return comparison
