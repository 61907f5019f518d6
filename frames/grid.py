"""The regular grid of time: the place of each row on it, the stamps of its points, the points that follow."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import InputError
from .frequency import DAY, commonest, infer_freq, parse_freq, steps_between

# A grid this much longer than the rows observed is a wrong step or a stray stamp, and would eat the memory.
_LONGEST_GRID = 50


@dataclass(frozen=True)
class Grid:
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


def make_grid(index: pd.Index, codes: np.ndarray, freq: str | int | None, source: str) -> Grid:
    """Settle the step and the grid for rows sorted by series, then time."""
    if not isinstance(index, pd.DatetimeIndex):
        return _count_grid(index.to_numpy(), codes, freq, source)
    if isinstance(freq, int):
        freq = str(freq)  # a bare number is no step between time stamps; parse_freq says so
    alias = infer_freq(index, codes, source) if freq is None else freq
    return stamp_grid(alias, index, source)


def stamp_grid(alias: str, index: pd.DatetimeIndex, source: str) -> Grid:
    """Make the grid of a pandas offset alias that spans ``index``."""
    offset = parse_freq(alias, source)
    if isinstance(offset, pd.offsets.Tick):
        return Grid(offset.freqstr, offset.nanos // 1000, zone=index.tz)
    if isinstance(offset, pd.offsets.Day):
        return Grid(offset.freqstr, offset.n * DAY, zone=index.tz, wall=True)
    wall = index.tz_localize(None)
    calendar = pd.date_range(wall.min(), wall.max(), freq=offset, unit="us").asi8
    return Grid(offset.freqstr, 0, calendar, index.tz, wall=True)


def _count_grid(counts: np.ndarray, codes: np.ndarray, freq: str | int | None, source: str) -> Grid:
    if isinstance(freq, str) and freq.isdecimal():
        freq = int(freq)
    if isinstance(freq, str) or (freq is not None and freq < 1):
        raise InputError(
            f"Time in {source} is counted in whole numbers, so the step must be a positive whole number, not "
            f"{freq!r}: leave --freq out or name a column of time stamps with --time."
        )
    steps = steps_between(counts, codes)
    step = freq or (commonest(steps) if len(steps) else 1)
    return Grid(int(step), int(step))


def positions(grid: Grid, moments: np.ndarray, starts: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place the rows on the grid, each series counted from its own first row.

    Args:
        grid: the axis.
        moments: sorted by series, then time: (rows,).
        starts: first row of each series: (series,).
        codes: series of each row: (rows,).

    Returns:
        Place of each row, -1 where it is off the grid: (rows,); and which rows are off: bool (rows,).
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


def check_length(place: np.ndarray, ends: np.ndarray, grid: Grid, source: str) -> None:
    """Refuse a grid that is almost all gaps."""
    rows = int((place[ends] + 1).sum())
    if rows > _LONGEST_GRID * len(place) + 1000:
        raise InputError(
            f"{source} has {len(place):,} rows, but its time axis at a step of {grid.freq} would have "
            f"{rows:,}: "
            "correct the stray time stamps or give a longer step with --freq."
        )
