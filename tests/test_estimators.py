"""Classifiers and regressors: what goes in, what comes back, and that nothing else is touched."""

import copy
import json
import os
import pickle
import random
import subprocess
import sys
import threading
import warnings

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import recurra
from recurra import (
    DenseClassifier,
    GRUClassifier,
    LinearClassifier,
    LinearRegressor,
    LSTMClassifier,
    SequenceClassifier,
    SequenceRegressor,
)
from recurra.estimators import network
from recurra.estimators.pool import Pool
from recurra.estimators.seeds import seed_of
from recurra.estimators.training_rows import canonical, hold_out

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6))
Y = np.where(X[:, 0] + X[:, 1] > 0, "up", "down")
VALUES = X @ np.arange(6.0) * 1000
TEXTS = ["good film", "bad film", "good good story", "bad bad story", "very good", "very bad"] * 5
OPINIONS = np.array(["+", "-"] * 15)


def quick(cls=LinearClassifier, **parameters):
    return cls(**{"max_epochs": 3, "random_state": 0, **parameters})


@pytest.fixture(scope="module")
def fitted():
    return quick(max_epochs=30).fit(X, Y)


@pytest.fixture(scope="module")
def read_texts():
    return quick().fit(TEXTS, OPINIONS)


# ------------------------------------------------------------------------------------------------------- parameters


def test_all_estimators_are_public_names():
    for name in ("Linear", "Dense", "TCN", "SimpleRNN", "GRU", "LSTM", "Sequence"):
        for role in ("Classifier", "Regressor"):
            cls = getattr(recurra, name + role)
            assert cls.__name__ == name + role
            assert cls(max_epochs=7).get_params()["max_epochs"] == 7


def test_parameters_are_only_assigned_and_survive_a_fit():
    callbacks, weights = [], {"up": 2, "down": 1}
    estimator = quick(callbacks=callbacks, class_weight=weights)
    assert vars(clone(estimator)).keys() == estimator.get_params().keys()
    estimator.fit(X, Y)
    assert estimator.callbacks is callbacks
    assert estimator.class_weight is weights
    assert weights == {"up": 2, "down": 1}


def test_docstrings_describe_every_parameter_in_numpydoc_sections():
    from sklearn.utils._repr_html.common import get_docstring

    for name in ("LSTMClassifier", "SequenceRegressor"):
        cls = getattr(recurra, name)
        for parameter in cls().get_params():
            assert get_docstring(cls, "Parameters", parameter), parameter
        assert "history_" in cls.__doc__
    assert "classes_" not in recurra.SequenceRegressor.__doc__


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"units": 0}, "`units` of lstm for classification must be a whole number of at least 1"),
        ({"learning_rate": -1.0}, "`learning_rate` of lstm"),
        ({"learning_rate": "find"}, "`learning_rate` of LSTMClassifier must be a number above 0; received 'find'"),
        ({"batch_size": 0}, "The 'batch_size' parameter of LSTMClassifier must be a whole number"),
        ({"max_epochs": 2.5}, "The 'max_epochs' parameter"),
        ({"validation_fraction": 1.0}, "The 'validation_fraction' parameter"),
        ({"channels": "middle"}, "must be one of last, first. Got 'middle' instead"),
        ({"random_state": "seven"}, "The 'random_state' parameter"),
    ],
)
def test_bad_parameters_are_refused_in_fit(parameters, words):
    estimator = LSTMClassifier(**parameters)
    with pytest.raises(ValueError, match=words):
        estimator.fit(X, Y)


def test_a_family_refuses_settings_it_does_not_have():
    with pytest.raises(ValueError, match="linear for classification has no setting `units`"):
        SequenceClassifier(family="linear", units=3).fit(X, Y)
    with pytest.raises(ValueError, match="there is no family 'transformer'"):
        SequenceClassifier(family="transformer").fit(X, Y)


def test_word_vectors_of_a_file_are_the_first_ones_of_their_words(tmp_path):
    file = tmp_path / "glove.txt"
    file.write_text("good 1 0\nbad 0 1\n")
    estimator = quick(DenseClassifier, units=2, vectors=str(file), train_vectors=False).fit(TEXTS, OPINIONS)
    words = estimator._encoding.pipeline.encoder.vocabulary_.words
    table = estimator.model_.get_layer("embedding").get_weights()[0]
    places = [3 + words.index("good"), 3 + words.index("bad")]
    np.testing.assert_array_equal(table[places], [[5, 0], [0, 5]])  # all of one length
    trained = quick(DenseClassifier, units=16, vectors=file, max_epochs=20).fit(TEXTS, OPINIONS)
    own = trained.model_.get_layer("embedding").get_weights()[0]
    np.testing.assert_allclose(own[3 + words.index("good")], [5, 0], atol=0.2)
    assert (own[3 + words.index("good")] != [5, 0]).any()
    assert estimator._comparison_settings()["vectors"] == str(file)
    assert (estimator._reading_settings().min_count, DenseClassifier()._reading_settings().min_count) == (1, 2)
    two = quick(DenseClassifier, units=2, vectors=file, second_embedding=3).fit(TEXTS, OPINIONS)
    assert two.model_.get_layer("channels").output.shape[-1] == 5
    assert "train_vectors=False" in estimator._comparison_settings()["families"][-1]
    estimator.save(tmp_path / "saved")
    file.unlink()  # what was read is kept
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(estimator)).predict(TEXTS), estimator.predict(TEXTS))
    np.testing.assert_array_equal(DenseClassifier.load(tmp_path / "saved").predict(TEXTS), estimator.predict(TEXTS))


def test_word_vectors_are_refused_where_they_would_do_nothing(tmp_path):
    with pytest.raises(ValueError, match="`vectors` are vectors of words, but X holds numbers"):
        quick(DenseClassifier, vectors="glove.txt").fit(X, Y)
    with pytest.raises(ValueError, match="linear for classification has no setting `vectors`"):
        quick(SequenceClassifier, family="linear", vectors="glove.txt").fit(TEXTS, OPINIONS)
    with pytest.raises(ValueError, match=r"none\.txt"):
        quick(DenseClassifier, vectors=tmp_path / "none.txt").fit(TEXTS, OPINIONS)


def test_epsilon_is_adams_and_compiles_nothing_anew():
    usual = quick(DenseClassifier, units=3).fit(X, Y)
    made = sum(map(len, network.POOL._idle.values()))
    gentle = quick(DenseClassifier, units=3, epsilon=1e-2).fit(X, Y)
    assert (gentle.predict_proba(X) != usual.predict_proba(X)).any()
    assert sum(map(len, network.POOL._idle.values())) == made
    again = quick(DenseClassifier, units=3).fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), usual.predict_proba(X))
    with pytest.raises(ValueError, match="`epsilon` of dense"):
        quick(DenseClassifier, epsilon=0.0).fit(X, Y)


def test_training_settings_in_the_name_of_a_variant_are_taken_or_refused():
    usual = quick(SequenceClassifier, family="dense:units=3").fit(X, Y)
    gentle = quick(SequenceClassifier, family="dense:units=3+epsilon=0.01").fit(X, Y)
    assert (gentle.predict_proba(X) != usual.predict_proba(X)).any()
    with pytest.raises(ValueError, match="estimators have no setting `ema`"):
        quick(SequenceClassifier, family="dense:units=3+ema=0.9").fit(X, Y)


def test_buckets_of_neighbouring_words_are_a_setting():
    few = quick(ngrams=2, ngram_buckets=8).fit(TEXTS, OPINIONS)
    many = quick(ngrams=2, ngram_buckets=16).fit(TEXTS, OPINIONS)
    assert many.model_.count_params() - few.model_.count_params() == 8 * 2
    assert "ngram_buckets=8" in few._comparison_settings()["families"][-1]
    with pytest.raises(ValueError, match="`ngram_buckets` of linear"):
        quick(ngrams=2, ngram_buckets=1).fit(TEXTS, OPINIONS)


def test_the_general_form_equals_the_named_one():
    named = quick(DenseClassifier, units=5).fit(X, Y)
    general = quick(SequenceClassifier, family="dense", units=5).fit(X, Y)
    np.testing.assert_array_equal(named.decision_function(X), general.decision_function(X))


# ------------------------------------------------------------------------------------------------------- inputs


def test_nothing_is_known_before_fit():
    estimator = LinearClassifier()
    assert not [
        name for name in dir(estimator) if name.endswith("_") and not name.startswith("_") and hasattr(estimator, name)
    ]
    with pytest.raises(NotFittedError):
        estimator.predict(X)
    with pytest.raises(NotFittedError):
        estimator.save("nowhere")


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["a", "b"])[(X[:, 0] > 0).astype(int)],
        (X[:, 0] > 0).astype(np.int8),
        X[:, 0] > 0,
        np.where(X[:, 0] > 0, 7.0, -1.0),
        pd.Series(np.where(X[:, 0] > 0, "yes", "no")),
        pd.Series(np.where(X[:, 0] > 0, "yes", "no")).astype("category"),
    ],
    ids=["str", "int8", "bool", "float", "pandas str", "category"],
)
def test_labels_come_back_with_their_own_type(labels):
    estimator = quick().fit(X, labels)
    predicted = estimator.predict(X)
    assert predicted.dtype == estimator.classes_.dtype
    assert set(predicted.tolist()) <= set(np.asarray(labels).tolist())
    if isinstance(labels, np.ndarray):
        assert predicted.dtype == labels.dtype
    probabilities = estimator.predict_proba(X)
    assert probabilities.shape == (60, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert estimator.decision_function(X).shape == (60,)
    assert estimator.predict(X[:1]).shape == (1,)


def test_three_dimensional_arrays_of_either_order_are_the_same():
    panel = RNG.normal(size=(40, 9, 2))
    label = panel[:, 0, 1] > 0
    last = quick().fit(panel, label)
    first = quick(channels="first").fit(panel.transpose(0, 2, 1), label)
    np.testing.assert_array_equal(last.decision_function(panel), first.decision_function(panel.transpose(0, 2, 1)))
    assert last.n_features_in_ == 2
    with pytest.raises(ValueError, match=r"\(time, 3\), but LinearClassifier is expecting .*\(time, 2\)"):
        last.predict(RNG.normal(size=(4, 9, 3)))
    with pytest.raises(ValueError, match=r"\(time, 1\), but LinearClassifier is expecting"):
        last.predict(X)


def test_sequences_of_different_length_do_not_depend_on_their_neighbours():
    ragged = [RNG.normal(size=(n, 2)) for n in RNG.integers(1, 15, 40)]
    label = np.array([sequence[0, 0] > 0 for sequence in ragged])
    estimator = quick(GRUClassifier, units=4).fit(ragged, label)
    together = estimator.predict_proba(ragged)
    alone = np.concatenate([estimator.predict_proba([sequence]) for sequence in ragged])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-12)
    objects = np.empty(len(ragged), object)
    objects[:] = ragged
    np.testing.assert_array_equal(estimator.predict_proba(objects), together)
    one_channel = quick().fit([[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]] * 4, [0, 1, 1] * 4)
    assert one_channel.predict([[1.0, 2.0]]).shape == (1,)
    assert one_channel.predict([[1.0] * 9]).shape == (1,)


def test_many_rows_are_predicted_in_single_precision_and_agree():
    estimator = quick(GRUClassifier, units=4).fit(X, Y)
    many = np.tile(X, (20, 1))
    found = estimator.decision_function(many)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found[:60], estimator.decision_function(X), atol=1e-5)


def test_texts_and_tokens():
    estimator = quick(DenseClassifier, max_epochs=60, units=8).fit(TEXTS, OPINIONS)
    assert estimator.predict(["good", "bad"]).tolist() == ["+", "-"]
    series = quick(DenseClassifier, max_epochs=60, units=8).fit(pd.Series(TEXTS), OPINIONS)
    np.testing.assert_array_equal(series.predict_proba(TEXTS), estimator.predict_proba(np.array(TEXTS)))
    column = quick(DenseClassifier, max_epochs=60, units=8).fit(pd.DataFrame({"text": TEXTS}), OPINIONS)
    np.testing.assert_array_equal(column.predict_proba(TEXTS), estimator.predict_proba(TEXTS))
    tokens = [text.split() for text in TEXTS]
    cut = quick(DenseClassifier, max_epochs=60, units=8).fit(pd.Series(tokens), OPINIONS)
    assert cut.predict([["good"], ["bad"]]).tolist() == ["+", "-"]
    assert not hasattr(estimator, "n_features_in_")
    with pytest.raises(ValueError, match="row 1 is 5"):
        estimator.predict(["good", 5])
    with pytest.raises(ValueError, match="DenseClassifier is expecting texts"):
        estimator.predict(X)


def test_frames_keep_the_order_of_their_columns():
    table = pd.DataFrame(X, columns=list("abcdef"))
    estimator = quick().fit(table, Y)
    assert estimator.feature_names_in_.tolist() == list("abcdef")
    with pytest.raises(ValueError, match="in the same order"):
        estimator.predict(table[list("fedcba")])


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (X[:, :4], "X has 4 features, but LinearClassifier is expecting 6 features"),
        (X[0], "Expected 2D array, got 1D array"),
        (np.where(X > 2, np.nan, X), "NaN"),
        ([["a", "b"]], "LinearClassifier is expecting a table"),
        ("a text", "Iterable over raw text documents expected, string object received"),
        ([], r"Found array with 0 sample\(s\) \(shape=\(0,\)\) while a minimum of 1 is required by LinearClassifier"),
    ],
)
def test_bad_inputs_get_scikit_learns_words(fitted, bad, words):
    with pytest.raises(ValueError, match=words):
        fitted.predict(bad)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("a text", "Iterable over raw text documents expected, string object received"),
        (b"a text", "Iterable over raw text documents expected, bytes object received"),
        (np.array("a text"), "string object received"),
        ([], r"Found array with 0 sample\(s\) \(shape=\(0,\)\)"),
        (pd.Series([], dtype=str), r"Found array with 0 sample\(s\) \(shape=\(0,\)\)"),
        (None, "Iterable over texts expected, NoneType object received"),
        (3, "Iterable over texts expected, int object received"),
        ([None], "row 0 is None; give a string for each row"),
        (["good", None], "row 1 is None"),
        (X, r"X holds a table \(rows, steps\) of shape \(60, 6\), but LinearClassifier is expecting texts"),
    ],
)
def test_no_list_of_texts_is_called_by_its_name(read_texts, bad, words):
    with pytest.raises(ValueError, match=words):
        read_texts.predict(bad)
    if isinstance(bad, str | bytes) or (isinstance(bad, list) and not bad):
        with pytest.raises(ValueError, match=words):
            quick().fit(bad, [0])


def test_empty_texts_alone_are_answered_like_among_others(read_texts):
    alone = read_texts.predict_proba([""])
    np.testing.assert_allclose(read_texts.predict_proba(["", "good film"])[:1], alone, rtol=1e-12)


def test_one_class_and_no_target_are_refused():
    with pytest.raises(ValueError, match="only one class"):
        quick().fit(X, np.zeros(60))
    with pytest.raises(ValueError, match="requires y to be passed"):
        quick().fit(X)
    with pytest.raises(ValueError, match="Unknown label type"):
        quick().fit(X, VALUES)


# ------------------------------------------------------------------------------------------------------- regression


def test_values_come_back_in_their_unit_whatever_its_size():
    estimator = LinearRegressor(random_state=0).fit(X, VALUES + 1e6)
    assert estimator.score(X, VALUES + 1e6) > 0.9
    assert estimator.predict(X[:1]).shape == (1,)
    assert not hasattr(estimator, "predict_proba")


def test_several_outputs_and_columns():
    several = np.column_stack([VALUES, -VALUES, X[:, 0]])
    estimator = LinearRegressor(random_state=0).fit(X, several)
    assert estimator.predict(X).shape == (60, 3)
    assert estimator.score(X, several) > 0.9
    flat = quick(LinearRegressor).fit(X, VALUES).predict(X)
    column = quick(LinearRegressor).fit(X, VALUES[:, None]).predict(X)
    assert column.shape == (60, 1)
    np.testing.assert_array_equal(column[:, 0], flat)


@pytest.mark.parametrize("loss", ["mae", "huber"])
def test_other_losses(loss):
    estimator = quick(LinearRegressor, loss=loss).fit(X, VALUES)
    assert np.isfinite(estimator.predict(X)).all()


# ------------------------------------------------------------------------------------------------------- weights


@pytest.mark.parametrize("cls", [DenseClassifier, GRUClassifier])
def test_weights_are_repetitions_and_order_is_nothing(cls):
    weight = RNG.integers(0, 4, 60)
    repeated = np.repeat(np.arange(60), weight)
    weighted = quick(cls, units=4).fit(X, Y, sample_weight=weight)
    order = RNG.permutation(repeated)
    again = quick(cls, units=4).fit(X[order], Y[order])
    np.testing.assert_array_equal(weighted.predict_proba(X), again.predict_proba(X))


def test_class_weights_by_label_and_balanced():
    rare = np.r_[np.flatnonzero(Y == "up")[:4], np.flatnonzero(Y == "down")]
    plain = quick(max_epochs=20).fit(X[rare], Y[rare])
    heavy = quick(max_epochs=20, class_weight={"up": 1000, "down": 1}).fit(X[rare], Y[rare])
    balanced = quick(max_epochs=20, class_weight="balanced").fit(X[rare], Y[rare])
    ups = [(e.predict_proba(X)[:, 1]).mean() for e in (plain, balanced, heavy)]
    assert ups[0] < ups[1] < ups[2]
    share = len(rare) / 2 / np.array([4, len(rare) - 4])
    by_hand = quick(max_epochs=20, class_weight=dict(zip(["up", "down"], share, strict=True))).fit(X[rare], Y[rare])
    np.testing.assert_allclose(by_hand.predict_proba(X), balanced.predict_proba(X), atol=1e-6)


def test_canonical_rows_by_hand():
    rows = canonical(4, [b"a", b"b", b"a", b"c"].__getitem__, np.array([0, 1, 0, 1]), np.array([1.0, 2.0, 3.0, 0.0]))
    assert sorted(rows.rows.tolist()) in ([0, 1], [1, 2])
    assert sorted(rows.weight.tolist()) == pytest.approx([2 / 3, 4 / 3])


def test_the_validation_set_has_every_class_and_leaves_every_class():
    classes = np.repeat([0, 1, 2], [280, 110, 10])
    rows = canonical(400, lambda row: str(row).encode(), classes, None)
    training, validation = hold_out(rows, classes[rows.rows], 0.1, seed=0)
    assert np.bincount(classes[rows.rows][validation]).tolist() == [28, 11, 1]
    assert len(np.intersect1d(training, validation)) == 0
    assert len(hold_out(rows, None, 0.05, seed=0)[1]) == 0


# ------------------------------------------------------------------------------------------------------- going on


def test_warm_start_goes_on_and_refuses_other_classes():
    estimator = quick(warm_start=True).fit(X, Y)
    first = estimator.decision_function(X)
    estimator.fit(X, Y)
    assert estimator.n_iter_ == 6
    assert len(estimator.history_["loss"]) == 6
    assert estimator.history_["loss"][3] < estimator.history_["loss"][0]
    assert not np.array_equal(first, estimator.decision_function(X))
    with pytest.raises(ValueError, match="warm_start can only be used where"):
        estimator.fit(X, np.where(X[:, 0] > 0, "up", "sideways"))


def test_partial_fit_needs_the_classes_once():
    estimator = quick()
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        estimator.partial_fit(X, Y)
    estimator.partial_fit(X[:20], np.full(20, "up"), classes=["down", "up"])
    for start in (20, 40):
        estimator.partial_fit(X[start : start + 20], Y[start : start + 20])
    assert estimator.classes_.tolist() == ["down", "up"]
    assert estimator.n_iter_ == 3
    with pytest.raises(ValueError, match=r"not in `self\.classes_`"):
        estimator.partial_fit(X, np.full(60, "sideways"))


def test_partial_fits_of_all_rows_learn_like_a_fit():
    whole = quick(LinearRegressor, max_epochs=5).fit(X, VALUES)
    pieces = quick(LinearRegressor)
    for _ in range(5):
        pieces.partial_fit(X, VALUES)
    np.testing.assert_allclose(pieces.predict(X), whole.predict(X), rtol=1e-5)


# ------------------------------------------------------------------------------------------------------- no traces


def test_global_random_states_stay_and_seeds_repeat():
    import tensorflow as tf

    def states():
        everyone = np.random.get_state()[1].tolist()  # noqa: NPY002
        return random.getstate(), everyone, tf.random.get_global_generator().state.numpy().tolist()

    before = states()
    one = quick(GRUClassifier, units=4, dropout=0.3).fit(X, Y).predict_proba(X)
    assert states() == before
    random.seed(99)
    np.random.seed(99)  # noqa: NPY002
    np.testing.assert_array_equal(quick(GRUClassifier, units=4, dropout=0.3).fit(X, Y).predict_proba(X), one)
    other = quick(GRUClassifier, units=4, dropout=0.3, random_state=1).fit(X, Y).predict_proba(X)
    assert not np.array_equal(other, one)


def test_seeds_of_generators_differ_from_fit_to_fit():
    state = np.random.RandomState(0)
    assert seed_of(state) != seed_of(state)
    assert seed_of(np.random.default_rng(0)) == seed_of(np.random.default_rng(0))
    assert seed_of(None) != seed_of(None)
    assert seed_of(7) == 7


def test_two_threads_do_not_mix():
    seeds = range(4)
    alone = [quick(DenseClassifier, units=4, random_state=seed).fit(X, Y).predict_proba(X) for seed in seeds]
    found = {}

    def fit(seed):
        for _ in range(3):
            found[seed] = quick(DenseClassifier, units=4, random_state=seed).fit(X, Y).predict_proba(X)

    threads = [threading.Thread(target=fit, args=(seed,)) for seed in seeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in seeds:
        np.testing.assert_array_equal(found[seed], alone[seed])


def test_silent_unless_asked_and_no_files(tmp_path):
    script = (
        "import numpy as np; from recurra import LSTMClassifier; X = np.random.default_rng(0).normal(size=(30, 5));"
        "m = LSTMClassifier(max_epochs=2, random_state=0).fit(X, X[:, 0] > 0); m.predict(X);"
        "import threading; assert threading.active_count() == 1, threading.enumerate();"
        "print('asked from here on', flush=True); m.set_params(verbose=1).fit(X, X[:, 0] > 0)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
        env=environment,
    )
    assert done.stderr == ""
    before, after = done.stdout.split("asked from here on\n")
    assert before == ""
    assert "LSTMClassifier: epoch 2 of at most 2, loss" in after
    assert not list(tmp_path.iterdir())


def test_later_fits_of_the_same_shape_compile_nothing_anew():
    def traces():
        networks = [net for idle in network.POOL._idle.values() for net in idle]
        functions = [f for net in networks for f in net._compiled.values()]
        functions += [twin._forward for net in networks for twin in net._twins.values()]
        return sum(f.experimental_get_tracing_count() for f in functions)

    quick(GRUClassifier, units=3).fit(X, Y).predict(X)
    before = traces()
    for seed in range(5):
        quick(GRUClassifier, units=3, random_state=seed).fit(X, Y).predict(X)
    assert traces() == before


def test_the_pool_is_bounded():
    pool = Pool(network.CompiledNetwork, 2)
    structure = quick().fit(X, Y)._state.structure
    for loss in ("crossentropy", "mse", "mae"):
        with pool.borrow(structure, loss):
            pass
    assert list(pool._idle) == [(structure, "mse"), (structure, "mae")]


def test_a_network_that_fails_is_not_used_again():
    pool = Pool(network.CompiledNetwork, 2)
    structure = quick().fit(X, Y)._state.structure
    with pytest.raises(KeyboardInterrupt), pool.borrow(structure, "mse"):
        raise KeyboardInterrupt
    assert not pool._idle


def test_divergence_is_said_and_the_estimator_still_answers():
    with pytest.warns(ConvergenceWarning, match="diverged"):
        estimator = quick(LinearRegressor, learning_rate=1e30, max_epochs=50).fit(X * 1e3, VALUES)
    assert np.isfinite(estimator.predict(X)).all()


# ------------------------------------------------------------------------------------------------------- callbacks


def test_keras_callbacks_are_called_and_may_stop():
    class Watch(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.seen = []

        def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002
            self.seen.append(("batch", batch))

        def on_epoch_end(self, epoch, logs=None):
            self.seen.append((epoch, sorted(logs)))
            self.model.stop_training = epoch == 1

    watch = Watch()
    estimator = quick(callbacks=[watch], max_epochs=10).fit(X, Y)
    assert estimator.n_iter_ == 2
    assert watch.seen == [("batch", 0), ("batch", 1), (0, ["loss"]), ("batch", 0), ("batch", 1), (1, ["loss"])]
    plain = quick(max_epochs=2).fit(X, Y)
    np.testing.assert_allclose(plain.decision_function(X), estimator.decision_function(X), rtol=1e-6)


def test_early_stopping_keeps_the_best_weights():
    wide = RNG.normal(size=(400, 3))
    noise = RNG.integers(0, 2, 400)  # nothing to learn: the validation loss soon rises
    estimator = DenseClassifier(random_state=0, learning_rate=0.05, patience=3).fit(wide, noise)
    losses = estimator.history_["val_loss"]
    assert len(losses) == estimator.n_iter_ == int(np.argmin(losses)) + 1 + 3
    assert len(losses) < 100


# ------------------------------------------------------------------------------------------------------- files


def assert_same(one, other, inputs=X):
    np.testing.assert_array_equal(one.predict_proba(inputs), other.predict_proba(inputs))
    assert one.predict(inputs).dtype == other.predict(inputs).dtype


def test_pickle_joblib_and_copies(fitted, tmp_path):
    assert_same(fitted, pickle.loads(pickle.dumps(fitted)))
    assert_same(fitted, copy.deepcopy(fitted))
    joblib.dump(fitted, tmp_path / "estimator.joblib")
    mapped = joblib.load(tmp_path / "estimator.joblib", mmap_mode="r")
    assert_same(fitted, mapped)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mapped.set_params(warm_start=True).fit(X, Y)


def test_no_row_of_the_training_data_is_kept():
    marked = X.copy()
    marked[0] = 123456.789
    written = pickle.dumps(quick().fit(marked, Y))
    assert np.float64(123456.789).tobytes() not in written


def test_another_process_gives_the_same_answers(fitted, tmp_path):
    (tmp_path / "estimator.pickle").write_bytes(pickle.dumps(fitted))
    np.save(tmp_path / "x.npy", X)
    script = (
        "import pickle, numpy as np; e = pickle.load(open('estimator.pickle', 'rb'));"
        "np.save('p.npy', e.predict_proba(np.load('x.npy')))"
    )
    subprocess.run([sys.executable, "-P", "-c", script], cwd=tmp_path, check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), fitted.predict_proba(X))


@pytest.mark.parametrize("labels", [Y, (X[:, 0] > 0).astype(np.int8)], ids=["str", "int8"])
def test_save_and_load_without_pickle(tmp_path, labels):
    estimator = quick(class_weight="balanced", callbacks=[]).fit(pd.DataFrame(X, columns=list("abcdef")), labels)
    estimator.save(tmp_path / "saved")
    assert not [file for file in tmp_path.rglob("*") if file.suffix in (".pkl", ".pickle", ".joblib")]
    loaded = LinearClassifier.load(tmp_path / "saved")
    assert_same(estimator, loaded, pd.DataFrame(X, columns=list("abcdef")))
    assert loaded.get_params()["class_weight"] == "balanced"
    assert loaded.classes_.dtype == estimator.classes_.dtype
    assert loaded.history_ == estimator.history_
    assert loaded.feature_names_in_.tolist() == list("abcdef")
    with pytest.raises(ValueError, match="holds a LinearClassifier"):
        DenseClassifier.load(tmp_path / "saved")
    with pytest.raises(ValueError, match="holds no saved estimator"):
        DenseClassifier.load(tmp_path)


@pytest.mark.parametrize("targets", [VALUES, VALUES[:, None], np.column_stack([VALUES, -VALUES])])
def test_a_loaded_regressor_answers_and_goes_on(tmp_path, targets):
    estimator = quick(LinearRegressor).fit(X, targets)
    estimator.save(tmp_path)
    loaded = LinearRegressor.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))
    loaded.partial_fit(X, targets)
    assert loaded.n_iter_ == 4
    assert not np.array_equal(loaded.predict(X), estimator.predict(X))


def test_an_exported_text_classifier_takes_raw_texts_and_gives_own_labels(tmp_path):
    estimator = quick(GRUClassifier, units=4, max_epochs=40).fit(TEXTS, OPINIONS)
    version = estimator.export(tmp_path / "opinions")
    assert version == tmp_path / "opinions" / "1"
    table = recurra.load_model(tmp_path / "opinions").predict(["very good film", "bad"])
    assert table["label"].tolist() == estimator.predict(["very good film", "bad"]).tolist()
    np.testing.assert_allclose(
        table[["probability_+", "probability_-"]], estimator.predict_proba(["very good film", "bad"]), atol=1e-5
    )
    info = json.loads((version / "assets.extra" / "recurra.json").read_text())
    assert info["training"]["estimator"] == "GRUClassifier"


@pytest.mark.parametrize("several", [False, True])
def test_an_exported_regressor_gives_values_in_their_unit(tmp_path, several):
    targets = np.column_stack([VALUES, -VALUES]) if several else VALUES
    estimator = quick(SequenceRegressor, family="linear", max_epochs=20).fit(X, targets)
    estimator.export(tmp_path / "model", X)
    table = recurra.load_model(tmp_path / "model").predict(list(X))
    np.testing.assert_allclose(table.to_numpy().squeeze(), estimator.predict(X), rtol=1e-3, atol=1)


def test_the_model_is_a_keras_model(fitted):
    assert isinstance(fitted.model_, keras.Model)
    assert sum(w.size for w in fitted.model_.get_weights()) == 14


def test_comparison_with_simpler_families():
    estimator = quick(DenseClassifier, units=4)
    result = estimator.compare_with_simpler(X, Y, folds=1, seeds=1, baselines=["majority"])
    assert set(result.summary.index) == {"linear", "dense:dropout=0.0+units=4", "majority"}
    assert isinstance(result.verdict["text"], str)
    assert not hasattr(estimator, "n_iter_")
    with pytest.raises(ValueError, match="compare each of them"):
        quick(LinearRegressor).compare_with_simpler(X, np.column_stack([VALUES, VALUES]))


def test_html_shows_parameters_and_attributes(fitted):
    html = fitted._repr_html_()
    assert "LinearClassifier" in html
    assert "history_" in html
    assert "validation_fraction" in html


def test_groups_never_both_train_and_stop_the_training():
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(40), 10))
    rows = canonical(400, lambda row: bytes([row % 256, row // 256]), groups % 2, None)
    training, validation = hold_out(rows, (groups % 2)[rows.rows], 0.1, 0, groups[rows.rows])
    sides = [set(groups[rows.rows[part]].tolist()) for part in (training, validation)]
    assert not sides[0] & sides[1]
    assert len(validation) == 40
    inputs, labels = rng.normal(size=(400, 3)), groups % 2
    fitted = LinearClassifier(max_epochs=1, random_state=0).fit(inputs, labels, groups=groups)
    assert fitted.n_iter_ == 1
    with pytest.raises(ValueError, match="`groups` must hold one group for each of 400 rows"):
        fitted.fit(inputs, labels, groups=groups[:5])
