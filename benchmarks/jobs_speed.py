"""`--jobs 2` against `--jobs 1`: whole commands in processes of their own, in turns.

python benchmarks/speed.py jobs           the demo's comparison, one of 60 trainings, one of 150 rows
python benchmarks/speed.py jobs --small   a quick try, printed only
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import report

COMMAND = [sys.executable, "-P", "-m", "recurra", "compare"]
JOBS = (1, 2)
TURNS = 1
# heading → the command's options, ROWS for a file of 150 rows, and how many times as fast two jobs are meant to be
COMPARISONS = {
    "The comparison of `make demo`": (["co2"], 1.6),
    "60 trainings: 4 families, 3 folds, 5 seeds": (["co2", "--families", "linear,dense,gru,lstm", "--seeds", "5"], 1.8),
    "150 rows, all families": (["ROWS", "--time", "none"], None),
}
SMALL = {"12 short trainings": (["co2", "--families", "linear,gru", "--folds", "2", "--max-epochs", "3"], 1.6)}


def once(options: list[str], jobs: int) -> tuple[float, list[Any]]:
    """Seconds of a command from its start to its end, and the errors that it found."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.csv"
        noise = 0.1 * np.random.default_rng(0).normal(size=150)
        pd.DataFrame({"y": np.sin(np.arange(150) * np.pi / 6) + noise}).to_csv(rows, index=False)
        given = [str(rows) if option == "ROWS" else option for option in options]
        begun = time.perf_counter()
        subprocess.run(
            [*COMMAND, *given, "--jobs", str(jobs), "--out", f"{folder}/run"], check=True, capture_output=True
        )
        seconds = time.perf_counter() - begun
        trials = json.loads((Path(folder) / "run" / "comparison.json").read_text(encoding="utf-8"))["trials"]
    return seconds, [[t["model"], t["fold"], t["seed"], t["mase"]] for t in trials]


def measure(options: list[str], aim: float | None, turns: int) -> list[dict[str, Any]]:
    """Both numbers of jobs in turns; their trials have to be the same to the bit."""
    seconds: dict[int, list[float]] = {jobs: [] for jobs in JOBS}
    found: list[Any] = []
    for turn in range(turns):
        for jobs in JOBS:
            taken, errors = once(options, jobs)
            print(f"turn {turn + 1}, {jobs} jobs: {taken:.1f} s", flush=True)
            seconds[jobs].append(taken)
            found.append(errors)
    same = all(errors == found[0] for errors in found)
    alone = statistics.median(seconds[1])
    return [
        {
            "jobs": jobs,
            "seconds": statistics.median(own),
            **({"range": f"{min(own):.1f} to {max(own):.1f}"} if turns > 1 else {}),
            "times as fast": alone / statistics.median(own),
            "aim": aim if jobs > 1 else None,
            "trials": len(found[0]),
            "the same bits": "yes" if same else "NO",
        }
        for jobs, own in seconds.items()
    ]


def main(*, small: bool = False) -> None:
    """Measure all, and write docs/benchmarks/jobs.md; a small try is printed alone."""
    notes = [
        "One run of each, one job and then two; each is a command of its own, "
        "from its start to its end, the starting of TensorFlow in every worker and all compilation included.",
        "Two jobs have one thread each on two cores, one job has both: what a training gains by threads two jobs lose.",
    ]
    done = {}
    for heading, (options, aim) in (SMALL if small else COMPARISONS).items():
        done[heading] = measure(options, aim, 1 if small else TURNS)
        if small:
            print("\n".join([heading, *report.table(done[heading])]), flush=True)
        else:
            report.write("jobs", "Several jobs", done, notes=notes)


if __name__ == "__main__":
    main(small="--small" in sys.argv)
