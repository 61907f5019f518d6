"""Refits on training and validation part: as many steps, the same first weights, nothing calibrated on itself."""

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.comparison.settings import open_experiment
from recurra.comparison.trainers import Trainers
from recurra.errors import InputError
from recurra.training import FitOptions

RNG = np.random.default_rng(0)
SERIES = pd.DataFrame({"y": np.sin(np.arange(160) / 4) + 0.3 * RNG.normal(size=160)})
WINDOW = {"time": "none", "horizon": 2, "lookback": 6, "season": 1, "baselines": ["naive"], "folds": 1}
CONFIG = {"units": 4, "learning_rate": 3e-2}
SMALL = {**WINDOW, "families": ["dense"], "seeds": 1, "max_epochs": 60, "patience": 3, "config": CONFIG}


def trained(**settings):
    """A fold, its trainers, and a network trained on it."""
    experiment, common = open_experiment(SERIES, **{**SMALL, **settings})
    data, trainers, options = experiment.prepare(0), Trainers(experiment.task, common), FitOptions(seed=3)
    model, history = trainers.train(data, "dense", CONFIG, options)
    return data, trainers, options, model, history


def test_a_refit_on_the_same_rows_gives_the_same_weights_to_the_bit():
    data, trainers, options, model, history = trained()
    assert 0 < history.best_epoch < len(history.losses)  # the learning rate was halved, and epochs came to nothing
    first = model.get_weights()
    trainers._trainer(data, "dense", CONFIG).refit(data.train, data.train, data.validation, history, options)
    for was, now in zip(first, model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)


def test_a_refit_learns_from_the_validation_part_too():
    data, trainers, options, model, history = trained()
    assert len(data.known) > len(data.train) + len(data.validation) - 1  # windows that straddled the two are whole now
    first = model.get_weights()
    seconds = trainers.refit(data, "dense", CONFIG, history, options)
    assert seconds > 0
    assert any((was != now).any() for was, now in zip(first, model.get_weights(), strict=True))


def test_intervals_stay_those_of_the_network_that_had_not_seen_the_validation_part():
    data, trainers, options, model, history = trained()
    fitted = data.network(model)
    before = fitted.evaluate()
    trainers.refit(data, "dense", CONFIG, history, options)
    after = fitted.evaluate()
    assert (before.losses != after.losses).any()  # scored is the refit
    again = data.network(model).predictor.model.intervals.offsets
    assert (fitted.predictor.model.intervals.offsets != again).any()


def test_a_comparison_refits_where_it_is_asked_to(tmp_path):
    plain, refitted = (recurra.compare(SERIES, **SMALL, refit_folds=flag, mix="naive") for flag in (False, True))
    for name in ("dense", "dense + naive"):
        assert plain.summary.loc[name, "mase"] != refitted.summary.loc[name, "mase"]
    assert plain.summary.loc["naive", "mase"] == refitted.summary.loc["naive", "mase"]
    weights = [
        row["config"]["network_weight"] for c in (plain, refitted) for row in c.trial_rows if row["kind"] == "mix"
    ]
    assert weights[0] == weights[1]  # from the network that had not seen the validation part
    ends = [row["best_epoch"] for c in (plain, refitted) for row in c.trial_rows if row["kind"] == "family"]
    assert ends[0] == ends[1]
    (tmp_path / "text.txt").write_text("a rose is a rose is a rose. " * 60)
    with pytest.raises(InputError, match="`refit_folds` does not apply to language-model"):
        recurra.compare(tmp_path / "text.txt", task="language-model", families=["gru"], refit_folds=True)


def test_examples_are_refitted_on_both_parts():
    texts = pd.DataFrame({"text": ["a b c", "b c d", "c d e", "d e f"] * 20, "label": ["x", "y"] * 40})
    experiment, _ = open_experiment(texts, text="text", label="label", folds=2)
    fold = experiment.prepare(0)
    assert sorted(fold.known.rows.tolist()) == sorted([*fold.fold.train, *fold.fold.validation])
