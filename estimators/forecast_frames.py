"""Long tables of forecasters: rows as a frame, a frame as it was at a cutoff, forecasts as the user writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from ..frames import SeriesFrame

# What to do about several columns where one is read.
_INSTEAD = {
    "id_col": 'join them to one, such as df["store"] + "/" + df["item"]',
    "time_col": "join them to one column of time stamps",
    "target_col": "make each target a series of its own (df.melt), fit a forecaster for each, or train one network of "
    "all targets with recurra.fit(df, target=[...])",
}
# Ids and stamps that a message names, the rest it counts.
_NAMED = 3


@dataclass(frozen=True)
class Columns:
    """Column names of the user's tables.

    Attributes:
        id, time, target: of series, time and what is forecast.
        past, future: covariates known up to now, and ahead.
        freq: step of time; None reads it from the stamps.
    """

    id: str
    time: str
    target: str
    past: tuple[str, ...]
    future: tuple[str, ...]
    freq: str | int | None = None

    def read(self, df: Any, name: str = "df") -> SeriesFrame:
        """A table as a frame; columns without a role are left out.

        Raises:
            InputError: a column is missing, or anything else is wrong with the rows.
        """
        if not isinstance(df, pd.DataFrame):
            raise InputError(
                f"`{name}` must be a pandas DataFrame with the columns {self.id!r}, {self.time!r} and {self.target!r}; "
                f"received {type(df).__name__}"
            )
        self._refuse_several()
        self._require(df, [self.id, self.time, self.target, *self.past, *self.future], name)
        return SeriesFrame.from_table(
            df[[self.id, self.time, self.target, *self.past, *self.future]],
            id=self.id,
            time=self.time,
            target=self.target,
            past_covariates=self.past,
            future_covariates=self.future,
            freq=self.freq,
            source=name,
        )

    def _refuse_several(self) -> None:
        """One column each tells series, time and target."""
        for role, column in (("id_col", self.id), ("time_col", self.time), ("target_col", self.target)):
            if isinstance(column, list | tuple | np.ndarray | pd.Index):
                raise InputError(
                    f"`{role}` must be the name of one column; received {list(column)!r}; {_INSTEAD[role]}"
                )

    def _require(self, df: pd.DataFrame, names: Sequence[str], name: str) -> None:
        if missing := [column for column in names if column not in df.columns]:
            raise InputError(
                f"`{name}` has no column {missing[0]!r} (its columns are {', '.join(map(str, df.columns))}); rename "
                "it, or name it with `id_col`, `time_col`, `target_col`, `past_covariates` or `future_covariates`"
            )

    def ahead(self, frame: SeriesFrame, X_df: Any) -> pd.DataFrame:
        """Rows of known-future covariates after the end of each series, as the frame's `ahead` has them.

        Args:
            frame: the series.
            X_df: a table of ids, times and covariates; rows up to the end of a series are left out.
        """
        if not isinstance(X_df, pd.DataFrame):
            raise InputError(f"`X_df` must be a pandas DataFrame; received {type(X_df).__name__}")
        self._require(X_df, [self.id, self.time, *self.future], "X_df")
        rows = X_df[[self.id, self.time, *self.future]].copy()
        names = {str(label): label for label in frame.ids}
        rows[self.id] = pd.Categorical([names.get(str(label)) for label in rows[self.id]], categories=frame.ids)
        rows[self.time] = _as_times(rows[self.time], frame)
        rows = rows[rows[self.id].notna()].set_axis([frame.id, frame.time, *self.future], axis=1)
        if doubled := rows.duplicated([frame.id, frame.time]).sum():
            raise InputError(f"`X_df` holds {doubled} rows of an id and time that another row has; leave out doubles")
        return rows

    def lacking(self, frame: SeriesFrame, horizon: int) -> pd.DataFrame:
        """Ids and times of the next steps for which a known-future covariate lacks, with those that are known."""
        steps = frame.next_times(horizon)
        known = frame.table.iloc[:0] if frame.ahead is None else frame.ahead
        merged = steps.merge(known[[frame.id, frame.time, *self.future]], on=[frame.id, frame.time], how="left")
        gaps = merged[list(self.future)].isna().any(axis=1)
        return merged[gaps].reset_index(drop=True)

    def refuse_lacking(self, frame: SeriesFrame, horizon: int) -> None:
        """Refuse to forecast without all known-future covariates, and name ids and stamps that lack."""
        lacking = self.lacking(frame, horizon)
        if not len(lacking):
            return
        ids = list(lacking[frame.id].unique())
        named = []
        for label in ids[:_NAMED]:
            times = [str(time) for time in lacking[lacking[frame.id] == label][frame.time]]
            named.append(f"{label!r} at {', '.join(times[:_NAMED])}{' ...' if len(times) > _NAMED else ''}")
        more = f" and {len(ids) - _NAMED} more ids" if len(ids) > _NAMED else ""
        raise InputError(
            f"the covariates {', '.join(map(repr, self.future))} are known ahead, but {len(lacking)} of the rows that "
            f"a forecast of {horizon} steps needs lack: {'; '.join(named)}{more}; give them as `X_df`: "
            "`missing_future(df, X_df)` returns the rows to be filled"
        )


def _as_times(times: pd.Series, frame: SeriesFrame) -> pd.Series:
    """Times as the frame has them, on its clock."""
    dtype = frame.table[frame.time].dtype
    if isinstance(frame.freq, int) or times.dtype == dtype:
        return times.astype(dtype)
    stamps = pd.DatetimeIndex(pd.to_datetime(times))
    zone = getattr(dtype, "tz", None)
    if zone is not None:
        stamps = stamps.tz_localize(zone) if stamps.tz is None else stamps.tz_convert(zone)
    elif stamps.tz is not None:
        raise InputError("`X_df` has time stamps with a time zone and `df` has none; give both the same")
    return pd.Series(stamps.astype(dtype), index=times.index)


def name_short(frame: SeriesFrame, needed: int | np.ndarray, why: str) -> None:
    """Refuse series with fewer rows than are needed, and name them.

    Args:
        frame: the series.
        needed: rows.
        why: what they are needed for, in words.
    """
    short = np.flatnonzero(frame.lengths < needed)
    if not len(short):
        return
    named = [f"{frame.ids[i]!r} ({frame.lengths[i]} rows)" for i in short[:_NAMED]]
    more = f" and {len(short) - _NAMED} more" if len(short) > _NAMED else ""
    raise InputError(
        f"series {', '.join(named)}{more} {'are' if len(short) > 1 else 'is'} too short: {why}; give more rows, choose "
        "smaller ones, or leave the series out"
    )


def at_cutoff(frame: SeriesFrame, known: np.ndarray, horizon: int) -> SeriesFrame:
    """A frame as it was after some rows: the rest is gone, but for the covariates known ahead.

    Args:
        frame: the series.
        known: rows that were known of each series (series,).
        horizon: steps after them whose covariates are known ahead.
    """
    past = frame.head(known)
    if not frame.future_covariates:
        return past
    later = frame.table[_is_within(frame, known, known + horizon)]
    columns = [frame.id, frame.time, *frame.future_covariates]
    ahead = later[columns].reset_index(drop=True)
    if frame.ahead is not None:
        ahead = pd.concat([ahead, frame.ahead[columns]], ignore_index=True)
    ahead[frame.id] = ahead[frame.id].astype(past.table[frame.id].dtype)
    return replace(past, ahead=ahead)


def same_end(frame: SeriesFrame) -> list[np.ndarray]:
    """Numbers of the series that end at the same time; where rows are merely counted there is no common time."""
    everyone = np.arange(len(frame.lengths))
    if isinstance(frame.freq, int):
        return [everyone]
    ends = pd.Index(frame.table[frame.time].iloc[np.cumsum(frame.lengths) - 1])
    codes, moments = pd.factorize(ends, sort=True)
    return [everyone[codes == code] for code in range(len(moments))]


def before_cutoff(frame: SeriesFrame, series: np.ndarray, after: int) -> SeriesFrame:
    """All series as they were at a cutoff of some of them, which end at the same time.

    Args:
        frame: the series.
        series: numbers of those that the cutoff is of.
        after: rows of theirs that follow the cutoff.
    """
    if isinstance(frame.freq, int):
        return frame.head(np.maximum(frame.lengths - after, 0))
    times = frame.table[frame.time]
    cutoff = times.iloc[int(np.cumsum(frame.lengths)[series[0]]) - after - 1]
    known = np.add.reduceat((times <= cutoff).to_numpy().astype(int), np.cumsum(frame.lengths) - frame.lengths)
    return frame.head(known)


def truth_after(frame: SeriesFrame, known: np.ndarray, horizon: int) -> np.ndarray:
    """The targets of the steps after some rows: (series × horizon,)."""
    return frame.table[frame.targets[0]].to_numpy(dtype=float)[_is_within(frame, known, known + horizon)]


def last_rows(frame: SeriesFrame, rows: int) -> SeriesFrame:
    """The last rows of each series, all that a forecast reads; what lies ahead stays."""
    table = frame.table[_is_within(frame, frame.lengths - rows, frame.lengths)].reset_index(drop=True)
    return replace(frame, table=table, notes=())


def _is_within(frame: SeriesFrame, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Which rows of the table are rows [start, stop) of their series: bool (rows,)."""
    offsets = np.repeat(np.cumsum(frame.lengths) - frame.lengths, frame.lengths)
    number = np.arange(len(frame.table)) - offsets
    return (number >= np.repeat(start, frame.lengths)) & (number < np.repeat(stop, frame.lengths))


class Written:
    """How the user writes ids and times: his labels and dtypes, none of his rows.

    Args:
        df: his table.
        columns: its column names.
    """

    def __init__(self, df: pd.DataFrame, columns: Columns) -> None:
        self._labels = {str(label): label for label in df[columns.id].unique()}
        self._id, self._time = df[columns.id].dtype, df[columns.time].dtype

    def labels(self, frame: SeriesFrame) -> list[Any]:
        """His labels of the series of a frame, in its order."""
        return [self._labels.get(str(label), label) for label in frame.ids]

    def like(self, table: pd.DataFrame, frame: SeriesFrame) -> pd.DataFrame:
        """Ids and times of a table as the user writes them."""
        ids = pd.Series([self._labels.get(str(label), label) for label in table[frame.id]], table.index, object)
        written = table.assign(**{frame.id: ids if pd.api.types.is_object_dtype(self._id) else ids.astype(self._id)})
        if pd.api.types.is_datetime64_any_dtype(self._time) or isinstance(frame.freq, int):
            written[frame.time] = written[frame.time].astype(self._time)
        return written
