"""One more observation of a series: a step of a stream against the whole window read anew, through one SavedModel.

A forecaster of one recurrent layer of 64 units without window normalisation, batch 1, one value a step, untrained: the
weights do not change the time.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from peers import clock

UNITS, HORIZON, TURNS, SECONDS = 64, 24, 7, 0.4
LOOKBACKS, FAMILIES = (100, 1000), ("simple_rnn", "gru", "lstm")


def exported(family: str, lookback: int, folder: Path) -> Any:
    """A forecaster as a server loads it."""
    from recurra.export import load_model, save_model
    from recurra.frames import SeriesFrame
    from recurra.models import build
    from recurra.pipelines import SeriesPipeline
    from recurra.predictor import Predictor
    from recurra.predictor.forecast import ForecastNetwork, ForecastSchema

    values = np.random.default_rng(0).normal(size=lookback + 2 * HORIZON)
    frame = SeriesFrame.from_table(pd.DataFrame({"y": values}), target="y")
    pipeline = SeriesPipeline(lookback=lookback, horizon=HORIZON).fit(frame)
    network = build(family, pipeline.spec, units=UNITS, segment_length=1, window_norm="none")
    predictor = Predictor(ForecastSchema.of(pipeline, frame), ForecastNetwork(pipeline, network), "forecast")
    return load_model(save_model(predictor, folder / f"{family}-{lookback}", frame))


def ways(model: Any, lookback: int) -> dict[str, Callable[[], Any]]:
    """The same model asked in three ways."""
    rows = np.random.default_rng(1).normal(size=(lookback, 1)).astype("float32")
    stream, step = model.stream(), model.model.step
    stream.push(rows[:50])
    inputs = {"values": rows[:1], **stream.state()}
    return {
        "window": lambda: model.serve({"values": rows[None]}),
        "step": lambda: step(inputs),
        "push": lambda: stream.push(rows[0]),
    }


def main() -> None:
    """Measure in turn, and write docs/benchmarks/streams.md."""
    import report

    sections: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for lookback in LOOKBACKS:
            rows = []
            for family in FAMILIES:
                asked = ways(exported(family, lookback, Path(folder)), lookback)
                turns: dict[str, list[float]] = {name: [] for name in asked}
                for call in asked.values():
                    call()
                for _ in range(TURNS):
                    for name, call in asked.items():
                        turns[name].append(1e6 * clock(call, SECONDS))
                middle = {name: statistics.median(samples) for name, samples in turns.items()}
                ratio = statistics.quantiles([w / s for w, s in zip(turns["window"], turns["step"], strict=True)], n=4)
                rows.append(
                    {"": family, **{f"{name}, µs": value for name, value in middle.items()}}
                    | {
                        "window ÷ step": middle["window"] / middle["step"],
                        "quartiles": f"{ratio[0]:.1f} to {ratio[2]:.1f}",
                    }
                )
            sections[f"Lookback {lookback:,}, {UNITS} units, batch 1"] = rows
    report.write(
        "streams",
        "One more observation: a step of a stream against the window read anew",
        sections,
        notes=[
            f"Medians of {TURNS} turns that alternate in one process. Window and step: the signatures of one "
            "SavedModel, called from Python. Push: `Stream.push` of an exported model, with its checks of the row and "
            "its history."
        ],
    )


if __name__ == "__main__":
    main()
