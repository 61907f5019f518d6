"""The step of the time axis: read from the stamps, or given by the user."""

import re
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from ...errors import InputError

DAY = 86_400_000_000  # microseconds
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
# Fewer rows without a weekend are no evidence: a week of daily values has five working days in a row.
_ROWS_THAT_SHOW_WORKING_DAYS = 10
# Days between stamps that stand for months: the middle of February is two days before that of March.
_SPREAD_OF_DAYS = 3
_MONTH_STARTS = re.compile(r"\d*(MS|QS(-[A-Z]{3})?|YS(-[A-Z]{3})?)")
_WORKING_MONTH_END = pd.offsets.BMonthEnd()


def steps_between(moments: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Steps from row to row inside each series; rows are sorted by series, then time."""
    steps = np.diff(moments)
    if len(codes) and codes[0] != codes[-1]:
        steps = steps[codes[1:] == codes[:-1]]
    return steps


def commonest(steps: np.ndarray) -> int:
    """The step found most often; the shortest of those that tie."""
    low = int(steps.min())
    if low == int(steps.max()):
        return low
    codes, values = pd.factorize(steps)  # hashed: of ten million steps sorting would take a second
    counts = np.bincount(codes)
    return int(values[counts == counts.max()].min())


def infer_freq(stamps: pd.DatetimeIndex, codes: np.ndarray, source: str) -> str:
    """Read the step of the time axis from the stamps of all series.

    Args:
        stamps: sorted by series, then time: (rows,).
        codes: series of each row: (rows,).
        source: file or data set, for the message.

    Returns:
        A pandas offset alias: months, quarters, years and weeks by the calendar, working days where no stamp
        falls on a weekend, everything else by the commonest step.

    Raises:
        InputError: no series has two rows.
    """
    steps = steps_between(stamps.asi8, codes)
    if not len(steps):
        raise InputError(
            f"{source}: each series has one row where at least two were expected, to read the step of time from; add "
            "rows, or give `freq`, such as 'D'"
        )
    step = commonest(steps)
    if step % DAY:
        return str(to_offset(pd.Timedelta(step, unit="us")).freqstr)
    wall = _Stamps.of(stamps.tz_localize(None))
    return _calendar_months(wall, codes, step) or _calendar_days(wall, codes, step // DAY)


@dataclass(frozen=True)
class _Stamps:
    """Time stamps of many rows: calendars are asked about each different one once.

    Attributes:
        distinct: in the order in which they appear.
        number: which of them each row has (rows,).
    """

    distinct: pd.DatetimeIndex
    number: np.ndarray

    @classmethod
    def of(cls, wall: pd.DatetimeIndex) -> Self:
        """Those of an index without a time zone."""
        number, distinct = pd.factorize(wall)
        return cls(distinct, number)

    def months(self) -> np.ndarray:
        """Months since the year 0: int64 (rows,)."""
        return np.asarray(self.distinct.year * 12 + self.distinct.month - 1, dtype="int64")[self.number]


def to_month_start(
    stamps: pd.DatetimeIndex, codes: np.ndarray, freq: str | int | None, notes: list[str], *, always: bool = False
) -> pd.DatetimeIndex:
    """Move stamps on about one inner day of their months to the first: no offset alias stands for "the 15th".

    Args:
        stamps: sorted by series, then time: (rows,).
        codes: series of each row: (rows,).
        freq: step that the user gave; only one of months lets stamps be moved.
        notes: receives what was done.
        always: whether a model's training data were moved.

    Returns:
        The stamps, at midnight of the first of their months if all are about one day, once a month at most.
    """
    wall = stamps.tz_localize(None)
    if not always and not _is_inside_months(wall, codes, freq):
        return stamps
    first = wall.normalize() - pd.to_timedelta(wall.day - 1, unit="D")
    if first.equals(wall):
        return stamps
    days = f"day {wall.day.min()}" if wall.day.min() == wall.day.max() else f"days {wall.day.min()} to {wall.day.max()}"
    notes.append(f"all time stamps are on {days} of a month: they are moved to the first of the month")
    moved = first if stamps.tz is None else first.tz_localize(stamps.tz)
    return moved.as_unit("us")


def _is_inside_months(wall: pd.DatetimeIndex, codes: np.ndarray, freq: str | int | None) -> bool:
    """Whether stamps stand once a month at most, on about one day that no offset alias stands for."""
    if freq is not None and not (isinstance(freq, str) and _MONTH_STARTS.fullmatch(freq)):
        return False
    steps = steps_between(wall.asi8, codes)
    if not len(steps) or commonest(steps) < 28 * DAY:
        return False
    stamps = _Stamps.of(wall)
    days = stamps.distinct
    if bool(days.is_month_end.all()) or bool(_on_first(days).all()) or _on_working_month_ends(days):
        return False
    # the 30th is the 28th or 29th of February, and the middle of a month the 15th or 16th
    ends = days.day == days.days_in_month
    spread = int(days.day[~ends].max()) - int(days.day[~ends].min()) if bool((~ends).any()) else 0
    return spread <= _SPREAD_OF_DAYS and not bool((steps_between(stamps.months(), codes) == 0).any())


def _on_working_month_ends(wall: pd.DatetimeIndex) -> bool:
    return all(_WORKING_MONTH_END.is_on_offset(stamp) for stamp in wall)


def _on_first(wall: pd.DatetimeIndex) -> np.ndarray:
    return np.asarray((wall.day == 1) & (wall == wall.normalize()))


def parse_freq(freq: str | int, source: str) -> pd.offsets.BaseOffset:
    """Read a step given by the user, such as "h", "15min", "W-SAT" or "MS"."""
    try:
        if isinstance(freq, str):
            offset = to_offset(freq)
            if offset is not None and offset.n > 0:
                return offset
    except ValueError as error:
        reason = f" ({str(error).splitlines()[0].rstrip('.')})"
    else:
        reason = ""
    raise InputError(
        f"{source}: `freq` must be a pandas offset alias such as 'h', '15min', 'D', 'W-SAT', 'MS' or 'YS'; received "
        f"{freq!r}{reason}"
    )


def _calendar_months(wall: _Stamps, codes: np.ndarray, step: int) -> str | None:
    """Name a step of whole months, if the stamps stand at the first or last day of theirs."""
    if step < 28 * DAY:
        return None
    starts, ends = bool((wall.distinct.day == 1).all()), bool(wall.distinct.is_month_end.all())
    if starts or ends:
        letter = "S" if starts else "E"
    elif step < 32 * DAY and _on_working_month_ends(wall.distinct):
        return "BME"
    else:
        return None
    return _months_alias(wall, codes, letter)


def _months_alias(wall: _Stamps, codes: np.ndarray, letter: str) -> str:
    count = commonest(steps_between(wall.months(), codes))
    first = int(wall.distinct.month[0]) - 1
    if count == 1:
        return f"M{letter}"
    if count == 3:  # named as pandas does: QS-JAN for January, April, ...; QE-DEC for March, June, ...
        return f"Q{letter}-{_MONTHS[first % 3 + (9 if letter == 'E' else 0)]}"
    if count % 12 == 0:
        return f"{'' if count == 12 else count // 12}Y{letter}-{_MONTHS[first]}"
    return f"{count}M{letter}"


def _calendar_days(wall: _Stamps, codes: np.ndarray, days: int) -> str:
    weekday = np.asarray(wall.distinct.day_of_week)
    firsts = wall.number[np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])]
    # series may each keep a weekday of their own, as hourly ones may each keep a minute: then weeks have no name
    if days % 7 == 0 and bool((weekday[firsts] == weekday[0]).all()):
        return f"{'' if days == 7 else days // 7}W-{_WEEKDAYS[weekday[0]]}"
    if days == 1 and len(wall.number) >= _ROWS_THAT_SHOW_WORKING_DAYS and not bool((weekday >= 5).any()):
        return "B"
    return "D" if days == 1 else f"{days}D"
