"""A forecaster for sktime, over recurra's own; needs the extra ``recurra[sktime]``.

sktime's class is imported here and nowhere else in the package.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sktime.forecasting.base import BaseForecaster

from .forecasters import SequenceForecaster

_ID, _TIME, _TARGET = "unique_id", "ds", "y"
# Of every whole percent, so that any coverage can be asked for after the fit.
_LEVELS = tuple(range(1, 100))


class RecurraForecaster(BaseForecaster):
    """Forecast a series with a network of any family, in sktime.

    The whole horizon is forecast at once, so `fit` has to be told it. Exogenous data are ignored.

    Parameters
    ----------
    family : str, default="lstm"
        One of ``recurra.list_families("forecast")``.
    lookback : int, default=None
        Steps read; by default two seasons or horizons, at most a quarter of the series.
    season : int, default=None
        Steps in a season, 1 for none; by default found in the autocorrelation.
    transform : {"none", "log"}, default="none"
        "log" works on logarithms of positive values.
    units, num_layers : int, default=None
        Size of the network; by default the family's.
    learning_rate : float, default=None
        By default the family's.
    max_epochs, patience : int, default=100, 9
        The most epochs, and how many without a smaller validation loss end the fit.
    random_state : int, default=None
        An int gives the same forecasts every time.

    Examples
    --------
    >>> from recurra.estimators.sktime import RecurraForecaster
    >>> from sktime.datasets import load_airline
    >>> RecurraForecaster("gru", random_state=0).fit(load_airline(), fh=range(1, 13)).predict()
    """

    _tags: ClassVar[dict[str, Any]] = {
        "authors": ["recurra"],
        "maintainers": ["recurra"],
        "python_dependencies": ["recurra"],
        "capability:multivariate": False,
        "capability:exogenous": False,
        "capability:insample": False,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:missing_values": True,
        "capability:random_state": True,
        "property:randomness": "derandomized",
        "y_inner_mtype": "pd.Series",
        "requires-fh-in-fit": True,
    }

    def __init__(
        self,
        family: str = "lstm",
        lookback: int | None = None,
        season: int | None = None,
        transform: str = "none",
        units: int | None = None,
        num_layers: int | None = None,
        learning_rate: float | None = None,
        max_epochs: int = 100,
        patience: int = 9,
        random_state: int | None = None,
    ) -> None:
        self.family = family
        self.lookback = lookback
        self.season = season
        self.transform = transform
        self.units = units
        self.num_layers = num_layers
        self.learning_rate = learning_rate
        self.max_epochs = max_epochs
        self.patience = patience
        self.random_state = random_state
        super().__init__()

    def _fit(self, y: pd.Series, X: Any, fh: Any) -> RecurraForecaster:  # noqa: ARG002  (sktime's signature)
        steps = fh.to_relative(self.cutoff).to_numpy()
        self.forecaster_ = SequenceForecaster(
            family=self.family,
            horizon=int(steps.max()),
            lookback=self.lookback,
            season=self.season,
            transform=self.transform,
            units=self.units,
            num_layers=self.num_layers,
            learning_rate=self.learning_rate,
            max_epochs=self.max_epochs,
            patience=self.patience,
            random_state=self.random_state,
            levels=_LEVELS,
            alias="forecast",
        )
        self.forecaster_.fit(_long(y))
        return self

    def _predict(self, fh: Any, X: Any) -> pd.Series:  # noqa: ARG002
        table = self._table(fh)
        return pd.Series(table["forecast"].to_numpy(), index=fh.to_absolute_index(self.cutoff), name=self._y_name)

    def _predict_interval(self, fh: Any, X: Any, coverage: list[float]) -> pd.DataFrame:  # noqa: ARG002
        table, index = self._table(fh), fh.to_absolute_index(self.cutoff)
        name = self._get_varnames()[0]
        columns = {}
        for share in coverage:
            for end, word in (("lo", "lower"), ("hi", "upper")):
                columns[(name, share, word)] = _at_level(table, end, 100 * share)
        return pd.DataFrame(columns, index=index)

    def _table(self, fh: Any) -> pd.DataFrame:
        steps = fh.to_relative(self.cutoff).to_numpy().astype(int)
        return self.forecaster_.predict().iloc[steps - 1]

    @property
    def _y_name(self) -> Any:
        return getattr(self._y, "name", None) if getattr(self, "_y", None) is not None else None

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:  # noqa: ARG003
        """Settings that sktime's own tests use.

        Parameters
        ----------
        parameter_set : str, default="default"
            Ignored.

        Returns
        -------
        params : list of dict
            Small and quick ones.
        """
        quick = {"lookback": 3, "season": 1, "max_epochs": 1, "random_state": 0}
        return [{"family": "linear", **quick}, {"family": "dense", "units": 2, **quick}]


def _long(y: pd.Series) -> pd.DataFrame:
    """A series of sktime as a long table; periods become their first moment."""
    times = y.index.to_timestamp() if isinstance(y.index, pd.PeriodIndex) else y.index
    return pd.DataFrame({_ID: "series", _TIME: times, _TARGET: y.to_numpy(dtype=float)})


def _at_level(table: pd.DataFrame, end: str, level: float) -> np.ndarray:
    """The end of an interval at any level; between whole percents on the line between them, 0 % is the forecast."""
    known = [0, *_LEVELS]
    ends = np.stack([table["forecast"].to_numpy(), *(table[f"forecast-{end}-{whole}"].to_numpy() for whole in _LEVELS)])
    return np.array([np.interp(level, known, column) for column in ends.T])
