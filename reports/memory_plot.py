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
# Below it a gradient is nothing, and an axis that showed it would show nothing else.
_LEAST_GRADIENT = 1e-12


def draw_memory(result: MemoryResult) -> Figure:
    """A line per model, the distance on a logarithmic axis, a band over seeds; beside it what is left of the gradient.

    Args:
        result: what :func:`recurra.diagnostics.measure_memory` returned.
    """
    if result.gradients.empty:
        figure = new_figure(4.5)
        axes = figure.subplots()
        label_ends(axes, memory_on(axes, result))
        return figure
    figure = new_figure(8.0)
    above, below = figure.subplots(2, 1)
    label_ends(above, memory_on(above, result))
    label_ends(below, gradients_on(below, result))
    return figure


def memory_on(axes: Axes, result: MemoryResult) -> list[LineEnd]:
    """Draw the lines, and give the ends that want names.

    Args:
        axes: where to.
        result: what :func:`recurra.diagnostics.measure_memory` returned.
    """
    ends = _draw_lines(axes, result)
    axes.axhline(result.chance, linestyle=":", color=QUIET, linewidth=1.2)
    distances = _distance_axis(axes, result)
    axes.set_ylim(0, 1.04)
    name_axes(axes, "distance in steps", "accuracy")
    words = "dotted: guessing; on the test set" + ("; hollow: cut short" if result.undecided else "")
    title(axes, f"{result.task}: what is still known after so many steps", words)
    return [*ends, LineEnd("guessing", float(distances[-1]), result.chance, QUIET)]


def gradients_on(axes: Axes, result: MemoryResult) -> list[LineEnd]:
    """Draw what is left of the gradient after each distance: dashed before training, solid after it.

    Args:
        axes: where to.
        result: with recurrent models in it.
    """
    names = [str(name) for name in dict.fromkeys(result.rows["model"])]
    styles, gradients, ends = family_styles(names), result.gradients, []
    for name, marker in zip(names, itertools.cycle(_MARKERS)):
        if name not in gradients.index.get_level_values("model"):
            continue
        own, colour = gradients.loc[name].clip(lower=_LEAST_GRADIENT), styles[name].colour
        axes.plot(own.index, own["gradient_before"], color=colour, linewidth=1.2, linestyle="--")
        axes.plot(own.index, own["gradient_after"], marker=marker, markersize=4.5, color=colour, linewidth=1.7)
        ends.append(LineEnd(visible(name), float(own.index[-1]), float(own["gradient_after"].iloc[-1]), colour))
    axes.set_yscale("log")
    _distance_axis(axes, result)
    name_axes(axes, "distance in steps", "gradient left")
    title(
        axes,
        "What is left of the gradient inside the recurrent layer",
        "dashed: before training; 1: as much as of the newest step",
    )
    return ends


def _distance_axis(axes: Axes, result: MemoryResult) -> list[int]:
    distances = sorted(result.rows["distance"].unique())
    axes.set_xscale("log")
    axes.set_xticks(distances, labels=[str(distance) for distance in distances])
    axes.minorticks_off()
    quieten(axes)
    return distances


def _draw_lines(axes: Axes, result: MemoryResult) -> list[LineEnd]:
    """Mean accuracies, and their range over seeds; returns where the lines end."""
    names = [str(name) for name in dict.fromkeys(result.rows["model"])]
    styles, ends = family_styles(names), []
    for name, marker in zip(names, itertools.cycle(_MARKERS)):
        rows = result.rows[result.rows["model"] == name]
        by_distance, colour = rows.groupby("distance")["accuracy"], styles[name].colour
        mean = by_distance.mean()
        axes.plot(mean.index, mean, marker=marker, markersize=4.5, color=colour, linewidth=1.7)
        short = [distance for distance in mean.index if (name, distance) in result.undecided]
        if short:
            axes.scatter(short, mean[short], s=20, marker=marker, facecolors="white", edgecolors=colour, zorder=3)
        if rows["seed"].nunique() > 1:
            axes.fill_between(mean.index, by_distance.min(), by_distance.max(), color=colour, alpha=0.15, linewidth=0)
        ends.append(LineEnd(visible(name), float(mean.index[-1]), float(mean.iloc[-1]), colour))
    return ends
