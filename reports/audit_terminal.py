"""An audit for the terminal: every finding with its lines, its price and what to do; then what was looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from ..display.visible_text import Rewrite, unchanged, visible

if TYPE_CHECKING:
    from ..diagnostics import Audit

_MOST_LINES = 8
_COLOURS = {"leak": "red", "warning": "yellow", "note": ""}


def audit_report(found: Audit, rewrite: Rewrite = unchanged) -> list[RenderableType]:
    """What a terminal shows of an audit, leaks first.

    Args:
        found: a finished audit.
        rewrite: applied to sentences.

    Returns:
        What to hand to ``rich.console.Console.print``, one after another.
    """
    parts: list[RenderableType] = []
    for finding in found.findings:
        head = Text(f"{finding.severity}: {finding.kind}", style=_COLOURS[finding.severity])
        lines = [f"  {visible(rewrite(finding.text))}"]
        if finding.rows:
            shown = ", ".join(f"{row:,}" for row in finding.rows[:_MOST_LINES])
            more = f" and {finding.count - len(finding.rows[:_MOST_LINES]):,} more"
            lines.append(f"  lines {shown}{more if finding.count > _MOST_LINES else ''}")
        if finding.cost is not None:
            lines.append(f"  how bad: {finding.cost}")
        lines.append(f"  what to do: {visible(rewrite(finding.fix))}")
        parts += [head, Text("\n".join(lines))]
    parts.append(Text(visible(rewrite(found.text)), style="bold"))
    if found.skipped:
        reasons: dict[str, list[str]] = {}
        for kind, why in found.skipped.items():
            reasons.setdefault(why, []).append(kind)
        parts += [Text(f"- not looked for: {', '.join(kinds)}: {rewrite(why)}") for why, kinds in reasons.items()]
    return parts
