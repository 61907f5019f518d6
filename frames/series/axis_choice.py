"""Which reading of time makes the axis regular, and which axis is absurd: mostly gaps, or several steps at once."""

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pandas as pd

from ...errors import InputError
from .frequency import DAY, commonest, steps_between, to_month_start
from .time_cells import TimeReading
from .time_grid import TimeGrid, make_grid, positions

# Of the points of an axis; a sparse series, such as sales on some days, may well miss more than half of them.
_MOSTLY_MISSING = 0.5
# Gaps of one length (within two steps in a hundred: years and quarters differ by days) among all gaps.
_REGULAR_GAPS, _SAME_LENGTH = 0.8, 0.02
# Spacing of one series against that of the others, from which no common axis does both justice.
_OTHER_STEP = 1.9


@dataclass(frozen=True)
class _Trial:
    """How regular a reading makes the axis: the share of its points without a row, 1 where rows are off it."""

    reading: TimeReading
    missing: float
    freq: str | int | None


def choose_reading(
    readings: list[TimeReading], codes: np.ndarray, freq: str | int | None, name: str, source: str
) -> TimeReading:
    """Take the reading that makes the time axis regular.

    Args:
        readings: one or more, the commonest first.
        codes: series of each row, unsorted: (rows,).
        freq: the step that the user gave, or None.
        name: the time columns, quoted.
        source: file or data set, for messages.

    Raises:
        InputError: two orders of day and month make it equally regular.
    """
    if len(readings) == 1:
        return readings[0]
    trials = [_tried(reading, codes, freq, source) for reading in readings]
    best = min(trials, key=lambda trial: trial.missing)
    rivals = [trial for trial in trials if trial.missing == best.missing and trial.reading.form.endswith("first")]
    if len(rivals) > 1 and best in rivals and rivals[0].reading.form == "month first" and best.missing < 1:
        _refuse_both(rivals[0], rivals[1], name, source)
    return best.reading


def _tried(reading: TimeReading, codes: np.ndarray, freq: str | int | None, source: str) -> _Trial:
    try:
        index = reading.index
        moments = index.asi8 if isinstance(index, pd.DatetimeIndex) else index.to_numpy()
        order = np.lexsort((moments, codes))
        index, codes = index[order], codes[order]
        if isinstance(index, pd.DatetimeIndex):
            index = to_month_start(index, codes, freq, [])
        grid = make_grid(index, codes, freq, source)
        return _Trial(reading, missing_share(grid, index, codes), grid.freq)
    except InputError:
        return _Trial(reading, 1.0, None)


def missing_share(grid: TimeGrid, index: pd.Index, codes: np.ndarray) -> float:
    """Share of an axis' points without a row, for sorted rows; 1 where rows are off it, or stand on one point."""
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    at, off = positions(grid, grid.moments(index), starts, codes)
    same = (np.diff(at) == 0) & (codes[1:] == codes[:-1])
    if off.any() or same.any():
        return 1.0
    ends = np.r_[starts[1:], len(codes)] - 1
    return 1 - len(codes) / float((at[ends] + 1).sum())


def _refuse_both(one: _Trial, other: _Trial, name: str, source: str) -> NoReturn:
    raise InputError(
        f"{source}: the dates in {name} can be read as {one.reading.words} (a step of {one.freq}) and as "
        f"{other.reading.words} (a step of {other.freq}), and both make a regular axis, where one reading was "
        f"expected; give the step as `freq`, or write dates such as 2016-07-31"
    )


def refuse_absurd(
    grid: TimeGrid,
    index: pd.Index,
    codes: np.ndarray,
    labels: list,
    others: list[TimeReading],
    *,
    name: str,
    source: str,
) -> None:
    """Refuse an axis that nobody can have meant; the step was read from the rows, which are sorted.

    Raises:
        InputError: some series have a step of their own; or most points are missing, in gaps of one length.
    """
    moments = grid.moments(index)
    missing = missing_share(grid, index, codes)
    if len(labels) > 1:
        _refuse_steps(grid, moments, codes, labels, name, source)
    daily = isinstance(grid.freq, int) or grid.calendar is not None or grid.step % DAY == 0
    if missing <= _MOSTLY_MISSING or missing >= 1 or not daily:
        return
    steps = steps_between(moments, codes)
    gaps = steps[steps > 1.5 * commonest(steps)]
    usual = float(np.median(gaps))
    if len(gaps) < 2 or (np.abs(gaps - usual) <= _SAME_LENGTH * usual).mean() < _REGULAR_GAPS:
        return
    stamped = isinstance(index, pd.DatetimeIndex)
    length = f"{round(usual / DAY):,} days" if stamped else f"{usual:,.0f}"
    words = [reading.words for reading in others]
    if isinstance(index, pd.DatetimeIndex) and grid.calendar is not None and set(index.month) <= {1, 2, 3, 4}:
        words.append("quarters, because no month after April occurs")
    other = "" if not words else f" (they could also be read as {' or '.join(words)})"
    raise InputError(
        f"{source}: time {name} was read at a step of {grid.freq}, and {missing:.0%} of the axis would be missing, in "
        f"gaps of {length} again and again{other}, where most points were expected to be there; write dates such as "
        "2016-07-31, quarters such as 2016Q3 or weeks such as 2016-W27, give the step as `freq`, or set `time` to "
        "'none' to count the rows"
    )


def _refuse_steps(grid: TimeGrid, moments: np.ndarray, codes: np.ndarray, labels: list, name: str, source: str) -> None:
    """Refuse series whose commonest steps differ, with the ids of each step."""
    steps, of = np.diff(moments), codes[1:]
    steps, of = steps[codes[1:] == codes[:-1]], of[codes[1:] == codes[:-1]]
    if not len(steps):
        return
    common = float(commonest(steps))
    if steps.max() <= _OTHER_STEP * common and steps.min() >= common / _OTHER_STEP:
        return
    own = pd.DataFrame({"series": of, "step": steps}).groupby("series")["step"].median()
    far = (own > _OTHER_STEP * common) | (own < common / _OTHER_STEP)
    counts = pd.Series(of).value_counts()
    # two rows far apart are a gap; three or more of one step are a step
    far &= counts.reindex(own.index) >= 3
    far &= _regular(own, of, steps)
    if not far.any():
        return
    first, rest = own.index[~far], own.index[far]
    raise InputError(
        f"{source}: the series have different steps of time {name}: {_named(rest, labels)} every "
        f"{_spell(float(own[far].median()), grid)}, {_named(first, labels)} every {_spell(common, grid)}, where one "
        "step was expected; forecast the series of each step by themselves, from a file of their own"
    )


def _regular(own: pd.Series, of: np.ndarray, steps: np.ndarray) -> pd.Series:
    """Whether most steps of a series have about its median length: sparse rows have no step of their own."""
    near = np.abs(steps / own.reindex(of).to_numpy() - 1) <= 0.15  # months have 28 to 31 days
    return pd.Series(near).groupby(of).mean().reindex(own.index) >= _REGULAR_GAPS


def _named(series: pd.Index, labels: list) -> str:
    shown = ", ".join(repr(labels[int(i)]) for i in series[:3])
    return shown + (f" and {len(series) - 3:,} more" if len(series) > 3 else "")


def _spell(step: float, grid: TimeGrid) -> str:
    if isinstance(grid.freq, int):
        return f"{step:g}"
    spelled = str(pd.Timedelta(int(step), unit="us")).removesuffix(" 00:00:00")
    return "day" if spelled == "1 days" else spelled
