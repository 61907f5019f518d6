"""The canvas that all plots share: size, inks, frame, title, file."""

from __future__ import annotations

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
    """A title at the left, with a quieter line under it."""
    axes.set_title(
        text, loc="left", fontsize=11, color=INK, fontweight="bold", pad=21 if below else 8, parse_math=False
    )
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
        )
        line.set_in_layout(False)  # it may be wider than the panel below it


def save(figure: Figure, path: Path) -> Path:
    """Write a PNG in one step."""
    with warnings.catch_warnings(), replacing(path) as file:
        # A column may be named in a script that matplotlib's own font lacks: boxes in the plot, no word about it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(file, format="png", facecolor="white")
    return path
