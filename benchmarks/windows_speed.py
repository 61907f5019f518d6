"""Windows per second and peak memory of the pipeline, against the usual Keras recipe."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import report

LOOKBACK, HORIZON, BATCH, ROUNDS = 96, 24, 32, 7
LONG_ROWS = 10_000_000


def main() -> None:
    """Measure both, alternating, and write docs/benchmarks/windows.md."""
    values = _values()
    rows = [*pipeline_alone(values), *dense_epoch(values)]
    for row in rows:
        print(row, flush=True)
    memory = peak_memory()
    print(memory, flush=True)
    report.write(
        "windows",
        "The window pipeline",
        {"Windows per second": rows, f"Peak memory, {LONG_ROWS:,} rows": [memory]},
        notes=[
            f"17,420 rows × 7 columns (the shape of ETTh1, random values), lookback {LOOKBACK}, horizon {HORIZON}, "
            f"batch {BATCH}, shuffled; both sides alternate in one process, median of {ROUNDS} rounds "
            "(range).",
            "keras: `keras.utils.timeseries_dataset_from_array(shuffle=True)` with the window split in `map` and a "
            "`prefetch`, as in TensorFlow's time-series tutorial. The Dense model has one hidden layer of 64 units; "
            "recurra trains it with 16 steps per execution, the recipe with Keras's default of one.",
            "Memory: the series itself is its values (float64) and time stamps; the peak is the series and all that "
            "a process takes beyond it, less what it takes with 10,000 rows, first to make a frame of a table, then "
            "to read 2,000 shuffled batches.",
        ],
    )


def _values() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(17_420, 7)).cumsum(axis=0)


def _frame(values: np.ndarray) -> Any:
    import pandas as pd

    from recurra.frames import SeriesFrame

    table = pd.DataFrame(values, columns=[f"y{i}" for i in range(values.shape[1])])
    table["ds"] = pd.date_range("1700-01-01", periods=len(values), freq="min")
    return SeriesFrame.from_table(table, time="ds", target=list(table.columns[:-1]))


def ours(values: np.ndarray) -> tuple[Any, int]:
    """The pipeline's shuffled dataset and its batches per epoch."""
    batches = _all_windows(_frame(values))
    data = batches.dataset(batch_size=BATCH, seed=0)
    return data.map(lambda inputs, target, _: (inputs["values"], target)), len(batches) // BATCH


def _all_windows(frame: Any) -> Any:
    from recurra.pipelines import RowRange, SeriesPipeline

    pipeline = SeriesPipeline(lookback=LOOKBACK, horizon=HORIZON).fit(frame)
    return pipeline.batches(pipeline.encode(frame), RowRange(np.zeros_like(frame.lengths), frame.lengths))


def theirs(values: np.ndarray) -> tuple[Any, int]:
    """The usual recipe."""
    import keras

    data = keras.utils.timeseries_dataset_from_array(
        values.astype("float32"), None, LOOKBACK + HORIZON, shuffle=True, batch_size=BATCH
    )
    split = data.map(lambda window: (window[:, :LOOKBACK], window[:, LOOKBACK:]))
    return split.prefetch(4), (len(values) - LOOKBACK - HORIZON + 1) // BATCH


def pipeline_alone(values: np.ndarray) -> list[dict[str, Any]]:
    """Read an epoch and do nothing with it."""

    def epoch(make: Callable) -> Callable[[], float]:
        data, steps = make(values)

        def run() -> float:
            for _ in data.take(steps):
                pass
            return steps * BATCH

        return run

    return _alternate("pipeline alone", {"recurra": epoch(ours), "keras": epoch(theirs)})


def dense_epoch(values: np.ndarray) -> list[dict[str, Any]]:
    """Train a Dense model for an epoch."""
    import keras

    def epoch(make: Callable, steps_per_execution: int) -> Callable[[], float]:
        data, steps = make(values)
        steps -= steps % steps_per_execution
        shape = (LOOKBACK, values.shape[1])
        model = keras.Sequential(
            [
                keras.Input(shape),
                keras.layers.Flatten(),
                keras.layers.Dense(64, activation="relu"),
                keras.layers.Dense(HORIZON * values.shape[1]),
                keras.layers.Reshape((HORIZON, values.shape[1])),
            ]
        )
        model.compile("adam", "mse", steps_per_execution=steps_per_execution, jit_compile=False)

        def run() -> float:
            model.fit(data, epochs=1, steps_per_epoch=steps, shuffle=False, verbose=0)
            return steps * BATCH

        return run

    # the recipe's dataset ends with its epoch; `fit` needs a repeated one for the next
    def repeated(values: np.ndarray) -> tuple[Any, int]:
        data, steps = theirs(values)
        return data.repeat(), steps

    return _alternate("Dense epoch", {"recurra": epoch(ours, 16), "keras": epoch(repeated, 1)})


def _alternate(what: str, runs: dict[str, Callable[[], float]]) -> list[dict[str, Any]]:
    """Windows per second of each side, one after the other in every round, after one round that does not count."""
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for count in range(ROUNDS + 1):
        for name, run in runs.items():
            begun = time.perf_counter()
            windows = run()
            if count:
                rates[name].append(windows / (time.perf_counter() - begun))
    ratio = statistics.median(a / b for a, b in zip(rates["recurra"], rates["keras"], strict=True))
    return [
        {
            "what": what,
            "side": name,
            "windows/s": int(statistics.median(rate)),
            "range": f"[{min(rate):,.0f} to {max(rate):,.0f}]",
            "ratio": round(ratio, 2) if name == "recurra" else None,
        }
        for name, rate in rates.items()
    ]


def peak_memory() -> dict[str, Any]:
    """Peak memory of a process that reads windows of a long series, less that of one that reads a short one."""
    small, large = (_memory_of(rows) for rows in (10_000, LONG_ROWS))
    itself = LONG_ROWS * (8 + 8) / 1e6
    row: dict[str, Any] = {"series itself (MB)": round(itself)}
    for what in ("frame made from it", "windows read"):
        growth = itself + (large[what] - small[what]) / 1e6
        row[f"peak, {what} (MB)"] = round(growth)
        row[f"times the series, {what}"] = round(growth / itself, 2)
    return {**row, "aim": "below 3"}


def _memory_of(rows: int) -> dict[str, int]:
    done = subprocess.run([sys.executable, __file__, "child", str(rows)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _child(rows: int) -> None:
    """Print by how much the peak exceeds what the process held when it had the series and nothing else."""
    import pandas as pd
    import tensorflow  # noqa: F401  (so that both processes hold it from the start)

    import recurra.pipelines  # noqa: F401  (likewise)
    from recurra.frames import SeriesFrame

    stamps = pd.date_range("1700-01-01", periods=rows, freq="min").to_numpy(copy=True)
    table = pd.DataFrame({"ds": stamps, "y": np.random.default_rng(0).normal(size=rows)}, copy=False)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far (Linux)
    before = _status("VmRSS")
    frame = SeriesFrame.from_table(table, time="ds", target="y")
    del table, stamps
    framed = _status("VmHWM") - before
    for _ in _all_windows(frame).dataset(batch_size=BATCH, seed=0).take(2_000):
        pass
    print(json.dumps({"frame made from it": framed, "windows read": _status("VmHWM") - before}))


def _status(name: str) -> int:
    """A line of this process's memory figures, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


if __name__ == "__main__" and sys.argv[1:2] == ["child"]:
    _child(int(sys.argv[2]))
