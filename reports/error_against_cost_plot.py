"""Error against cost: what does accuracy cost, and does a baseline give it for nothing?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from ..comparison.metric_text import axis_title
from ..comparison.summary_rows import is_recurrent, main_metric, rows_of
from ..display.number_format import number, score, tick
from ..display.visible_text import visible
from .end_labels import LineEnd, label_ends
from .figure import name_axes, new_figure, quieten, title
from .model_styles import ModelStyle, model_styles
from .point_labels import Labelled, place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..comparison import Comparison
    from ..comparison.trials import Row
    from ..evaluation import Metric

# A baseline further away than this many times the spread of the trained models is named at the edge, not drawn: it
# would press them into one line.
_FURTHEST = 1.5
# The axis spans at least this fraction of the error: a difference of a thousandth should not look like a cliff.
_LEAST_SPAN = 0.15

Styles = Mapping[str, ModelStyle]


def draw_error_against_cost(comparison: Comparison) -> Figure | None:
    """A point per trained model, side by side over what predicting and what training costs; None without points."""
    metric, styles = main_metric(comparison), model_styles(comparison)
    points = [row for row in rows_of(comparison, "family") if number(row[metric.name]) is not None]
    titles = {"macs": f"MACs per {comparison.task.wording.unit_of_work}", "train_seconds": "seconds of training"}
    costs = [cost for cost in titles if any(_has(row, cost) for row in points)]
    if not costs:
        return None
    figure = new_figure(4.4)
    panels = figure.subplots(1, len(costs), sharey=True, squeeze=False)[0]
    references = _references(comparison, metric)
    panels[0].set_ylim(*_limits(points, references, metric))
    for axes, cost in zip(panels, costs, strict=True):
        _draw_points(axes, [row for row in points if _has(row, cost)], styles, metric, cost)
        _draw_references(axes, references, styles)
        quieten(axes)
        free = [visible(row["model"]) for row in points if not _has(row, cost)]
        without = f"\n(no place here for {', '.join(free)}, which needs none)" if free else ""
        name_axes(axes, titles[cost] + without, axis_title(comparison, metric) if axes is panels[0] else "")
    _name_plot(panels[0], metric, comparison.settings["seeds"])
    label_ends(panels[-1], _reference_labels(panels[-1], references, styles, metric))
    for axes, cost in zip(panels, costs, strict=True):
        labels = [_label(row, styles, metric, cost) for row in points if _has(row, cost)]
        place_labels(axes, labels, lines=list(references.values()))
    return figure


def _has(row: Row, cost: str) -> bool:
    return (number(row[cost]) or 0) > 0  # a log axis has no zero


def _spread(row: Row, metric: Metric[Any, Any]) -> float | None:
    return number(row.get(f"{metric.name}_sd"))


def _references(comparison: Comparison, metric: Metric[Any, Any]) -> dict[str, float]:
    """The best baseline and the simplest one: what costs nothing."""
    trivial = comparison.task.wording.trivial[0]
    known = [row for row in rows_of(comparison, "baseline") if number(row[metric.name]) is not None]
    return {row["model"]: row[metric.name] for i, row in enumerate(known) if i == 0 or row["model"] == trivial}


def _limits(points: Sequence[Row], references: Mapping[str, float], metric: Metric[Any, Any]) -> tuple[float, float]:
    errors = np.array([row[metric.name] for row in points])
    bars = np.array([_spread(row, metric) or 0 for row in points])
    low, high = float((errors - bars).min()), float((errors + bars).max())
    span = max(high - low, _LEAST_SPAN * high)
    reach = _FURTHEST * span
    near = [value for value in references.values() if low - reach <= value <= high + reach]
    low, high = min([low, *near]), max([high, *near])
    spare = max(0.15 * (high - low), (span - (high - low)) / 2) or 1.0
    floor = -0.04 * high if low >= 0 else -np.inf  # nothing lies below 0, but a marker on it has a lower half
    return max(low - spare, floor), high + spare


def _draw_points(axes: Axes, points: Sequence[Row], styles: Styles, metric: Metric[Any, Any], cost: str) -> None:
    """Squares for recurrent models, circles for the others, with their spread over seeds."""
    for row in points:
        axes.errorbar(
            row[cost],
            row[metric.name],
            yerr=_spread(row, metric),
            fmt="s" if is_recurrent(row["model"]) else "o",
            markersize=7,
            color=styles[row["model"]].colour,
            elinewidth=1.4,
            capsize=3,
            zorder=3,
        )
    places = np.log10([row[cost] for row in points])
    spare = max(0.22 * np.ptp(places), 0.3)
    axes.set_xscale("log")
    axes.set_xlim(10 ** (places.min() - spare), 10 ** (places.max() + spare))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if np.ptp(places) < 1.5 else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_locator(MaxNLocator(6))


def _draw_references(axes: Axes, references: Mapping[str, float], styles: Styles) -> None:
    low, high = axes.get_ylim()
    for model, value in references.items():
        if low <= value <= high:
            axes.axhline(value, color=styles[model].colour, linewidth=1.3, linestyle=(0, (5, 2)), zorder=2)


def _name_plot(axes: Axes, metric: Metric[Any, Any], seeds: int) -> None:
    bars = f"bars: standard deviation over {seeds} seeds" if seeds > 1 else "one seed: spread unknown"
    title(axes, f"{metric.noun.capitalize()} against cost", f"lower left is better; squares: recurrent; {bars}")


def _reference_labels(
    axes: Axes, references: Mapping[str, float], styles: Styles, metric: Metric[Any, Any]
) -> list[LineEnd]:
    """Labels of the references; an arrow where the line lies off the scale."""
    low, high = axes.get_ylim()
    right = axes.get_xlim()[1]
    labels = []
    for i, (model, value) in enumerate(references.items()):
        arrow = " ↑" if value > high else " ↓" if value < low else ""
        role = "best baseline:\n" if i == 0 else ""
        text = f"{role}{model} {score(value, metric)}{arrow}"
        labels.append(LineEnd(text, right, value, styles[model].colour))
    return labels


def _label(row: Row, styles: Styles, metric: Metric[Any, Any], cost: str) -> Labelled:
    model, bar = row["model"], _spread(row, metric) or 0
    return Labelled(visible(model), row[cost], row[metric.name], bar, styles[model].colour)
