"""Frames: roles, the regular axis of time, the messages about bad input, the season."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.errors import InputError
from recurra.frames import SeriesFrame, data_hash, detect_season
from recurra.frames.series.season import natural_periods


def table(rows=12, freq="D", **columns):
    return pd.DataFrame(
        {"ds": pd.date_range("2024-01-01", periods=rows, freq=freq), "y": np.arange(rows) + 0.5, **columns}
    )


def refused(frame, *words, **roles):
    """The message of the error that making a frame raises; it must hold all the words."""
    with pytest.raises(InputError) as caught:
        SeriesFrame.from_table(frame, source="sales.csv", **roles)
    message = str(caught.value)
    for word in ("sales.csv: ", *words):
        assert word in message, message
    assert not re.search(r"--\w|\.$|\n|  ", message), message
    return message


def noted(frame, *words):
    notes = " ".join(frame.notes)
    for word in words:
        assert word in notes, notes
    assert not any(note.endswith(".") or note[0].isupper() for note in frame.notes), notes


# Roles


def test_defaults_take_the_usual_names():
    frame = SeriesFrame.from_table(pd.DataFrame({"Month": ["1949-01", "1949-02"], "Passengers": [112, 118]}))
    assert (frame.id, frame.time, frame.targets, frame.freq) == ("unique_id", "Month", ("Passengers",), "MS")
    assert frame.ids == ["series"]
    assert frame.notes == ()


def test_time_is_found_by_its_cells_or_rows_are_counted():
    found = SeriesFrame.from_table(pd.DataFrame({"when": ["2024/01/01", "2024/01/02"], "y": [1.0, 2.0]}))
    assert found.time == "when"
    noted(found, "'when'")
    counted = SeriesFrame.from_table(pd.DataFrame({"y": [1.0, 2.0, 4.0]}))
    assert (counted.freq, counted.time) == (1, "row")
    noted(counted, "rows are counted")


def test_time_is_composed_of_columns():
    parts = pd.DataFrame({"No": [1, 2], "year": 2010, "month": 1, "day": 1, "hour": [0, 1], "pm2.5": [3.0, 4.0]})
    given_parts = SeriesFrame.from_table(parts, time="year,month,day,hour", target="pm2.5")
    assert given_parts.freq == "h"
    assert given_parts.table["ds"].iloc[1] == pd.Timestamp("2010-01-01 01:00")
    found = SeriesFrame.from_table(parts, target="pm2.5")
    noted(found, "composed of", "'No'")
    refused(
        parts.assign(month=[1, 13]),
        "row 1",
        "'month' 13",
        target="pm2.5",
        time=["year", "month", "day", "hour"],
    )
    refused(parts, "'No' is none of year", target="pm2.5", time=["year", "No"])


def test_several_candidates_for_the_target_are_listed():
    refused(table().drop(columns="y").assign(a=1.0, b=2.0), "'a', 'b'", "`target`")
    refused(table().drop(columns="y").assign(a="x"), "no numeric column is left", "`target`")


def test_a_wrong_name_gives_the_names_there_are_and_the_closest():
    refused(table(sales=1.0), "'sale'", "'ds', 'y', 'sales'", "did you mean 'sales'", target="sale")
    refused(table(), "two roles", "'y'", target="y", past_covariates=["y"])


def test_columns_without_a_role_are_named():
    noted(SeriesFrame.from_table(table(extra=1.0)), "ignored: 'extra'")


def test_flags_become_numbers_and_text_stays():
    frame = SeriesFrame.from_table(
        table(flag=True, wind=["NW", "SE"] * 6), past_covariates=["wind"], future_covariates="flag"
    )
    assert frame.table["flag"].eq(1.0).all()
    assert set(frame.table["wind"]) == {"NW", "SE"}
    np.testing.assert_array_equal(frame.columns(["y", "flag"])[0], [0.5, 1.0])


# Cells


def test_text_in_a_numeric_column_names_column_line_and_cell():
    cells = ["1", "2", "oops", "4", *"56789", "?", "-", "NA"]
    bad = table(z=cells)
    bad.attrs["first_line"] = 2
    refused(bad, "'z'", "line 4", "'oops'", "correct the cell", target="z")
    refused(bad, "'z'", "line 4", past_covariates=["z"])
    frame = SeriesFrame.from_table(table(z=["1", *cells[1:2], "3", *cells[3:]]), target="z")
    assert frame.lengths[0] == 9  # the three markers at the end are missing values, cut off
    refused(table(z=["1,5"] * 12), "'1,5'", "decimal point", target="z")


def test_infinite_values_are_refused():
    bad = table()
    bad.loc[3, "y"] = np.inf
    refused(bad, "'y'", "infinite", "row 3", "empty")


def test_missing_values_are_counted_or_refused():
    gappy = table()
    gappy.loc[[3, 5], "y"] = np.nan
    noted(SeriesFrame.from_table(gappy), "2 of 12 values of 'y' are missing")
    refused(gappy, "'y'", "2024-01-04", "`missing`", missing="error")
    refused(table().assign(y=np.nan), "'y'", "no value in any of 12 rows", "`target`")
    with pytest.raises(ValueError, match="missing='drop'"):
        SeriesFrame.from_table(gappy, missing="drop")


def test_a_constant_series_is_noted():
    noted(SeriesFrame.from_table(table().assign(y=5.0)), "'y' is constant (5)")
    noted(
        SeriesFrame.from_table(pd.concat([table(unique_id="a"), table(unique_id="b").assign(y=1.0)])),
        "1 of 2 series",
    )


def test_an_empty_table_is_refused():
    refused(table().head(0), "no rows")


# Time


@pytest.mark.parametrize(
    ("freq", "rows"),
    [("h", 30), ("15min", 30), ("D", 30), ("B", 30), ("W-SAT", 30), ("MS", 30), ("ME", 30), ("QS-JAN", 9),
     ("QE-DEC", 9), ("YS-JAN", 9), ("YE-DEC", 9), ("2h", 9), ("3D", 9), ("2MS", 9), ("2W-SUN", 9), ("s", 9)],
)  # fmt: skip
def test_the_step_is_read_and_goes_on(freq, rows):
    whole = table(rows + 3, freq)
    frame = SeriesFrame.from_table(whole.head(rows))
    assert frame.freq == freq
    assert list(frame.next_times(3)["ds"]) == list(whole["ds"].tail(3))


def test_gaps_become_missing_rows():
    frame = SeriesFrame.from_table(table(40, "MS").drop(index=[5, 6, 20]))
    assert frame.lengths.tolist() == [40]
    assert frame.freq == "MS"
    assert np.flatnonzero(frame.table["y"].isna()).tolist() == [5, 6, 20]
    assert frame.table["y"].dropna().tolist() == table(40).drop(index=[5, 6, 20])["y"].tolist()
    assert list(frame.table["ds"]) == list(table(40, "MS")["ds"])
    noted(frame, "3 time stamps are missing", "3 of 40 values")


def test_gaps_of_several_series_and_text():
    parts = [table(rows, "h", unique_id=name, wind=list("abcdef"[:rows])) for name, rows in (("p", 6), ("q", 5))]
    frame = SeriesFrame.from_table(pd.concat(parts, ignore_index=True).drop(index=[2, 8]), past_covariates="wind")
    assert frame.lengths.tolist() == [6, 5]
    assert frame.table["wind"].fillna("-").str.cat() == "ab-defab-de"
    assert frame.table["y"].fillna(-1).tolist() == [0.5, 1.5, -1, 3.5, 4.5, 5.5, 0.5, 1.5, -1, 3.5, 4.5]


def test_off_grid_rows_are_named_with_the_steps_found():
    bad = table(20, "h")
    bad.loc[7, "ds"] += pd.Timedelta("20min")
    bad.attrs["first_line"] = 2
    refused(bad, "'ds'", "irregular", "1 rows", "line 9", "0 days 01:20:00", "`freq`", "resample")
    refused(table(), "off the grid", freq="W-SUN")
    refused(table(), "'fortnight'", "`freq`", freq="fortnight")
    refused(
        pd.DataFrame({"ds": ["2024-01-01 00:00:00", "2024-01-01 00:00:01", "2033-01-01 00:00:00"], "y": 1.0}),
        "longer step",
    )
    refused(table(1), "`freq`")
    assert SeriesFrame.from_table(table(1), freq="D").freq == "D"


def test_a_stray_first_row_is_the_one_named():
    bad = table(20, "h")
    bad.loc[0, "ds"] += pd.Timedelta("20min")
    refused(bad, "1 rows", "row 0")


def test_duplicated_rows_are_named():
    bad = pd.concat([table(), table().iloc[[4]]], ignore_index=True)
    bad.attrs["first_line"] = 2
    refused(bad, "duplicated", "line 6", "line 14", "`id`")
    refused(bad.assign(unique_id="a"), "series 'a'", "leave one row per time stamp")


def test_unsorted_rows_are_sorted_and_noted():
    frame = SeriesFrame.from_table(table().iloc[::-1])
    assert frame.table["y"].tolist() == table()["y"].tolist()
    noted(frame, "sorted")


def test_time_zones():
    zoned = table(30, "h")
    zoned["ds"] = zoned["ds"].dt.tz_localize("Europe/Berlin")
    frame = SeriesFrame.from_table(zoned)
    assert str(frame.table["ds"].dt.tz) == "Europe/Berlin"
    assert frame.times()[0] == pd.Timestamp("2024-01-01").timestamp()  # the clock on the wall
    mixed = pd.DataFrame({"ds": ["2024-01-01T00:00+01:00", "2024-01-01T01:00+02:00"], "y": [1.0, 2.0]})
    refused(mixed, "duplicated", "2023-12-31 23:00:00+00:00")  # offsets name instants, which are read as UTC
    refused(mixed.assign(ds=["2024-01-01T00:00+01:00", "2024-01-01T01:00"]), "with and without a time zone", "none")


def test_days_go_on_over_the_change_to_summer_time():
    zoned = pd.DataFrame({"ds": pd.date_range("2024-03-20", periods=20, freq="D", tz="Europe/Berlin"), "y": 1.0})
    frame = SeriesFrame.from_table(zoned.drop(index=11))
    assert (frame.freq, frame.lengths[0]) == ("D", 20)
    assert list(frame.table["ds"]) == list(zoned["ds"])
    hours = pd.DataFrame({"ds": pd.date_range("2024-03-30", periods=50, freq="h", tz="Europe/Berlin"), "y": 1.0})
    assert SeriesFrame.from_table(hours).next_times(1)["ds"].iloc[0] == hours["ds"].iloc[-1] + pd.Timedelta("1h")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1-01", "1-02"], ("'1-01'", "no year", "row 0", "`time` to 'none'")),
        (["2024-01-01", "soon"], ("'soon'", "row 1", "`time` to 'none'")),
        (["2024-01-01", None], ("empty cell", "row 1")),
        ([1.5, 2.5], ("1.5", "row 0")),
    ],
)
def test_cells_that_are_no_time(cells, words):
    refused(pd.DataFrame({"ds": cells, "y": [1.0, 2.0]}), "'ds'", *words)


@pytest.mark.parametrize(
    ("cells", "first", "freq"),
    [
        (["2016-07-01 00:00:00", "2016-07-01 01:00:00"], "2016-07-01", "h"),
        (["2016-07-01", "2016-07-01 12:00"], "2016-07-01", "12h"),
        (["25/12/2023", "26/12/2023"], "2023-12-25", "D"),
        (["01.02.2024", "02.02.2024"], "2024-02-01", "D"),
        (["12/25/2023", "12/26/2023"], "2023-12-25", "D"),
        (["Jan 2020", "Feb 2020"], "2020-01-01", "MS"),
        ([20200131, 20200201], "2020-01-31", "D"),
        ([202012, 202101], "2020-12-01", "MS"),
    ],
)
def test_ways_to_write_time(cells, first, freq):
    frame = SeriesFrame.from_table(pd.DataFrame({"ds": cells, "y": [1.0, 2.0]}))
    assert frame.table["ds"].iloc[0] == pd.Timestamp(first)
    assert frame.freq == freq


def test_whole_numbers_count_steps():
    years = pd.DataFrame({"YEAR": [1700.0, 1701.0, 1703.0, 1704.0], "y": [1.0, 2.0, 3.0, 4.0]})
    frame = SeriesFrame.from_table(years, time="YEAR")
    assert (frame.freq, frame.lengths[0]) == (1, 5)
    assert frame.next_times(2)["YEAR"].tolist() == [1705, 1706]
    assert frame.times().tolist() == [1700, 1701, 1702, 1703, 1704]
    tens = SeriesFrame.from_table(years.assign(YEAR=[10, 20, 30, 50]), time="YEAR")
    assert (tens.freq, tens.lengths[0]) == (10, 5)
    refused(years.assign(YEAR=[10, 20, 30, 35]), "irregular", "row 3 (35)", "10 (2 times)", time="YEAR")
    refused(years, "whole numbers", time="YEAR", freq="h")


# Numbers of steps


FREQS = ["h", "15min", "7h", "D", "3D", "B", "W-SAT", "2W-SUN", "MS", "ME", "2MS", "QS-FEB", "YE-DEC", "2YS-JAN"]


@settings(max_examples=60, deadline=None)
@given(
    freq=st.sampled_from(FREQS),
    start=st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2100-01-01")),
    dropped=st.integers(0, 5),
    appended=st.integers(0, 9),
)
def test_last_steps_depend_on_the_time_stamp_alone(freq, start, dropped, appended):
    stamps = pd.date_range(start.replace(microsecond=0), periods=7 + appended, freq=freq, unit="us")
    rows = pd.DataFrame({"ds": stamps, "y": 1.0})
    whole = SeriesFrame.from_table(rows.head(7), freq=freq)
    later = SeriesFrame.from_table(rows.iloc[dropped:7], freq=freq)
    longer = SeriesFrame.from_table(rows, freq=freq)
    assert whole.last_steps().dtype == np.int64
    assert later.last_steps() == whole.last_steps()
    assert longer.last_steps() == whole.last_steps() + appended


@pytest.mark.parametrize(
    ("stamp", "freq", "steps"),
    [
        ("1970-01-01", "h", 0),
        ("1970-01-02", "h", 24),
        ("1969-12-31", "D", -1),
        ("1970-01-05", "B", 2),
        ("1970-01-10", "W-SAT", 2),
        ("2000-03-01", "MS", 362),
        ("2000-03-31", "ME", 363),
        ("1950-01-01", "YS-JAN", -20),
    ],
)
def test_steps_are_counted_from_1970(stamp, freq, steps):
    rows = pd.DataFrame({"ds": [stamp], "y": [1.0]})
    assert SeriesFrame.from_table(rows, freq=freq).last_steps().tolist() == [steps]


def test_last_steps_of_several_series_of_counts_and_of_numbered_rows():
    frame = SeriesFrame.from_table(many())
    assert frame.last_steps().tolist() == [473_352 + hours for hours in (4, 5, 3)]
    counted = pd.DataFrame({"YEAR": [1700, 1710, 1720], "y": 1.0})
    assert SeriesFrame.from_table(counted, time="YEAR").last_steps().tolist() == [172]
    assert SeriesFrame.from_table(counted, time="YEAR", freq=5).last_steps().tolist() == [344]
    assert SeriesFrame.from_table(counted, time="none", target="y").last_steps().tolist() == [3]
    zoned = table(30, "D").assign(ds=lambda rows: rows["ds"].dt.tz_localize("Europe/Berlin"))
    assert SeriesFrame.from_table(zoned).last_steps() == SeriesFrame.from_table(table(30, "D")).last_steps()


def test_a_frame_is_described_in_one_line():
    frame = SeriesFrame.from_table(table(1200), source="sales.csv")
    assert repr(frame) == "SeriesFrame('sales.csv': 1,200 rows, 1 series, freq 'D', target 'y')"
    assert repr(SeriesFrame.from_table(table(z=1.0), target=["y", "z"])).endswith("freq 'D', targets 'y', 'z')")


# Series


def many():
    parts = [table(rows, "h", unique_id=name) for name, rows in (("H10", 4), ("H2", 6), ("H1", 5))]
    return pd.concat(parts, ignore_index=True)


def test_series_stand_in_natural_order():
    frame = SeriesFrame.from_table(many())
    assert frame.ids == ["H1", "H2", "H10"]
    assert frame.lengths.tolist() == [5, 6, 4]
    assert frame.select(["H10"]).lengths.tolist() == [4]
    with pytest.raises(InputError, match=r"'H3'.*'H1', 'H2', 'H10'"):
        frame.select(["H3"])


def test_head_keeps_first_rows_and_drops_empty_series():
    frame = SeriesFrame.from_table(many())
    head = frame.head([2, 0, 3])
    assert (head.ids, head.lengths.tolist()) == (["H1", "H10"], [2, 3])
    assert head.table["y"].tolist() == [0.5, 1.5, 0.5, 1.5, 2.5]
    assert len(head.next_times(2)) == 4
    with pytest.raises(ValueError, match="3 series"):
        frame.head([1])


def test_rows_of_series_are_counted_apart():
    mixed = pd.DataFrame({"unique_id": ["a", "b", "a", "b", "a"], "y": [1.0, 10.0, 2.0, 20.0, 3.0]})
    frame = SeriesFrame.from_table(mixed)
    assert frame.table["row"].tolist() == [0, 1, 2, 0, 1]
    assert frame.table["y"].tolist() == [1.0, 2.0, 3.0, 10.0, 20.0]
    refused(mixed.assign(unique_id=["a", None, "a", "b", "a"]), "'unique_id'", "row 1")


def test_rows_beyond_the_last_target_go_ahead_or_away():
    rows = table(holiday=0.0)
    rows.loc[[0, 10, 11], "y"] = np.nan
    cut = SeriesFrame.from_table(rows)
    assert (cut.lengths.tolist(), cut.ahead) == ([9], None)
    noted(cut, "1 rows before", "2 rows after the last observed target are dropped")
    kept = SeriesFrame.from_table(rows, future_covariates="holiday")
    assert kept.lengths.tolist() == [9]
    assert kept.ahead["ds"].tolist() == rows["ds"].tail(2).tolist()
    assert list(kept.ahead.columns) == list(kept.table.columns)
    assert kept.head([5]).ahead is None


def test_a_series_without_a_target_is_dropped_and_noted():
    rows = many()
    rows.loc[rows["unique_id"] == "H2", "y"] = np.nan
    frame = SeriesFrame.from_table(rows)
    assert frame.ids == ["H1", "H10"]
    noted(frame, "1 series without")


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(15)))
def test_the_order_of_rows_changes_nothing(order):
    frame, shuffled = SeriesFrame.from_table(many()), SeriesFrame.from_table(many().iloc[order])
    pd.testing.assert_frame_equal(frame.table, shuffled.table)
    assert data_hash(frame) == data_hash(shuffled)


def test_the_hash_stays_and_sees_every_change():
    frame = SeriesFrame.from_table(table(wind="NW"), past_covariates="wind")
    assert data_hash(frame) == "bab9baae5a02148b1206102634bbe8f8a6465c70223c5f5f4f9868eb64e44376"
    changed = [
        table(wind="SE"),
        table(wind="NW").assign(y=1.0),
        table(wind="NW", freq="h"),
        table(11, wind="NW"),
    ]
    hashes = {data_hash(SeriesFrame.from_table(other, past_covariates="wind")) for other in changed}
    assert len(hashes | {data_hash(frame)}) == 5


def test_the_users_table_is_left_alone():
    rows = table().iloc[::-1]
    before = rows.copy()
    SeriesFrame.from_table(rows.drop(index=3))
    pd.testing.assert_frame_equal(rows, before)


def test_stamps_within_the_month_are_moved_to_its_first_day():
    cells = ["2024-01-15", "2024-02-15", "2024-03-15", "2024-05-15"]
    frame = SeriesFrame.from_table(pd.DataFrame({"ds": cells, "y": [1.0, 2.0, 3.0, 4.0]}))
    assert (frame.freq, frame.lengths[0]) == ("MS", 5)
    assert frame.table["ds"].iloc[0] == pd.Timestamp("2024-01-01")
    noted(frame, "day 15", "first of the month")


def test_large_whole_numbers_are_unix_time():
    frame = SeriesFrame.from_table(pd.DataFrame({"ds": [1_700_000_000, 1_700_003_600], "y": [1.0, 2.0]}))
    assert (frame.freq, frame.times()[0]) == ("h", 1_700_000_000)
    noted(frame, "Unix time (s)")


# Season


@pytest.mark.parametrize(("period", "freq"), [(12, "MS"), (24, "h"), (52, "W"), (24, "s"), (17, "h")])
def test_a_season_under_noise_and_trend_is_found(period, freq):
    steps = np.arange(20 * period)
    noise = np.random.default_rng(0).normal(size=len(steps))
    wave = np.sin(2 * np.pi * steps / period) + 0.4 * noise + 0.02 * steps
    wave[30:35] = np.nan
    assert detect_season(SeriesFrame.from_table(table(len(steps), freq).assign(y=wave))) == period


def test_noise_and_wandering_have_no_season():
    generator = np.random.default_rng(0)
    found = []
    for _ in range(20):
        noise = generator.normal(size=600)
        found += [detect_season(SeriesFrame.from_table(pd.DataFrame({"y": y}))) for y in (noise, noise.cumsum())]
        found.append(detect_season(SeriesFrame.from_table(table(600, "MS").assign(y=noise.cumsum()))))
    assert sum(season > 1 for season in found) <= 1
    assert detect_season(SeriesFrame.from_table(table(60).assign(y=1.0))) == 1
    assert detect_season(SeriesFrame.from_table(table(2))) == 1


def test_natural_periods():
    assert natural_periods("10min") == (144, 1008)
    assert [natural_periods(freq) for freq in ("QE-DEC", "BME", "2MS", "YS-JAN", 1)] == [
        (4,),
        (12,),
        (6,),
        (),
        (),
    ]
