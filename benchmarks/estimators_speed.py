"""The estimators: their cost beside the bare Keras loop and Keras's own wrapper; predictions; many fits."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pandas as pd
import report

from recurra import DenseClassifier, GRUClassifier, LSTMClassifier, LSTMForecaster, TCNClassifier
from recurra.estimators.network import Inputs

ROWS, STEPS, UNITS, BATCH, EPOCHS, TURNS = 2_000, 100, 64, 32, 6, 5
PREDICTED, ONE_BY_ONE, FITS = 10_000, 200, 50

Side = Callable[[int], float]


def data(rows: int = ROWS, steps: int = STEPS) -> tuple[np.ndarray, np.ndarray]:
    """Noise, and whether its first steps are above zero on average."""
    x = np.random.default_rng(0).normal(size=(rows, steps))
    return x, (x[:, :10].mean(axis=1) > 0).astype(int)


def _timed(function: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    function()
    return time.perf_counter() - begun


def training_sides() -> dict[str, Side]:
    """The same network, rows, epochs and batch size: fit from here, from Keras, from Keras's wrapper."""
    x, y = data(ROWS, STEPS)
    n_validation = ROWS // 10
    estimator = LSTMClassifier(units=UNITS, batch_size=BATCH, max_epochs=EPOCHS, patience=EPOCHS, random_state=0)
    network = estimator.fit(x[:400], y[:400]).model_
    first = network.get_weights()
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    scaled = ((x - x.mean()) / x.std()).astype("float32")[:, :, None]
    inputs = {"values": scaled, "lengths": np.full(ROWS, STEPS, "int32")}
    train, validation = _cut(inputs, y, slice(n_validation, None)), _cut(inputs, y, slice(n_validation))

    def bare(_: int) -> float:
        network.set_weights(first)
        return _timed(
            lambda: network.fit(*train, validation_data=validation, batch_size=BATCH, epochs=EPOCHS, verbose=0)
        )

    def wrapped(seed: int) -> float:
        keras.utils.set_random_seed(seed)
        wrapper = keras.wrappers.SKLearnClassifier(_stock, fit_kwargs={"validation_split": 0.1})
        return _timed(lambda: wrapper.fit(scaled[:, :, 0], y, batch_size=BATCH, epochs=EPOCHS, verbose=0))

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


def prediction_sides() -> tuple[dict[str, Side], dict[str, Side]]:
    """One row at a time, and many: the estimator against calls of its own network."""
    x, y = data(PREDICTED)
    estimator = LSTMClassifier(units=UNITS, max_epochs=1, random_state=0).fit(x[:400], y[:400])
    network = estimator.model_
    scaled = x.astype("float32")[:, :, None]

    def call(rows: slice) -> np.ndarray:
        part = scaled[rows]
        return network({"values": part, "lengths": np.full(len(part), STEPS, "int32")}, training=False).numpy()

    def one_by_one(predict: Callable[[slice], Any]) -> Side:
        return lambda _: _timed(lambda: [predict(slice(i, i + 1)) for i in range(ONE_BY_ONE)]) / ONE_BY_ONE

    def in_batches(_: int) -> float:
        return _timed(lambda: [call(slice(start, start + 256)) for start in range(0, PREDICTED, 256)])

    one = {
        "recurra, predict": one_by_one(lambda rows: estimator.predict(x[rows])),
        "model(x)": one_by_one(call),
        "model.predict(x)": one_by_one(
            lambda rows: network.predict({"values": scaled[rows], "lengths": np.full(1, STEPS, "int32")}, verbose=0)
        ),
    }
    many = {"recurra, predict": lambda _: _timed(lambda: estimator.predict(x)), "model(x), 256 rows a time": in_batches}
    return one, many


def one_row_sides() -> dict[str, Side]:
    """One row of a table, one text, one series: what an answer costs in each of them."""
    x, y = data(400)
    texts = [" ".join(np.random.default_rng(i).choice(["good", "bad", "film", "plot"], 20)) for i in range(400)]
    series = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2000-01-01", periods=300, freq="MS")})
    series["y"] = np.sin(np.arange(300) / 6)
    short: dict[str, Any] = {"max_epochs": 1, "random_state": 0}
    numbers = TCNClassifier(units=UNITS, **short).fit(x, y)
    words = DenseClassifier(**short).fit(texts, y)
    forecaster = LSTMForecaster(horizon=12, lookback=24, **short).fit(series)
    newest = series.tail(24)

    def repeated(predict: Callable[[], Any]) -> Side:
        return lambda _: _timed(lambda: [predict() for _ in range(ONE_BY_ONE)]) / ONE_BY_ONE

    return {
        f"TCN, {STEPS} steps": repeated(lambda: numbers.predict(x[:1])),
        "Dense, a text of 20 words": repeated(lambda: words.predict(texts[:1])),
        "LSTM forecaster, after the training data": repeated(forecaster.predict),
        "LSTM forecaster, from 24 newest rows": repeated(lambda: forecaster.predict(df=newest)),
    }


def take_turns(sides: dict[str, Side], turns: int, scale: float, unit: str) -> list[dict[str, Any]]:
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


def many_fits() -> list[dict[str, Any]]:
    """Fits of the same shape in one process: time and memory."""
    x, y = data(200, 12)
    seconds, memory = [], []
    for seed in range(FITS):
        estimator = GRUClassifier(units=8, max_epochs=20, random_state=seed)
        seconds.append(_timed(lambda estimator=estimator: estimator.fit(x, y).predict(x)))  # type: ignore[misc]
        memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    later = seconds[1:]
    row = {
        "": f"{FITS} fits",
        "first, s": seconds[0],
        "later, s": statistics.median(later),
        "range": f"{min(later):.3g} to {max(later):.3g}",
        "peak grown since the 5th fit, MiB": memory[-1] - memory[4],
    }
    return [row]


def main() -> None:
    """Measure all, and write docs/benchmarks/estimators.md."""
    fits = many_fits()
    one, many = prediction_sides()
    training = f"fit: {ROWS:,} rows of {STEPS} steps, LSTM of {UNITS} units, {EPOCHS} epochs"
    report.write(
        "estimators",
        "The estimators",
        {
            training: take_turns(training_sides(), TURNS, 1, "seconds"),
            f"One row of {STEPS} steps": take_turns(one, TURNS, 1000, "ms"),
            "One row of other estimators": take_turns(one_row_sides(), TURNS, 1000, "ms"),
            f"{PREDICTED:,} rows of {STEPS} steps": take_turns(many, TURNS, 1, "seconds"),
            "The same shape again and again: GRU of 8 units, 200 rows of 12 steps, 20 epochs": fits,
        },
        notes=[
            f"Medians of {TURNS} turns (range), the sides alternating in one process, each run once before. Every fit "
            "holds out a tenth of the rows.",
            "keras.wrappers: the stock Keras layer with mean pooling, which is compiled anew in each fit.",
            "recurra predicts in double precision, so that a row's answer does not depend on the rows beside it.",
        ],
    )


if __name__ == "__main__":
    main()
