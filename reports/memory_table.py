"""Accuracy by distance, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from ..display.number_format import MISSING
from ..display.visible_text import Rewrite, unchanged, visible

if TYPE_CHECKING:
    from ..diagnostics import MemoryResult


def memory_table(result: MemoryResult, rewrite: Rewrite = unchanged) -> Table:
    """A row per model, a column per distance: the accuracy on the test set.

    Args:
        result: what :func:`recurra.diagnostics.measure_memory` returned.
        rewrite: applied to the caption.

    Returns:
        A table for ``rich.console.Console.print``.
    """
    rows, undecided = result.table, result.undecided
    distances = [name for name in rows.columns if name != "remembers"]
    caption = Text(f"\n{visible(rewrite(_caption(result)))}", style="dim")
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, caption=caption, caption_justify="left")
    table.add_column(Text(result.task), no_wrap=True)
    for distance in distances:
        table.add_column(str(distance), justify="right", no_wrap=True)
    table.add_column("remembers", justify="right")
    for model, row in rows.iterrows():
        marks = ["?" if (model, distance) in undecided else "" for distance in distances]
        cells = [f"{row[distance]:.3f}{mark}" for distance, mark in zip(distances, marks, strict=True)]
        cells.append(result.reach(str(model)) or MISSING)
        table.add_row(Text(visible(str(model))), *cells)
    return table


def _caption(result: MemoryResult) -> str:
    text = (
        f"accuracy after so many steps; guessing: {result.chance:.2f}; remembers: the longest distance up to which the "
        "accuracy was at least 0.9"
    )
    if result.undecided:
        text += "; ?: cut short"
    for count, reason in result.cut_short:
        text += f"; {count} of {len(result.rows)} trainings ended by {reason}, more might have helped"
    return text


def gradient_table(result: MemoryResult) -> Table | None:
    """What is left of the gradient after each distance, before → after training; None without recurrent models."""
    gradients = result.gradients
    if gradients.empty:
        return None
    caption = Text(
        "\nwhat is left of the gradient over so many steps inside the recurrent layer, first seed: before → after "
        "training; 1: as much as of the newest step",
        style="dim",
    )
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, caption=caption, caption_justify="left")
    table.add_column(Text("gradient"), no_wrap=True)
    distances = sorted(result.rows["distance"].unique())
    for distance in distances:
        table.add_column(str(distance), justify="right", no_wrap=True)
    for model, rows in gradients.groupby(level="model", sort=False):
        found = {
            distance: f"{row.gradient_before:.0e} → {row.gradient_after:.0e}" for (_, distance), row in rows.iterrows()
        }
        table.add_row(Text(visible(str(model))), *(found.get(distance, MISSING) for distance in distances))
    return table
