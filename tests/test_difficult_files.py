"""Real files of people who forecast: each kind of difficulty is read right or refused in a sentence that leads on.

docs/difficult-files.md lists the cases. Inputs are made up; the kinds come from public bug reports.
"""

import io
import json

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.errors import InputError
from recurra.frames import SeriesFrame
from recurra.predictor import Predictor
from recurra.predictor.persistence import load_schema

WAVE = 100 + 10 * np.sin(np.arange(120) * np.pi / 6)
MONTHS = pd.date_range("2010-01-01", periods=120, freq="MS")
WEEKS = pd.date_range("2017-01-02", periods=130, freq="W-MON")
ISO = WEEKS.isocalendar()
HOURS = pd.date_range("2020-10-20", periods=300, freq="h", tz="Europe/Berlin")  # over the end of summer time


def series(times, values=None, **more):
    values = np.arange(len(times)) % 7 + 1.5 if values is None else values
    return pd.DataFrame({"date": times, "y": values, **more})


def months_on(day):
    return [stamp.replace(day=min(day, stamp.days_in_month)) for stamp in MONTHS]


def stores():
    days = pd.date_range("2020-01-01", periods=60)
    parts = [series(days, store=store, item=item) for store in (1, 2) for item in ("01", "02")]
    return pd.concat(parts, ignore_index=True)


def write(folder, table, name="t.csv", **options):
    path = folder / name
    if isinstance(table, str):
        path.write_text(table, encoding="utf-8")
    elif path.suffix == ".xlsx":
        table.to_excel(path, index=False)
    elif path.suffix == ".jsonl":
        table.to_json(path, orient="records", lines=True, date_format="iso")
    else:
        table.to_csv(path, index=False, **options)
    return path


# Name → table, roles, step, time of the first forecast. Whatever is read must be read again at prediction, too.
READ = {
    "months, day first": (series(MONTHS.strftime("%d/%m/%Y"), WAVE), {}, "MS", "2020-01-01"),
    "days, day first": (
        series(pd.date_range("2020-04-01", periods=193).strftime("%d-%m-%Y")),
        {},
        "D",
        "2020-10-11",
    ),
    "days, month first": (
        series(pd.date_range("2020-04-01", periods=193).strftime("%m/%d/%Y")),
        {},
        "D",
        "2020-10-11",
    ),
    "days with points": (series(pd.date_range("2020-04-01", periods=193).strftime("%d.%m.%Y")), {}, "D", "2020-10-11"),
    "months on the 3rd": (series(months_on(3), WAVE), {}, "MS", "2020-01-01"),
    "months on the 30th": (series(months_on(30), WAVE), {}, "MS", "2020-01-01"),
    "months on the 3rd, freq given": (series(months_on(3), WAVE), {"freq": "MS"}, "MS", "2020-01-01"),
    "middle of months": (
        series([stamp + pd.Timedelta(days=stamp.days_in_month / 2) for stamp in MONTHS], WAVE),
        {},
        "MS",
        "2020-01-01",
    ),
    "last working days": (series(pd.date_range("2010-01-01", periods=120, freq="BME")), {}, "BME", "2020-01-31"),
    "weeks as numbers": (series((ISO.year * 100 + ISO.week).to_numpy()), {}, "W-MON", "2019-07-01"),
    "ISO weeks": (
        series([f"{y}-W{w:02d}" for y, w in zip(ISO.year, ISO.week, strict=True)]),
        {},
        "W-MON",
        "2019-07-01",
    ),
    "year and week": (
        pd.DataFrame({"year": ISO.year.to_numpy(), "week": ISO.week.to_numpy(), "y": np.arange(130) % 7}),
        {"time": "year,week"},
        "W-MON",
        "2019-07-01",
    ),
    "quarters": (
        series([f"Q{q.quarter} {q.year}" for q in pd.date_range("1990", periods=80, freq="QS")]),
        {},
        "QS-JAN",
        "2010-01-01",
    ),
    "quarters before the year": (
        series([f"{q}-{year}" for year in range(2010, 2025) for q in (1, 2, 3, 4)]),
        {},
        "QS-JAN",
        "2025-01-01",
    ),
    "months with a year of two digits": (
        series(pd.date_range("1949-01", periods=80, freq="MS").strftime("%b-%y")),
        {},
        "MS",
        "1955-09-01",
    ),
    "months over the turn of the century": (
        series(pd.date_range("1998-01", periods=80, freq="MS").strftime("%b %y")),
        {},
        "MS",
        "2004-09-01",
    ),
    "quarters with a slash": (
        series([f"Q{q.quarter}/{q.year}" for q in pd.date_range("1990", periods=80, freq="QS")]),
        {},
        "QS-JAN",
        "2010-01-01",
    ),
    "year and quarter": (
        pd.DataFrame({"year": np.repeat(range(1990, 2010), 4), "quarter": [1, 2, 3, 4] * 20, "y": np.arange(80) % 4}),
        {},
        "QS-JAN",
        "2010-01-01",
    ),
    "date and clock": (
        pd.DataFrame(
            {
                "Date": HOURS.tz_localize(None).strftime("%d/%m/%Y")[:100],
                "Time": HOURS.tz_localize(None).strftime("%H:%M:%S")[:100],
                "y": np.arange(100) % 24,
            }
        ),
        {"time": "Date,Time"},
        "h",
        "2020-10-24 04:00",
    ),
    "two offsets": (series([stamp.isoformat() for stamp in HOURS]), {}, "h", "2020-11-01 10:00+00:00"),
    "spreadsheet months": (
        series((MONTHS - pd.Timestamp("1899-12-30")).days, WAVE),
        {},
        "MS",
        "2020-01-01",
    ),
    "spreadsheet hours": (series([round(43831 + i / 24, 4) for i in range(300)]), {}, "h", "2020-01-13 12:00"),
    "Unix seconds": (series([1577836800 + 3600 * i for i in range(300)]), {}, "h", "2020-01-13 12:00"),
    "midnight as 24:00": (
        series(
            [
                f"{day:%Y-%m-%d} {hour:02d}:00"
                for day in pd.date_range("2020-01-01", periods=10)
                for hour in range(1, 25)
            ]
        ),
        {},
        "h",
        "2020-01-11 01:00",
    ),
    "ids on weekdays of their own": (
        pd.concat(
            [series(pd.date_range(first, periods=60, freq="7D"), id=first) for first in ("2015-01-01", "2015-01-04")]
        ),
        {"id": "id"},
        "7D",
        "2016-02-25",
    ),
    "two columns of ids": (stores(), {"id": "store,item"}, "D", "2020-03-01"),
    "mixed covariate": (
        series(pd.date_range("2020-01-01", periods=90), holiday=["b" if i % 40 == 3 else "0" for i in range(90)]),
        {"past_covariates": "holiday"},
        "D",
        "2020-03-31",
    ),
    "a gap of every kind": (
        series(pd.date_range("2020-01-01", periods=90), np.where(np.arange(90) % 17 == 5, np.nan, np.arange(90))),
        {},
        "D",
        "2020-03-31",
    ),
}


def tail(table, roles, rows):
    """The last rows of each series, as they stand in the file."""
    id = roles.get("id")
    columns = [] if id is None else id.split(",")
    return table.groupby(columns, sort=False).tail(rows) if columns else table.tail(rows)


@pytest.mark.parametrize("name", READ)
def test_what_is_read_in_training_is_read_alike_at_prediction(name, tmp_path):
    table, roles, freq, first = READ[name]
    path = write(tmp_path, table)
    frame = recurra.load(path, task="forecast", **roles)
    assert frame.freq == freq
    assert pd.Timestamp(frame.next_times(1).iloc[0, 1]) == pd.Timestamp(first)
    fitted = recurra.fit(frame, family="drift", horizon=3, lookback=14, season=1)
    kept = load_schema(json.loads(json.dumps(fitted.predictor.schema.to_config())))  # as beside an exported model
    model = Predictor(kept, fitted.predictor.model, "forecast")
    expected = fitted.predictor.predict(frame)
    pd.testing.assert_frame_equal(model.predict(path), expected)
    newest = write(tmp_path, tail(table, roles, 14), "newest.csv")
    pd.testing.assert_frame_equal(model.predict(newest), expected)


def test_an_order_that_the_first_day_gives_away_is_kept_for_days_that_do_not(tmp_path):
    days = pd.date_range("2020-03-20", periods=100)
    table = series(days.strftime("%d/%m/%Y"), np.arange(100.0))
    frame = recurra.load(table)
    assert "are read as day/month/year" in " ".join(frame.notes)
    model = recurra.fit(frame, family="naive", horizon=1, lookback=4, season=1).predictor
    early = write(tmp_path, table.iloc[:23])  # up to 11 April
    assert model.predict(early)["date"].tolist() == [pd.Timestamp("2020-04-12")]
    assert model.predict(write(tmp_path, table.iloc[12:23]))["date"].tolist() == [pd.Timestamp("2020-04-12")]


# Name → text or table, roles, words of the refusal.
REFUSED = {
    "the first four months of each year": (
        series([f"2010-0{m}-01".replace("2010", str(year)) for year in range(2010, 2025) for m in (1, 2, 3, 4)]),
        {},
        ("65% of the axis", "quarters", "`freq`"),
    ),
    "days without a year": (
        series(pd.date_range("2011-01-01", periods=40).strftime("%b-%d")),
        {},
        ("the text 'Jan-01'", "line 2", "1949-01"),
    ),
    "a January each year in two digits": (
        series([f"Jan-{year:02d}" for year in range(1, 25)]),
        {},
        ("the text 'Jan-01'", "line 2", "1949-01"),
    ),
    "both orders are regular": (
        series([f"01/{month:02d}/2010" for month in range(1, 13)]),
        {},
        ("month/day/year (a step of D)", "day/month/year (a step of MS)", "`freq`"),
    ),
    "a daily and a monthly id": (
        pd.concat(
            [
                series(pd.date_range("2015-01-01", periods=700), id="shop"),
                series(pd.date_range("2015-01-01", periods=24, freq="MS"), id="region"),
            ]
        ),
        {"id": "id"},
        ("different steps", "'region' every 31 days", "'shop' every day,"),
    ),
    "a comma with two meanings": (
        "date;visits\n" + "".join(f"2020-01-{day:02d};1,{400 + day}\n" for day in range(1, 30)),
        {},
        ("'1,401' in line 2", "1401", "1.401", "`decimal`"),
    ),
    "per cent": (
        "date,visits\n" + "".join(f"2020-01-{day:02d},{day}.5%\n" for day in range(1, 30)),
        {},
        ("'visits'", "'1.5%'", "line 2"),
    ),
    "one cell of another form": (
        "date;visits\n2020-01-01;998,00\n2020-01-02;1.49,00\n2020-01-03;12,50\n",
        {"target": "visits"},
        ("'1.49,00'", "line 3"),
    ),
    "days as columns": (
        pd.DataFrame({"id": ["a", "b"], **{f"d_{day}": [1.0, 2.0] for day in range(1, 60)}}),
        {},
        ("one series per row", "melt"),
    ),
    "two series without an id": (
        stores(),
        {"id": "store"},
        ("duplicated", "`id`, such as store,item"),
    ),
    "53 weeks where there are 52": (series([201751, 201752, 201753, 201801]), {"freq": "W-MON"}, ("freq",)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_form_and_a_way(name, tmp_path):
    table, roles, words = REFUSED[name]
    with pytest.raises(InputError) as caught:
        recurra.load(write(tmp_path, table), task="forecast", **roles)
    for word in words:
        assert word in str(caught.value), str(caught.value)
    assert "remove" not in str(caught.value)


def test_the_step_decides_between_two_orders_of_day_and_month(tmp_path):
    path = write(tmp_path, REFUSED["both orders are regular"][0])
    months = recurra.load(path, task="forecast", freq="MS")
    days = recurra.load(path, task="forecast", freq="D")
    assert str(months.next_times(1)["date"][0].date()) == "2011-01-01"
    assert str(days.next_times(1)["date"][0].date()) == "2010-01-13"


# Numbers


@pytest.mark.parametrize(
    ("cells", "separator", "numbers", "note"),
    [
        (["998", "1,494", "1,554"], "\t", [998, 1494, 1554], "between thousands"),
        (["998", "1,494", "1,554"], ";", [998, 1494, 1554], "between thousands"),
        (["998", '"1,494"', '"1,554"'], ",", [998, 1494, 1554], "between thousands"),
        (["1,494,000", "2,100,000.5", "3"], ";", [1494000, 2100000.5, 3], "between thousands"),
        (["0,673", "0,671", "12"], ";", [0.673, 0.671, 12], "decimal comma"),
        (["998,00", "1.494,00", "3,5"], ";", [998, 1494, 3.5], "decimal comma"),
        (["12,5", "13,25", "-1,5"], ";", [12.5, 13.25, -1.5], "decimal comma"),
        (["1 494", "998", "2\u00a0000,5"], ";", [1494, 998, 2000.5], "decimal comma"),
        (["1e3", "?", "5"], ";", [1000, np.nan, 5], ""),
    ],
)
def test_numbers_as_people_write_them(cells, separator, numbers, note, tmp_path):
    rows = "".join(f"2020-01-0{i + 1}{separator}{cell}\n" for i, cell in enumerate(cells))
    frame = recurra.load(write(tmp_path, f"date{separator}visits\n{rows}"), task="forecast")
    np.testing.assert_array_equal(frame.table["visits"], numbers)
    assert note in " ".join(frame.notes)


def test_the_meaning_of_a_comma_can_be_said_and_is_kept(tmp_path):
    text = "date;visits\n" + "".join(f"2020-01-{day:02d};1,{400 + day}\n" for day in range(1, 30))
    path = write(tmp_path, text)
    for decimal, first in ((",", 1.401), (".", 1401)):
        frame = recurra.load(path, task="forecast", decimal=decimal)
        assert frame.table["visits"][0] == first
        fitted = recurra.fit(frame, family="naive", horizon=1, lookback=2, season=1)
        assert fitted.predictor.predict(path)["visits"][0] == pytest.approx(first * 1429 / 1401)
    with pytest.raises(InputError, match="`decimal` must be"):
        recurra.load(path, decimal="'")


def test_lines_before_the_header(tmp_path):
    text = "# a file\n# units, kW, of, things\ntime,el\n2020-01-01,1\n2020-01-02,x\n"
    with pytest.raises(InputError, match="line 5"):
        recurra.load(write(tmp_path, text), target="el")
    for wrong in ("2020-01-02,2,3", "2020-01-02"):  # too many fields, too few
        with pytest.raises(InputError, match="line 5 has"):
            recurra.load(write(tmp_path, text.replace("2020-01-02,x", wrong)), target="el")
    frame = recurra.load(write(tmp_path, text.replace("x", "2")))
    assert "2 lines before the header" in " ".join(frame.notes)
    header = recurra.load(write(tmp_path, "#date,y\n2020-01-01,1\n2020-01-02,2\n"), time="#date")
    assert len(header.table) == 2
    one = recurra.load(write(tmp_path, text.partition("\n")[2].replace("x", "2")))
    assert "1 line before the header of" in " ".join(one.notes)


@pytest.mark.parametrize("memory", [None, "500B"])
def test_a_line_of_another_width_is_named_behind_texts_of_several_lines(tmp_path, memory):
    text = "review,stars\n" + '"two\nlines",good\none line,bad\n' * 20
    for line, said in (("a,good,3", "3 fields .* needs quotation marks"), ("a", "1 field .* keep its separator")):
        path = write(tmp_path, text + line + "\n")
        with pytest.raises(InputError, match=f"line 62 has {said}"):
            recurra.load(path, text="review", label="stars", memory=memory)


# Ids are names


IDS = ["007", "07", "7", "1e0", "1.0", "20230101123456789001", "20230101123456789002", "NA", "ß, x"]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl", "t.xlsx"])
def test_ids_stay_as_they_are_written(name, tmp_path):
    days = pd.date_range("2020-01-01", periods=12).strftime("%Y-%m-%d")
    table = pd.concat([series(days, np.arange(12.0) + 100 * i, sku=id) for i, id in enumerate(IDS)])
    path = write(tmp_path, table, name, **({"sep": "\t"} if name == "t.tsv" else {}))
    frame = recurra.load(path, id="sku")
    assert sorted(frame.ids) == sorted(IDS)
    fitted = recurra.fit(frame, family="naive", horizon=1, lookback=2, season=1)
    found = fitted.predictor.predict(path).set_index("sku")["y"]
    assert {id: found[id] for id in IDS} == {id: 100.0 * i + 11 for i, id in enumerate(IDS)}


def test_ids_are_sorted_as_people_number_them(tmp_path):
    table = pd.concat(
        [series(pd.date_range("2020", periods=4), unique_id=id) for id in ("10", "9", "010", "a2", "a10")]
    )
    assert recurra.load(write(tmp_path, table)).ids == ["9", "010", "10", "a2", "a10"]


def test_several_columns_of_ids_come_back(tmp_path):
    path = write(tmp_path, stores())
    frame = recurra.load(path, id=["store", "item"])
    predicted = recurra.fit(frame, family="naive", horizon=1, lookback=2, season=1).predictor.predict(path)
    assert list(predicted.columns[:3]) == ["store", "item", "date"]
    assert list(zip(predicted["store"], predicted["item"], strict=True)) == [
        ("1", "01"),
        ("1", "02"),
        ("2", "01"),
        ("2", "02"),
    ]


def test_ids_may_be_tuples():
    table = pd.concat([series(pd.date_range("2020", periods=12), id=[("a", i)] * 12) for i in (2, 1)])
    frame = recurra.load(table, id="id")
    assert frame.ids == [("a", 1), ("a", 2)]
    assert len(recurra.fit(table, id="id", family="naive", horizon=2).predictor.predict(table)) == 4


# Precision and size


def forecasts(values, **settings):
    times = pd.date_range("2020-01-01", periods=len(values[0]), freq="h")
    parts = [series(times, v, unique_id=str(i)) for i, v in enumerate(values)]
    frame = recurra.load(pd.concat(parts, ignore_index=True))
    own = {"family": "linear", "max_epochs": 3, "horizon": 4, "lookback": 24, "season": 24} | settings
    return recurra.fit(frame, **own).predictor.predict(frame).drop(columns=["unique_id", "date"]).to_numpy()


def noisy(n=200, seed=0):
    random = np.random.default_rng(seed)
    return np.round(100 + 10 * np.sin(np.arange(n) * np.pi / 12) + random.normal(size=n), 3)


@pytest.mark.parametrize("level", [1e9, 6_779_547_000])
@pytest.mark.parametrize("many", [False, True])
def test_a_level_added_to_every_value_is_added_to_every_forecast(level, many):
    values = [noisy(), 0.5 * noisy(seed=1)] if many else [noisy()]
    plain = forecasts(values)
    np.testing.assert_allclose(forecasts([v + level for v in values]) - level, plain, atol=0.02)
    assert np.ptp(plain) > 1


def test_a_level_changes_no_metric_and_no_verdict():
    def compared(level):
        frame = recurra.load(series(pd.date_range("2020", periods=200, freq="h"), noisy() + level))
        own = {"families": ["linear"], "baselines": ["naive", "seasonal_naive"], "folds": 1, "seeds": 1}
        result = recurra.compare(frame, **own, max_epochs=3, horizon=4, lookback=24, season=24)
        return result.summary[["mase", "mae", "rmse", "coverage_80"]], result.verdict["worth_it"]

    (plain, verdict), (moved, other) = compared(0), compared(1e9)
    np.testing.assert_allclose(moved, plain, rtol=1e-3)
    assert verdict == other


def test_a_series_made_small_keeps_its_forecasts_and_intervals():
    small = 1e-7
    plain = forecasts([noisy(seed=i) * size for i, size in enumerate((1, 300, 5e4))])
    found = forecasts([noisy(seed=i) * size for i, size in enumerate((small, 300, 5e4))])
    np.testing.assert_allclose(found[:4] / small, plain[:4], rtol=1e-3)
    np.testing.assert_allclose(found[4:], plain[4:], rtol=1e-3)


def test_an_exported_model_keeps_a_large_level(tmp_path):
    frame = recurra.load(series(pd.date_range("2020", periods=200, freq="h"), noisy() + 6_779_547_000))
    fitted = recurra.fit(frame, family="linear", max_epochs=2, horizon=4, lookback=24, season=24)
    path = recurra.save_model(fitted.predictor, tmp_path / "m", frame)
    exported, own = recurra.load_model(path).predict(frame)["y"], fitted.predictor.predict(frame)["y"]
    np.testing.assert_allclose(exported - 6_779_547_000, own - 6_779_547_000, rtol=1e-4)
    assert own.nunique() == 4


def test_flat_windows_do_not_widen_the_intervals_of_others():
    """A window that never changes has no spread to measure an error by: one jump after it would count for ever."""
    random = np.random.default_rng(0)
    rare = np.zeros(200)
    rare[random.integers(0, 200, 6)] = 5.0
    found = forecasts([noisy(), rare])
    assert np.isfinite(found).all()
    assert (found[:4, 2] - found[:4, 1] < 100).all()


# Missing observations


@pytest.mark.parametrize("gap", [[115], [108], [119 - 5, 119 - 6], list(range(110, 118))])
def test_a_gap_in_the_newest_horizon_leaves_no_interval_empty(gap, tmp_path):
    values = WAVE.copy()
    values[gap] = np.nan
    frame = recurra.load(series(MONTHS, values))
    fitted = recurra.fit(frame, family="linear", max_epochs=1)
    found = recurra.load_model(recurra.save_model(fitted.predictor, tmp_path / "m", frame)).predict(frame)
    assert found.notna().all(axis=None)
    assert (found["y-hi-80"] > found["y-lo-80"]).all()
    assert "neighbouring steps" in " ".join(fitted.notes)


# What a model is asked with


def test_short_series_are_listed_and_the_others_forecast(tmp_path):
    def days(n, id):
        return series(pd.date_range("2020-01-01", periods=n), id=id)

    path = write(tmp_path, pd.concat([days(200, f"long{i}") for i in range(3)] + [days(n, f"s{n}") for n in (1, 2, 5)]))
    frame = recurra.load(path, id="id")
    fitted = recurra.fit(frame, family="seasonal_naive")
    assert (fitted.task.horizon, fitted.task.lookback) == (7, 14)  # by the series that most rows belong to
    for source in (path, frame):
        read = fitted.predictor.read(source)
        assert read.ids == ["long0", "long1", "long2"]
        assert "3 of 6 series have fewer than the 14 rows" in read.notes[-1]
        assert "'s1', 's2', 's5'" in read.notes[-1]
        assert len(fitted.predictor.predict(source)) == 21
    with pytest.raises(InputError, match="reads the last 14"):
        fitted.predictor.predict(write(tmp_path, days(3, "x"), "short.csv"))


def test_newest_values_without_a_logarithm_are_refused_as_in_training(tmp_path):
    days = pd.date_range("2020-01-01", periods=100)
    fitted = recurra.fit(series(days), family="linear", max_epochs=1, transform="log", horizon=2, lookback=14, season=7)
    for worst in (0.0, -4.0):
        sold_out = series(days, np.r_[np.ones(97), [worst] * 3])
        with pytest.raises(InputError, match=rf"'y' is {worst:g} at 2020-04-07.*logarithm"):
            fitted.predictor.predict(write(tmp_path, sold_out))


def test_covariates_are_read_as_in_training(tmp_path):
    days = pd.date_range("2020-01-01", periods=90)
    own = {"family": "linear", "max_epochs": 1, "horizon": 2, "lookback": 14, "season": 7, "past_covariates": "open"}
    numeric = recurra.fit(series(days, open=np.arange(90) % 2), **own)
    words = series(days, open=np.where(np.arange(90) % 2, "yes", "no"))
    with pytest.raises(InputError, match=r"'open' holds the text 'no' in line 2 where a number was expected"):
        numeric.predictor.predict(write(tmp_path, words))
    texts = recurra.fit(words, **own)
    read = texts.predictor.read(series(days, open=["YES", "snow"] * 45))
    assert "'open' holds 'YES' (7 rows), 'snow' (7 rows), which no training row had" in " ".join(read.notes)


def test_stamps_at_which_nothing_was_ever_observed_are_said():
    half_hours = pd.date_range("2020-01-01", periods=3000, freq="30min")
    trading = half_hours[(half_hours.day_of_week < 5) & (half_hours.hour >= 11) & (half_hours.hour < 15)]
    trading = trading[: len(trading) // 8 * 8]  # whole days
    fitted = recurra.fit(series(trading), family="naive", horizon=8, lookback=16, season=1)
    assert "8 of the 8 time stamps ahead lie on weekdays or at hours" in " ".join(fitted.notes)


def test_the_place_where_time_runs_backwards_is_named(tmp_path):
    days = pd.date_range("2012-01-01", periods=60).strftime("%d/%m/%Y").tolist()
    days[40] = "10/02/2011"
    assert "first in line 42" in " ".join(recurra.load(write(tmp_path, series(days))).notes)


# Python


def test_tables_are_taken_everywhere():
    table = series(pd.date_range("2020-01-01", periods=60))
    assert isinstance(recurra.load(table), SeriesFrame)
    own = {"horizon": 2, "lookback": 14, "season": 7}
    assert len(recurra.fit(table, family="naive", **own).predictor.predict(table)) == 2
    result = recurra.compare(
        table, families=["linear"], baselines=["naive"], folds=1, seeds=1, max_epochs=1, **own, progress=False
    )
    assert len(repr(result)) < 300
    texts = recurra.load(
        pd.DataFrame({"text": ["a b", "c d"] * 9, "label": ["x", "y"] * 9}), text="text", label="label"
    )
    assert texts.task == "classification"
    with pytest.raises(InputError, match="a list was given"):
        recurra.load([1, 2])
    with pytest.raises(InputError, match=r"`family` must be one of .*'lstmm'; did you mean lstm"):
        recurra.fit(table, family="lstmm")


def test_progress_is_shown_where_somebody_looks(capsys):
    table = series(pd.date_range("2020-01-01", periods=60))
    own = {"family": "naive", "horizon": 2, "lookback": 14, "season": 7}
    recurra.fit(table, **own)
    assert capsys.readouterr().err == ""
    recurra.fit(table, **own, progress=True)
    assert "naive · final training" in capsys.readouterr().err


def test_forecasts_over_the_end_of_summer_time_can_be_read_back():
    frame = recurra.load(pd.DataFrame({"ds": HOURS, "y": np.arange(300) % 24}))
    fitted = recurra.fit(frame, family="naive", horizon=3, lookback=24, season=24)
    text = frame.table.to_csv(index=False)
    assert "+02:00" in text
    assert "+01:00" in text
    again = fitted.predictor.read(pd.read_csv(io.StringIO(text)))
    assert str(again.table["ds"].dt.tz) == "Europe/Berlin"
    pd.testing.assert_series_equal(again.next_times(3)["ds"], frame.next_times(3)["ds"])
