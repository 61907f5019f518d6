"""A comparison as a piece of HTML, for notebooks: verdict, leaderboard, notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..display import html
from ..display.visible_text import Rewrite, unchanged
from .leaderboard import caption, leaderboard_columns
from .summary_rows import kind_of, verdict_title

if TYPE_CHECKING:
    from .result import Comparison


def comparison_html(comparison: Comparison, rewrite: Rewrite = unchanged) -> str:
    """Verdict, leaderboard and notes as one ``<div>``.

    Args:
        comparison: a finished comparison.
        rewrite: applied to notes, caption and verdict.

    Returns:
        HTML without script or external resource, with its own pair of colours; user strings are escaped.
    """
    return html.block(
        html.title(verdict_title(comparison), rewrite(comparison.verdict["text"])),
        *_table(comparison, rewrite),
        html.bullets(rewrite(note) for note in comparison.notes),
    )


def _table(comparison: Comparison, rewrite: Rewrite) -> tuple[str, str]:
    columns = leaderboard_columns(comparison)
    rows = [[row["model"], kind_of(row), *(column.write(row) for column in columns)] for row in comparison.summary_rows]
    best = [row["model"] for row in comparison.summary_rows].index(comparison.verdict["best"])
    headings = ["model", "kind", *(column.heading for column in columns)]
    words = "; ".join(["bold: the best", caption(comparison, columns, marks=False)])
    return html.table(headings, rows, left=2, bold=best), html.small(rewrite(words))
