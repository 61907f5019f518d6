"""What the plots share: colours, canvas, labels that keep out of one another's way."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation, Transform
from scipy.optimize import isotonic_regression

from ..atomic import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..comparison import Comparison

WIDTH = 9.0  # inches; at 100 dots an inch the text is still read, at 160 it is sharp
DPI = 160
INK, QUIET, FAINT = "#222222", "#767676", "#D9D9D9"
# Okabe and Ito (2008), told apart with any common colour blindness: blues for models without a memory, warm
# colours for those with one. Baselines are dull and dashed.
_COLOURS = {
    "linear": "#56B4E9",
    "dense": "#0072B2",
    "simple_rnn": "#E69F00",
    "gru": "#D55E00",
    "lstm": "#B0528F",
    "ets": "#5B7F3B",
    "theta": "#3F8F83",
    "naive2": "#A39A3E",
    "seasonal_naive": "#8C6D46",
    "drift": "#9A9A9A",
    "naive": "#4D4D4D",
    # of other tasks, the simplest of each as dark as naive
    "majority": "#4D4D4D",
    "mean": "#4D4D4D",
    "majority_tag": "#4D4D4D",
    "unigram": "#4D4D4D",
    "tfidf_logistic": "#3F8F83",
    "tfidf_ridge": "#3F8F83",
    "logistic_flattened": "#3F8F83",
    "ridge_flattened": "#3F8F83",
    "logistic_window": "#3F8F83",
    "bigram": "#3F8F83",
    "nbsvm": "#5B7F3B",
    "dtw_1nn": "#5B7F3B",
    "kneser_ney": "#5B7F3B",
    "most_frequent_tag": "#8C6D46",
}
_SPARE = ("#009E73", "#332288", "#882255", "#999933", "#44AA99", "#661100")
_DASHES = {
    "ets": (0, (5, 1.5)),
    "theta": (0, (2.5, 1.5)),
    "naive2": (0, (6, 1.5, 1.2, 1.5)),
    "seasonal_naive": (0, (4, 2)),
    "drift": (0, (1.2, 1.2)),
    "naive": (0, (3, 1.2, 1.2, 1.2)),
    "majority_tag": (0, (3, 1.2, 1.2, 1.2)),
    "most_frequent_tag": (0, (2.5, 1.5)),
}


def colours(comparison: Comparison) -> dict[str, str]:
    """One colour a model, the same in every plot."""
    settings = comparison.said["settings"]
    named = [*settings["families"], *settings["baselines"]]
    return colours_of([*named, *(line["model"] for line in comparison.said["summary"] if line["model"] not in named)])


def colours_of(models: Sequence[str]) -> dict[str, str]:
    """One colour a model; those without one of their own take what is left, in order."""
    strangers = [model for model in models if model not in _COLOURS]
    return _COLOURS | {model: _SPARE[i % len(_SPARE)] for i, model in enumerate(strangers)}


def ink_of(colour: str) -> tuple[float, float, float]:
    """The colour, dark enough to be read as text on white."""
    return tuple(0.7 * part for part in to_rgb(colour))  # type: ignore[return-value]


def tick(value: float, _: int | None = None) -> str:
    """Write a number beside an axis: 0.3, 1.5, 200, 10k, 1.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def line_style(line: Mapping[str, Any]) -> dict[str, Any]:
    """Solid for what was trained, dashed for baselines, so that colour is never the only difference."""
    if line["kind"] == "family":
        return {"linestyle": "-", "linewidth": 1.7, "zorder": 3}
    return {"linestyle": _DASHES.get(line["model"], (0, (4, 2))), "linewidth": 1.3, "zorder": 2.5}


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


def label_ends(axes: Axes, ends: Sequence[tuple[str, float, float, str]], size: float = 9) -> None:
    """Write names at the right edge, each joined to the end of its line, or at the corner nearest to it.

    Args:
        axes: with all lines drawn and limits set.
        ends: text, x and y of the line's end in data units, and colour.
    """
    if not ends:
        return
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("`axes` must belong to a figure")
    points = np.array([[x, y] for _, x, y, _ in ends])
    texts = [
        axes.annotate(
            text,
            (1, 0.5),
            xytext=(16, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=size,
            color=ink_of(colour),
            va="center",
            parse_math=False,
            annotation_clip=False,
        )
        for text, _, _, colour in ends
    ]
    figure.draw_without_rendering()  # the layout has to be known before anything can be placed in it
    box = axes.get_window_extent()
    low, high = axes.get_ylim()
    heights = axes.transData.transform(points)[:, 1]
    gap = max(text.get_window_extent().height for text in texts) * 1.02
    placed = (spread(heights, gap, box.y0, box.y1) - box.y0) / box.height
    for text, (_, x, y, colour), height in zip(texts, ends, placed, strict=True):
        text.xy = (1, height)
        if not low <= y <= high:
            continue  # off the scale: no line leads to it
        axes.annotate(
            "",
            (x, y),
            xytext=(1, height),
            xycoords="data",
            textcoords=(axes.transAxes + _points_right(figure, 14)),
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "alpha": 0.7, "shrinkA": 0, "shrinkB": 1},
            annotation_clip=False,
        )


def save(figure: Figure, path: Path) -> Path:
    """Write a PNG in one step."""
    with warnings.catch_warnings(), replacing(path) as file:
        # A column may be named in a script that matplotlib's own font lacks: boxes in the plot, no word about it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(file, format="png", facecolor="white")
    return path


def _points_right(figure: Figure, points: float) -> Transform:
    return ScaledTranslation(points / 72, 0, figure.dpi_scale_trans)
