"""Compare families and baselines on a series: the question, asked and answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .. import __version__, datasets
from ..baselines import BASELINES
from ..frames import SeriesFrame, data_hash
from ..models import FAMILIES
from ..pipelines import derive_window
from .result import SCHEMA_VERSION, Comparison
from .run import Progress, Run
from .settings import Settings, parse_budget
from .summary import summarise, test_and_judge

# The smallest share of the error that is worth a recurrent network's trouble.
MINIMUM_EFFECT = 0.02


def compare(
    source: str | Path | SeriesFrame,
    *,
    families: Sequence[str] = tuple(FAMILIES),
    baselines: Sequence[str] = tuple(BASELINES),
    horizon: int | None = None,
    lookback: int | None = None,
    season: int | None = None,
    budget: str | float | None = None,
    out: str | Path | None = None,
    refit: bool = False,
    on_progress: Callable[[Progress], None] = lambda *_: None,
    **settings: Any,
) -> Comparison:
    """Compare families and baselines on a series: same folds, windows, seeds and budget for all.

    Args:
        source: a frame, a data set's name, or a file.
        families: trained models, from ``recurra.models.list_families()``.
        baselines: from ``recurra.baselines.list_baselines()``.
        horizon, lookback, season: in steps; derived from the data where not given.
        budget: time for all training together, such as "10m"; every trial may use an equal share.
        out: folder for the results; an interrupted comparison goes on where it stopped.
        refit: train the best family once more on all rows, as ``Comparison.predictor``.
        on_progress: called often with where the run is.
        **settings: any other field of :class:`recurra.comparison.Settings`, such as ``folds=3, seeds=3, configs=1``.

    Returns:
        The comparison: ``.summary``, ``.verdict``, ``.tests``, ``.rows``, ``.predictor``.

    Raises:
        InputError: anything in the source or the settings that the user can mend.

    Example:
        >>> result = recurra.compare("co2", families=["linear", "lstm"], seeds=1)
        >>> print(result.verdict["text"])
    """
    frame = source if isinstance(source, SeriesFrame) else datasets.load(source)
    horizon, lookback, season, notes = derive_window(frame, horizon=horizon, lookback=lookback, season=season)
    chosen = Settings(
        horizon=horizon,
        lookback=lookback,
        season=season,
        families=tuple(families),
        baselines=tuple(baselines),
        budget=parse_budget(budget),
        **settings,
    )
    folder = None if out is None else Path(out)
    run = Run(frame, chosen, folder, on_progress)
    outcomes = run.all_trials()
    summary = summarise(outcomes)
    tests, verdict = test_and_judge(summary, outcomes, run.exams, minimum_effect=MINIMUM_EFFECT)
    comparison = Comparison(
        {
            "schema_version": SCHEMA_VERSION,
            "recurra": __version__,
            "data": describe(frame),
            "settings": chosen.to_json(),
            "notes": [*frame.notes, *notes, *run.notes(outcomes)],
            "folds": run.describe_folds(),
            "rows": [outcome.row for outcome in outcomes],
            "summary": summary,
            "tests": tests,
            "verdict": verdict,
        },
        folder,
        frame,
        run.examples(outcomes),
        run.example_row(),
    )
    comparison.write()
    if refit:
        comparison.predictor, comparison.training = run.refit(summary, outcomes)
    return comparison


def describe(frame: SeriesFrame) -> dict[str, Any]:
    """What the data are, for reports and model cards."""
    stamps = frame.table[frame.time]
    return {
        "source": frame.source,
        "hash": data_hash(frame),
        "rows": len(frame.table),
        "series": len(frame.lengths),
        "id": frame.id,
        "time": frame.time,
        "targets": list(frame.targets),
        "past": list(frame.past),
        "future": list(frame.future),
        "freq": frame.freq,
        "first": str(stamps.min()),
        "last": str(stamps.max()),
    }
