import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingRegressor
from statsmodels.datasets import co2
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.forecasting.theta import ThetaModel

import recurra.baselines.arima  # noqa: F401  (its function hides the module)
from recurra.baselines import (
    FORECAST_BASELINES,
    SeriesRows,
    drift,
    ets,
    fit_forecaster,
    load_state,
    naive,
    naive2,
    seasonal_naive,
    theta,
)
from recurra.baselines.boosted_trees import descend, trees_as_arrays
from recurra.baselines.graph_ops import GraphConstants
from recurra.baselines.seasonality import find_seasonality, is_seasonal
from recurra.baselines.theta import smoothing
from recurra.evaluation import mase, owa, seasonal_scale, smape

NAN = np.nan
every_baseline = pytest.mark.parametrize("name", list(FORECAST_BASELINES))


def wave(n=120, season=12, seed=0):
    """A season, a trend and noise, all positive: (n,)."""
    rows = np.arange(n)
    return 50 + 0.1 * rows + 10 * np.sin(2 * np.pi * rows / season) + np.random.default_rng(seed).normal(size=n)


# Numbers a hand can check.


def test_naive_repeats_the_last_observed_value():
    values = np.array([NAN, 1.0, 2.0, NAN, 5.0])
    forecast = naive(values, np.array([1, 2, 3, 4, 5]), 2, 1)
    np.testing.assert_array_equal(forecast[:, 0], [NAN, 1, 2, 2, 5])
    np.testing.assert_array_equal(forecast[:, 0], forecast[:, 1])


def test_seasonal_naive_repeats_the_last_season_even_beyond_it():
    forecast = seasonal_naive(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([2, 5]), 5, 3)
    np.testing.assert_array_equal(forecast, [[2, 2, 2, 2, 2], [3, 4, 5, 3, 4]])


def test_a_gap_is_interpolated_only_once_it_is_closed():
    values = np.array([10.0, NAN, 30.0, 40.0])
    forecast = seasonal_naive(values, np.array([2, 3, 4]), 2, 2)
    np.testing.assert_array_equal(forecast, [[10, 10], [20, 30], [30, 40]])


def test_drift_takes_its_slope_from_the_training_part_and_starts_at_the_last_observation():
    values = np.array([0.0, NAN, 4.0, 100.0, NAN, NAN])
    forecast = drift(values, np.array([3, 4, 6]), 2, 1)
    np.testing.assert_array_equal(forecast, [[6, 8], [102, 104], [106, 108]])


def test_naive2_removes_and_restores_the_season():
    factors = np.array([0.5, 1.0, 1.5])
    values = np.tile(factors, 20) * np.linspace(100, 100, 60)
    forecast = naive2(np.append(values, 60.0), np.array([60, 61]), 3, 3)
    np.testing.assert_allclose(forecast, [[50, 100, 150], [120, 180, 60]])


def test_naive2_adds_the_season_where_values_are_not_positive():
    values = np.tile([-1.0, 0.0, 1.0], 20)
    assert not find_seasonality(values, 3).multiplicative
    np.testing.assert_allclose(naive2(values, np.array([60]), 4, 3), [[-1, 0, 1, -1]], atol=1e-12)


def test_seasonality_needs_three_seasons_and_a_standing_autocorrelation():
    assert is_seasonal(wave(120), 12)
    short = np.tile([0.0, 0.0, 1.0, 0.0], 3)
    assert is_seasonal(short, 4)
    assert not is_seasonal(short[:11], 4)
    assert not is_seasonal(np.random.default_rng(1).normal(size=200), 12)
    assert not is_seasonal(wave(), 1)


# Against statsmodels' own forecasts.


@pytest.mark.parametrize("season", [1, 12])
def test_theta_equals_statsmodels(season):
    values = wave() if season > 1 else np.random.default_rng(3).normal(size=80).cumsum() + 0.3 * np.arange(80)
    peer = ThetaModel(values, period=season, deseasonalize=season > 1, method="mul").fit().forecast(20)
    # its optimiser ends near the constant with the least squared errors, ours on it
    np.testing.assert_allclose(theta(values, np.array([len(values)]), 20, season)[0], peer, rtol=3e-5)


def test_theta_smooths_with_the_constant_of_the_least_squared_errors():
    random = np.random.default_rng(6)
    series = [random.normal(size=n).cumsum() + random.normal(size=n) for n in (60, 90, 90, 240)]
    histories = np.full((4, 240), NAN)
    for row, values in zip(histories, series, strict=True):
        row[: len(values)] = values
    counts = np.array([len(values) for values in series])
    found = smoothing(histories, counts)
    many = smoothing(np.repeat(histories, 5, axis=0), np.repeat(counts, 5))  # across series, not along each
    np.testing.assert_allclose(many, np.repeat(found, 5), atol=1e-6)
    for values, alpha in zip(series, found, strict=True):

        def error(alpha, values=values):
            levels = [values[0]]
            for value in values[1:]:
                levels.append(levels[-1] + alpha * (value - levels[-1]))
            return float(((values[1:] - np.array(levels[:-1])) ** 2).sum())

        peer = ThetaModel(values, deseasonalize=False).fit().params["alpha"]
        assert error(alpha) <= min(error(peer), error(alpha + 1e-4), error(alpha - 1e-4))
        assert abs(alpha - peer) < 0.01


@pytest.mark.parametrize("trend", [(None, False), ("add", True), ("add", False)])
def test_ets_equals_statsmodels_with_the_same_states(trend, monkeypatch):
    monkeypatch.setattr(sys.modules["recurra.baselines.ets"], "TRENDS", (trend,))
    values = wave(150)
    models = []
    fit = ETSModel.fit

    def spy(self, **kwargs):
        models.append(fit(self, **kwargs))
        return models[-1]

    monkeypatch.setattr(ETSModel, "fit", spy)
    forecast = ets(values, np.array([120, 150]), 30, 12)
    best = models[0]  # the season is strong, so there is no other
    assert best.model.has_seasonal
    centre, spread = values[:120].mean(), values[:120].std()
    np.testing.assert_allclose(forecast[0], centre + spread * best.forecast(30), rtol=1e-9)
    # Later: the same parameters and initial states, filtered on through the 30 rows that came.
    form = ("trend", "damped_trend", "seasonal", "seasonal_periods")
    states = ("initial_level", "initial_trend", "initial_seasonal")
    known = {name: getattr(best.model, name) for name in (*form, *states)}
    later = ETSModel((values - centre) / spread, initialization_method="known", **known).smooth(best.params)
    np.testing.assert_allclose(forecast[1], centre + spread * later.forecast(30), rtol=1e-9)


def test_ets_does_not_take_noise_for_a_season():
    noise = np.random.default_rng(2).normal(size=120)
    forecast = ets(noise, np.array([120]), 40, 40)[0]
    assert np.ptp(forecast) < 0.2


# What every baseline promises.


@every_baseline
@pytest.mark.parametrize("season", [1, 12])
def test_nothing_after_an_origin_reaches_its_forecast(name, season):
    values = wave(160)
    values[[30, 31, 70, 99, 105, 119, 120, 139]] = NAN
    origins = np.array([100, 101, 106, 119, 120, 121, 122, 140])
    forecast = FORECAST_BASELINES[name](values, origins, 14, season)
    for row, origin in enumerate(origins):
        for future in (1e6, NAN):
            changed = np.concatenate([values[:origin], np.full(160 - origin, future)])
            again = FORECAST_BASELINES[name](changed, origins, 14, season)
            np.testing.assert_array_equal(again[: row + 1], forecast[: row + 1])


@every_baseline
def test_parameters_are_not_estimated_again(name):
    values = wave(160)
    together = FORECAST_BASELINES[name](values, np.array([100, 130, 160]), 5, 12)
    assert together.shape == (3, 5)
    assert np.all(np.isfinite(together))
    if name in {"naive", "seasonal_naive"}:
        return
    alone = FORECAST_BASELINES[name](values, np.array([160]), 5, 12)
    assert not np.array_equal(alone[0], together[2])


@every_baseline
@settings(max_examples=10, deadline=None)
@given(
    values=st.lists(st.one_of(st.just(NAN), st.integers(-20, 20).map(float)), min_size=1, max_size=30),
    season=st.integers(1, 9),
    data=st.data(),
)
def test_any_series_gets_numbers_from_its_first_observation_on(name, values, season, data):
    first = data.draw(st.integers(1, len(values)))
    origins = np.unique(np.linspace(first, len(values), 6).astype(int))
    forecast = FORECAST_BASELINES[name](np.array(values), origins, 7, season)
    seen = np.array([not np.all(np.isnan(values[:origin])) for origin in origins])
    np.testing.assert_array_equal(np.isfinite(forecast), np.repeat(seen[:, None], 7, axis=1))


@every_baseline
def test_a_constant_series_stays_constant(name):
    np.testing.assert_allclose(FORECAST_BASELINES[name](np.full(60, 3.0), np.array([40, 60]), 4, 12), 3.0)


@every_baseline
def test_a_perfect_line_or_cycle_is_no_trouble(name):
    for values in (np.arange(60.0), np.tile([1.0, 2.0, 4.0], 20), np.arange(60.0) + np.tile([1.0, 2.0, 4.0], 20)):
        assert np.all(np.isfinite(FORECAST_BASELINES[name](values, np.array([50, 60]), 4, 3)))


@every_baseline
@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_the_unit_does_not_matter(name, factor):
    values, origins = wave(), np.array([100, 120])
    expected = factor * FORECAST_BASELINES[name](values, origins, 12, 12)
    np.testing.assert_allclose(FORECAST_BASELINES[name](factor * values, origins, 12, 12), expected, rtol=1e-3)


@every_baseline
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((3, 1)), np.array([3]), 1, 1), r"\(3, 1\)"),
        ((np.ones(3), np.array([0]), 1, 1), r"1\.\.3"),
        ((np.ones(3), np.array([4]), 1, 1), r"1\.\.3"),
        ((np.ones(3), np.array([3, 2]), 1, 1), "rise"),
        ((np.ones(3), np.array([2.0]), 1, 1), "row count"),
        ((np.ones(3), np.array([3]), 0, 1), "horizon=0"),
        ((np.ones(3), np.array([3]), 1, 0), "season=0"),
    ],
)
def test_wrong_arguments_are_named(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        FORECAST_BASELINES[name](*arguments)


def test_ets_and_theta_know_the_season_and_the_trend_of_co2():
    values = co2.load_pandas().data["co2"].to_numpy()
    origins = np.arange(2000, 2200, 4)
    truth = np.stack([values[origin : origin + 52] for origin in origins])

    def error(name):
        return np.nanmean(np.abs(truth - FORECAST_BASELINES[name](values, origins, 52, 52)))

    assert max(error("ets"), error("theta")) < 0.85 * error("seasonal_naive")


def autoregression(rows, *lags, seed=0):
    noise, values = np.random.default_rng(seed).normal(size=rows + 100), [0.0] * len(lags)
    for error in noise:
        values.append(sum(lag * value for lag, value in zip(lags, values[::-1], strict=False)) + error)
    return np.array(values[-rows:]), noise[-rows:]


def test_arima_forecasts_an_autoregression_as_well_as_its_own_equation():
    values, noise = autoregression(700, 1.2, -0.4)
    origins = np.arange(500, 699)
    found = FORECAST_BASELINES["arima"](values, origins, 1, 1)[:, 0]
    known = 1.2 * values[origins - 1] - 0.4 * values[origins - 2]
    np.testing.assert_allclose(known + noise[origins], values[origins])
    assert np.mean((found - values[origins]) ** 2) < 1.05 * np.mean(noise[origins] ** 2)
    assert np.mean((found - values[origins]) ** 2) < 0.8 * np.mean((values[origins - 1] - values[origins]) ** 2)


def test_arima_forecasts_what_statsmodels_forecasts_with_the_same_parameters():
    from statsmodels.tsa.arima.model import ARIMA

    values = np.cumsum(autoregression(400, 0.6)[0]) + 0.2 * np.arange(400)
    found = sys.modules["recurra.baselines.arima"]._search((values[:300] - values[:300].mean()) / values[:300].std())
    assert found.differences == 1
    p, q = len(found.ar), len(found.ma)
    model = ARIMA(np.diff(values), order=(p, 0, q), trend="c")
    names = ["const", *(f"ar.L{i + 1}" for i in range(p)), *(f"ma.L{i + 1}" for i in range(q)), "sigma2"]
    assert model.param_names == names
    params = [found.mean * values[:300].std(), *found.ar, *found.ma, 1.0]
    expected = values[-1] + np.cumsum(model.smooth(params).forecast(8))
    np.testing.assert_allclose(FORECAST_BASELINES["arima"](values, np.array([300, 400]), 8, 1)[1], expected, rtol=1e-4)


def test_arima_is_the_last_value_on_a_random_walk_and_the_mean_on_noise():
    noise = np.random.default_rng(1).normal(size=500)
    walk, origins = np.cumsum(noise), np.arange(400, 500)
    far = np.abs(FORECAST_BASELINES["arima"](walk, origins, 3, 1) - walk[origins - 1, None])
    assert far.mean() < 0.5  # of steps as large as 1; a small drift, or a lag, may look real
    assert np.abs(FORECAST_BASELINES["arima"](noise, origins, 3, 1) - noise[:400].mean()).mean() < 0.15


def test_long_seasons_are_handled():
    values = wave(168 * 5, season=168)
    forecast = ets(values, np.array([168 * 4]), 168, 168)[0]
    assert np.mean(np.abs(forecast - values[168 * 4 :])) < 2


# Boosted trees: covariates, other series, the calendar


def test_trees_descend_as_scikit_learn_predicts():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 5))
    rows[rng.random(rows.shape) < 0.1] = NAN
    wanted = np.nan_to_num(rows[:, 0] * rows[:, 1]) + 0.1 * rng.normal(size=400)
    model = HistGradientBoostingRegressor(max_iter=20, max_leaf_nodes=15, max_depth=8).fit(rows, wanted)
    found = descend(GraphConstants(**trees_as_arrays(model)), tf.constant(rows)).numpy()
    np.testing.assert_allclose(found, model.predict(rows), rtol=1e-12)


def known_ahead(n=300, seed=0):
    """Two channels: a target that is three times a coin, known ahead, and noise; and the coin."""
    rng = np.random.default_rng(seed)
    coin = rng.integers(2, size=n).astype(float)
    return np.stack([3 * coin + 0.1 * rng.normal(size=n), coin], axis=1)


SIZES = {"horizon": 3, "season": 1, "window": 4}


def test_trees_read_what_is_known_ahead_and_the_newest_value_of_other_channels():
    trees, origins = FORECAST_BASELINES["boosted_trees"].forecast, [np.arange(250, 297)]
    values = known_ahead()
    truth = values[origins[0][:, None] + np.arange(3), 0]
    blind = trees(SeriesRows([values[:, :1]], targets=1), origins, **SIZES)[0][:, :, 0]
    seeing = trees(SeriesRows([values], targets=1, ahead=1), origins, **SIZES)[0][:, :, 0]
    assert np.abs(seeing - truth).mean() < 0.3
    assert np.abs(blind - truth).mean() > 1
    noise = np.random.default_rng(1).normal(size=301)
    lagged = np.stack([noise[:-1], noise[1:]], axis=1)  # the target is the other's value before
    found = trees(SeriesRows([lagged], targets=1), origins, **{**SIZES, "horizon": 1})[0][:, 0, 0]
    assert np.abs(found - lagged[origins[0], 0]).mean() < 0.4  # of values whose size is 0.8


def test_trees_learn_from_all_series_in_their_own_units():
    """A series of twenty rows, a thousand times as large, is forecast by what the others show."""
    season = np.tile([0.0, 1.0, 5.0, 1.0], 40)
    others = [season + 0.01 * np.random.default_rng(i).normal(size=160) for i in range(3)]
    short = 1000 * (season[:20] + 7)
    rows = SeriesRows(
        [values[:, None] for values in (*others, short)],
        targets=1,
        ids=list("abcd"),
        last_steps=np.array([160] * 3 + [20]),
    )
    origins = [np.array([150])] * 3 + [np.array([16])]
    found = FORECAST_BASELINES["boosted_trees"].forecast(rows, origins, horizon=4, season=4, window=8)
    np.testing.assert_allclose(found[3][0, :, 0], short[16:20], rtol=0.05)


def test_trees_read_the_calendar_where_there_is_one():
    """On one weekday in seven all is different; a window of three days does not say which day it is."""
    days = np.arange(400)
    values = 5.0 * (days % 7 == 3) + 0.1 * np.random.default_rng(0).normal(size=400)
    origins, sizes = [np.arange(300, 395)], {"horizon": 5, "season": 1, "window": 3}
    truth = values[origins[0][:, None] + np.arange(5)]
    error = {}
    for name, times in (("without", None), ("with", [days * 86_400])):
        rows = SeriesRows([values[:, None]], targets=1, last_steps=np.array([400]), times=times)
        found = FORECAST_BASELINES["boosted_trees"].forecast(rows, origins, **sizes)[0][:, :, 0]
        error[name] = np.abs(found - truth).mean()
    assert error["with"] < 0.3
    assert error["without"] > 0.5


def test_a_history_too_short_for_trees_gets_the_naive_forecast():
    values = np.arange(12.0)
    found = FORECAST_BASELINES["boosted_trees"](values, np.array([8, 12]), 3, 1)
    np.testing.assert_array_equal(found, [[7, 7, 7], [11, 11, 11]])


# Fitted: forecasts from the newest rows alone.

windowed = pytest.mark.parametrize("name", ["naive", "seasonal_naive", "naive2", "drift"])
SERIES_LENGTHS, SEASON, HORIZON = (90, 71, 64), 7, 9


def some_series(n_series):
    """Series of two targets with gaps, closed and open, a season each, one of them not positive: (time, 2) each."""
    rng = np.random.default_rng(0)
    series = []
    for i, n in enumerate(SERIES_LENGTHS[:n_series]):
        phase = 2 * np.pi * np.arange(n)[:, None] / SEASON
        values = np.array([20.0 * (i + 1), -1.0]) + np.sin(phase + i) * [4, 1] + 0.1 * rng.normal(size=(n, 2))
        values[[0, 1, 20, 40, 41, n - 6], 0] = NAN
        values[[12, n - 2, n - 1], 1] = NAN
        series.append(values.astype(np.float32).astype(float))  # what a model can be given
    return series


def fit_to(name, series, *, window, season=SEASON):
    ids = [f"shop {i}" for i in range(len(series))]
    last = 1000 + 10 * np.arange(len(series))
    rows = SeriesRows(series, targets=2, ids=ids, last_steps=last)
    fitted = fit_forecaster(name, rows, horizon=HORIZON, season=season, window=window)
    return fitted, {"id": np.array([name.encode() for name in ids], dtype=object), "step": last}


def newest(series, window):
    """The last rows of each with a third channel, NaN in front of those that are shorter: (series, window, 3)."""
    raw = np.full((len(series), window, 3), NAN, np.float32)
    for row, values in zip(raw, series, strict=True):
        kept = values[max(len(values) - window, 0) :]
        row[window - len(kept) :, :2] = kept
    raw[:, :, 2] = 5
    return raw


def of_functions(name, series, origins, *, season=SEASON):
    """Forecasts of the function from the last of some origins (origins before the last estimate the parameters)."""
    return np.array(
        [
            np.stack([FORECAST_BASELINES[name](c, np.array(o), HORIZON, season)[-1] for c in values.T], axis=1)
            for values, o in zip(series, origins, strict=True)
        ]
    )


def exported(fitted, window, path):
    """The forecasts of a SavedModel of the graph, as a function of raw inputs."""
    module = tf.Module()
    module.held = fitted.resources()
    signature = {"values": tf.TensorSpec([None, window, 3], tf.float32, name="values")} | fitted.extra_inputs()
    module.serve = tf.function(fitted.graph, input_signature=[signature])
    tf.saved_model.save(module, path)
    loaded = tf.saved_model.load(path)
    return lambda raw: loaded.serve({name: tf.constant(raw[name], spec.dtype) for name, spec in signature.items()})


def through_a_file(fitted, path):
    """A fitted baseline that was written as JSON and arrays, and read again."""
    config, arrays = fitted.state()
    np.savez(path / "arrays.npz", **arrays)
    with np.load(path / "arrays.npz", allow_pickle=False) as read:
        return load_state(json.loads(json.dumps(config)), dict(read))


@windowed
@pytest.mark.parametrize("n_series", [1, 3])
@pytest.mark.parametrize("season", [1, SEASON])
def test_a_fitted_baseline_equals_its_function(name, n_series, season, tmp_path):
    series = some_series(n_series)
    longest = max(map(len, series))
    fitted, raw = fit_to(name, series, window=longest, season=season)
    raw["values"] = newest(series, longest)
    expected = of_functions(name, series, [[len(values)] for values in series], season=season)
    loaded = through_a_file(fitted, tmp_path)
    assert repr(loaded) == repr(fitted)
    assert fitted.why_no_graph is None
    for model in (fitted, loaded):
        found = model.predict(raw)["forecast"]
        assert found.dtype == np.float64  # in the user's units
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    served = exported(loaded, longest, str(tmp_path / "saved"))(raw)["forecast"]
    np.testing.assert_allclose(served, expected, rtol=1e-5)
    wanted = {"id"} if n_series > 1 and name in ("drift", "naive2") else set()
    wanted |= {"step"} if name == "naive2" and season > 1 else set()
    if (name, season) == ("naive2", 1):
        wanted = set()  # nothing was estimated
    assert set(fitted.extra_inputs()) == wanted


@windowed
def test_estimates_stay_and_the_window_moves_on(name):
    """From a later origin, in a window of 20 rows, parameters and phases are those of the rows given to fit."""
    series = some_series(3)
    series[0][-8:] = series[0][-15:-7]  # within the window there is no gap that began before it
    known = [values[: len(values) - 11] for values in series]
    fitted, raw = fit_to(name, known, window=20)
    raw["step"] = raw["step"] + 11
    raw["values"] = newest(series, 20)
    expected = of_functions(name, series, [[len(values) - 11, len(values)] for values in series])
    np.testing.assert_allclose(fitted.predict(raw)["forecast"], expected, rtol=1e-5)
    flipped = {key: value[::-1] for key, value in raw.items()}
    np.testing.assert_allclose(fitted.predict(flipped)["forecast"], expected[::-1], rtol=1e-5)


def test_a_series_never_seen_has_the_slope_of_its_window_and_no_season():
    series = some_series(3)
    window = np.zeros((1, 10, 3), np.float32)
    window[0, :, 0] = 2 * np.arange(10)
    window[0, [0, 9], 0] = NAN
    window[0, :, 1] = NAN
    raw = {"values": window, "id": np.array([b"shop 9"], dtype=object), "step": np.array([7])}
    found = fit_to("drift", series, window=10)[0].predict(raw)["forecast"][0]
    np.testing.assert_allclose(found[:, 0], 16 + 2 * (2 + np.arange(HORIZON)))
    assert np.isnan(found[:, 1]).all()
    np.testing.assert_allclose(fit_to("naive2", series, window=10)[0].predict(raw)["forecast"][0, :, 0], 16)
    one = window.copy()
    one[0, 1:, 0], one[0, 0, 0] = NAN, 3
    found = fit_to("drift", series, window=10)[0].predict({**raw, "values": one})["forecast"][0, :, 0]
    np.testing.assert_allclose(found, 3)


@windowed
def test_an_empty_window_has_no_forecast(name):
    fitted, raw = fit_to(name, some_series(1), window=SEASON)
    raw["values"] = np.full((1, SEASON, 3), NAN, np.float32)
    assert np.isnan(fitted.predict(raw)["forecast"]).all()


def test_a_window_shorter_than_the_season_has_no_graph():
    series = some_series(2)
    fitted, raw = fit_to("seasonal_naive", series, window=SEASON - 1)
    assert f"a `lookback` of {SEASON} would do" in fitted.why_no_graph
    assert fit_to("seasonal_naive", series, window=SEASON)[0].why_no_graph is None
    raw["values"] = newest(series, 90)
    expected = of_functions("seasonal_naive", series, [[90], [71]])
    np.testing.assert_allclose(fitted.predict(raw)["forecast"], expected, rtol=1e-6)
    raw["values"] = newest(series, 3)  # less than a season: the last value
    found = fitted.predict(raw)["forecast"]
    np.testing.assert_allclose(found[:, :, 0], np.repeat([[series[0][-1, 0]], [series[1][-1, 0]]], HORIZON, axis=1))


@pytest.mark.parametrize("name", ["theta", "arima", "ets"])
def test_theta_and_ets_estimate_anew_from_the_rows_they_get(name, tmp_path):
    series = some_series(2)
    fitted, raw = fit_to(name, series, window=20)
    assert "at every forecast" in fitted.why_no_graph
    with pytest.raises(NotImplementedError, match=name):
        fitted.graph(raw)
    raw["values"] = newest(series, 95)  # some rows of NaN in front of both
    expected = of_functions(name, series, [[90], [71]])
    loaded = through_a_file(fitted, tmp_path)
    assert (repr(loaded), loaded.extra_inputs(), loaded.resources()) == (repr(fitted), {}, [])
    for model in (fitted, loaded):
        np.testing.assert_allclose(model.predict(raw)["forecast"], expected, rtol=1e-5)
    raw["values"][:, :, 1] = NAN
    assert np.isnan(fitted.predict(raw)["forecast"][:, :, 1]).all()


def test_fitting_refuses_what_it_does_not_know():
    for name, series in (("oracle", some_series(1)), ("naive", [])):
        with pytest.raises(ValueError, match="`name` must be one of naive, seasonal_naive"):
            fit_to(name, series, window=9)


# Published figures.

DATA = Path(os.environ.get("RECURRA_DATA", "")) / "m4"
needs_m4 = pytest.mark.skipif("RECURRA_DATA" not in os.environ or not DATA.is_dir(), reason="M4 is not in RECURRA_DATA")


@pytest.fixture(scope="module")
def m4_hourly():
    train = pd.read_csv(DATA / "Hourly-train.csv.gz", index_col=0).to_numpy(float)
    truth = pd.read_csv(DATA / "Hourly-test.csv", index_col=0).to_numpy(float)
    return [row[~np.isnan(row)] for row in train], truth[:, :, None]


def m4_figures(name, m4_hourly):
    series, truth = m4_hourly
    scale = np.stack([seasonal_scale(values, 24) for values in series])
    forecast = np.stack([FORECAST_BASELINES[name](values, np.array([len(values)]), 48, 24)[0] for values in series])
    return smape(truth, forecast[:, :, None]), mase(truth, forecast[:, :, None], scale=scale)


@needs_m4
@pytest.mark.parametrize(
    ("name", "published"),
    [("naive", (43.003, 11.608)), ("seasonal_naive", (13.912, 1.193)), ("naive2", (18.383, 2.395))],
)
def test_m4_hourly_equals_the_published_figures(name, published, m4_hourly):
    """M4 competition, results by frequency; deterministic, so all decimals must match."""
    assert m4_figures(name, m4_hourly) == pytest.approx(published, abs=5e-4)


@needs_m4
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "figures", "tolerance"),
    [
        ("theta", (18.138, 2.455), 0.002),  # published; another optimiser finds its smoothing constants
        ("ets", (16.004, 1.449), 0.02),  # ours: additive, while the published ETS may multiply
    ],
)
def test_m4_hourly_of_fitted_baselines(name, figures, tolerance, m4_hourly):
    found = m4_figures(name, m4_hourly)
    assert found == pytest.approx(figures, rel=tolerance)
    assert owa(smape=found[0], mase=found[1], smape_naive2=18.383, mase_naive2=2.395) < 1.01
