"""The forecaster for sktime passes sktime's own suite."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime", reason="needs the extra recurra[sktime]")

# sktime warns of its own next version whenever a forecaster is made.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.fixture
def monthly():
    index = pd.period_range("2000-01", periods=80, freq="M")
    return pd.Series(10 + np.sin(np.arange(80) / 2), index=index, name="sales")


@pytest.mark.slow
def test_sktimes_own_suite_passes():
    from sktime.utils.estimator_checks import check_estimator

    from recurra.estimators.sktime import RecurraForecaster

    results = check_estimator(RecurraForecaster, raise_exceptions=False, verbose=False)
    assert len(results) > 100
    assert {name: result for name, result in results.items() if result != "PASSED"} == {}


def test_it_forecasts_what_recurra_forecasts(monthly):
    from recurra import LinearForecaster
    from recurra.estimators.sktime import RecurraForecaster

    options = {"lookback": 6, "season": 1, "max_epochs": 2, "random_state": 0}
    model = RecurraForecaster("linear", **options).fit(monthly, fh=[1, 3])
    forecast = model.predict()
    long = pd.DataFrame({"unique_id": "a", "ds": monthly.index.to_timestamp(), "y": monthly.to_numpy()})
    expected = LinearForecaster(horizon=3, **options).fit(long).predict()
    np.testing.assert_allclose(forecast, expected["Linear"].iloc[[0, 2]])
    assert forecast.index.equals(pd.PeriodIndex(["2006-09", "2006-11"], freq="M"))
    interval = model.predict_interval(coverage=0.8)
    np.testing.assert_allclose(interval.iloc[:, 0], expected["Linear-lo-80"].iloc[[0, 2]])
