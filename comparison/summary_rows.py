"""What reports look up in a comparison: its main metric, its best models, the kind of each, the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..display.number_format import number
from ..evaluation import best_mix

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..comparison.trials import Row
    from ..evaluation import Metric, TestRow

RECURRENT, FEED_FORWARD, BASELINE = "recurrent", "feed-forward", "baseline"


def main_metric(comparison: Comparison) -> Metric[Any, Any]:
    """The metric that models are ranked by; where no model has it, the next of which less is better."""
    metrics = comparison.task.metrics
    errors = (metric for metric in metrics if not metric.higher_is_better)
    known = (m for m in errors if any(number(row.get(m.name)) is not None for row in comparison.summary_rows))
    return next(known, metrics[0])


def rows_of(comparison: Comparison, kind: str) -> list[Row]:
    """Rows of the summary, the best first: of baselines, or of families, which here are all that was trained."""
    return [row for row in comparison.summary_rows if (row["kind"] == "baseline") is (kind == "baseline")]


def best_with_examples(comparison: Comparison) -> list[Row]:
    """Rows of the best family and the best baseline, as far as there are examples of their predictions."""
    found = [rows_of(comparison, kind)[:1] for kind in ("family", "baseline")]
    return [row for rows in found for row in rows if row["model"] in comparison.examples]


def last_trial(comparison: Comparison, model: str) -> Row:
    """The trial that a model's example is of: last fold, first seed."""
    rows = [row for row in comparison.trial_rows if row["model"] == model and row["chosen"]]
    newest = max(row["fold"] for row in rows)
    return next(row for row in rows if row["fold"] == newest)


def memory_rows(comparison: Comparison) -> list[TestRow]:
    """What memory adds to a simple model: the tests of the best recurrent network that contains one; else none."""
    rows = {row["model"]: row for row in comparison.summary_rows}
    return best_mix(comparison.verdict.get("memory_adds", ()), rows, main_metric(comparison).name)


def is_recurrent(model: str) -> bool:
    """Whether a model carries a state."""
    from .. import models  # loads TensorFlow, as whoever holds a Comparison has done already

    return models.is_recurrent(model)


def kind_of(row: Row) -> str:
    """Whether a row of the summary is of a recurrent or a feed-forward network, or of a baseline."""
    if row["kind"] == "baseline":
        return BASELINE
    return RECURRENT if is_recurrent(row["model"]) else FEED_FORWARD


def verdict_title(comparison: Comparison) -> str:
    """The question, and yes, no or cannot tell."""
    answer = {True: "yes", False: "no", None: "cannot tell"}[comparison.verdict["worth_it"]]
    return f"Is a recurrent network worth its cost here? {answer}"
