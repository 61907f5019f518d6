"""Small pieces of HTML for notebooks: one block, tables, lists. No script, nothing loaded, every string escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from .visible_text import shortened, visible

if TYPE_CHECKING:
    import pandas as pd

# The page's own pair of colours: one of them alone could be unreadable on what a notebook's theme sets for the other.
_BLOCK = "background:Canvas;color:CanvasText;padding:0.4em 0.6em"
# A notebook stripes the rows of its tables in colours of its theme; inside the block there is one background.
_CELL = "padding:0.2em 0.6em;background:transparent;color:inherit;vertical-align:bottom;text-align:"
_LINE = "border-bottom:1px solid currentColor;"
# Cells of the user's own data are cut here.
_LONGEST_CELL = 60


def text(words: object) -> str:
    """Escape a string, control characters too."""
    return escape(visible(str(words)))


def block(*pieces: str) -> str:
    """Join pieces of HTML into one ``<div>`` with a foreground and a background."""
    return f'<div style="{_BLOCK}">{"".join(pieces)}</div>'


def title(words: str, below: str = "") -> str:
    """A strong line, and what is said about it."""
    return f"<p><strong>{text(words)}</strong>{f'<br>{text(below)}' if below else ''}</p>"


def small(words: str) -> str:
    """A caption."""
    return f'<p style="font-size:smaller">{text(words)}</p>'


def bullets(sentences: Iterable[str]) -> str:
    """A list, or nothing where there is no sentence."""
    items = "".join(f"<li>{text(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>" if items else ""


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1, bold: int | None = None) -> str:
    """A table of strings.

    Args:
        headings: of the columns; a line feed breaks a heading. Without any there is no head.
        rows: cells.
        left: so many columns are aligned left, the others right.
        bold: number of the row that stands out.
    """
    head = "".join(_cell("th", _broken(heading), left=i < left, style=_LINE) for i, heading in enumerate(headings))
    body = []
    for number, cells in enumerate(rows):
        weight = "font-weight:bold;" if number == bold else ""
        texts = "".join(_cell("td", text(cell), left=i < left, style=weight) for i, cell in enumerate(cells))
        body.append(f'<tr style="background:transparent">{texts}</tr>')
    top = f'<thead><tr style="background:transparent">{head}</tr></thead>' if head else ""
    return f'<table style="border-collapse:collapse;color:inherit">{top}<tbody>{"".join(body)}</tbody></table>'


def facts(pairs: Mapping[str, object]) -> str:
    """A table of two columns: what, and its value; empty values are left out."""
    return table([], [(name, str(value)) for name, value in pairs.items() if value not in (None, "")], left=2)


def first_rows(rows: pd.DataFrame, count: int = 5) -> str:
    """The first rows of a table of the user's, long cells cut."""
    cells = [[shortened(str(cell), _LONGEST_CELL) for cell in row] for row in rows.head(count).itertuples(index=False)]
    return table([shortened(str(name), _LONGEST_CELL) for name in rows.columns], cells, left=len(rows.columns))


def _cell(tag: str, html: str, *, left: bool, style: str = "") -> str:
    return f'<{tag} style="{style}{_CELL}{"left" if left else "right"}">{html}</{tag}>'


def _broken(heading: str) -> str:
    return "<br>".join(text(line) for line in heading.split("\n"))
