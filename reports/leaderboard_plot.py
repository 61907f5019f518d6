"""A metric of all models as bars, the best on top."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ..comparison.metric_text import axis_title
from ..display.number_format import number, score, tick
from ..display.visible_text import visible
from ..errors import InputError
from ..frames.wording import with_capital
from .figure import FAINT, INK, QUIET, name_axes, quieten, title
from .model_styles import model_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..comparison import Comparison
    from ..comparison.trials import Row
    from ..evaluation import Metric

# A bar longer than so many times the median is cut: it would press the others into one.
_LONGEST = 3.0

# A row of the summary → where the spread over seeds begins and ends (2,), and what is written beside the bar.
Interval = Callable[["Row"], np.ndarray]
Words = Callable[["Row"], str]


def leaderboard_on(
    axes: Axes,
    comparison: Comparison,
    metric: Metric[Any, Any],
    *,
    interval: Interval | None = None,
    words: Words | None = None,
    explained: str = "",
) -> None:
    """Draw a bar per model whose metric is known, the best on top, the numbers at the right edge.

    Args:
        axes: where to.
        comparison: a finished comparison.
        metric: one of its task.
        interval: by default one standard deviation over seeds below and above the mean.
        words: by default the metric.
        explained: what `words` adds, for the line below the title.

    Raises:
        InputError: if no model has the metric.
    """
    rows = known_rows(comparison, metric)
    if not rows:
        raise InputError(f"no model of the comparison has a known `{metric.name}`; choose another metric")
    interval = interval or (lambda row: _spread(row, metric))
    words = words or (lambda row: score(row[metric.name], metric) + " %" * metric.as_percent)
    longest = _longest(rows, metric, interval)
    styles = model_styles(comparison)
    for place, row in enumerate(rows):
        _draw_bar(axes, place, row, metric, styles[row["model"]].colour, 1.02 * longest)
        _draw_interval(axes, place, np.minimum(interval(row), 1.02 * longest))
        _write_numbers(axes, place, row, words(row) + (" →" if row[metric.name] > longest else ""))
    axes.set_yticks(range(len(rows)), [visible(row["model"]) for row in rows], parse_math=False)
    axes.set(xlim=(0, 1.02 * longest), ylim=(len(rows) - 0.4, -0.6))  # the best on top
    _dress(axes, axis_title(comparison, metric))
    better = "higher" if metric.higher_is_better else "lower"
    seeds = comparison.settings["seeds"]
    black = f"; black: standard deviation over {seeds} seeds" if seeds > 1 else ""
    title(axes, _heading(metric), f"{better} is better; pale: baselines, not trained{explained}{black}")


def known_rows(comparison: Comparison, metric: Metric[Any, Any]) -> list[Row]:
    """Rows of the summary whose metric is known, the best first."""
    rows = [row for row in comparison.summary_rows if number(row.get(metric.name)) is not None]
    return sorted(rows, key=lambda row: row[metric.name], reverse=metric.higher_is_better)


def _heading(metric: Metric[Any, Any]) -> str:
    return with_capital(metric.title)


def _longest(rows: Sequence[Row], metric: Metric[Any, Any], interval: Interval) -> float:
    median = float(np.median([row[metric.name] for row in rows]))
    ends = max(max(float(interval(row)[1]), row[metric.name]) for row in rows)
    return min(ends, _LONGEST * median) if median > 0 else ends or 1.0


def _spread(row: Row, metric: Metric[Any, Any]) -> np.ndarray:
    spread = number(row.get(f"{metric.name}_sd")) or 0.0
    return row[metric.name] + spread * np.array([-1, 1])


def _draw_bar(axes: Axes, place: int, row: Row, metric: Metric[Any, Any], colour: str, longest: float) -> None:
    alpha = 1.0 if row["kind"] != "baseline" else 0.55
    axes.barh(place, min(row[metric.name], longest), height=0.62, color=colour, alpha=alpha, zorder=2)


def _draw_interval(axes: Axes, place: int, ends: np.ndarray) -> None:
    if ends[1] > ends[0]:
        axes.plot(ends, [place, place], color=INK, linewidth=1.4, zorder=3)


def _write_numbers(axes: Axes, place: int, row: Row, text: str) -> None:
    axes.annotate(
        text,
        (1, place),
        xytext=(6, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize=9,
        color=INK if row["kind"] != "baseline" else QUIET,
        annotation_clip=False,
    )


def _dress(axes: Axes, name: str) -> None:
    quieten(axes)
    axes.grid(False, axis="y")
    axes.grid(True, axis="x", color=FAINT, linewidth=0.6)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    name_axes(axes, name)
