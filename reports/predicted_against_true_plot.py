"""Predicted against true values, by the best trained family and by the best baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from ..comparison.metric_text import target_names
from ..comparison.summary_rows import best_with_examples, last_trial, main_metric
from ..display.number_format import score
from ..display.visible_text import visible
from .figure import FAINT, QUIET, name_axes, new_figure, quieten, title
from .model_styles import ModelStyle, model_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..comparison import Comparison
    from ..comparison.trials import Row

# Predictions further off than this fraction of the true values' range are drawn at the edge.
_FURTHEST = 0.5


def draw_predicted_against_true(comparison: Comparison) -> Figure | None:
    """A dot per example, a panel per model; None without examples."""
    shown = best_with_examples(comparison)
    if not shown or comparison.plot_data.y_true is None:
        return None
    y_true = np.asarray(comparison.plot_data.y_true, dtype=float)
    predicted = [np.asarray(comparison.examples[row["model"]], dtype=float) for row in shown]
    limits = _limits(y_true, predicted)
    figure, styles, name = new_figure(5.2), model_styles(comparison), target_names(comparison)
    panels = figure.subplots(1, len(shown), sharex=True, sharey=True, squeeze=False)[0]
    for axes, row, y_pred in zip(panels, shown, predicted, strict=True):
        style = styles[row["model"]]
        _draw_dots(axes, y_true, y_pred, limits, style.colour)
        _write(axes, _score_text(comparison, row), style)
        _dress(axes, limits)
        name_axes(axes, f"true {name}", f"predicted {name}" if axes is panels[0] else "")
    off = sum(int(((y_pred < limits[0]) | (y_pred > limits[1])).sum()) for y_pred in predicted)
    below = f"{len(y_true):,} test examples of the last fold, first seed; on the line: exact"
    title(panels[0], "Predicted against true", below + (f"; {off:,} off the scale, at the edge" if off else ""))
    return figure


def _limits(y_true: np.ndarray, predicted: list[np.ndarray]) -> tuple[float, float]:
    """Range of both axes: all true values, and predictions as far as they are not absurd."""
    low, high = float(y_true.min()), float(y_true.max())
    reach = _FURTHEST * (high - low) or 1.0
    y_pred = np.concatenate(predicted)
    low, high = max(min(low, y_pred.min()), low - reach), min(max(high, y_pred.max()), high + reach)
    spare = 0.04 * (high - low) or 1.0
    return low - spare, high + spare


def _score_text(comparison: Comparison, row: Row) -> str:
    metric = main_metric(comparison)
    return f"{visible(row['model'])}\n{metric.title} {score(last_trial(comparison, row['model'])[metric.name], metric)}"


def _draw_dots(axes: Axes, y_true: np.ndarray, y_pred: np.ndarray, limits: tuple[float, float], colour: str) -> None:
    """The more there are, the smaller and fainter."""
    few = np.clip(300 / max(len(y_true), 1), 0.02, 1.0)
    size, alpha = 4 + 14 * few, 0.15 + 0.5 * few
    axes.plot(limits, limits, color=QUIET, linewidth=1.0, zorder=2)
    y_pred = np.clip(y_pred, *limits)
    axes.scatter(y_true, y_pred, s=size, color=colour, alpha=alpha, linewidths=0, clip_on=False, zorder=3)


def _dress(axes: Axes, limits: tuple[float, float]) -> None:
    quieten(axes)
    axes.grid(True, color=FAINT, linewidth=0.6)
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(5))


def _write(axes: Axes, text: str, style: ModelStyle) -> None:
    axes.text(
        0.03,
        0.97,
        text,
        transform=axes.transAxes,
        ha="left",
        va="top",
        fontsize=9,
        color=style.ink,
        parse_math=False,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
        zorder=5,
    )
