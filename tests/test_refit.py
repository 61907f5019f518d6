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
SMALL = {
    **WINDOW,
    "families": ["dense"],
    "seeds": 1,
    "refit_folds": "validation",
    "max_epochs": 60,
    "patience": 3,
    "config": CONFIG,
}


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
    epochs, seconds = trainers.refit(data, "dense", CONFIG, history, options)
    assert epochs == history.best_epoch
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
    plain, refitted = (
        recurra.compare(SERIES, **{**SMALL, "refit_folds": which, "mix": "naive"}) for which in ("none", "validation")
    )
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
        recurra.compare(tmp_path / "text.txt", task="language-model", families=["gru"], refit_folds="validation")


def test_examples_are_refitted_on_both_parts():
    texts = pd.DataFrame({"text": ["a b c", "b c d", "c d e", "d e f"] * 20, "label": ["x", "y"] * 40})
    experiment, _ = open_experiment(texts, text="text", label="label", folds=2)
    fold = experiment.prepare(0)
    known = sorted([*fold.fold.train, *fold.fold.validation])
    assert sorted(fold.known.rows.tolist()) == known
    parts = fold.known_parts()
    assert len(parts) == 5
    assert sorted(row for _, held_out in parts for row in held_out.rows.tolist()) == known
    for learnt, held_out in parts:
        assert sorted([*learnt.rows.tolist(), *held_out.rows.tolist()]) == known


@pytest.mark.parametrize(("turns", "config"), [(1, {}), (2, {}), (3, {"ema": 0.9})])
def test_trainings_by_turns_are_trainings(turns, config):
    """Each has weights, moments, averages and random numbers of its own: alike, they are as one that was alone."""
    experiment, common = open_experiment(SERIES, **SMALL)
    data, trainers, options = experiment.prepare(0), Trainers(experiment.task, common), FitOptions(seed=3)
    config = {**CONFIG, "dropout": 0.2, **config}
    _, history = trainers.train(data, "dense", config, options)
    trainer = trainers._trainer(data, "dense", config)
    crossed = trainer.cross_validate([(data.train, data.validation)] * turns, history, options)
    np.testing.assert_allclose(crossed.losses, history.losses, rtol=1e-12)
    assert (crossed.best_epoch, crossed.stopped_by) == (history.best_epoch, history.stopped_by)


def test_cross_validation_says_how_long_few_examples_are_learnt_from():
    texts = pd.DataFrame({"text": ["a b c", "b c d", "c d e", "d e f"] * 10, "label": ["x", "y"] * 20})
    settings = {"text": "text", "label": "label", "families": ["dense"], "baselines": ["majority"], "mix": "none"}
    settings |= {"folds": 1, "seeds": 1, "max_epochs": 6, "config": {"embedding": 4}}
    rows = recurra.compare(texts, refit_folds="cross-validation", **settings).trial_rows
    (row,) = [row for row in rows if row["kind"] == "family"]
    assert 1 <= row["refit_epochs"] <= 6
    with pytest.raises(
        InputError, match="`refit_folds` must be one of none, validation, cross-validation; received 'x'"
    ):
        recurra.compare(texts, refit_folds="x", **settings)


def test_series_are_not_cross_validated():
    with pytest.raises(InputError, match=r"cross-validation does not apply to forecast.*; take validation"):
        recurra.compare(SERIES, **{**SMALL, "refit_folds": "cross-validation"})


def test_few_examples_are_refitted_unless_somebody_says_otherwise():
    few = pd.DataFrame({"text": ["a b c", "b c d", "c d e", "d e f"] * 10, "label": ["x", "y"] * 20})
    many, split = pd.concat([few] * 25), pd.concat([few] * 25).assign(split=["train"] * 999 + ["test"])
    chosen = [
        open_experiment(table, text="text", label="label", **more)[1].refit_folds
        for table, more in ((few, {}), (few, {"refit_folds": "none"}), (many, {}), (split, {"split": "split"}))
    ]
    assert chosen == ["validation", "none", "none", "validation"]
    assert open_experiment(SERIES, **WINDOW)[1].refit_folds == "none"


def test_a_final_fit_learns_from_all_few_examples():
    few = pd.DataFrame({"text": ["a b c", "b c d", "c d e", "d e f"] * 10, "label": ["x", "y"] * 20})
    small = {"text": "text", "label": "label", "family": "dense", "max_epochs": 4, "config": {"embedding": 4}}
    plain, again = (recurra.fit(few, **small, **more) for more in ({"refit_folds": "none"}, {}))
    assert plain.history.losses == again.history.losses
    asked = ["a b c"]
    assert (plain.predictor.predict(asked) != again.predictor.predict(asked)).to_numpy().any()
    assert any("trained once more" in note for note in again.notes)
    assert not any("trained once more" in note for note in plain.notes)
