"""A frame in a notebook: its one line, and its first rows."""

from __future__ import annotations

import pandas as pd

from ..display import html
from .targets import Targets

# Numbers of a sequence that are shown.
_FEW = 6


def frame_html(line: str, rows: pd.DataFrame | None = None, total: int = 0, kind: str = "rows") -> str:
    """What a notebook shows of a frame.

    Args:
        line: its plain ``repr``.
        rows: some of its first rows.
        total: how many there are.
        kind: what a row is.

    Returns:
        HTML; user strings are escaped.
    """
    if rows is None:
        return html.block(html.title(line))
    below = html.small(f"the first {len(rows.head()):,} of {total:,} {kind}")
    return html.block(html.title(line), html.first_rows(rows), below)


def first_examples(inputs: list[str], targets: Targets | None, name: str) -> pd.DataFrame:
    """The first inputs, as words, beside their targets."""
    rows = pd.DataFrame({name: inputs}, dtype=object)
    if targets is not None:
        column = targets.name if targets.name != name else f"{targets.name} (target)"
        rows[column] = [str(value) for value in targets.values[: len(inputs)]]
    return rows


def numbers_in_brief(values: list[float]) -> str:
    """The first numbers of a sequence."""
    return ", ".join(f"{value:.4g}" for value in values[:_FEW]) + (", …" if len(values) > _FEW else "")
