"""Forecasters as scikit-learn estimators on long tables: what users of such wrappers ran into, done right."""

import copy
import inspect
import io
import json
import pickle
import random
import subprocess
import sys
import threading
from contextlib import redirect_stderr, redirect_stdout

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.callback import ProgressBar
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.utils import estimator_html_repr
from utilsforecast.evaluation import evaluate
from utilsforecast.losses import mae, mase, rmse, smape

import recurra
from recurra import (
    GRUForecaster,
    LinearForecaster,
    LSTMForecaster,
    RollingOrigin,
    SequenceForecaster,
    SimpleRNNForecaster,
)
from recurra.errors import InputError
from recurra.estimators import forecast_networks
from recurra.estimators.forecasters import FORECASTERS
from recurra.models import FAMILIES, cells

OPTIONS = {"horizon": 4, "lookback": 8, "season": 1, "max_epochs": 2, "random_state": 0}
COLUMNS = ["unique_id", "ds", "Linear", "Linear-lo-80", "Linear-hi-80", "Linear-lo-95", "Linear-hi-95"]


def made(rows=60, ids=("a", "b"), start="2024-01-01", freq="D", seed=0, **columns):
    """Noisy sines; each series is three rows shorter than the one before."""
    rng, blocks = np.random.default_rng(seed), []
    for k, name in enumerate(ids):
        n = rows - 3 * k
        stamps = pd.date_range(start, periods=n, freq=freq) if isinstance(freq, str) else np.arange(n) * freq
        block = pd.DataFrame({"unique_id": name, "ds": stamps})
        block["y"] = 10 * k + np.sin(np.arange(n) / 3) + rng.normal(0, 0.1, n)
        blocks.append(block.assign(**{name: values(n) for name, values in columns.items()}))
    return pd.concat(blocks, ignore_index=True)


def forecaster(**changes):
    return LinearForecaster(**{**OPTIONS, **changes})


@pytest.fixture(scope="module")
def df():
    return made()


@pytest.fixture(scope="module")
def fitted(df):
    return forecaster().fit(df)


def run(code, *arguments, cwd):
    """Run Python code in a process of its own; gives what it printed as JSON."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


# The contract of scikit-learn.


@pytest.mark.parametrize("cls", [*FORECASTERS, SequenceForecaster])
def test_parameters_are_named_assigned_and_cloned(cls):
    parameters = inspect.signature(cls).parameters
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters.values())
    assert all(isinstance(p.default, str | int | float | bool | tuple | None) for p in parameters.values())
    odd = {"callbacks": [object()], "levels": np.array([50]), "horizon": -1, "batch_size": {"a": 1}}
    made_of = cls(**odd)
    for name, value in odd.items():
        assert getattr(made_of, name) is value  # also what makes no sense: it is refused by fit
    assert set(clone(cls(horizon=3)).get_params()) == set(parameters)
    assert not [name for name in vars(made_of) if name.endswith("_")]
    assert issubclass(cls, BaseEstimator)
    assert cls().set_params(learning_rate=0.5).learning_rate == 0.5


SLOW = (SimpleRNNForecaster, GRUForecaster, SequenceForecaster)  # compiled as LSTMForecaster is


@pytest.mark.parametrize(
    "cls",
    [pytest.param(cls, marks=[pytest.mark.slow] * (cls in SLOW)) for cls in (*FORECASTERS, SequenceForecaster)],
)
def test_every_family_forecasts_and_documents_its_parameters(cls, df):
    small = {"units": 4} if "units" in inspect.signature(cls).parameters else {}
    model = cls(**{**OPTIONS, "max_epochs": 1}, **small).fit(df)
    table = model.predict()
    assert table.shape == (8, 7)
    assert np.isfinite(table.iloc[:, 2:].to_numpy()).all()
    assert model.n_iter_ == len(model.history_["val_loss"]) == 1
    assert isinstance(model.model_, keras.Model)
    for name in inspect.signature(cls).parameters:
        assert f"{name} :" in cls.__doc__ or f"{name}, " in cls.__doc__ or f", {name}" in cls.__doc__
    assert "{" not in cls.__doc__.replace('{"', "")


@pytest.mark.parametrize("cls", FORECASTERS)
def test_defaults_are_those_of_the_family(cls):
    plan = FAMILIES[cls.family].plans["forecast"]
    own = {name: p.default for name, p in inspect.signature(plan.build).parameters.items() if name != "spec"}
    for name in inspect.signature(getattr(cells, cls.family, lambda: None)).parameters:
        own.pop(name, None)  # which parts the cell has: a variant in the name of the family
    mine = {name: p.default for name, p in inspect.signature(cls).parameters.items() if name in own}
    assert mine == own  # all of them, none of them otherwise
    everything = inspect.signature(SequenceForecaster).parameters
    assert all(everything[name].default is None for name in own)


def test_the_general_form_is_the_named_one(df):
    general = SequenceForecaster(family="linear", **OPTIONS).fit(df)
    pd.testing.assert_frame_equal(general.predict(), forecaster().fit(df).predict())
    with pytest.raises(ValueError, match="`family` must be one of linear, dense"):
        SequenceForecaster(family="lstmm", **OPTIONS).fit(df)
    with pytest.raises(ValueError, match="`units` of dense"):
        SequenceForecaster(family="dense", units=-1, **OPTIONS).fit(df)


def test_before_fit_it_says_so(df):
    for call in (lambda f: f.predict(), lambda f: f.score(df), lambda f: f.save("x"), lambda f: f.missing_future()):
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            call(forecaster())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"horizon": 0}, "`horizon`"),
        ({"lookback": -1}, "`lookback`"),
        ({"max_epochs": 0}, "`max_epochs`"),
        ({"patience": 1.5}, "`patience`"),
        ({"loss": "l2"}, "`loss`"),
        ({"transform": "sqrt"}, "`transform`"),
        ({"calendar": ("moon",)}, "`calendar`"),
        ({"validation_fraction": 1.5}, "`validation_fraction`"),
        ({"learning_rate": -1.0}, "`learning_rate`"),
        ({"random_state": "a"}, "random_state"),
        ({"epsilon": 0.0}, "`epsilon`"),
        ({"target_col": "sales"}, "no column 'sales'"),
        (
            {"target_col": ["y", "z"]},
            r"`target_col` must be the name of one column; received \['y', 'z'\]; .*recurra.fit",
        ),
        ({"id_col": ["store", "item"]}, "`id_col` must be the name of one column"),
        ({"past_covariates": ["price"]}, "no column 'price'"),
        ({"window_norm": "best"}, "`window_norm`"),
    ],
)
def test_what_makes_no_sense_is_refused_by_fit_and_named(changes, message, df):
    with pytest.raises(ValueError, match=message):
        forecaster(**changes).fit(df)


def test_other_things_than_tables_are_refused(fitted):
    with pytest.raises(ValueError, match="`df` must be a pandas DataFrame"):
        forecaster().fit(np.zeros((10, 3)))
    with pytest.raises(ValueError, match="`df` has no column 'unique_id'"):
        fitted.predict(df=pd.DataFrame({"ds": [1], "y": [2.0]}))


def test_parameters_are_the_same_objects_after_fit(df):
    callbacks = [keras.callbacks.LambdaCallback()]
    model = forecaster(callbacks=callbacks, past_covariates=["y2"])
    before = model.get_params()
    model.fit(df.assign(y2=1.0))
    assert all(value is before[name] for name, value in model.get_params().items())
    assert model.callbacks is callbacks


def test_keras_callbacks_are_called_and_may_end_the_fit(df):
    class Stop(keras.callbacks.Callback):
        seen = ()

        def on_epoch_end(self, epoch, logs=None):
            self.seen = (*self.seen, logs["val_loss"])
            self.model.stop_training = epoch == 1

    stop = Stop()
    model = forecaster(callbacks=[stop], max_epochs=9).fit(df)
    assert list(stop.seen) == model.history_["val_loss"]
    assert model.n_iter_ == 2


def test_callbacks_of_scikit_learn(df, capsys):
    forecaster().set_callbacks(ProgressBar()).fit(df)
    assert "LinearForecaster" in capsys.readouterr().out


def test_a_notebook_shows_parameters_and_is_not_shown_training_data(fitted):
    page = estimator_html_repr(fitted)
    assert "lookback" in page
    assert "2024-" not in repr(fitted)
    assert repr(fitted).startswith("LinearForecaster(horizon=4")


# Randomness, silence, traces.


def test_an_int_seed_gives_the_same_bits_and_another_seed_others(df, fitted):
    pd.testing.assert_frame_equal(fitted.predict(), forecaster().fit(df).predict(), check_exact=True)
    other = forecaster(random_state=1).fit(df).predict()["Linear"]
    assert (other != fitted.predict()["Linear"]).any()


def test_global_random_states_are_left_alone_and_nothing_is_printed_or_written(df, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002  (the global one is what is tested)
    threads, out, err = threading.active_count(), io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        forecaster(random_state=None).fit(df).cross_validation(df)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002
    assert (out.getvalue(), err.getvalue()) == ("", "")
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() <= threads + 1
    with redirect_stdout(out):
        forecaster(verbose=1).fit(df)
    assert "epoch 2 of at most 2" in out.getvalue()


def test_fits_in_two_threads_do_not_mix(df):
    seeds = range(2)
    alone = [forecaster(random_state=seed).fit(df).predict() for seed in seeds]
    beside = joblib.Parallel(n_jobs=2, backend="threading")(
        joblib.delayed(lambda seed: forecaster(random_state=seed).fit(df).predict())(seed) for seed in seeds
    )
    for one, other in zip(alone, beside, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_many_fits_share_one_compiled_network(df):
    forecaster().fit(df)
    pools = (forecast_networks._TRAINERS, forecast_networks._NETWORKS)
    before = [sum(map(len, pool._idle.values())) for pool in pools]
    for seed in range(3):
        forecaster(random_state=seed).fit(df)
    assert [sum(map(len, pool._idle.values())) for pool in pools] == before


def test_a_learning_rate_can_be_found(df):
    found = forecaster(max_epochs=3, learning_rate="find").fit(df)
    given = forecaster(max_epochs=3, learning_rate=found.learning_rate_).fit(df)
    assert found.history_["val_loss"] == given.history_["val_loss"]
    with pytest.raises(InputError, match="a number above 0, or \"find\"; received 'guess'"):
        forecaster(learning_rate="guess").fit(df)


def test_warm_start_goes_on_where_the_first_fit_ended(df):
    model = forecaster(max_epochs=20, learning_rate=1e-2).fit(df)
    first = model.history_["val_loss"]
    standing = {"max_epochs": 1, "learning_rate": 1e-9}
    warm = model.set_params(warm_start=True, **standing).fit(df).history_["val_loss"]
    assert warm[0] == pytest.approx(min(first), rel=1e-5)
    anew = model.set_params(warm_start=False).fit(df).history_["val_loss"]
    assert anew[0] != pytest.approx(min(first), rel=1e-3)
    assert model.set_params(max_epochs=20, learning_rate=1e-2).fit(df).history_["val_loss"] == first


# Copies.


def test_copies_forecast_the_same_also_in_another_process(df, fitted, tmp_path):
    expected = fitted.predict()
    copies = [pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)]
    joblib.dump(fitted, tmp_path / "f.joblib")
    copies.append(joblib.load(tmp_path / "f.joblib", mmap_mode="r"))
    for other in copies:
        pd.testing.assert_frame_equal(other.predict(), expected, check_exact=True)
        pd.testing.assert_frame_equal(other.predict(df=df), expected, check_exact=True)
        assert other.fit(df).n_iter_ == 2  # a copy can be fitted again
    df.to_parquet(tmp_path / "df.parquet")
    code = (
        "import json, joblib, pandas as pd, recurra; f = joblib.load('f.joblib', mmap_mode='r');"
        f"df = pd.read_parquet('df.parquet'); again = recurra.LinearForecaster(**{OPTIONS}).fit(df);"
        "print(json.dumps([t['Linear'].tolist() for t in (f.predict(), f.predict(df=df), again.predict())]))"
    )
    assert run(code, cwd=tmp_path) == [expected["Linear"].tolist()] * 3  # also fitted there


def test_a_pickle_holds_none_of_the_training_data():
    table = made(rows=2000, ids=("only",))
    marked = table.assign(y=table["y"] + 12345.678901)
    content = pickle.dumps(forecaster(max_epochs=1).fit(marked))
    assert len(content) < 20_000
    for value in marked["y"].tail(12):
        assert np.float64(value).tobytes() not in content


def test_saved_without_pickle(df, fitted, tmp_path):
    fitted.save(tmp_path / "saved")
    assert not list((tmp_path / "saved").rglob("*.pkl"))
    loaded = LinearForecaster.load(tmp_path / "saved")
    pd.testing.assert_frame_equal(loaded.predict(), fitted.predict())
    pd.testing.assert_frame_equal(loaded.predict(df=df), fitted.predict(df=df))
    assert loaded.get_params() == fitted.get_params()
    assert loaded.history_ == fitted.history_
    with pytest.raises(ValueError, match="load it with LinearForecaster"):
        LSTMForecaster.load(tmp_path / "saved")


def test_exported_it_forecasts_the_same(df, fitted, tmp_path):
    fitted.export(tmp_path / "model")
    fitted.export(tmp_path / "checked", df=df)
    table = recurra.load_model(tmp_path / "model").predict(df)
    np.testing.assert_allclose(table["y"], fitted.predict()["Linear"], rtol=1e-5)
    np.testing.assert_allclose(table["y-hi-95"], fitted.predict()["Linear-hi-95"], rtol=1e-5)


def test_compare_with_simpler_gives_a_verdict(df):
    model = recurra.DenseForecaster(**OPTIONS, units=4)
    comparison = model.compare_with_simpler(df=df, folds=1, seeds=1, max_epochs=1, baselines=["naive"])
    assert {"linear", "naive"} < set(comparison.summary.index)
    assert any(name.startswith("dense:units=4") for name in comparison.summary.index)
    assert comparison.verdict["text"]
    assert not hasattr(model, "history_")


# What is forecast from what.


def test_forecasts_are_a_row_per_series_and_step_with_intervals(fitted):
    table = fitted.predict()
    assert list(table.columns) == COLUMNS
    assert table["ds"].tolist()[:4] == list(pd.date_range("2024-03-01", periods=4))
    assert table["ds"].tolist()[4:] == list(pd.date_range("2024-02-27", periods=4))  # each from its own end
    for level in (80, 95):
        assert (table[f"Linear-lo-{level}"] <= table["Linear"]).all()
        assert (table[f"Linear-hi-{level}"] >= table["Linear"]).all()
    assert (table["Linear-hi-95"] >= table["Linear-hi-80"]).all()
    np.testing.assert_array_equal(fitted.predict(h=2)["Linear"], table["Linear"].iloc[[0, 1, 4, 5]])
    for h in (0, 5, 1.5, True):
        with pytest.raises(ValueError, match="`h` must be"):
            fitted.predict(h=h)


def test_levels_and_alias_name_the_columns(df):
    table = forecaster(levels=(50,), alias="mine").fit(df).predict()
    assert list(table.columns) == ["unique_id", "ds", "mine", "mine-lo-50", "mine-hi-50"]


def test_forecasts_begin_at_the_last_rows_of_the_table_given(df, fitted):
    older = df[df["ds"] < "2024-02-10"]
    table = fitted.predict(df=older)
    assert table["ds"].min() == pd.Timestamp("2024-02-10")
    # rows before the window that is read change nothing, and neither does the order of the rows
    short = older.groupby("unique_id").tail(8).sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(fitted.predict(df=short), table)
    moved = df.assign(y=df["y"] + 100)
    np.testing.assert_allclose(fitted.predict(df=moved)["Linear"], fitted.predict()["Linear"] + 100, rtol=1e-4)


def test_ids_never_seen_are_forecast(df, fitted):
    renamed = df.assign(unique_id=df["unique_id"] + " new")
    table = fitted.predict(df=renamed)
    assert table["unique_id"].unique().tolist() == ["a new", "b new"]
    np.testing.assert_array_equal(table["Linear"], fitted.predict()["Linear"])


@pytest.mark.parametrize("ids", [(7, 12), ("007", "7"), (1.5, 2.5), ("b", "a"), pd.Categorical(["x", "y"])], ids=str)
def test_ids_come_back_as_they_were_with_their_dtype(ids):
    table = made(ids=tuple(ids))
    if isinstance(ids, pd.Categorical):
        table["unique_id"] = table["unique_id"].astype("category")
    model = forecaster().fit(table)
    for result in (model.predict(), model.predict(df=table), model.cross_validation(table)):
        assert set(result["unique_id"]) == set(ids)
        assert result["unique_id"].dtype == table["unique_id"].dtype


def test_names_of_columns_are_parameters(df):
    renamed = df.rename(columns={"unique_id": "shop", "ds": "day", "y": "sales"})
    model = forecaster(id_col="shop", time_col="day", target_col="sales").fit(renamed)
    assert list(model.predict().columns)[:3] == ["shop", "day", "Linear"]
    result = model.cross_validation(renamed)
    assert list(result.columns)[:5] == ["shop", "day", "cutoff", "sales", "Linear"]
    np.testing.assert_array_equal(model.predict()["Linear"], forecaster().fit(df).predict()["Linear"])


def test_other_columns_are_ignored(df, fitted):
    more = df.assign(price=np.nan, note="text", ds2=df["ds"])
    pd.testing.assert_frame_equal(forecaster().fit(more).predict(), fitted.predict())
    pd.testing.assert_frame_equal(fitted.predict(df=more), fitted.predict())
    pd.testing.assert_frame_equal(fitted.predict(X_df=more), fitted.predict())


def test_values_of_any_size_are_forecast_in_their_units(df):
    large = df.assign(y=1e6 * df["y"])
    table = forecaster(max_epochs=1).fit(large).predict()
    small = forecaster(max_epochs=1).fit(df).predict()
    np.testing.assert_allclose(table["Linear"], 1e6 * small["Linear"], rtol=1e-3)


def test_missing_rows_and_values_are_allowed(df):
    holes = df.drop(index=[5, 6, 20]).assign(y=df["y"].where(df.index % 17 != 3))
    table = forecaster().fit(holes).predict()
    assert np.isfinite(table["Linear"]).all()


# Time.


@pytest.mark.parametrize("freq", ["h", "15min", "D", "B", "W-WED", "MS", "ME", "QS", "YS", "2D", "3h", 1, 5], ids=str)
def test_stamps_go_on_in_the_series_own_frequency(freq):
    table = made(rows=64, ids=("a",), freq=freq)
    known, after = table.iloc[:-4], table["ds"].tail(4)
    result = forecaster(max_epochs=1).fit(known).predict()
    assert result["ds"].tolist() == after.tolist()
    assert result["ds"].dtype == table["ds"].dtype


@pytest.mark.parametrize("unit", ["s", "ns"])
def test_stamps_keep_their_unit(unit, df):
    table = df.assign(ds=df["ds"].astype(f"datetime64[{unit}]"))
    model = forecaster().fit(table)
    assert model.predict()["ds"].dtype == table["ds"].dtype
    result = model.cross_validation(table)
    assert result["ds"].dtype == result["cutoff"].dtype == table["ds"].dtype


@pytest.mark.parametrize("freq", ["D", "h"])
def test_time_zones_are_kept_and_right_across_summer_time(freq):
    stamps = pd.date_range("2024-03-01" if freq == "D" else "2024-03-29", periods=60, freq=freq, tz="Europe/Berlin")
    table = pd.DataFrame({"unique_id": "a", "ds": stamps, "y": np.sin(np.arange(60.0))})
    result = forecaster().fit(table.iloc[: 28 if freq == "D" else 48]).predict()
    expected = stamps[28:32] if freq == "D" else stamps[48:52]
    assert result["ds"].tolist() == list(expected)
    assert result["ds"].dtype == table["ds"].dtype


# Covariates.


@pytest.fixture(scope="module")
def sales():
    """Sales that follow a price known ahead, with 4 rows of prices to come."""
    table = made(price=lambda n: np.random.default_rng(n).choice([1.0, 2.0], n))
    table["y"] -= 3 * table["price"]
    future = table.groupby("unique_id").tail(4)
    return table.drop(index=future.index).reset_index(drop=True), future[["unique_id", "ds", "price"]]


@pytest.fixture(scope="module")
def priced(sales):
    return forecaster(future_covariates=["price"], max_epochs=60, patience=60, learning_rate=1e-2).fit(sales[0])


def test_covariates_known_ahead_change_the_forecast(sales, priced):
    known, future = sales
    table = priced.predict(X_df=future)
    assert list(table.columns) == COLUMNS
    dear = priced.predict(X_df=future.assign(price=future["price"] + 1))
    assert (dear["Linear"] < table["Linear"]).all()
    pd.testing.assert_frame_equal(priced.predict(df=known, X_df=future.sample(frac=1, random_state=0)), table)
    # rows ahead may stand in the table itself, and X_df may hold rows of the past and other columns
    whole = pd.concat([known, future], ignore_index=True)
    pd.testing.assert_frame_equal(priced.predict(df=whole), table)
    pd.testing.assert_frame_equal(priced.predict(X_df=whole.assign(other=1)), table)


def test_missing_covariates_are_named_and_offered_to_be_filled(sales, priced):
    _, future = sales
    with pytest.raises(ValueError, match=r"'price' .* 8 of the rows .*'a' at 2024-02-26.*'b' at .*`missing_future"):
        priced.predict()
    with pytest.raises(ValueError, match=r"2 of the rows .*'b' at"):
        priced.predict(X_df=future.iloc[:-2])
    lacking = priced.missing_future()
    assert list(lacking.columns) == ["unique_id", "ds", "price"]
    assert lacking["price"].isna().all()
    pd.testing.assert_frame_equal(lacking[["unique_id", "ds"]], future[["unique_id", "ds"]].reset_index(drop=True))
    filled = lacking.assign(price=future["price"].to_numpy())
    pd.testing.assert_frame_equal(priced.predict(X_df=filled), priced.predict(X_df=future))
    assert len(priced.missing_future(X_df=future.iloc[:-2])) == 2
    assert len(priced.missing_future(X_df=future)) == 0
    assert len(priced.missing_future(X_df=future.assign(price=np.nan))) == 8
    assert len(priced.missing_future(df=sales[0].tail(30), X_df=future)) == 0


def test_copies_with_covariates_to_come_forecast_the_same(sales, priced, tmp_path):
    known, future = sales
    expected = priced.predict(X_df=future)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(priced)).predict(X_df=future), expected)
    priced.save(tmp_path)
    loaded = LinearForecaster.load(tmp_path)
    pd.testing.assert_frame_equal(loaded.predict(df=known, X_df=future), expected)
    with pytest.raises(ValueError, match="give the newest ones as `df`"):
        loaded.predict(X_df=future)
    priced.export(tmp_path / "model")


def test_past_covariates_and_calendar_are_read(df):
    table = df.assign(rain=np.cos(np.arange(len(df))))
    model = forecaster(past_covariates="rain", calendar=("week",), share_targets=False).fit(table)
    assert np.isfinite(model.predict()["Linear"]).all()
    assert np.isfinite(model.cross_validation(table, n_windows=2)["Linear"]).all()


# Cross-validation.


@pytest.mark.parametrize("refit", [False, True])
def test_nothing_after_a_cutoff_reaches_a_forecast(refit, df):
    # the two series end at different times: neither may see the other's future
    model = forecaster(max_epochs=1)
    options = {"h": 4, "n_windows": 2, "step_size": 5, "refit": refit}
    before = model.cross_validation(df, **options)
    for cutoff in sorted(before["cutoff"].unique())[::2]:
        altered = df.copy()
        altered.loc[altered["ds"] > cutoff, "y"] = 1e4
        after = model.cross_validation(altered, **options)
        kept = before["cutoff"] <= cutoff
        assert kept.any()
        pd.testing.assert_frame_equal(before[kept].drop(columns="y"), after[kept].drop(columns="y"), check_exact=True)


def test_windows_are_counted_from_each_series_own_end(df, fitted):
    result = fitted.cross_validation(df, n_windows=3, step_size=2)
    assert list(result.columns) == ["unique_id", "ds", "cutoff", "y", *COLUMNS[2:]]
    assert len(result) == 2 * 3 * 4
    for name, rows in df.groupby("unique_id"):
        mine = result[result["unique_id"] == name]
        assert mine["cutoff"].unique().tolist() == [rows["ds"].iloc[-5 - 2 * i] for i in (2, 1, 0)]
        assert mine["ds"].max() == rows["ds"].max()
        truth = rows.set_index("ds")["y"]
        np.testing.assert_array_equal(mine["y"], truth[mine["ds"]])
        assert (mine["ds"] > mine["cutoff"]).all()
    pd.testing.assert_frame_equal(fitted.predict(), forecaster().fit(df).predict())  # it stays as it was


def test_each_window_is_what_fit_and_predict_give():
    table = made(ids=("a",))
    result = forecaster().cross_validation(table, n_windows=2, step_size=4, refit=True)
    for cutoff, rows in result.groupby("cutoff"):
        expected = forecaster().fit(table[table["ds"] <= cutoff]).predict()
        for name in COLUMNS[2:]:
            np.testing.assert_array_equal(rows[name], expected[name])


def test_steps_of_windows_are_the_first_of_the_horizon_and_never_more(df, fitted):
    short = fitted.cross_validation(df, h=2)
    for (name, cutoff), rows in short.groupby(["unique_id", "cutoff"]):
        end = df[(df["unique_id"] == name)]["ds"].max()
        known = df[df["ds"] <= df[(df["unique_id"] == name)]["ds"].iloc[-3]]
        expected = forecaster().fit(known).predict(h=2)
        assert cutoff < end
        np.testing.assert_array_equal(rows["Linear"], expected[expected["unique_id"] == name]["Linear"])
    for model in (forecaster(), fitted, forecaster(horizon=None).fit(df)):
        with pytest.raises(
            ValueError, match=r"`h` must be at most the horizon of \d+ steps .*received 40; set `horizon`"
        ):
            model.cross_validation(df, h=40)
    assert len(forecaster(horizon=None).cross_validation(df, h=3)) == 6  # `h` decides where nothing else does
    with pytest.raises(ValueError, match=r"`h` \(2\) must be the horizon \(4\) with `future_covariates`"):
        forecaster(future_covariates=["price"]).cross_validation(df.assign(price=1.0), h=2)


def test_future_covariates_after_a_cutoff_are_known_to_it(sales):
    known, _ = sales
    model = forecaster(future_covariates=["price"], max_epochs=60, patience=60, learning_rate=1e-2)
    before = model.cross_validation(known)
    altered = known.copy()
    last = altered.groupby("unique_id").cumcount(ascending=False) < 4
    altered.loc[last, "price"] += 1
    after = model.cross_validation(altered)
    assert (after["Linear"] < before["Linear"]).all()
    gap = known.copy()
    gap.loc[gap.index[-1], "price"] = np.nan
    with pytest.raises(ValueError, match="1 of the rows"):
        model.cross_validation(gap)


@pytest.mark.parametrize("call", ["fit", "cross_validation", "score", "predict"])
def test_a_series_too_short_is_named(call, df, fitted):
    short = df.groupby("unique_id").head(60)
    short = pd.concat([short, short[short["unique_id"] == "a"].head(7).assign(unique_id="stub")])
    with pytest.raises(ValueError, match=r"'stub'.*7 rows"):
        getattr(forecaster() if call in ("fit", "cross_validation") else fitted, call)(df=short)


def test_counts_of_windows_are_checked(df):
    for wrong in ({"h": 0}, {"n_windows": 0}, {"step_size": 0}, {"h": None}):
        with pytest.raises(ValueError, match="must be a whole number"):
            forecaster(horizon=None).cross_validation(df, **{"h": 4, **wrong})
    with pytest.raises(ValueError, match="30 windows"):
        forecaster().cross_validation(df, n_windows=30)


def test_metrics_of_utilsforecast_read_it_unchanged(df, fitted):
    result = fitted.cross_validation(df, n_windows=2)
    train = df[df.groupby("unique_id").cumcount(ascending=False) >= 8]
    metrics = [mae, rmse, smape]
    scores = evaluate(result, metrics=metrics, models=["Linear"])
    expected = (result["y"] - result["Linear"]).abs().groupby(result["unique_id"]).mean()
    got = scores[scores["metric"] == "mae"].groupby("unique_id")["Linear"].mean()
    np.testing.assert_allclose(got, expected)
    assert np.isfinite(evaluate(result.drop(columns="cutoff"), metrics=metrics)["Linear"]).all()
    assert np.isfinite(mase(result, models=["Linear"], seasonality=1, train_df=train)["Linear"]).all()


# Searches of scikit-learn.


def test_a_grid_search_over_lookback_is_scored_by_rolling_origin(df):
    search = GridSearchCV(forecaster(), {"lookback": [4, 8]}, cv=RollingOrigin(4, n_splits=2))
    alone = search.fit(df)
    assert alone.best_params_["lookback"] in (4, 8)
    assert len(alone.best_estimator_.predict()) == 8
    scores = alone.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert (scores < 0).all()


@pytest.mark.slow
def test_a_grid_search_in_two_processes_has_the_same_scores(df):
    search = GridSearchCV(forecaster(), {"lookback": [4, 8]}, cv=RollingOrigin(4, n_splits=2))
    alone = clone(search).fit(df).cv_results_["mean_test_score"]
    beside = clone(search).set_params(n_jobs=2).fit(df)
    np.testing.assert_array_equal(beside.cv_results_["mean_test_score"], alone)
    assert len(pickle.loads(pickle.dumps(beside)).best_estimator_.predict()) == 8


def test_the_score_is_minus_mase_of_the_last_horizon(df, fitted):
    known = df[df.groupby("unique_id").cumcount(ascending=False) >= 4]
    held_out = df.drop(known.index)
    table = fitted.predict(df=known).assign(y=held_out["y"].to_numpy())
    expected = mase(table, models=["Linear"], seasonality=1, train_df=known)["Linear"].mean()
    assert fitted.score(df) == pytest.approx(-expected)


def test_the_splitter_cuts_each_series_at_its_own_end_in_any_order(df):
    mixed = df.sample(frac=1, random_state=0)
    folds = list(RollingOrigin(4, n_splits=3, step_size=2).split(mixed))
    assert len(folds) == RollingOrigin(4).get_n_splits() == 3
    for i, (train, test) in enumerate(folds):
        for name, rows in df.groupby("unique_id"):
            ends = [part[part["unique_id"] == name]["ds"].max() for part in (mixed.iloc[train], mixed.iloc[test])]
            last = len(rows) - 1 - 2 * (2 - i)
            assert ends == [rows["ds"].iloc[last - 4], rows["ds"].iloc[last]]
        assert set(train) < set(test)
    by_groups = list(RollingOrigin(4, id_col="x").split(mixed, groups=mixed["unique_id"]))
    assert [len(test) for _, test in by_groups] == [len(test) for _, test in RollingOrigin(4).split(mixed)]
    assert repr(RollingOrigin(4)).startswith("RollingOrigin(horizon=4")
    with pytest.raises(ValueError, match="'b' has 57 rows"):
        list(RollingOrigin(4, n_splits=20).split(df))
    with pytest.raises(ValueError, match="no column 'x'"):
        list(RollingOrigin(4, id_col="x").split(df))


def test_plots_read_what_forecasters_give(df, fitted):
    from matplotlib import pyplot

    assert recurra.plot.forecast(fitted.predict(), df).get_ylabel() == "y"
    assert recurra.plot.residuals(fitted.cross_validation(df)).get_xlabel() == "steps ahead"
    assert recurra.plot.learning_curve(fitted).get_lines()[0].get_ydata().tolist() == fitted.history_["val_loss"]
    pyplot.close("all")
