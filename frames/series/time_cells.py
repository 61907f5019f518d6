"""Columns of time become stamps or counts: every form that fits all cells is a reading of them."""

import re
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
import pandas as pd

from ...errors import InputError
from ..cells import is_text, place
from ..columns import listed
from .time_forms import NUMBER_FORMS, TEXT_FORMS, TimeForm, of_quarters, of_weeks

# A date needs a year: four digits, three groups of digits (1/2/99), a named month, or digits in one run (20160701).
_HAS_YEAR = re.compile(r"\d{4}|\d+\D+\d+\D+\d+|[A-Za-z]{3}")
_CLOCK = re.compile(r"^\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[AaPp]\.?[Mm]\.?)?\s*$")
_ORDERED = re.compile(r"^\d{1,2}[/.-]\d{1,2}[/.-]")
_DOTTED = re.compile(r"^\d{1,2}\.\d{1,2}\.")
_HINT = "write time stamps such as 2016-07-01 00:00 or 1949-01, or set `time` to 'none' to count the rows"
# A column of dates that are composed of several: how each may be called.
DATE_PARTS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")


@dataclass(frozen=True)
class TimeReading:
    """One way to read the time columns.

    Attributes:
        form: its name, as a model keeps it; empty where there is only one way.
        words: how a sentence names it.
        index: a DatetimeIndex in microseconds, with the time zone if there is one; or an integer index of counts.
        notes: about how the cells were read.
    """

    form: str
    words: str
    index: pd.Index
    notes: tuple[str, ...] = ()


def looks_like_time(values: pd.Series) -> bool:
    """Whether the first hundred cells of a column are all time stamps."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return True
    first = values.dropna().head(100)
    if first.empty or not is_text(values):
        return False
    first = first.astype(str).str.strip()
    if not first.str.contains(_HAS_YEAR).all():
        return False
    try:
        return any(_fits(form, first) is not None for form in TEXT_FORMS)
    except ValueError:  # mixed time zones are time stamps all the same; reading them refuses them
        return True


def looks_like_clock(values: pd.Series) -> bool:
    """Whether the first hundred cells of a column are all times of day."""
    first = values.dropna().head(100)
    return not first.empty and is_text(values) and bool(first.astype(str).str.fullmatch(_CLOCK).all())


def read_time(table: pd.DataFrame, columns: tuple[str, ...], source: str) -> tuple[pd.Index, list[str]]:
    """Read the time columns in the first way that fits; see :func:`time_readings`."""
    first = time_readings(table, columns, source)[0]
    return first.index, list(first.notes)


def time_readings(
    table: pd.DataFrame, columns: tuple[str, ...], source: str, form: str = "", zone: str = ""
) -> list[TimeReading]:
    """Read the time columns in every way that fits all cells, the commonest first.

    Args:
        table: the rows as the user gave them.
        columns: one column, or the columns of which a date is composed.
        source: file or data set, for messages.
        form: the way in which a model's training data were read, which alone counts where it fits.
        zone: time zone of a model's training data.

    Returns:
        At least one reading.

    Raises:
        InputError: a cell that is missing or is not a time stamp.
    """
    readings = _compose(table, columns, source) if len(columns) > 1 else _read_column(table, columns[0], source)
    kept = [reading for reading in readings if reading.form == form] if form else []
    return [_in_zone(reading, zone) for reading in kept or readings]


def _in_zone(reading: TimeReading, zone: str) -> TimeReading:
    index = reading.index
    if not zone or not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        return reading
    return replace(reading, index=index.tz_convert(zone))


def _read_column(table: pd.DataFrame, name: str, source: str) -> list[TimeReading]:
    values = table[name]
    missing = values.isna().to_numpy()
    if missing.any():
        _refuse(table, name, int(np.argmax(missing)), source, "an empty cell")
    if isinstance(values.dtype, pd.PeriodDtype):
        values = values.dt.to_timestamp()
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return [TimeReading("", "", pd.DatetimeIndex(values).as_unit("us"))]
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return _read_numbers(table, name, source)
    return _read_text(table, name, source)


def _compose(table: pd.DataFrame, columns: tuple[str, ...], source: str) -> list[TimeReading]:
    if len(columns) == 2 and looks_like_clock(table[columns[1]]):
        return _date_and_clock(table, columns, source)
    fields = table[list(columns)].rename(columns=lambda name: str(name).lower())
    if "year" not in fields:
        raise InputError(
            f"{source}: `time` lists {listed(columns)}, without a year where one was expected; add the column that "
            "holds it"
        )
    stamps = _composed(fields)
    wrong = stamps.isna()
    if wrong.any():
        position = int(np.argmax(wrong))
        found = ", ".join(f"{name!r} {table[name].iloc[position]}" for name in columns)
        raise InputError(
            f"{source}: the columns of time hold {found} in {place(table, position)} where a date was expected; {_HINT}"
        )
    return [TimeReading("", "", stamps.as_unit("us"))]


def _composed(fields: pd.DataFrame) -> pd.DatetimeIndex:
    if "week" in fields and "month" not in fields:
        day = fields["day"] if "day" in fields else pd.Series("1", index=fields.index)
        return of_weeks(fields["year"], fields["week"], day)
    if "quarter" in fields and "month" not in fields:
        quarters = fields["quarter"].astype(str).str.strip().str.upper().str.removeprefix("Q")
        return of_quarters(fields["year"], quarters)
    parts = fields.drop(columns=[name for name in ("week", "quarter") if name in fields])
    if "month" in parts and is_text(parts["month"]):
        named = parts["month"].astype(str).str.strip().str[:3].str.title()
        numbers = pd.to_datetime(named, format="%b", errors="coerce").dt.month
        parts["month"] = numbers.where(numbers.notna(), parts["month"])
    for field in ("month", "day"):
        if field not in parts:
            parts[field] = 1
    return pd.DatetimeIndex(pd.to_datetime(parts.apply(pd.to_numeric, errors="coerce"), errors="coerce"))


def _date_and_clock(table: pd.DataFrame, columns: tuple[str, ...], source: str) -> list[TimeReading]:
    date, clock = columns
    for name in columns:
        missing = table[name].isna().to_numpy()
        if missing.any():
            _refuse(table, name, int(np.argmax(missing)), source, "an empty cell")
    joined = table[date].astype(str).str.strip() + " " + table[clock].astype(str).str.strip()
    together = pd.DataFrame({f"{date} {clock}": joined}, index=table.index)
    together.attrs = table.attrs
    return _read_column(together, f"{date} {clock}", source)


def _read_numbers(table: pd.DataFrame, name: str, source: str) -> list[TimeReading]:
    cells = table[name]
    found = []
    for form in NUMBER_FORMS:
        index = _fits(form, cells)
        if index is not None:
            note = (f"column {name!r} is read as {form.words}",) if form.words else ()
            found.append(TimeReading(form.name, form.words, index, note))
    if not found:
        values = cells.to_numpy(dtype="float64", na_value=np.nan)
        position = int(np.argmax(~np.isfinite(values) | (values != np.round(values))))
        _refuse(table, name, position, source, f"the number {values[position]!r}")
    return found


def _read_text(table: pd.DataFrame, name: str, source: str) -> list[TimeReading]:
    cells = table[name].astype("str").str.strip()
    yearless = ~cells.str.contains(_HAS_YEAR).to_numpy(dtype=bool)
    if yearless.any():
        _refuse(table, name, int(np.argmax(yearless)), source, "the text {cell!r}, which has no year,")
    found: list[TimeReading] = []
    for form in _in_order(cells):
        try:
            index = _fits(form, cells)
        except ValueError as error:
            _refuse_zones(cells, name, source, error)
        if index is not None and not any(index.equals(other.index) for other in found):
            note = _text_note(form, cells, index, name)
            found.append(TimeReading(form.name, form.words, index, (note,) if note else ()))
        if found and found[0].form == "iso":  # the standard leaves nothing to choose
            break
    if not found:
        _refuse(table, name, _first_unread(cells), source, "the text {cell!r}")
    return found


def _in_order(cells: pd.Series) -> list[TimeForm]:
    """Where dates are written with points, the day comes first."""
    forms = list(TEXT_FORMS)
    if cells.iloc[:1].str.contains(_DOTTED).all():
        forms.sort(key=lambda form: form.name == "month first")
    return forms


def _fits(form: TimeForm, cells: pd.Series) -> pd.Index | None:
    """What a form reads, where it reads every cell."""
    index = form.read(cells)
    if index is None or (isinstance(index, pd.DatetimeIndex) and index.isna().any()):
        return None
    return index.as_unit("us") if isinstance(index, pd.DatetimeIndex) else index


def _first_unread(cells: pd.Series) -> int:
    """The cell at which the form that reads the most of them fails."""
    unread = []
    for form in TEXT_FORMS:
        index = form.read(cells)
        if index is not None:
            unread.append(np.asarray(index.isna()))
    return int(np.argmax(min(unread, key=lambda gaps: int(gaps.sum()))))


def _text_note(form: TimeForm, cells: pd.Series, index: pd.Index, name: str) -> str:
    if form.name in ("month first", "day first"):
        ordered = bool(cells.iloc[:1].str.contains(_ORDERED).all())
        return f"dates such as {cells.iloc[0]!r} in {name!r} are read as {form.words}" if ordered else ""
    if form.words:
        return f"time stamps such as {cells.iloc[0]!r} in {name!r} are read as {form.words}"
    offsets = cells.str.extract(r"\d(Z|[+-]\d\d:?\d\d)$", expand=False)
    if isinstance(index, pd.DatetimeIndex) and index.tz is not None and len(offsets.unique()) > 1:
        written = ", ".join(map(str, offsets.unique()[:4]))
        return f"the time stamps in {name!r} have several offsets ({written}): they are read as moments in UTC"
    return ""


def _refuse(table: pd.DataFrame, name: str, position: int, source: str, found: str) -> NoReturn:
    found = found.format(cell=str(table[name].iloc[position]))
    raise InputError(
        f"{source}: column {name!r} holds {found} in {place(table, position)} where a time stamp was expected; {_HINT}"
    )


def _refuse_zones(values: pd.Series, name: str, source: str, error: Exception) -> NoReturn:
    zones = values.str.extract(r"[\d\s](Z|[+-]\d\d:?\d\d)$", expand=False).fillna("none").unique()
    if len(zones) < 2:
        raise InputError(f"{source}: column {name!r} cannot be read as time stamps ({error}); {_HINT}") from error
    raise InputError(
        f"{source}: column {name!r} mixes stamps with and without a time zone ({', '.join(map(str, zones[:4]))}) where "
        "all of one kind were expected; write the offset into every stamp"
    ) from error
