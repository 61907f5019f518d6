"""From trials to one line per model, the tests between them, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..evaluation import Effort, TestRow, Verdict, judge, mean_ignoring_nan
from ..models import OFFSET, is_recurrent, split_mix
from ..tasks import Task
from .run import Run
from .trials import Outcome, Row

PRICES = ("parameters", "macs", "train_seconds", "predict_ms")
# The smallest fraction of the error that is worth a recurrent network's trouble.
MINIMUM_EFFECT = 0.02


def summarise(outcomes: Sequence[Outcome], task: Task) -> list[Row]:
    """One row per model, the best first: means over folds and seeds, and the spread over seeds.

    Args:
        outcomes: of all trials.
        task: whose metrics are summed up.

    Returns:
        Rows with ``model``, ``kind``, the means of all metrics, the standard deviation over seeds of the mean over
        folds of some (``mase_sd``; None with one seed), and the mean price of one training and one prediction.
    """
    rows = [outcome.row for outcome in outcomes if outcome.row["chosen"]]
    summary = [_line([row for row in rows if row["model"] == model], task) for model in _different(rows)]
    main = task.metrics[0].name
    return sorted(summary, key=lambda line: (np.isnan(line[main]), line[main]))


def _different(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["model"] for row in rows))


def _line(rows: Sequence[Row], task: Task) -> Row:
    line: Row = {"model": rows[0]["model"], "kind": rows[0]["kind"], "trials": len(rows)}
    line |= {metric.name: _mean([row.get(metric.name) for row in rows]) for metric in task.metrics}
    line |= {f"{m.name}_sd": _spread_over_seeds(rows, m.name) for m in task.metrics if m.with_spread}
    line |= {name: _mean([row[name] for row in rows]) for name in PRICES}
    if "by_step" in rows[0]:
        steps = {name: [row["by_step"][name] for row in rows] for name in rows[0]["by_step"]}
        line["by_step"] = {name: mean_ignoring_nan(values).tolist() for name, values in steps.items()}
    return line


def test_and_judge(run: Run, summary: list[Row], outcomes: list[Outcome]) -> tuple[list[TestRow], Verdict]:
    """Test every recurrent network, and every mix of one, against the best simpler model, and judge.

    Returns:
        The tests' rows and the verdict, as :func:`recurra.evaluation.judge` gives it.
    """
    experiment = run.experiment
    simpler = simpler_models(summary, experiment.task)
    recurrent = [line["model"] for line in summary if is_recurrent(line["model"])]
    tests: list[TestRow] = []
    if simpler and recurrent:
        losses = {model: run.fold_losses(model, outcomes) for model in [*recurrent, simpler[0]]}
        tests = experiment.significance(losses, against=simpler[0])
    trained = [outcome.row for outcome in outcomes if outcome.row["kind"] == "family"]
    effort = _effort([row for row in trained if row["model"] in recurrent])
    effort["baseline_configs"] = (
        max((len(outcome.row.get("configs_tried", ())) for outcome in outcomes), default=0) or 1
    )
    verdict = judge(
        summary,
        tests,
        wording=experiment.task.wording,
        recurrent=recurrent,
        minimum_effect=MINIMUM_EFFECT,
        effort=effort,
        memory_adds=_memory_adds(run, summary, outcomes),
    )
    return tests, verdict


def simpler_models(summary: Sequence[Row], task: Task) -> list[str]:
    """Models without a state that have a score, the best first."""
    main = task.metrics[0].name
    return [line["model"] for line in summary if not is_recurrent(line["model"]) and np.isfinite(line[main])]


def _memory_adds(run: Run, summary: list[Row], outcomes: list[Outcome]) -> list[TestRow] | None:
    """Recurrent networks that contain a baseline against the best feed-forward one, and against the baseline alone.

    Nested differences: what is compared differs by the memory, or by the network, and nothing else. A network contains
    a baseline by being mixed with it, or by an offset. Each way is compared with itself; where no feed-forward network
    has an offset, the best mix stands in. None where no recurrent network contains a baseline.
    """
    contained = {line["model"]: _contained(line, outcomes) for line in summary}
    rows: list[TestRow] = []
    groups = dict.fromkeys(way for name, way in contained.items() if way is not None and is_recurrent(name))
    for how, baseline in groups:
        recurrent = [name for name, way in contained.items() if way == (how, baseline) and is_recurrent(name)]
        simpler = [
            name
            for wanted in ((how, baseline), ("mix", baseline))
            for name, way in contained.items()
            if way == wanted and not is_recurrent(name)
        ]
        for rival in [*simpler[:1], baseline]:
            losses = {model: run.fold_losses(model, outcomes) for model in [*recurrent, rival]}
            rows += run.experiment.significance(losses, against=rival)
    return rows if groups else None


def _contained(line: Row, outcomes: list[Outcome]) -> tuple[str, str] | None:
    """How a model contains a baseline, and which: ("mix", "nbsvm"); None where it contains none."""
    model = line["model"]
    partner = split_mix(model)[1]
    if partner is not None:
        return line["kind"], partner
    offset = next((o.row["config"].get(OFFSET) for o in outcomes if o.row["model"] == model), None)
    return None if offset is None else (OFFSET, offset)


def _effort(rows: list[Row]) -> Effort:
    """How hard the recurrent families were tried."""
    firsts = [row for row in rows if row["chosen"] and row["seed"] == 0]  # a choice for each family and fold
    stopped = Counter(row["stopped_by"] for row in rows)
    return {
        "configs": len({row["config_number"] for row in rows}),
        "beat_default": sum(row["config_number"] != 0 for row in firsts),
        "chances": len(firsts),
        "seeds": len({row["seed"] for row in rows}),
        "folds": len({row["fold"] for row in rows}),
        "trainings": len(rows),
        "cut_short": {limit: stopped[limit] for limit in ("budget", "max_epochs")},
    }


test_and_judge.__test__ = False  # type: ignore[attr-defined]  # pytest collects functions by this name


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _spread_over_seeds(rows: Sequence[dict[str, Any]], name: str) -> float | None:
    seeds = sorted({row["seed"] for row in rows if row["seed"] is not None})
    if len(seeds) < 2:
        return None
    means = [np.mean([row[name] for row in rows if row["seed"] == seed]) for seed in seeds]
    return float(np.std(means, ddof=1))
