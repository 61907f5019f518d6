import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recurra.evaluation import (
    Metric,
    Wording,
    compare_losses,
    conformal_offsets,
    coverage,
    diebold_mariano,
    holm,
    mae,
    mase,
    mean_by_group,
    mean_ignoring_nan,
    mse,
    owa,
    paired_series_test,
    rmse,
    seasonal_scale,
    smape,
)
from recurra.evaluation import judge as judge_task

NAN = np.nan
ERRORS = [mae, mse, rmse, smape]
FORECAST = Wording(
    metric=Metric("mase", "MASE", lambda scale, errors: float(np.mean(errors) / scale)),
    trivial=("naive", "seasonal_naive"),
    unit_of_work="forecast",
    more_data="more forecast origins (a longer series, a longer test set or more folds)",
)
judge = partial(judge_task, wording=FORECAST, recurrent=("simple_rnn", "gru", "lstm"))

# Two windows, two steps, one target.
TRUTH = np.array([[[1.0], [2.0]], [[4.0], [NAN]]])
FORECAST = np.array([[[2.0], [2.0]], [[1.0], [9.0]]])


def random_case(seed, shape=(5, 4, 2)):
    rng = np.random.default_rng(seed)
    return rng.normal(5, 1, shape), rng.normal(5, 1, shape)


# Metrics.


@pytest.mark.parametrize(
    ("metric", "overall", "steps", "windows"),
    [
        (mae, 4 / 3, [2, 0], [0.5, 3]),
        (mse, 10 / 3, [5, 0], [0.5, 9]),
        (rmse, math.sqrt(10 / 3), [math.sqrt(5), 0], [math.sqrt(0.5), 3]),
        (smape, (200 / 3 + 120) / 3, [(200 / 3 + 120) / 2, 0], [100 / 3, 120]),
    ],
)
def test_metrics_by_hand(metric, overall, steps, windows):
    assert metric(TRUTH, FORECAST) == pytest.approx(overall)
    np.testing.assert_allclose(metric(TRUTH, FORECAST, by="step"), steps)
    np.testing.assert_allclose(metric(TRUTH, FORECAST, by="window"), windows)
    np.testing.assert_allclose(metric(TRUTH, FORECAST, by="target"), [overall])


def test_mase_by_hand():
    assert mase(TRUTH, FORECAST, scale=np.array([2.0])) == pytest.approx(2 / 3)
    per_window = np.array([[1.0], [3.0]])
    np.testing.assert_allclose(mase(TRUTH, FORECAST, scale=per_window, by="window"), [0.5, 1])


def test_smape_counts_nothing_for_nothing_as_right():
    zero = np.zeros((1, 1, 1))
    assert smape(zero, zero) == 0
    assert smape(zero, zero + 1) == 200


def test_owa_is_one_for_naive2():
    assert owa(smape=18.383, mase=2.395, smape_naive2=18.383, mase_naive2=2.395) == 1
    # The M4 organisers' own figure for the seasonal naive forecast of the hourly series.
    published = owa(smape=13.912, mase=1.193, smape_naive2=18.383, mase_naive2=2.395)
    assert published == pytest.approx(0.62745, abs=1e-5)


@pytest.mark.parametrize("metric", ERRORS)
@given(seed=st.integers(0, 1000), hidden=st.integers(0, 39))
def test_cells_without_a_true_value_do_not_count(metric, seed, hidden):
    truth, forecast = random_case(seed)
    truth.reshape(-1)[hidden] = NAN
    other = forecast.copy()
    other.reshape(-1)[hidden] = 1e9
    assert metric(truth, forecast) == metric(truth, other)
    other.reshape(-1)[hidden] = NAN
    assert metric(truth, forecast) == metric(truth, other)


@given(seed=st.integers(0, 1000), factor=st.floats(1e-3, 1e3))
def test_units(seed, factor):
    truth, forecast = random_case(seed)
    scale = np.array([0.5, 2.0])
    scaled = factor * truth, factor * forecast
    assert mae(*scaled) == pytest.approx(factor * mae(truth, forecast))
    assert rmse(*scaled) == pytest.approx(factor * rmse(truth, forecast))
    assert mse(*scaled) == pytest.approx(factor**2 * mse(truth, forecast))
    assert smape(*scaled) == pytest.approx(smape(truth, forecast))
    assert mase(*scaled, scale=factor * scale) == pytest.approx(mase(truth, forecast, scale=scale))


@pytest.mark.parametrize("metric", ERRORS)
def test_without_a_forecast_or_a_true_value_there_is_no_score(metric):
    assert np.isnan(metric(TRUTH, np.where(FORECAST == 1, NAN, FORECAST)))
    assert np.isnan(metric(np.full((1, 1, 1), NAN), np.ones((1, 1, 1))))
    assert np.isnan(metric(np.ones((0, 2, 1)), np.ones((0, 2, 1))))


def test_seasonal_scale_by_hand_and_its_fallbacks():
    values = np.array([[1.0, 1.0, 3.0, 0.0], [4.0, 2.0, 3.0, 0.0], [NAN, 1.0, 3.0, 0.0], [9.0, 2.0, 3.0, 0.0]])
    # Lag 2: |9 - 4|; periodic, so the mean step; constant, so the mean size; zero, so 1.
    np.testing.assert_allclose(seasonal_scale(values, 2), [5, 1, 3, 1])
    np.testing.assert_allclose(seasonal_scale(np.array([1.0, 3.0]), 12), [2])
    np.testing.assert_allclose(seasonal_scale(np.full(5, NAN), 1), [1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mae(np.ones((2, 2)), np.ones((2, 2))), r"\(2, 2\)"),
        (lambda: mae(np.ones((2, 2, 1)), np.ones((2, 1, 1))), r"\(2, 1, 1\)"),
        (lambda: mae(TRUTH, FORECAST, by="column"), "column"),
        (lambda: mase(TRUTH, FORECAST, scale=np.zeros(1)), "smallest 0"),
        (lambda: mase(TRUTH, FORECAST, scale=np.ones(2)), r"\(2,\)"),
        (lambda: seasonal_scale(np.ones(3), 0), "0"),
        (lambda: conformal_offsets(np.ones((2, 2))), r"\(2, 2\)"),
        (lambda: conformal_offsets(np.ones((2, 2, 1)), levels=[0.8, 100]), "100"),
        (lambda: coverage(TRUTH, FORECAST, FORECAST[:1]), r"\(1, 2, 1\)"),
        (lambda: diebold_mariano(np.ones(3), np.ones(4), horizon=1), r"\(4,\)"),
        (lambda: diebold_mariano(np.ones(3), np.ones(3), horizon=0), "0"),
        (lambda: holm([0.1, 1.5]), "1.5"),
        (lambda: compare_losses({"a": np.ones(3)}, against="b", horizon=1), "'b'"),
        (lambda: judge([], []), r"\[\]"),
        (lambda: judge([{"model": "ets", "mase": 1.0}], [{"model": "gru", "against": "ets"}]), "gru"),
    ],
)
def test_errors_name_what_was_received(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_means_of_groups_leave_out_what_was_not_observed():
    groups, losses = np.array([2, 0, 0, 1, 2, 0]), np.array([1.0, 2.0, NAN, NAN, 5.0, 4.0])
    np.testing.assert_array_equal(mean_by_group(groups, losses), [3, NAN, 3])
    np.testing.assert_array_equal(mean_ignoring_nan([[1.0, NAN, 2.0], [3.0, NAN, NAN]]), [2, NAN, 2])


# Significance.


def test_diebold_mariano_by_hand():
    # d = 1 3 2 6, mean 3, deviations -2 0 -1 3; autocovariances 14/4 and (0 + 0 - 3)/4;
    # variance of the mean (3.5 - 1.5)/4 = 0.5; correction (4 + 1 - 4 + 2 * 1/4)/4 = 0.375.
    result = diebold_mariano(np.array([1.0, 3, 2, 6]), np.zeros(4), horizon=2, degrees=3)
    statistic = 3 / math.sqrt(0.5) * math.sqrt(0.375)
    assert result.statistic == pytest.approx(statistic)
    assert result.p_value == pytest.approx(2 * stats.t.sf(statistic, 3))
    assert result.high - result.difference == pytest.approx(stats.t.ppf(0.975, 3) * 3 / statistic)
    assert (result.difference, result.n, result.note) == (3, 4, "")


def test_degrees_of_freedom_are_the_independent_stretches():
    losses = np.random.default_rng(0).normal(size=60)
    assert diebold_mariano(losses, np.zeros(60), horizon=1).degrees == 59
    assert diebold_mariano(losses, np.zeros(60), horizon=6).degrees == 9


def test_bartlett_replaces_a_variance_that_is_not_positive():
    # d = 1 -1 1 -1 1.5: the autocovariance at lag 1 outweighs the variance.
    result = diebold_mariano(np.array([1, -1, 1, -1, 1.5]), np.zeros(5), horizon=2)
    centred = np.array([1, -1, 1, -1, 1.5]) - 0.3
    variance = (centred @ centred + centred[1:] @ centred[:-1]) / 25
    factor = (5 + 1 - 4 + 2 / 5) / 5
    assert "Bartlett" in result.note
    assert result.statistic == pytest.approx(0.3 / math.sqrt(variance) * math.sqrt(factor))


def test_no_autocovariance_crosses_a_fold_border():
    d = np.array([2.0, 0, -1, 3])  # mean 1, deviations 1 -1 | -2 2: lag 1 is -1 - 4, not (-1)(-2) too
    result = diebold_mariano(d, np.zeros(4), horizon=2, groups=np.array([0, 0, 1, 1]))
    one = diebold_mariano(d, np.zeros(4), horizon=2)
    covariances = (1 + 1 + 4 + 4) / 4, (-1 - 4) / 4
    assert covariances[0] + 2 * covariances[1] == 0  # so Bartlett, half the weight
    factor = (4 - 1 - 2 * 2 / 4) / 4
    assert result.statistic == pytest.approx(1 / math.sqrt((2.5 - 1.25) / 4) * math.sqrt(factor))
    assert one.statistic != pytest.approx(result.statistic)


def test_a_missing_loss_keeps_its_place_in_time():
    losses = np.random.default_rng(0).normal(size=50)
    gap = losses.copy()
    gap[20] = NAN
    folds = np.repeat([0, 1], [20, 29])
    split = diebold_mariano(np.delete(losses, 20), np.zeros(49), horizon=2, groups=folds)
    assert diebold_mariano(gap, np.zeros(50), horizon=2).statistic == pytest.approx(split.statistic)


@pytest.mark.parametrize(
    ("losses", "horizon", "note"),
    [
        ([NAN, NAN], 1, "only 0"),
        ([1.0, 2.0, NAN], 1, "only 2"),
        ([1.0, 1.0, 1.0], 1, "equal"),
        ([1.0, 2.0, 4.0, 3.0], 4, "too few"),
    ],
)
def test_no_test_has_a_reason(losses, horizon, note):
    result = diebold_mariano(np.array(losses), np.zeros(len(losses)), horizon=horizon)
    assert result.p_value is None
    assert note in result.note


def test_paired_series_is_the_paired_t_test():
    a, b = np.random.default_rng(1).normal(size=(2, 30))
    peer = stats.ttest_rel(a, b)
    ours = paired_series_test(a, b)
    assert (ours.statistic, ours.p_value) == pytest.approx((peer.statistic, peer.pvalue))
    assert (ours.low, ours.high) == pytest.approx(tuple(peer.confidence_interval()))


def rejections(*, n, horizon, folds, shift=0.0, runs=400):
    """Fraction of rejections at 5 % for overlapping losses: moving sums of `horizon` shocks, per fold."""
    rng = np.random.default_rng(7)
    groups = np.repeat(np.arange(folds), n // folds)
    p_values = []
    for _ in range(runs):
        shocks = rng.normal(size=(folds, n // folds + horizon - 1))
        losses = np.stack([np.convolve(row, np.ones(horizon), "valid") for row in shocks]).ravel() + shift
        p_values.append(diebold_mariano(losses, np.zeros(n), horizon=horizon, groups=groups).p_value)
    return np.mean(np.array(p_values) < 0.05)


@pytest.mark.parametrize(
    ("n", "horizon", "folds"), [(100, 1, 1), (100, 4, 1), (300, 24, 3), (300, 52, 3), (150, 52, 3)]
)
def test_without_a_difference_about_one_in_twenty_is_rejected(n, horizon, folds):
    assert 0.015 <= rejections(n=n, horizon=horizon, folds=folds) <= 0.085


def test_a_real_difference_is_found():
    assert rejections(n=100, horizon=4, folds=1, shift=2.0, runs=100) > 0.95
    assert rejections(n=300, horizon=24, folds=3, shift=12.0, runs=100) > 0.95


def test_holm_by_hand():
    # Sorted 0.005 0.01 0.03 0.04, times 4 3 2 1, and never falling.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([None, 0.02, 0.9]) == [None, 0.04, 0.9]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_never_lowers(p_values):
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    assert [adjusted[i] for i in np.argsort(p_values)] == sorted(adjusted)


def test_compare_losses_gives_effects_as_fractions_of_the_loss_to_beat():
    rng = np.random.default_rng(0)
    base = 10 + rng.normal(size=200)
    losses = {"ets": base, "lstm": 0.8 * base + rng.normal(size=200), "gru": base + 5 + rng.normal(size=200)}
    losses["lstm"][3] = NAN
    lstm, gru = compare_losses(losses, against="ets", horizon=2, groups=np.repeat([0, 1], 100))
    assert lstm["effect"] == pytest.approx(0.2, abs=0.02)
    assert lstm["effect_low"] < lstm["effect"] < lstm["effect_high"]
    assert gru["effect"] == pytest.approx(-0.5, abs=0.02)
    assert gru["effect_high"] < 0
    assert lstm["p_holm"] == pytest.approx(2 * lstm["p_value"]) or lstm["p_holm"] == lstm["p_value"]
    assert (lstm["n"], gru["n"], lstm["against"]) == (199, 200, "ets")


# Intervals.


def test_conformal_offsets_by_hand():
    residuals = np.arange(1.0, 20)[:, None, None] * np.array([1.0, -2.0])[:, None]  # 19 windows, 2 steps
    offsets, notes = conformal_offsets(residuals)
    np.testing.assert_array_equal(offsets[..., 0], [[16, 32], [19, 38]])  # 0.8 * 20, 0.95 * 20
    assert notes == ()


def test_too_few_residuals_give_the_largest_and_a_note():
    residuals = np.array([[[1.0], [NAN]], [[-3.0], [NAN]]])
    offsets, notes = conformal_offsets(residuals, levels=[50, 95])
    np.testing.assert_array_equal(offsets[..., 0], [[3, 3], [3, 3]])  # the second step has its neighbour's
    assert notes[1] == (
        "the 95 % interval needs 19 validation windows for every step, there are only 2: the largest error seen is "
        "used, so it may cover too little"
    )


def test_coverage_by_hand():
    lower, upper = np.full(TRUTH.shape, 1.0), np.full(TRUTH.shape, 2.0)
    assert coverage(TRUTH, lower, upper) == pytest.approx(2 / 3)
    np.testing.assert_allclose(coverage(TRUTH, lower, upper, by="step"), [0.5, 1])
    assert coverage(TRUTH, lower * NAN, upper) == 0


@pytest.mark.parametrize("windows", [19, 40, 200])
def test_exchangeable_data_are_covered_at_least_as_often_as_promised(windows):
    rng = np.random.default_rng(5)
    steps = 4000  # each step is its own experiment: heavy tails, no symmetry
    validation, test = rng.standard_gamma(0.5, size=(2, windows, steps, 1)) - 0.5
    offsets, notes = conformal_offsets(validation)
    assert notes == ()
    for level, offset in zip((0.80, 0.95), offsets, strict=True):
        covered = coverage(test, np.broadcast_to(-offset, test.shape), np.broadcast_to(offset, test.shape))
        assert level - 0.005 <= covered <= level + 1 / (windows + 1) + 0.005


# The verdict.


def summary(**mases):
    price = {"parameters": 12_345, "train_seconds": 40.0, "predict_ms": 0.8}
    simple = {"parameters": 500, "train_seconds": 4.0, "predict_ms": 0.2}
    prices = {"linear": simple, "lstm": price, "gru": price}
    return [{"model": name, "mase": value, "mase_sd": 0.01} | prices.get(name, {}) for name, value in mases.items()]


def compared(model="lstm", *, effect, low, high, p_holm, against="linear"):
    return {
        "model": model,
        "against": against,
        "effect": effect,
        "effect_low": low,
        "effect_high": high,
        "p_value": p_holm,
        "p_holm": p_holm,
    }


ROWS = summary(naive=1.5, linear=1.0, lstm=0.8)


@pytest.mark.parametrize(
    ("test", "worth_it"),
    [
        (compared(effect=0.2, low=0.1, high=0.3, p_holm=0.004), True),
        (compared(effect=0.2, low=-0.1, high=0.5, p_holm=0.2), None),  # large, but maybe chance
        (compared(effect=0.015, low=0.005, high=0.025, p_holm=0.01), None),  # real, but maybe too small
        (compared(effect=0.01, low=0.005, high=0.015, p_holm=0.001), False),  # real, but too small
        (compared(effect=0.0, low=-0.01, high=0.01, p_holm=0.9), False),  # equivalent
        (compared(effect=-0.1, low=-0.15, high=-0.05, p_holm=0.01), False),  # worse
        (compared(effect=-0.1, low=-0.3, high=0.1, p_holm=0.4), None),  # perhaps worse
        (compared(effect=0.2, low=None, high=None, p_holm=None), None),  # could not be tested
        (compared(effect=None, low=None, high=None, p_holm=0.01), None),  # a loss of 0 to beat
    ],
)
def test_yes_no_or_cannot_tell(test, worth_it):
    verdict = judge(ROWS, [test])
    assert verdict["worth_it"] is worth_it
    assert verdict["text"].startswith({True: "Yes", False: "No", None: "Cannot tell"}[worth_it])
    assert verdict["best"] == "lstm"


def test_yes_names_the_winner_the_numbers_and_the_price():
    rows = summary(naive=1.5, linear=1.0, lstm=0.8, gru=0.9)
    tests = [
        compared("gru", effect=0.1, low=0.05, high=0.15, p_holm=0.02),
        compared("lstm", effect=0.2, low=0.1, high=0.3, p_holm=0.004),
    ]
    assert judge(rows, tests)["text"] == (
        "Yes: lstm is worth its cost on this data. lstm has a MASE of 0.800 ± 0.010 against 1.000 ± 0.010 "
        "for linear, the best simpler model: its error is 20.0 % lower "
        "(95 % interval: 10.0 % to 30.0 % lower), "
        "p = 0.004 after Holm's correction: chance alone would do that about 4 times in 1,000. "
        "The price of lstm: 12,345 parameters (24.7 times), 40 s of training (10 times), "
        "0.8 ms per forecast in batches (4 times), compared with linear."
    )


def test_one_winner_among_losers_is_enough():
    rows = summary(linear=1.0, lstm=1.2, gru=0.9)
    tests = [
        compared("lstm", effect=-0.2, low=-0.3, high=-0.1, p_holm=0.001),
        compared("gru", effect=0.1, low=0.05, high=0.15, p_holm=0.02),
    ]
    verdict = judge(rows, tests)
    assert (verdict["worth_it"], verdict["best"]) == (True, "gru")
    assert judge(rows, tests[:1])["worth_it"] is None  # gru was not tested and might be worth it


def test_no_needs_every_family_to_fail():
    rows = summary(linear=1.0, lstm=1.2, gru=1.05)
    worse = compared("lstm", effect=-0.2, low=-0.3, high=-0.1, p_holm=0.001)
    unclear = compared("gru", effect=-0.05, low=-0.2, high=0.1, p_holm=0.4)
    assert judge(rows, [worse, unclear])["worth_it"] is None
    verdict = judge(rows, [worse, unclear | {"effect_high": 0.01}])
    assert (verdict["worth_it"], verdict["best"]) == (False, "linear")
    assert "use linear" in verdict["text"]
    assert "gru has a MASE of 1.050 ± 0.010 against 1.000 ± 0.010" in verdict["text"]
    assert "5.0 % higher" in verdict["text"]


def test_a_smaller_minimum_effect_turns_no_into_yes():
    small = compared(effect=0.01, low=0.005, high=0.015, p_holm=0.001)
    assert judge(ROWS, [small], minimum_effect=0.005)["worth_it"] is True


def test_the_text_warns_when_nothing_trained_beats_naive():
    rows = summary(seasonal_naive=0.9, linear=1.0, lstm=1.1)
    verdict = judge(rows, [compared(effect=-0.2, low=-0.3, high=-0.1, p_holm=0.0001, against="seasonal_naive")])
    assert verdict["best"] == "seasonal_naive"
    assert verdict["text"].endswith("No network beats seasonal_naive (MASE 0.900 against 1.000 for linear).")
    assert "p < 0.001" in verdict["text"]
    assert "12,345 parameters, 40 s of training, 0.8 ms per forecast in batches." in verdict["text"]
    assert "No network" not in judge(ROWS, [])["text"]


def test_an_undecided_verdict_names_what_would_help():
    unclear = compared(effect=0.02, low=-0.1, high=0.14, p_holm=0.6)
    assert "more forecast origins" in judge(ROWS, [unclear])["text"]
    assert "more seeds" not in judge(ROWS, [unclear])["text"]
    shaky = [row | {"mase_sd": 0.5} for row in ROWS]
    assert "more seeds" in judge(shaky, [unclear])["text"]
    real = compared(effect=0.015, low=0.005, high=0.025, p_holm=0.01)
    assert "real but small" in judge(ROWS, [real])["text"]


def test_nothing_recurrent_and_nothing_measured():
    rows = [{"model": "ets", "mase": 1.0}, {"model": "lstm", "mase": 0.9}, {"model": "theta", "mase": NAN}]
    verdict = judge(rows, [])
    assert (verdict["worth_it"], verdict["best"]) == (None, "lstm")
    assert "no recurrent family was tested" in verdict["text"]
    untested = compared(effect=0.1, low=None, high=None, p_holm=None, against="ets") | {"note": "only 2 differences"}
    text = judge(rows, [untested])["text"]
    assert "only 2 differences" in text
    assert "price of lstm was not measured" in text


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 0.5), st.floats(0, 1)), min_size=1, max_size=3),
    st.floats(0.001, 0.2),
)
def test_never_yes_without_significance_and_never_no_with_a_possible_gain(cases, minimum_effect):
    names = ("simple_rnn", "gru", "lstm")[: len(cases)]
    tests = [
        compared(name, effect=effect, low=effect - width, high=effect + width, p_holm=p)
        for name, (effect, width, p) in zip(names, cases, strict=True)
    ]
    rows = summary(linear=1.0, **dict.fromkeys(names, 0.9))
    worth_it = judge(rows, tests, minimum_effect=minimum_effect)["worth_it"]
    wins = [t["p_holm"] < 0.05 and t["effect"] >= minimum_effect for t in tests]
    fails = [t["effect_high"] < minimum_effect or (t["p_holm"] < 0.05 and t["effect"] < 0) for t in tests]
    assert worth_it is (True if any(wins) else False if all(fails) else None)


@pytest.mark.parametrize(
    ("changed", "said", "not_said"),
    [
        (
            {},
            ["only the default configuration was tried, with 3 seeds in each of 2 folds.", "more configurations"],
            "early",
        ),
        (
            {"configs": 20, "beat_default": 5},
            ["20 configurations were tried", "best on validation data in 5 of 6 choices."],
            "might change",
        ),
        (
            {"cut_short": {"budget": 1}},
            ["1 of 18 trainings was ended early, by the budget", "configurations of each (such as 8) and longer"],
            "`",
        ),
        ({"trainings": 0}, [], "tried"),
    ],
)
def test_no_after_one_configuration_reads_differently_from_no_after_twenty(changed, said, not_said):
    effort = {"configs": 1, "beat_default": 0, "chances": 6, "seeds": 3, "folds": 2, "trainings": 18, "cut_short": {}}
    verdict = judge(ROWS, [compared(effect=-0.2, low=-0.3, high=-0.1, p_holm=0.0001)], effort={**effort, **changed})
    assert verdict["worth_it"] is False
    assert verdict["effort"] == {**effort, **changed}
    for words in said:
        assert words in verdict["text"]
    assert not_said not in verdict["text"]


def test_a_yes_asks_for_nothing_more():
    effort = {"configs": 1, "beat_default": 0, "chances": 6, "seeds": 3, "folds": 2, "trainings": 18, "cut_short": {}}
    verdict = judge(ROWS, [compared(effect=0.2, low=0.1, high=0.3, p_holm=0.001)], effort=effort)
    assert verdict["worth_it"] is True
    assert "only the default configuration" in verdict["text"]
    assert "might change" not in verdict["text"]


def test_a_no_needs_the_one_sided_bound_below_the_margin():
    """Schuirmann's test at 5 % looks at the 90 % interval: its upper end, not that of the 95 % one."""
    rng = np.random.default_rng(0)
    naive = rng.gamma(2, size=400)
    row = compare_losses({"gru": naive + rng.normal(0, 0.1, 400), "naive": naive}, against="naive", horizon=1)[0]
    assert row["effect"] < row["effect_bound"] < row["effect_high"]
    of_normal = (row["effect_bound"] - row["effect"]) / (row["effect_high"] - row["effect"])
    assert of_normal == pytest.approx(1.645 / 1.96, abs=0.01)
    between = {**row, "effect": 0.0, "effect_low": -0.021, "effect_bound": 0.018, "effect_high": 0.021, "p_holm": 1.0}
    rows = [{"model": "naive", "mase": 1.0}, {"model": "gru", "mase": 1.0, "parameters": 9}]
    assert judge(rows, [between], recurrent=["gru"])["worth_it"] is False
    wider = {**between, "effect_bound": 0.0201}
    assert judge(rows, [wider], recurrent=["gru"])["worth_it"] is None


def test_an_undecided_verdict_says_how_many_samples_would_decide():
    """By hand: an effect of 0, an interval of 0 ± 0.0392 from 100: error 0.02; (1.6449 + 0.8416)² of it needs 618."""
    rows = [{"model": "naive", "mase": 1.0}, {"model": "gru", "mase": 1.0, "parameters": 9}]
    test = {"model": "gru", "against": "naive", "effect": 0.0, "effect_low": -0.0392, "effect_high": 0.0392}
    test |= {"effect_bound": 0.0329, "p_value": 1.0, "p_holm": 1.0, "n": 100, "note": ""}
    verdict = judge(rows, [test], recurrent=["gru"])
    assert verdict["samples_needed"] == 620
    assert "about 620 in place of 100 would do" in verdict["text"]
    better = {**test, "effect": 0.03, "effect_low": -0.0092, "effect_high": 0.0692}
    assert judge(rows, [better], recurrent=["gru"])["samples_needed"] == 350
    at_the_margin = {**test, "effect": 0.0199}
    assert judge(rows, [at_the_margin], recurrent=["gru"])["samples_needed"] is None
