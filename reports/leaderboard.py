"""The leaderboard: all models, the best first, with the task's metrics and the price."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from ..comparison.leaderboard import KINDS, Column, caption, leaderboard_columns
from ..comparison.summary_rows import kind_of
from ..display.visible_text import Rewrite, unchanged, visible

if TYPE_CHECKING:
    from ..comparison import Comparison

# A table without colour has one width that fits every terminal.
_WIDTH = 80
# A variant of a family has its settings in its name; a longer one continues in the next line.
_LONGEST_NAME = 20


def leaderboard(comparison: Comparison, rewrite: Rewrite = unchanged) -> Table:
    """All models, the best first: the metrics that the task shows, and the price.

    Columns that no model fills (coverage without intervals, say) are left out; where the table would be wider than 80
    columns, so is the spread over seeds of all metrics but the main one.

    Args:
        comparison: a finished comparison.
        rewrite: applied to the caption.

    Returns:
        A table for ``rich.console.Console.print``.

    Example:
        >>> rich.print(leaderboard(comparison))
    """
    columns = _fitting_columns(comparison)
    table = plain_table(rewrite(caption(comparison, columns)))
    table.add_column("#", justify="right")
    table.add_column("", no_wrap=True)
    table.add_column("model", overflow="fold", max_width=_LONGEST_NAME)
    for column in columns:
        table.add_column(Text(column.heading), justify="right", no_wrap=True)
    for rank, row in enumerate(comparison.summary_rows, start=1):
        mark, style = KINDS[kind_of(row)]
        best = row["model"] == comparison.verdict["best"]
        cells = [Text(column.write(row)) for column in columns]
        name, place = Text(visible(row["model"]), style=style), f"*{rank}" if best else str(rank)
        table.add_row(place, Text(mark, style=style), name, *cells, style="bold" if best else "")
    return table


def plain_table(caption: str) -> Table:
    """An empty table that is readable without colour, and when piped into a file."""
    return Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=0,
        pad_edge=False,
        caption=Text(f"\n{visible(caption)}", style="dim"),
        caption_justify="left",
    )


def _fitting_columns(comparison: Comparison) -> list[Column]:
    columns = leaderboard_columns(comparison)
    if _width(comparison, columns) <= _WIDTH:
        return columns
    return leaderboard_columns(comparison, all_spreads=False)


def _width(comparison: Comparison, columns: Sequence[Column]) -> int:
    """Letters in the widest line of the table, one space between columns."""
    rows = comparison.summary_rows
    rank = len(str(len(rows))) + (len(rows) < 10)  # the best has a star beside its number
    name = min(max(len(row["model"]) for row in rows), _LONGEST_NAME)
    wide = [max(len(line) for row in rows for line in [*c.heading.split("\n"), c.write(row)]) for c in columns]
    return sum([rank, 1, name, *wide]) + len(wide) + 2
