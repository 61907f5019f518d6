"""How numbers are written in tables and plots."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..evaluation import OF_DATA

if TYPE_CHECKING:
    from ..evaluation import Metric

MISSING = "–"


def number(value: Any) -> float | None:
    """The value as a float, or None where it is missing or not finite."""
    if value is None or isinstance(value, str) or not math.isfinite(value):
        return None
    return float(value)


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


def counted(value: Any) -> str:
    """Write a count briefly: 812, 29.2k, 1.30M."""
    value = number(value)
    if value is None:
        return MISSING
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 0.9995 * size:  # what would be rounded to 1,000 of the smaller unit
            return f"{significant(value / size)}{letter}"
    return f"{value:.0f}"


def compact(value: Any) -> str:
    """Three digits, whatever the unit."""
    return counted(value) if (number(value) or 0) >= 10_000 else significant(value)


def score(value: Any, metric: Metric[Any, Any]) -> str:
    """Write a metric with the decimals that its task chose, so that columns line up; a large one with three digits."""
    value = number(value)
    if value is None or metric.unit == OF_DATA or abs(value) >= 1000:
        return compact(value)
    if metric.as_percent:
        return f"{100 * value:.0f}"
    if metric.decimals.endswith("g"):
        return significant(value, int(metric.decimals[1:-1]))
    return format(value, metric.decimals)


def duration(value: Any) -> str:
    """Write a time: of a short one a digit or two, of a long one three."""
    value = number(value)
    if value is None or value >= 1:
        return compact(value)
    if value >= 0.01:
        return f"{value:.2f}"
    return f"{value:.3f}" if value >= 0.0005 else "<0.001"


def percent(fraction: Any) -> str:
    """Write a change: +2.6 %."""
    fraction = number(fraction)
    return MISSING if fraction is None else f"{100 * fraction:+z.1f} %"


def percent_interval(low: Any, high: Any) -> str:
    """Write the ends of an interval: -9.7 to +14.9 %."""
    if number(low) is None or number(high) is None:
        return MISSING
    return f"{100 * low:+z.1f} to {100 * high:+z.1f} %"


def p_value(value: Any) -> str:
    """Write a probability with three decimals."""
    value = number(value)
    if value is None:
        return MISSING
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def tick(value: float, _: int | None = None) -> str:
    """Write a number beside an axis: 0.3, 1.5, 200, 10k, 1.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
