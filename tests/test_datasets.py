"""Data sets: files of every kind, good and broken; the registry; downloads from a server of our own."""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import re
import tarfile
import threading
import zipfile
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recurra.datasets import DATASETS, docstrings, imdb, list_datasets, load, read_table, sst2, synthetic_sequences
from recurra.datasets.download import fetch, fetch_from_archive, zip_member
from recurra.datasets.frame_choice import merge_roles
from recurra.errors import InputError
from recurra.frames import data_hash, detect_season

ROOT = Path(__file__).resolve().parents[1]
DATA = os.environ.get("RECURRA_DATA")
needs_data = pytest.mark.skipif(DATA is None, reason="RECURRA_DATA names no folder with the data sets")
CSV = "ds,y,wind\n2024-01-01,1.5,NW\n2024-01-02,,SE\n2024-01-03,3.5,NW\n"


def refused(path, content, *words):
    """The message about a file with this content; it must name the file and hold all the words."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        load(path)
    message = str(caught.value)
    for word in (path.name, *words):
        assert word in message, message
    assert_well_formed(message)


def assert_well_formed(sentence):
    """A message or note names parameters, not flags, and ends without a period or a line break."""
    assert not re.search(r"(^|\s)--\w|\.$|\n|  ", sentence), sentence


def compressed(content):
    return {
        "": content,
        ".gz": gzip.compress(content, mtime=0),
        ".bz2": bz2.compress(content),
        ".xz": lzma.compress(content),
        ".zst": zstandard.compress(content),
    }


def size(name, frame):
    """Rows of a data set as the registry counts them: of a series before its gaps are filled."""
    return len(DATASETS[name].loader()) if DATASETS[name].frame == "series" else len(frame)


def assert_task(name, frame):
    """The record and the frame agree on the task and on the column of targets."""
    record = DATASETS[name]
    kind = type(frame).__name__
    if kind in ("SeriesFrame", "CorpusFrame"):
        assert record.task == {"SeriesFrame": "forecast", "CorpusFrame": "language-model"}[kind]
    else:
        role, column = next(
            (role, column) for role, column in record.roles.items() if role in ("label", "value", "tags")
        )
        assert (record.task, role, column) == (frame.task, frame.targets.role, frame.targets.name)


def targets(frame):
    """Targets of a frame as a list."""
    return frame.targets.values.tolist()


@cache
def loaded(name):
    """A named set, loaded once: some take seconds."""
    return load(name)


# Files


@pytest.mark.parametrize("ending", ["", ".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("kind", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_every_kind_of_file_gives_the_same_frame(tmp_path, kind, ending):
    plain = tmp_path / "plain.csv"
    plain.write_text(CSV)
    table = pd.read_csv(plain)
    path = tmp_path / f"table{kind}"
    if kind == ".parquet":
        table.to_parquet(path)
    elif kind == ".jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        path.write_text(CSV.replace(",", "\t") if kind == ".tsv" else CSV)
    squeezed = tmp_path / f"squeezed{kind}{ending}"
    squeezed.write_bytes(compressed(path.read_bytes())[ending])
    frame, same = load(plain, past_covariates="wind"), load(squeezed, past_covariates="wind")
    pd.testing.assert_frame_equal(frame.table, same.table)
    assert data_hash(frame) == data_hash(same)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.floats(-1e12, 1e12, allow_subnormal=False), min_size=2, max_size=30))
def test_numbers_survive_every_file(tmp_path, values):
    table = pd.DataFrame({"ds": pd.date_range("2024", periods=len(values), freq="h"), "y": values})
    table.to_csv(tmp_path / "t.csv.gz", index=False)
    table.to_parquet(tmp_path / "t.parquet")
    assert len({data_hash(load(tmp_path / name)) for name in ("t.csv.gz", "t.parquet")}) == 1


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_sniffed(tmp_path, separator):
    path = tmp_path / "t.csv"
    path.write_text(CSV.replace(",", separator))
    assert list(read_table(path).columns) == ["ds", "y", "wind"]


def test_decimal_commas_are_read_and_noted(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("ds;y\n2024-01-01;1,5\n2024-01-02;-2,25\n")
    frame = load(path)
    assert frame.table["y"].tolist() == [1.5, -2.25]
    assert "decimal comma" in " ".join(frame.notes)


def test_missing_markers_in_numbers_and_names_in_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("ds,y,country\n2024-01-01,1,NA\n2024-01-02,NA,DE\n2024-01-03,?,DE\n2024-01-04,4,DE\n")
    frame = load(path, past_covariates="country")
    assert frame.table["y"].isna().tolist() == [False, True, True, False]
    assert frame.table["country"].iloc[0] == "NA"


def test_an_old_encoding_is_read_and_noted(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("ds,y,größe\n2024-01-01,1,2\n2024-01-02,2,3\n".encode("cp1252"))
    frame = load(path, target="größe")
    assert "not UTF-8" in " ".join(frame.notes)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", b"", ("the file is empty",)),
        ("t.csv", b"\n \n", ("the file is empty",)),
        ("t.csv", "ds,y\n", ("header and no rows",)),
        ("t.csv", "2024-01-01,1\n2024-01-02,2\n", ("first line", "names of the columns")),
        ("t.csv", "ds,y,y\n2024-01-01,1,2\n", ("several columns are called 'y'",)),
        ("t.csv", "ds,y\n2024-01-01,1\n2024-01-02,2,3\n", ("line 3", "3 fields", "2 were expected")),
        ("t.csv", "ds,y\n2024-01-01,1,7\n2024-01-02,2,3\n", ("line 2", "3 fields", "2 were expected")),
        ("t.csv", "ds,x,y\n2024-01-01,1,7\n2024-01-02,2\n", ("line 3", "2 fields", "3 were expected")),
        ("t.csv", b"ds,y\n2024-01-01,1\n2024\0-01-02,2\n", ("a NUL byte was found in line 3",)),
        ("t.csv", "ds,y\n2024-01-01,1\n".encode("utf-16"), ("UTF-16", "UTF-8")),
        ("t.csv", 'ds,y\n"2024-01-01,1\n', ("line 2", "close its quotation mark")),
        ("t.csv", b"PAR1....PAR1", ("Parquet", ".parquet")),
        ("t.csv", gzip.compress(CSV.encode(), mtime=0), ("gzip", ".gz")),
        ("t.csv", b"PK\x03\x04....", ("Excel", ".csv")),
        ("t.parquet", CSV, ("no Parquet data",)),
        ("t.parquet", b"PAR1 and nonsense", ("not a complete Parquet file",)),
        ("t.csv.gz", CSV, ("not a complete .gz file",)),
        ("t.csv.gz", gzip.compress(CSV.encode(), mtime=0)[:-12], ("not a complete .gz file",)),
        ("t.csv.xz", CSV, ("not a complete .xz file",)),
        ("t.csv.zst", CSV, ("not a complete .zst file",)),
        ("t.csv.bz2", CSV, ("not a complete .bz2 file",)),
        ("t.jsonl", '{"ds": "2024-01-01", "y": 1}\n{"ds": \n', ("line 2", "JSON object")),
        ("t.jsonl", "[1, 2]\n[3, 4]\n", ("line 1", "JSON object")),
        ("t.jsonl", CSV, ("line 1", "JSON object")),
        ("t.xls", b"PK", ("the ending is unknown", ".csv, .tsv, .txt, .parquet, .pq, .jsonl, .ndjson")),
        ("t.csv", "ds,y\n2024-01-01,1\n2024-01-02,two\n", ("'y'", "'two'", "line 3")),
        ("t.csv", "ds,y\n\n2024-01-01,1\n\n2024-01-02,two\n", ("'y'", "'two'", "line 5")),
        ("t.jsonl", '\n{"ds": "2024-01-01", "y": "x"}\n{"ds": "2024-01-02", "y": 1}\n', ("'x'", "line 2")),
        ("t.csv", "ds,y\n2024-01-01,1\n2024-01-02,inf\n", ("'y'", "infinite", "line 3")),
        ("t.csv", "ds,y\n2024-01-01,1\n2024-01-01,2\n", ("'ds'", "duplicated", "line 2", "line 3")),
        ("t.csv", "ds,y\n1-01,1\n1-02,2\n", ("'1-01'", "line 2", "`time` to 'none'")),
        (
            "t.jsonl",
            '{"ds": "2024-01-01", "y": 1}\n{"ds": "2024-01-02", "y": "x"}\n',
            ("'y'", "'x'", "line 2"),
        ),
    ],
)
def test_a_bad_file_gives_one_clear_sentence(tmp_path, name, content, words):
    refused(tmp_path / name, content, *words)


def test_no_such_file_gives_the_closest_name(tmp_path):
    (tmp_path / "sales.csv").write_text(CSV)
    with pytest.raises(InputError, match=r"sale\.csv: no such file; did you mean .*sales\.csv\?"):
        load(tmp_path / "sale.csv")
    with pytest.raises(InputError, match="a folder was found"):
        load(tmp_path)


# The registry


def test_an_unknown_name_gives_the_nearest():
    with pytest.raises(InputError, match="'etth2' is neither a data set nor a file; did you mean etth1"):
        load("etth2")
    with pytest.raises(InputError, match="the data sets are adding, airline_passengers, ar2"):
        load("zzz")


def test_every_data_set_is_in_the_docs():
    rows = re.findall(
        r"^\| `(\w+)` \|.*\| ([\d,]+) \|.*\| (no|yes|by hand)[^|]*\|$",
        (ROOT / "docs/datasets.md").read_text(),
        re.MULTILINE,
    )
    documented = {name: (int(count.replace(",", "")), download) for name, count, download in rows}
    ways = {(False, False): "no", (True, False): "yes", (True, True): "by hand"}
    assert documented == {
        name: (dataset.rows, ways[dataset.download, dataset.by_hand]) for name, dataset in DATASETS.items()
    }
    assert list_datasets() == sorted(documented)
    assert all(dataset.name == name for name, dataset in DATASETS.items())


def test_the_short_fields_of_a_record_fit_into_80_columns():
    records = DATASETS.values()
    columns = [
        [record.name for record in records],
        [record.task for record in records],
        [f"{record.rows:,}" for record in records],
        ["download", "by hand"],
        [record.short_source for record in records],
    ]
    assert sum(max(map(len, column)) for column in columns) + 2 * (len(columns) - 1) <= 80
    assert all(len(record.short_source) <= 17 for record in records)


@pytest.mark.parametrize("name", [name for name, dataset in DATASETS.items() if not dataset.download])
def test_sets_without_a_download_load(name):
    frame = loaded(name)
    assert size(name, frame) == DATASETS[name].rows
    assert_task(name, frame)
    if name != "docstrings":  # takes seconds; its order has a test of its own
        assert data_hash(frame) == data_hash(load(name))


def test_co2_has_its_gaps():
    frame = load("co2")
    assert (frame.freq, frame.targets, frame.lengths.tolist()) == ("W-SAT", ("co2",), [2284])
    assert any("59 of 2,284 values of 'co2' are missing" in note for note in frame.notes)
    assert frame.next_times(1)["date"].iloc[0] == pd.Timestamp("2002-01-05")
    assert detect_season(frame) == 52
    with pytest.raises(InputError, match="co2: column 'co2' has no value"):
        load("co2", missing="error")


def test_seasons_of_the_sets_that_need_no_download():
    assert {name: detect_season(load(name)) for name in ("elnino", "ar2", "random_walk")} == {
        "elnino": 12,
        "ar2": 1,
        "random_walk": 1,
    }


def test_docstrings_are_balanced_and_repeat_nothing():
    frame = loaded("docstrings")
    counts = pd.crosstab(targets(frame), frame.is_test)
    assert (counts[False].to_numpy() == 400).all()
    assert (counts[True].to_numpy() == 100).all()
    assert len(counts) == 8
    assert len({text.casefold() for text in frame.texts}) == len(frame)
    assert all(8 <= len(text.split()) <= 60 for text in frame.texts)
    assert docstrings._files("keras") == docstrings._files("keras")
    assert docstrings._files("keras") != sorted(docstrings._files("keras"))


def test_digits_are_rows_of_pixels():
    frame = load("digits")
    assert (frame.task, len(frame.channels), targets(frame)[:3]) == ("classification", 8, [0, 1, 2])
    assert {sequence.shape for sequence in frame.inputs} == {(8, 8)}
    assert pd.Series(targets(frame)).value_counts().agg(["min", "max"]).tolist() == [174, 183]


def test_binary_addition_adds():
    frame = load("binary_addition")
    assert frame.task == "tagging"
    for pair, tags in zip(frame.inputs, targets(frame), strict=True):
        first, second, total = (sum(int(bit) << place for place, bit in enumerate(bits)) for bits in (*pair.T, tags))
        assert first + second == total
    lengths = np.array([len(tags) - 1 for tags in targets(frame)])
    assert (lengths[~frame.is_test].min(), lengths[~frame.is_test].max()) == (1, 20)
    assert (set(lengths[frame.is_test]), int(frame.is_test.sum())) == ({100}, 1000)


def test_what_is_to_be_remembered_is_there():
    recall = load("recall")
    assert [tokens[0] for tokens in recall.texts] == [str(label) for label in targets(recall)]
    assert {len(tokens) for tokens in recall.texts} == {21}
    adding = load("adding")
    sums = [(numbers * marks).sum() for numbers, marks in (sequence.T for sequence in adding.inputs)]
    np.testing.assert_allclose(sums, targets(adding))
    assert adding.inputs[0][:, 1].sum() == 2
    copy = load("copy")
    assert all(tokens[:10] == tags[-10:] for tokens, tags in zip(copy.texts, targets(copy), strict=True))
    assert set(copy.texts[0][10:30]) == {"-"}
    far = synthetic_sequences.recall(100, seed=1)
    assert len(far["tokens"].iloc[0]) == 101
    assert not far["label"].equals(synthetic_sequences.recall(100, seed=2)["label"])


def test_synthetic_series_are_what_they_claim_to_be():
    y = load("ar2").columns(["y"])[:, 0]
    lagged = np.column_stack([y[1:-1], y[:-2]])
    np.testing.assert_allclose(np.linalg.lstsq(lagged, y[2:], rcond=None)[0], [1.2, -0.4], atol=0.05)
    assert np.diff(load("random_walk").columns(["y"])[:, 0]).std() == pytest.approx(1, abs=0.05)


def test_given_roles_override_those_of_the_set(monkeypatch, tmp_path):
    monkeypatch.setenv("RECURRA_DATA", str(tmp_path))
    frame = load("elnino", time="none")
    assert frame.freq == 1
    merged = merge_roles({"target": "y", "past_covariates": ["a", "b"]}, {"target": ["a", "y"]})
    assert merged == {"target": ["a", "y"], "past_covariates": ["b"]}


# Downloads


@pytest.fixture
def upstream(tmp_path, monkeypatch):
    """A web server with one file, and an empty data folder: its address, the folder, the file's checksum."""
    served = tmp_path / "served"
    served.mkdir()
    (served / "t.csv").write_text(CSV)
    monkeypatch.setenv("RECURRA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    handler = partial(_Quiet, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield (
            f"http://127.0.0.1:{server.server_port}",
            tmp_path / "data",
            hashlib.sha256(CSV.encode()).hexdigest(),
        )
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_file_is_downloaded_once(upstream):
    address, folder, checksum = upstream
    path = fetch("new/t.csv", f"{address}/t.csv", checksum)
    assert path == folder / "new/t.csv"
    assert path.read_text() == CSV
    assert fetch("new/t.csv", "http://127.0.0.1:9/gone", checksum) == path


def test_a_wrong_checksum_leaves_nothing_behind(upstream):
    address, folder, _ = upstream
    with pytest.raises(InputError, match=r"t\.csv: the download does not have the checksum 000.*RECURRA_DATA"):
        fetch("new/t.csv", f"{address}/t.csv", "0" * 64)
    assert list((folder / "new").iterdir()) == []


def test_no_connection_and_no_such_page(upstream):
    address, folder, checksum = upstream
    for url in ("http://127.0.0.1:9/t.csv", f"{address}/nothing.csv"):
        with pytest.raises(InputError, match=r"cannot be downloaded to .*t\.csv.*RECURRA_DATA"):
            fetch("t.csv", url, checksum)
    assert not (folder / "t.csv").exists()


@pytest.mark.parametrize("ending", ["", ".gz", ".xz"])
def test_a_file_in_the_folder_needs_no_connection(upstream, ending):
    _, folder, checksum = upstream
    folder.mkdir()
    (folder / f"t.csv{ending}").write_bytes(compressed(CSV.encode())[ending])
    assert fetch("t.csv", "http://127.0.0.1:9/t.csv", checksum).name == f"t.csv{ending}"


def test_a_changed_or_damaged_file_in_the_folder_is_refused(upstream):
    address, folder, checksum = upstream
    folder.mkdir()
    (folder / "t.csv").write_text(CSV + "more")
    with pytest.raises(InputError, match=r"t\.csv: the file has the checksum .* was expected; delete it"):
        fetch("t.csv", f"{address}/t.csv", checksum)
    (folder / "t.csv").unlink()
    (folder / "t.csv.gz").write_bytes(gzip.compress(CSV.encode(), mtime=0)[:-9])
    with pytest.raises(InputError, match="the file is damaged"):
        fetch("t.csv", f"{address}/t.csv", checksum)


def test_a_file_is_taken_out_of_an_archive_once(upstream):
    address, folder, checksum = upstream
    with zipfile.ZipFile(folder.parent / "served" / "sets.zip", "w") as archive:
        archive.writestr("inner/t.csv", CSV)
    url = f"{address}/sets.zip"
    path = fetch_from_archive("new/t.csv", url, checksum, zip_member("inner/t.csv"))
    assert path.read_text() == CSV
    assert fetch_from_archive("new/t.csv", "http://127.0.0.1:9/sets.zip", checksum, zip_member("inner/t.csv")) == path
    with pytest.raises(InputError, match=r"sets\.zip: the archive does not hold what was expected"):
        fetch_from_archive("new/u.csv", url, checksum, zip_member("inner/u.csv"))
    with pytest.raises(InputError, match=r"has the checksum .* where 000.* was expected"):
        fetch_from_archive("new/v.csv", url, "0" * 64, zip_member("inner/t.csv"))
    assert sorted(file.name for file in (folder / "new").iterdir()) == ["sets.zip", "t.csv"]


@pytest.mark.parametrize("name", ["beijing_pm25", "weather", "mr", "ucr_trace"])
def test_a_set_to_be_fetched_by_hand_says_where_from_and_where_to(upstream, name):
    _, folder, _ = upstream
    with pytest.raises(InputError, match=re.escape(str(folder)) + r".*cannot be downloaded.*https://"):
        load(name)


# The real files


@needs_data
@pytest.mark.parametrize("name", [name for name, dataset in DATASETS.items() if dataset.download])
def test_downloaded_sets_have_the_rows_they_state(name):
    frame = loaded(name)
    assert size(name, frame) == DATASETS[name].rows
    assert_task(name, frame)
    assert frame.source == name


@needs_data
@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("airline_passengers", 12, 12),
        ("monthly_sunspots", 124, 140),  # the solar cycle: 11 years, give or take
        ("daily_min_temperatures", 365, 365),
        ("etth1", 24, 24),
        ("ettm1", 96, 96),
        ("m4_hourly", 24, 24),
        ("beijing_pm25", 24, 24),
    ],
)
def test_seasons_of_real_series(name, low, high):
    assert low <= detect_season(load(name)) <= high


@needs_data
def test_airline_passengers():
    frame = load(Path(DATA) / "univariate/airline-passengers.csv")
    assert (frame.freq, frame.targets, frame.lengths.tolist(), frame.notes) == (
        "MS",
        ("Passengers",),
        [144],
        (),
    )


@needs_data
def test_shampoo_has_no_years():
    path = Path(DATA) / "univariate/shampoo.csv"
    with pytest.raises(InputError, match=r"'Month' .*'1-01'.*line 2.*`time` to 'none'"):
        load(path)
    assert load(path, time="none").lengths.tolist() == [36]


@needs_data
def test_beijing_with_its_gaps_and_text_column():
    path = Path(DATA) / "beijing_pm25/pollution.csv.gz"
    frame = load(path, target="pm2.5", time="year,month,day,hour", past_covariates=["cbwd", "TEMP"])
    assert (frame.freq, frame.lengths.tolist()) == ("h", [43_800])
    assert set(frame.table["cbwd"]) == {"NW", "cv", "NE", "SE"}
    notes = " ".join(frame.notes)
    assert "24 rows before the first observed target" in notes
    assert "2,043 of 43,800 values of 'pm2.5' are missing" in notes
    with pytest.raises(InputError, match=r"numeric columns could be the target.*`target`"):
        load(path)


@needs_data
def test_m4_hourly_ends_with_the_official_test_set():
    frame = load("m4_hourly")
    assert frame.ids[:3] == ["H1", "H2", "H3"]
    assert set(frame.lengths) == {748, 1008}
    official = pd.read_csv(Path(DATA) / "m4/Hourly-test.csv", index_col=0)
    last = frame.select(["H414"]).columns(["y"])[-48:, 0]
    np.testing.assert_array_equal(last, official.loc["H414"].to_numpy())
    assert not frame.table["y"].isna().any()


# Which frame a file becomes

REVIEWS = "text,label,stars\nso good,yes,5\nso bad,no,1\nfine,yes,4\n"
LONG = "id,time,x,z,kind\n1,0,1.5,1,a\n1,1,2.5,2,a\n2,0,3.5,3,b\n"
TAGGED = '{"tokens": ["the", "cat"], "tags": ["D", "N"]}\n{"tokens": ["cats"], "tags": ["N"]}\n'
STEPS = '{"values": [1, null, 3], "label": "up"}\n{"values": [2], "label": "down"}\n'
TS = "#a comment\n@problemName t\n@timeStamps false\n@classLabel true a b\n@data\n1,2,3:4,5,?:a\n1,2:3,4:b\n"
UCR = "1\t0.5\t1.5\t2.5\n-1\t1.0\t2.0\tNaN\n1\t0.5\t1.0\t1.0\n"


@pytest.mark.parametrize("ending", ["", ".gz", ".xz"])
@pytest.mark.parametrize(
    ("name", "content", "roles", "kind", "task"),
    [
        ("t.csv", CSV, {}, "SeriesFrame", "forecast"),
        ("t.csv", CSV, {"target": "y"}, "SeriesFrame", "forecast"),
        ("t.csv", REVIEWS, {"text": "text", "label": "label"}, "TextFrame", "classification"),
        ("t.csv", REVIEWS, {"label": "label"}, "TextFrame", "classification"),
        ("t.csv", REVIEWS, {"task": "classification"}, "TextFrame", "classification"),
        ("t.csv", REVIEWS, {"text": "text", "value": "stars"}, "TextFrame", "regression"),
        ("t.csv", REVIEWS, {"text": "text"}, "TextFrame", None),
        ("t.csv", REVIEWS, {"task": "language-model"}, "TextFrame", None),
        ("t.csv", REVIEWS, {"task": "language-model", "label": "label"}, "TextFrame", "classification"),
        ("t.csv", LONG, {"id": "id", "label": "kind"}, "PanelFrame", "classification"),
        ("t.csv", LONG, {"id": "id", "time": "time", "value": "z", "channels": ["x"]}, "refused", "changes inside"),
        ("t.jsonl", TAGGED, {}, "TextFrame", "tagging"),
        ("t.jsonl", TAGGED, {"tags": "tags"}, "TextFrame", "tagging"),
        ("t.jsonl", STEPS, {}, "PanelFrame", "classification"),
        ("t.jsonl", STEPS, {"values": "values"}, "PanelFrame", None),
        ("t.ts", TS, {}, "PanelFrame", "classification"),
        ("t.tsv", UCR, {}, "PanelFrame", "classification"),
        ("t.txt", "It was the best of times, it was\r\n", {"task": "language-model"}, "CorpusFrame", None),
    ],
)
def test_roles_task_and_ending_choose_the_frame(tmp_path, name, content, ending, roles, kind, task):
    path = tmp_path / f"{name}{ending}"
    path.write_bytes(compressed(content.encode())[ending])
    if kind == "refused":
        with pytest.raises(InputError, match=task):
            load(path, **roles)
        return
    frame = load(path, **roles)
    assert type(frame).__name__ == kind
    if kind in ("TextFrame", "PanelFrame"):
        assert frame.task == task
        assert frame.source == str(path)


@pytest.mark.parametrize(
    ("name", "content", "roles", "words"),
    [
        ("t.csv", REVIEWS, {"text": "text", "target": "stars"}, ("`target`", "`text`", "leave one")),
        ("t.csv", REVIEWS, {"text": "text", "time": "stars"}, ("`text`", "`time`")),
        ("t.csv", REVIEWS, {"label": "label", "value": "stars"}, ("`label` 'label' and `value` 'stars'",)),
        ("t.csv", REVIEWS, {"task": "regression", "label": "label"}, ("`task` 'regression'", "`label`", "`value`")),
        ("t.csv", REVIEWS, {"task": "forecast", "label": "label"}, ("`task` 'forecast'", "`label`")),
        ("t.csv", REVIEWS, {"task": "language-model", "value": "stars"}, ("language-model", "`value`")),
        ("t.csv", REVIEWS, {"task": "tagging"}, ("`task` 'tagging'", "'text', 'label', 'stars'", "`tags`")),
        (
            "t.csv",
            REVIEWS,
            {"task": "guessing"},
            ("`task`", "forecast, classification, regression, tagging, language-model; received 'guessing'"),
        ),
        ("t.csv", REVIEWS, {"text": "texts", "label": "label"}, ("'texts'", "did you mean 'text'")),
        ("t.csv", REVIEWS, {"text": "text", "label": "labels"}, ("'labels'", "did you mean 'label'")),
        ("t.ts", TS, {"text": "text"}, ("`text`",)),
        ("t.ts", TS, {"target": "x"}, ("sequences", "`target`")),
        ("t.ts", TS, {"label": "kind"}, ("no names", "'kind'", "leave it out")),
        ("t.ts", TS, {"task": "language-model"}, ("numbers", "`task`")),
        ("t.ts", TS.replace("@data", "@dat"), {}, ("no line @data was found",)),
        ("t.ts", TS.split("1,2,3", 1)[0], {}, ("no sequence was found after @data",)),
        ("t.ts", TS.replace("4,5,?", "4,5"), {}, ("line 6", "2 values in channel 2 where 3")),
        ("t.ts", TS.replace("1,2:3,4:b", "1,2:b"), {}, ("line 7", "1 channels where 2")),
        ("t.ts", TS.replace("4,5,?", "4,five,?"), {}, ("line 6", "'five'", "value 2")),
        ("t.ts", TS.replace("timeStamps false", "timeStamps true"), {}, ("time stamps",)),
        ("t.ts", b"PK\x03\x04....", {}, ("zip",)),
        ("t.ts", b"", {}, ("the file is empty",)),
        ("t.ts", TS.encode() + b"\0", {}, ("a NUL byte was found in line 8",)),
        ("t.tsv", UCR.replace("\tNaN", ""), {}, ("line 2", "2 values where 3")),
        ("t.tsv", UCR.replace("NaN", "x"), {}, ("line 2", "'x'", "value 3")),
        ("t.npz", CSV, {}, ("no numpy arrays",)),
        ("t.npz", b"PK\x03\x04 and nonsense", {}, ("not a complete .npz",)),
        ("t.npz", b"\x93NUMPY....", {}, ("single array",)),
        ("t.txt", b"", {"task": "language-model"}, ("the file is empty",)),
        ("t.txt", b" \n ", {"task": "language-model"}, ("the file is empty",)),
        ("t.txt", b"too short", {"task": "language-model"}, ("9 characters",)),
        (
            "t.txt",
            b"one line\nand a \0 in the next one\n",
            {"task": "language-model"},
            ("a NUL byte was found in line 2",),
        ),
        ("t.csv", REVIEWS.encode() + b"a \0,yes,1\n", {"text": "text"}, ("a NUL byte was found in line 5",)),
        ("t.csv", "text,label\na,yes\nb,yes\n", {"label": "label"}, ("only one label, 'yes'", "at least two")),
        ("t.csv", "text,label\na,\nb,\n", {"label": "label"}, ("holds no labels",)),
        ("t.csv", "text,label\n,a\n,b\n", {"label": "label"}, ("holds no text",)),
        ("t.csv", "text,n\na,1\nb,x\nc,2\n", {"value": "n"}, ("'n'", "'x'", "line 3")),
        ("t.csv", "text,n\na,1\nb,inf\n", {"value": "n"}, ("'n'", "infinite", "line 3")),
        ("t.jsonl", TAGGED.replace('"D", "N"', '"D"'), {}, ("1 tags", "line 1", "2 were expected")),
        ("t.jsonl", TAGGED.replace('"D", "N"', '"D", null'), {}, ("None", "tag 2", "line 1")),
        ("t.jsonl", TAGGED.replace('["D", "N"]', "3"), {}, ("'tags' holds 3", "line 1")),
        ("t.jsonl", STEPS.replace("null", '"x"'), {}, ("line 1", "'x'", "step 1")),
        ("t.jsonl", STEPS.replace("[2]", "[[2, 3]]"), {}, ("line 2", "2 channels where 1")),
        ("t.jsonl", STEPS.replace("[2]", "[[2, 3], [4]]"), {}, ("line 2", "1 values at step 1 where 2")),
        ("t.jsonl", STEPS.replace("[2]", "[Infinity]"), {}, ("line 2", "infinite")),
        ("t.jsonl", STEPS, {"values": "valeus"}, ("'valeus'", "'values', 'label'")),
        ("t.csv", LONG, {"id": "ids", "label": "kind"}, ("'ids'", "did you mean 'id'")),
        ("t.csv", LONG.replace("1,2.5,2,a", "1,2.5,2,b"), {"id": "id", "label": "kind"}, ("'b'", "line 2", "line 3")),
        (
            "t.csv",
            LONG.replace("1,1,2.5", "1,0,2.5"),
            {"id": "id", "label": "kind"},
            ("duplicated in one sequence", "line 2", "line 3"),
        ),
        ("t.csv", LONG.replace("2,0,3.5", ",0,3.5"), {"id": "id", "label": "kind"}, ("'id' is empty", "line 4")),
        ("t.csv", LONG.replace("2.5", "x"), {"id": "id", "label": "kind"}, ("column 'x' holds the text 'x'", "line 3")),
        ("t.csv", LONG, {"label": "kind", "channels": ["x"]}, ("`channels`", "`id`")),
    ],
)
def test_bad_texts_and_panels_give_one_clear_sentence(tmp_path, name, content, roles, words):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        load(path, **roles)
    for word in (path.name, *words) if "guessing" not in roles.values() else words:
        assert word in str(caught.value), str(caught.value)
    assert_well_formed(str(caught.value))


def test_labels_stay_as_written(tmp_path):
    path = tmp_path / "t.csv"
    for cells, labels in [
        ("007,012,007", ["007", "012", "007"]),
        ("7,-12,7", [7, -12, 7]),
        ("1,,2", [1, 2]),
        ("1.0,2.0,1.0", ["1.0", "2.0", "1.0"]),
        ("True,False,True", ["True", "False", "True"]),
        ("NA,DE,NA", ["NA", "DE", "NA"]),
    ]:
        path.write_text("text,code\n" + "".join(f"0{n},{cell}\n" for n, cell in enumerate(cells.split(","))))
        frame = load(path, text="text", label="code")
        assert targets(frame) == labels
        assert frame.texts[0] == "00"


def test_hard_texts_are_read_whole(tmp_path):
    path = tmp_path / "t.csv"
    long = "é" * 500_000 + " end"
    path.write_text(f'text,label,more\n"{long}",a,\n"🤷🏽‍♀️ ""x"",\ny",b,1\n,a,\n', encoding="utf-8")
    frame = load(path, text="text", label="label")
    assert frame.texts.tolist() == [long, '🤷🏽‍♀️ "x",\ny', ""]
    assert "1 of 3 texts in 'text' is empty" in " ".join(frame.notes)
    path.write_bytes("text,label\nnaïve,a\nplain,b\n".encode("latin-1"))
    frame = load(path, text="text", label="label")
    assert frame.texts[0] == "naïve"
    assert "not UTF-8" in " ".join(frame.notes)
    jsonl = tmp_path / "t.jsonl"
    jsonl.write_bytes('{"text": "naïve \\u0000"}\n{"text": "half \\ud83d"}\n'.encode("latin-1"))
    frame = load(jsonl, text="text")
    assert frame.texts.tolist() == ["naïve \0", "half \ufffd"]
    for word in ("not UTF-8", "NUL", "surrogates"):
        assert word in " ".join(frame.notes)


def test_a_loose_quotation_mark_in_a_tsv_swallows_no_line(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text('sentence\tlabel\n"so it begins\t1\nand goes on\t0\nand "ends"\t1\nhere"\t0\n')
    frame = load(path, label="label")
    assert frame.texts.tolist() == ['"so it begins', "and goes on", 'and "ends"', 'here"']
    assert "quotation marks" in " ".join(frame.notes)
    path.write_text('sentence\tlabel\n"quoted ""twice"""\t1\nplain\t0\n')
    assert load(path, label="label").texts.tolist() == ['quoted "twice"', "plain"]


def test_a_test_file_is_the_held_out_set(tmp_path):
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    train.write_text("text,label\na,x\nb,y\na,x\nc,\n")
    test.write_text("text,label\na,x\nd,z\ne,\n")
    frame = load(train, text="text", label="label", test=test)
    assert frame.is_test.tolist() == [False, False, False, True, True]
    notes = " ".join(frame.notes)
    for word in (
        "2 of 7 rows have no 'label'",
        "1 test row has a label that is not in the training set ('z'): it counts as wrong",
        "1 of 3 texts repeats an earlier one within the training set",
        "1 of 2 texts of the held-out test set is in the training set too",
        "only one example, which is kept but hard to learn: 'y'",
    ):
        assert word in notes, notes
    test.write_text("text\na\n")
    with pytest.raises(InputError, match=r"test\.csv: no column is called 'label'"):
        load(train, text="text", label="label", test=test)
    test.write_text("text,label\na,\n")
    with pytest.raises(InputError, match=r"train\.csv: no rows of the held-out test set have a 'label'"):
        load(train, text="text", label="label", test=test)
    (tmp_path / "a.ts").write_text(TS)
    panel = load(tmp_path / "a.ts", test=tmp_path / "a.ts")
    assert panel.is_test.tolist() == [False, False, True, True]
    assert "2 of 2 sequences of the held-out test set are in the training set" in " ".join(panel.notes)
    with pytest.raises(InputError, match=r"train\.csv: a table was found where a test file like"):
        load(tmp_path / "a.ts", test=train)
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("words " * 20)
    corpus = load(tmp_path / "a.txt", task="language-model", test=tmp_path / "b.txt")
    assert list(map(len, corpus.splits)) == [108, 12, 120]
    with pytest.raises(InputError, match="`test` does not apply to the data set 'co2'"):
        load("co2", test=test)
    with pytest.raises(InputError, match="`label` does not apply to the data set 'digits'"):
        load("digits", label="x")
    with pytest.raises(InputError, match="digits: the data are for classification where `task` is 'regression'"):
        load("digits", task="regression")


def test_npz_files(tmp_path):
    path = tmp_path / "t.npz"
    x, y = np.arange(24.0).reshape(4, 3, 2), np.array(["a", "b", "a", "b"])
    np.savez(path, X=x, y=y)
    frame = load(path)
    assert (frame.task, targets(frame), frame.channels) == ("classification", list(y), ("c0", "c1"))
    np.testing.assert_array_equal(frame.inputs, x)
    assert "4 sequences of 3 steps with 2 channels" in " ".join(frame.notes)
    np.savez_compressed(path, X_train=x, y_train=y, X_test=x[:1], y_test=y[:1])
    assert load(path).is_test.tolist() == [False] * 4 + [True]
    x[1, 2] = x[2] = np.nan
    np.savez(path, signal=x, grade=[1.5, 2.5, 3.5, np.nan], tag=np.zeros((4, 3), dtype=int))
    with pytest.raises(InputError, match=r"no array 'X' of sequences .*'signal', 'grade', 'tag'"):
        load(path)
    frame = load(path, values="signal", value="grade")
    assert [len(sequence) for sequence in frame.inputs] == [3, 2]
    assert targets(frame) == [1.5, 2.5]
    notes = " ".join(frame.notes)
    assert "2 of 4 sequences end in missing values only" in notes
    assert "1 of 4 sequences has no steps" in notes
    assert "1 of 3 sequences has no 'grade'" in notes
    assert load(path, values="signal").task is None
    np.savez(path, X=np.ones((4, 3)), y=[1.0, 2.0, 1.0, 2.0])
    frame = load(path)
    assert targets(frame) == [1, 2, 1, 2]
    assert "taken as classes" in " ".join(frame.notes)
    assert load(path, task="regression").task == "regression"
    for arrays, words in [
        ({"X": np.array([[1], [1, 2]], dtype=object)}, "pickled"),
        ({"X": np.ones(3)}, r"shape \(3,\)"),
        ({"X": np.array([["a", "b"]])}, "type <U1"),
        ({"X": np.ones((4, 3)), "y": np.ones(3)}, "4 sequences but 3 targets"),
        ({"X": np.full((4, 3), np.inf), "y": np.arange(4) % 2}, "infinite"),
        ({"X_train": np.ones((4, 3)), "y_train": np.arange(4) % 2}, "no array 'X_test'"),
    ]:
        np.savez(path, **arrays)
        with pytest.raises(InputError, match=words):
            load(path)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.text(max_size=20).filter(lambda t: "\ud800" not in t), st.sampled_from(["x", "Y", "ß"])),
        min_size=2,
        max_size=20,
    )
)
def test_records_survive_a_file(tmp_path, rows):
    rows = [*rows, ("more", "x"), ("more", "Y")]
    table = pd.DataFrame(rows, columns=["text", "label"])
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in table.to_dict("records")), encoding="utf-8")
    frame = load(path, text="text", label="label")
    assert frame.texts.tolist() == table["text"].tolist()
    assert targets(frame) == table["label"].tolist()
    table.to_parquet(tmp_path / "t.parquet")
    assert data_hash(load(tmp_path / "t.parquet", text="text", label="label")) == data_hash(frame)


# The real sets of sequences


def test_the_reviews_are_tabulated_from_their_archive(tmp_path):
    archive = tmp_path / "a.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        for name in ("train/pos/10_9", "train/pos/9_8", "train/neg/0_1", "train/unsup/0_0", "test/pos/0_9"):
            data = f'"{name}", é'.encode()
            member = tarfile.TarInfo(f"aclImdb/{name}.txt")
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    lines = imdb.tabulate(archive, "train").decode().splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", "neg/0_1", "pos/9_8", "pos/10_9"]
    assert lines[3] == 'pos/10_9,1,9,"""train/pos/10_9"", é"'


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=5).map(" ".join), min_size=1, max_size=12))
def test_phrases_carry_the_number_of_a_longest_phrase_that_contains_them(phrases):
    numbers = sst2.number_wholes(phrases)
    for phrase, number in zip(phrases, numbers, strict=True):
        whole = f" {phrases[number]} "
        assert f" {phrase} " in whole
        assert all(other == phrases[number] or whole not in f" {other} " for other in phrases)


@needs_data
@pytest.mark.parametrize(
    ("name", "task", "classes", "tests"),
    [
        ("imdb", "classification", [25_000, 25_000], 25_000),
        ("sst2", "classification", [30_208, 38_013], 872),
        ("mr", "classification", [5_331, 5_331], 3_554),
        ("newsgroups20", "classification", 20, 7_532),
        ("word_sentiment", "classification", {"positive": 3_190, "negative": 4_027}, 0),
        ("names", "classification", 18, 0),
        ("japanese_vowels", "classification", 9, 370),
        ("ucr_gunpoint", "classification", [100, 100], 150),
        ("ucr_italypowerdemand", "classification", [547, 549], 1_029),
        ("ucr_ecg200", "classification", [67, 133], 100),
        ("ucr_syntheticcontrol", "classification", [100] * 6, 300),
        ("ucr_trace", "classification", [50] * 4, 100),
    ],
)
def test_real_sequences(name, task, classes, tests):
    frame = loaded(name)
    counts = pd.Series(targets(frame)).value_counts().sort_index()
    assert frame.task == task
    assert (0 if frame.is_test is None else int(frame.is_test.sum())) == tests
    if isinstance(classes, int):
        assert len(counts) == classes
    else:
        assert (counts.to_dict() if isinstance(classes, dict) else counts.tolist()) == classes


@needs_data
def test_real_details():
    notes = " ".join(loaded("imdb").notes)
    assert "123 of 25,000 texts of the held-out test set are in the training set too" in notes
    phrases = loaded("sst2")
    assert phrases.groups is not None
    assert len(np.unique(phrases.groups[~phrases.is_test])) == 6_885
    vowels = loaded("japanese_vowels")
    assert {sequence.shape[1] for sequence in vowels.inputs} == {12}
    lengths = [len(sequence) for sequence in vowels.inputs]
    assert (min(lengths), max(lengths)) == (7, 29)
    assert load("names", task="language-model").targets.name == "nationality"
    assert load("word_sentiment", value="mean").task == "regression"
    names = load(Path(DATA) / "names/Polish.txt", task="language-model")
    assert "ń" in names.text or "ó" in names.text
    shakespeare = loaded("tinyshakespeare")
    assert shakespeare.bounds == (903_468, 1_003_854)
    assert [len(part.split()) + part.count("\n") for part in loaded("ptb").splits] == [929_589, 73_760, 82_430]
    gun = Path(DATA) / "ucr/GunPoint"
    same = load(gun / "GunPoint_TRAIN.tsv.gz", test=gun / "GunPoint_TEST.tsv.gz")
    np.testing.assert_array_equal(same.inputs, loaded("ucr_gunpoint").inputs)
