"""Confusion: which classes are taken for which, by the best trained family and by the best baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from ..comparison.summary_rows import best_with_examples
from ..display.visible_text import shortened, visible
from ..errors import InputError
from .figure import INK, QUIET, WIDTH, name_axes, new_figure, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..comparison import Comparison

# More classes than these leave no room for a number in a cell.
_MOST_CLASSES = 20
TITLE = "Which class is taken for which"
_UNSEEN = "(never trained on)"
_LETTER = 0.075  # inches in a row of names
_CORRECT = LinearSegmentedColormap.from_list("correct", ["white", "#0072B2"])
_WRONG = LinearSegmentedColormap.from_list("wrong", ["white", "#D55E00"])


def draw_confusion(comparison: Comparison) -> Figure | None:
    """A square of numbers per model, true classes in rows; None of very many classes, or without examples."""
    shown, y_true = best_with_examples(comparison), comparison.plot_data.y_true
    classes = comparison.plot_data.classes
    if not shown or y_true is None or not 2 <= len(classes) <= _MOST_CLASSES:
        return None
    names = [shortened(str(name), 26) for name in classes]
    counts = [count(y_true, comparison.examples[row["model"]], len(names)) for row in shown]
    rows = [*names, _UNSEEN] if len(counts[0]) > len(names) else names
    square = _square(rows, len(names), len(shown))
    turned = _turned(names, square)
    below = _LETTER * max(map(len, names)) if turned else 0.1
    figure = new_figure(square * len(rows) / len(names) + below + 1.1)
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, row, numbers in zip(panels, shown, counts, strict=True):
        confusion_on(axes, numbers, names, visible(row["model"]), turned=turned)
    panels[0].set_yticks(range(len(rows)), rows, fontsize=_size(len(names)), parse_math=False)
    name_axes(panels[0], panels[0].get_xlabel(), "true class")
    title(panels[0], TITLE, subtitle(len(y_true)))
    return figure


def subtitle(examples: int) -> str:
    """What the plot counts."""
    return f"{examples:,} test examples of the last fold, first seed; colour: fraction of the true class"


def confusion_on(axes: Axes, numbers: np.ndarray, names: Sequence[str], model: str = "", *, turned: bool) -> None:
    """Draw one square of numbers, its true classes unnamed.

    Args:
        axes: where to.
        numbers: what :func:`count` gives (true, predicted).
        names: of the classes.
        model: whose predictions they are.
        turned: whether the names below stand upright.
    """
    _draw_numbers(axes, numbers)
    _dress(axes, names, turned=turned)
    accuracy = numbers.trace() / max(numbers.sum(), 1)
    name_axes(axes, f"predicted{f' by {model}' if model else ' class'}: {100 * accuracy:.1f} % correct")


def confusion_whole(axes: Axes, numbers: np.ndarray, names: Sequence[str], model: str = "") -> None:
    """The same with all its names, on an axes of its own."""
    names = [shortened(str(name), 26) for name in names]
    if not 2 <= len(names) <= _MOST_CLASSES:
        raise InputError(f"a confusion plot has 2 to {_MOST_CLASSES} classes; received {len(names)}")
    rows = [*names, _UNSEEN] if len(numbers) > len(names) else names
    width = axes.bbox.width / axes.figure.dpi  # inches
    confusion_on(axes, numbers, names, model, turned=_turned(names, width))
    axes.set_yticks(range(len(rows)), rows, fontsize=_size(len(names)), parse_math=False)
    name_axes(axes, axes.get_xlabel(), "true class")


def count(y_true: np.ndarray, y_pred: np.ndarray, classes: int) -> np.ndarray:
    """How often which class was predicted for which.

    Args:
        y_true: class numbers (examples,), -1 for classes never trained on.
        y_pred: class numbers (examples,).
        classes: how many there are.

    Returns:
        (true, predicted), with a last row for classes never trained on, if any.
    """
    y_true = np.where(np.asarray(y_true) < 0, classes, y_true)
    rows = classes + int((y_true == classes).any())
    return np.bincount(y_true * classes + y_pred, minlength=rows * classes).reshape(rows, classes)


def _square(rows: Sequence[str], classes: int, panels: int) -> float:
    """Side of a panel in inches, as wide as the names beside it allow; few cells need not fill it."""
    beside = _LETTER * max(map(len, rows)) + 0.9
    return min((WIDTH - beside) / panels, 4.6, 1.7 * classes)


def _turned(names: Sequence[str], square: float) -> bool:
    """Whether names side by side would run into one another."""
    return _LETTER * (max(map(len, names)) + 0.5) > square / len(names)


def _size(classes: int) -> float:
    return 9 if classes <= 10 else 7.5


def _dress(axes: Axes, names: Sequence[str], *, turned: bool) -> None:
    rotation = 90 if turned else 0
    axes.set_xticks(range(len(names)), names, fontsize=_size(len(names)), parse_math=False, rotation=rotation)
    axes.tick_params(colors=INK, length=0)
    axes.spines[:].set_color(QUIET)


def _draw_numbers(axes: Axes, numbers: np.ndarray) -> None:
    """Correct predictions blue, wrong ones orange; few of them can still be told from none."""
    fraction = numbers / np.maximum(numbers.sum(axis=1, keepdims=True), 1)
    shade = np.sqrt(fraction)
    correct = np.eye(*numbers.shape) > 0
    axes.imshow(np.where(correct[..., None], _CORRECT(shade), _WRONG(shade)), aspect="equal", interpolation="nearest")
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
