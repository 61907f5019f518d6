"""Forms in which people write time, in text and in numbers: each reads whole columns, NaT where a cell has another.

A model keeps the name of the form that its data had. Where several forms fit every cell, the time axis decides which
one makes it regular (:mod:`recurra.frames.series.time_axis`).
"""

import datetime
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

_WEEK = r"(?P<year>\d{4})-?W(?P<week>\d{1,2})(?:-?(?P<day>[1-7]))?"
_QUARTER = re.compile(
    r"(?:(?P<year>\d{4})[\s/_-]*Q\s?(?P<quarter>[1-4])|Q\s?(?P<quarter2>[1-4])[\s/_-]*(?P<year2>\d{4})"
    r"|(?P<quarter3>[1-4])\s?Q[\s/_-]*(?P<year3>\d{4}))",
    re.IGNORECASE,
)
_QUARTER_BEFORE_YEAR = r"^0?(?P<quarter>[1-4])[\s/.-](?P<year>\d{4})$"
# "Jan-04", as spreadsheets show months: two digits that could as well be a day.
_MONTH_OF_YEAR = re.compile(r"^(?P<month>[A-Za-z]{3,9})\.?[\s/'-]+(?P<year>\d{2})$")
_YEARLESS = re.compile(rf"{_MONTH_OF_YEAR.pattern}|^\d{{1,2}}[\s/.-]+[A-Za-z]{{3,9}}$")
# Two digits from here on are years of the last century; spreadsheets, too, divide the centuries by a fixed number.
_LAST_CENTURY = 40
# Of the neighbours that differ, the share whose month changes: of days of a month it hardly does.
_MONTHS_CHANGE = 0.9
_ORDERED = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-]")
_END_OF_DAY = re.compile(r"^(\d{4}-\d{2}-\d{2})([T ])24:00(:00(?:\.0+)?)?")
# Serials of spreadsheets are days since 1899-12-30; these are the years 1954 to 2119.
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 80_000
_BLUR = 5.0  # seconds
_SERIAL_ORIGIN = pd.Timestamp("1899-12-30")


@dataclass(frozen=True)
class TimeForm:
    """One form.

    Attributes:
        name: as a model keeps it.
        words: as a note names it; empty where nothing need be said.
        read: cells → stamps in microseconds or counts; None where the column has another form altogether.
    """

    name: str
    words: str
    read: Callable[[pd.Series], pd.Index | None]


def _iso(cells: pd.Series) -> pd.DatetimeIndex:
    late = cells.str.match(_END_OF_DAY)
    if not late.any():
        return _to_datetime(cells, format="ISO8601")
    stamps = _to_datetime(cells.str.replace(_END_OF_DAY, r"\1\g<2>00:00\3", regex=True), format="ISO8601")
    return stamps + pd.TimedeltaIndex(np.where(late, np.timedelta64(1, "D"), np.timedelta64(0, "D")))


def _month_first(cells: pd.Series) -> pd.DatetimeIndex:
    return _to_datetime(_with_months_at(0, cells))


def _day_first(cells: pd.Series) -> pd.DatetimeIndex:
    return _to_datetime(_with_months_at(1, cells), dayfirst=True)


def _with_months_at(place: int, cells: pd.Series) -> pd.Series:
    """The cells without those that have no month there, or no year: pandas would silently read something else."""
    months = pd.to_numeric(cells.str.extract(_ORDERED)[place])
    return cells.where(~(months > 12) & ~cells.str.match(_YEARLESS))


def _to_datetime(cells: pd.Series, **options: object) -> pd.DatetimeIndex:
    """Stamps; several offsets in one column name instants, which are given in UTC."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas warns that it guesses; the guess is checked against every cell
        try:
            return pd.DatetimeIndex(pd.to_datetime(cells, errors="coerce", **options))
        except ValueError:
            stamps = pd.DatetimeIndex(pd.to_datetime(cells, errors="coerce", utc=True, **options))
            naive = ~cells.str.contains(r"(?:Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)\s*$").to_numpy(dtype=bool)
            if naive.any():
                raise
            return stamps


def _iso_week(cells: pd.Series) -> pd.DatetimeIndex | None:
    found = cells.str.extract(f"^{_WEEK}$", flags=re.IGNORECASE)
    if found["year"].isna().all():
        return None
    return of_weeks(found["year"], found["week"], found["day"].fillna("1"))


def of_weeks(years: pd.Series, weeks: pd.Series, days: pd.Series) -> pd.DatetimeIndex:
    """Mondays of ISO weeks, or other days in them, NaT where a week does not exist."""
    known: dict[tuple, object] = {}
    stamps = []
    for key in zip(years, weeks, days, strict=True):
        if key not in known:
            try:
                known[key] = pd.Timestamp(datetime.date.fromisocalendar(*(int(float(part)) for part in key)))
            except (ValueError, TypeError, OverflowError):
                known[key] = pd.NaT
        stamps.append(known[key])
    return pd.DatetimeIndex(stamps)


def _quarter(cells: pd.Series) -> pd.DatetimeIndex | None:
    found = cells.str.extract(f"^{_QUARTER.pattern}$", flags=re.IGNORECASE)
    years = found["year"].fillna(found["year2"]).fillna(found["year3"])
    quarters = found["quarter"].fillna(found["quarter2"]).fillna(found["quarter3"])
    return None if years.isna().all() else of_quarters(years, quarters)


def _quarter_before_year(cells: pd.Series) -> pd.DatetimeIndex | None:
    found = cells.str.extract(_QUARTER_BEFORE_YEAR)
    return None if found["year"].isna().all() else of_quarters(found["year"], found["quarter"])


def _month_of_year(cells: pd.Series) -> pd.DatetimeIndex | None:
    """First days of months such as Jan-04; None where the numbers may be days of the month."""
    found = cells.str.extract(_MONTH_OF_YEAR)
    if found["year"].isna().all():
        return None
    years = pd.to_numeric(found["year"])
    differ = (found != found.shift()).any(axis=1)[1:]
    changes = (found["month"] != found["month"].shift())[1:][differ]
    if not ((years == 0) | (years > 31)).any() and len(changes) and changes.mean() < _MONTHS_CHANGE:
        return None
    months = pd.to_datetime(found["month"].str[:3].str.title(), format="%b", errors="coerce").dt.month
    full = years + np.where(years < _LAST_CENTURY, 2000, 1900)
    return pd.DatetimeIndex(pd.to_datetime({"year": full, "month": months, "day": 1}, errors="coerce"))


def of_quarters(years: pd.Series, quarters: pd.Series) -> pd.DatetimeIndex:
    """First days of quarters, NaT where there is none."""
    numbers = pd.to_numeric(quarters, errors="coerce")
    fields = pd.DataFrame({"year": pd.to_numeric(years, errors="coerce"), "month": 3 * numbers - 2, "day": 1})
    fields.loc[~numbers.isin([1, 2, 3, 4]), "month"] = np.nan
    return pd.DatetimeIndex(pd.to_datetime(fields, errors="coerce"))


def _unix(unit: str, scale: int) -> Callable[[pd.Series], pd.DatetimeIndex | None]:
    def read(cells: pd.Series) -> pd.DatetimeIndex | None:
        inside = _whole(cells) and cells.min() >= 10**9 * scale and cells.max() < 4 * 10**9 * scale
        return pd.DatetimeIndex(pd.to_datetime(cells.astype("int64"), unit=unit)) if inside else None

    return read


def _digits(digits: int, form: str) -> Callable[[pd.Series], pd.DatetimeIndex | None]:
    def read(cells: pd.Series) -> pd.DatetimeIndex | None:
        low, high = 1800 * 10 ** (digits - 4), 2200 * 10 ** (digits - 4)
        if not (_whole(cells) and low < cells.min() and cells.max() < high):
            return None
        written = cells.astype("int64").astype(str)
        if form == "%G%V":
            return of_weeks(written.str[:4], written.str[4:], pd.Series("1", index=cells.index))
        return pd.DatetimeIndex(pd.to_datetime(written, format=form, errors="coerce"))

    return read


def _serial(cells: pd.Series) -> pd.DatetimeIndex | None:
    numbers = cells.to_numpy(dtype="float64")
    if not (np.isfinite(numbers).all() and numbers.min() >= _FIRST_SERIAL and numbers.max() < _LAST_SERIAL):
        return None
    stamps = pd.DatetimeIndex(_SERIAL_ORIGIN + pd.to_timedelta(numbers, unit="D"))
    # four decimals, as they are often written, tell minutes apart
    minutes, seconds = stamps.round("min"), stamps.round("s")
    return minutes if bool((np.abs((seconds - minutes).total_seconds()) <= _BLUR).all()) else seconds


def _counts(cells: pd.Series) -> pd.Index | None:
    return pd.Index(cells.to_numpy(dtype="int64")) if _whole(cells) else None


def _whole(cells: pd.Series) -> bool:
    numbers = cells.to_numpy(dtype="float64", na_value=np.nan)
    return bool(len(numbers) and np.isfinite(numbers).all() and (numbers == np.round(numbers)).all())


TEXT_FORMS = (
    TimeForm("iso", "", _iso),
    TimeForm("iso week", "ISO weeks, each by its Monday", _iso_week),
    TimeForm("quarter", "quarters, each by its first day", _quarter),
    TimeForm("month of year", "months, with the year in two digits", _month_of_year),
    TimeForm("month first", "month/day/year", _month_first),
    TimeForm("day first", "day/month/year", _day_first),
    TimeForm("quarter before year", "quarters, each by its first day", _quarter_before_year),
)
NUMBER_FORMS = (
    TimeForm("unix s", "Unix time (s)", _unix("s", 1)),
    TimeForm("unix ms", "Unix time (ms)", _unix("ms", 1000)),
    TimeForm("%Y%m%d", "dates in the format %Y%m%d", _digits(8, "%Y%m%d")),
    TimeForm("%Y%m", "dates in the format %Y%m", _digits(6, "%Y%m")),
    TimeForm("%G%V", "ISO weeks in the format %G%V, each by its Monday", _digits(6, "%G%V")),
    TimeForm("count", "", _counts),
    TimeForm("spreadsheet", "dates as spreadsheets number them, in days since 1899-12-30", _serial),
)
