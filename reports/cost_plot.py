"""Error against cost: what does accuracy cost, and does a baseline give it for nothing?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from ..evaluation import METRICS
from .drawing import INK, colours, label_ends, new_figure, quieten, tick, title
from .place import Labelled, place_labels
from .values import (
    is_recurrent,
    lines_of,
    main_metric,
    number,
    score,
)
from .words import axis_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..comparison import Comparison
    from ..evaluation.registry import Metric

_COSTS = ("multiply_adds", "train_seconds")
# A baseline further away than this many times the spread of the trained models is named at the edge, not drawn: it
# would press them into one line.
_FURTHEST = 1.5
# The axis spans at least this share of the error: a difference of a thousandth should not look like a cliff.
_LEAST_SPAN = 0.15


def draw_error_against_cost(comparison: Comparison) -> Figure | None:
    """A point a trained model, side by side over what forecasting and what training costs; None without points."""
    metric = main_metric(comparison)
    points = [line for line in lines_of(comparison, "family") if number(line[metric.key]) is not None]
    costs = [cost for cost in _COSTS if any(_has(line, cost) for line in points)]
    if not costs:
        return None
    figure = new_figure(4.4)
    panels = figure.subplots(1, len(costs), sharey=True, squeeze=False)[0]
    references = _references(comparison, metric)
    low, high = _limits(points, references, metric)
    panels[0].set_ylim(low, high)
    panels[0].set_ylabel(axis_title(comparison, metric), fontsize=9.5, color=INK, parse_math=False)
    for axes, cost in zip(panels, costs, strict=True):
        _draw_points(axes, comparison, [line for line in points if _has(line, cost)], metric, cost)
        _draw_references(axes, references, colours(comparison))
        quieten(axes)
    seeds = comparison.said["settings"]["seeds"]
    bars = f"bars: standard deviation over {seeds} seeds" if seeds > 1 else "one seed: spread unknown"
    title(panels[0], f"{metric.noun.capitalize()} against cost", f"lower left is better; squares: recurrent; {bars}")
    label_ends(panels[-1], _beside(panels[-1], references, colours(comparison), metric))
    for axes, cost in zip(panels, costs, strict=True):
        _name_points(axes, comparison, points, metric, cost)
    return figure


def _has(line: dict[str, Any], cost: str) -> bool:
    return (number(line[cost]) or 0) > 0  # a log axis has no zero


def _references(comparison: Comparison, metric: Metric) -> dict[str, float]:
    """The best baseline and the simplest one: what costs nothing."""
    trivial = METRICS[comparison.said["task"]].trivial[0]
    known = [line for line in lines_of(comparison, "baseline") if number(line[metric.key]) is not None]
    return {line["model"]: line[metric.key] for i, line in enumerate(known) if i == 0 or line["model"] == trivial}


def _limits(points: list[dict[str, Any]], references: dict[str, float], metric: Metric) -> tuple[float, float]:
    errors = np.array([line[metric.key] for line in points])
    bars = np.array([number(line[f"{metric.key}_sd"]) or 0 for line in points])
    low, high = float((errors - bars).min()), float((errors + bars).max())
    span = max(high - low, _LEAST_SPAN * high)
    reach = _FURTHEST * span
    near = [value for value in references.values() if low - reach <= value <= high + reach]
    low, high = min([low, *near]), max([high, *near])
    spare = max(0.15 * (high - low), (span - (high - low)) / 2) or 1.0
    floor = -0.04 * high if low >= 0 else -np.inf  # nothing lies below 0, but a marker on it has a lower half
    return max(low - spare, floor), high + spare


def _draw_points(axes: Axes, comparison: Comparison, points: list[dict[str, Any]], metric: Metric, cost: str) -> None:
    tint = colours(comparison)
    for line in points:
        axes.errorbar(
            line[cost],
            line[metric.key],
            yerr=number(line[f"{metric.key}_sd"]),
            fmt="s" if is_recurrent(line["model"]) else "o",
            markersize=7,
            color=tint[line["model"]],
            elinewidth=1.4,
            capsize=3,
            zorder=3,
        )
    places = np.log10([line[cost] for line in points])
    spare = max(0.22 * np.ptp(places), 0.3)
    axes.set_xscale("log")
    axes.set_xlim(10 ** (places.min() - spare), 10 ** (places.max() + spare))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if np.ptp(places) < 1.5 else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_locator(MaxNLocator(6))
    unit = METRICS[comparison.said["task"]].unit_of_work
    words = {"multiply_adds": f"multiply-adds a {unit}", "train_seconds": "seconds of training"}
    axes.set_xlabel(words[cost], fontsize=9.5, color=INK)


def _draw_references(axes: Axes, references: dict[str, float], tint: dict[str, str]) -> None:
    low, high = axes.get_ylim()
    for model, value in references.items():
        if low <= value <= high:
            axes.axhline(value, color=tint[model], linewidth=1.3, linestyle=(0, (5, 2)), zorder=2)


def _beside(
    axes: Axes, references: dict[str, float], tint: dict[str, str], metric: Metric
) -> list[tuple[str, float, float, str]]:
    """Labels of the references; an arrow where the line lies off the scale."""
    low, high = axes.get_ylim()
    right = axes.get_xlim()[1]
    labels = []
    for i, (model, value) in enumerate(references.items()):
        arrow = " ↑" if value > high else " ↓" if value < low else ""
        role = "best baseline:\n" if i == 0 else ""
        text = f"{role}{model} {score(value, metric)}{arrow}"
        labels.append((text, right, value, tint[model]))
    return labels


def _name_points(axes: Axes, comparison: Comparison, points: list[dict[str, Any]], metric: Metric, cost: str) -> None:
    tint = colours(comparison)
    named = [
        Labelled(
            line["model"], line[cost], line[metric.key], number(line[f"{metric.key}_sd"]) or 0, tint[line["model"]]
        )
        for line in points
        if _has(line, cost)
    ]
    place_labels(axes, named, lines=list(_references(comparison, metric).values()))
