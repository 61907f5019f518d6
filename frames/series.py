"""SeriesFrame: one or many time series in long format, on a regular time axis."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class SeriesFrame:
    """One or many regular time series.

    Make one with :meth:`from_table`, which sorts, checks and puts the rows on a regular time axis, and says in
    ``notes`` what it did.

    Attributes:
        table: rows sorted by series, then time; a time stamp nobody observed is a row of missing values.
            Each series ends with the last row in which a target was observed.
        id: name of the column that tells the series apart (always there, even for one series).
        time: name of the time column: time stamps, or row numbers.
        targets: columns to forecast (float64).
        past: columns known only up to now (float64 or text).
        future: columns known ahead (float64 or text), such as a holiday flag.
        freq: step of the time axis: a pandas offset alias ("W-SAT"), or 1 where rows are merely counted.
        ahead: rows after each series' end that carry known-future values; same columns as ``table``.
        source: the file or data set, as error messages name it.
        notes: sentences about what was found and done.
    """

    table: pd.DataFrame
    id: str
    time: str
    targets: tuple[str, ...]
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    freq: str | int = 1
    ahead: pd.DataFrame | None = None
    source: str = "table"
    notes: tuple[str, ...] = ()

    @cached_property
    def lengths(self) -> np.ndarray:
        """Rows of each series, in table order: (series,)."""
        return self.table.groupby(self.id, sort=False, observed=True).size().to_numpy()

    @cached_property
    def ids(self) -> list:
        """Series identifiers, in table order."""
        return list(self.table[self.id].unique())
