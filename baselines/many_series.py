"""Many series side by side: the one place where a baseline may look at them, and what it knows at each origin.

Row ``t`` of a series as seen from origin ``o`` (the number of rows already there) is: the observed value; inside a gap
that closed before ``o``, the straight line across it; in a gap still open at ``o``, the last value seen. This is the
rule the pipelines use for the inputs of a network, so the baselines neither gain nor lose by it.

Nothing here runs over series one by one in Python: a series of eighty rows costs less than the call of a function.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

# Cells of a table (series, time) that are worked on together; more would leave the processor's cache.
_CELLS = 1 << 19


@dataclass(frozen=True, eq=False)
class ManySeries:
    """One column of many series, and the moments at which it is forecast.

    Attributes:
        values: all rows, series after series, NaN where nothing was observed: (rows,).
        lengths: rows of each series: (series,).
        origins: rows of its own series that are known at each forecast; rising inside a series: (origins,).
        series: which series each origin belongs to, rising: (origins,).
    """

    values: np.ndarray
    lengths: np.ndarray
    origins: np.ndarray
    series: np.ndarray

    @classmethod
    def of_one(cls, values: np.ndarray, origins: np.ndarray) -> ManySeries:
        """One series (time,) and its origins."""
        return cls(values, np.array([len(values)]), origins, np.zeros(len(origins), dtype="int64"))

    @classmethod
    def at_ends(cls, series: Sequence[np.ndarray]) -> ManySeries:
        """Series (time,) that are forecast once each, from their last row."""
        lengths = np.array([len(values) for values in series], dtype="int64")
        return cls(np.concatenate([np.empty(0), *series]), lengths, lengths, np.arange(len(lengths)))

    @cached_property
    def starts(self) -> np.ndarray:
        """First row of each series: (series,)."""
        return np.cumsum(self.lengths) - self.lengths

    @cached_property
    def first_origins(self) -> np.ndarray:
        """Rows of each series before its first origin, on which parameters are estimated: (series,)."""
        first = np.zeros(len(self.lengths), dtype="int64")
        first[self.series[::-1]] = self.origins[::-1]  # the last assignment counts, which is the first origin
        return np.maximum(first, 0)

    @cached_property
    def last_origins(self) -> np.ndarray:
        """Rows of each series before its last origin: (series,)."""
        last = np.zeros(len(self.lengths), dtype="int64")
        last[self.series] = self.origins
        return np.maximum(last, 0)

    @cached_property
    def _observed(self) -> tuple[np.ndarray, np.ndarray]:
        """The row last observed at or before each row, and the next one at or after it; -1 and `rows` for none."""
        rows = np.arange(len(self.values))
        seen = ~np.isnan(self.values)
        before = np.maximum.accumulate(np.where(seen, rows, -1)) if len(rows) else rows
        after = np.minimum.accumulate(np.where(seen, rows, len(rows))[::-1])[::-1] if len(rows) else rows
        starts = np.repeat(self.starts, self.lengths)
        ends = np.repeat(self.starts + self.lengths, self.lengths)
        return np.where(before >= starts, before, -1), np.where(after < ends, after, len(rows))

    def known(self, rows: np.ndarray) -> np.ndarray:
        """Values as they were known at the origins: (origins, n); NaN where nothing had been observed yet.

        Args:
            rows: counted from the start of each origin's series, below the origin; negative ones were never seen:
                (origins, n).
        """
        before_start = rows < 0
        at = np.where(before_start, 0, rows + self.starts[self.series, None])
        if not len(self.values):
            return np.full(rows.shape, np.nan)
        found = np.where(before_start, np.nan, self.values[at])
        if not (gaps := np.isnan(found) & ~before_start).any():
            return found
        ends = np.broadcast_to((self.starts[self.series] + self.origins)[:, None], at.shape)
        found[gaps] = self.across(at[gaps], ends[gaps])
        return found

    def across(self, rows: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """What is known at `origins` of missing `rows`, both counted through all values: (n,) each."""
        before, after = (found[rows] for found in self._observed)
        values = np.append(self.values, np.nan)  # row -1: nothing was seen
        closed = after < origins
        left, right = np.where(before >= 0, before, after), np.where(closed, after, before)
        slope = (values[right] - values[left]) / np.maximum(right - left, 1)
        line = slope * np.where(before >= 0, rows - left, 0) + values[left]
        return np.where(closed, line, values[np.where(before >= 0, before, -1)])

    def last_observed(self) -> np.ndarray:
        """The row last observed before each origin, counted from the series' start, -1 for none: (origins,)."""
        return self._last(self.starts[self.series], self.origins)

    def last_before(self, counts: np.ndarray) -> np.ndarray:
        """The row last observed among the first `counts` of each series, -1 for none: (series,)."""
        return self._last(self.starts, counts)

    def _last(self, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
        found = np.full(len(starts), -1)
        some = counts > 0
        before = self._observed[0][starts[some] + counts[some] - 1]
        found[some] = np.where(before >= 0, before - starts[some], -1)
        return found

    def first_observed(self) -> np.ndarray:
        """The first observed row of each series, counted from its start; its length for none: (series,)."""
        first = self.lengths.copy()
        there = self.lengths > 0
        first[there] = np.minimum(self._observed[1][self.starts[there]] - self.starts[there], self.lengths[there])
        return first

    def from_first_observed(self) -> ManySeries:
        """Each series without its leading NaN; origins are counted from there, and 0 or less saw nothing.

        A model fitted on a flat, invented beginning would mistake it for the series' nature.
        """
        if not np.isnan(self.values[self.starts[self.lengths > 0]]).any():
            return self
        first = self.first_observed()
        number = np.arange(len(self.values)) - np.repeat(self.starts, self.lengths)
        kept = self.values[number >= np.repeat(first, self.lengths)]
        return replace(self, values=kept, lengths=self.lengths - first, origins=self.origins - first[self.series])

    def groups(self) -> Iterator[tuple[np.ndarray, ManySeries]]:
        """Series of about the same length together, so many that their table (series, time) is small.

        Yields:
            Which origins they are, and the series with these origins.
        """
        width = np.maximum(self.last_origins, 1)
        order = np.argsort(width, kind="stable")
        start = 0
        while start < len(order):
            # widths rise, so the last one is that of the table; at least one series, however long
            tables = width[order[start:]] * np.arange(1, len(order) - start + 1)
            stop = start + max(1, int(np.searchsorted(tables, _CELLS, side="right")))
            chosen = np.sort(order[start:stop])
            yield self._part(chosen)
            start = stop

    def _part(self, chosen: np.ndarray) -> tuple[np.ndarray, ManySeries]:
        if len(chosen) == len(self.lengths):
            return np.arange(len(self.origins)), self
        place = np.full(len(self.lengths), -1)
        place[chosen] = np.arange(len(chosen))
        origins = np.flatnonzero(place[self.series] >= 0)
        lengths = self.lengths[chosen]
        shift = self.starts[chosen] - (np.cumsum(lengths) - lengths)
        rows = np.arange(int(lengths.sum())) + np.repeat(shift, lengths)
        return origins, ManySeries(self.values[rows], lengths, self.origins[origins], place[self.series[origins]])

    def table(self, counts: np.ndarray) -> np.ndarray:
        """The first `counts` rows of each series, NaN behind: (series, longest)."""
        steps = np.arange(int(counts.max(initial=0)))
        inside = steps < counts[:, None]
        if not len(self.values):
            return np.full(inside.shape, np.nan)
        rows = np.minimum(self.starts[:, None] + steps, len(self.values) - 1)
        return np.where(inside, self.values[rows], np.nan)

    def histories(self) -> np.ndarray:
        """What is known before each series' first origin, gaps filled, NaN behind: (series, longest)."""
        counts = np.minimum(self.first_origins, self.lengths)
        return filled(self.table(counts), counts)


def filled(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Straight lines across gaps, the last value carried on to the end: (series, time), NaN behind `counts`."""
    if not values.size or not (gaps := np.isnan(values) & (np.arange(values.shape[1]) < counts[:, None])).any():
        return values
    own = np.broadcast_to(counts[:, None], values.shape)[gaps]  # the origin is the end of the history
    series, steps = np.nonzero(gaps)
    many = ManySeries(values.ravel(), np.full(len(values), values.shape[1]), counts, np.arange(len(values)))
    found = values.copy()
    found[gaps] = many.across(series * values.shape[1] + steps, series * values.shape[1] + own)
    return found
