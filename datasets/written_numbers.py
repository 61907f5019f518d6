"""Numbers as people write them in text files: a decimal comma, commas or points between thousands."""

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..frames.cells import MISSING_MARKERS, place, read_numbers

DECIMAL, THOUSANDS = "decimal", "thousands"
_GAP = "[ \u00a0\u202f'’]"  # between thousands, as SI, Switzerland and spreadsheets write
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_INTEGER = re.compile(r"[+-]?\d+")
# What a number may look like where a comma stands for the decimal point, and where it stands between thousands.
_FORMS = {
    DECIMAL: re.compile(
        rf"[+-]?(?:\d+|[1-9]\d{{0,2}}(?:\.\d{{3}})+|[1-9]\d{{0,2}}(?:{_GAP}\d{{3}})+)?(?:,\d+)?(?:[eE][+-]?\d+)?"
    ),
    THOUSANDS: re.compile(
        rf"[+-]?(?:\d+|[1-9]\d{{0,2}}(?:,\d{{3}})+|[1-9]\d{{0,2}}(?:{_GAP}\d{{3}})+)?(?:\.\d*)?(?:[eE][+-]?\d+)?"
    ),
}
_WORDS = {DECIMAL: "with a decimal comma", THOUSANDS: "with commas between thousands"}


@dataclass(frozen=True)
class _Column:
    """Cells of one column that are not missing, and the readings that fit all of them."""

    name: str
    cells: pd.Series
    fits: tuple[str, ...]


def read_written_numbers(table: pd.DataFrame, as_text: Collection[str], comma: str = "") -> None:
    """Make the columns numeric whose cells are all numbers or missing markers; note and keep how a comma was read.

    A comma whose meaning a column leaves open (1,494) is read as the file's other columns have it, or as `comma` says;
    where nothing decides, the column stays text and ``attrs["doubtful"]`` says why.

    Args:
        table: cells as they are written; changed in place.
        as_text: columns to be left alone.
        comma: "decimal" or "thousands", where it is known.
    """
    notes = table.attrs.setdefault("notes", [])
    doubtful: dict[str, str] = {}
    columns = []
    for name in table.columns:
        if name in as_text or not _is_text(table[name]):
            continue
        numbers, bad = read_numbers(table[name])
        if not bad.any():
            if not np.isnan(numbers).all():
                table[name] = pd.Series(numbers, index=table.index)
            continue
        column = _column(table[name])
        if column is not None:
            columns.append(column)
    decided = {column.name: _decide(column, comma) for column in columns}
    settled = comma or _common(decided.values())
    for column in columns:
        reading = decided[column.name] or (settled if settled in column.fits else "")
        if reading:
            _convert(table, column, reading, notes)
        elif column.fits:
            doubtful[column.name] = _doubt(table, column)
        else:
            doubtful[column.name] = _blame(table, column)
    table.attrs["doubtful"] = doubtful
    table.attrs["comma"] = settled


def _is_text(values: pd.Series) -> bool:
    return pd.api.types.is_string_dtype(values.dtype) or pd.api.types.is_object_dtype(values.dtype)


def _column(values: pd.Series) -> _Column | None:
    """The column if it looks like figures with commas, points or gaps in them."""
    cells = values.dropna().astype(str).str.strip()
    cells = cells[~cells.str.lower().isin(MISSING_MARKERS)]
    figures = cells.str.contains(r"^[+-]?\d[\d.,'’\s]*$") | cells.str.fullmatch(_PLAIN)
    if cells.empty or figures.mean() <= 0.5 or not cells.str.contains(f"[,.]|{_GAP}").any():
        return None
    fits = tuple(name for name, form in _FORMS.items() if bool(cells.str.fullmatch(form).all()))
    return _Column(str(values.name), cells, fits)


def _decide(column: _Column, comma: str) -> str:
    """The one reading that fits, or that the cells without a comma speak for; empty where both are possible."""
    if len(column.fits) < 2:
        return column.fits[0] if column.fits else ""
    if comma:
        return comma
    with_comma = column.cells[column.cells.str.contains(",", regex=False)]
    if with_comma.empty:  # gaps between thousands, and nothing to choose
        return THOUSANDS
    if (with_comma.str.count(",") > 1).any():
        return THOUSANDS
    others = column.cells[~column.cells.str.contains(",", regex=False)]
    sizes = others[others.str.fullmatch(_INTEGER)].astype(float).abs()
    # three digits behind every comma, and below a thousand none: that is how thousands are grouped
    return THOUSANDS if len(sizes) and len(sizes) == len(others) and bool((sizes < 1000).all()) else ""


def _common(decisions: Collection[str]) -> str:
    found = set(decisions) - {""}
    return found.pop() if len(found) == 1 else ""


def _convert(table: pd.DataFrame, column: _Column, reading: str, notes: list[str]) -> None:
    plain = column.cells.str.replace(_GAP, "", regex=True)
    if reading == DECIMAL:
        plain = plain.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    else:
        plain = plain.str.replace(",", "", regex=False)
    numbers = pd.Series(np.nan, index=table.index)
    numbers.loc[column.cells.index] = pd.to_numeric(plain).to_numpy(dtype="float64")
    table[column.name] = numbers
    written = column.cells[~column.cells.str.fullmatch(_PLAIN)]
    if len(written):
        as_read = float(numbers.loc[written.index[0]])
        words = _WORDS[reading] if "," in "".join(written.head(1000)) else "with gaps between thousands"
        notes.append(f"numbers such as {written.iloc[0]} in {column.name!r} are read {words} ({as_read:.15g})")


def _place(table: pd.DataFrame, column: _Column, row: int) -> str:
    return place(table, int(table.index.get_loc(column.cells.index[row])))


def _doubt(table: pd.DataFrame, column: _Column) -> str:
    row = int(np.argmax(column.cells.str.contains(",", regex=False)))
    cell = column.cells.iloc[row]
    return (
        f"column {column.name!r} holds {cell!r} in {_place(table, column, row)}, which can be read as "
        f"{cell.replace(',', '')} and as {cell.replace(',', '.')}; say with `decimal` which of '.' and ',' is the "
        "decimal sign"
    )


def _blame(table: pd.DataFrame, column: _Column) -> str:
    """Name the first cell that does not fit the reading that fits most of them."""
    misfits = [~column.cells.str.fullmatch(form) for form in _FORMS.values()]
    row = int(np.argmax(min(misfits, key=lambda wrong: int(wrong.sum()))))
    cell = column.cells.iloc[row]
    figures = bool(re.fullmatch(r"[\d.,'’\s+-]+", cell))
    fix = (
        "write numbers with a decimal point and without thousands separators"
        if figures
        else "correct the cell or leave it empty"
    )
    return (
        f"column {column.name!r} holds the text {cell!r} in {_place(table, column, row)} where a number was expected; "
        f"{fix}"
    )
