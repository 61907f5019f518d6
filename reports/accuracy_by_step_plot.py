"""Accuracy of tags by step: where does a window of a few steps fail, and where does each model forget?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from ..display.visible_text import visible
from .end_labels import LineEnd, label_ends
from .figure import QUIET, name_axes, new_figure, quieten, title
from .model_styles import model_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..comparison import Comparison


def draw_accuracy_by_step(comparison: Comparison) -> Figure | None:
    """One line per model, from the first step to the last of the longest test sequence; None without examples."""
    curves = {
        row["model"]: np.asarray(comparison.examples[row["model"]], dtype=float)
        for row in comparison.summary_rows
        if len(comparison.examples.get(row["model"], ()))
    }
    if not curves:
        return None
    figure = new_figure(4.6)
    axes = figure.add_subplot()
    styles = model_styles(comparison)
    for model, accuracy in reversed(curves.items()):  # the best is drawn last, on top
        marker = "o" if len(accuracy) <= 12 else None
        axes.plot(np.arange(1, len(accuracy) + 1), accuracy, marker=marker, markersize=3.5, **styles[model].line)
    _scale(axes, curves)
    quieten(axes)
    lengths, trained = _test_lengths(comparison), _longest_trained(comparison)
    if lengths and 0 < trained < max(lengths):
        axes.axvline(trained, color=QUIET, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    name_axes(axes, "step", "fraction of correct tags")
    title(axes, "Accuracy by step", _subtitle(lengths, trained))
    label_ends(axes, [LineEnd(visible(m), len(a), float(a[-1]), styles[m].colour) for m, a in curves.items()])
    return figure


def _scale(axes: Axes, curves: dict[str, np.ndarray]) -> None:
    steps = max(map(len, curves.values()))
    low = min(float(accuracy.min()) for accuracy in curves.values())
    spare = max(0.02 * steps, 0.1)
    axes.set_xlim(1 - min(spare, 0.9), steps + spare)  # no step 0
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, steps=[1, 2, 5, 10], min_n_ticks=1))
    span = max(1 - low, 0.05)
    axes.set_ylim(max(low - 0.08 * span, -0.02), 1 + 0.03 * span)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def _test_lengths(comparison: Comparison) -> list[int]:
    """Steps of each test sequence."""
    return [len(tags) for tags in comparison.plot_data.y_true or ()]


def _longest_trained(comparison: Comparison) -> int:
    """Steps of the longest training sequence; 0 where no held-out test set could have longer ones."""
    frame = comparison.frame
    is_test, targets = getattr(frame, "is_test", None), getattr(frame, "targets", None)
    if is_test is None or targets is None:
        return 0
    return max(len(tags) for tags, test in zip(targets.values, is_test, strict=True) if not test)


def _subtitle(lengths: list[int], trained: int) -> str:
    text = "last fold, first seed; dashed: baselines"
    if not lengths:
        return text
    reach = sum(length == max(lengths) for length in lengths)
    if reach < len(lengths):
        text += f"; {reach:,} of {len(lengths):,} test sequences reach the last step"
    return text + ("; dotted: the longest trained on" if 0 < trained < max(lengths) else "")
