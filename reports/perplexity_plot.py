"""Perplexity of each language model: among how many equally likely tokens is it as unsure?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..display.number_format import number, score
from .figure import new_figure
from .leaderboard_plot import known_rows, leaderboard_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..comparison import Comparison
    from ..comparison.trials import Row
    from ..evaluation import Metric


def draw_perplexity(comparison: Comparison) -> Figure | None:
    """A bar per model, the best on top; None where no perplexity is known."""
    rows = known_rows(comparison, _perplexity(comparison))
    if not rows:
        return None
    figure = new_figure(1.5 + 0.36 * len(rows))
    perplexity_on(figure.add_subplot(), comparison)
    return figure


def perplexity_on(axes: Axes, comparison: Comparison) -> None:
    """The leaderboard of perplexity, the loss that it follows from in brackets."""
    loss, metric = comparison.task.metrics[0], _perplexity(comparison)

    def interval(row: Row) -> np.ndarray:
        """Perplexity at one standard deviation of the loss over seeds below and above its mean: (2,)."""
        spread = number(row.get(f"{loss.name}_sd")) or 0.0
        return row[metric.name] * np.exp([-spread, spread])

    def words(row: Row) -> str:
        return f"{score(row[metric.name], metric)}  ({score(row[loss.name], loss)})"

    explained = f"; in brackets: {loss.title} in {loss.unit}"
    leaderboard_on(axes, comparison, metric, interval=interval, words=words, explained=explained)


def _perplexity(comparison: Comparison) -> Metric[Any, Any]:
    return next(metric for metric in comparison.task.metrics if metric.name == "perplexity")
