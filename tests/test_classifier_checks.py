"""scikit-learn's own suite over every classifier, with no failure expected and no tag that switches checks off."""

import pytest
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_dataframe_column_names_consistency, parametrize_with_checks

import recurra
from recurra import estimators

BOTH = [name for name in estimators.__all__ if name.endswith(("Classifier", "Regressor"))]
# One runs always, the rest with the slow tests: together some minutes. test_regressor_checks.py does the same.
SLOW = [name for name in BOTH if name.endswith("Classifier") and name != "LinearClassifier"]


@parametrize_with_checks([recurra.LinearClassifier()])
def test_scikit_learn_accepts(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([getattr(recurra, name)() for name in SLOW])
def test_scikit_learn_accepts_the_rest(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", BOTH)
def test_no_tag_buys_a_pass(name):
    tags = get_tags(getattr(recurra, name)())
    assert not tags.non_deterministic
    assert not tags.no_validation
    assert not tags._skip_test
    assert tags.requires_fit
    assert tags.target_tags.required
    assert tags.input_tags.two_d_array
    assert not tags.input_tags.allow_nan
    assert not (tags.classifier_tags or tags.regressor_tags).poor_score


@pytest.mark.parametrize("name", ["LinearClassifier", "DenseRegressor"])
def test_names_of_columns_are_kept_and_checked(name):
    check_dataframe_column_names_consistency(name, getattr(recurra, name)(max_epochs=2))
