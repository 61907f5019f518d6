"""A comparison as a piece of HTML, for notebooks: verdict, leaderboard, notes; no script, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from .leaderboard import caption, leaderboard_columns
from .summary_rows import kind_of
from .terminal import verdict_title
from .visible_text import Rewrite, unchanged, visible

if TYPE_CHECKING:
    from ..comparison import Comparison

# Colours of the notebook itself, light or dark: text and lines take them over.
_CELL = "padding:0.2em 0.6em;background:transparent;color:inherit;vertical-align:bottom;text-align:"
_LINE = "border-bottom:1px solid currentColor;"


def comparison_html(comparison: Comparison, rewrite: Rewrite = unchanged) -> str:
    """Verdict, leaderboard and notes as one ``<div>``.

    Args:
        comparison: a finished comparison.
        rewrite: applied to notes, caption and verdict.

    Returns:
        HTML without script or external resource, in the colours of the page around it; user strings are escaped.
    """
    blocks = [
        f"<p><strong>{_text(verdict_title(comparison))}</strong><br>{_text(rewrite(comparison.verdict['text']))}</p>",
        _table(comparison, rewrite),
        _notes([rewrite(note) for note in comparison.notes]),
    ]
    return f'<div style="color:inherit">{"".join(blocks)}</div>'


def _table(comparison: Comparison, rewrite: Rewrite) -> str:
    columns = leaderboard_columns(comparison)
    headings = ["model", "kind", *(column.heading for column in columns)]
    head = "".join(_cell("th", _lines(heading), left=i < 2, style=_LINE) for i, heading in enumerate(headings))
    body = []
    for row in comparison.summary_rows:
        cells = [row["model"], kind_of(row), *(column.write(row) for column in columns)]
        weight = "font-weight:bold;" if row["model"] == comparison.verdict["best"] else ""
        texts = "".join(_cell("td", _text(cell), left=i < 2, style=weight) for i, cell in enumerate(cells))
        body.append(f'<tr style="background:transparent">{texts}</tr>')
    small = _text(rewrite("; ".join(["bold: the best", caption(comparison, columns, marks=False)])))
    return (
        f'<table style="border-collapse:collapse;color:inherit"><thead><tr>{head}</tr></thead>'
        f'<tbody>{"".join(body)}</tbody></table><p style="font-size:smaller">{small}</p>'
    )


def _cell(tag: str, html: str, *, left: bool, style: str = "") -> str:
    return f'<{tag} style="{style}{_CELL}{"left" if left else "right"}">{html}</{tag}>'


def _lines(heading: str) -> str:
    return "<br>".join(_text(line) for line in heading.split("\n"))


def _notes(notes: Iterable[str]) -> str:
    items = "".join(f"<li>{_text(note)}</li>" for note in notes)
    return f"<ul>{items}</ul>" if items else ""


def _text(text: str) -> str:
    return escape(visible(text))
