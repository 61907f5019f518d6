"""Series and texts larger than memory: peak and seconds against the number of rows, in streams and in memory.

``python larger_memory.py series`` or ``texts`` measures one of them, and leaves the other's figures as they are.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import report

LIMIT = "100MB"
LENGTH, SERIES = 5600, (750, 3000, 6000)  # one, four and eight times the limit, at 24 bytes a row
HORIZON, LOOKBACK, SEASON = 24, 48, 24
FILES, BATCHES, BATCH = 20, 500, 128
WAYS = {"streams": LIMIT, "memory": "1TB"}
TEXT_LIMIT, PREDICT_LIMIT = "60MB", "10MB"
TEXTS, WORDS = (80_000, 320_000), 150  # one and four times the limit
TEXT_BATCHES, PREDICTED = 300, 20_000
TEXT_WAYS = {"streams": TEXT_LIMIT, "memory": "1TB"}
HEADINGS = {
    "series": f"Series: peak and seconds, --memory {LIMIT}",
    "texts": f"Texts: peak and seconds, --memory {TEXT_LIMIT}",
}


def main(which: list[str]) -> None:
    """Measure both ways, alternating, and write docs/benchmarks/larger.md."""
    sections = report.read("larger")
    for name in which or ["series", "texts"]:
        sections[HEADINGS[name]] = measure_series() if name == "series" else measure_texts()
    report.write(
        "larger",
        "Larger than memory",
        {heading: sections[heading] for heading in HEADINGS.values() if heading in sections},
        notes=[
            "Peak: anonymous memory beyond what the process holds when everything is imported, looked at every 10 ms. "
            "Mapped files do not count, because the system gives them back when memory is needed. Every way in a "
            "process of its own.",
            f"Series: hourly, of {LENGTH:,} rows, in a folder of {FILES} Parquet files; an id, a time stamp and a "
            "value are counted as 8 bytes each. read: to a checked frame. prepare: one fold, scaling, the unit of "
            f"MASE. train: {BATCHES} shuffled batches of {BATCH} windows ({LOOKBACK} + {HORIZON} steps) through a "
            "Dense network. baselines: seasonal naive and drift, forecast and scored. predict: the next steps of every "
            "series by seasonal naive. In streams as many windows of each series are scored as fit, in memory 200.",
            f"Texts: one .csv, texts of about {WORDS} words from a Zipf distribution and one word that no other has. "
            "read: to a checked frame. prepare: one fold, vocabulary, ids of all texts. train: "
            f"{TEXT_BATCHES} shuffled batches of 32 texts through an embedding, its mean and a Dense layer. baselines: "
            "majority and TF-IDF, scored on a fifth of the rows; TF-IDF learns from as many texts as its column says. "
            f"predict: the classes of the first {PREDICTED:,} rows of a file, in streams with --memory "
            f"{PREDICT_LIMIT}. numbers: SHA-256 of vocabulary, ids, weights after training and predictions.",
        ],
    )


def measure_series() -> list[dict[str, Any]]:
    """Peak and seconds of each stage for each number of series."""
    rows: list[dict[str, Any]] = []
    for series in SERIES:
        with tempfile.TemporaryDirectory() as folder:
            write_series(series, Path(folder))
            for way, memory in WAYS.items():
                size = round(series * LENGTH * 24 / 1e6)
                found = _measured("child", folder, memory)
                rows.append({"rows": series * LENGTH, "MB of numbers": size, "read in": way, **found})
                print(rows[-1], flush=True)
    return rows


def measure_texts() -> list[dict[str, Any]]:
    """Peak and seconds of each stage for each size of the file; of the largest one in streams alone."""
    rows: list[dict[str, Any]] = []
    for count in TEXTS:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "texts.csv"
            write_texts(count, file)
            for way, memory in TEXT_WAYS.items():
                if way == "memory" and count > TEXTS[0]:
                    continue  # TF-IDF on all of them takes minutes, and shows nothing new
                size = round(file.stat().st_size / 1e6)
                found = _measured("texts_child", str(file), memory)
                rows.append({"rows": count, "MB of text": size, "read in": way, **found})
                print(rows[-1], flush=True)
    return rows


def _measured(child: str, source: str, memory: str) -> dict[str, Any]:
    command = [sys.executable, __file__, child, source, memory]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def write_texts(count: int, file: Path) -> None:
    """Write texts of two classes, whose words are not equally frequent in both."""
    import pandas as pd

    random = np.random.default_rng(0)
    words = np.array([f"w{i:x}" for i in range(50_000)], dtype=object)
    rank = np.arange(1, len(words) + 1)
    likely = [1 / rank, 1 / (rank + 50 * (rank % 3 == 0))]
    ends = [np.cumsum(weights / weights.sum()) for weights in likely]
    for start in range(0, count, 10_000):
        n = min(10_000, count - start)
        labels = random.integers(0, 2, n)
        lengths = np.maximum(random.lognormal(np.log(WORDS), 0.5, n).astype(int), 1)
        places = [
            np.searchsorted(ends[label], random.random(length)) for label, length in zip(labels, lengths, strict=True)
        ]
        texts = [
            f"n{start + i} " + " ".join(words[np.minimum(place, len(words) - 1)]) for i, place in enumerate(places)
        ]
        table = pd.DataFrame({"text": texts, "label": np.where(labels == 1, "yes", "no")})
        table.to_csv(file, mode="a", header=not start, index=False)


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

    return _stages((read, prepare, train, baselines, predict))


def texts_child(file: str, memory: str) -> dict[str, Any]:
    """Go all the way once, and give the peak of each stage in MB, its seconds, and a hash of the numbers."""
    import keras
    import pyarrow.dataset  # noqa: F401  (imported before anything is measured)
    import sklearn.feature_extraction.text
    import sklearn.linear_model  # noqa: F401
    import tensorflow as tf

    import recurra.datasets.text_streams
    import recurra.predictor.sequences
    from recurra.pipelines.tokens import tokenize
    from recurra.tasks import Classification

    kept: dict[str, Any] = {}
    digest = hashlib.sha256()
    list(tokenize(["a text"], "word"))
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(20_000, 16),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(2),
        ]
    )
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    network.train_on_batch(tf.zeros([32, 64], tf.int32), tf.zeros([32], tf.int32))
    few = Path(file).with_name(f"few-{memory}.csv")
    with Path(file).open(encoding="utf-8") as lines:
        few.write_text("".join(islice(lines, PREDICTED + 1)), encoding="utf-8")

    def read() -> None:
        kept["frame"] = recurra.load(file, text="text", label="label", memory=memory)

    def prepare() -> None:
        kept["experiment"] = Classification(tokens="word").open(kept["frame"], folds=1)
        kept["fold"] = kept["experiment"].prepare(0)

    def train() -> None:
        data = kept["fold"].train.dataset(batch_size=32, seed=0)
        network.fit(data.map(lambda inputs, y, w: (inputs["tokens"], y, w)), steps_per_epoch=TEXT_BATCHES, verbose=0)

    def baselines() -> None:
        for name in ("majority", "tfidf_logistic"):
            kept["fold"].baseline(name, {}).evaluate()

    def predict() -> None:
        predictor = kept["fold"].network(_served(network)).predictor
        frame = predictor.schema.read(str(few), memory=PREDICT_LIMIT if memory == TEXT_LIMIT else memory)
        for table in predictor.tables(frame):
            digest.update(table["probability"].to_numpy().tobytes())

    found = _stages((read, prepare, train, baselines, predict))
    digest.update(json.dumps(kept["fold"].pipeline.to_config()).encode())
    ids = kept["fold"].encoded.sequences.flat
    for start in range(0, len(ids), 1 << 20):
        digest.update(np.ascontiguousarray(ids[start : start + (1 << 20)]).tobytes())
    for weights in network.get_weights():
        digest.update(weights.tobytes())
    learnt = kept["experiment"].most_learnt or len(kept["fold"].fold.train)
    return found | {"TF-IDF learns from": min(learnt, len(kept["fold"].fold.train)), "numbers": digest.hexdigest()[:8]}


def _served(network: Any) -> Any:
    """The network with its input named as the pipeline names it."""
    import keras

    tokens = keras.Input((None,), dtype="int32", name="tokens")
    return keras.Model({"tokens": tokens}, network(tokens))


def _stages(stages: tuple[Callable[[], None], ...]) -> dict[str, Any]:
    """Peak and seconds of each stage."""
    before = _anonymous()
    found: dict[str, Any] = {}
    for stage in stages:
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


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        print(json.dumps(child(*sys.argv[2:4])))
    elif sys.argv[1:2] == ["texts_child"]:
        print(json.dumps(texts_child(*sys.argv[2:4])))
    else:
        main(sys.argv[1:])
