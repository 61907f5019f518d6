"""What successive halving of configurations saves, and whether it chooses the same: both ways on one series.

    python benchmarks/halving.py

Needs RECURRA_DATA, or the internet. Figures go to docs/benchmarks/halving.md.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import report

import recurra
from recurra.comparison import run as run_module

CONFIGS, FOLDS, FAMILIES = 8, 2, ("dense", "gru")
SETTINGS = {"horizon": 12, "lookback": 48, "season": 1, "seeds": 1, "baselines": ["naive"], "progress": False}


def compare(source: str, *, halved: bool) -> tuple[list[dict[str, Any]], float]:
    """Trials of the families, and the seconds that all of it took."""
    run_module.HALVED_FROM = 4 if halved else CONFIGS + 1
    begun = time.monotonic()
    result = recurra.compare(source, families=list(FAMILIES), configs=CONFIGS, folds=FOLDS, **SETTINGS)
    return [row for row in result.trial_rows if row["kind"] == "family"], time.monotonic() - begun


def choices(halved: list[dict[str, Any]], full: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each family and fold what halving chose, and how good that is among all that were trained to the end."""
    rows = []
    for family in FAMILIES:
        for fold in range(FOLDS):
            chosen = next(r for r in halved if (r["model"], r["fold"], r["chosen"]) == (family, fold, True))
            all_ = sorted(
                (r for r in full if (r["model"], r["fold"]) == (family, fold)), key=lambda r: r["validation_loss"]
            )
            rank = [r["config_number"] for r in all_].index(chosen["config_number"]) + 1
            loss = {"halving": chosen["validation_loss"], "to the end": all_[0]["validation_loss"]}
            rows.append({"family": family, "fold": fold, "place of its choice": rank, **loss})
    return rows


def main() -> None:
    """Both ways, and the page."""
    source = Path(os.environ["RECURRA_DATA"]) / "univariate" / "monthly-sunspots.csv"
    (halved, seconds), (full, longer) = (compare(str(source), halved=which) for which in (True, False))
    ways = {"halving": (halved, seconds), "all to the end": (full, longer)}
    cost = [{"way": way, "epochs": sum(r["epochs"] for r in rows), "seconds": s} for way, (rows, s) in ways.items()]
    notes = [
        f"Monthly sunspots, 12 steps ahead from 48; {CONFIGS} configurations of {' and '.join(FAMILIES)}, "
        f"{FOLDS} folds, one seed.",
        "Place of its choice: among all configurations trained to the end, by their validation loss; 1 is the best.",
        "The seconds are of a machine with other work; the epochs are not.",
    ]
    sections = {"What it costs": cost, "What it chooses": choices(halved, full)}
    report.write("halving", "Successive halving of configurations", sections, notes=notes)


if __name__ == "__main__":
    main()
