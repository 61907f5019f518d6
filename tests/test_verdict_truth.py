"""The verdict on series of which the right verdict is known, end to end.

Each has a quick version with one recurrent family, and a slow one with more families and seeds. What the series are,
and which error is the best possible, is described in ``datasets/synthetic.py``.
"""

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.comparison.trials import Trial, TrialStore
from recurra.datasets import load
from recurra.evaluation import diebold_mariano

HORIZON = 4  # of the two series without covariates
BEST_POSSIBLE = 0.1 * np.sqrt(2 / np.pi)  # mean absolute error of distant_event's noise
EVERYTHING = {"families": ["linear", "dense", "gru", "lstm"], "seeds": 2, "max_epochs": 20}

# As long as a network cannot predict which symbol comes, absolute error is flat between the two, and training may stay
# on that plateau for long. Huber's loss has a slope there.
EVENT = {
    "horizon": 1,
    "lookback": 24,
    "loss": "huber",
    "config": {"units": 32, "learning_rate": 5e-3, "segment_length": 1, "window_norm": "none"},
}
PLAIN = {"horizon": HORIZON, "lookback": 12, "config": {"units": 8, "learning_rate": 5e-3}}


def compared(name, folder, **settings):
    """One fold that scores every origin of the newest fifth: enough of them to tell small differences."""
    fold = {"season": 1, "folds": 1, "seeds": 1, "test_size": 600, "max_origins": 600}
    return recurra.compare(name, baselines=["naive"], out=folder, **(fold | settings))


def against_naive(comparison, model):
    """Fraction by which a model lowers the naive error (first seed), and the p-value of that."""
    trials = TrialStore(comparison.folder / "trials")
    losses = {name: trials.get(Trial(name, 0)).losses for name in (model, "naive")}
    result = diebold_mariano(losses[model], losses["naive"], horizon=comparison.settings["horizon"])
    return -result.difference / losses["naive"].mean(), result.p_value


def best_trained(comparison):
    return next(line["model"] for line in comparison.summary_rows if line["kind"] == "family")


# A distant event: models that remember it win


def assert_event_needs_memory(comparison):
    assert comparison.verdict["worth_it"] is True
    assert comparison.verdict["best"] in ("gru", "lstm")
    assert comparison.verdict["text"].startswith(f"Yes: {comparison.verdict['best']} is worth its cost")
    winner = comparison.tests.set_index("model").loc[comparison.verdict["best"]]
    assert winner["effect"] >= 0.2
    assert winner["p_holm"] < 0.01
    assert comparison.summary.loc[comparison.verdict["best"], "mae"] < 1.25 * BEST_POSSIBLE
    # The error of those that cannot predict which symbol comes is about 1 at each go.
    assert comparison.summary.loc[["linear", "dense"], "mae"].min() > 1.5 * BEST_POSSIBLE


def test_models_that_remember_a_distant_event_win(tmp_path):
    settings = EVENT | {"families": ["linear", "dense", "lstm"], "max_epochs": 12}
    assert_event_needs_memory(compared("distant_event", tmp_path, **settings))


@pytest.mark.slow
def test_models_that_remember_a_distant_event_win_whatever_the_seed(tmp_path):
    comparison = compared("distant_event", tmp_path, **(EVENT | EVERYTHING))
    assert_event_needs_memory(comparison)
    assert (comparison.tests["effect"] >= 0.2).all()


def test_nothing_but_the_marked_symbol_predicts_a_distant_event():
    """The equation, and that neither the last event nor any one symbol gives the next one away."""
    table = load("distant_event").table
    y, symbol = table["y"].to_numpy(), table["symbol"].to_numpy()
    goes, markers = np.flatnonzero(table["go"]), np.flatnonzero(table["marker"])
    assert set(goes - markers) == set(range(4, 21))
    assert set(markers[1:] - goes[:-1]) == {1, 2, 3}
    noise = y.copy()
    noise[goes + 1] -= symbol[markers]
    assert np.abs(noise).mean() == pytest.approx(BEST_POSSIBLE, rel=0.05)
    limit = 4 / np.sqrt(len(goes))  # four standard deviations of a correlation that is not there
    assert abs(np.corrcoef(y[goes[1:] + 1], y[goes[:-1] + 1])[0, 1]) < limit
    late = goes[goes >= 24]
    shown = y[late + 1]
    assert max(abs(np.corrcoef(shown, symbol[late - lag])[0, 1]) for lag in range(24)) < limit + 1 / 17


# An autoregression: a linear model is best


def assert_linear_is_enough(comparison):
    assert comparison.verdict["worth_it"] is False
    assert comparison.verdict["text"].startswith("No: no recurrent family is worth its cost on this data")
    effect, p_value = against_naive(comparison, "linear")
    assert effect > 0.05
    assert p_value < 0.01


def test_an_autoregression_needs_no_memory(tmp_path):
    comparison = compared("ar2", tmp_path, **PLAIN, families=["linear", "gru"], max_epochs=10)
    assert_linear_is_enough(comparison)
    assert comparison.verdict["best"] == "linear"


@pytest.mark.slow
def test_nothing_beats_a_linear_model_on_an_autoregression(tmp_path):
    comparison = compared("ar2", tmp_path, **(PLAIN | EVERYTHING))
    assert_linear_is_enough(comparison)
    # A dense network contains a linear model, so it can be as good; chance decides by well below a hundredth.
    assert comparison.summary.loc["linear", "mase"] < 1.01 * comparison.summary["mase"].min()


# A threshold autoregression: a window of one step is enough, whatever the lookback


def threshold_autoregression(rows=900):
    """y[t] = 0.9 |y[t-1]| - 1 + 0.5 e: nothing before the last value helps."""
    noise, y = np.random.default_rng(0).normal(size=rows), np.zeros(rows)
    for t in range(1, rows):
        y[t] = 0.9 * abs(y[t - 1]) - 1 + 0.5 * noise[t]
    return pd.DataFrame({"y": y})


@pytest.mark.slow
def test_a_rival_that_reads_too_much_is_tried_with_shorter_windows_before_a_yes(tmp_path):
    settings = {"time": "none", "horizon": 1, "lookback": 8, "families": ["dense", "gru"], "max_epochs": 15}
    settings |= {"test_size": 250, "max_origins": 250, "config": {"learning_rate": 5e-3, "units": 32}}
    comparison = compared(threshold_autoregression(), tmp_path, **settings)
    assert comparison.verdict["worth_it"] is not True
    assert any("feed-forward ones with other windows and settings were tried" in note for note in comparison.notes)
    rival = comparison.tests["against"].iloc[0]
    assert rival.startswith("dense:window=")
    trials = comparison.trials.set_index("model")
    assert trials.loc[rival, "chosen"]
    tried = [name for name in trials.index if name.startswith("dense:window=")]
    assert len(tried) == 2 * 3  # 4, 2 and 1 of 8 steps, with and without window normalisation
    assert trials.loc[tried, "chosen"].sum() == 1
    assert rival == trials.loc[tried, "validation_loss"].idxmin()
    again = compared(threshold_autoregression(), tmp_path, **settings)  # resumes, and finds the same
    assert again.verdict == comparison.verdict


# A random walk: the last value is the best forecast


def assert_nothing_beats_naive(comparison):
    assert comparison.verdict["worth_it"] is False
    errors = comparison.summary["mase"]
    assert errors.min() > 0.98 * errors["naive"]  # none has the smallest effect that counts
    assert errors[best_trained(comparison)] < 1.05 * errors["naive"]  # they did learn to repeat the last value


def test_nothing_beats_naive_on_a_random_walk(tmp_path):
    comparison = compared("random_walk", tmp_path, **PLAIN, families=["linear", "gru"], max_epochs=8)
    assert_nothing_beats_naive(comparison)
    assert comparison.verdict["best"] == "naive"
    assert "use naive" in comparison.verdict["text"]
    assert "No network beats naive" in comparison.verdict["text"]


@pytest.mark.slow
def test_nothing_beats_naive_on_a_random_walk_whatever_the_family(tmp_path):
    assert_nothing_beats_naive(compared("random_walk", tmp_path, **(PLAIN | EVERYTHING)))
