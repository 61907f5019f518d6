"""What several reports ask of a comparison, and how a number is written."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..evaluation import METRICS

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..evaluation.registry import Metric

MISSING = "–"


def number(value: Any) -> float | None:
    """The value as a float, or None where it is missing or not finite."""
    if value is None or isinstance(value, str) or not math.isfinite(value):
        return None
    return float(value)


def main_metric(comparison: Comparison) -> Metric:
    """The metric that models are ranked by; of forecasts MAE where no model has a MASE."""
    metrics = METRICS[comparison.said["task"]]
    known = any(number(line[metrics.main]) is not None for line in comparison.said["summary"])
    return metrics.metrics[0] if known or comparison.said["task"] != "forecast" else metrics["mae"]


def lines_of(comparison: Comparison, kind: str) -> list[dict[str, Any]]:
    """Summary lines of one kind, ``family`` or ``baseline``, the best first."""
    return [line for line in comparison.said["summary"] if line["kind"] == kind]


def best_shown(comparison: Comparison) -> list[dict[str, Any]]:
    """Summary lines of the best family and the best baseline, as far as there are examples of what they answer."""
    found = [lines_of(comparison, kind)[:1] for kind in ("family", "baseline")]
    return [line for lines in found for line in lines if line["model"] in comparison.example]


def last_row(comparison: Comparison, model: str) -> dict[str, Any]:
    """The trial that a model's example is of: last fold, first seed."""
    rows = [row for row in comparison.said["rows"] if row["model"] == model and row["chosen"]]
    newest = max(row["fold"] for row in rows)
    return next(row for row in rows if row["fold"] == newest)


def is_recurrent(model: str) -> bool:
    """Whether a model carries a state."""
    from ..comparison.variants import carries_state  # loads TensorFlow, as whoever holds a Comparison has done already

    return carries_state(model)


def significant(value: Any, digits: int = 3) -> str:
    """Write a number with so many significant digits, in plain notation as far as that is readable."""
    value = number(value)
    if value is None:
        return MISSING
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))  # rounded first: 9.999 has one more
    if not -4 <= size < 9:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(digits - 1 - size, 0)}f}"


def score(value: Any, metric: Metric) -> str:
    """Write a metric: shares and nats with the decimals of its task, so that a column lines up; others as needed."""
    value = number(value)
    if value is None or metric.decimals.endswith("g") or metric.unit == "unit of the data":
        return significant(value)
    if metric.key == "perplexity":
        return significant(value, 4) if value < 10_000 else counted(value)
    return format(value, metric.decimals) if abs(value) < 1000 else significant(value)


def counted(value: Any) -> str:
    """Write a count briefly: 812, 29.2k, 1.30M."""
    value = number(value)
    if value is None:
        return MISSING
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 0.9995 * size:  # what would be rounded to 1,000 of the smaller unit
            return f"{significant(value / size)}{letter}"
    return f"{value:.0f}"


def shortened(text: str, longest: int = 40) -> str:
    """Cut a name that would not fit; the user's columns may be called anything."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
