"""scikit-learn's own suite over every estimator, with no failure expected and no tag that switches checks off."""

import pytest
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_dataframe_column_names_consistency, parametrize_with_checks

import recurra
from recurra import estimators

SEQUENCE_ESTIMATORS = [name for name in estimators.__all__ if name.endswith(("Classifier", "Regressor"))]
# Two run always, the rest with the slow tests: together some minutes.
QUICK = ("LinearClassifier", "SimpleRNNRegressor")


def made(names):
    return [getattr(recurra, name)() for name in names]


@parametrize_with_checks(made(QUICK))
def test_scikit_learn_accepts(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(made([name for name in SEQUENCE_ESTIMATORS if name not in QUICK]))
def test_scikit_learn_accepts_the_rest(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", SEQUENCE_ESTIMATORS)
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


@pytest.mark.parametrize("name", QUICK)
def test_names_of_columns_are_kept_and_checked(name):
    check_dataframe_column_names_consistency(name, getattr(recurra, name)(max_epochs=2))
