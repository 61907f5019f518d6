"""Readers on random files: no traceback, and no value that changes without a word.

Tables are drawn with their meaning known (ids, times, numbers), written as people write them, and read again. A short
run belongs to the ordinary tests; RECURRA_FUZZ_SECONDS is how long the slow one takes (600 by default).
"""

import gzip
import io
import os
import time
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import recurra
from recurra.errors import InputError

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16")
LINE_ENDS = ("\n", "\r\n")

# Ids as they stand in real tables: codes of digits, long numbers, what looks like numbers and missing markers.
ids = st.one_of(
    st.from_regex(r"0{0,3}[0-9]{1,3}", fullmatch=True),
    st.from_regex(r"[0-9]{18,22}", fullmatch=True),
    st.sampled_from(
        ["1e0", "1.0", "NA", "nan", "null", "None", "True", "-", "#1", "1_000", "0x1A", "Infinity", "é", "a b"]
    ),
    st.text("abcXYZ019-_/.é§", min_size=1, max_size=6),
).filter(lambda text: text == text.strip())

FREQS = ("D", "h", "15min", "MS", "ME", "QS-JAN", "W-MON", "W-SAT", "YS-JAN", "7D", "2h")
TIME_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%Y/%m/%d %H:%M",
    "%d-%b-%Y %H:%M",
)

numbers = st.one_of(
    st.integers(-(10**6), 10**6).map(float),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3)),
    st.floats(1e-12, 1e12, allow_nan=False),
    st.floats(6.7e9, 6.8e9, allow_nan=False).map(lambda x: round(x, 2)),
)


def plain(number):
    return repr(number)


def with_thousands(number):
    return f"{number:,.3f}" if number != round(number) else f"{number:,.0f}"


def with_decimal_comma(number):
    return format(number, "f").rstrip("0").rstrip(".").replace(".", ",") if abs(number) < 1e15 else repr(number)


STYLES = {"plain": plain, "thousands": with_thousands, "decimal comma": with_decimal_comma}


@st.composite
def written_tables(draw):
    """A table whose meaning is known, and the bytes it is written as."""
    names = draw(st.lists(ids, min_size=1, max_size=4, unique=True))
    start = draw(st.datetimes(datetime(1950, 1, 1), datetime(2060, 1, 1)))
    freq, form = draw(st.sampled_from(FREQS)), draw(st.sampled_from(TIME_FORMATS))
    rows = draw(st.integers(4, 30))
    stamps = pd.date_range(pd.Timestamp(start).floor("D"), periods=rows, freq=freq)
    assume(stamps[-1].year < 2090)
    style = draw(st.sampled_from(sorted(STYLES)))
    separator = draw(st.sampled_from(",;\t" if style == "plain" else ";\t"))
    values = {name: draw(st.lists(numbers, min_size=rows, max_size=rows)) for name in names}
    cells = [
        (name, stamp.strftime(form), STYLES[style](value))
        for name in names
        for stamp, value in zip(stamps, values[name], strict=True)
    ]
    if draw(st.booleans()):
        cells = draw(st.permutations(cells))
    ending = draw(st.sampled_from(LINE_ENDS))
    lines = [separator.join(("sku", "date", "units")), *(separator.join(row) for row in cells)]
    text = ending.join(lines) + (ending if draw(st.booleans()) else "")
    encoding = draw(st.sampled_from(ENCODINGS))
    return {"names": names, "stamps": stamps, "values": values, "style": style, "text": text, "encoding": encoding}


def write(folder, content, name="t.csv"):
    path = folder / name
    path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
    return path


def read_or_refused(path, **roles):
    """The frame, or None after a sentence; anything else is a fault."""
    try:
        return recurra.load(path, **roles)
    except InputError as error:
        message = str(error)
        assert "\n" not in message.strip()
        assert message.strip()
        return None


def check_table(folder, made):
    try:
        content = made["text"].encode(made["encoding"])
    except UnicodeEncodeError:
        return
    frame = read_or_refused(write(folder, content), id="sku", target="units")
    if frame is None:
        return
    observed = frame.table.dropna(subset="units")
    assert {str(name) for name in frame.ids} == set(made["names"])
    for name in made["names"]:
        own = observed[observed["sku"] == name]
        given_ = np.array(made["values"][name])
        scale = np.abs(given_).max()
        found = own["units"].to_numpy()
        # what is written with three or six decimals has no more of them
        digits = {"plain": 0.0, "thousands": 5.1e-4, "decimal comma": 5.1e-7}[made["style"]]
        np.testing.assert_allclose(np.sort(found), np.sort(given_), rtol=1e-15, atol=digits + 1e-15 * scale)
        times = pd.DatetimeIndex(own["date"])
        times = times.tz_localize(None) if times.tz is not None else times
        noted = " ".join(frame.notes)
        if "moved to the first of the month" not in noted:
            same = list(times) == list(made["stamps"])
            assert same or "are read as" in noted, (times[:3], made["stamps"][:3], made["text"][:200])
            if same:
                np.testing.assert_allclose(found, given_, rtol=1e-15, atol=digits + 1e-15 * scale)


# Files of any content: nothing is known of them but that nobody wants a traceback.

rough_cells = st.one_of(
    st.sampled_from(
        ["", "?", "NA", "-", "1,494", "998", "1.494,00", "12%", "$5", "(3)", "1e400", "0x1", "1 000", "1'000"]
    ),
    st.sampled_from(
        ["2020-01-01", "01/02/2020", "2020-W01", "Q1 1990", "201752", "1-2010", "Jan-04", "24:00", "43831.5"]
    ),
    st.sampled_from(
        ["2020-01-01T00:00+01:00", "2020-01-01T24:00", "2020-02-30", "0000-00-00", "9999-12-31", "1577836800"]
    ),
    st.integers(-(10**22), 10**22).map(str),
    st.floats().map(str),
    st.text(max_size=8),
)


@st.composite
def rough_files(draw):
    """Bytes of a table of anything, with the faults of real files."""
    columns = draw(st.integers(1, 4))
    usual = ["date", "ds", "y", "time", "year", "month", "week", "quarter", "unique_id", "#date", "", "text", "label"]
    header = draw(st.lists(st.one_of(st.sampled_from(usual), rough_cells), min_size=columns, max_size=columns))
    cells = draw(st.lists(st.lists(rough_cells, min_size=columns, max_size=columns + 1), max_size=12))
    if draw(st.booleans()):  # columns of one kind
        kinds = [draw(st.sampled_from([0, 1, 2])) for _ in range(columns)]
        fixed = ["2020-01-{:02d}", "{}", "0{}"]
        cells = [[fixed[kind].format(i + 1) for kind in kinds] for i in range(draw(st.integers(1, 20)))]
    buffer = io.StringIO()
    separator, ending = draw(st.sampled_from(",;\t|")), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    for row in [header, *cells]:
        quoted = [f'"{cell}"' if draw(st.integers(0, 5)) == 0 else cell for cell in row]
        buffer.write(separator.join(quoted) + ending)
    text = draw(st.sampled_from(["", "# note\n", "\ufeff", "\n\n"])) + buffer.getvalue()
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16", "latin-1"]))
    content = text.encode(encoding, "replace")
    return content[: draw(st.integers(1, len(content)))] if draw(st.integers(0, 9)) == 0 else content


ROLES = st.sampled_from(
    [
        {},
        {"task": "forecast"},
        {"time": "none"},
        {"time": "year,week"},
        {"id": "unique_id"},
        {"target": "y"},
        {"freq": "MS"},
    ]
)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
class TestReaders:
    """Properties, each in a short run."""

    @given(made=written_tables())
    @settings(max_examples=60, suppress_health_check=[*QUIET, HealthCheck.function_scoped_fixture])
    def test_what_is_written_is_read_or_refused(self, made, tmp_path):
        check_table(tmp_path, made)

    @given(content=rough_files(), roles=ROLES)
    @settings(max_examples=150, suppress_health_check=[*QUIET, HealthCheck.function_scoped_fixture])
    def test_any_file_is_read_or_refused_in_a_sentence(self, content, roles, tmp_path):
        read_or_refused(write(tmp_path, content), **roles)

    @pytest.mark.slow
    def test_for_minutes(self, tmp_path):
        until = time.monotonic() + float(os.environ.get("RECURRA_FUZZ_SECONDS", "600"))
        seed = int(os.environ.get("RECURRA_FUZZ_SEED", str(int(time.time()))))
        print(f"RECURRA_FUZZ_SEED={seed}")
        while time.monotonic() < until:
            seed += 1
            _run(check_table, written_tables(), tmp_path, seed)
            _run(
                lambda folder, drawn: read_or_refused(write(folder, drawn[0]), **drawn[1]),
                st.tuples(rough_files(), ROLES),
                tmp_path,
                seed,
            )


def _run(check, strategy, folder, number):
    import hypothesis

    @hypothesis.seed(number)
    @settings(max_examples=200, database=None, suppress_health_check=QUIET)
    @given(drawn=strategy)
    def one(drawn):
        check(folder, drawn)

    one()
