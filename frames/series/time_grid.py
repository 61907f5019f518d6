"""The regular grid of time: the position of each row on it, the stamps of its points, the points that follow."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...errors import InputError
from .frequency import DAY, commonest, infer_freq, parse_freq, steps_between

# A grid this much longer than the rows observed is a wrong step or a stray stamp, and would eat the memory.
_LONGEST_GRID = 50
_ORIGIN = pd.Timestamp("1970-01-01")


@dataclass(frozen=True)
class TimeGrid:
    """Points of a regular axis: either ``origin + step * n``, or the n-th stamp of ``calendar``.

    ``moments`` are int64: counts, or microseconds; on the wall clock of the time zone where ``wall`` is set,
    because a day there has 23 to 25 hours.
    """

    freq: str | int
    step: int
    calendar: np.ndarray | None = None
    zone: object = None
    wall: bool = False

    def moments(self, index: pd.Index) -> np.ndarray:
        """Turn time stamps or counts into int64."""
        if isinstance(index, pd.DatetimeIndex):
            stamps = index.tz_localize(None) if self.wall and index.tz is not None else index
            return (stamps if stamps.unit == "us" else stamps.as_unit("us")).asi8  # as_unit copies in any case
        return index.to_numpy()

    def index(self, moments: np.ndarray) -> pd.Index:
        """Turn int64 into time stamps or counts."""
        if isinstance(self.freq, int):
            return pd.Index(moments)
        stamps = pd.DatetimeIndex(moments.view("M8[us]"))
        if self.zone is None:
            return stamps
        if not self.wall:
            return stamps.tz_localize("UTC").tz_convert(self.zone)
        return stamps.tz_localize(self.zone, ambiguous=np.ones(len(stamps), dtype=bool), nonexistent="shift_forward")

    def after(self, last: np.ndarray, steps: int) -> np.ndarray:
        """Points that follow each of ``last`` (series,): (series, steps)."""
        if self.calendar is None:
            return last[:, None] + self.step * np.arange(1, steps + 1)
        ends, which = np.unique(last, return_inverse=True)
        rows = [
            pd.date_range(end, periods=steps + 1, freq=self.freq, unit="us").asi8[1:] for end in ends.view("M8[us]")
        ]
        return np.stack(rows)[which] if rows else np.empty((0, steps), dtype="int64")


def make_grid(index: pd.Index, codes: np.ndarray, freq: str | int | None, source: str) -> TimeGrid:
    """Choose the step and the grid for rows sorted by series, then time."""
    if not isinstance(index, pd.DatetimeIndex):
        return _count_grid(index.to_numpy(), codes, freq, source)
    if isinstance(freq, int):
        freq = str(freq)  # a bare number is not a step between time stamps; parse_freq refuses it
    alias = infer_freq(index, codes, source) if freq is None else freq
    return stamp_grid(alias, index, source)


def stamp_grid(alias: str, index: pd.DatetimeIndex, source: str) -> TimeGrid:
    """Make the grid of a pandas offset alias that spans ``index``."""
    offset = parse_freq(alias, source)
    if isinstance(offset, pd.offsets.Tick):
        return TimeGrid(offset.freqstr, offset.nanos // 1000, zone=index.tz)
    if isinstance(offset, pd.offsets.Day):
        return TimeGrid(offset.freqstr, offset.n * DAY, zone=index.tz, wall=True)
    wall = index.tz_localize(None)
    calendar = pd.date_range(wall.min(), wall.max(), freq=offset, unit="us").asi8
    return TimeGrid(offset.freqstr, 0, calendar, index.tz, wall=True)


def steps_since_origin(alias: str, stamps: pd.DatetimeIndex, source: str) -> np.ndarray:
    """Number the points of an offset alias from 1970-01-01, whatever other stamps there are.

    Args:
        alias: a pandas offset alias; of "2MS" every month counts half, so points two months apart are one step apart.
        stamps: points of a grid: (stamps,).
        source: file or data set, for messages.

    Returns:
        int64 (stamps,); negative before 1970.
    """
    grid = stamp_grid(alias, stamps[:1], source)
    moments = grid.moments(stamps)
    if grid.calendar is None:
        return moments // grid.step
    offset = parse_freq(alias, source)
    wall = stamps.tz_localize(None)
    first, last = min(wall.min().normalize(), _ORIGIN), max(wall.max(), _ORIGIN)
    calendar = pd.date_range(first, last, freq=offset.base, unit="us").asi8
    # the points up to a stamp, less those up to the origin
    numbers = np.searchsorted(calendar, moments, side="right") - np.searchsorted(calendar, 0, side="right")
    return numbers // offset.n


def _count_grid(counts: np.ndarray, codes: np.ndarray, freq: str | int | None, source: str) -> TimeGrid:
    if isinstance(freq, str) and freq.isdecimal():
        freq = int(freq)
    if isinstance(freq, str) or (freq is not None and freq < 1):
        raise InputError(
            f"{source}: `freq` must be a positive whole number where time is counted in whole numbers; received "
            f"{freq!r}; leave it out, or give a column of time stamps as `time`"
        )
    steps = steps_between(counts, codes)
    step = freq or (commonest(steps) if len(steps) else 1)
    return TimeGrid(int(step), int(step))


def positions(
    grid: TimeGrid, moments: np.ndarray, starts: np.ndarray, codes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the rows on the grid, each series counted from its own first row.

    Args:
        grid: the axis.
        moments: sorted by series, then time: (rows,).
        starts: first row of each series: (series,).
        codes: series of each row: (rows,).

    Returns:
        Position of each row: (rows,), of no use where it is off the grid; and which rows are off: bool (rows,).
    """
    if grid.calendar is None:
        since = moments[starts][codes]
        np.subtract(moments, since, out=since)  # in place: of ten million rows every array is 80 MB
        off = np.remainder(since, grid.step) != 0
        return np.floor_divide(since, grid.step, out=since), off
    found = np.searchsorted(grid.calendar, moments)
    found = np.minimum(found, max(len(grid.calendar) - 1, 0))
    off = grid.calendar[found] != moments if len(grid.calendar) else np.ones(len(moments), dtype=bool)
    return found - found[starts][codes], off


def check_length(at: np.ndarray, ends: np.ndarray, grid: TimeGrid, source: str) -> None:
    """Refuse a grid that is almost all gaps."""
    rows = int((at[ends] + 1).sum())
    if rows > _LONGEST_GRID * len(at) + 1000:
        raise InputError(
            f"{source}: the time axis at a step of {grid.freq} would have {rows:,} rows, of which {len(at):,} were "
            "found; correct the stray time stamps, or give a longer step as `freq`"
        )
