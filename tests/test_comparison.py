"""Comparison: every family the same chances, choices made on validation rows only, and sums that add up."""

import importlib
import json
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.comparison import parse_budget
from recurra.comparison.progress import ignore
from recurra.comparison.rivals import _around, try_rivals
from recurra.comparison.run import Run
from recurra.comparison.settings import open_experiment
from recurra.comparison.summary import summarise, test_and_judge
from recurra.comparison.trainers import Trainers
from recurra.comparison.trials import Outcome, Trial
from recurra.errors import InputError
from recurra.frames import SeriesFrame
from recurra.models import build
from recurra.pipelines import RowRange, Windows
from recurra.spec import ForecastOutput, SequenceSpec, ValuesInput
from recurra.tasks import Forecast
from recurra.tasks.forecast import ForecastExperiment
from recurra.tasks.forecast_fold import ForecastFold
from recurra.tasks.forecast_test_set import ForecastTestSet, align_losses
from recurra.training import FitOptions, Trainer

run_module = importlib.import_module("recurra.comparison.run")
forecast_module = importlib.import_module("recurra.tasks.forecast")

ROW_KEYS = {
    *("model", "kind", "fold", "seed", "config_number", "config", "chosen", "notes", "validation_loss"),
    *("mae", "rmse", "mase", "smape", "by_step", "parameters", "macs", "train_seconds", "predict_ms"),
    *("epochs", "best_epoch", "stopped_by", "learning_rate"),
}
FAMILY_KEYS = ROW_KEYS | {"coverage_80", "coverage_95"}  # baselines give no intervals


def wave(rows=120, series=1, missing=()):
    """A noisy wave for each series, without the values of some rows."""
    random = np.random.default_rng(0)
    y = np.sin(np.arange(rows) * 0.5) + 0.1 * random.normal(size=(series, rows))
    y[:, missing] = np.nan
    table = pd.DataFrame({"name": np.repeat([f"s{i:02}" for i in range(series)], rows), "y": y.reshape(-1)})
    return SeriesFrame.from_table(table, id="name", time="none", target="y")


def quick(frame, **settings):
    """A comparison of a second or two: everything as small as it can be."""
    small = {"horizon": 3, "lookback": 6, "season": 1, "folds": 2, "seeds": 2, "max_epochs": 2}
    small |= {"families": ["linear", "gru"], "baselines": ["naive", "drift"], "config": {"units": 4}}
    return recurra.compare(frame, **(small | settings))


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    """One that was really trained, on a series with one value missing, so that there is something to say."""
    return quick(wave(missing=[118]), out=tmp_path_factory.mktemp("run"))


class Untrained:
    """Stands in for the training: notes what it was called with, and gives the losses it was made with."""

    def __init__(self, validation=lambda _: 1.0, test=lambda _: 1.0):
        self.validation, self.test = validation, test
        self.trials, self.configs, self.budgets = [], [], []

    def __call__(self, trainers, data, trial, family, config, options, partner=None):  # noqa: ARG002
        self.trials.append(trial)
        self.configs.append(config)
        self.budgets.append(options.budget)
        windows = data.test_set.windows
        return [outcome(trial, np.full(len(windows), self.test(trial)), validation_loss=self.validation(trial))]


def outcome(trial, losses, *, kind="family", validation_loss=1.0, chosen=True):
    """What a trial came to, from nothing but its losses."""
    error = float(np.mean(losses))
    scores = {"mae": 2 * error, "rmse": 3 * error, "mase": error, "smape": 4 * error}
    prices = {"parameters": 7, "macs": 5, "train_seconds": 1.0 + trial.seed, "predict_ms": 0.5}
    rest = {"by_step": {"mae": [error]}, "validation_loss": validation_loss, "chosen": chosen, "notes": []}
    rest |= {"epochs": 1, "best_epoch": 1, "stopped_by": "max_epochs"}
    where = {"model": trial.model, "kind": kind, "fold": trial.fold, "seed": trial.seed}
    which = {"config_number": trial.config_number, "config": {}}
    return Outcome({**where, **which, **scores, **prices, **rest}, np.asarray(losses, float), np.zeros((3, 1)))


@pytest.fixture
def untrained(monkeypatch):
    def put(**losses):
        stub = Untrained(**losses)
        monkeypatch.setattr(run_module, "run_family", stub)
        return stub

    return put


# Equal chances


def test_every_family_gets_as_many_configurations_and_seeds(untrained):
    asked = untrained()
    quick(wave(), families=["linear", "dense", "gru"], configs=3, seeds=2, config=None)
    counts = {
        family: {
            fold: [(t.seed, t.config_number) for t in asked.trials if (t.model, t.fold) == (family, fold)]
            for fold in (0, 1)
        }
        for family in ("linear", "dense", "gru")
    }
    # Three configurations with the first seed; the best (here the first) once more with the second.
    expected = [(0, 0), (0, 1), (0, 2), (1, 0)]
    assert counts == {family: {0: expected, 1: expected} for family in counts}
    drawn = {t.config_number: c for t, c in zip(asked.trials, asked.configs, strict=True) if t.model == "gru"}
    assert len({json.dumps(config, sort_keys=True) for config in drawn.values()}) == 3


def test_the_budget_is_shared_equally(untrained, monkeypatch):
    asked = untrained()
    monkeypatch.setattr(Trainers, "compile", lambda *_: 0.0)
    quick(wave(), configs=3, seeds=2, budget="4m", config=None)
    # 2 folds of 2 families with 3 configurations and 1 more seed each
    assert len(asked.budgets) == 16
    assert set(asked.budgets) == {240 / 16}


def test_compiling_is_part_of_the_budget(untrained, monkeypatch):
    asked = untrained()
    compiled = set()

    def compile_once(_, data, family, config):  # noqa: ARG001
        new = family not in compiled
        compiled.add(family)
        return 30.0 * new

    monkeypatch.setattr(Trainers, "compile", compile_once)
    result = quick(wave(), seeds=2, budget="4m")
    # 2 folds of 2 families, twice: a family has 120 s; compiling takes 30 of them
    assert asked.budgets[:4] == [22.5, pytest.approx((120 - 30 - 1) / 3), 22.5, pytest.approx((120 - 30 - 1) / 3)]
    assert max(asked.budgets) <= 30
    assert "compiling the networks took 60 s of a budget of 240 s" in " ".join(result.notes)
    assert not [note for note in quick(wave(), seeds=2).notes if "compiling" in note]


def test_a_trainer_compiles_once_and_trains_as_if_it_had_not():
    fold = open_experiment(wave(), families=["gru"], horizon=3, lookback=8, season=1)[0].prepare(0)
    weights = []
    for first in (False, True):
        trainer = Trainer(lambda: fold.build("gru", {"units": 4}), max_epochs=2)
        if first:
            assert trainer.compile(fold.train, fold.validation) > 0
            assert trainer.compile(fold.train, fold.validation) == 0
        trainer.fit(fold.train, fold.validation, FitOptions(seed=3))
        weights.append(trainer.model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_a_budget_there_is_no_limit(untrained):
    asked = untrained()
    quick(wave())
    assert set(asked.budgets) == {math.inf}


def test_baselines_come_first_in_every_fold(untrained):
    untrained()
    rows = quick(wave()).trials
    first = ["naive", "drift", "linear", "linear", "gru", "gru"]
    assert rows["model"].tolist() == 2 * first
    assert rows["fold"].tolist() == [0] * 6 + [1] * 6
    assert rows["kind"].tolist() == 2 * (["baseline"] * 2 + ["family"] * 4)


# Choices


def test_the_configuration_is_chosen_on_validation_rows_only(untrained):
    # Number 1 looks best in validation and is worst in the test; number 0 the other way round.
    asked = untrained(
        validation=lambda trial: [0.9, 0.2, 0.5][trial.config_number],
        test=lambda trial: [0.1, 5.0, 1.0][trial.config_number],
    )
    result = quick(wave(), configs=3, seeds=3, config=None)
    tried = result.trials[result.trials["kind"] == "family"]
    assert set(tried.loc[tried["chosen"], "config_number"]) == {1}
    assert not tried.loc[tried["config_number"] != 1, "chosen"].any()
    assert {t.config_number for t in asked.trials if t.seed > 0} == {1}
    assert result.summary.loc["gru", "mase"] == 5.0
    assert result.summary.loc["gru", "trials"] == 6  # three seeds in each of two folds


def test_a_baseline_is_chosen_among_its_own_configurations_on_validation_rows_only(untrained, monkeypatch, tmp_path):
    untrained()
    asked = []

    def loss(data, name, config):
        asked.append((data.index, name, config["theta"]))
        return {2.0: 0.3, 1.0: 0.2, 4.0: 0.1 if data.index else 0.9}[config["theta"]]

    monkeypatch.setattr(ForecastFold, "baseline_loss", loss)
    settings = {"families": ["linear"], "baselines": ["naive", "theta"], "config": None, "out": tmp_path}
    result = quick(wave(), **settings)
    rows = {row["fold"]: row for row in result.trial_rows if row["model"] == "theta"}
    assert [rows[fold]["config"] for fold in (0, 1)] == [{"theta": 1.0}, {"theta": 4.0}]
    tried = [(*tuple(one["config"].values()), one["loss"]) for one in rows[0]["configs_tried"]]
    assert sorted(tried) == [(1.0, 0.2), (2.0, 0.3), (4.0, 0.9)]
    assert tried[0] == (2.0, 0.3)  # the default comes first
    assert rows[0]["configs_tried"][rows[0]["config_number"]]["config"] == rows[0]["config"]
    assert rows[0]["validation_loss"] == 0.2
    assert rows[0]["chosen"]
    naive = next(row for row in result.trial_rows if row["model"] == "naive")
    assert naive["config"] == {}
    assert "configs_tried" not in naive
    assert result.settings["configs"] is None
    assert "of a baseline up to 3" not in result.verdict["text"]  # no recurrent family
    assert len(asked) == 6
    assert quick(wave(), **settings).trial_rows == result.trial_rows  # resumed: nothing is tried again
    assert len(asked) == 6


def test_one_configuration_is_the_default_of_families_and_baselines(untrained):
    untrained()
    rows = quick(wave(), baselines=["theta"], configs=1).trial_rows
    assert [row["config"] for row in rows if row["model"] == "theta"] == [{"theta": 2.0}] * 2
    assert not any("configs_tried" in row for row in rows)


def test_each_fold_chooses_for_itself(untrained):
    untrained(validation=lambda trial: float(trial.config_number != trial.fold))
    rows = quick(wave(), configs=2, config=None).trials
    chosen = rows[(rows["kind"] == "family") & rows["chosen"]]
    assert (chosen["config_number"] == chosen["fold"]).all()


def test_trained_rows_choose_by_validation_loss():
    result = quick(wave(), families=["linear"], configs=2, seeds=1, folds=1, config=None)
    rows = result.trials[result.trials["kind"] == "family"]
    assert len(rows) == 2
    assert rows.set_index("config_number")["validation_loss"].nunique() == 2
    assert rows["chosen"].tolist() == (rows["validation_loss"] == rows["validation_loss"].min()).tolist()


# Successive halving

HALVED = {"families": ["linear"], "configs": 5, "seeds": 1, "folds": 1, "config": None, "baselines": ["naive"]}
HALVED |= {"batch_size": 2, "max_epochs": 60, "patience": 60}


def without_seconds(rows):
    return [{k: v for k, v in row.items() if k not in ("train_seconds", "predict_ms")} for row in rows]


@pytest.fixture(scope="module")
def halved():
    """Rows of five configurations of one family."""
    return [row for row in quick(wave(), **HALVED).trial_rows if row["model"] == "linear"]


def test_of_many_configurations_the_better_half_goes_on(halved):
    assert len(halved) == 5
    [best] = [row for row in halved if row["chosen"]]
    assert best["validation_loss"] == min(row["validation_loss"] for row in halved)
    assert best["stopped_by"] != "halving"
    others = sorted(row["epochs"] for row in halved if row is not best)
    assert all(row["stopped_by"] == "halving" for row in halved if row is not best)
    assert others[0] == others[1] < others[2] <= others[3] < best["epochs"]  # 5, 3, 2, 1 are left


def test_the_best_of_many_is_trained_as_if_it_had_been_alone(halved):
    [best] = [row for row in halved if row["chosen"]]
    experiment, common = open_experiment(wave(), horizon=3, lookback=6, season=1, **{**HALVED, "configs": 1})
    data = experiment.prepare(0)
    _, history = Trainers(experiment.task, common).train(data, "linear", best["config"], FitOptions())
    assert (history.best_loss, history.best_epoch) == (best["validation_loss"], best["best_epoch"])
    for row in halved:  # it was ahead wherever another was left behind
        assert min(history.losses[: row["epochs"]]) <= row["validation_loss"]


@pytest.mark.parametrize("after", [10, "the rounds"])
def test_a_killed_halving_decides_as_an_unbroken_one(halved, after, tmp_path):
    seen = 0

    def kill(progress):
        nonlocal seen
        seen += progress.epoch > 0
        # an evaluation is announced, a round is not
        evaluated = progress.epoch == 0 and progress.trial.config_number == 3
        if seen == after or (after == "the rounds" and evaluated):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quick(wave(), on_progress=kill, out=tmp_path, **HALVED)
    result = quick(wave(), out=tmp_path, **HALVED)
    assert without_seconds(row for row in result.trial_rows if row["model"] == "linear") == without_seconds(halved)
    assert not list((tmp_path / "trials").glob("*rounds*"))


def test_a_model_without_a_score_comes_last():
    outcomes = [outcome(trial("theta", 0), [np.nan], kind="baseline"), outcome(trial("linear", 0), [2.0])]
    outcomes[0].row.update(mase=np.nan, by_step={"mae": [np.nan]})
    summary = summarise(outcomes, Forecast())
    assert [line["model"] for line in summary] == ["linear", "theta"]
    assert np.isnan(summary[1]["by_step"]["mae"]).all()


# What is written


def test_every_row_says_the_same_things(comparison):
    for row in comparison.trial_rows:
        assert set(row) == (FAMILY_KEYS if row["kind"] == "family" else ROW_KEYS)
        assert {len(steps) for steps in row["by_step"].values()} == {3}
    assert len(comparison.trials) == 2 * (2 + 2 * 2)
    assert comparison.trials["chosen"].all()


def test_the_summary_is_the_mean_of_the_rows(comparison):
    rows = comparison.trials
    for name in ("mase", "mae", "rmse", "smape", "coverage_80", "parameters", "train_seconds", "predict_ms"):
        expected = rows.groupby("model")[name].mean()
        for model, value in comparison.summary[name].astype(float).items():
            assert value == pytest.approx(expected[model], nan_ok=True), (name, model)
    assert comparison.summary["mase"].is_monotonic_increasing
    gru = rows[rows["model"] == "gru"]
    assert comparison.summary.loc["gru", "mase_sd"] == pytest.approx(gru.groupby("seed")["mase"].mean().std())
    assert np.isnan(comparison.summary.loc["naive", "mase_sd"])
    by_step = [row["by_step"]["mae"] for row in comparison.trial_rows if row["model"] == "gru"]
    line = next(line for line in comparison.summary_rows if line["model"] == "gru")
    assert line["by_step"]["mae"] == pytest.approx(np.mean(by_step, axis=0))


def test_baselines_score_what_they_forecast(comparison):
    """The naive rows by hand: each origin's last value against the three that follow."""
    y = comparison.frame.table["y"].to_numpy()
    for fold, cutoff in enumerate((96, 108)):
        origins = np.arange(cutoff, cutoff + 12 - 3 + 1)
        ahead = y[origins[:, None] + np.arange(3)]
        expected = np.nanmean(np.abs(ahead - y[origins - 1][:, None]))
        row = next(r for r in comparison.trial_rows if (r["model"], r["fold"]) == ("naive", fold))
        assert row["mae"] == pytest.approx(expected)
        assert row["mase"] == pytest.approx(expected / np.abs(np.diff(y[:cutoff])).mean())
        assert comparison.folds[fold]["test_windows"] == len(origins)


def test_the_file_is_strict_json(comparison):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    text = (comparison.folder / "comparison.json").read_text(encoding="utf-8")
    content = json.loads(text, parse_constant=refuse)
    assert set(content) == {
        *("schema_version", "recurra", "task", "data", "settings", "notes"),
        *("folds", "trials", "summary", "tests", "verdict"),
    }
    assert content == comparison.to_dict()
    assert content["verdict"] == comparison.verdict
    assert content["settings"]["families"] == ["linear", "gru"]
    assert {test["model"] for test in content["tests"]} == {"gru"}
    table = pd.read_csv(comparison.folder / "comparison.csv")
    assert table["model"].tolist() == comparison.trials["model"].tolist()
    assert table["mase"].to_numpy() == pytest.approx(comparison.trials["mase"].to_numpy())


def test_what_is_not_a_number_is_written_as_null(untrained, tmp_path):
    untrained(validation=lambda trial: math.inf if trial.model == "gru" else 1.0)
    result = quick(wave(), out=tmp_path)
    content = json.loads((tmp_path / "comparison.json").read_text(), parse_constant=pytest.fail)
    assert [r["validation_loss"] for r in content["trials"] if r["model"] == "gru"] == [None] * 4
    assert result.trial_rows[-1]["validation_loss"] == math.inf


def test_another_comparison_does_not_go_into_the_same_folder(comparison):
    with pytest.raises(
        InputError, match="holds another comparison: its `seeds` is 2, now it is 1; choose another `out`"
    ):
        quick(comparison.frame, out=comparison.folder, seeds=1)
    with pytest.raises(InputError, match="it is about other data, or other columns of them; choose"):
        quick(wave(missing=[117]), out=comparison.folder)


# Losses side by side


def scored(count, *, horizon=1, stride=1):
    """A test set with so many windows of each series."""
    count = np.array(count)
    windows = Windows(np.zeros_like(count), count, lookback=4, horizon=horizon, stride=stride)
    origin = np.concatenate([np.arange(n) for n in count])
    return ForecastTestSet(windows, np.zeros((len(windows), horizon, 1)), np.ones((len(windows), 1)), origin)


def test_windows_made_at_the_same_time_have_the_same_origin():
    days = pd.date_range("2024-01-01", periods=40)
    early = pd.DataFrame({"unique_id": "a", "ds": days, "y": np.arange(40.0)})
    late = pd.DataFrame({"unique_id": "b", "ds": days[22:], "y": 3 * np.arange(18.0)})
    frame = SeriesFrame.from_table(pd.concat([early, late]))
    rows = RowRange(np.array([24, 2]), np.array([40, 18]), 100)
    test = ForecastTestSet.of(frame, rows, lookback=5, horizon=1, season=1)
    assert test.scale[:, 0].tolist() == [1.0] * 16 + [3.0] * 13  # b's unit is read off its first window's inputs
    # a: day 24 on, 16 windows; b begins on day 22, so its first window forecasts day 27, three days after the cutoff
    assert test.origin.tolist() == [*range(16), *range(3, 16)]


def trial(model, fold, seed=0, config_number=0):
    return Trial(model, fold, seed, config_number)


def aligned(models, outcomes, test_sets):
    """The outcomes' losses as a run lays them out, aligned."""
    run = SimpleNamespace(n_folds=len(test_sets))
    return align_losses({model: Run.fold_losses(run, model, outcomes) for model in models}, test_sets)


def test_losses_are_averaged_over_seeds_and_laid_end_to_end():
    test_sets = [scored([2]), scored([3])]
    outcomes = [
        outcome(trial("gru", 0, seed=0), [1.0, 2.0]),
        outcome(trial("gru", 0, seed=1), [3.0, 4.0]),
        outcome(trial("gru", 0, seed=0, config_number=1), [99.0, 99.0], chosen=False),
        outcome(trial("gru", 1, seed=0), [5.0, 6.0, 7.0]),
        outcome(trial("gru", 1, seed=1), [5.0, 8.0, 9.0]),
        outcome(trial("naive", 0), [1.0, 1.0], kind="baseline"),
        outcome(trial("naive", 1), [2.0, 2.0, np.nan], kind="baseline"),
    ]
    losses, folds, overlap = aligned(["gru", "naive"], outcomes, test_sets)
    assert losses["gru"].tolist() == [2.0, 3.0, 5.0, 7.0, 8.0]
    np.testing.assert_array_equal(losses["naive"], [1.0, 1.0, 2.0, 2.0, np.nan])
    assert folds.tolist() == [0, 0, 1, 1, 1]
    assert overlap == 1


def test_several_series_are_averaged_at_each_origin():
    # Series 0 has the windows 1, 2 and 3, series 1 the windows 10 and one in which nothing was observed.
    outcomes = [outcome(trial("gru", 0), [1.0, 2.0, 3.0, 10.0, np.nan])]
    losses, folds, _ = aligned(["gru"], outcomes, [scored([3, 2])])
    assert losses["gru"].tolist() == [5.5, 2.0, 3.0]
    assert folds.tolist() == [0, 0, 0]


def test_many_series_with_one_origin_are_the_sample():
    test_sets = [scored([1] * 12), scored([1] * 12)]
    outcomes = [
        outcome(trial("gru", 0), np.arange(12.0)),
        outcome(trial("gru", 1), np.arange(12.0) + 1),
    ]
    losses, series, overlap = aligned(["gru"], outcomes, test_sets)
    assert losses["gru"].tolist() == [i + 0.5 for i in range(12)]
    assert len(set(series.tolist())) == 12  # no two are neighbours in time
    assert overlap == 1


def test_a_series_that_is_never_scored_takes_no_part():
    test_sets = [scored([1] * 11 + [0]), scored([0] + [1] * 10 + [0])]
    outcomes = [outcome(trial("gru", 0), np.ones(11)), outcome(trial("gru", 1), np.full(10, 3.0))]
    losses, series, _ = aligned(["gru"], outcomes, test_sets)
    np.testing.assert_array_equal(losses["gru"], [1.0] + [2.0] * 10 + [np.nan])
    assert len(series) == 12


def test_few_series_with_few_origins_stay_in_time_order():
    losses, _, _ = aligned(["gru"], [outcome(trial("gru", 0), np.arange(8.0))], [scored([4, 4])])
    assert losses["gru"].tolist() == [2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize(("horizon", "stride", "overlap"), [(5, 1, 5), (5, 2, 3), (6, 2, 3), (5, 7, 1)])
def test_origins_overlap_as_long_as_they_share_target_rows(horizon, stride, overlap):
    test_sets = [scored([12], horizon=horizon, stride=stride)]
    assert aligned(["gru"], [outcome(trial("gru", 0), np.ones(12))], test_sets)[2] == overlap


def test_thinned_origins_shorten_the_overlap(untrained, monkeypatch):
    untrained()
    seen = []
    compare_losses = forecast_module.compare_losses

    def watched(*args, **kwargs):
        seen.append(kwargs)
        return compare_losses(*args, **kwargs)

    monkeypatch.setattr(forecast_module, "compare_losses", watched)
    quick(wave(rows=300), horizon=5, test_size=44, max_origins=20, folds=1)  # 40 origins, every second one
    assert [kwargs["horizon"] for kwargs in seen] == [3]


def test_recurrent_families_are_held_against_the_best_simpler_model():
    errors = {"naive": 3.0, "linear": 1.0, "dense": 2.0, "gru": 0.5, "lstm": 4.0}
    noise = np.random.default_rng(0).normal(scale=0.1, size=(5, 40))
    outcomes = [
        outcome(trial(model, 0), error + noise[i], kind="baseline" if model == "naive" else "family")
        for i, (model, error) in enumerate(errors.items())
    ]
    experiment = SimpleNamespace(task=Forecast(), test_sets=[scored([40])])
    experiment.significance = lambda losses, **how: ForecastExperiment.significance(experiment, losses, **how)
    run = SimpleNamespace(experiment=experiment, n_folds=1)
    run.fold_losses = lambda model, outcomes: Run.fold_losses(run, model, outcomes)
    tests, verdict = test_and_judge(run, summarise(outcomes, experiment.task), outcomes)
    assert {(row["model"], row["against"]) for row in tests} == {("gru", "linear"), ("lstm", "linear")}
    assert next(row["effect"] for row in tests if row["model"] == "gru") == pytest.approx(0.5, abs=0.05)
    assert (verdict["worth_it"], verdict["best"]) == (True, "gru")


# fit


def test_fit_gives_a_predictor():
    frame = wave(rows=80, series=2)
    fitted = recurra.fit(frame, family="gru", horizon=3, lookback=6, season=1, max_epochs=2, config={"units": 4})
    forecast = fitted.predictor.predict(frame)
    assert len(forecast) == 2 * 3
    assert forecast["name"].tolist() == ["s00"] * 3 + ["s01"] * 3
    assert forecast["row"].tolist() == [80, 81, 82] * 2
    numbers = forecast[["y-lo-95", "y-lo-80", "y", "y-hi-80", "y-hi-95"]].to_numpy()
    assert np.isfinite(numbers).all()
    assert (np.diff(numbers, axis=1) >= 0).all()
    assert fitted.training["family"] == "gru"
    assert (fitted.training["units"], fitted.training["seed"]) == (4, 0)
    assert len(fitted.history.losses) == 2


def test_the_best_model_is_fitted_once_more_on_all_rows(comparison):
    result = quick(comparison.frame, out=comparison.folder, refit=True)  # its trials are taken from the folder
    best = result.summary_rows[0]["model"]
    assert best == result.verdict["best"] == result.refits[0].model
    assert result.refits[0].training["family"] == best
    assert result.predictor.predict(result.frame)["row"].tolist() == [120, 121, 122]
    assert result.provenance()["metrics"]["mase"] == result.summary.loc[best, "mase"]


def test_typed_settings_and_plain_keywords_are_the_same(untrained):
    untrained()
    plain = quick(wave())
    typed = recurra.compare(
        wave(),
        task=Forecast(horizon=3, lookback=6, season=1),
        folds=2,
        seeds=2,
        max_epochs=2,
        families=["linear", "gru"],
        baselines=["naive", "drift"],
        config={"units": 4},
    )
    assert typed.settings == plain.settings
    assert typed.task == plain.task
    assert typed.summary_rows[0]["mase"] == plain.summary_rows[0]["mase"]


def test_a_comparison_is_one_line(comparison):
    line = repr(comparison)
    assert "\n" not in line
    assert line.startswith("Comparison(forecast of 'table': 4 models, best ")


# Errors a user can fix


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"families": ["gpu"]},
            "`families` must be some of linear, dense, tcn, simple_rnn, gru, lstm, min_gru, min_lstm; received 'gpu'",
        ),
        ({"families": []}, "`families` must name a family; choose from linear, dense"),
        ({"families": ["gru", "gru"]}, "`families` must name each model once; received gru, gru"),
        (
            {"baselines": ["oracle"]},
            "`baselines` must be some of naive, seasonal_naive, naive2, drift, theta, arima, ets, boosted_trees; rec",
        ),
        ({"folds": 0}, "`folds` must be at least 1; received 0"),
        ({"seeds": 0}, "`seeds` must be at least 1; received 0"),
        ({"max_origins": 0}, "`max_origins` must be at least 1; received 0"),
        ({"budget": "abc"}, "`budget` must be a time such as 90s, 10m or 1h; received 'abc'"),
        ({"budget": "0m"}, "`budget` must be a time"),
        (
            {"config": {"unit": 3}},
            "`config` must be settings of the chosen families (autoregressive, bidirectional, decay",
        ),
        ({"tokens": "word"}, "`tokens` does not apply to the task forecast, which has `horizon`, `lookback`"),
        (
            {"task": "oracle"},
            "`task` must be one of forecast, classification, regression, tagging, language-model; rec",
        ),
        ({"task": "tagging"}, "was read for forecast, so `task` tagging does not fit it"),
        ({"folds": 50}, "fewer than one window of 9"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(InputError) as caught:
        quick(wave(), **settings)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90.0), ("10m", 600.0), ("1.5h", 5400.0), (45, 45.0), (" 3 m ", 180.0), (None, None)]
)
def test_budgets_are_read(text, seconds):
    assert parse_budget(text) == seconds


def test_a_misspelt_setting_is_named_with_the_one_that_was_meant():
    with pytest.raises(InputError, match=r"there is no setting `max_epoch`; did you mean `max_epochs`"):
        quick(wave(), max_epoch=2)


def opened(families, baselines=("naive",), **settings):
    """A run over two folds and two seeds, and nothing of it done yet."""
    sizes = {"horizon": 2, "lookback": 8, "season": 1, "folds": 2, "seeds": 2}
    experiment, common = open_experiment(
        wave(), families=list(families), baselines=list(baselines), **(sizes | settings)
    )
    return Run(experiment, common, None, ignore)


def test_before_a_yes_feed_forward_families_are_tried_with_shorter_windows(untrained):
    """All on the first fold with the first seed, chosen there by validation loss, and only that one everywhere."""
    rank = {"dense:window=2": 0.1, "linear:window=1": 0.2}
    stub = untrained(validation=lambda trial: rank.get(trial.model, 1.0))
    run = opened(["linear", "dense", "dense:window=3", "gru"])
    outcomes, notes = try_rivals(run, ["naive", "linear"], [])
    first = [trial.model for trial in stub.trials[:12]]
    assert first == [
        f"{family}:window={window}{norm}"
        for family in ("linear", "dense")
        for window in (4, 2, 1)
        for norm in ("", "+window_norm=none")
    ]
    assert {(trial.fold, trial.seed) for trial in stub.trials[:12]} == {(0, 0)}
    rest = [(trial.model, trial.fold, trial.seed) for trial in stub.trials[12:]]
    assert rest == [("dense:window=2", fold, seed) for fold, seed in ((0, 1), (1, 0), (1, 1))]
    chosen = [outcome.row for outcome in outcomes if outcome.row["chosen"]]
    assert [(row["model"], row["fold"], row["seed"]) for row in chosen] == [("dense:window=2", 0, 0), *rest]
    assert all(config["window"] in (1, 2, 4) for config in stub.configs)
    [note] = notes
    assert "12 feed-forward ones with other windows and settings" in note


def test_before_a_yes_the_best_simpler_models_have_as_many_configurations_as_all_recurrent_ones(untrained):
    stub = untrained()
    run = opened(["dense", "gru", "lstm"], ["naive", "theta"], configs=2)
    outcomes = [outcome for model, fold in run.places for outcome in run.trials_of(model, fold)]
    before = len(stub.trials)
    more, notes = try_rivals(run, ["theta", "dense", "naive"], outcomes)
    tried = dict.fromkeys(trial.model for trial in stub.trials[before:])
    settings = [name for name in tried if ":window=" not in name]
    assert len(settings) == 2  # of four configurations two were tried before
    configs = {json.dumps(run.configs_of(name, 0, 1)[0], sort_keys=True) for name in settings}
    drawn = {json.dumps(config, sort_keys=True) for config in run.configs_of("dense", 0, 4)}
    assert configs < drawn  # the variants are named by what is not as usual
    theta = [o.row for o in [*outcomes, *more] if o.row["model"] == "theta"]
    assert [len(row["configs_tried"]) for row in theta] == [2, 2, 3, 3]  # it has no more than three
    assert [row["chosen"] for row in theta] == [False, False, True, True]
    assert "4 configurations of theta, the best baseline" in notes[1]


@pytest.mark.parametrize("usual", [8, 1])
def test_windows_of_taggers_are_tried_around_the_usual_one(usual):
    found = _around(usual, least=1)
    assert found[:3] == ([16, 4, 32] if usual == 8 else [2, 4, 8])
    assert max(found) == 64
    assert min(found) == (1 if usual == 8 else 2)


def test_a_window_reads_the_newest_steps_alone():
    spec = SequenceSpec(ValuesInput(6, 1), ForecastOutput(1, 1))
    inputs = np.arange(12.0).reshape(2, 6, 1)
    for family in ("linear", "dense"):
        model = build(family, spec, window=2, window_norm="none")
        changed = inputs.copy()
        changed[:, :4] = 99
        np.testing.assert_array_equal(model({"values": inputs}), model({"values": changed}))
        with pytest.raises(InputError, match="`window` must be between 1 and the lookback 6; received 7"):
            build(family, spec, window=7)
