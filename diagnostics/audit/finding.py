"""What an audit finds, and how it is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ... import __version__
from ...comparison.identity import to_strict_json
from ...pages import Section, Table
from ..json_file import write_json

SCHEMA_VERSION = 1
KINDS = (
    "duplicate",
    "near_duplicate",
    "label_in_text",
    "test_before_training",
    "target_copy",
    "target_shift",
    "target_smoothed",
    "repeated_block",
    "scaled_on_all_rows",
    "leading_series",
    "identifier",
    "time_tells_label",
    "overlapping_windows",
    "group_overlap",
    "pipeline_fit",
    "reads_future",
)
LEAK, WARNING, NOTE = "leak", "warning", "note"
# Rows listed of a finding.
MOST_ROWS = 100


@dataclass(frozen=True)
class Cost:
    """How much too good the leak makes a score: the error of a cheap model, fitted with it and without it.

    Attributes:
        metric: what was measured.
        with_leak, without: the errors.
        model: the cheap model.
    """

    metric: str
    with_leak: float
    without: float
    model: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "metric": self.metric,
            "with": self.with_leak,
            "without": self.without,
            "difference": self.without - self.with_leak,
            "model": self.model,
        }

    def __str__(self) -> str:
        return f"{self.metric} {self.with_leak:.4g} with it, {self.without:.4g} without ({self.model})"


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        kind: one of ``KINDS``.
        severity: "leak", "warning" or "note".
        text: what was found, one sentence.
        fix: what to do about it.
        column: where, or None.
        rows: lines of the file, as error messages count them; of a data set's name, its rows from 1.
        count: rows concerned, also those not listed.
        cost: how bad it is, or None.
    """

    kind: str
    severity: str
    text: str
    fix: str
    column: str | None = None
    rows: Sequence[int] = ()
    count: int = 0
    cost: Cost | None = None

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "column": self.column,
            "rows": [int(row) for row in self.rows[:MOST_ROWS]],
            "count": self.count,
            "text": self.text,
            "fix": self.fix,
            "cost": None if self.cost is None else self.cost.to_dict(),
        }


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit of some data found.

    Attributes:
        source: the file or data set.
        findings: leaks first.
        checked: kinds that were looked for.
        skipped: kinds that were not, with the reason.
        looked_at: columns, pairs and blocks compared; among so many something is bound to look odd.
    """

    source: str
    findings: Sequence[Finding]
    checked: Sequence[str]
    skipped: Mapping[str, str]
    looked_at: int = 0
    notes: Sequence[str] = field(default=())

    @property
    def leaks(self) -> list[Finding]:
        """Findings that make scores too good."""
        return [finding for finding in self.findings if finding.severity == LEAK]

    @property
    def text(self) -> str:
        """The result in a sentence."""
        others = len(self.findings) - len(self.leaks)
        found = f"{len(self.leaks)} leak{'' if len(self.leaks) == 1 else 's'} found" if self.leaks else "no leak found"
        more = f", {others} other finding{'' if others == 1 else 's'}" if others else ""
        return f"{self.source}: {found}{more}; {len(self.checked)} kinds looked for, {len(self.skipped)} not."

    def to_dict(self) -> dict[str, Any]:
        """Strict JSON."""
        return to_strict_json(
            {
                "schema_version": SCHEMA_VERSION,
                "recurra": __version__,
                "source": self.source,
                "findings": [finding.to_dict() for finding in self.findings],
                "checked": list(self.checked),
                "skipped": [{"kind": kind, "why": why} for kind, why in self.skipped.items()],
                "looked_at": self.looked_at,
            }
        )

    def write(self, path: Path | str) -> Path:
        """Write the JSON, whole or not at all."""
        return write_json(path, self.to_dict())

    def sections(self) -> list[Section]:
        """What was found as a section of a page."""
        rows = [
            [f.severity, f.kind, f.column or "", f.text, f.fix, "" if f.cost is None else str(f.cost)]
            for f in self.findings
        ]
        head = ["severity", "kind", "column", "found", "what to do", "how bad"]
        tables = [Table(head, rows, left=6)] if rows else []
        tables.append(Table(["kind", "why"], list(map(list, self.skipped.items())), "not looked for", 2, folded=True))
        return [Section("Audit of the data", [self.text], tables=tables)]

    def __repr__(self) -> str:
        lines = [f"{f.severity}: {f.kind}: {f.text}" for f in self.findings]
        return "\n".join([f"Audit({self.text})", *lines])
