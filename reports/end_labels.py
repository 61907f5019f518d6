"""Names at the right edge of a plot, each joined to the end of its line, none over another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.transforms import ScaledTranslation, Transform
from scipy.optimize import isotonic_regression

from .model_styles import ink_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

# A legend inside the axes: what is behind it shines through.
INSIDE: dict[str, Any] = {"loc": "best", "facecolor": "white", "edgecolor": "none", "framealpha": 0.75}


def spread(wanted: Sequence[float] | np.ndarray, gap: float, low: float, high: float) -> np.ndarray:
    """Move positions as little as possible until neighbours are `gap` apart and all lie in [low, high].

    Least squares under order constraints are isotonic regression once the gaps are taken out. What does not fit
    into [low, high] leaves it upwards.
    """
    wanted = np.asarray(wanted, dtype=float)
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    found = isotonic_regression(wanted[order] - steps).x
    placed = np.empty_like(wanted)
    placed[order] = np.clip(found, low, max(low, high - steps[-1])) + steps
    return placed


class LineEnd(NamedTuple):
    """A name and the point that it is joined to, in data units."""

    text: str
    x: float
    y: float
    colour: str


def label_ends(axes: Axes, ends: Sequence[LineEnd], size: float = 9) -> None:
    """Write names at the right edge, each joined to the end of its line, or at the corner nearest to it.

    Args:
        axes: with all lines drawn and limits set.
        ends: where the lines end.
        size: of the letters.
    """
    if not ends:
        return
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("`axes` must belong to a figure. Received: axes without one")
    texts = [_write(axes, end, size) for end in ends]
    figure.draw_without_rendering()  # the layout has to be known before anything can be placed in it
    box = axes.get_window_extent()
    heights = axes.transData.transform([(end.x, end.y) for end in ends])[:, 1]
    gap = max(text.get_window_extent().height for text in texts) * 1.02
    placed = (spread(heights, gap, box.y0, box.y1) - box.y0) / box.height
    low, high = axes.get_ylim()
    for text, end, height in zip(texts, ends, placed, strict=True):
        text.xy = (1, height)
        if low <= end.y <= high:  # no line leads to what lies off the scale
            _join(axes, end, height, axes.transAxes + _points_right(figure, 14))


def name_lines(axes: Axes, ends: Sequence[LineEnd], *, beside: bool) -> None:
    """Name lines at the right edge, or in a legend inside the axes, where others may stand beside them.

    Args:
        axes: with all lines drawn and limits set.
        ends: where the lines end.
        beside: whether there is room at the right of the axes.
    """
    if beside:
        return label_ends(axes, ends)
    named = {line.get_color(): line for line in axes.get_lines()[::-1] if len(np.atleast_1d(line.get_xdata())) > 1}
    shown = [(named[end.colour], end.text) for end in ends if end.colour in named]
    legend = axes.legend([line for line, _ in shown], [text for _, text in shown], fontsize=9, **INSIDE)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return None


def _write(axes: Axes, end: LineEnd, size: float) -> Annotation:
    """The name beside the axes, at a height to be settled."""
    return axes.annotate(
        end.text,
        (1, 0.5),
        xytext=(16, 0),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=size,
        color=ink_of(end.colour),
        va="center",
        parse_math=False,
        annotation_clip=False,
    )


def _join(axes: Axes, end: LineEnd, height: float, beside: Transform) -> None:
    """A thin line from the name to the end of its line."""
    axes.annotate(
        "",
        (end.x, end.y),
        xytext=(1, height),
        xycoords="data",
        textcoords=beside,
        arrowprops={"arrowstyle": "-", "color": end.colour, "linewidth": 0.6, "alpha": 0.7, "shrinkA": 0, "shrinkB": 1},
        annotation_clip=False,
    )


def _points_right(figure: Figure, points: float) -> Transform:
    return ScaledTranslation(points / 72, 0, figure.dpi_scale_trans)
