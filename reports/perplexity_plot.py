"""Perplexity of each language model: among how many equally likely tokens is it as unsure?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ..display.number_format import number, score, tick
from ..display.visible_text import visible
from .figure import FAINT, INK, QUIET, name_axes, new_figure, quieten, title
from .model_styles import model_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..comparison import Comparison
    from ..comparison.trials import Row
    from ..evaluation import Metric

# A bar longer than so many times the median is cut: it would press the others into one.
_LONGEST = 3.0


def draw_perplexity(comparison: Comparison) -> Figure | None:
    """A bar per model, the best on top; None where no perplexity is known."""
    rows = [row for row in comparison.summary_rows if number(row["perplexity"]) is not None]
    if not rows:
        return None
    figure = new_figure(1.5 + 0.36 * len(rows))
    axes = figure.add_subplot()
    loss = comparison.task.metrics[0]
    median = float(np.median([row["perplexity"] for row in rows]))
    longest = min(max(_interval(row, loss)[1] for row in rows), _LONGEST * median)
    styles = model_styles(comparison)
    for place, row in enumerate(rows):
        _draw_bar(axes, place, row, styles[row["model"]].colour, 1.02 * longest)
        _draw_interval(axes, place, np.minimum(_interval(row, loss), 1.02 * longest))
        _write_numbers(axes, place, row, comparison, longest)
    axes.set_yticks(range(len(rows)), [visible(row["model"]) for row in rows], parse_math=False)
    axes.set(xlim=(0, 1.02 * longest), ylim=(len(rows) - 0.4, -0.6))  # the best on top
    _dress(axes)
    seeds = comparison.settings["seeds"]
    bars = f"; black: standard deviation over {seeds} seeds" if seeds > 1 else ""
    below = f"lower is better; pale: baselines, not trained; in brackets: {loss.title} in {loss.unit}{bars}"
    title(axes, "Perplexity", below)
    return figure


def _draw_bar(axes: Axes, place: int, row: Row, colour: str, longest: float) -> None:
    alpha = 1.0 if row["kind"] == "family" else 0.55
    axes.barh(place, min(row["perplexity"], longest), height=0.62, color=colour, alpha=alpha, zorder=2)


def _draw_interval(axes: Axes, place: int, ends: np.ndarray) -> None:
    if ends[1] > ends[0]:
        axes.plot(ends, [place, place], color=INK, linewidth=1.4, zorder=3)


def _write_numbers(axes: Axes, place: int, row: Row, comparison: Comparison, longest: float) -> None:
    """Perplexity and loss at the right edge; an arrow where the bar is cut."""
    metrics = {metric.name: metric for metric in comparison.task.metrics}
    loss = comparison.task.metrics[0]
    text = f"{score(row['perplexity'], metrics['perplexity'])}  ({score(row[loss.name], loss)})"
    axes.annotate(
        text + (" →" if row["perplexity"] > longest else ""),
        (1, place),
        xytext=(6, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize=9,
        color=INK if row["kind"] == "family" else QUIET,
        annotation_clip=False,
    )


def _dress(axes: Axes) -> None:
    quieten(axes)
    axes.grid(False, axis="y")
    axes.grid(True, axis="x", color=FAINT, linewidth=0.6)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    name_axes(axes, "perplexity")


def _interval(row: Row, loss: Metric[Any, Any]) -> np.ndarray:
    """Perplexity at one standard deviation of the loss over seeds below and above its mean: (2,)."""
    spread = number(row.get(f"{loss.name}_sd")) or 0.0
    return row["perplexity"] * np.exp([-spread, spread])
