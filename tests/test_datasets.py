"""Data sets: files of every kind, good and broken; the registry; downloads from a server of our own."""

import bz2
import gzip
import hashlib
import lzma
import os
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import recurra.datasets as room
from recurra.datasets import DATASETS, list_datasets, load, read_table
from recurra.datasets.download import fetch
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


def compressed(content):
    return {
        "": content,
        ".gz": gzip.compress(content),
        ".bz2": bz2.compress(content),
        ".xz": lzma.compress(content),
        ".zst": zstandard.compress(content),
    }


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
    frame, same = load(plain, past="wind"), load(squeezed, past="wind")
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


def test_decimal_commas_are_read_and_told(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("ds;y\n2024-01-01;1,5\n2024-01-02;-2,25\n")
    frame = load(path)
    assert frame.table["y"].tolist() == [1.5, -2.25]
    assert "decimal comma" in " ".join(frame.notes)


def test_missing_markers_in_numbers_and_names_in_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("ds,y,country\n2024-01-01,1,NA\n2024-01-02,NA,DE\n2024-01-03,?,DE\n2024-01-04,4,DE\n")
    frame = load(path, past="country")
    assert frame.table["y"].isna().tolist() == [False, True, True, False]
    assert frame.table["country"].iloc[0] == "NA"


def test_an_old_encoding_is_read_and_told(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("ds,y,größe\n2024-01-01,1,2\n2024-01-02,2,3\n".encode("cp1252"))
    frame = load(path, target="größe")
    assert "not UTF-8" in " ".join(frame.notes)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", b"", ("is empty",)),
        ("t.csv", b"\n \n", ("is empty",)),
        ("t.csv", "ds,y\n", ("header and no rows",)),
        ("t.csv", "2024-01-01,1\n2024-01-02,2\n", ("first line", "names of the columns")),
        ("t.csv", "ds,y,y\n2024-01-01,1,2\n", ("several columns called `y`",)),
        ("t.csv", "ds,y\n2024-01-01,1\n2024-01-02,2,3\n", ("Line 3", "3 fields", "2 were expected")),
        ("t.csv", "ds,y\n2024-01-01,1,7\n2024-01-02,2,3\n", ("Line 2", "more fields")),
        ("t.csv", "ds,x,y\n2024-01-01,1,7\n2024-01-02,2\n", ("Line 3", "2 fields", "3 were expected")),
        ("t.csv", b"ds,y\n2024-01-01,1\n2024\0-01-02,2\n", ("NUL byte in line 3",)),
        ("t.csv", "ds,y\n2024-01-01,1\n".encode("utf-16"), ("UTF-16", "UTF-8")),
        ("t.csv", 'ds,y\n"2024-01-01,1\n', ("quotation marks",)),
        ("t.csv", b"PAR1....PAR1", ("Parquet", ".parquet")),
        ("t.csv", gzip.compress(CSV.encode()), ("gzip", ".gz")),
        ("t.csv", b"PK\x03\x04....", ("Excel", ".csv")),
        ("t.parquet", CSV, ("no Parquet data",)),
        ("t.parquet", b"PAR1 and nonsense", ("no whole Parquet file",)),
        ("t.csv.gz", CSV, ("no whole .gz file",)),
        ("t.csv.gz", gzip.compress(CSV.encode())[:-12], ("no whole .gz file",)),
        ("t.csv.xz", CSV, ("no whole .xz file",)),
        ("t.csv.zst", CSV, ("no whole .zst file",)),
        ("t.csv.bz2", CSV, ("no whole .bz2 file",)),
        ("t.jsonl", '{"ds": "2024-01-01", "y": 1}\n{"ds": \n', ("Line 2", "JSON object")),
        ("t.jsonl", "[1, 2]\n[3, 4]\n", ("Line 1", "JSON object")),
        ("t.jsonl", CSV, ("Line 1", "JSON object")),
        ("t.xlsx", b"PK", ("unknown ending", ".csv, .tsv, .txt, .parquet, .pq, .jsonl, .ndjson")),
        ("t.csv", "ds,y\n2024-01-01,1\n2024-01-02,two\n", ("`y`", "'two'", "line 3")),
        ("t.csv", "ds,y\n\n2024-01-01,1\n\n2024-01-02,two\n", ("`y`", "'two'", "line 5")),
        ("t.jsonl", '\n{"ds": "2024-01-01", "y": "x"}\n{"ds": "2024-01-02", "y": 1}\n', ("'x'", "line 2")),
        ("t.csv", "ds,y\n2024-01-01,1\n2024-01-02,inf\n", ("`y`", "infinite", "line 3")),
        ("t.csv", "ds,y\n2024-01-01,1\n2024-01-01,2\n", ("`ds`", "twice", "line 2", "line 3")),
        ("t.csv", "ds,y\n1-01,1\n1-02,2\n", ("'1-01'", "line 2", "--time none")),
        (
            "t.jsonl",
            '{"ds": "2024-01-01", "y": 1}\n{"ds": "2024-01-02", "y": "x"}\n',
            ("`y`", "'x'", "line 2"),
        ),
    ],
)
def test_a_bad_file_gives_one_clear_sentence(tmp_path, name, content, words):
    refused(tmp_path / name, content, *words)


def test_no_such_file_gives_the_closest_name(tmp_path):
    (tmp_path / "sales.csv").write_text(CSV)
    with pytest.raises(InputError, match=r"no file .*sale\.csv; did you mean .*sales\.csv\?"):
        load(tmp_path / "sale.csv")
    with pytest.raises(InputError, match="is a folder"):
        load(tmp_path)


# The registry


def test_an_unknown_name_gives_the_nearest():
    with pytest.raises(InputError, match="'etth2' is neither a data set nor a file; did you mean etth1"):
        load("etth2")
    with pytest.raises(InputError, match="the data sets are airline_passengers, ar2"):
        load("zzz")


def test_every_data_set_is_in_the_docs():
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([\d,]+) \|", (ROOT / "docs/datasets.md").read_text(), re.MULTILINE)
    documented = {name: int(count.replace(",", "")) for name, count in rows}
    assert documented == {name: dataset.rows for name, dataset in DATASETS.items()}
    assert list_datasets() == sorted(documented)
    assert all(dataset.name == name for name, dataset in DATASETS.items())


@pytest.mark.parametrize("name", [name for name, dataset in DATASETS.items() if not dataset.download])
def test_sets_without_a_download_load(name):
    frame = load(name)
    assert len(DATASETS[name].loader()) == DATASETS[name].rows
    assert len(frame.targets) == 1
    assert data_hash(frame) == data_hash(load(name))


def test_co2_has_its_gaps():
    frame = load("co2")
    assert (frame.freq, frame.targets, frame.lengths.tolist()) == ("W-SAT", ("co2",), [2284])
    assert any("59 of 2,284 values of `co2` are missing" in note for note in frame.notes)
    assert frame.next_times(1)["date"].iloc[0] == pd.Timestamp("2002-01-05")
    assert detect_season(frame) == 52
    with pytest.raises(InputError, match="co2 has no value"):
        load("co2", missing="error")


def test_seasons_of_the_sets_that_need_no_download():
    assert {name: detect_season(load(name)) for name in ("elnino", "ar2", "random_walk")} == {
        "elnino": 12,
        "ar2": 1,
        "random_walk": 1,
    }


def test_made_series_are_what_they_say():
    y = load("ar2").columns(["y"])[:, 0]
    lagged = np.column_stack([y[1:-1], y[:-2]])
    np.testing.assert_allclose(np.linalg.lstsq(lagged, y[2:], rcond=None)[0], [1.2, -0.4], atol=0.05)
    assert np.diff(load("random_walk").columns(["y"])[:, 0]).std() == pytest.approx(1, abs=0.05)


def test_given_roles_override_those_of_the_set(monkeypatch, tmp_path):
    monkeypatch.setenv("RECURRA_DATA", str(tmp_path))
    frame = load("elnino", time="none")
    assert frame.freq == 1
    merged = room._merge({"target": "y", "past": ["a", "b"]}, {"target": ["a", "y"]})
    assert merged == {"target": ["a", "y"], "past": ["b"]}


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
    with pytest.raises(InputError, match=r"t\.csv has not the expected checksum 000.*RECURRA_DATA"):
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
    with pytest.raises(InputError, match=r"t\.csv has the checksum .* was expected: delete it"):
        fetch("t.csv", f"{address}/t.csv", checksum)
    (folder / "t.csv").unlink()
    (folder / "t.csv.gz").write_bytes(gzip.compress(CSV.encode())[:-9])
    with pytest.raises(InputError, match="is damaged"):
        fetch("t.csv", f"{address}/t.csv", checksum)


@pytest.mark.parametrize("name", ["beijing_pm25", "weather"])
def test_a_set_to_be_fetched_by_hand_says_where_from_and_where_to(upstream, name):
    _, folder, _ = upstream
    with pytest.raises(InputError, match=re.escape(str(folder)) + r".*cannot be downloaded.*https://"):
        load(name)


# The real files


@needs_data
@pytest.mark.parametrize("name", [name for name, dataset in DATASETS.items() if dataset.download])
def test_downloaded_sets_have_the_rows_they_state(name):
    assert len(DATASETS[name].loader()) == DATASETS[name].rows
    assert load(name).source == name


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
    with pytest.raises(InputError, match=r"`Month` .*'1-01'.*line 2.*--time none"):
        load(path)
    assert load(path, time="none").lengths.tolist() == [36]


@needs_data
def test_beijing_with_its_gaps_and_text_column():
    path = Path(DATA) / "beijing_pm25/pollution.csv.gz"
    frame = load(path, target="pm2.5", time="year,month,day,hour", past=["cbwd", "TEMP"])
    assert (frame.freq, frame.lengths.tolist()) == ("h", [43_800])
    assert set(frame.table["cbwd"]) == {"NW", "cv", "NE", "SE"}
    told = " ".join(frame.notes)
    assert "24 rows before the first observed target" in told
    assert "2,043 of 43,800 values of `pm2.5` are missing" in told
    with pytest.raises(InputError, match=r"numeric columns that could be the target.*--target"):
        load(path)


@needs_data
def test_m4_hourly_ends_with_the_official_test_part():
    frame = load("m4_hourly")
    assert frame.ids[:3] == ["H1", "H2", "H3"]
    assert set(frame.lengths) == {748, 1008}
    official = pd.read_csv(Path(DATA) / "m4/Hourly-test.csv", index_col=0)
    last = frame.select(["H414"]).columns(["y"])[-48:, 0]
    np.testing.assert_array_equal(last, official.loc["H414"].to_numpy())
    assert not frame.table["y"].isna().any()
