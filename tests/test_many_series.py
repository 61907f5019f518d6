"""Many series at once give what each gives alone, without a Python loop over them."""

import cProfile

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.seasonal import seasonal_decompose

import recurra
from recurra.baselines import FORECAST_BASELINES, ONE_BY_ONE, ManySeries, forecast_many
from recurra.errors import InputError
from recurra.evaluation import seasonal_scale, seasonal_scales
from recurra.frames.series.blocks import series_blocks
from recurra.frames.series.time_axis import _natural, _order_of_numbered, natural_order
from recurra.pipelines import SeriesPipeline
from recurra.tasks import Forecast
from recurra.tasks.forecast import MOST_FITTED_SERIES

NAN = np.nan
AT_ONCE = [name for name, baseline in FORECAST_BASELINES.items() if baseline.of_many is not None]


def ragged(n, seed=0):
    """Series of many lengths: with gaps, beginnings and ends never observed, constant ones, negative ones."""
    random = np.random.default_rng(seed)
    series = []
    for i in range(n):
        rows = np.arange(int(random.integers(1, 90)))
        y = np.exp(random.normal(3, 1)) * (1 + 0.3 * np.sin(np.pi * rows / 6) + 0.1 * random.normal(size=len(rows)))
        y -= y.mean() * (i % 7 == 3)
        y[random.random(len(y)) < 0.2 * (i % 3 == 1)] = NAN
        if i % 9 == 4:
            y[:] = 5.0
        y[: 5 * (i % 5 == 2)] = NAN
        y[len(y) - 4 * (i % 6 == 5) :] = NAN
        series.append(y)
    return series


# What was known at an origin and what follows from it, written down for one series, row by row.


def known(values, row, origin):
    if not np.isnan(values[row]):
        return values[row]
    before = [t for t in range(row) if not np.isnan(values[t])]
    after = [t for t in range(row, origin) if not np.isnan(values[t])]
    if not after:
        return values[before[-1]] if before else NAN
    if not before:
        return values[after[0]]
    share = (row - before[-1]) / (after[0] - before[-1])
    return values[before[-1]] + share * (values[after[0]] - values[before[-1]])


def one_naive(values, origin, first, horizon, season):  # noqa: ARG001
    return [known(values, origin - 1, origin)] * horizon


def one_seasonal_naive(values, origin, first, horizon, season):  # noqa: ARG001
    rows = [origin - season + h % season if origin >= season else origin - 1 for h in range(horizon)]
    return [known(values, row, origin) for row in rows]


def one_drift(values, origin, first, horizon, season):  # noqa: ARG001
    seen = np.flatnonzero(~np.isnan(values[:first]))
    slope = (values[seen[-1]] - values[seen[0]]) / (seen[-1] - seen[0]) if len(seen) > 1 else 0.0
    last = np.flatnonzero(~np.isnan(values[:origin]))
    return [values[last[-1]] + slope * (origin + h - last[-1]) if len(last) else NAN for h in range(horizon)]


def one_naive2(values, origin, first, horizon, season):
    begin = int(np.argmax(~np.isnan(values))) if (~np.isnan(values)).any() else len(values)
    values, origin, first = values[begin:], origin - begin, first - begin
    history = np.array([known(values, t, first) for t in range(max(first, 0))])
    factors, multiplicative = np.zeros(season), False
    if len(history) >= 3 * season and np.ptp(history) > 0:
        centred = history - history.mean()
        lags = np.array([centred[k:] @ centred[:-k] for k in range(1, season + 1)]) / (centred @ centred)
        if abs(lags[-1]) > 1.645 * np.sqrt((1 + 2 * np.sum(lags[:-1] ** 2)) / len(history)):
            multiplicative = history.min() > 0
            model = "multiplicative" if multiplicative else "additive"
            factors = seasonal_decompose(history, model=model, period=season).seasonal[:season]
    if origin <= 0:
        return [NAN] * horizon
    last, own = known(values, origin - 1, origin), factors[(origin - 1) % season]
    ahead = factors[(origin + np.arange(horizon)) % season]
    return last / own * ahead if multiplicative else last - own + ahead


ONE = {"naive": one_naive, "seasonal_naive": one_seasonal_naive, "drift": one_drift, "naive2": one_naive2}


def with_origins(series, seed=1):
    random, origins, of = np.random.default_rng(seed), [], []
    for i, values in enumerate(series):
        if i % 8 != 6:  # some have nothing to forecast
            mine = np.unique(random.integers(1, len(values) + 1, size=3))
            origins += mine.tolist()
            of += [i] * len(mine)
    lengths = np.array([len(values) for values in series])
    return ManySeries(np.concatenate(series), lengths, np.array(origins), np.array(of))


@pytest.mark.parametrize("season", [1, 4, 12])
@pytest.mark.parametrize("name", ONE)
def test_many_series_at_once_are_forecast_as_each_is_by_hand(name, season):
    many = with_origins(series := ragged(80))
    found = forecast_many(name, many, 7, season)
    for origin, i, forecast in zip(many.origins, many.series, found, strict=True):
        first = many.origins[many.series == i][0]
        expected = ONE[name](series[i], int(origin), int(first), 7, season)
        np.testing.assert_allclose(forecast, expected, rtol=1e-9, atol=1e-9, err_msg=f"series {i} at {origin}")


@pytest.mark.parametrize("name", [*AT_ONCE, "ets"])
def test_many_series_at_once_are_forecast_as_each_alone(name, monkeypatch):
    series = ragged(12 if name in ONE_BY_ONE else 60, seed=4)
    many = with_origins(series)
    found = forecast_many(name, many, 5, 6)
    monkeypatch.setattr("recurra.baselines.many_series._CELLS", 200)  # a few series together, in another order
    np.testing.assert_allclose(forecast_many(name, many, 5, 6), found, rtol=1e-5)
    for i in np.unique(many.series):
        mine = many.series == i
        alone = FORECAST_BASELINES[name](series[i], many.origins[mine], 5, 6)
        np.testing.assert_allclose(found[mine], alone, rtol=1e-5, err_msg=f"series {i}")


def test_the_unit_of_mase_of_many_series_is_that_of_each():
    series = [np.stack([values, values**2], axis=1) for values in ragged(60)]
    lengths = np.array([len(values) for values in series])
    counts = np.minimum(lengths, np.arange(60) + 1)
    found = seasonal_scales(np.concatenate(series), lengths, counts, 4)
    for values, count, scale in zip(series, counts, found, strict=True):
        np.testing.assert_allclose(scale, seasonal_scale(values[:count], 4), rtol=1e-12)
        sizes = np.abs(values[4:count] - values[: max(count - 4, 0)])
        if np.nansum(sizes[:, 0]) > 0:
            assert scale[0] == pytest.approx(np.nanmean(sizes[:, 0]))


def test_blocks_hold_every_series_once():
    lengths = np.array([3, 1, 50, 2, 2, 9, 1])
    blocks = list(series_blocks(lengths, rows=10))
    assert [(some.start, some.stop) for some, _ in blocks] == [(0, 2), (2, 3), (3, 5), (5, 7)]
    for some, rows in blocks:
        assert rows.stop - rows.start == lengths[some].sum()
    assert [rows.start for _, rows in blocks] == [0, 4, 54, 58]


@pytest.mark.parametrize(
    "labels",
    [
        ["H2", "H10", "H1", "H02"],
        ["b1", "a10", "a9", "B3"],
        ["10", "9", "09", "100"],
        ["a1b2", "a1b10", "a1b", "a"],
        ["x", "y1"],
        ["é1", "e2"],
        [3, 1, 2],
        ["a1\n", "a1"],
    ],
)
def test_names_with_numbers_are_sorted_as_people_count(labels):
    assert [labels[i] for i in natural_order(labels)] == sorted(labels, key=_natural)


def test_numbered_names_need_no_look_at_each():
    assert _order_of_numbered(["H2", "H1"]).tolist() == [1, 0]
    assert _order_of_numbered(["H2", "H1x"]) is None


def monthly(n):
    random = np.random.default_rng(2)
    lengths = random.integers(60, 80, n)
    ids = np.repeat(np.arange(n), lengths)
    number = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    months = np.datetime64("2000-01") + (80 - np.repeat(lengths, lengths) + number).astype("m8[M]")
    y = 50 + 10 * np.sin(np.pi * number / 6) + random.normal(size=len(number))
    y[random.random(len(y)) < 0.01] = NAN
    names = np.array([f"S{i}" for i in range(n)])
    return pd.DataFrame({"unique_id": names[ids], "ds": months.astype("M8[us]"), "y": y})


def calls(n, folder):
    """Function calls of everything before training, and of the baselines that need no library."""
    file = folder / f"{n}.parquet"
    monthly(n).to_parquet(file)
    profile = cProfile.Profile()
    profile.enable()
    frame = recurra.load(file)
    experiment = Forecast(horizon=6, lookback=12, season=12).open(frame)
    fold = experiment.prepare(0)
    fold.train, fold.validation, experiment.describe(), experiment.closing_notes()
    SeriesPipeline(lookback=12, horizon=6, calendar=("year",)).fit(frame).raw(frame)
    for name in AT_ONCE:
        fold.baseline(name, {}).evaluate()
        fold._fitted(name, {})
    profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


def test_no_python_loop_runs_over_the_series(tmp_path):
    calls(20, tmp_path)  # imports
    few, many = calls(200, tmp_path), calls(2000, tmp_path)
    # of each series its name is read and written a few times, and a view made of its rows
    assert (many - few) / 1800 < 40


def test_very_many_series_are_not_fitted_one_by_one():
    frame = recurra.frames.SeriesFrame.from_table(monthly(MOST_FITTED_SERIES + 1))
    assert set(ONE_BY_ONE) == {"arima", "ets"}
    assert Forecast.default_baselines(frame) == AT_ONCE
    assert Forecast.list_baselines(frame) == list(FORECAST_BASELINES)
    notes = Forecast(horizon=6, lookback=12, season=12).open(frame).notes
    assert any("arima and ets fit each series by itself" in note and "1,000" in note for note in notes)
    few = recurra.frames.SeriesFrame.from_table(monthly(3))
    assert set(ONE_BY_ONE) < set(Forecast.default_baselines(few))


def test_errors_of_one_among_many_series_name_it():
    table = monthly(300)
    table.loc[table["unique_id"] == "S17", "ds"] = table["ds"].iloc[0]
    with pytest.raises(InputError, match="series 'S17'"):
        recurra.frames.SeriesFrame.from_table(table)
