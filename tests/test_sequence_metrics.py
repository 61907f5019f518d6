"""Metrics, significance and verdict of classes, values, tags and next tokens."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recurra.evaluation import (
    Metric,
    Wording,
    accuracy,
    accuracy_by_step,
    bits_per_token,
    compare_paired_losses,
    cross_entropy,
    exact_match,
    expected_calibration_error,
    in_blocks,
    judge,
    log_loss,
    macro_f1,
    mae,
    mcnemar,
    paired_bootstrap,
    perplexity,
    r2,
    rmse,
    tag_error_rate,
)

NAN = np.nan


# Classes


def test_accuracy_and_macro_f1_by_hand():
    y_true, y_pred = np.array([0, 0, 1, 1, 2, -1]), np.array([0, 1, 1, 1, 0, 0])
    assert accuracy(y_true, y_pred) == 3 / 6
    # F1 of class 0: precision 1/3, recall 1/2; class 1: 2/3, 1; classes 2 and -1 are never hit.
    assert macro_f1(y_true, y_pred) == pytest.approx((0.4 + 0.8 + 0 + 0) / 4)


def test_log_loss_by_hand_and_of_labels_never_seen():
    probabilities = np.array([[0.5, 0.5], [0.0, 1.0], [0.25, 0.75]])
    unseen = -math.log(1e-7)
    assert log_loss(np.array([0, 1, 0]), probabilities) == pytest.approx((math.log(2) + 0 + math.log(4)) / 3)
    assert log_loss(np.array([-1, 0, 2]), probabilities) == pytest.approx(unseen)


def test_expected_calibration_error_by_hand():
    # Bin of 0.9: 3 predictions, 2 right, distance 0.7/3; bin of 0.6: 1 prediction, wrong, distance 0.6.
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
    assert expected_calibration_error(np.array([0, 0, 1, 0]), probabilities) == pytest.approx(0.7 / 4 + 0.6 / 4)


@pytest.mark.parametrize(("confidence", "distance"), [(1.0, 0.0), (1.3, 0.05)])
def test_expected_calibration_error_finds_what_was_put_in(confidence, distance):
    rng = np.random.default_rng(0)
    true = rng.uniform(0.5, 0.75, 100_000)
    right = rng.random(100_000) < true
    confidences = 0.5 + confidence * (true - 0.5)
    found = expected_calibration_error(np.where(right, 0, 1), np.stack([confidences, 1 - confidences], axis=1))
    assert found == pytest.approx(np.mean(confidences - true), abs=0.006)
    assert found == pytest.approx(distance, abs=0.015)


# Values, tags, tokens


def test_values_by_hand():
    y_true, y_pred = np.array([1.0, 3.0, NAN]), np.array([1.0, 2.0, 9.0])
    assert (mae(y_true, y_pred), rmse(y_true, y_pred)) == (0.5, math.sqrt(0.5))
    assert r2(y_true, y_pred) == 0.5
    assert r2(y_true, np.full(3, 2.0)) == 0
    assert math.isnan(r2(np.ones(3), np.ones(3)))
    assert math.isnan(r2(y_true, np.array([NAN, 1.0, 1.0])))


def test_tags_by_hand():
    y_true = [np.array([0, 1, 2]), np.array([1]), np.array([], dtype=int), np.array([-1])]
    y_pred = [np.array([0, 1, 0]), np.array([1]), np.array([], dtype=int), np.array([0])]
    assert tag_error_rate(y_true, y_pred) == 2 / 5  # not the mean of 1/3, 0 and 1
    assert exact_match(y_true, y_pred) == 1 / 3
    assert math.isnan(tag_error_rate([], []))
    # Step 0: three sequences, 2 right; step 1: one sequence, right; step 2: one sequence, wrong.
    np.testing.assert_allclose(accuracy_by_step(y_true, y_pred), [2 / 3, 1, 0])
    assert accuracy_by_step([], []).shape == (0,)


def test_tokens_by_hand():
    text = np.log([0.5, 0.125])
    assert cross_entropy(text) == pytest.approx(2 * math.log(2))
    assert bits_per_token(text) == pytest.approx(2)
    assert perplexity(text) == pytest.approx(4)
    assert math.isfinite(perplexity(np.array([-1e5])))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: accuracy(np.ones(2), np.ones(3)), r"\(2,\), \(3,\)"),
        (lambda: log_loss(np.ones(2, int), np.ones((3, 2))), r"\(3, 2\)"),
        (lambda: expected_calibration_error(np.ones(2, int), np.ones(2)), r"\(2,\)"),
        (lambda: tag_error_rate([np.ones(2), np.ones(3)], [np.ones(2), np.ones(2)]), "differing first at 1"),
        (lambda: exact_match([np.ones(2)], []), "1 and 0 sequences"),
        (lambda: mcnemar(np.ones(2), np.ones(3)), r"\(3,\)"),
        (lambda: mcnemar([], []), r"\(0,\)"),
        (lambda: paired_bootstrap(np.ones(2), np.ones(3)), r"\(3,\)"),
        (lambda: paired_bootstrap(np.ones(20), np.ones(20), groups=np.ones(3)), r"\(3,\)"),
        (lambda: paired_bootstrap(np.ones(20), np.ones(20), resamples=10), "10"),
        (lambda: compare_paired_losses({"a": np.ones(3)}, against="b"), "'b'"),
        (lambda: judge_as("accuracy", [{"model": "a", "accuracy": 0.1}], []), "'accuracy'"),
        (lambda: judge_as("classification", [{"model": "a", "mase": 0.1}], []), "no model with an error"),
    ],
)
def test_errors_name_what_was_received(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_nothing_scored_is_nan():
    none, no_rows = np.zeros(0, dtype=int), np.zeros((0, 2))
    scores = [accuracy(none, none), macro_f1(none, none), log_loss(none, no_rows)]
    scores.append(expected_calibration_error(none, no_rows))
    assert np.isnan([*scores, cross_entropy(np.zeros(0)), r2(np.zeros(0), np.zeros(0))]).all()


# McNemar


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 20))
def test_mcnemar_is_the_sign_test_on_those_that_differ(only_a, only_b, both):
    a = np.repeat([True, False, True], [only_a, only_b, both + 1])
    b = np.repeat([False, True, True], [only_a, only_b, both + 1])
    result = mcnemar(a, b)
    peer = min(1.0, 2 * stats.binom.cdf(min(only_a, only_b), only_a + only_b, 0.5))
    assert result.p_value == pytest.approx(peer)
    assert result.difference == pytest.approx((~a).mean() - (~b).mean())


def test_mcnemar_keeps_its_size():
    rng = np.random.default_rng(0)
    p_values = [mcnemar(*(rng.random((2, 300)) < 0.8)).p_value for _ in range(500)]
    assert 0.01 <= np.mean(np.array(p_values) < 0.05) <= 0.06  # exact, so rather below 5 %


# Paired bootstrap


def rejected(draw, *, runs=300, **settings):
    """Fraction of p-values below 5 %, and of intervals that miss the true difference."""
    rng = np.random.default_rng(3)
    p_values, missed = [], []
    for _ in range(runs):
        loss_a, loss_b, true, more = draw(rng)
        result = paired_bootstrap(loss_a, loss_b, resamples=600, **settings, **more)
        p_values.append(result.p_value)
        missed.append(not result.low <= true <= result.high)
    return np.mean(np.array(p_values) < 0.05), np.mean(missed)


def errors(n, p_a, p_b):
    return lambda rng: (rng.random(n) < p_a, rng.random(n) < p_b, p_a - p_b, {})


def long_tailed(n, factor):
    return lambda rng: (factor * rng.exponential(size=n), rng.exponential(size=n), factor - 1, {})


def tags_of_sequences(n, shift):
    """Tags whose sequences are easier for one of the models: not independent within their sequence."""

    def draw(rng):
        lengths = rng.integers(1, 30, n)
        lean = np.repeat(rng.normal(shift, 0.2, n), lengths)
        noise = rng.normal(0, 0.1, len(lean))
        return lean + noise, np.zeros(len(lean)), shift, {"groups": np.repeat(np.arange(n), lengths)}

    return draw


@pytest.mark.parametrize(
    "draw", [errors(30, 0.3, 0.3), errors(1000, 0.01, 0.01), long_tailed(40, 1), tags_of_sequences(60, 0)]
)
def test_without_a_difference_about_one_in_twenty_is_found(draw):
    found, missed = rejected(draw)
    assert 0.01 <= found <= 0.08
    assert missed <= 0.08


@pytest.mark.parametrize("draw", [errors(400, 0.2, 0.35), long_tailed(300, 0.6), tags_of_sequences(60, 0.12)])
def test_a_real_difference_is_found_and_covered(draw):
    found, missed = rejected(draw, runs=200)
    assert found > 0.9
    assert missed <= 0.1


def test_groups_matter():
    """Tags of one sequence are not independent: drawn one by one they would find far too much."""

    def ungrouped(rng):
        return (*tags_of_sequences(60, 0)(rng)[:3], {})

    assert rejected(ungrouped, runs=100)[0] > 0.3


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 6), (2, 12), (5, 9), (10, 30), (0, 40)])
def test_it_agrees_with_mcnemar_where_few_predictions_differ(only_a, only_b):
    wrong_a = np.repeat([0.0, 1.0, 0.0], [only_a, only_b, 1000])
    wrong_b = np.repeat([1.0, 0.0, 0.0], [only_a, only_b, 1000])
    ours, exact = paired_bootstrap(wrong_a, wrong_b).p_value, mcnemar(wrong_a == 0, wrong_b == 0).p_value
    assert ours == pytest.approx(exact, rel=0.6, abs=0.004)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 4)), min_size=10, max_size=40),
    st.integers(0, 99),
)
def test_the_interval_holds_the_difference_and_agrees_with_the_p_value(rows, seed):
    loss_a, loss_b, weights = np.array(rows, dtype=float).T
    result = paired_bootstrap(loss_a, loss_b, weights=weights, resamples=400, seed=seed)
    assert result.difference == pytest.approx(np.average(loss_a - loss_b, weights=weights))
    assert result.low - 1e-9 <= result.difference <= result.high + 1e-9
    if result.p_value < 0.045:
        assert result.low >= -1e-9 or result.high <= 1e-9
    if result.p_value > 0.055:
        assert result.low <= 1e-9
        assert result.high >= -1e-9
    swapped = paired_bootstrap(loss_b, loss_a, weights=weights, resamples=400, seed=seed)
    assert swapped.difference == pytest.approx(-result.difference)


def test_weights_are_as_good_as_groups_of_equal_losses():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 9, 50)
    mean_loss = rng.random(50)
    spelled_out = paired_bootstrap(
        np.repeat(mean_loss, lengths), np.full(lengths.sum(), 0.4), groups=np.repeat(np.arange(50), lengths)
    )
    weighted = paired_bootstrap(mean_loss, np.full(50, 0.4), weights=lengths)
    assert (weighted.low, weighted.high) == pytest.approx((spelled_out.low, spelled_out.high))


def test_few_kinds_and_many_kinds_of_examples_give_the_same():
    """Counts of kinds are drawn where there are few of them, rows otherwise."""
    rng = np.random.default_rng(1)
    loss_a, loss_b = (rng.random((2, 500)) < 0.3).astype(float)
    few = paired_bootstrap(loss_a, loss_b)
    many = paired_bootstrap(loss_a + 1e-9 * rng.random(500), loss_b)
    assert (many.low, many.high) == pytest.approx((few.low, few.high), abs=0.004)
    assert many.p_value == pytest.approx(few.p_value, abs=0.03)


def test_missing_losses_are_left_out_and_too_few_examples_say_so():
    losses = np.arange(12.0)
    losses[3] = NAN
    assert paired_bootstrap(losses, np.zeros(12)).n == 11
    few = paired_bootstrap(np.arange(9.0), np.zeros(9))
    assert few.p_value is None
    assert "only 9" in few.note
    assert "only 2" in paired_bootstrap(np.arange(40.0), np.zeros(40), groups=np.repeat([0, 1], 20)).note


def test_no_difference_at_all_is_not_certainty():
    loss = np.repeat([0.0, 1.0], [270, 30])
    result = paired_bootstrap(loss, loss)
    assert (result.low, result.high, result.p_value) == (-0.01, 0.01, 1)


def test_in_blocks_are_even_and_in_order():
    groups = in_blocks(1003)
    assert (np.diff(groups) >= 0).all()
    assert set(np.bincount(groups)) == {10, 11}
    assert len(set(in_blocks(7))) == 7
    assert len(in_blocks(0)) == 0


def test_a_large_test_set_takes_little_memory():
    rng = np.random.default_rng(0)
    loss_a, loss_b = rng.random((2, 25_000))
    tracemalloc.start()
    paired_bootstrap(loss_a, loss_b, resamples=2000)
    assert tracemalloc.get_traced_memory()[1] < 200e6
    tracemalloc.stop()


# Rows for the verdict


def test_compare_paired_losses_gives_effects_as_fractions_of_the_loss_to_beat():
    rng = np.random.default_rng(0)
    wrong = (rng.random(2000) < 0.2).astype(float)
    better = wrong * (rng.random(2000) < 0.5)
    losses = {"lstm": np.stack([better, wrong]), "nbsvm": wrong, "gru": 1 - wrong}
    correct = {name: (loss if loss.ndim == 1 else loss[0]) == 0 for name, loss in losses.items()}
    lstm, gru = compare_paired_losses(losses, against="nbsvm", correct=correct)
    assert lstm["effect"] == pytest.approx((wrong.mean() - (better + wrong).mean() / 2) / wrong.mean())
    assert lstm["effect_low"] < lstm["effect"] < lstm["effect_high"]
    assert lstm["mcnemar_p"] == mcnemar(better == 0, wrong == 0).p_value
    assert gru["effect"] < -2
    assert gru["p_holm"] < 0.01
    assert lstm["p_holm"] >= lstm["p_value"]
    assert (lstm["against"], lstm["n"], lstm["note"]) == ("nbsvm", 2000, "")
    keys = {"model", "against", "effect", "effect_low", "effect_high", "p_value", "p_holm", "n", "note"}
    keys |= {"effect_bound"}
    assert set(compare_paired_losses(losses, against="nbsvm")[0]) == keys


def test_nothing_beats_a_loss_of_zero():
    zero = np.zeros(40)
    worse, as_good = compare_paired_losses({"lstm": np.eye(40)[0], "gru": zero, "linear": zero}, against="linear")
    assert (worse["effect"], worse["effect_high"]) == (-1, 0)
    assert (as_good["effect"], as_good["effect_high"], as_good["p_value"]) == (0, 0, 1)
    few = compare_paired_losses({"lstm": zero[:5], "linear": zero[:5]}, against="linear")[0]
    assert (few["effect"], few["effect_high"], few["p_value"]) == (None, None, None)


# The verdict in the words of each task


def wording(name, title, *, trivial, unit_of_work="sequence", more_data="more test examples", **words):
    """What a task hands to the verdict; its scores are in the summary already."""
    metric = Metric(name, title, lambda *_: None, **words)
    return Wording(metric=metric, trivial=(trivial,), unit_of_work=unit_of_work, more_data=more_data)


WORDINGS = {
    "forecast": wording("mase", "MASE", trivial="naive", unit_of_work="forecast"),
    "classification": wording("error", "error", trivial="majority", phrase="an error", decimals=".4f"),
    "regression": wording("mae", "MAE", trivial="mean", phrase="an MAE", decimals=".4g"),
    "tagging": wording(
        "tag_error_rate", "tag error rate", trivial="majority_tag", more_data="more test sequences", decimals=".4f"
    ),
    "language-model": wording(
        "cross_entropy",
        "cross-entropy",
        trivial="unigram",
        unit_of_work="token",
        more_data="more test text",
        phrase="a cross-entropy",
        suffix=" nats per token",
        noun="loss",
    ),
    "accuracy": wording("accuracy", "accuracy", trivial="majority", higher_is_better=True),
}
PRICE = {"parameters": 1000, "train_seconds": 9.0, "predict_ms": 0.5}
TEST = {"model": "lstm", "effect": 0.2, "effect_low": 0.1, "effect_high": 0.3, "p_value": 0.004, "p_holm": 0.004}


def judge_as(task, summary, tests):
    return judge(summary, tests, wording=WORDINGS[task], recurrent=["lstm"])


def verdict(task, against, other, value, **test):
    main, trivial = WORDINGS[task].metric.name, WORDINGS[task].trivial[0]
    rows = [
        {"model": trivial, main: 1.5 * other},
        {"model": against, main: other},
        {"model": "lstm", main: value, f"{main}_sd": 0.01} | PRICE,
    ]
    return judge_as(task, rows, [TEST | {"against": against} | test])


@pytest.mark.parametrize(
    ("task", "against", "sentence", "price"),
    [
        ("classification", "nbsvm", "lstm has an error of 0.0800 ± 0.0100 against 0.1000 for nbsvm,", "sequence"),
        ("regression", "tfidf_ridge", "lstm has an MAE of 0.08 ± 0.01 against 0.1 for tfidf_ridge,", "sequence"),
        ("tagging", "logistic_window", "lstm has a tag error rate of 0.0800 ± 0.0100 against 0.1000 for", "sequence"),
        (
            "language-model",
            "kneser_ney",
            "lstm has a cross-entropy of 0.080 ± 0.010 against 0.100 nats per token for",
            "token",
        ),
        ("forecast", "ets", "lstm has a MASE of 0.080 ± 0.010 against 0.100 for ets,", "forecast"),
    ],
)
def test_each_task_has_its_words(task, against, sentence, price):
    result = verdict(task, against, 0.1, 0.08)
    assert result["worth_it"] is True
    assert sentence in result["text"]
    assert f"0.5 ms per {price} in batches" in result["text"]
    noun = "loss" if task == "language-model" else "error"
    assert f"its {noun} is 20.0 % lower" in result["text"]
    assert ("MASE" in result["text"]) == (task == "forecast")


def test_an_undecided_verdict_asks_for_what_the_task_has():
    unclear = {"effect": 0.02, "effect_low": -0.1, "effect_high": 0.14, "p_holm": 0.6}
    assert "more test examples" in verdict("classification", "nbsvm", 0.1, 0.08, **unclear)["text"]
    assert "more test sequences" in verdict("tagging", "logistic_window", 0.1, 0.08, **unclear)["text"]
    text = verdict("language-model", "kneser_ney", 0.1, 0.095, **unclear)["text"]
    assert "more test text" in text
    assert "more seeds" in text


def test_a_perfect_simpler_model_ends_the_question():
    row = compare_paired_losses({"lstm": np.eye(50)[0], "linear": np.zeros(50)}, against="linear")[0]
    rows = [{"model": "linear", "error": 0.0} | PRICE, {"model": "lstm", "error": 0.02} | PRICE]
    result = judge_as("classification", rows, [row])
    assert result["worth_it"] is False
    assert "linear, the best simpler model, which makes no error at all: nothing can be better." in result["text"]


def test_the_text_warns_when_nothing_trained_beats_the_trivial():
    rows = [{"model": "majority", "error": 0.5}, {"model": "lstm", "error": 0.5} | PRICE]
    text = judge_as("classification", rows, [])["text"]
    assert text.endswith("No network beats majority (error 0.5000 against 0.5000 for lstm).")


def test_a_metric_has_its_function_and_words_that_follow_from_its_title():
    metric = Metric("tag_error_rate", "tag error rate", tag_error_rate)
    assert metric.function([np.array([0, 1])], [np.array([0, 0])]) == 0.5
    assert metric.in_words() == "a tag error rate"
    assert Metric("mae", "MAE", mae, phrase="an MAE").in_words() == "an MAE"
    assert (metric.shown, metric.higher_is_better, metric.with_spread, metric.by_step) == (True, False, False, None)
