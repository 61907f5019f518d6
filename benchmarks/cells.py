"""Which part of the cell matters: recurrent cells with one thing changed at a time, on the same data and settings.

    python benchmarks/cells.py                      every set
    python benchmarks/cells.py adding recall        these sets, the others stay as they were measured

The last set needs RECURRA_DATA, or the internet. Every cell reads step by step and predicts
from its last state, so nothing but the cell can remember. Finished trainings are kept in runs/cells, so that an
interrupted run resumes. Figures go to docs/benchmarks/cells.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import report

import recurra
from recurra.models import parse_variant

CELLS = {
    "lstm": "the usual one",
    "lstm:forget=false": "no forget gate (1997)",
    "lstm:input=false": "no input gate",
    "lstm:output=false": "no output gate",
    "lstm:coupled=true": "i = 1 - f",
    "lstm:peephole=true": "gates see the cell",
    "lstm:forget_bias=0": "forget gates begin half open",
    "lstm:forget_bias=chrono": "time scales from 1 to the length",
    "gru": "two gates",
    "simple_rnn": "no gates",
    "simple_rnn:transition_depth=2": "no gates, two layers between states",
    "simple_rnn:recurrent=identity": "no gates, identity and relu (IRNN)",
    "min_gru": "the gate sees the input alone",
    "min_lstm": "the gates see the input alone",
}
# Of the real set the cells that answer a question of their own.
FEW = [
    "lstm",
    "lstm:forget=false",
    "lstm:coupled=true",
    "lstm:forget_bias=chrono",
    "gru",
    "simple_rnn",
    "simple_rnn:recurrent=identity",
    "min_lstm",
]
SEEDS = 2
RUNS = Path(__file__).parent.parent / "runs" / "cells"
CONFIG = {"units": 32, "learning_rate": 3e-3}
LAST_STATE = {"segment_length": 1, "pooling": "last"}


def memory(task: str, distance: int, epochs: int) -> pd.DataFrame:
    """Accuracy of each cell and seed on a memory task."""
    found = recurra.measure_memory(
        task,
        distances=[distance],
        families=list(CELLS),
        seeds=SEEDS,
        config=CONFIG,
        max_epochs=epochs,
        patience=epochs,
        out=RUNS / task,
    )
    return found.rows.assign(value=found.rows["accuracy"])


def addition() -> pd.DataFrame:
    """Share of right bits of sums of 100 bits, after a training on numbers of at most 20."""
    result = _compared("binary_addition", list(CELLS), CONFIG, 8)
    return result.assign(value=1 - result["tag_error_rate"])


def synthetic_control() -> pd.DataFrame:
    """Accuracy on six kinds of control charts, 60 steps each."""
    result = _compared("ucr_syntheticcontrol", FEW, CONFIG | LAST_STATE, 40)
    return result.assign(value=result["accuracy"])


SETS: dict[str, tuple[str, Callable[[], pd.DataFrame]]] = {
    "adding": ("Adding over 50 steps: share of right sums", lambda: memory("adding", 50, 12)),
    "recall": ("Recall over 100 steps: accuracy, 0.5 is guessing", lambda: memory("recall", 100, 6)),
    "binary_addition": ("Binary addition, 20 bits in training, 100 in the test: share of right bits", addition),
    "synthetic_control": ("SyntheticControl, step by step: accuracy, 1/6 is guessing", synthetic_control),
}


def _compared(source: str, cells: list[str], config: dict[str, Any], epochs: int) -> pd.DataFrame:
    """Cells on one data set: a row per training, with its metrics."""
    result = recurra.compare(
        source,
        families=cells,
        baselines=[],
        seeds=SEEDS,
        folds=1,
        config=config,
        max_epochs=epochs,
        patience=epochs,
        out=RUNS / source,
        progress=False,
    )
    return pd.DataFrame([row for row in result.to_dict()["trials"] if row["model"] in CELLS])


def rows_of(found: pd.DataFrame) -> list[dict[str, Any]]:
    """One line per cell: mean, lowest and highest seed, and how long a training took."""
    lines = []
    for cell, what in CELLS.items():
        of_cell = found[found["model"] == cell]
        if of_cell.empty:
            continue
        values = of_cell["value"].astype(float)
        lines.append(
            {
                "cell": cell,
                "what differs": what,
                "mean": round(values.mean(), 3),
                "lowest": round(values.min(), 3),
                "highest": round(values.max(), 3),
                "seconds": round(float(of_cell["train_seconds"].mean()), 1),
            }
        )
    return lines


def main() -> None:
    """Measure the sets that were asked for, and write all that is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(SETS))
    asked = parser.parse_args().sets or list(SETS)
    for cell in CELLS:
        parse_variant(cell, "class")  # a misspelt one is named before anything is trained
    for name in asked:
        title, measure = SETS[name]
        sections = report.read("cells") | {title: rows_of(measure())}
        ordered = {title: sections[title] for title, _ in SETS.values() if title in sections}
        notes = [
            f"{SEEDS} seeds; units 32, learning rate 0.003 with Adam, no early stopping; the best epoch by validation "
            "loss counts.",
            "One learning rate for all: a cell that is behind here may need another one, or more epochs.",
            "Seconds of one training, compilation included, on a machine with other work.",
        ]
        report.write("cells", "Which part of the cell matters", ordered, notes=notes)


if __name__ == "__main__":
    main()
