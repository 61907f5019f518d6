"""The estimators: their cost beside the bare Keras loop and Keras's own wrapper; predictions; many fits."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pandas as pd
import report

from recurra import GRUClassifier, LSTMClassifier, LSTMForecaster, TCNClassifier
from recurra.estimators.network import Inputs

STEPS, UNITS, BATCH = 100, 64, 32

Side = Callable[[int], float]
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        rows, epochs: of a fit.
        turns: of each side.
        predicted, one_by_one: rows predicted together, and one after another.
        fits: of the same shape in one process.
    """

    rows: int = 2_000
    epochs: int = 6
    turns: int = 5
    predicted: int = 10_000
    one_by_one: int = 100
    fits: int = 50


SMALL = Sizes(rows=300, epochs=1, turns=1, predicted=1_200, one_by_one=5, fits=6)


def data(rows: int, steps: int = STEPS) -> tuple[np.ndarray, np.ndarray]:
    """Noise, and whether its first steps are above zero on average."""
    x = np.random.default_rng(0).normal(size=(rows, steps))
    return x, (x[:, :10].mean(axis=1) > 0).astype(int)


def _timed(function: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    function()
    return time.perf_counter() - begun


def training_sides(sizes: Sizes) -> dict[str, Side]:
    """The same network, rows, epochs and batch size: fit from here, from Keras, from Keras's wrapper."""
    x, y = data(sizes.rows)
    epochs, n_validation = sizes.epochs, sizes.rows // 10
    estimator = LSTMClassifier(units=UNITS, batch_size=BATCH, max_epochs=epochs, patience=epochs, random_state=0)
    network = estimator.fit(x, y).model_
    first = network.get_weights()
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    scaled = ((x - x.mean()) / x.std()).astype("float32")[:, :, None]
    inputs = {"values": scaled, "lengths": np.full(sizes.rows, STEPS, "int32")}
    train, validation = _cut(inputs, y, slice(n_validation, None)), _cut(inputs, y, slice(n_validation))

    def bare(_: int) -> float:
        network.set_weights(first)
        return _timed(
            lambda: network.fit(*train, validation_data=validation, batch_size=BATCH, epochs=epochs, verbose=0)
        )

    def wrapped(seed: int) -> float:
        keras.utils.set_random_seed(seed)
        wrapper = keras.wrappers.SKLearnClassifier(_stock, fit_kwargs={"validation_split": 0.1})
        return _timed(lambda: wrapper.fit(scaled[:, :, 0], y, batch_size=BATCH, epochs=epochs, verbose=0))

    def ours(seed: int) -> float:
        return _timed(lambda: estimator.set_params(random_state=seed).fit(x, y))

    return {"recurra": ours, "the same network, model.fit": bare, "keras.wrappers, stock LSTM": wrapped}


def _cut(inputs: Inputs, y: np.ndarray, rows: slice) -> tuple[Inputs, np.ndarray]:
    return {name: value[rows] for name, value in inputs.items()}, y[rows]


def _stock(X: np.ndarray, y: np.ndarray) -> keras.Model:
    layers = [
        keras.Input(X.shape[1:]),
        keras.layers.Reshape((STEPS, 1)),
        keras.layers.LSTM(UNITS, return_sequences=True),
    ]
    head = [keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(y.shape[1], activation="softmax")]
    model = keras.Sequential([*layers, *head])
    model.compile("adam", "categorical_crossentropy")
    return model


def prediction_sides(sizes: Sizes) -> tuple[dict[str, Side], dict[str, Side]]:
    """One row at a time, and many: the estimator against calls of its own network."""
    x, y = data(sizes.predicted)
    estimator = LSTMClassifier(units=UNITS, max_epochs=1, random_state=0).fit(x[:400], y[:400])
    network = estimator.model_
    scaled = x.astype("float32")[:, :, None]

    def call(rows: slice) -> np.ndarray:
        part = scaled[rows]
        return network({"values": part, "lengths": np.full(len(part), STEPS, "int32")}, training=False).numpy()

    def one_by_one(predict: Callable[[slice], Any]) -> Side:
        return lambda _: _timed(lambda: [predict(slice(i, i + 1)) for i in range(sizes.one_by_one)]) / sizes.one_by_one

    def in_batches(_: int) -> float:
        return _timed(lambda: [call(slice(start, start + 256)) for start in range(0, sizes.predicted, 256)])

    one = {
        "recurra, predict": one_by_one(lambda rows: estimator.predict(x[rows])),
        "model(x)": one_by_one(call),
        "model.predict(x)": one_by_one(
            lambda rows: network.predict({"values": scaled[rows], "lengths": np.full(1, STEPS, "int32")}, verbose=0)
        ),
    }
    many = {"recurra, predict": lambda _: _timed(lambda: estimator.predict(x)), "model(x), 256 rows a time": in_batches}
    return one, many


def single_predictions(sizes: Sizes) -> dict[str, Side]:
    """One row, text or forecast at a time, by other families than the LSTM above."""
    x, y = data(200)
    texts = ["the film was good and I liked it " * 10, "a bad story with a weak end " * 10] * 100
    table = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2024-01-01", periods=300)})
    table["y"] = np.sin(np.arange(300) / 5)
    few: dict[str, Any] = {"max_epochs": 1, "random_state": 0}
    tcn, reader = TCNClassifier(**few).fit(x, y), LSTMClassifier(**few).fit(texts, y)
    forecaster = LSTMForecaster(horizon=12, lookback=24, season=1, **few).fit(table)
    newest = table.tail(24)

    def each(predict: Callable[[int], Any]) -> Side:
        return lambda _: _timed(lambda: [predict(i) for i in range(sizes.one_by_one)]) / sizes.one_by_one

    return {
        f"TCNClassifier, a row of {STEPS} steps": each(lambda i: tcn.predict(x[i : i + 1])),
        "LSTMClassifier, a text of 80 words": each(lambda i: reader.predict(texts[i : i + 1])),
        "LSTMForecaster, the forecast kept by fit": each(lambda _: forecaster.predict()),
        "LSTMForecaster, from 24 new rows": each(lambda _: forecaster.predict(df=newest)),
    }


def take_turns(sides: dict[str, Side], turns: int, scale: float, unit: str) -> Rows:
    """Each side in turn, once before anything is counted."""
    samples: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(turns + 1):
        for name, side in sides.items():
            seconds = side(turn)
            print(name, turn, round(seconds, 4), flush=True)
            if turn:
                samples[name].append(scale * seconds)
    ours = statistics.median(next(iter(samples.values())))
    return [
        {
            "": name,
            unit: statistics.median(own),
            "range": f"{min(own):.3g} to {max(own):.3g}",
            "× recurra's": statistics.median(own) / ours,
        }
        for name, own in samples.items()
    ]


def many_fits(sizes: Sizes) -> Rows:
    """Fits of the same shape in one process: time and memory."""
    x, y = data(200, 12)
    seconds, memory = [], []
    for seed in range(sizes.fits):
        estimator = GRUClassifier(units=8, max_epochs=20, random_state=seed)
        seconds.append(_timed(lambda estimator=estimator: estimator.fit(x, y).predict(x)))  # type: ignore[misc]
        memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    later = seconds[1:]
    row = {
        "": f"{sizes.fits} fits",
        "first, s": seconds[0],
        "later, s": statistics.median(later),
        "range": f"{min(later):.3g} to {max(later):.3g}",
        "peak grown since the 5th fit, MiB": memory[-1] - memory[4],
    }
    return [row]


def sections(sizes: Sizes) -> dict[str, Callable[[], Rows]]:
    """What is measured, by its heading, the quickest first."""
    training = f"fit: {sizes.rows:,} rows of {STEPS} steps, LSTM of {UNITS} units, {sizes.epochs} epochs"
    shape = "The same shape again and again: GRU of 8 units, 200 rows of 12 steps, 20 epochs"
    one, many = prediction_sides(sizes)
    return {
        f"One row of {STEPS} steps": lambda: take_turns(one, sizes.turns, 1000, "ms"),
        "One row, text or forecast": lambda: take_turns(single_predictions(sizes), sizes.turns, 1000, "ms"),
        f"{sizes.predicted:,} rows of {STEPS} steps": lambda: take_turns(many, sizes.turns, 1, "seconds"),
        shape: lambda: many_fits(sizes),
        training: lambda: take_turns(training_sides(sizes), sizes.turns, 1, "seconds"),
    }


def main(*, small: bool = False) -> None:
    """Measure all, and write docs/benchmarks/estimators.md after each section; small sizes are printed alone."""
    sizes = SMALL if small else Sizes()
    notes = [
        f"Medians of {sizes.turns} turns (range), the sides alternating in one process, each run once before. Every "
        "fit holds out a tenth of the rows.",
        "keras.wrappers: the stock Keras layer with mean pooling, which is compiled anew in each fit.",
        "recurra predicts few rows in double precision, so that a row's answer does not depend on the rows beside it.",
        "Not measured: scikeras 0.13, which does not work with scikit-learn 1.9; skorch and neuralforecast, which need "
        "PyTorch in an environment of its own (a job of neuralforecast's is in [forecasting](forecasting.md)).",
    ]
    done: dict[str, Rows] = {}
    for heading, measure in sections(sizes).items():
        done[heading] = measure()
        if small:
            print("\n".join([heading, *report.table(done[heading])]), flush=True)
        else:
            report.write("estimators", "The estimators", done, notes=notes)


if __name__ == "__main__":
    main(small="--small" in sys.argv)
