"""Measure where each family forgets, beside what is left of the gradient: docs/benchmarks/memory.md, .json and .png.

python benchmarks/memory.py            # all tasks; finished trainings are kept in runs/benchmark_memory, and resumed
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path
from typing import Any

import report

import recurra
from recurra.diagnostics import MemoryResult
from recurra.reports import write_memory_result

DISTANCES = {"order": (10, 50), "recall": (10, 50), "adding": (10, 30)}
FAMILIES = ("dense", "simple_rnn", "gru", "lstm")
# Short patience: a training that stands still says so after 900 steps of each of three rates.
EFFORT = {"seeds": 3, "max_epochs": 24, "patience": 8}


def accuracies(result: MemoryResult) -> list[dict[str, Any]]:
    """A row per model: mean accuracy and its range over the seeds, by distance."""
    rows = []
    for model, own in result.rows.groupby("model", sort=False):
        row: dict[str, Any] = {"model": model}
        for distance, cell in own.groupby("distance"):
            low, mean, high = cell["accuracy"].min(), cell["accuracy"].mean(), cell["accuracy"].max()
            short = int((cell["outcome"] == "cut short").sum())
            words = f"; {short} of {len(cell)} cut short" if short else ""
            row[f"over {distance}"] = f"{mean:.3f} ({low:.3f} to {high:.3f}{words})"
        rates = sorted(set(own["learning_rate"]))
        row |= {"remembers": result.reach(str(model)) or "–", "rates taken": ", ".join(f"{rate:g}" for rate in rates)}
        row["seconds of training"] = round(float(own["train_seconds"].sum()), 1)
        rows.append(row)
    return rows


def gradients(result: MemoryResult) -> list[dict[str, Any]]:
    """A row per recurrent model: what is left of the gradient, before → after training, by distance."""
    rows: dict[str, dict[str, Any]] = {}
    for (model, distance), own in result.gradients.iterrows():
        words = f"{own['gradient_before']:.1e} → {own['gradient_after']:.1e}"
        rows.setdefault(model, {"model": model})[f"over {distance}"] = words
    return list(rows.values())


def main() -> None:
    """Run, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark_memory"))
    parser.add_argument("--tasks", nargs="+", choices=DISTANCES, default=list(DISTANCES))
    args = parser.parse_args()
    sections: dict[str, list[dict[str, Any]]] = {}
    begun = time.process_time()
    for task in args.tasks:
        result = recurra.measure_memory(
            task, distances=DISTANCES[task], families=FAMILIES, out=args.out / task, **EFFORT
        )
        print(result, f"{time.process_time() - begun:.0f} s of CPU so far", flush=True)
        sections[f"{task}: accuracy (guessing: {result.chance:.2f})"] = accuracies(result)
        sections[f"{task}: what is left of the gradient, before → after training"] = gradients(result)
        files = write_memory_result(result, args.out / task)
        shutil.copy(files[-1], report.FOLDER / f"memory_{task}.png")
        report.write("memory", "Where each family forgets", sections, notes=notes(time.process_time() - begun))


def notes(seconds: float) -> list[str]:
    """What a reader of the page should know."""
    return [
        "Mean of three seeds on 1,000 test sequences, in brackets the lowest and the highest. 32 units, the last state "
        "is read, learning rate found on the validation set by the first seed.",
        f"A training ends when it has solved the task, after {EFFORT['patience']} epochs of about 110 steps without a "
        f"smaller validation loss (of each of three rates), or, cut short, after {EFFORT['max_epochs']} epochs.",
        "Gradient: ‖∂h[t]/∂x[t−d]‖ / ‖∂h[t]/∂x[t]‖ inside the recurrent layer, first seed; in `adding` d is half the "
        "length, where the nearer of the marks may be.",
        "Seconds are wall-clock on a machine that did other work too; all trainings of this page together took "
        f"{seconds / 60:.1f} minutes of CPU, less where a run was resumed.",
    ]


if __name__ == "__main__":
    main()
