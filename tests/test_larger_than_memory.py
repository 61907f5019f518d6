"""Series larger than memory: read in streams, with the numbers that they have in memory."""

import gc
import json
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from pyarrow import parquet

import recurra
from recurra.baselines import FORECAST_BASELINES
from recurra.cli import app
from recurra.comparison.settings import open_experiment
from recurra.datasets.parquet_folders import parse_memory
from recurra.errors import InputError
from recurra.frames.fingerprint import data_hash
from recurra.frames.series.blocks import padded_blocks
from recurra.tasks import Forecast

NAN = np.nan
SIZES = {"horizon": 4, "lookback": 12, "season": 12}
ROLES = {"target": ["y", "z"], "past_covariates": ["sky"], "future_covariates": ["flag"]}


def shops(n=40):
    """Series that begin and end at different times, with gaps, categories and a flag known ahead."""
    random, parts = np.random.default_rng(8), []
    for i in range(n):
        rows = int(random.integers(40, 120)) if i else 120
        step = np.arange(rows)
        y = 20 + 5 * i + 3 * np.sin(np.pi * step / 6) + random.normal(size=rows)
        y[random.random(rows) < 0.05 * (i % 3 == 0)] = NAN
        y[: 3 * (i % 4 == 1)] = NAN
        months = pd.date_range(end=pd.Timestamp("2020-12-01") - pd.DateOffset(months=i % 3), periods=rows, freq="MS")
        parts.append(
            pd.DataFrame(
                {
                    "unique_id": f"S{i}",
                    "ds": months,
                    "y": y,
                    "z": y + random.normal(size=rows),
                    "sky": np.where(random.random(rows) < 0.5, "clear", "rain"),
                    "flag": (step % 3 == 0) * 1.0,
                }
            )
        )
        ahead = pd.date_range(months[-1], periods=5, freq="MS")[1:]
        parts.append(pd.DataFrame({"unique_id": f"S{i}", "ds": ahead, "flag": 1.0}))
    table = pd.concat(parts, ignore_index=True)
    return table[~((table["unique_id"] == "S5") & (table["ds"] == "2019-03-01"))]  # one month has no row


def write_hive(table, folder):
    by_id = ds.partitioning(pa.schema([("unique_id", pa.string())]), flavor="hive")
    ds.write_dataset(pa.Table.from_pandas(table, preserve_index=False), folder, format="parquet", partitioning=by_id)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of folders, one of each series."""
    path = tmp_path_factory.mktemp("hive")
    write_hive(shops(), path)
    return path


def assert_same_frame(streamed, frame):
    assert streamed.stored is not None
    assert frame.stored is None
    for name in ("id", "time", "targets", "past_covariates", "future_covariates", "freq", "roles", "reading", "ids"):
        assert getattr(streamed, name) == getattr(frame, name), name
    np.testing.assert_array_equal(streamed.lengths, frame.lengths)
    for name in frame.table:
        found, expected = streamed.table[name].astype(object), frame.table[name].astype(object)
        assert found.where(found.notna(), None).tolist() == expected.where(expected.notna(), None).tolist(), name
    assert data_hash(streamed) == data_hash(frame)
    if frame.ahead is not None:
        pd.testing.assert_frame_equal(streamed.ahead, frame.ahead)


def test_a_folder_is_the_same_frame_in_streams_and_in_memory(folder):
    frame = recurra.load(folder, task="forecast", **ROLES)
    streamed = recurra.load(folder, task="forecast", memory="1MB", **ROLES)
    assert_same_frame(streamed, frame)
    assert any(
        note.startswith("2,978 rows are more than") and "1 MB" in note and "in 3 parts" in note
        for note in streamed.notes
    )
    counts = [note for note in frame.notes if note[0].isdecimal() or "is constant" in note]
    assert counts
    assert set(counts) <= set(streamed.notes)


@pytest.mark.parametrize("kind", ["shuffled", "counted", "texts of time", "two ids", "zone", "numbers"])
def test_a_file_of_any_kind_is_the_same_frame(kind, tmp_path):
    table = shops()[["unique_id", "ds", "y", "z", "sky"]].dropna(subset="sky")
    roles = {"target": "y", "past_covariates": ["sky"]}
    if kind == "shuffled":
        table = table.sample(frac=1, random_state=1)
    elif kind == "counted":
        table = table.drop(columns="ds")
    elif kind == "texts of time":
        table["ds"] = table["ds"].dt.strftime("%m/%d/%Y")
    elif kind == "two ids":
        table["shop"], table["item"] = table["unique_id"].str[:2], table.pop("unique_id").str[2:] + "x"
        roles["id"] = ["shop", "item"]
    elif kind == "zone":
        table["ds"] = table["ds"].dt.tz_localize("Europe/Berlin")
    else:
        table["unique_id"] = table["unique_id"].str[1:].astype(int)
    table.to_parquet(tmp_path / "rows.parquet", index=False)
    frame = recurra.load(tmp_path / "rows.parquet", task="forecast", **roles)
    streamed = recurra.load(tmp_path / "rows.parquet", task="forecast", memory="100KB", **roles)
    assert_same_frame(streamed, frame)
    if kind == "two ids":
        pd.testing.assert_frame_equal(
            streamed.with_id_columns(streamed.next_times(2)), frame.with_id_columns(frame.next_times(2))
        )
    chosen = frame.ids[1::3]
    assert_same_frame(streamed.select(chosen), frame.select(chosen))
    again = pickle.dumps(streamed)
    assert len(again) < 60_000
    assert data_hash(pickle.loads(again)) == data_hash(frame)


def test_all_that_is_made_of_the_rows_is_the_same(folder):
    frame = recurra.load(folder, task="forecast", **ROLES)
    streamed = recurra.load(folder, task="forecast", memory="1MB", **ROLES)
    ours, theirs = (Forecast(**SIZES, calendar=("year",)).open(data, folds=2) for data in (streamed, frame))
    assert ours.describe() == theirs.describe()
    assert ours.describe_folds() == theirs.describe_folds()
    one, other = ours.prepare(0), theirs.prepare(0)
    assert isinstance(one.encoded.values, np.memmap)
    np.testing.assert_array_equal(one.encoded.values, other.encoded.values)
    assert one.pipeline.to_config() == other.pipeline.to_config()
    np.testing.assert_array_equal(one.test_set.scale, other.test_set.scale)
    for seed in (None, 5):
        pairs = [fold.train.dataset(batch_size=16, seed=seed).take(6) for fold in (one, other)]
        for left, right in zip(*pairs, strict=True):
            np.testing.assert_equal([part.numpy() for part in left[1:]], [part.numpy() for part in right[1:]])
            np.testing.assert_equal(
                {k: v.numpy() for k, v in left[0].items()}, {k: v.numpy() for k, v in right[0].items()}
            )
    for name, baseline in FORECAST_BASELINES.items():
        if baseline.of_many is not None:
            np.testing.assert_array_equal(
                one._baseline_forecasts(name, {}, one.test_set), other._baseline_forecasts(name, {}, other.test_set)
            )
            np.testing.assert_equal(one._fitted(name, {}).state(), other._fitted(name, {}).state())


@pytest.fixture(scope="module")
def compared(folder):
    """Both ways: the figures of all models, and a model."""
    settings = {"families": ("dense",), "baselines": ("drift", "theta"), "folds": 1, "seeds": 1, "max_epochs": 2}
    found = []
    for memory in ("1MB", None):
        data = recurra.load(folder, task="forecast", memory=memory, **ROLES)
        table = recurra.compare(data, **settings, **SIZES).to_dict()["summary"]
        fitted = recurra.fit(data, family="dense", max_epochs=2, **SIZES)
        found.append((table, fitted))
    return found


def test_a_comparison_gives_the_same_figures(compared):
    ours, theirs = ([{k: line[k] for k in ("model", "mase", "mae", "by_step")} for line in t] for t, _ in compared)
    assert ours == theirs


def test_predictions_are_the_same_and_are_written_in_parts(compared, folder, tmp_path, monkeypatch):
    fitted = compared[0][1]
    expected = compared[1][1].predictor.predict(folder)
    monkeypatch.setattr("recurra.predictor.forecast._SERVED", 10_000)  # some series at a time
    streamed = recurra.load(folder, task="forecast", memory="1MB", **ROLES)
    assert len(list(fitted.predictor.tables(fitted.predictor.read(streamed)))) > 3
    pd.testing.assert_frame_equal(fitted.predictor.predict(streamed), expected)
    fitted.predictor.save(tmp_path / "model")
    for output in ("csv", "parquet"):
        for name, options in (("streams", ["--memory", "1MB"]), ("memory", [])):
            arguments = [
                "predict",
                str(tmp_path / "model"),
                str(folder),
                "-o",
                str(tmp_path / f"{name}.{output}"),
                *options,
            ]
            app(arguments, standalone_mode=False)
        if output == "csv":
            assert (tmp_path / "streams.csv").read_text() == (tmp_path / "memory.csv").read_text()
        else:
            made = [pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("streams", "memory")]
            pd.testing.assert_frame_equal(*made)


@pytest.mark.parametrize("name", ["theta", "naive2", "seasonal_naive"])
def test_baselines_predict_the_same_from_whole_series(name, folder, monkeypatch):
    monkeypatch.setattr("recurra.predictor.forecast._SERVED", 5_000)
    tables = []
    for memory in ("1MB", None):
        frame = recurra.load(folder, task="forecast", memory=memory, **ROLES)
        predictor = Forecast(**SIZES).open(frame).prepare_final().baseline(name, {}).predictor
        tables.append(predictor.predict(frame))
    pd.testing.assert_frame_equal(*tables)


def test_windows_are_thinned_where_their_forecasts_would_not_fit(folder):
    frame = recurra.load(folder, task="forecast", memory="50KB", **ROLES)
    experiment = Forecast(**SIZES).open(frame, folds=1)
    assert experiment.test_sets[0].windows.count.max() == 1
    assert any("set `memory` to change it" in note for note in experiment.closing_notes())
    assert "boosted_trees" not in Forecast.list_baselines(frame)
    assert not any("boosted_trees" in note for note in experiment.notes)  # nobody asked for it
    with pytest.raises(InputError, match="the baseline boosted_trees reads all rows at once, and these are larger"):
        open_experiment(frame, task="forecast", baselines=["boosted_trees"], **SIZES)


def test_thinned_validation_windows_are_said(folder):
    def notes(memory):
        frame = recurra.load(folder, task="forecast", memory=memory, **ROLES)
        return Forecast(**SIZES).open(frame).prepare_final().notes

    assert any("validation window in" in note and "calibrates the intervals" in note for note in notes("50KB"))
    assert not notes(None)


@pytest.mark.parametrize("memory", [None, "100KB"])
@pytest.mark.parametrize(
    ("second", "said"),
    [
        (lambda t: t.drop(columns="y"), "1.parquet: there is no column 'y', which 0.parquet has"),
        (lambda t: t.assign(extra=1), "0.parquet: there is no column 'extra', which 1.parquet has"),
        (lambda t: t.assign(y=t["y"].astype(str)), "1.parquet: column 'y' is .*string where 0.parquet has double"),
        (None, "1.parquet: not a complete Parquet file"),
    ],
)
def test_files_that_do_not_fit_together_are_named(tmp_path, memory, second, said):
    table = pd.DataFrame({"id": np.repeat(list("abc"), 400), "ds": list(range(400)) * 3, "y": np.arange(1200.0)})
    table.to_parquet(tmp_path / "0.parquet", index=False)
    if second is None:
        (tmp_path / "1.parquet").write_bytes(b"")
    else:
        second(table.assign(id=table["id"] + "2")).to_parquet(tmp_path / "1.parquet", index=False)
    with pytest.raises(InputError, match=said):
        recurra.load(tmp_path, task="forecast", id="id", time="ds", target="y", memory=memory)


@pytest.mark.parametrize("memory", [None, "100KB"])
def test_whole_numbers_in_one_file_and_fractions_in_another_are_numbers(tmp_path, memory):
    table = pd.DataFrame({"id": np.repeat(list("abc"), 400), "ds": list(range(400)) * 3, "y": np.arange(1200)})
    table.to_parquet(tmp_path / "0.parquet", index=False)
    table.assign(id=table["id"] + "2", y=table["y"] + 0.5).to_parquet(tmp_path / "1.parquet", index=False)
    frame = recurra.load(tmp_path, task="forecast", id="id", time="ds", target="y", memory=memory)
    assert (frame.stored is None) == (memory is None)
    assert sorted(np.asarray(frame.columns(["y"]))[:, 0]) == sorted([*range(1200), *(np.arange(1200) + 0.5)])


def test_a_column_that_folders_name_otherwise_is_said(tmp_path):
    (tmp_path / "id=7").mkdir()
    table = pd.DataFrame({"id": 7, "ds": range(40), "y": np.arange(40.0)})
    table.to_parquet(tmp_path / "id=7" / "0.parquet", index=False)
    with pytest.raises(InputError, match="'id' is both a column of the files, of int64, and a text in the names of"):
        recurra.load(tmp_path, task="forecast", id="id", time="ds", target="y")


@pytest.mark.parametrize("memory", [None, "100KB"])
@pytest.mark.parametrize("kind", ["series", "texts"])
def test_files_of_a_folder_that_are_not_parquet_are_named(tmp_path, monkeypatch, kind, memory):
    texts = pd.DataFrame({"text": ["a good film", "a bad film"] * 1500, "label": ["pos", "neg"] * 1500})
    (shops() if kind == "series" else texts).to_parquet(tmp_path / "rows.parquet")
    (tmp_path / "_SUCCESS").touch()
    given = {"task": "forecast", **ROLES} if kind == "series" else {"text": "text", "label": "label"}
    opened = []
    monkeypatch.setattr(
        parquet, "read_schema", lambda file, read=parquet.read_schema: opened.append(file) or read(file)
    )
    frame = recurra.load(tmp_path, memory=memory, **given)
    assert not [note for note in frame.notes if "not Parquet" in note]
    assert len(opened) == 1  # to see whether the rows fit, and to read them
    for name in ("newest.csv", "b.txt", "a.txt", "c.json"):
        (tmp_path / name).write_text("unique_id,ds,y", encoding="utf-8")
    frame = recurra.load(tmp_path, memory=memory, **given)
    [note] = [note for note in frame.notes if "not Parquet" in note]
    assert note == "4 files are not Parquet and are not read: 'a.txt', 'b.txt', 'c.json' and 1 more"


def test_an_amount_of_memory_has_a_unit():
    with pytest.raises(
        InputError, match="`memory` must be an amount with its unit, such as 500MB or 2GB; received '20'"
    ):
        parse_memory("20")


def test_the_files_are_gone_with_the_frame(folder):
    frame = recurra.load(folder, task="forecast", memory="1MB", **ROLES)
    kept = frame.stored.folder
    values = Forecast(**SIZES).open(frame, folds=1).prepare(0).encoded.values
    assert kept.is_dir()
    del frame
    gc.collect()
    assert not kept.exists()
    assert np.isfinite(values[:5, 0]).any()  # what is still mapped can be read


def test_blocks_of_whole_series_stay_small():
    assert [(b.start, b.stop) for b in padded_blocks(np.array([5, 5, 90, 1, 1]), 100)] == [(0, 2), (2, 3), (3, 5)]


@pytest.mark.parametrize(
    ("text", "number"), [("2GB", 2 * 10**9), ("500 mb", 5 * 10**8), ("1.5G", 1_500_000_000), (7, 7)]
)
def test_amounts_of_memory(text, number):
    assert parse_memory(text) == number


@pytest.mark.parametrize("text", ["lots", "0", "-1GB", "3 parsecs"])
def test_no_amount_of_memory(text):
    with pytest.raises(InputError, match="`memory` must be an amount with its unit, such as 500MB"):
        parse_memory(text)


@pytest.mark.parametrize("task", ["forecast", None])
def test_the_default_is_half_of_what_is_free_and_can_be_overruled(task, folder, monkeypatch):
    monkeypatch.setattr("recurra.datasets.parquet_folders._free_memory", lambda: 200_000)
    assert recurra.load(folder, task=task, **ROLES).stored.memory == 100_000
    assert recurra.load(folder, task=task, memory="1GB", **ROLES).stored is None


def changed(change):
    table = shops()[["unique_id", "ds", "y"]].dropna().reset_index(drop=True)
    change(table)
    return table


def with_late_stray(table):
    table.loc[table.index[-1], "ds"] = pd.Timestamp("2021-01-17")


def with_empty_id(table):
    table.loc[1234, "unique_id"] = None


def with_infinite(table):
    table.loc[2000, "y"] = np.inf


def twice(table):
    table.loc[2500, "ds"] = table.loc[2499, "ds"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_late_stray, "off the grid with a step of MS.*2021-01-17.*series 'S"),
        (with_empty_id, "column 'unique_id' is empty in row 1234"),
        (with_infinite, "infinite value .inf. in row 2000"),
        (twice, "duplicated in 1 places, first in row 2499 "),
        (lambda table: table.pop("unique_id"), "no column tells series apart"),
        (lambda table: table.__setitem__("unique_id", "one"), "series 'one' has .* rows where `memory` is enough for"),
    ],
)
def test_what_is_wrong_in_a_part_is_named_as_in_memory(change, message, tmp_path):
    changed(change).to_parquet(tmp_path / "rows.parquet", index=False)
    with pytest.raises(InputError, match=message):
        recurra.load(tmp_path / "rows.parquet", task="forecast", memory="100KB")


def test_what_cannot_be_streamed_says_so(tmp_path):
    table = shops()[["unique_id", "ds", "y"]].dropna()
    table.to_csv(tmp_path / "rows.csv", index=False)
    table.to_json(tmp_path / "rows.jsonl", orient="records", lines=True, date_format="iso")
    with pytest.raises(InputError, match=r"only series to forecast in Parquet, and texts .* are read in streams"):
        recurra.load(tmp_path / "rows.csv", memory="10KB")
    assert recurra.load(tmp_path / "rows.csv", memory="1GB").stored is None
    for source in (tmp_path / "rows.jsonl", "co2", shops()):
        with pytest.raises(InputError, match="`memory` was given, which applies to"):
            recurra.load(source, memory="1GB")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a folder was found .* or a folder of .parquet files"):
        recurra.load(tmp_path)


MEASURE = """
import json, sys, threading, time
import numpy as np, keras, pyarrow.dataset, scipy.ndimage, scipy.signal, statsmodels.tsa.stattools, tensorflow as tf
import recurra, recurra.datasets.series_streams
from recurra.predictor.forecast import ForecastNetwork
from recurra.tasks import Forecast

def anonymous():  # what the process holds beside files that are mapped, which the system gives back
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))

tf.random.uniform([2])
before, peak = anonymous(), [0]

def look():
    while True:
        peak[0] = max(peak[0], anonymous())
        time.sleep(0.01)

threading.Thread(target=look, daemon=True).start()
frame = recurra.load(sys.argv[1], task="forecast", memory=sys.argv[2])
experiment = Forecast(horizon=24, lookback=48, season=24).open(frame, folds=1)
fold = experiment.prepare(0)
for _ in fold.train.dataset(batch_size=128, seed=0).take(200):
    pass
for name in ("seasonal_naive", "drift"):
    fold.baseline(name, {}).evaluate()
predictor = experiment.prepare_final().baseline("seasonal_naive", {}).predictor
rows = sum(len(table) for table in predictor.tables(predictor.read(frame)))
print(json.dumps({"peak": peak[0] - before, "streamed": frame.stored is not None, "rows": rows}))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_the_peak_stays_within_the_limit_on_four_times_as_much(tmp_path):
    limit, series, length = 100_000_000, 3000, 5600  # ids, times and values of 8 bytes: four times the limit
    random = np.random.default_rng(0)
    for part in range(20):
        n = series // 20
        ids = np.repeat(np.array([f"S{i}" for i in range(part * n, part * n + n)], dtype=object), length)
        step = np.tile(np.arange(length), n)
        y = 100 + 10 * np.sin(np.pi * step / 12) + random.normal(size=len(step))
        hours = np.datetime64("2020-01-01", "us") + step.astype("m8[h]")
        pd.DataFrame({"unique_id": ids, "ds": hours, "y": y}).to_parquet(tmp_path / f"{part:02}.parquet")
    assert series * length * 24 > 4 * limit
    command = [sys.executable, "-P", "-c", textwrap.dedent(MEASURE), str(tmp_path), "100MB"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["streamed"]
    assert found["rows"] == series * 24
    assert found["peak"] < 1.25 * limit, f"{found['peak'] / 1e6:.0f} MB"
