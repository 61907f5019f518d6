"""Perplexity of each language model: among how many equally likely tokens is it as unsure?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ..evaluation import METRICS
from .drawing import FAINT, INK, QUIET, colours, new_figure, quieten, tick, title
from .values import number, score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..comparison import Comparison

# A bar longer than so many times the middle one is cut: it would press the others into one.
_FURTHEST = 3.0


def draw_perplexity(comparison: Comparison) -> Figure | None:
    """A bar a model, the best on top; None where no perplexity is known."""
    lines = [line for line in comparison.said["summary"] if number(line["perplexity"]) is not None]
    if not lines:
        return None
    figure = new_figure(1.5 + 0.36 * len(lines))
    axes = figure.add_subplot()
    values = [line["perplexity"] for line in lines]
    longest = min(max(_ends(line)[1] for line in lines), _FURTHEST * float(np.median(values)))
    for place, line in enumerate(lines):
        _draw_bar(axes, comparison, place, line, longest)
    axes.set_yticks(range(len(lines)), [line["model"] for line in lines], parse_math=False)
    axes.set_ylim(len(lines) - 0.4, -0.6)  # the best on top
    axes.set_xlim(0, 1.02 * longest)
    quieten(axes)
    axes.grid(False, axis="y")
    axes.grid(True, axis="x", color=FAINT, linewidth=0.6)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.set_xlabel("perplexity", fontsize=9.5, color=INK)
    seeds = comparison.said["settings"]["seeds"]
    bars = f"; black: standard deviation over {seeds} seeds" if seeds > 1 else ""
    title(axes, "Perplexity", f"lower is better; pale: baselines, not trained; in brackets: nats a token{bars}")
    return figure


def _draw_bar(axes: Axes, comparison: Comparison, place: int, line: dict[str, Any], longest: float) -> None:
    """The bar, its spread, and its numbers at the right edge."""
    trained, value = line["kind"] == "family", line["perplexity"]
    colour = colours(comparison)[line["model"]]
    axes.barh(place, min(value, 1.02 * longest), height=0.62, color=colour, alpha=1.0 if trained else 0.55, zorder=2)
    ends = _ends(line)
    if ends[1] > ends[0]:
        axes.plot(np.minimum(ends, 1.02 * longest), [place, place], color=INK, linewidth=1.4, zorder=3)
    metrics = METRICS["language-model"]
    text = f"{score(value, metrics['perplexity'])}  ({score(line['nats'], metrics['nats'])})"
    axes.annotate(
        text + (" →" if value > longest else ""),
        (1, place),
        xytext=(6, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize=9,
        color=INK if trained else QUIET,
        annotation_clip=False,
    )


def _ends(line: dict[str, Any]) -> np.ndarray:
    """Perplexity at one standard deviation of the loss over seeds below and above its mean: (2,)."""
    spread = number(line["nats_sd"]) or 0.0
    return line["perplexity"] * np.exp([-spread, spread])
