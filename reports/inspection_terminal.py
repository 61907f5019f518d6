"""An inspected model for the terminal: the answers first, then the numbers behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

from ..display.visible_text import Rewrite, shortened, unchanged, visible
from .leaderboard import plain_table

if TYPE_CHECKING:
    from ..diagnostics import Inspection

_WORST = 5


def inspection_report(found: Inspection, rewrite: Rewrite = unchanged) -> list[RenderableType]:
    """What a terminal shows of an inspection, from top to bottom.

    Args:
        found: an inspected model.
        rewrite: applied to notes and sentences.

    Returns:
        What to hand to ``rich.console.Console.print``, one after another.
    """
    parts: list[RenderableType] = [Text(visible(rewrite(f"- {note}"))) for note in found.notes]
    rows = _facts(found)
    if rows:
        table = plain_table("steps are those of the data; losses are the task's own error")
        table.add_column("what", no_wrap=True)
        table.add_column("found", justify="right")
        for name, value in rows:
            table.add_row(name, Text(visible(value)))
        parts.append(table)
    worst = found.errors.get("worst", [])[:_WORST]
    if worst:
        parts.append(_worst(worst))
    title = f"{visible(found.model)}: what its memory is worth here"
    colour = {True: "green", False: "red", None: "yellow"}[found.verdict["worth_it"]]
    text = Text(visible(rewrite(found.verdict["text"])))
    parts.append(Panel(text, title=title, title_align="left", border_style=colour, padding=(0, 1)))
    return parts


def _facts(found: Inspection) -> list[tuple[str, str]]:
    memory, order, cost = found.memory, found.order, found.cost
    rows = []
    if memory["horizon"] is not None:
        rows += [
            ("memory horizon, by occlusion", f"{memory['horizon_occlusion']} of {memory['lookback']} steps"),
            ("memory horizon, by gradient", _or_unknown(memory["horizon_gradient"])),
            ("the same before training", _or_unknown(memory.get("horizon_before"))),
            ("lookback it suggests", str(memory["suggested_lookback"])),
            (f"{memory['metric']} in the right order", f"{order['loss']:.4g}"),
            (f"{memory['metric']} with shuffled steps", f"{order['shuffled']:.4g}"),
        ]
    rows.append(("parameters", f"{cost['parameters']['total']:,}"))
    if cost.get("multiply_adds") is not None:
        seconds = cost["seconds"]
        rows += [
            ("multiply-adds per prediction", f"{cost['multiply_adds']:,}"),
            ("ms per prediction in batches", f"{1000 * seconds['measured']:.3g}"),
        ]
    return rows


def _worst(worst: list[dict[str, Any]]) -> RenderableType:
    table = plain_table("the examples with the largest errors")
    columns = list(worst[0])
    for name in columns:
        table.add_column(name, justify="right" if name == "loss" else "left")
    for row in worst:
        cells = [f"{row[name]:.4g}" if name == "loss" else shortened(str(row[name]), 60) for name in columns]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _or_unknown(value: int | None) -> str:
    return "not measurable" if value is None else f"{value} step{'' if value == 1 else 's'}"
