"""A splitter for scikit-learn's searches over forecasters: what is scored lies after what was learnt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import BaseCrossValidator

from ..errors import InputError


class RollingOrigin(BaseCrossValidator):
    """Split a long table at several cutoffs, counted from each series' own end.

    A training set holds the rows of each series before a cutoff. The test set holds the `horizon` rows after it and all
    rows before them, because a forecaster reads those; its ``score`` looks at the last `horizon` rows alone. So every
    `lookback` of a search is scored on the same forecasts.

    Parameters
    ----------
    horizon : int
        Rows scored after each cutoff; the `horizon` of the forecaster.
    n_splits : int, default=3
        Number of cutoffs.
    step_size : int, default=None
        Rows between two cutoffs; by default `horizon`.
    id_col, time_col : str, default="unique_id", "ds"
        Columns of the table.

    Examples
    --------
    >>> search = GridSearchCV(LSTMForecaster(horizon=12), {"lookback": [12, 24]}, cv=RollingOrigin(12))
    >>> search.fit(df).best_params_
    """

    def __init__(
        self,
        horizon: int,
        n_splits: int = 3,
        *,
        step_size: int | None = None,
        id_col: str = "unique_id",
        time_col: str = "ds",
    ) -> None:
        self.horizon = horizon
        self.n_splits = n_splits
        self.step_size = step_size
        self.id_col = id_col
        self.time_col = time_col

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        """Number of cutoffs.

        Parameters
        ----------
        X, y, groups : object
            Ignored.

        Returns
        -------
        n_splits : int
            The parameter.
        """
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:  # noqa: ARG002
        """Positions of training and test rows, the oldest cutoff first.

        Parameters
        ----------
        X : DataFrame
            A row per series and time, in any order.
        y : None
            Ignored.
        groups : array-like, default=None
            The series of each row; by default the column of ids.

        Yields
        ------
        train, test : ndarray
            Positions of rows; the test set holds the training rows, too.
        """
        if not isinstance(X, pd.DataFrame) or self.time_col not in X.columns:
            raise InputError(f"`X` must be a DataFrame with a column {self.time_col!r}; received {type(X).__name__}")
        if groups is None and self.id_col not in X.columns:
            raise InputError(f"`X` has no column {self.id_col!r}; name it as `id_col`, or give `groups`")
        ids = pd.Series(np.asarray(X[self.id_col] if groups is None else groups))
        order = np.lexsort((X[self.time_col].argsort().argsort().to_numpy(), ids.factorize()[0]))
        # rows after each one in its series: (rows,)
        after = ids.iloc[order[::-1]].groupby(ids.iloc[order[::-1]].to_numpy(), sort=False).cumcount().sort_index()
        step = self.horizon if self.step_size is None else self.step_size
        first = self.horizon + (self.n_splits - 1) * step
        lengths = ids.value_counts()
        if (lengths <= first).any():
            short = lengths.idxmin()
            raise InputError(
                f"series {short!r} has {lengths[short]} rows, but {self.n_splits} cutoffs {step} apart and a horizon "
                f"of {self.horizon} leave none before the first; give more rows, fewer `n_splits`, or leave it out"
            )
        for i in range(self.n_splits):
            end = (self.n_splits - 1 - i) * step
            yield np.flatnonzero(after >= end + self.horizon), np.flatnonzero(after >= end)
