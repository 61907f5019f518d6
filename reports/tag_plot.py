"""Right tags by step: where does a window of a few steps fail, and where does each model forget?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from .drawing import INK, QUIET, colours, label_ends, line_style, new_figure, quieten, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..comparison import Comparison


def draw_right_by_step(comparison: Comparison) -> Figure | None:
    """One line a model, from the first step to the last of the longest test sequence; None without examples."""
    curves = {
        line["model"]: np.asarray(comparison.example[line["model"]], dtype=float)
        for line in comparison.said["summary"]
        if len(comparison.example.get(line["model"], ()))
    }
    if not curves:
        return None
    figure = new_figure(4.6)
    axes = figure.add_subplot()
    tint, kinds = colours(comparison), {line["model"]: line for line in comparison.said["summary"]}
    for model, right in reversed(curves.items()):  # the best is drawn last, on top
        marker = "o" if len(right) <= 12 else None
        steps = np.arange(1, len(right) + 1)
        axes.plot(steps, right, color=tint[model], marker=marker, markersize=3.5, **line_style(kinds[model]))
    _scale(axes, curves)
    quieten(axes)
    _mark_trained(axes, comparison)
    axes.set_xlabel("step", fontsize=9.5, color=INK)
    axes.set_ylabel("share of right tags", fontsize=9.5, color=INK)
    title(axes, "Right tags by step", _below(comparison))
    label_ends(axes, [(model, len(right), float(right[-1]), tint[model]) for model, right in curves.items()])
    return figure


def _scale(axes: Axes, curves: dict[str, np.ndarray]) -> None:
    steps = max(map(len, curves.values()))
    low = min(float(right.min()) for right in curves.values())
    spare = max(0.02 * steps, 0.1)
    axes.set_xlim(1 - min(spare, 0.9), steps + spare)  # no step 0
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, steps=[1, 2, 5, 10], min_n_ticks=1))
    span = max(1 - low, 0.05)
    axes.set_ylim(max(low - 0.08 * span, -0.02), 1 + 0.03 * span)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def _mark_trained(axes: Axes, comparison: Comparison) -> None:
    """A line at the longest training sequence, where an official test part has longer ones."""
    frame = comparison.frame
    if frame.is_test is None or comparison.truth is None:
        return
    longest = max((len(tags) for tags, test in zip(frame.targets.values, frame.is_test, strict=True) if not test))
    if longest >= max(map(len, comparison.truth)):
        return
    axes.axvline(longest, color=QUIET, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)


def _below(comparison: Comparison) -> str:
    said = "last fold, first seed; dashed: baselines"
    if comparison.truth is None:
        return said
    lengths = [len(tags) for tags in comparison.truth]
    reach = sum(length == max(lengths) for length in lengths)
    if reach < len(lengths):
        said += f"; {reach:,} of {len(lengths):,} test sequences reach the last step"
    frame = comparison.frame
    trained = [0] if frame.is_test is None else [len(t) for t in frame.targets.values[~frame.is_test]]
    return said + ("; dotted: the longest trained on" if 0 < max(trained) < max(lengths) else "")
