"""Accuracy by distance, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from ..comparison import Remembering


def remembering_table(remembering: Remembering) -> Table:
    """A row a model, a column a distance: the share of right targets on the test part.

    Args:
        remembering: what :func:`recurra.remember` returned.

    Returns:
        A table for ``rich.console.Console.print``.
    """
    rows = remembering.table
    distances = [name for name in rows.columns if name != "remembers"]
    caption = (
        f"share of right targets after so many steps; guessing: {remembering.chance:.2f}; remembers: the longest "
        "distance up to which at least 0.9 were right"
    )
    for cut, by in remembering.cut_short:
        caption += f"; {cut} of {len(remembering.rows)} trainings ended by {by}, more might have helped"
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, caption=Text(f"\n{caption}", style="dim"))
    table.caption_justify = "left"
    table.add_column(remembering.task, no_wrap=True)
    for distance in distances:
        table.add_column(str(distance), justify="right", no_wrap=True)
    table.add_column("remembers", justify="right")
    for model, row in rows.iterrows():
        reach = int(row["remembers"])
        table.add_row(str(model), *(f"{row[d]:.3f}" for d in distances), str(reach) if reach else "–")
    return table
