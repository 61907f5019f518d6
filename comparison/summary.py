"""From trials to one line a model, the tests between them, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..evaluation import METRICS, judge
from .job import Job
from .scoring import Exam
from .trials import Outcome, losses_by_fold
from .variants import carries_state

PRICES = ("parameters", "multiply_adds", "train_seconds", "predict_ms")
# With fewer forecast origins than this, series are the sample (as in M4); with fewer series too, nothing is tested.
_FEWEST_ORIGINS = 10


def summarise(outcomes: Sequence[Outcome], task: str = "forecast") -> list[dict[str, Any]]:
    """One row a model, the best first: means over folds and seeds, and the spread over seeds.

    Args:
        outcomes: of all trials.
        task: whose metrics are summed up.

    Returns:
        Rows with ``model``, ``kind``, the means of all metrics, the standard deviation over seeds of the mean over
        folds of some (``mase_sd``; None with one seed), and the mean price of one training and one answer.
    """
    metrics = METRICS[task]
    rows = [outcome.row for outcome in outcomes if outcome.row["chosen"]]
    summary = []
    for model in dict.fromkeys(row["model"] for row in rows):
        mine = [row for row in rows if row["model"] == model]
        line: dict[str, Any] = {"model": model, "kind": mine[0]["kind"], "trials": len(mine)}
        line |= {name: _mean([row.get(name) for row in mine]) for name in metrics.names}
        line |= {f"{name}_sd": _spread_over_seeds(mine, name) for name in metrics.spread}
        line |= {name: _mean([row[name] for row in mine]) for name in PRICES}
        if "by_step" in mine[0]:
            steps = {name: [row["by_step"][name] for row in mine] for name in mine[0]["by_step"]}
            line["by_step"] = {name: _mean_of_known(values).tolist() for name, values in steps.items()}
        summary.append(line)
    main = metrics.main
    return sorted(summary, key=lambda line: (np.isnan(line[main]), line[main]))


def test_and_judge(
    job: Job,
    summary: list[dict[str, Any]],
    outcomes: Sequence[Outcome],
    *,
    minimum_effect: float,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Test every recurrent family against the best simpler model, and judge.

    Returns:
        The tests' rows and the verdict, as :func:`recurra.evaluation.judge` gives it.
    """
    main = METRICS[job.task].main
    simpler = [line["model"] for line in summary if not carries_state(line["model"]) and np.isfinite(line[main])]
    recurrent = [line["model"] for line in summary if carries_state(line["model"])]
    tests = job.tests(recurrent, simpler[0], outcomes) if simpler and recurrent else []
    return tests, judge(summary, tests, recurrent=recurrent, minimum_effect=minimum_effect, task=job.task)


test_and_judge.__test__ = False  # type: ignore[attr-defined]  # pytest collects functions by this name


def aligned_losses(
    models: Sequence[str], outcomes: Sequence[Outcome], exams: Sequence[Exam]
) -> tuple[dict[str, np.ndarray], np.ndarray, int]:
    """Losses of several models at the same places, averaged over seeds.

    Returns:
        For each model its losses (origins,), the fold of each origin, and how many neighbouring origins overlap.
        With fewer than ten origins and more series, each series' mean loss takes an origin's place.
    """
    n_origins = sum(exam.n_origins for exam in exams)
    by_series = n_origins < _FEWEST_ORIGINS < len(exams[0].windows.count)
    losses = {}
    for model in models:
        of_fold = [np.mean(seeds, axis=0) for seeds in losses_by_fold(outcomes, model, range(len(exams)))]
        if by_series:
            total = [_mean_by(exam.windows.series(), loss) for exam, loss in zip(exams, of_fold, strict=True)]
            losses[model] = _mean_of_known([_padded(t, len(exams[0].windows.count)) for t in total])
        else:
            losses[model] = np.concatenate(
                [_mean_by(exam.place, loss) for exam, loss in zip(exams, of_fold, strict=True)]
            )
    if by_series:
        return losses, np.arange(len(next(iter(losses.values())))), 1
    groups = np.concatenate([np.full(e.n_origins, i) for i, e in enumerate(exams)])
    overlap = -(-exams[0].windows.horizon // exams[0].windows.stride)
    return losses, groups, overlap


def _mean_by(groups: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Mean loss of each group, NaN where nothing was observed: (groups,)."""
    observed = np.isfinite(losses)
    count = np.bincount(groups, weights=observed)
    total = np.bincount(groups, weights=np.where(observed, losses, 0.0))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _padded(values: np.ndarray, n: int) -> np.ndarray:
    return np.concatenate([values, np.full(n - len(values), np.nan)])


def _mean_of_known(rows: Sequence[Sequence[float] | np.ndarray]) -> np.ndarray:
    """Mean of each column without its NaN; ``np.nanmean`` warns where nothing else is in it, here NaN is the answer."""
    values = np.array(rows, dtype=float)
    count = (~np.isnan(values)).sum(axis=0)
    return np.where(count > 0, np.nansum(values, axis=0) / np.maximum(count, 1), np.nan)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _spread_over_seeds(rows: list[dict[str, Any]], name: str) -> float | None:
    seeds = sorted({row["seed"] for row in rows if row["seed"] is not None})
    if len(seeds) < 2:
        return None
    means = [np.mean([row[name] for row in rows if row["seed"] == seed]) for seed in seeds]
    return float(np.std(means, ddof=1))
