"""scikit-learn's own suite over every regressor, as test_classifier_checks.py does for classifiers."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import recurra
from recurra import estimators

SLOW = [name for name in estimators.__all__ if name.endswith("Regressor") and name != "SimpleRNNRegressor"]


@parametrize_with_checks([recurra.SimpleRNNRegressor()])
def test_scikit_learn_accepts(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([getattr(recurra, name)() for name in SLOW])
def test_scikit_learn_accepts_the_rest(estimator, check):
    check(estimator)
