"""Accuracy against distance: where each family forgets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .drawing import QUIET, colours_of, label_ends, new_figure, quieten, save, title

if TYPE_CHECKING:
    from ..comparison import Remembering


def write_remembering_plot(remembering: Remembering, folder: Path | str) -> Path:
    """Draw ``remember.png``: a line a model, the distance on a logarithmic axis, a band over seeds.

    Args:
        remembering: what :func:`recurra.remember` returned.
        folder: where the file goes.

    Returns:
        The file.
    """
    figure = new_figure(4.5)
    axes = figure.subplots()
    rows = remembering.rows
    tint = colours_of(list(dict.fromkeys(rows["model"])))
    ends = []
    for name, mine in rows.groupby("model", sort=False):
        by_distance, colour = mine.groupby("distance")["accuracy"], tint[str(name)]
        mean = by_distance.mean()
        axes.plot(mean.index, mean, marker="o", markersize=4, color=colour, linewidth=1.7)
        if mine["seed"].nunique() > 1:
            axes.fill_between(mean.index, by_distance.min(), by_distance.max(), color=colour, alpha=0.15, linewidth=0)
        ends.append((str(name), float(mean.index[-1]), float(mean.iloc[-1]), colour))
    axes.axhline(remembering.chance, linestyle=":", color=QUIET, linewidth=1.2)
    distances = sorted(rows["distance"].unique())
    axes.set(xscale="log", ylim=(0, 1.04), xlabel="steps to be bridged", ylabel="share of right targets")
    axes.set_xticks(distances, labels=[str(d) for d in distances])
    axes.minorticks_off()
    quieten(axes)
    title(axes, f"{remembering.task}: what is still known after so many steps", "dotted: guessing; test sequences")
    label_ends(axes, [*ends, ("guessing", float(distances[-1]), remembering.chance, QUIET)])
    return save(figure, Path(folder) / "remember.png")
