"""Predicted against true values, by the best trained family and by the best baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from .drawing import FAINT, INK, QUIET, colours, ink_of, new_figure, quieten, title
from .values import best_shown, last_row, main_metric, score, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..comparison import Comparison

# Predictions further off than this share of the true values' range are drawn at the edge.
_FURTHEST = 0.5


def draw_predicted_against_true(comparison: Comparison) -> Figure | None:
    """A dot an example, a panel a model; None without examples."""
    shown = best_shown(comparison)
    if not shown or comparison.truth is None:
        return None
    truth = np.asarray(comparison.truth, dtype=float)
    targets = [np.asarray(comparison.example[line["model"]], dtype=float) for line in shown]
    low, high = _limits(truth, targets)
    figure, name = new_figure(5.2), shortened(str(comparison.said["data"]["answer"]))
    panels = figure.subplots(1, len(shown), sharex=True, sharey=True, squeeze=False)[0]
    metric = main_metric(comparison)
    for axes, line, told in zip(panels, shown, targets, strict=True):
        _draw_dots(axes, truth, told, (low, high), colours(comparison)[line["model"]])
        error = score(last_row(comparison, line["model"])[metric.key], metric)
        _write(axes, f"{line['model']}\n{metric.title} {error}", ink_of(colours(comparison)[line["model"]]))
        quieten(axes)
        axes.grid(True, color=FAINT, linewidth=0.6)
        axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.set_xlabel(f"true {name}", fontsize=9.5, color=INK, parse_math=False)
    panels[0].set_ylabel(f"predicted {name}", fontsize=9.5, color=INK, parse_math=False)
    off = sum(int(((told < low) | (told > high)).sum()) for told in targets)
    below = f"{len(truth):,} test examples of the last fold, first seed; on the line: right"
    title(panels[0], "Predicted against true", below + (f"; {off:,} off the scale, at the edge" if off else ""))
    return figure


def _limits(truth: np.ndarray, targets: list[np.ndarray]) -> tuple[float, float]:
    """Range of both axes: all true values, and predictions as far as they are not absurd."""
    low, high = float(truth.min()), float(truth.max())
    reach = _FURTHEST * (high - low) or 1.0
    told = np.concatenate(targets)
    low, high = max(min(low, told.min()), low - reach), min(max(high, told.max()), high + reach)
    spare = 0.04 * (high - low) or 1.0
    return low - spare, high + spare


def _draw_dots(axes: Axes, truth: np.ndarray, told: np.ndarray, limits: tuple[float, float], colour: str) -> None:
    """The more there are, the smaller and fainter."""
    few = np.clip(300 / max(len(truth), 1), 0.02, 1.0)
    axes.plot(limits, limits, color=QUIET, linewidth=1.0, zorder=2)
    axes.scatter(
        truth,
        np.clip(told, *limits),
        s=4 + 14 * few,
        color=colour,
        alpha=0.15 + 0.5 * few,
        linewidths=0,
        clip_on=False,
        zorder=3,
    )


def _write(axes: Axes, text: str, ink: tuple[float, float, float]) -> None:
    axes.text(
        0.03,
        0.97,
        text,
        transform=axes.transAxes,
        ha="left",
        va="top",
        fontsize=9,
        color=ink,
        parse_math=False,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
        zorder=5,
    )
