"""What several reports ask of a comparison, and how a number is written."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..comparison import Comparison

MISSING = "–"
METRIC_NAMES = {"mase": "MASE", "mae": "MAE", "rmse": "RMSE", "smape": "sMAPE"}


def number(value: Any) -> float | None:
    """The value as a float, or None where it is missing or not finite."""
    if value is None or isinstance(value, str) or not math.isfinite(value):
        return None
    return float(value)


def main_metric(comparison: Comparison) -> str:
    """``mase``, or ``mae`` where no model has a MASE."""
    known = any(number(line["mase"]) is not None for line in comparison.said["summary"])
    return "mase" if known else "mae"


def metric_title(comparison: Comparison, metric: str) -> str:
    """Name of a metric and its unit, for an axis."""
    if metric != "mae":
        return METRIC_NAMES[metric]
    return f"MAE in the unit of {shortened(', '.join(comparison.said['data']['targets']))}"


def lines_of(comparison: Comparison, kind: str) -> list[dict[str, Any]]:
    """Summary lines of one kind, ``family`` or ``baseline``, the best first."""
    return [line for line in comparison.said["summary"] if line["kind"] == kind]


def recurrent_families() -> tuple[str, ...]:
    """Names of the families that carry a state."""
    from ..models import RECURRENT  # loads TensorFlow, as whoever holds a Comparison has done already

    return RECURRENT


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


def score(value: Any, metric: str) -> str:
    """Write an error: a MASE with three decimals, so that a column of them lines up; others as their unit needs."""
    value = number(value)
    if value is None or metric != "mase" or abs(value) >= 1000:
        return significant(value)
    return f"{value:.3f}"


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
