"""Where benchmark figures go: a JSON file and a Markdown page each, with the machine beside the numbers."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "docs" / "benchmarks"
PACKAGES = ("recurra", "tensorflow", "keras", "numpy", "pandas")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def write(name: str, title: str, sections: dict[str, list[dict[str, Any]]], *, notes: list[str]) -> None:
    """Write ``docs/benchmarks/NAME.json`` and ``NAME.md``: a table per section, notes below."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    info = {"title": title, "machine": machine(), "sections": sections, "notes": notes}
    (FOLDER / f"{name}.json").write_text(json.dumps(info, indent=1) + "\n", encoding="utf-8")
    where = ", ".join(f"{key} {value}" for key, value in info["machine"].items())
    lines = [f"# {title}", "", f"Measured on: {where}.", ""]
    for heading, rows in sections.items():
        lines += [f"## {heading}", "", *table(rows), ""]
    lines += [f"- {note}" for note in notes]
    (FOLDER / f"{name}.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print(f"written: {FOLDER / name}.md", flush=True)


def read(name: str) -> dict[str, list[dict[str, Any]]]:
    """Sections of an earlier run, or none."""
    file = FOLDER / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))["sections"] if file.exists() else {}


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Rows as a Markdown table."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return lines + ["| " + " | ".join(_cell(row.get(name)) for name in names) + " |" for row in rows]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
