"""The estimators inside scikit-learn's own machinery."""

import contextlib
import io
import warnings

import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import AdaBoostClassifier, StackingClassifier, StackingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    TimeSeriesSplit,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from recurra import DenseClassifier, GRUClassifier, LinearClassifier, LinearRegressor, SequenceClassifier

RNG = np.random.default_rng(1)
X = RNG.normal(size=(60, 5))
Y = np.where(X[:, 0] - X[:, 1] > 0, "up", "down")
VALUES = X[:, 0] * 50 + 7


def quick(cls=LinearClassifier, **parameters):
    return cls(**{"max_epochs": 4, "random_state": 0, **parameters})


def test_grid_search_over_families_in_two_processes_equals_one():
    grid = {"family": ["linear", "gru"], "max_epochs": [1, 3]}
    one, two = (
        GridSearchCV(SequenceClassifier(random_state=0), grid, cv=2, scoring="neg_log_loss", n_jobs=n).fit(X, Y)
        for n in (1, 2)
    )
    np.testing.assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert one.best_params_ == two.best_params_
    assert two.predict(X).shape == (60,)
    # a second search in the same process, after TensorFlow was used in it
    again = GridSearchCV(SequenceClassifier(random_state=0), grid, cv=2, scoring="neg_log_loss", n_jobs=2).fit(X, Y)
    np.testing.assert_array_equal(again.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])


def test_halving_search():
    search = HalvingRandomSearchCV(
        quick(),
        {"learning_rate": [1e-3, 3e-3, 1e-2, 3e-2]},
        n_candidates=4,
        resource="max_epochs",
        max_resources=4,
        cv=2,
        random_state=0,
    ).fit(X, Y)
    assert search.n_candidates_ == [4, 2]
    assert search.best_params_["max_epochs"] == 3


def test_cross_validation_stratifies_and_scores_probabilities():
    scores = cross_validate(quick(), X, np.sort(Y), cv=3, scoring=["roc_auc", "accuracy", "neg_log_loss"])
    assert np.isfinite(scores["test_roc_auc"]).all()
    values = cross_val_score(quick(LinearRegressor), X, VALUES, cv=TimeSeriesSplit(2))
    assert np.isfinite(values).all()


def test_sequences_and_texts_in_cross_validation():
    ragged = [RNG.normal(size=(n, 2)) for n in RNG.integers(2, 9, 40)]
    label = [int(s[0, 0] > 0) for s in ragged]
    assert np.isfinite(cross_val_score(quick(GRUClassifier, units=3), ragged, label, cv=2)).all()
    panel = RNG.normal(size=(40, 4, 2))
    assert np.isfinite(cross_val_score(quick(), panel, panel[:, 0, 0] > 0, cv=2)).all()
    texts = ["a good one", "a bad one", "good good", "bad bad"] * 10
    assert np.isfinite(cross_val_score(quick(DenseClassifier), texts, [1, 0] * 20, cv=2)).all()


def test_meta_estimators():
    calibrated = CalibratedClassifierCV(quick(), cv=2).fit(X, Y)
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1)
    members = [("linear", quick()), ("dense", quick(DenseClassifier, units=4))]
    stack = StackingClassifier(members, LogisticRegression(), cv=2).fit(X, Y)
    assert stack.predict(X).shape == (60,)
    values = StackingRegressor([("linear", quick(LinearRegressor))], Ridge(), cv=2).fit(X, VALUES)
    assert values.predict(X[:1]).shape == (1,)
    boosted = AdaBoostClassifier(quick(max_epochs=20), n_estimators=2, random_state=0).fit(X, Y)
    assert set(boosted.predict(X)) <= {"up", "down"}
    target = TransformedTargetRegressor(quick(LinearRegressor), func=np.arcsinh, inverse_func=np.sinh).fit(X, VALUES)
    assert np.isfinite(target.predict(X)).all()


def test_pipelines_output_formats_and_importance():
    pipeline = make_pipeline(StandardScaler(), quick(max_epochs=30)).set_output(transform="pandas").fit(X, Y)
    assert pipeline.score(X, Y) > 0.8
    importance = permutation_importance(pipeline, X, Y, n_repeats=2, random_state=0)
    assert set(importance.importances_mean.argsort()[-2:]) == {0, 1}


def test_metadata_routing():
    weight = np.where(Y == "up", 5.0, 0.0)
    weight[Y == "down"] = 1e-3
    with sklearn.config_context(enable_metadata_routing=True):
        plain = quick().set_fit_request(sample_weight=False).set_score_request(sample_weight=False)
        asked = quick().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scores = [
            cross_validate(e, X, Y, params={"sample_weight": weight} if e is asked else {}, cv=2)["test_score"]
            for e in (plain, asked)
        ]
    assert scores[1].mean() > scores[0].mean()


def test_scikit_learns_progress_bar():
    screen = io.StringIO()
    with contextlib.redirect_stdout(screen):
        estimator = quick().set_callbacks(ProgressBar()).fit(X, Y)
    assert "LinearClassifier" in screen.getvalue()
    assert estimator.n_iter_ == 4
    assert not [name for name in vars(estimator) if "callback" in name.lower() and name.endswith("_ctx")]


def test_one_progress_bar_for_a_grid_search():
    screen = io.StringIO()
    with contextlib.redirect_stdout(screen), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # scikit-learn's, where a callback reaches a worker late
        search = GridSearchCV(quick(), {"batch_size": [8, 16]}, cv=2).set_callbacks(
            ProgressBar(max_propagation_depth=None)
        )
        search.fit(X, Y)
    assert "GridSearchCV" in screen.getvalue()
    assert search.best_params_


def test_scikit_learns_scoring_monitor_sees_every_epoch():
    monitor = ScoringMonitor(scoring="accuracy")
    estimator = quick(max_epochs=5).set_callbacks(monitor).fit(X, Y)
    assert estimator.n_iter_ == 5
    scores = monitor.get_logs().data_as_pandas
    assert len(scores) >= 5
    assert scores["accuracy"].iloc[-1] == estimator.score(X, Y)


def test_a_callback_may_end_the_fit():
    class Stop:
        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):  # noqa: ARG002
            return context.task_name == "epoch" and context.task_id == 1

    assert quick().set_callbacks(Stop()).fit(X, Y).n_iter_ == 2


@pytest.mark.slow
def test_memory_and_time_of_fifty_fits():
    import resource
    import time

    rows = RNG.normal(size=(60, 13))

    def fit(seed):
        begun = time.perf_counter()
        quick(GRUClassifier, units=8, random_state=seed).fit(rows, Y).predict(rows)
        return time.perf_counter() - begun

    seconds = [fit(seed) for seed in range(10)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds += [fit(seed) for seed in range(10, 50)]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 20, f"{grown:.0f} MiB"
    assert np.median(seconds[1:]) <= seconds[0] / 2
