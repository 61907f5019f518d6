"""Error by horizon step: how far ahead does each model hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from ..comparison.metric_text import axis_title
from ..comparison.summary_rows import main_metric
from ..display.number_format import tick
from ..display.visible_text import visible
from .end_labels import LineEnd, label_ends
from .figure import name_axes, new_figure, quieten, title
from .model_styles import model_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..comparison import Comparison

# From this ratio of the largest to the smallest error on, a linear axis shows the worst baseline and little else.
_LOG_FROM = 6.0


def draw_error_by_step(comparison: Comparison) -> Figure | None:
    """One line per model, from the first step ahead to the last; None where no error is known."""
    metric = main_metric(comparison)
    curves = _curves(comparison, metric.name)
    if not curves:
        return None
    figure = new_figure(4.6)
    axes = figure.add_subplot()
    styles = model_styles(comparison)
    for model, errors in curves.items():
        marker = "o" if np.isfinite(errors).sum() <= 12 else None
        axes.plot(np.arange(1, len(errors) + 1), errors, marker=marker, markersize=3.5, **styles[model].line)
    _scale(axes, curves)
    quieten(axes)
    name_axes(axes, "steps ahead", axis_title(comparison, metric))
    title(axes, "Error by horizon step", "mean over folds and seeds; dashed: baselines, not trained")
    label_ends(axes, [LineEnd(visible(m), *_end(errors), styles[m].colour) for m, errors in curves.items()])
    return figure


def _curves(comparison: Comparison, metric: str) -> dict[str, np.ndarray]:
    curves = {
        row["model"]: np.array(row["by_step"].get(metric, []), dtype=float)  # None becomes NaN
        for row in comparison.summary_rows
    }
    return {model: errors for model, errors in curves.items() if np.isfinite(errors).any()}


def _end(errors: np.ndarray) -> tuple[float, float]:
    last = int(np.flatnonzero(np.isfinite(errors))[-1])
    return last + 1, float(errors[last])


def _scale(axes: Axes, curves: dict[str, np.ndarray]) -> None:
    """Steps as whole numbers; errors on a log axis where they differ much."""
    everything = np.concatenate(list(curves.values()))
    low, high = np.nanmin(everything), np.nanmax(everything)
    steps = max(len(errors) for errors in curves.values())
    spare = max(0.02 * steps, 0.1)
    axes.set_xlim(1 - min(spare, 0.9), steps + spare)  # no step 0
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, min_n_ticks=1))
    if low > 0 and high / low > _LOG_FROM:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7) if high / low < 40 else (1, 3)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(tick))
    else:
        axes.set_ylim(bottom=0, top=high * 1.05 or 1)
