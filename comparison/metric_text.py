"""What tables and plots call a metric, with the user's own names in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..display.visible_text import shortened
from ..evaluation import OF_DATA

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..evaluation import Metric


def heading(metric: Metric[Any, Any]) -> str:
    """Heading of the metric's column."""
    return metric.heading or metric.title


def axis_title(comparison: Comparison, metric: Metric[Any, Any]) -> str:
    """Name of a metric beside an axis, with its unit."""
    title = metric.axis_title or metric.title
    return f"{title} in the unit of {target_names(comparison)}" if metric.unit == OF_DATA else title


def captions(comparison: Comparison, metrics: Sequence[Metric[Any, Any]]) -> list[str]:
    """What the metrics' columns mean."""
    return [m.caption.replace("{unit}", target_names(comparison)) for m in metrics if m.caption]


def target_names(comparison: Comparison) -> str:
    """The user's columns that are forecast, or the one that is predicted for each example."""
    data = comparison.data
    return shortened(", ".join(data["targets"]) if "targets" in data else str(data.get("target")))


def sample_unit(comparison: Comparison) -> str:
    """What ``n`` counts in a significance test."""
    return "lines" if comparison.data.get("inputs") == "lines" else comparison.task.sample_unit
