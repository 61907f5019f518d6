"""Trainings on one and on two devices, by a process whose CPU is two logical ones; see test_devices.py.

python devices_desk.py: prints, as JSON, validation losses by what was trained, first on one and then on two devices.
"""

import json

import numpy as np
import pandas as pd
import tensorflow as tf

import recurra

[CPU] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)
RANDOM = np.random.default_rng(0)


def series(n=120):
    """Two series, one with gaps: windows of unequal weight."""
    y = np.sin(np.arange(n) * 0.5) + 0.1 * RANDOM.normal(size=n)
    tables = [
        pd.DataFrame({"unique_id": name, "ds": np.arange(n), "y": scale * y}) for name, scale in (("a", 1), ("b", 9))
    ]
    table = pd.concat(tables, ignore_index=True)
    table.loc[table["ds"].between(40, 47) & (table["unique_id"] == "a"), "y"] = np.nan
    return table


def tagged(n=60):
    """Sequences of two to nine tokens with a tag each: parts of a batch weigh unequally."""
    texts = [" ".join(RANDOM.choice(list("abc"), size=RANDOM.integers(2, 10))) for _ in range(n)]
    return pd.DataFrame({"tokens": texts, "tags": [text.replace("c", "b") for text in texts]})


FORECAST = {"horizon": 3, "lookback": 6, "season": 1, "batch_size": 7, "max_epochs": 3}
TAGS = {"text": "tokens", "tags": "tags", "batch_size": 7, "max_epochs": 2}
JOBS = {
    "linear": (series, FORECAST),
    "gru:units=4": (series, FORECAST),
    "gru:units=4+dropout=0.2": (series, {**FORECAST, "max_epochs": 1}),
    "dense:units=4": (series, {**FORECAST, "loss": "mse"}),
    "lstm:units=4+dropout=0": (tagged, TAGS),
}

if __name__ == "__main__":
    found = {}
    for family, (made, settings) in JOBS.items():
        data = made()
        for strategy in (None, "mirrored"):
            result = recurra.fit(data, family=family, strategy=strategy, progress=False, **settings)
            found.setdefault(family, []).append(result.history.losses)
            if strategy and family == "linear":
                result.predictor.save("saved")
                found["outputs"] = len(recurra.Predictor.load("saved").predict(data.tail(20)))
    print(json.dumps(found))
