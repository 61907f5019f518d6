"""Seconds against the number of short series: from a file to scored forecasts, beside statsforecast."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from peers import Peer, environment, serve, take_turns

COUNTS = (100, 1_000, 10_000, 100_000)
SHORTEST, LONGEST = 60, 120
HORIZON, SEASON, LOOKBACK = 12, 12, 24
TURNS = 5
PEER = "statsforecast==2.1.1"
STAGES = ("read", "prepare", "forecast", "score")


def write_series(count: int, file: Path) -> int:
    """Write monthly series of 60 to 120 rows as Parquet, and give the number of rows."""
    import pandas as pd

    random = np.random.default_rng(0)
    lengths = random.integers(SHORTEST, LONGEST + 1, count)
    series = np.repeat(np.arange(count), lengths)
    step = np.arange(len(series)) - (np.cumsum(lengths) - lengths)[series]
    months = np.datetime64("2015-01") + (LONGEST - lengths[series] + step).astype("m8[M]")
    level = random.lognormal(5, 1, count)[series]
    y = level * (1 + 0.2 * np.sin(2 * np.pi * step / SEASON) + 0.05 * random.normal(size=len(step)))
    names = np.char.add("M", np.arange(count).astype(str))
    pd.DataFrame({"unique_id": names[series], "ds": months.astype("M8[us]"), "y": y}).to_parquet(file)
    return len(y)


def timed(stages: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Seconds of each stage, one after the other."""
    found = {}
    for name, stage in stages.items():
        begun = time.perf_counter()
        stage()
        found[name] = time.perf_counter() - begun
    return found


def recurra(file: str) -> dict[str, float]:
    """From the file to the mean MASE of the seasonal naive forecast of the last 12 rows."""
    import recurra
    from recurra.tasks import Forecast

    kept: dict[str, Any] = {}

    def read() -> None:
        kept["frame"] = recurra.load(file)

    def prepare() -> None:
        task = Forecast(horizon=HORIZON, lookback=LOOKBACK, season=SEASON, test_size=HORIZON)
        kept["fold"] = task.open(kept["frame"], folds=1).prepare(0)

    def forecast() -> None:
        kept["forecast"] = kept["fold"]._baseline_forecasts("seasonal_naive", {}, kept["fold"].test_set)

    def score() -> None:
        kept["mase"] = float(np.nanmean(kept["fold"].test_set.losses(kept["forecast"])))

    seconds = timed({"read": read, "prepare": prepare, "forecast": forecast, "score": score})
    return {**seconds, "MASE": kept["mase"]}


def statsforecast(file: str) -> dict[str, float]:
    """The same with Nixtla's libraries, in the steps that their documentation takes."""
    import pandas as pd
    from statsforecast import StatsForecast
    from statsforecast.models import SeasonalNaive
    from utilsforecast.evaluation import evaluate
    from utilsforecast.losses import mase
    from utilsforecast.processing import process_df

    kept: dict[str, Any] = {}

    def read() -> None:
        kept["table"] = pd.read_parquet(file)

    def prepare() -> None:
        table = kept["table"]
        process_df(table, "unique_id", "ds", "y")
        last = table.groupby("unique_id", sort=False).cumcount(ascending=False) < HORIZON
        kept["train"], kept["test"] = table[~last], table[last]

    def forecast() -> None:
        made = StatsForecast([SeasonalNaive(SEASON)], freq="MS").forecast(df=kept["train"], h=HORIZON)
        kept["both"] = made.merge(kept["test"], on=["unique_id", "ds"])

    def score() -> None:
        from functools import partial

        scores = evaluate(kept["both"], [partial(mase, seasonality=SEASON)], train_df=kept["train"])
        kept["mase"] = float(scores["SeasonalNaive"].mean())

    seconds = timed({"read": read, "prepare": prepare, "forecast": forecast, "score": score})
    return {**seconds, "MASE": kept["mase"]}


def handler(peer: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Measure one peer; the first request names the file."""
    state: dict[str, str] = {}

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        state.update(request)
        return {"recurra": recurra, "statsforecast": statsforecast}[peer](state["file"])

    return handle


def main() -> None:
    """Measure both sides, alternating, and write docs/benchmarks/series.md."""
    import report

    python = environment("statsforecast", PEER)
    pythons = {"recurra": sys.executable} | ({"statsforecast": python} if python else {})
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for count in COUNTS:
            file = Path(folder) / f"{count}.parquet"
            length = write_series(count, file)
            peers = [Peer(name, __file__, python) for name, python in pythons.items()]
            replies = take_turns(peers, TURNS, file=str(file))
            rows += _rows(count, length, {name: found[1:] for name, found in replies.items()})
    draw(rows)
    report.write(
        "series",
        "Many short series",
        {"Seconds from a file to scored forecasts": rows},
        notes=[
            f"Monthly series of {SHORTEST} to {LONGEST} rows in one Parquet file. read: the table; recurra also finds "
            "the roles of the columns and puts the rows on a checked, regular axis. prepare: recurra cuts the fold, "
            "scales, lists the windows and takes the unit of MASE; theirs checks the order, makes the grouped array "
            "(`utilsforecast.processing.process_df`) and cuts off the last rows. forecast: seasonal naive, "
            f"{HORIZON} steps. score: MASE of each series, with its unit on their side.",
            f"Both sides alternate, each in a process of its own, medians of {TURNS} turns after one that does not "
            f"count (range of the totals); {PEER} with the utilsforecast and the pandas that it asks for. × is "
            "recurra's time over theirs, the aim is at most 2. That both forecast the same shows in MASE.",
            "![](series.png)",
        ],
    )


def _rows(count: int, length: int, samples: dict[str, list[dict[str, float]]]) -> list[dict[str, Any]]:
    totals = {name: [sum(one[stage] for stage in STAGES) for one in turns] for name, turns in samples.items()}
    found = []
    for name, turns in samples.items():
        row: dict[str, Any] = {"series": count, "rows": length, "side": name}
        row |= {f"{stage}, s": statistics.median(one[stage] for one in turns) for stage in STAGES}
        row |= {"total, s": statistics.median(totals[name]), "MASE": turns[0]["MASE"]}
        row["range"] = f"{min(totals[name]):.3g} to {max(totals[name]):.3g}"
        if name == "recurra" and "statsforecast" in totals:
            pairs = zip(totals["recurra"], totals["statsforecast"], strict=True)
            row["×"] = round(statistics.median(ours / theirs for ours, theirs in pairs), 2)
        found.append(row)
        print(row, flush=True)
    return found


def draw(rows: list[dict[str, Any]]) -> None:
    """Draw docs/benchmarks/series.png: seconds of each stage and of all, on log axes."""
    import matplotlib as mpl
    import report

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), sharex=True, sharey=True, layout="constrained")
    sides = list(dict.fromkeys(row["side"] for row in rows))
    for side in sides:
        own = [row for row in rows if row["side"] == side]
        axes[0].loglog([row["series"] for row in own], [row["total, s"] for row in own], marker="o", label=side)
    for stage in STAGES:
        own = [row for row in rows if row["side"] == "recurra"]
        axes[1].loglog([row["series"] for row in own], [row[f"{stage}, s"] for row in own], marker="o", label=stage)
    axes[0].set_title("all stages")
    axes[1].set_title("recurra, stage by stage")
    axes[0].set_ylabel("seconds")
    for axis in axes:
        axis.set_xlabel("series")
        axis.grid(visible=True, which="major", alpha=0.3)
        axis.legend()
    figure.savefig(report.FOLDER / "series.png", dpi=120)


if __name__ == "__main__":
    serve(handler(sys.argv[1]))
