"""Baselines of classification, regression, tagging and language models."""

import builtins
import importlib
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra import InputError
from recurra.baselines import (
    EXAMPLE_BASELINES,
    LANGUAGE_BASELINES,
    available,
    bigram,
    find_example_baseline,
    kneser_ney,
    list_baselines,
    unigram,
    why_not,
)
from recurra.baselines.examples import held_out_tenth
from recurra.baselines.grams import cutter
from recurra.baselines.sequences import fit_scale, stretched
from recurra.evaluation import calibration_error

NAN = np.nan
TASKS = ("classification", "regression", "tagging")
every_baseline = pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, line in EXAMPLE_BASELINES.items() for kind in line.kinds]
)


@pytest.fixture(autouse=True)
def dtw_where_it_is_used(request):
    if "dtw_1nn" in request.node.name and "absent" not in request.node.name:
        pytest.importorskip("dtaidistance")


def fit(name, *arguments, **settings):
    return EXAMPLE_BASELINES[name].fit(*arguments, **settings)


def examples(kind, n, seed=0):
    """Inputs of 2 to 8 steps of which the first tells the class, 0 to 2: (inputs, classes)."""
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


def answered(name, kind, n=60, seed=0):
    """Inputs of a kind, and targets of the baseline's task that follow from them."""
    inputs, classes = examples(kind, n, seed)
    task = EXAMPLE_BASELINES[name].task
    if task == "regression":
        return inputs, 10.0 * classes
    if task == "tagging":
        return inputs, [np.repeat([c, 0], [1, len(sequence) - 1]) for c, sequence in zip(classes, inputs, strict=True)]
    return inputs, classes


# What every baseline promises


@every_baseline
def test_answers_have_the_shape_of_their_task(name, kind):
    predict = fit(name, *answered(name, kind), 5)
    inputs, targets = answered(name, kind, n=20, seed=1)
    found = predict(inputs)
    task = EXAMPLE_BASELINES[name].task
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
    predict = fit(name, *answered(name, kind, n=200), 3)
    inputs, targets = answered(name, kind, n=60, seed=1)
    found = predict(inputs)
    task = EXAMPLE_BASELINES[name].task
    if task == "regression":
        assert np.mean(np.abs(found - targets)) < 3
    elif task == "tagging":
        assert np.mean(np.concatenate([rows.argmax(axis=1) for rows in found]) == np.concatenate(targets)) > 0.95
    else:
        assert np.mean(found.argmax(axis=1) == targets) > 0.85


@every_baseline
def test_the_same_seed_gives_the_same_answers_and_rows_do_not_see_each_other(name, kind):
    inputs, targets = answered(name, kind, n=250)
    new = answered(name, kind, n=9, seed=1)[0]
    together = fit(name, inputs, targets, 3, seed=4)(new)
    again = fit(name, inputs, targets, 3, seed=4)(new)
    alone = [fit(name, inputs, targets, 3, seed=4)([row])[0] for row in new[:2]]
    for i in range(9):
        np.testing.assert_array_equal(together[i], again[i])
    for i in range(2):
        np.testing.assert_allclose(alone[i], together[i], rtol=1e-6)


@every_baseline
def test_nothing_to_answer_and_nothing_to_learn_from(name, kind):
    inputs, targets = answered(name, kind)
    assert len(fit(name, inputs, targets, 3)([])) == 0
    one = [0 * tags for tags in targets] if EXAMPLE_BASELINES[name].task == "tagging" else 0 * targets
    found = fit(name, inputs, one, 3)(inputs[:2])
    if EXAMPLE_BASELINES[name].task == "classification":
        assert (found.argmax(axis=1) == 0).all()
    empty = {"text": "", "tokens": [], "values": np.zeros((0, 2))}[kind]
    assert len(fit(name, inputs, targets, 3)([empty])) == 1
    if EXAMPLE_BASELINES[name].task != "tagging" and kind != "values":
        assert len(fit(name, [empty] * len(inputs), targets, 3)([empty])) == 1


@every_baseline
def test_a_class_with_one_example_is_no_trouble(name, kind):
    inputs, targets = answered(name, kind, n=250)
    if EXAMPLE_BASELINES[name].task != "classification":
        return
    held = held_out_tenth(250, seed=0)[1][:2]  # nothing of the rare class is left to choose a strength with
    for rare in (np.where(np.arange(250) == 7, 2, targets % 2), np.isin(np.arange(250), held).astype(int)):
        assert fit(name, inputs, rare, 3)(inputs[:5]).shape == (5, 3)


@pytest.mark.parametrize("name", ["majority", "tfidf_logistic", "nbsvm", "majority_tag"])
def test_answers_outside_the_classes_are_refused(name):
    targets = [np.array([3])] * 2 if name == "majority_tag" else np.array([3, 3])
    with pytest.raises(ValueError, match=r"0\.\.1"):
        fit(name, [["a"], ["b"]] if name == "majority_tag" else ["a", "b"], targets, 2)


# The registries


def test_lists_and_refusals():
    assert list_baselines() == ["naive", "seasonal_naive", "naive2", "drift", "theta", "ets"]
    assert list_baselines("classification") == ["majority", "tfidf_logistic", "nbsvm", "logistic_flattened", "dtw_1nn"]
    assert list_baselines("classification", "values") == ["majority", "logistic_flattened", "dtw_1nn"]
    assert list_baselines("tagging", "values") == ["majority_tag", "logistic_window"]
    assert list_baselines("language-model") == ["unigram", "bigram", "kneser_ney"]
    assert list_baselines("language-model", "text") == ["unigram", "bigram", "kneser_ney"]
    with pytest.raises(InputError, match="there is no task 'poetry'; choose from forecast"):
        list_baselines("poetry")
    with pytest.raises(InputError, match="tagging reads tokens or values, not 'text'"):
        list_baselines("tagging", "text")


@pytest.mark.parametrize(
    ("name", "task", "kind", "message"),
    [
        ("nbsvm", "classification", "values", "reads text or tokens, not values; choose from majority, logistic_flat"),
        ("dtw_1nn", "classification", "text", "reads values, not text; choose from majority, tfidf_logistic, nbsvm"),
        ("nbsvm", "regression", "text", "no baseline 'nbsvm' for regression; choose from mean, tfidf_ridge"),
        ("most_frequent_tag", "tagging", "values", "reads tokens, not values"),
    ],
)
def test_a_pair_that_makes_no_sense_is_refused_in_words(name, task, kind, message):
    assert why_not(name, task, kind)
    with pytest.raises(InputError, match=message):
        find_example_baseline(name, task=task, kind=kind)


@every_baseline
def test_a_pair_that_makes_sense_is_found(name, kind):
    line = EXAMPLE_BASELINES[name]
    assert find_example_baseline(name, task=line.task, kind=kind) is line
    assert name in list_baselines(line.task, kind)


def test_every_task_and_kind_has_a_trivial_and_a_strong_baseline():
    for task in TASKS:
        for kind in ("text", "tokens", "values"):
            if (task, kind) != ("tagging", "text"):
                assert len(list_baselines(task, kind)) >= 2


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
    assert not available("dtw_1nn")
    assert available("nbsvm")
    assert available("naive")


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
    assert cutter(["A fine film", "it is bad"])("So, fine") == ["so", ",", "fine", "so ,", ", fine"]
    assert cutter(["Anna", "Bo", "van Dyk"])("Bo") == [" ", "b", "o", " ", " b", "bo", "o ", " bo", "bo ", " bo "]
    assert cutter([["C", "G"], ["TA"]])(["C", "G", "T"]) == ["C", "G", "T", "C G", "G T"]
    assert "C G T A C" in cutter([["C", "G"]])(list("CGTAC"))
    assert cutter(["Anna"])("") == []


def test_single_words_are_told_by_their_letters():
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
    assert calibration_error(classes[1500:], found) < 0.06


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
    scorer = nbsvm._fit(csr_array(features), targets, seed=0)
    scores = scorer.scores(features)
    np.testing.assert_allclose(scores[:, 1] - scores[:, 0], features @ weights + peer.intercept_, rtol=1e-6)


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
    model = LANGUAGE_BASELINES[name](text[:2000], 40, end=2)
    said = model.log_probabilities(text[2000:])
    assert said.shape == (1000,)
    assert np.isfinite(said).all()
    assert (said < 0).all()
    np.testing.assert_array_equal(model(text[2000:]), said)
    assert model.log_probabilities(text[:0]).shape == (0,)
    assert model.next_probabilities(text[:0]).sum() == pytest.approx(1)
    if name == "unigram":
        np.testing.assert_array_equal(model.next_probabilities(text[:5]), model.next_probabilities(text[:3]))


def test_more_context_helps_where_there_is_some_and_the_order_is_found():
    text = zipf_text(20_000, 30)
    losses = [-fit(text[:15_000], 30).log_probabilities(text[15_000:]).mean() for fit in (unigram, bigram, kneser_ney)]
    entropy = -losses[1]
    assert losses[0] > losses[1] + 0.5
    assert losses[2] == pytest.approx(-entropy, abs=0.03)
    assert kneser_ney(text, 30).order == 2  # a chain of the first order
    # Of three symbols in a fixed order of twelve, the last eleven tell the next.
    cycle = np.tile([0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0, 2], 400)
    assert kneser_ney(cycle, 3).order >= 5
    assert -kneser_ney(cycle, 3).log_probabilities(cycle)[100:].mean() < 0.05


def test_no_history_reaches_across_the_end_of_a_line():
    lines = np.tile([5, 6, 2], 50)
    model = kneser_ney(lines, 8, end=2, order=3)
    np.testing.assert_array_equal(model.next_probabilities([3, 4, 2]), model.next_probabilities([2]))
    assert model.next_probabilities([2]).argmax() == 5


def test_tiny_texts_and_wrong_ids():
    for name in LANGUAGE_BASELINES:
        model = LANGUAGE_BASELINES[name](np.array([1]), 3)
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
