"""Accuracy against distance: where each family forgets."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from ..display.visible_text import visible
from .end_labels import LineEnd, label_ends
from .figure import QUIET, name_axes, new_figure, quieten, title
from .model_styles import family_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..diagnostics import MemoryResult

# Beside the colours, for those who cannot tell these apart.
_MARKERS = "os^Dv<>P"


def draw_memory(result: MemoryResult) -> Figure:
    """A line per model, the distance on a logarithmic axis, a band over seeds.

    Args:
        result: what :func:`recurra.diagnostics.measure_memory` returned.
    """
    figure = new_figure(4.5)
    axes = figure.subplots()
    label_ends(axes, memory_on(axes, result))
    return figure


def memory_on(axes: Axes, result: MemoryResult) -> list[LineEnd]:
    """Draw the lines, and give the ends that want names.

    Args:
        axes: where to.
        result: what :func:`recurra.diagnostics.measure_memory` returned.
    """
    ends = _draw_lines(axes, result)
    axes.axhline(result.chance, linestyle=":", color=QUIET, linewidth=1.2)
    distances = sorted(result.rows["distance"].unique())
    axes.set(xscale="log", ylim=(0, 1.04))
    axes.set_xticks(distances, labels=[str(distance) for distance in distances])
    axes.minorticks_off()
    quieten(axes)
    name_axes(axes, "distance in steps", "accuracy")
    title(axes, f"{result.task}: what is still known after so many steps", "dotted: guessing; on the test set")
    return [*ends, LineEnd("guessing", float(distances[-1]), result.chance, QUIET)]


def _draw_lines(axes: Axes, result: MemoryResult) -> list[LineEnd]:
    """Mean accuracies, and their range over seeds; returns where the lines end."""
    names = [str(name) for name in dict.fromkeys(result.rows["model"])]
    styles, ends = family_styles(names), []
    for name, marker in zip(names, itertools.cycle(_MARKERS)):
        rows = result.rows[result.rows["model"] == name]
        by_distance, colour = rows.groupby("distance")["accuracy"], styles[name].colour
        mean = by_distance.mean()
        axes.plot(mean.index, mean, marker=marker, markersize=4.5, color=colour, linewidth=1.7)
        if rows["seed"].nunique() > 1:
            axes.fill_between(mean.index, by_distance.min(), by_distance.max(), color=colour, alpha=0.15, linewidth=0)
        ends.append(LineEnd(visible(name), float(mean.index[-1]), float(mean.iloc[-1]), colour))
    return ends
