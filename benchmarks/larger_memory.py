"""Series larger than memory: peak and seconds against the number of rows, in streams and in memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import report

LIMIT = "100MB"
LENGTH, SERIES = 5600, (750, 3000, 6000)  # one, four and eight times the limit, at 24 bytes a row
HORIZON, LOOKBACK, SEASON = 24, 48, 24
FILES, BATCHES, BATCH = 20, 500, 128
WAYS = {"streams": LIMIT, "memory": "1TB"}


def main() -> None:
    """Measure both ways, alternating, and write docs/benchmarks/larger.md."""
    rows: list[dict[str, Any]] = []
    for series in SERIES:
        with tempfile.TemporaryDirectory() as folder:
            write_series(series, Path(folder))
            for way, memory in WAYS.items():
                command = [sys.executable, __file__, "child", folder, memory]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                found = json.loads(done.stdout.splitlines()[-1])
                size = round(series * LENGTH * 24 / 1e6)
                rows.append({"rows": series * LENGTH, "MB of numbers": size, "read in": way, **found})
                print(rows[-1], flush=True)
    report.write(
        "larger",
        "Series larger than memory",
        {f"Peak and seconds, --memory {LIMIT}": rows},
        notes=[
            f"Hourly series of {LENGTH:,} rows in a folder of {FILES} Parquet files; an id, a time stamp and a value "
            "are counted as 8 bytes each. Every way in a process of its own.",
            "Peak: anonymous memory beyond what the process holds when everything is imported, looked at every 10 ms. "
            "Mapped files do not count, because the system gives them back when memory is needed.",
            f"read: to a checked frame. prepare: one fold, scaling, the unit of MASE. train: {BATCHES} shuffled "
            f"batches of {BATCH} windows ({LOOKBACK} + {HORIZON} steps) through a Dense network. baselines: seasonal "
            "naive and drift, forecast and scored. predict: the next steps of every series by seasonal naive.",
            "In streams as many windows of each series are scored as fit, in memory 200.",
        ],
    )


def write_series(series: int, folder: Path) -> None:
    """Write hourly series as Parquet, some series in each file."""
    import pandas as pd

    random = np.random.default_rng(0)
    step = np.arange(LENGTH)
    for part, of in enumerate(np.array_split(np.arange(series), FILES)):
        hours = np.datetime64("2020-01-01", "us") + np.tile(step, len(of)).astype("m8[h]")
        level = random.lognormal(5, 1, len(of))[:, None]
        y = level * (1 + 0.2 * np.sin(2 * np.pi * step / SEASON) + 0.05 * random.normal(size=(len(of), LENGTH)))
        ids = np.repeat(np.array([f"S{i}" for i in of], dtype=object), LENGTH)
        pd.DataFrame({"unique_id": ids, "ds": hours, "y": y.ravel()}).to_parquet(folder / f"{part:02}.parquet")


def child(folder: str, memory: str) -> dict[str, float]:
    """Go all the way once, and give the peak of each stage in MB and its seconds."""
    import keras
    import pyarrow.dataset  # noqa: F401  (imported before anything is measured)
    import scipy.ndimage
    import scipy.signal  # noqa: F401
    import tensorflow as tf

    import recurra.datasets.series_streams
    import recurra.predictor.forecast
    from recurra.tasks import Forecast

    kept: dict[str, Any] = {}
    network = keras.Sequential(
        [keras.Input((LOOKBACK, 1)), keras.layers.Flatten(), keras.layers.Dense(HORIZON), keras.layers.Reshape((-1, 1))]
    )
    network.compile("adam", "mae", jit_compile=False)
    network.train_on_batch(tf.zeros([BATCH, LOOKBACK, 1]), tf.zeros([BATCH, HORIZON, 1]))

    def read() -> None:
        kept["frame"] = recurra.load(folder, task="forecast", memory=memory)

    def prepare() -> None:
        task = Forecast(horizon=HORIZON, lookback=LOOKBACK, season=SEASON)
        kept["experiment"] = task.open(kept["frame"], folds=1)
        kept["fold"] = kept["experiment"].prepare(0)

    def train() -> None:
        data = kept["fold"].train.dataset(batch_size=BATCH, seed=0)
        network.fit(data.map(lambda inputs, y, w: (inputs["values"], y, w)), steps_per_epoch=BATCHES, verbose=0)

    def baselines() -> None:
        for name in ("seasonal_naive", "drift"):
            kept["fold"].baseline(name, {}).evaluate()

    def predict() -> None:
        predictor = kept["experiment"].prepare_final().baseline("seasonal_naive", {}).predictor
        kept["rows"] = sum(len(table) for table in predictor.tables(predictor.read(kept["frame"])))

    before = _anonymous()
    found: dict[str, float] = {}
    for stage in (read, prepare, train, baselines, predict):
        begun = time.perf_counter()
        found[f"{stage.__name__}, peak MB"] = round((_peak(stage) - before) / 1e6)
        found[f"{stage.__name__}, s"] = round(time.perf_counter() - begun, 1)
    return found


def _peak(stage: Callable[[], None]) -> int:
    """The most anonymous memory that the process holds while a stage runs."""
    most, ended = [_anonymous()], threading.Event()

    def look() -> None:
        while not ended.wait(0.01):
            most[0] = max(most[0], _anonymous())

    thread = threading.Thread(target=look)
    thread.start()
    stage()
    ended.set()
    thread.join()
    return most[0]


def _anonymous() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


if __name__ == "__main__" and sys.argv[1:2] == ["child"]:
    print(json.dumps(child(*sys.argv[2:4])))
