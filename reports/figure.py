"""The canvas that all plots share: size, inks, frame, title, file."""

from __future__ import annotations

import textwrap
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..atomic import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 9.0  # inches; at 100 dots an inch the text is still read, at 160 it is sharp
DPI = 160
INK, QUIET, FAINT = "#222222", "#767676", "#D9D9D9"
# The line below a title: its name among the texts of the axes, its height in points, its letters per inch.
_BELOW, _LINE, _LETTERS = "below the title", 11.5, 15


def new_figure(height: float) -> Figure:
    """An empty figure on its own canvas: no global state, no window system."""
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def quieten(axes: Axes) -> None:
    """Leave of the frame what carries meaning."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(QUIET)
    axes.tick_params(colors=INK, labelsize=9, color=QUIET)
    axes.grid(True, axis="y", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)


def name_axes(axes: Axes, x: str = "", y: str = "") -> None:
    """Titles of the axes; the user's column names are no formulas."""
    axes.set_xlabel(x, fontsize=9.5, color=INK, parse_math=False)
    axes.set_ylabel(y, fontsize=9.5, color=INK, parse_math=False)


def title(axes: Axes, text: str, below: str = "") -> None:
    """A title at the left, with a quieter line under it; a line feed breaks that line."""
    pad = 10 + _LINE * len(below.split("\n")) if below else 8
    axes.set_title(text, loc="left", fontsize=11, color=INK, fontweight="bold", pad=pad, parse_math=False)
    for line in [line for line in axes.texts if line.get_gid() == _BELOW]:
        line.remove()
    if below:
        line = axes.annotate(
            below,
            (0, 1),
            xytext=(0, 7),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=9,
            color=QUIET,
            parse_math=False,
            gid=_BELOW,
        )
        line.set_in_layout(False)  # it may be wider than the panel below it


def wrap_title(axes: Axes) -> None:
    """Break the line below the title to the width of the axes, beside which others may stand."""
    for line in [line for line in axes.texts if line.get_gid() == _BELOW]:
        inches = axes.bbox.width / axes.figure.dpi
        title(axes, axes.get_title(loc="left"), textwrap.fill(line.get_text(), max(int(inches * _LETTERS), 12)))


def save(figure: Figure, path: Path) -> Path:
    """Write a PNG in one step."""
    with warnings.catch_warnings(), replacing(path) as file:
        # A column may be named in a script that matplotlib's own font lacks: boxes in the plot, no word about it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(file, format="png", facecolor="white")
    return path
