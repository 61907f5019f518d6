"""Baselines of classification, regression, tagging and language models."""

import builtins
import importlib
import json
import math
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from recurra.baselines import (
    CLASSIFICATION_BASELINES,
    LANGUAGE_BASELINES,
    REGRESSION_BASELINES,
    TAGGING_BASELINES,
    available,
    bigram,
    kneser_ney,
    load_state,
    unigram,
)
from recurra.baselines.graph_ops import pack_strings, unpack_strings
from recurra.baselines.model_selection import held_out_tenth
from recurra.baselines.ngram_features import Cutter, characters_within_words, choose_cutter
from recurra.baselines.scaling import fit_scale, stretched
from recurra.errors import InputError
from recurra.evaluation import expected_calibration_error
from recurra.grid import draw

NAN = np.nan
BASELINES = CLASSIFICATION_BASELINES | REGRESSION_BASELINES | TAGGING_BASELINES
BASELINES["tfidf_characters of values"] = BASELINES["tfidf_characters"]  # the one of classes has the same name
BASELINES["tfidf_characters"] = CLASSIFICATION_BASELINES["tfidf_characters"]
every_baseline = pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, baseline in BASELINES.items() for kind in baseline.inputs]
)


@pytest.fixture(autouse=True)
def dtw_where_it_is_used(request):
    if "dtw_1nn" in request.node.name and "absent" not in request.node.name:
        pytest.importorskip("dtaidistance")


def fit(name, *arguments, **settings):
    return BASELINES[name].fit(*arguments, **settings)


def task_of(name):
    if name in CLASSIFICATION_BASELINES:
        return "classification"
    return "regression" if name.split()[0] in REGRESSION_BASELINES else "tagging"


def examples(kind, n, seed=0):
    """Inputs of 2 to 8 steps of which the first gives the class away, 0 to 2: (inputs, classes)."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(3, size=n)
    lengths = rng.integers(2, 9, n)
    words = [
        [f"word{c}", *(f"noise{i}" for i in rng.integers(9, size=t - 1))] for c, t in zip(classes, lengths, strict=True)
    ]
    if kind == "text":
        return [" ".join(text) for text in words], classes
    if kind == "tokens":
        return words, classes
    values = [rng.normal(size=(t, 2)) for t in lengths]
    for sequence, c in zip(values, classes, strict=True):
        sequence[0] = 5 * np.array([c == 1, c == 2])
        sequence[-1, 1] = NAN
    return values, classes


def with_targets(name, kind, n=60, seed=0):
    """Inputs of a kind, and targets of the baseline's task that follow from them."""
    inputs, classes = examples(kind, n, seed)
    task = task_of(name)
    if task == "regression":
        return inputs, 10.0 * classes
    if task == "tagging":
        return inputs, [np.repeat([c, 0], [1, len(sequence) - 1]) for c, sequence in zip(classes, inputs, strict=True)]
    return inputs, classes


# What every baseline promises


@every_baseline
def test_predictions_have_the_shape_of_their_task(name, kind):
    predict = fit(name, *with_targets(name, kind), 5)
    inputs, targets = with_targets(name, kind, n=20, seed=1)
    found = predict(inputs)
    task = task_of(name)
    if task == "regression":
        assert found.shape == (20,)
        assert np.isfinite(found).all()
        return
    rows = found if task == "classification" else np.concatenate(found)
    assert rows.shape == (20 if task == "classification" else sum(map(len, targets)), 5)
    if task == "tagging":
        assert [len(tags) for tags in found] == [len(sequence) for sequence in inputs]
    assert rows.dtype == np.float64
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-12)
    assert rows.min() >= 0
    assert rows[:, 3:].max() <= 0.2  # never seen in training


@every_baseline
def test_it_learns_what_can_be_learnt(name, kind):
    if name in ("majority", "mean", "majority_tag"):
        return
    predict = fit(name, *with_targets(name, kind, n=200), 3)
    inputs, targets = with_targets(name, kind, n=60, seed=1)
    found = predict(inputs)
    task = task_of(name)
    if task == "regression":
        assert np.mean(np.abs(found - targets)) < 3
    elif task == "tagging":
        assert np.mean(np.concatenate([rows.argmax(axis=1) for rows in found]) == np.concatenate(targets)) > 0.95
    else:
        assert np.mean(found.argmax(axis=1) == targets) > 0.85


@every_baseline
def test_the_same_seed_gives_the_same_predictions_and_rows_do_not_see_each_other(name, kind):
    inputs, targets = with_targets(name, kind, n=250)
    new = with_targets(name, kind, n=9, seed=1)[0]
    together = fit(name, inputs, targets, 3, seed=4)(new)
    again = fit(name, inputs, targets, 3, seed=4)(new)
    alone = [fit(name, inputs, targets, 3, seed=4)([row])[0] for row in new[:2]]
    for i in range(9):
        np.testing.assert_array_equal(together[i], again[i])
    for i in range(2):
        np.testing.assert_allclose(alone[i], together[i], rtol=1e-6)


@every_baseline
def test_nothing_to_predict_and_nothing_to_learn_from(name, kind):
    inputs, targets = with_targets(name, kind)
    assert len(fit(name, inputs, targets, 3)([])) == 0
    one = [0 * tags for tags in targets] if task_of(name) == "tagging" else 0 * targets
    found = fit(name, inputs, one, 3)(inputs[:2])
    if task_of(name) == "classification":
        assert (found.argmax(axis=1) == 0).all()
    empty = {"text": "", "tokens": [], "values": np.zeros((0, 2))}[kind]
    assert len(fit(name, inputs, targets, 3)([empty])) == 1
    if task_of(name) != "tagging" and kind != "values":
        assert len(fit(name, [empty] * len(inputs), targets, 3)([empty])) == 1


@every_baseline
def test_a_class_with_one_example_is_no_trouble(name, kind):
    inputs, targets = with_targets(name, kind, n=250)
    if task_of(name) != "classification":
        return
    held = held_out_tenth(250, seed=0)[1][:2]  # nothing of the rare class is left to choose a strength with
    for rare in (np.where(np.arange(250) == 7, 2, targets % 2), np.isin(np.arange(250), held).astype(int)):
        assert fit(name, inputs, rare, 3)(inputs[:5]).shape == (5, 3)


@pytest.mark.parametrize("name", ["majority", "tfidf_logistic", "nbsvm", "majority_tag"])
def test_targets_outside_the_classes_are_refused(name):
    targets = [np.array([3])] * 2 if name == "majority_tag" else np.array([3, 3])
    with pytest.raises(ValueError, match=r"0\.\.1"):
        fit(name, [["a"], ["b"]] if name == "majority_tag" else ["a", "b"], targets, 2)


# The registries


def test_the_registries_list_the_simplest_first():
    assert list(CLASSIFICATION_BASELINES) == [
        "majority",
        "tfidf_logistic",
        "tfidf_characters",
        "nbsvm",
        "logistic_flattened",
        "dtw_1nn",
    ]
    assert reading(CLASSIFICATION_BASELINES, "values") == ["majority", "logistic_flattened", "dtw_1nn"]
    assert reading(CLASSIFICATION_BASELINES, "text") == ["majority", "tfidf_logistic", "tfidf_characters", "nbsvm"]
    assert list(REGRESSION_BASELINES) == ["mean", "tfidf_ridge", "tfidf_characters", "ridge_flattened"]
    assert reading(TAGGING_BASELINES, "values") == ["majority_tag", "logistic_window"]
    assert reading(TAGGING_BASELINES, "tokens") == ["majority_tag", "most_frequent_tag", "logistic_window"]
    assert list(LANGUAGE_BASELINES) == ["unigram", "bigram", "kneser_ney"]


def reading(registry, kind):
    return [name for name, baseline in registry.items() if kind in baseline.inputs]


def test_every_task_and_kind_has_a_trivial_and_a_strong_baseline():
    for registry in (CLASSIFICATION_BASELINES, REGRESSION_BASELINES, TAGGING_BASELINES):
        for kind in ("text", "tokens", "values"):
            if (registry, kind) != (TAGGING_BASELINES, "text"):
                assert len(reading(registry, kind)) >= 2


def test_dtw_1nn_absent_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("dtaidistance"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'recurra\[dtw\]'"):
        fit("dtw_1nn", [np.zeros((2, 1))], np.array([0]), 1)
    monkeypatch.setattr("recurra.baselines.find_spec", lambda _: None)
    assert not available(BASELINES["dtw_1nn"])
    assert available(BASELINES["nbsvm"])
    assert available(BASELINES["majority"])


# Numbers a hand can check


def test_majority_and_mean_by_hand():
    np.testing.assert_array_equal(fit("majority", "abcd", np.array([0, 2, 2, 2]), 3)("ab"), [[0.25, 0, 0.75]] * 2)
    np.testing.assert_array_equal(fit("mean", "ab", np.array([1.0, 4.0]))("abc"), [2.5] * 3)


def test_most_frequent_tag_by_hand():
    inputs, tags = [["the", "run", "run"], ["run", "the"]], [np.array([0, 1, 2]), np.array([2, 0])]
    found = fit("most_frequent_tag", inputs, tags, 3)([["run", "the", "new"]])[0]
    overall = np.array([0.4, 0.2, 0.4])
    expected = [(np.array([0, 1, 2]) + overall) / 4, (np.array([2, 0, 0]) + overall) / 3, overall]
    np.testing.assert_allclose(found, expected)


def test_texts_are_cut_by_the_rule():
    assert choose_cutter(["A fine film", "it is bad"])("So, fine") == ["so", ",", "fine", "so ,", ", fine"]
    assert choose_cutter(["Anna", "Bo", "van Dyk"])("Bo") == [
        " ",
        "b",
        "o",
        " ",
        " b",
        "bo",
        "o ",
        " bo",
        "bo ",
        " bo ",
    ]
    assert choose_cutter([["C", "G"], ["TA"]])(["C", "G", "T"]) == ["C", "G", "T", "C G", "G T"]
    assert "C G T A C" in choose_cutter([["C", "G"]])(list("CGTAC"))
    assert choose_cutter(["Anna"])("") == []


def test_single_words_are_classified_by_their_letters():
    rng = np.random.default_rng(0)
    letters = np.array(list("bcdfghklmnprst"))
    words = ["".join(rng.choice(letters, 4)) + ("ova" if i % 2 else "sson") for i in range(300)]
    targets = np.arange(300) % 2
    for name in ("tfidf_logistic", "nbsvm"):
        predict = fit(name, words[:200], targets[:200], 2)
        assert np.mean(predict(words[200:]).argmax(axis=1) == targets[200:]) == 1


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", ["tfidf_logistic", "nbsvm"])
def test_probabilities_of_noisy_texts_are_calibrated(name, n_classes):
    rng = np.random.default_rng(0)
    classes = rng.integers(n_classes, size=3000)
    told = np.where(rng.random((3000, 12)) < 0.15, classes[:, None], rng.integers(40, size=(3000, 12)))
    texts = [" ".join(f"w{i}" for i in row) for row in told]
    found = fit(name, texts[:1500], classes[:1500], n_classes)(texts[1500:])
    assert np.mean(found.argmax(axis=1) == classes[1500:]) > 0.65
    assert expected_calibration_error(classes[1500:], found) < 0.06


def test_nbsvm_weighs_with_the_log_count_ratio():
    """Weights by Wang and Manning's equations, from scikit-learn's coefficients."""
    from scipy.sparse import csr_array
    from sklearn.linear_model import LogisticRegression

    nbsvm = importlib.import_module("recurra.baselines.nbsvm")
    features = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1.0]])
    targets = np.array([1, 1, 0, 0])
    p, q = 1 + np.array([2, 1, 0]), 1 + np.array([0, 1, 2])
    ratio = np.log(p / p.sum()) - np.log(q / q.sum())
    peer = LogisticRegression(C=1, solver="liblinear", dual=True, random_state=0).fit(features * ratio, targets)
    weights = ratio * (0.75 * np.abs(peer.coef_[0]).mean() + 0.25 * peer.coef_[0])
    scorer = nbsvm._fit(csr_array(features), targets, C=1.0, alpha=1.0, seed=0)
    scores = scorer.scores(features)
    given = features @ weights
    np.testing.assert_allclose(np.diff(scores[:, 1] - scores[:, 0]), np.diff(given), rtol=1e-6)
    np.testing.assert_array_equal(scores.argmax(axis=1), targets)


@pytest.mark.parametrize("level", [-40.0, 0.0, 7.0])
def test_the_offset_of_nbsvm_is_between_the_classes_wherever_they_are(level):
    """The interpolated weights move all texts; an offset of the weights before would leave them on one side."""
    nbsvm = importlib.import_module("recurra.baselines.nbsvm")
    rng = np.random.default_rng(0)
    is_class = np.arange(1000) % 2 == 1
    scores = level + np.where(is_class, 3.0, 0.0) + 0.5 * rng.normal(size=1000)
    assert nbsvm._offset(scores, is_class) == pytest.approx(-(level + 1.5), abs=0.1)
    assert nbsvm._offset(np.full(4, level), np.array([True, False, True, False])) == 0


def test_gaps_are_filled_by_the_rule():
    scale = fit_scale([np.array([[1.0, 4.0], [3.0, NAN]]), np.array([[NAN, 8.0]])])
    np.testing.assert_array_equal(scale.mean, [2, 6])
    np.testing.assert_array_equal(scale.spread, [1, 2])
    [filled] = scale([np.array([[NAN, NAN], [2.0, NAN], [NAN, NAN], [6.0, NAN], [NAN, NAN]])])
    np.testing.assert_array_equal(filled * scale.spread + scale.mean, [[2, 6], [2, 6], [4, 6], [6, 6], [6, 6]])
    constant = fit_scale([np.full((3, 1), 7.0)])
    np.testing.assert_array_equal(constant([np.array([7.0, 8.0])])[0], [[0], [1]])


def test_sequences_are_stretched_by_the_rule():
    line = np.array([[0.0], [1.0], [4.0]])
    np.testing.assert_array_equal(stretched(line, 5)[:, 0], [0, 0.5, 1, 2.5, 4])
    np.testing.assert_array_equal(stretched(line, 2)[:, 0], [0, 4])
    np.testing.assert_array_equal(stretched(line[:1], 3)[:, 0], [0, 0, 0])
    assert stretched(line, 3) is line


def dtw_by_hand(a, b):
    """The recursion as it stands in the literature, squared distances."""
    cost = np.full((len(a) + 1, len(b) + 1), np.inf)
    cost[0, 0] = 0
    for i in range(len(a)):
        for j in range(len(b)):
            before = min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
            cost[i + 1, j + 1] = np.sum((a[i] - b[j]) ** 2) + before
    return cost[-1, -1]


@pytest.mark.parametrize("channels", [1, 3])
def test_dtw_1nn_finds_the_nearest_by_the_recursion(channels, monkeypatch):
    module = importlib.import_module("recurra.baselines.dtw")
    monkeypatch.setattr(module, "BLOCK", 4)
    rng = np.random.default_rng(0)
    known = [rng.normal(size=(rng.integers(1, 8), channels)) for _ in range(15)]
    new = [rng.normal(size=(rng.integers(1, 8), channels)) for _ in range(10)]
    scale = fit_scale(known)
    expected = [np.argmin([dtw_by_hand(a, b) for b in scale(known)]) for a in scale(new)]
    found = fit("dtw_1nn", known, np.arange(15), 15)(new)
    np.testing.assert_array_equal(found.argmax(axis=1), expected)


def test_dtw_1nn_is_as_sure_as_training_says():
    values = [np.full((3, 1), v) for v in (0.0, 0.1, 5.0, 5.1, 9.0)]
    found = fit("dtw_1nn", values, np.array([0, 0, 1, 1, 0]), 3)([values[0]])
    np.testing.assert_allclose(found, [[5 / 7, 1 / 7, 1 / 7]])  # 4 of 5 neighbours agree; one hit and one miss more


def test_logistic_window_sees_two_steps_and_no_further():
    rng = np.random.default_rng(0)
    for lag, least, most in ((2, 0.98, 1), (-2, 0.98, 1), (3, 0.4, 0.65)):
        symbols = rng.integers(2, size=(300, 20))
        tags = list(np.roll(symbols, lag, axis=1))
        for inputs in ([row[:, None].astype(float) for row in symbols], [[f"s{i}" for i in row] for row in symbols]):
            predict = fit("logistic_window", inputs[:200], tags[:200], 2)
            found = np.stack([rows.argmax(axis=1) for rows in predict(inputs[200:])])
            inside = slice(3, -3)  # elsewhere the tag comes from the other end
            assert least <= np.mean(found[:, inside] == np.stack(tags[200:])[:, inside]) <= most


def test_logistic_window_does_not_look_into_the_next_sequence():
    inputs = [["a", "b"], ["c"], ["b", "a", "c"], [], ["a"]] * 4
    tags = [np.arange(len(tokens)) for tokens in inputs]
    predict = fit("logistic_window", inputs, tags, 3)
    alone = predict([["a", "b"]])[0]
    np.testing.assert_allclose(predict([["c", "c"], ["a", "b"], ["c"]])[1], alone)
    assert [len(rows) for rows in predict([[], ["a"], []])] == [0, 1, 0]


# Language models


def slow_kneser_ney(ids, vocabulary, order, end=None):
    """Chen and Goodman's equations with dictionaries: the probability of a token after a history."""

    def grams(n):
        all_of = [tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)]
        return Counter(gram for gram in all_of if end not in gram[1:-1])

    counts = {}
    for n in range(1, order + 1):
        counts[n] = grams(n)
        if n < order:
            longer = Counter(gram[1:] for gram in grams(n + 1))
            counts[n] = {gram: longer[gram] or count for gram, count in counts[n].items()}

    def discounts(n):
        of = Counter(counts[n].values())
        if not all(of[i] for i in (1, 2, 3, 4)):
            return (0, 0.5, 1.0, 1.5)
        share = of[1] / (of[1] + 2 * of[2])
        found = (0, *(i - (i + 1) * share * of[i + 1] / of[i] for i in (1, 2, 3)))
        return found if all(0 < found[i] < i for i in (1, 2, 3)) else (0, 0.5, 1.0, 1.5)

    discount = {n: discounts(n) for n in counts}

    def probability(token, history):
        if end is not None and end in history:
            history = history[len(history) - 1 - history[::-1].index(end) :]
        n = len(history) + 1
        lower = probability(token, history[1:]) if history else 1 / vocabulary
        after = {gram: count for gram, count in counts[n].items() if gram[:-1] == history}
        if not after:
            return lower
        total = sum(after.values())
        left = sum(discount[n][min(count, 3)] for count in after.values()) / total
        own = counts[n].get((*history, token), 0)
        return (own - discount[n][min(own, 3)]) / total + left * lower

    return lambda token, history: probability(token, tuple(history[max(len(history) - order + 1, 0) :]))


def zipf_text(n, vocabulary, seed=0):
    """A text in which the last token says something about the next, and rare tokens are rare."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, vocabulary + 1)
    rows = np.array([rng.permutation(share) for _ in range(vocabulary)])
    rows /= rows.sum(axis=1, keepdims=True)
    ids = [0]
    for _ in range(n - 1):
        ids.append(int(rng.choice(vocabulary, p=rows[ids[-1]])))
    return np.array(ids)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("end", [None, 2])
def test_kneser_ney_equals_the_equations(order, end):
    text = zipf_text(400, 8)
    train, test = text[:300], np.append(text[300:340], [7, 7, 7])
    model = kneser_ney(train, 9, end=end, order=order)
    peer = slow_kneser_ney(train.tolist(), 9, order, end)
    found = np.exp(model.log_probabilities(test))
    expected = [peer(int(token), test[:i].tolist()) for i, token in enumerate(test)]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=80),
    st.lists(st.integers(0, 6), max_size=8),
    st.integers(1, 6),
    st.sampled_from([None, 2]),
)
def test_the_next_token_is_some_token_and_both_ways_agree(train, history, order, end):
    model = kneser_ney(np.array(train), 7, end=end, order=order)
    history = np.array(history, dtype=int)
    after = model.next_probabilities(history)
    assert after.shape == (7,)
    assert after.sum() == pytest.approx(1, abs=1e-12)
    assert after.min() > 0
    one_by_one = [math.exp(model.log_probabilities(np.append(history, token))[-1]) for token in range(7)]
    np.testing.assert_allclose(after, one_by_one, rtol=1e-10)


@pytest.mark.parametrize("name", list(LANGUAGE_BASELINES))
def test_language_baselines_share_one_contract(name):
    text = zipf_text(3000, 30)
    model = LANGUAGE_BASELINES[name].fit(text[:2000], 40, end=2)
    found = model.log_probabilities(text[2000:])
    assert found.shape == (1000,)
    assert np.isfinite(found).all()
    assert (found < 0).all()
    np.testing.assert_array_equal(model(text[2000:]), found)
    assert model.log_probabilities(text[:0]).shape == (0,)
    assert model.next_probabilities(text[:0]).sum() == pytest.approx(1)
    if name == "unigram":
        np.testing.assert_array_equal(model.next_probabilities(text[:5]), model.next_probabilities(text[:3]))


def test_more_context_helps_where_there_is_some():
    text = zipf_text(20_000, 30)
    losses = [
        -fit(text[:15_000], 30, **config).log_probabilities(text[15_000:]).mean()
        for fit, config in ((unigram, {}), (bigram, {}), (kneser_ney, {"order": 2}), (kneser_ney, {"order": 3}))
    ]
    assert losses[0] > losses[1] + 0.5
    assert losses[1] == losses[2]
    assert losses[3] == pytest.approx(
        losses[1], abs=0.15
    )  # a chain of the first order: nothing to gain, little to lose
    assert [kneser_ney(text, n).order for n in (30, 1000)] == [5, 4]
    # Of three symbols in a fixed order of twelve, the last eleven tell the next.
    cycle = np.tile([0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0, 2], 400)
    assert -kneser_ney(cycle, 3, order=12).log_probabilities(cycle)[100:].mean() < 0.05


def test_no_history_reaches_across_the_end_of_a_line():
    lines = np.tile([5, 6, 2], 50)
    model = kneser_ney(lines, 8, end=2, order=3)
    np.testing.assert_array_equal(model.next_probabilities([3, 4, 2]), model.next_probabilities([2]))
    assert model.next_probabilities([2]).argmax() == 5


def test_tiny_texts_and_wrong_ids():
    for name in LANGUAGE_BASELINES:
        model = LANGUAGE_BASELINES[name].fit(np.array([1]), 3)
        assert model.next_probabilities(np.array([0])).sum() == pytest.approx(1)
        assert model.next_probabilities(np.array([], dtype=int)).argmax() == 1
    with pytest.raises(ValueError, match=r"0\.\.2"):
        kneser_ney(np.array([3]), 3)
    with pytest.raises(ValueError, match="0 ids"):
        kneser_ney(np.array([], dtype=int), 3)
    with pytest.raises(ValueError, match="order=0"):
        kneser_ney(np.array([1]), 3, order=0)
    with pytest.raises(ValueError, match=r"0\.\.2"):
        kneser_ney(np.array([1]), 3).log_probabilities(np.array([-1]))


# As graphs: raw inputs as an exported model gets them


SIGNATURES = {
    "text": {"text": tf.TensorSpec([None], tf.string, name="text")},
    "tokens": {"tokens": tf.TensorSpec([None, None], tf.string, name="tokens")},
    "values": {
        "values": tf.TensorSpec([None, None, 2], tf.float32, name="values"),
        "lengths": tf.TensorSpec([None], tf.int32, name="lengths"),
    },
}


def as_raw(kind, inputs):
    """Inputs as the arrays of an exported model; rows are filled up with "" and, behind their ends, with rubbish."""
    if kind == "text":
        return {"text": np.array([text.encode() for text in inputs], dtype=object)}
    lengths = np.array([len(sequence) for sequence in inputs], np.int32)
    longest = max(lengths, default=0) + 1
    if kind == "tokens":
        rows = [[token.encode() for token in tokens] + [b""] * (longest - len(tokens)) for tokens in inputs]
        return {"tokens": np.array(rows, dtype=object).reshape(len(inputs), longest)}
    values = np.full((len(inputs), longest, 2), 77, np.float32)
    for row, sequence in zip(values, inputs, strict=True):
        row[: len(sequence)] = sequence
    return {"values": values, "lengths": lengths}


def exported(fitted, signature, path):
    """The graph of a fitted baseline after a SavedModel, as a function of raw inputs."""
    module = tf.Module()
    module.held = fitted.resources()
    module.serve = tf.function(fitted.graph, input_signature=[signature])
    tf.saved_model.save(module, path)
    loaded = tf.saved_model.load(path)

    def serve(raw):
        return loaded.serve({name: tf.constant(array, signature[name].dtype) for name, array in raw.items()})

    return serve


def through_a_file(fitted, path):
    """A fitted baseline that was written as JSON and arrays, and read again."""
    config, arrays = fitted.state()
    np.savez(path / "arrays.npz", **arrays)
    with np.load(path / "arrays.npz", allow_pickle=False) as read:
        return load_state(json.loads(json.dumps(config)), dict(read))


def expected_outputs(fitted, inputs, task):
    found = fitted(inputs)
    if task == "regression":
        return {"value": found}
    tiny = np.finfo(np.float32).tiny
    rows = [np.log(np.maximum(row, tiny)) for row in found]
    return {"logits": rows}


def assert_outputs(found, expected, **tolerance):
    for name, rows in expected.items():
        assert np.asarray(found[name]).dtype == (np.float64 if name == "value" else np.float32)
        assert len(found[name]) == len(rows)
        for ours, row in zip(np.asarray(found[name]), rows, strict=True):
            np.testing.assert_allclose(ours[: len(row)] if np.ndim(row) else ours, row, **tolerance)


NEW = {
    "text": ["", "word1", "noise3 WORD2, word1 word1", "unknown things", "word0 noise1\u00a0noise2 \u0130"],
    "tokens": [[], ["word1"], ["noise3", "WORD2", "word1", "word1"], ["?"], ["word0", "noise1", "noise2"]],
    "values": [
        np.zeros((0, 2)),
        np.full((3, 2), NAN),
        np.array([[NAN, 5.0], [0.0, NAN], [NAN, NAN], [2.0, 1.0], [NAN, 0.5]]),
        np.ones((1, 2)),
        np.arange(40.0).reshape(20, 2) / 10,
    ],
}


@every_baseline
def test_the_graph_the_saved_model_and_the_reloaded_one_give_the_same(name, kind, tmp_path):
    inputs, targets = with_targets(name, kind, n=80)
    fitted = fit(name, inputs, targets, 4)
    new = [*with_targets(name, kind, n=12, seed=1)[0], *NEW[kind]]
    if kind == "values":  # what reaches a model is single precision
        new = [values.astype(np.float32) for values in new]
    expected = expected_outputs(fitted, new, task_of(name))
    loaded = through_a_file(fitted, tmp_path)
    assert repr(loaded) == repr(fitted)
    raw = as_raw(kind, new)
    for model in (fitted, loaded):
        assert_outputs(model.predict(raw), expected, rtol=1e-5, atol=1e-5)
        assert model.extra_inputs() == {}
    for ours, theirs in zip(loaded(new), fitted(new), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    if fitted.why_no_graph is None:
        serve = exported(loaded, SIGNATURES[kind], str(tmp_path / "saved"))
        assert_outputs(serve(raw), expected, rtol=1e-5, atol=1e-5)
        alone = as_raw(kind, new[1:2])
        assert_outputs(
            serve(alone),
            {k: v[1:2] for k, v in expected.items()},
            rtol=1e-5,
            atol=1e-5,
        )
        nothing = {k: v[:0] for k, v in raw.items()}
        assert all(len(output) == 0 for output in serve(nothing).values())
        no_steps = {k: v[:2, :0] if v.ndim > 1 else 0 * v[:2] if k == "lengths" else v[:2] for k, v in raw.items()}
        assert all(len(output) == 2 for output in serve(no_steps).values())
    else:
        assert name == "dtw_1nn"
        with pytest.raises(NotImplementedError, match="searched by a library"):
            fitted.graph({})


@every_baseline
def test_every_setting_of_a_grid_makes_another_model_that_is_its_graph(name, kind, tmp_path):
    inputs, targets = with_targets(name, kind, n=80)
    grid = BASELINES[name].grid(inputs)
    new = [*with_targets(name, kind, n=12, seed=1)[0], *NEW[kind][1:]]
    new = [values.astype(np.float32) for values in new] if kind == "values" else new
    default = np.concatenate([np.ravel(row) for row in fit(name, inputs, targets, 4)(new)])
    named = np.concatenate([np.ravel(row) for row in fit(name, inputs, targets, 4, **draw(grid, 1)[0])(new)])
    np.testing.assert_array_equal(named, default)  # the default is the first of the grid
    for setting, values in grid.items():
        for value in values[1:]:
            fitted = fit(name, inputs, targets, 4, **{setting: value})
            found = fitted(new)
            if name != "dtw_1nn":  # on these the same neighbours may be found
                assert not np.array_equal(np.concatenate([np.ravel(row) for row in found]), default), setting
            loaded = through_a_file(fitted, tmp_path)
            expected = expected_outputs(fitted, new, task_of(name))
            assert_outputs(loaded.predict(as_raw(kind, new)), expected, rtol=1e-5, atol=1e-5)


def test_a_band_of_one_step_is_what_the_recursion_with_a_band_finds():
    """Peaks that lie three steps apart match without a limit, and do not within a band of one step."""
    pytest.importorskip("dtaidistance")
    peak = [np.eye(1, 12, k)[0][:, None] for k in (2, 5)]
    flat = np.full((12, 1), 0.12)
    train, classes = [peak[0], flat], np.array([0, 1])
    found = {w: int(fit("dtw_1nn", train, classes, 2, window=w)([peak[1]]).argmax()) for w in (None, 0.3, 0.08, 0.0)}
    assert found == {None: 0, 0.3: 0, 0.08: 1, 0.0: 1}


@pytest.mark.parametrize("name", ["tfidf_logistic", "nbsvm", "tfidf_ridge"])
def test_single_words_are_cut_into_characters_in_the_graph_too(name):
    words = ["Anna", "Otto", "Ali", "Eva"] * 10
    targets = np.tile([0, 1, 0, 1], 10)
    fitted = fit(name, words, targets, 2)
    new = ["ANNA", "", "Ottilie", "\u00dcnal", "zzz"]
    assert_outputs(
        fitted.predict(as_raw("text", new)), expected_outputs(fitted, new, task_of(name)), rtol=1e-5, atol=1e-5
    )


def test_without_a_class_to_choose_from_it_is_the_majority():
    for kind in ("text", "values"):
        fitted = fit(
            "tfidf_logistic" if kind == "text" else "logistic_flattened", examples(kind, 5)[0], np.zeros(5, int), 2
        )
        found = fitted.predict(as_raw(kind, examples(kind, 3)[0]))["logits"]
        np.testing.assert_allclose(found, [[0, np.log(np.finfo(np.float32).tiny)]] * 3, rtol=1e-6)


def graph_ngrams(cut, texts):
    kind = "tokens" if cut.pieces == "tokens" else "text"
    raw = as_raw(kind, texts)
    found = cut.graph({k: tf.constant(v, tf.string) for k, v in raw.items()})
    return [sorted(gram.decode() for gram in grams) for grams in found.to_list()]


letters = st.one_of(
    st.sampled_from("aB _-'.,\u0130I\u0131\u00df\u00a0\u2003\u0000\u001c\t\n\u01c5\u1e9e\u0663\u00b2\u0301"),
    st.characters(exclude_categories=["Cs"]).filter(lambda c: c != "\u03a3"),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(letters, max_size=12), min_size=1, max_size=4))
def test_texts_are_cut_in_the_graph_as_in_python(texts):
    for cut in (Cutter("words", 2), Cutter("characters", 5)):
        assert graph_ngrams(cut, texts) == [sorted(cut(text)) for text in texts]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(letters, max_size=14), min_size=1, max_size=4), st.integers(2, 6))
def test_characters_within_words_are_those_of_scikit_learn_in_python_and_in_the_graph(texts, longest):
    cut = characters_within_words(longest)
    peer = CountVectorizer(analyzer="char_wb", ngram_range=(2, longest)).build_analyzer()
    for text in texts:
        assert sorted(cut(text)) == sorted(peer(text))
    raw = {"text": tf.constant([text.encode() for text in texts], tf.string)}
    found = [[gram.decode() for gram in row] for row in cut.graph(raw).to_list()]
    assert [sorted(row) for row in found] == [sorted(peer(text)) for text in texts]


def test_every_character_is_cut_in_the_graph_as_in_python():
    texts = ["a" + chr(i) + "b" for i in range(0x110000) if not 0xD800 <= i < 0xE000 and i < 0x20000]
    cut = Cutter("words", 1)
    ours = Cutter("words", 2).graph({"text": tf.constant([text.encode() for text in texts])})
    grams = set(zip(ours.value_rowids().numpy().tolist(), ours.flat_values.numpy().tolist(), strict=True))
    wrong = [text for i, text in enumerate(texts) if any((i, gram.encode()) not in grams for gram in cut(text))]
    assert wrong == []


def test_a_capital_sigma_at_the_end_of_a_word_becomes_a_final_one():
    texts = ["\u039f\u0394\u039f\u03a3 \u03a3\u039f\u03a6\u039f\u03a3.", "\u03a3", "\u0391\u03a3"]
    for cut in (Cutter("words", 2), Cutter("characters", 5)):
        assert graph_ngrams(cut, texts) == [sorted(cut(text)) for text in texts]


def test_strings_come_back_from_plain_arrays():
    strings = ["", "a\u0000", "\u0130 \U0001f600", "half \ud83d", "\u0000"]
    assert unpack_strings(pack_strings(strings)) == strings
    assert unpack_strings(pack_strings([])) == []


LANGUAGE_SIGNATURE = {"tokens": tf.TensorSpec([None, None], tf.int32, name="tokens")}


def one_by_one(model, state, tokens):
    """Logarithms after every position of one line, from the history that is there."""
    history = [token for token in state if token]
    rows = []
    for token in tokens:
        history.append(token)
        rows.append(np.log(model.next_probabilities(np.array(history))))
    return np.array(rows)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("end", [None, 2])
def test_the_graph_of_a_language_model_equals_its_probabilities(order, end, tmp_path, monkeypatch):
    text = zipf_text(600, 8) + 1
    model = kneser_ney(text, 11, end=end, order=order)
    [(name, ((n,), dtype))] = model.state_shapes.items()
    assert (name, n, dtype) == ("state_0", max(order - 1, 1), "int32")
    state = np.array([[0] * n, [0] * (n - 1) + [2], text[100 : 100 + n]], np.int32)
    tokens = np.array([text[:9], [2, 3, 10, 9, 9, 2, 4, 1, 5], text[100 + n : 109 + n]], np.int32)
    expected = [one_by_one(model, *pair) for pair in zip(state.tolist(), tokens.tolist(), strict=True)]
    loaded = through_a_file(model, tmp_path)
    raw = {"tokens": tokens, "state_0": state}
    found = loaded.predict(raw)
    np.testing.assert_allclose(found["logits"], expected, atol=1e-5)
    np.testing.assert_array_equal(found["state_0"], np.concatenate([state, tokens], axis=1)[:, -n:])
    state_spec = {"state_0": tf.TensorSpec([None, n], tf.int32, name="state_0")}
    serve = exported(loaded, LANGUAGE_SIGNATURE | state_spec, str(tmp_path / "saved"))
    first = serve({"tokens": tokens[:, :4], "state_0": state})
    second = serve({"tokens": tokens[:, 4:], "state_0": first["state_0"]})
    np.testing.assert_allclose(np.concatenate([first["logits"], second["logits"]], axis=1), expected, atol=1e-5)
    np.testing.assert_allclose(model.log_probabilities(text), loaded.log_probabilities(text), rtol=0)
    monkeypatch.setattr(importlib.import_module("recurra.baselines.kneser_ney"), "MAX_GRAPH_NGRAMS", 5)
    assert "n-grams, more than the 5 that" in model.why_no_graph
    found = model.predict(raw)
    np.testing.assert_allclose(found["logits"], expected, atol=1e-5)
    np.testing.assert_array_equal(found["state_0"], np.concatenate([state, tokens], axis=1)[:, -n:])


@pytest.mark.parametrize("name", ["tfidf_logistic", "nbsvm"])
@pytest.mark.parametrize("seen", [(1, 3), (1, 3, 4)])
def test_classes_between_which_others_were_never_seen_keep_their_columns(name, seen):
    """With enough examples for a temperature other than 1."""
    rng = np.random.default_rng(0)
    targets = rng.choice(seen, size=400)
    told = np.where(rng.random((400, 8)) < 0.2, targets[:, None], rng.integers(40, size=(400, 8)))
    texts = [" ".join(f"w{i}" for i in row) for row in told]
    fitted = fit(name, texts, targets, 6)
    expected = expected_outputs(fitted, texts[:40], "classification")
    assert_outputs(fitted.predict(as_raw("text", texts[:40])), expected, rtol=1e-4)
    assert (name == "nbsvm") == (fitted.model.temperature != 1)


def test_zeros_in_the_state_are_no_tokens_even_where_the_text_has_them(monkeypatch):
    text = np.tile([0, 3, 0, 4, 0, 3, 3], 20)
    model = kneser_ney(text, 6, order=3)
    raw = {"tokens": np.array([[3, 4]], np.int32), "state_0": np.array([[0, 0]], np.int32)}
    expected = [one_by_one(model, [0, 0], [3, 4])]
    assert not np.allclose(expected[0][0], np.log(model.next_probabilities(np.array([0, 3]))))
    np.testing.assert_allclose(model.predict(raw)["logits"], expected, atol=1e-5)
    monkeypatch.setattr(importlib.import_module("recurra.baselines.kneser_ney"), "MAX_GRAPH_NGRAMS", 5)
    np.testing.assert_allclose(model.predict(raw)["logits"], expected, atol=1e-5)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="`kind` must be one of linear, majority"):
        load_state({"kind": "oracle"}, {})
