"""The same forecasting job end to end: recurra against the usual Keras recipe, neuralforecast and darts.

ETTh1's ``OT``, 8,640 rows; 96 steps in, 24 out, batch 32; an LSTM of 32 units and a Dense layer of 64. Peers other than
recurra and Keras run in environments of their own, made by this script.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from peers import Peer, clock, environment, serve, take_turns

ROWS, LOOKBACK, HORIZON, BATCH, TURNS = 8_640, 96, 24, 32, 5
LSTM_UNITS, DENSE_UNITS = 32, 64
WINDOWS = ROWS - LOOKBACK - HORIZON + 1
EPOCHS = 3  # the first one compiles and is not counted
MODELS = ("lstm", "dense")
PACKAGES = {"neuralforecast": "neuralforecast==3.3.0", "darts": "darts[torch]==0.48.1"}

# Trains `EPOCHS` epochs and returns the time after each; makes one forecast.
Job = tuple[Callable[[], list[float]], Callable[[], Any]]


def values() -> np.ndarray:
    """The series, in its own units; it is sent to peers, most of which cannot load it."""
    import recurra

    return recurra.load("etth1").columns(["OT"])[:ROWS, 0]


def recurra_job(model: str, series: np.ndarray) -> Job:
    """recurra: its own layers, read step by step, so that all peers train the same network."""
    import pandas as pd

    from recurra import models
    from recurra.frames import SeriesFrame
    from recurra.pipelines import RowRange, SeriesPipeline
    from recurra.predictor import Predictor
    from recurra.predictor.forecast import ForecastNetwork, ForecastSchema
    from recurra.training import FitOptions, Trainer

    table = pd.DataFrame({"ds": pd.date_range("2016-07-01", periods=len(series), freq="h"), "y": series})
    frame = SeriesFrame.from_table(table, time="ds", target=["y"])
    pipeline = SeriesPipeline(lookback=LOOKBACK, horizon=HORIZON).fit(frame)
    encoded, rows = pipeline.encode(frame), frame.lengths
    batches = pipeline.batches(encoded, RowRange(np.zeros_like(rows), rows))
    few = pipeline.batches(encoded, RowRange(rows - HORIZON, rows))
    settings = {"units": LSTM_UNITS, "segment_length": 1} if model == "lstm" else {"units": DENSE_UNITS}
    trainer = Trainer(
        lambda: models.build(model, pipeline.spec, **settings), batch_size=BATCH, max_epochs=EPOCHS, patience=EPOCHS
    )

    def train() -> list[float]:
        ends: list[float] = []
        trainer.fit(batches, few, FitOptions(on_epoch=lambda *_: ends.append(time.perf_counter())))
        return ends

    def predict() -> Any:
        network = ForecastNetwork(pipeline, trainer.model)
        return Predictor(ForecastSchema.of(pipeline, frame), network, "forecast").predict(frame)

    return train, predict


def keras_job(model: str, series: np.ndarray) -> Job:
    """Keras: the recipe of TensorFlow's time-series tutorial."""
    import keras

    scaled = ((series - series.mean()) / series.std()).astype("float32")[:, None]
    data = keras.utils.timeseries_dataset_from_array(
        scaled, None, LOOKBACK + HORIZON, shuffle=True, batch_size=BATCH
    ).map(lambda window: (window[:, :LOOKBACK], window[:, LOOKBACK:, 0]))
    body = (
        [keras.layers.LSTM(LSTM_UNITS)]
        if model == "lstm"
        else [keras.layers.Flatten(), keras.layers.Dense(DENSE_UNITS, activation="relu")]
    )
    network = keras.Sequential([keras.Input((LOOKBACK, 1)), *body, keras.layers.Dense(HORIZON)])
    network.compile("adam", "mae")

    def train() -> list[float]:
        ends: list[float] = []
        after = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
        network.fit(data, epochs=EPOCHS, callbacks=[after], verbose=0)
        return ends

    return train, lambda: network.predict(scaled[None, -LOOKBACK:], verbose=0)


def _ends_of_epochs(steps: int) -> Any:
    """A Lightning callback that notes when each `steps` batches are done."""
    from pytorch_lightning import Callback

    class Ends(Callback):
        def __init__(self) -> None:
            self.seen, self.times = 0, []

        def __deepcopy__(self, _: Any) -> Any:
            return self  # neuralforecast copies what it is given, and trains the copy

        def on_train_batch_end(self, *_: Any, **__: Any) -> None:
            self.seen += 1
            if self.seen % steps == 0:
                self.times.append(time.perf_counter())

    return Ends()


_QUIET = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False, "enable_checkpointing": False}


def neuralforecast_job(model: str, series: np.ndarray) -> Job:
    """neuralforecast: its LSTM and MLP with one layer each; a step reads 32 windows."""
    import pandas as pd
    from neuralforecast import NeuralForecast
    from neuralforecast.models import LSTM, MLP

    dates = pd.date_range("2016-07-01", periods=len(series), freq="h")
    table = pd.DataFrame({"unique_id": "OT", "ds": dates, "y": series})
    steps = WINDOWS // BATCH
    made: list[Any] = []

    def train() -> list[float]:
        ends = _ends_of_epochs(steps)
        common = {
            "h": HORIZON,
            "input_size": LOOKBACK,
            "max_steps": EPOCHS * steps,
            "batch_size": 1,
            "windows_batch_size": BATCH,
            "scaler_type": "standard",
            "accelerator": "cpu",
            "callbacks": [ends],
            **_QUIET,
        }
        lstm = {"encoder_n_layers": 1, "encoder_hidden_size": LSTM_UNITS, "decoder_layers": 1}
        network = LSTM(**common, **lstm) if model == "lstm" else MLP(**common, num_layers=1, hidden_size=DENSE_UNITS)
        made[:] = [NeuralForecast([network], freq="h")]
        made[0].fit(table)
        return ends.times

    return train, lambda: made[0].predict()  # noqa: PLW0108  (there is none yet)


def darts_job(model: str, series: np.ndarray) -> Job:
    """darts: its BlockRNNModel; it has no plain Dense network."""
    import pandas as pd
    from darts import TimeSeries
    from darts.models import BlockRNNModel

    if model != "lstm":
        raise ValueError("darts has no plain Dense network")
    index = pd.date_range("2016-07-01", periods=len(series), freq="h")
    scaled = ((series - series.mean()) / series.std()).astype("float32")
    known = TimeSeries.from_times_and_values(index, scaled)
    made: list[Any] = []

    def train() -> list[float]:
        ends = _ends_of_epochs(WINDOWS // BATCH)
        made[:] = [
            BlockRNNModel(
                LOOKBACK,
                HORIZON,
                model="LSTM",
                hidden_dim=LSTM_UNITS,
                n_rnn_layers=1,
                batch_size=BATCH,
                n_epochs=EPOCHS,
                pl_trainer_kwargs={"accelerator": "cpu", "callbacks": [ends], **_QUIET},
            )
        ]
        made[0].fit(known)
        return ends.times

    return train, lambda: made[0].predict(HORIZON, verbose=False)


JOBS = {"recurra": recurra_job, "keras": keras_job, "neuralforecast": neuralforecast_job, "darts": darts_job}


def handler(peer: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The first request, a model and the series, makes the job; every turn runs it."""
    train: Callable[[], list[float]]
    predict: Callable[[], Any]

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        nonlocal train, predict
        if "series" in request:
            train, predict = JOBS[peer](request["model"], np.array(request["series"]))
            return {}
        ends = train()
        rate = (len(ends) - 1) * WINDOWS / (ends[-1] - ends[0])
        predict()
        return {"windows": rate, "latency": 1e3 * clock(predict, 1.0)}

    return handle


def main() -> None:
    """Measure all peers in turn, and write docs/benchmarks/forecasting.md."""
    import report

    found = {name: environment(name, package) for name, package in PACKAGES.items()}
    pythons = {"recurra": sys.executable, "keras": sys.executable} | {k: v for k, v in found.items() if v}
    series = values().tolist()
    sections: dict[str, list[dict[str, Any]]] = {}
    for model in MODELS:
        peers = [
            Peer(name, __file__, python) for name, python in pythons.items() if (model, name) != ("dense", "darts")
        ]
        turns = {name: replies[1:] for name, replies in take_turns(peers, TURNS, model=model, series=series).items()}
        sections[model] = [_row(name, samples) for name, samples in turns.items()]
        for row in sections[model]:
            row["recurra is × as fast"] = sections[model][0]["windows/s"] / row["windows/s"]
    report.write(
        "forecasting",
        "A forecasting job end to end",
        sections,
        notes=[
            f"ETTh1's OT, {ROWS:,} rows, lookback {LOOKBACK}, horizon {HORIZON}, batch {BATCH}; an LSTM of "
            f"{LSTM_UNITS} units reading step by step, a Dense layer of {DENSE_UNITS}. Medians of {TURNS} turns "
            f"(range); each turn trains {EPOCHS} epochs, of which the first, with the compilation, is not counted.",
            "latency: milliseconds per forecast from the newest rows, by the call a user makes.",
            f"{', '.join(PACKAGES.values())}; darts has no plain Dense network.",
        ],
    )


def _row(name: str, samples: list[dict[str, Any]]) -> dict[str, Any]:
    rates = [sample["windows"] for sample in samples]
    return {
        "": name,
        "windows/s": statistics.median(rates),
        "range": f"{min(rates):,.0f} to {max(rates):,.0f}",
        "latency, ms": statistics.median(sample["latency"] for sample in samples),
    }


if __name__ == "__main__":
    serve(handler(sys.argv[1]))
