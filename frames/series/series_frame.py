"""SeriesFrame: one or many time series in long format, on a regular time axis."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from ..columns import ROW_NUMBERS, listed
from ..notebook import frame_html
from .blocks import ROWS, series_blocks
from .reading import Reading
from .regular_table import series_fields
from .stored_table import StoredTable, TableWriter
from .time_grid import TimeGrid, stamp_grid, steps_since_origin
from .value_checks import stamps_never_observed

_ROWS_THAT_SHOW_A_WEEK = 14
_CHUNK = 1 << 20  # rows looked at together
_WORKED_OUT = 400  # bytes beside each row of a block


@dataclass(frozen=True)
class SeriesFrame:
    """One or many regular time series.

    Make one with :meth:`from_table`, which sorts and checks the rows, puts them on a regular time axis, and notes what
    it did.

    Attributes:
        table: rows sorted by series, then time; a time stamp that was not observed is a row of missing values.
            Each series ends with the last row in which a target was observed.
        id: name of the column that tells the series apart (always there, even for one series).
        time: name of the time column: time stamps, or row numbers.
        targets: columns to forecast (float64).
        past_covariates: columns known only up to now (float64 or text).
        future_covariates: columns known ahead (float64 or text), such as a holiday flag.
        freq: step of the time axis: a pandas offset alias ("W-SAT"), or a whole number where time is counted.
        ahead: rows after each series' end that carry known-future values; same columns as ``table``.
        source: the file or data set, as error messages name it.
        notes: sentences about what was found and done.
        roles: the user's own columns for time (or "none") and id (or None), to read another table the same way.
        reading: what was settled when the table was read, for the same purpose.
        id_cells: where several columns tell the series apart, their cells by the name of the series.
        stored: the files that the table is read from where it is larger than memory; None where it is in memory.
    """

    table: pd.DataFrame
    id: str
    time: str
    targets: tuple[str, ...]
    past_covariates: tuple[str, ...] = ()
    future_covariates: tuple[str, ...] = ()
    freq: str | int = 1
    ahead: pd.DataFrame | None = None
    source: str = "table"
    notes: tuple[str, ...] = ()
    roles: Mapping[str, Any] = field(default_factory=lambda: {"time": None, "id": None})
    reading: Reading = field(default_factory=Reading)
    id_cells: pd.DataFrame | None = None
    stored: StoredTable | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: a stored table is sent as the names of its files."""
        return {**self.__dict__, **({"table": None} if self.stored is not None else {})}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self.stored is not None:
            self.__dict__["table"] = self.stored.open()

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame,
        *,
        time: str | Sequence[str] | None = None,
        target: str | Sequence[str] | None = None,
        id: str | Sequence[str] | None = None,
        past_covariates: str | Sequence[str] = (),
        future_covariates: str | Sequence[str] = (),
        freq: str | int | None = None,
        missing: str = "keep",
        source: str = "table",
        reading: Reading | None = None,
    ) -> "SeriesFrame":
        """Check a table and put it on a regular time axis.

        Args:
            table: one row per series and time stamp, in any order.
            time: column of time stamps or whole numbers; several of year, quarter, month, week, day, hour, minute,
                second (a list, or comma-separated), of which dates are composed, or a column of dates and one of times
                of day; or "none" for row numbers. Default: the column with
                a usual name, else the first one of time stamps, else row numbers.
            target: columns to forecast. Default: ``y``, else the one numeric column without a role.
            id: column that tells the series apart, or several of them (a list, or comma-separated). Default:
                ``unique_id`` if there, else one series.
            past_covariates: columns known only up to now, numeric or text.
            future_covariates: columns known ahead.
            freq: step of time, such as "h" or "MS". Default: read from the stamps.
            missing: "keep" them (and count them in ``notes``), or "error".
            source: file or data set, as messages name it.
            reading: what was settled for the training data of a model, so that its newest rows are read alike.

        Returns:
            The frame.

        Raises:
            InputError: the table has an error the user can fix.

        Example:
            >>> SeriesFrame.from_table(pd.DataFrame({"ds": ["2024-01", "2024-02"], "y": [1.0, 2.0]})).freq
            'MS'
        """
        fields = series_fields(
            table,
            freq=freq,
            missing=missing,
            source=source,
            reading=reading,
            time=time,
            target=target,
            id=id,
            past_covariates=past_covariates,
            future_covariates=future_covariates,
        )
        return cls(**fields)

    def __repr__(self) -> str:
        many = "s" if len(self.targets) > 1 else ""
        return (
            f"SeriesFrame({self.source!r}: {len(self.table):,} rows, {len(self.lengths):,} series, freq {self.freq!r}, "
            f"target{many} {listed(self.targets)})"
        )

    def _repr_html_(self) -> str:
        return frame_html(repr(self), self.table, len(self.table))

    @cached_property
    def lengths(self) -> np.ndarray:
        """Rows of each series, in table order: (series,)."""
        labels = self.table[self.id]
        codes = labels.cat.codes.to_numpy() if isinstance(labels.dtype, pd.CategoricalDtype) else labels.to_numpy()
        return np.diff(_starts_of_runs(codes), append=len(codes))

    @cached_property
    def ids(self) -> list:
        """Series identifiers, in table order."""
        return list(self.table[self.id].iloc[self.starts].unique())

    def columns(self, names: Iterable[str], rows: slice | np.ndarray | None = None) -> np.ndarray:
        """Values of numeric columns: float64 (rows, names).

        Args:
            names: of the columns.
            rows: which rows of the table, in any shape; by default all. Of many rows ask for some at a time.

        Returns:
            float64 (*rows, names).
        """
        chosen = slice(None) if rows is None else rows
        parts = [self.table[name].to_numpy(dtype="float64")[chosen] for name in names]
        if len(parts) == 1:  # a view, where rows are a slice: ten million rows need no second copy
            return parts[0][..., None]
        return np.stack(parts, axis=-1) if parts else np.empty((len(self.table), 0))

    def blocks(self) -> Iterator[tuple[slice, slice]]:
        """Series in blocks of about a million rows, or fewer where little memory was allowed, and these rows."""
        if self.stored is None:
            return series_blocks(self.lengths)
        return series_blocks(self.lengths, max(1, min(ROWS, self.stored.memory // _WORKED_OUT)))

    @property
    def starts(self) -> np.ndarray:
        """First row of each series in the table: (series,)."""
        return np.cumsum(self.lengths) - self.lengths

    def head(self, rows: Sequence[int] | np.ndarray) -> "SeriesFrame":
        """Keep the first rows of each series, as if the rest were not known yet.

        Args:
            rows: how many, for each series in table order: (series,). A series with 0 rows disappears.

        Returns:
            A frame without ``ahead``.
        """
        rows = np.asarray(rows)
        if rows.shape != self.lengths.shape:
            raise ValueError(f"`rows` must hold one number for each of {len(self.lengths)} series. Received: {rows!r}")
        starts = np.cumsum(self.lengths) - self.lengths
        number = np.arange(len(self.table)) - np.repeat(starts, self.lengths)
        table = self.table[number < np.repeat(rows, self.lengths)].reset_index(drop=True)
        return replace(self, table=_without_unused(table, self.id), ahead=None)

    def select(self, ids: Iterable) -> "SeriesFrame":
        """Keep some series, in table order; an unknown one is an InputError."""
        wanted = list(ids)
        unknown = [label for label in wanted if label not in set(self.ids)]
        if unknown:
            known = ", ".join(map(repr, self.ids[:8])) + (" ..." if len(self.ids) > 8 else "")
            raise InputError(
                f"{self.source}: no series is called {unknown[0]!r} in column {self.id!r}; there are {known}"
            )
        ahead = self.ahead
        if ahead is not None:
            ahead = ahead[ahead[self.id].isin(wanted)].reset_index(drop=True)
            ahead = _without_unused(ahead, self.id) if len(ahead) else None
        if self.stored is None:
            table = self.table[self.table[self.id].isin(wanted)].reset_index(drop=True)
            return replace(self, table=_without_unused(table, self.id), ahead=ahead)
        writer = TableWriter(self.stored.memory)
        for _, rows in self.blocks():
            part = self.table.iloc[rows]
            writer.add(part[part[self.id].isin(wanted)])
        stored = writer.finish()
        return replace(self, table=stored.open(), stored=stored, ahead=ahead)

    def part(self, series: slice, newest: int | None = None) -> "SeriesFrame":
        """Some series that follow one another, in memory, each with its newest rows or with all of them."""
        ends, lengths = (self.starts + self.lengths)[series], self.lengths[series]
        kept = lengths if newest is None else np.minimum(lengths, newest)
        rows = np.repeat(ends - np.cumsum(kept), kept) + np.arange(int(kept.sum()))
        ids = self.ids[series]
        ahead = None if self.ahead is None else self.ahead[self.ahead[self.id].isin(ids)].reset_index(drop=True)
        return replace(self, table=self.table.iloc[rows].reset_index(drop=True), ahead=ahead, stored=None)

    def next_times(self, steps: int) -> pd.DataFrame:
        """Time stamps after the end of each series: ``steps`` rows per series, columns id and time."""
        grid = self._grid()
        last = pd.Index(self.table[self.time].iloc[np.cumsum(self.lengths) - 1])
        points = grid.after(grid.moments(last), steps)  # (series, steps)
        series = self.table[self.id].iloc[np.repeat(np.cumsum(self.lengths) - 1, steps)].reset_index(drop=True)
        return pd.DataFrame({self.id: series, self.time: grid.index(points.ravel())})

    def never_observed(self, steps: int) -> int:
        """Count the next `steps` stamps of the first series on weekdays and at times at which nothing was observed."""
        if isinstance(self.freq, int) or len(self.table) < _ROWS_THAT_SHOW_A_WEEK:
            return 0
        ahead = self.next_times(steps)[self.time].head(steps)
        return stamps_never_observed(self.table, self.time, self.targets, ahead)

    def with_id_columns(self, table: pd.DataFrame) -> pd.DataFrame:
        """Put the user's own columns in the place of joined names, where several tell the series apart."""
        if self.id_cells is None:
            return table
        cells = self.id_cells.loc[list(table[self.id])].reset_index(drop=True)
        return pd.concat([cells, table.drop(columns=self.id)], axis=1)

    def times(self, table: pd.DataFrame | None = None) -> np.ndarray:
        """Seconds since 1970-01-01 00:00 in the data's own time (local where there is a time zone), or counts.

        Args:
            table: rows with the time column, such as :meth:`next_times` or ``ahead`` gives. Default: the frame's.

        Returns:
            int64 (rows,).
        """
        values = (self.table if table is None else table)[self.time]
        if isinstance(self.freq, int):
            return values.to_numpy(dtype="int64")
        return pd.DatetimeIndex(values).tz_localize(None).as_unit("s").asi8

    def last_steps(self) -> np.ndarray:
        """Position of each series' last row on its regular time axis, in steps of ``freq`` from a fixed origin.

        The origin (1970-01-01, or 0 where time is counted) does not depend on the rows in the frame: a time stamp has
        the same number in every file read with the same ``freq``, so a model can find its place in a cycle that it
        learned from other rows. Where the rows were only numbered (time "none"), it is the number of rows.

        Returns:
            int64 (series,).

        Example:
            >>> SeriesFrame.from_table(pd.DataFrame({"ds": ["1970-02", "1970-03"], "y": [1.0, 2.0]})).last_steps()
            array([2])
        """
        if self.roles.get("time") == ROW_NUMBERS:
            return self.lengths.astype("int64")
        last = self.table[self.time].iloc[np.cumsum(self.lengths) - 1]
        if isinstance(self.freq, int):
            return last.to_numpy(dtype="int64") // self.freq
        return steps_since_origin(self.freq, pd.DatetimeIndex(last), self.source)

    def _grid(self) -> TimeGrid:
        if isinstance(self.freq, int):
            return TimeGrid(self.freq, self.freq)
        return stamp_grid(self.freq, pd.DatetimeIndex(self.table[self.time].iloc[[0, -1]]), self.source)


def _starts_of_runs(codes: np.ndarray) -> np.ndarray:
    """Where another code begins, looked for piece by piece: (runs,)."""
    if not len(codes):
        return np.empty(0, dtype="int64")
    found = [np.zeros(1, dtype="int64")]
    for start in range(1, len(codes), _CHUNK):
        stop = min(start + _CHUNK, len(codes))
        found.append(start + np.flatnonzero(codes[start:stop] != codes[start - 1 : stop - 1]))
    return np.concatenate(found)


def _without_unused(table: pd.DataFrame, id: str) -> pd.DataFrame:
    if isinstance(table[id].dtype, pd.CategoricalDtype):  # frames made by hand may hold plain labels
        table[id] = table[id].cat.remove_unused_categories()
    return table
