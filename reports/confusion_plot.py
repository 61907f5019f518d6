"""Confusion: which classes are taken for which, by the best trained family and by the best baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from .drawing import INK, QUIET, WIDTH, new_figure, title
from .values import best_shown, last_row, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..comparison import Comparison

# More classes than these leave no room for a number in a cell.
_MOST_CLASSES = 20
_UNSEEN = "(never trained on)"
_LETTER = 0.075  # inches in a row of names
_RIGHT = LinearSegmentedColormap.from_list("right", ["white", "#0072B2"])
_WRONG = LinearSegmentedColormap.from_list("wrong", ["white", "#D55E00"])


def draw_confusion(comparison: Comparison) -> Figure | None:
    """A square of numbers a model, true classes in rows; None of very many classes, or without examples."""
    shown = best_shown(comparison)
    if not shown or comparison.truth is None or not 2 <= len(comparison.classes) <= _MOST_CLASSES:
        return None
    names = [shortened(str(name), 26) for name in comparison.classes]
    counts = [count(comparison.truth, comparison.example[line["model"]], len(names)) for line in shown]
    rows = [*names, _UNSEEN] if len(counts[0]) > len(names) else names
    square = _square(rows, len(names), len(shown))
    turned = _turned(names, square)
    below = _LETTER * max(map(len, names)) if turned else 0.1
    figure = new_figure(square * len(rows) / len(names) + below + 1.1)
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, line, numbers in zip(panels, shown, counts, strict=True):
        _draw_numbers(axes, numbers)
        axes.set_xticks(
            range(len(names)), names, fontsize=_size(len(names)), parse_math=False, rotation=90 if turned else 0
        )
        axes.tick_params(colors=INK, length=0)
        axes.spines[:].set_color(QUIET)
        right = last_row(comparison, line["model"])["accuracy"]
        axes.set_xlabel(f"answer of {line['model']}: {100 * right:.1f} % right", fontsize=9.5, color=INK)
    panels[0].set_yticks(range(len(rows)), rows, fontsize=_size(len(names)), parse_math=False)
    panels[0].set_ylabel("true class", fontsize=9.5, color=INK)
    said = f"{len(comparison.truth):,} test examples of the last fold, first seed; colour: share of the true class"
    title(panels[0], "Which class is taken for which", said)
    return figure


def count(truth: np.ndarray, told: np.ndarray, classes: int) -> np.ndarray:
    """How often which class was told of which: (true, told), with a last row for classes never trained on, if any."""
    truth = np.where(np.asarray(truth) < 0, classes, truth)
    rows = classes + int((truth == classes).any())
    return np.bincount(truth * classes + told, minlength=rows * classes).reshape(rows, classes)


def _square(rows: list[str], classes: int, panels: int) -> float:
    """Side of a panel in inches, as wide as the names beside it allow; few cells need not fill it."""
    beside = _LETTER * max(map(len, rows)) + 0.9
    return min((WIDTH - beside) / panels, 4.6, 1.7 * classes)


def _turned(names: list[str], square: float) -> bool:
    """Whether names side by side would run into one another."""
    return _LETTER * (max(map(len, names)) + 0.5) > square / len(names)


def _size(classes: int) -> float:
    return 9 if classes <= 10 else 7.5


def _draw_numbers(axes: Axes, numbers: np.ndarray) -> None:
    """Right targets blue, wrong ones orange; few of them can still be told from none."""
    share = numbers / np.maximum(numbers.sum(axis=1, keepdims=True), 1)
    shade = np.sqrt(share)
    right = np.eye(*numbers.shape) > 0
    axes.imshow(np.where(right[..., None], _RIGHT(shade), _WRONG(shade)), aspect="equal", interpolation="nearest")
    classes = numbers.shape[1]
    size = 11 if classes <= 3 else 9 if classes <= 7 else 8 if classes <= 10 else 6.5
    for (row, column), number in np.ndenumerate(numbers):
        if number:
            dark = shade[row, column] > (0.55 if row == column else 0.8)
            text = brief(int(number)) if classes > 7 else f"{number:,}"
            axes.text(column, row, text, ha="center", va="center", fontsize=size, color="white" if dark else INK)


def brief(count: int) -> str:
    """At most three letters up to 99,999, to fit a small cell."""
    return str(count) if count < 1000 else f"{count / 1000:.0f}k"
