"""Time as people write it: ISO stamps, slashes, year and month in columns of their own, whole numbers."""

import re
import warnings
from typing import NoReturn

import numpy as np
import pandas as pd

from ...errors import InputError
from ..cells import is_text, place
from ..columns import listed

# A date needs a year: four digits, three groups of digits (1/2/99), a named month, or digits in one run (20160701).
_HAS_YEAR = re.compile(r"\d{4}|\d+\D+\d+\D+\d+|[A-Za-z]{3}")
_HINT = "write time stamps such as 2016-07-01 00:00 or 1949-01, or set `time` to 'none' to count the rows"
# Whole numbers of this size (2001 to 2096) are Unix time, not counted rows.
_UNIX = {"s": 1, "ms": 1000}
_ATTEMPTS: tuple[dict, ...] = ({"format": "ISO8601"}, {}, {"dayfirst": True})


def looks_like_time(values: pd.Series) -> bool:
    """Whether the first hundred cells of a column are all time stamps."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return True
    first = values.dropna().head(100)
    if first.empty or not is_text(values):
        return False
    if not first.astype(str).str.contains(_HAS_YEAR).all():
        return False
    try:
        return any(not _attempt(first, options).isna().any() for options in _ATTEMPTS)
    except ValueError:  # mixed time zones are time stamps all the same; reading them refuses them
        return True


def read_time(table: pd.DataFrame, columns: tuple[str, ...], source: str) -> tuple[pd.Index, list[str]]:
    """Read the time columns.

    Args:
        table: the rows as the user gave them.
        columns: one column, or the columns of which a date is composed.
        source: file or data set, for messages.

    Returns:
        A DatetimeIndex in microseconds, with the time zone if there is one; or an integer index where time is counted.
        And notes about how the cells were read.

    Raises:
        InputError: a cell that is missing or is not a time stamp, or several time zones.
    """
    if len(columns) > 1:
        return _compose(table, columns, source), []
    name = columns[0]
    values = table[name]
    missing = values.isna().to_numpy()
    if missing.any():
        _refuse(table, name, int(np.argmax(missing)), source, "an empty cell")
    if isinstance(values.dtype, pd.PeriodDtype):
        values = values.dt.to_timestamp()
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pd.DatetimeIndex(values).as_unit("us"), []
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return _read_counts(table, name, source)
    return _read_text(table, name, source)


def _compose(table: pd.DataFrame, columns: tuple[str, ...], source: str) -> pd.Index:
    fields = table[list(columns)].rename(columns=lambda name: str(name).lower())
    for field in ("month", "day"):
        if field not in fields:
            fields[field] = 1
    if "year" not in fields:
        raise InputError(
            f"{source}: `time` lists {listed(columns)}, without a year where one was expected; add the column that "
            "holds it"
        )
    stamps = pd.to_datetime(fields.apply(pd.to_numeric, errors="coerce"), errors="coerce")
    wrong = stamps.isna().to_numpy()
    if wrong.any():
        position = int(np.argmax(wrong))
        found = ", ".join(f"{name!r} {table[name].iloc[position]}" for name in columns)
        raise InputError(
            f"{source}: the columns of time hold {found} in {place(table, position)} where a date was expected; {_HINT}"
        )
    return pd.DatetimeIndex(stamps).as_unit("us")


def _read_counts(table: pd.DataFrame, name: str, source: str) -> tuple[pd.Index, list[str]]:
    values = table[name].to_numpy(dtype="float64")
    off = ~np.isfinite(values) | (values != np.round(values))
    if off.any():
        position = int(np.argmax(off))
        _refuse(table, name, position, source, f"the number {values[position]:g}")
    counts = table[name].to_numpy(dtype="int64")
    for unit, scale in _UNIX.items():
        if counts.min() >= 10**9 * scale and counts.max() < 4 * 10**9 * scale:
            stamps = pd.DatetimeIndex(pd.to_datetime(counts, unit=unit))
            return stamps.as_unit("us"), [f"column {name!r} is read as Unix time ({unit})"]
    for digits, form in ((8, "%Y%m%d"), (6, "%Y%m")):
        low, high = 1800 * 10 ** (digits - 4), 2200 * 10 ** (digits - 4)
        if len(counts) > 1 and low < counts.min() and counts.max() < high:
            stamps = pd.to_datetime(pd.Series(counts).astype(str), format=form, errors="coerce")
            if not stamps.isna().any():
                return pd.DatetimeIndex(stamps).as_unit("us"), [
                    f"column {name!r} is read as dates in the format {form}"
                ]
    return pd.Index(counts), []


def _read_text(table: pd.DataFrame, name: str, source: str) -> tuple[pd.Index, list[str]]:
    values = table[name].astype("str").str.strip()
    yearless = ~values.str.contains(_HAS_YEAR).to_numpy(dtype=bool)
    if yearless.any():
        _refuse(table, name, int(np.argmax(yearless)), source, "the text {cell!r}, which has no year,")
    # where dates are written with points, the day comes first
    dotted = bool(values.iloc[:1].str.contains(r"^\d{1,2}\.\d{1,2}\.").all())
    best = None
    for options in reversed(_ATTEMPTS) if dotted else _ATTEMPTS:
        try:
            stamps = _attempt(values, options)
        except ValueError as error:
            _refuse_zones(values, name, source, error)
        if not stamps.isna().any():
            return stamps.as_unit("us"), _order_note(values, name, options)
        if best is None or stamps.isna().sum() < best.isna().sum():
            best = stamps
    _refuse(table, name, int(np.argmax(best.isna())), source, "the text {cell!r}")  # type: ignore[union-attr]


def _attempt(values: pd.Series, options: dict) -> pd.DatetimeIndex:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas warns that it guesses; the guess is checked against every cell
        return pd.DatetimeIndex(pd.to_datetime(values, errors="coerce", **options))


def _order_note(values: pd.Series, name: str, options: dict) -> list[str]:
    if not values.iloc[:1].str.contains(r"^\d{1,2}[/.-]\d{1,2}[/.-]").all():
        return []
    order = "day/month/year" if options.get("dayfirst") else "month/day/year"
    return [f"dates such as {values.iloc[0]!r} in {name!r} are read as {order}"]


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
        f"{source}: column {name!r} mixes time zones ({', '.join(map(str, zones[:4]))}) where one was expected; "
        "convert all stamps to UTC"
    ) from error
