"""Single cells: which ones count as missing, which as numbers, and where a bad one stands."""

from typing import NoReturn

import numpy as np
import pandas as pd

from ..errors import InputError

# What spreadsheets, R, SQL, Weka and people write where a number is missing (compared in lower case, stripped).
MISSING_MARKERS = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "?", "-"})


def place(table: pd.DataFrame, position: int) -> str:
    """Name a row as the user finds it: the line of a text file, or the row of a table, counted from 0."""
    first_line = table.attrs.get("first_line")
    if first_line is None:  # of a part of a table the index has the rows of the whole
        return f"row {int(table.index[position] if table.attrs.get('numbered') else position)}"
    # the index survives sorting and lines left out; it counts from 0 at the first row of the file
    counted = pd.api.types.is_integer_dtype(table.index.dtype)
    return f"line {int(table.index[position] if counted else position) + first_line}"


def is_text(values: pd.Series) -> bool:
    """Whether a column holds text (or anything else that is not a number, a flag or a time stamp)."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return not (pd.api.types.is_numeric_dtype(dtype.categories.dtype))
    return pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype)


def holds_text(values: pd.Series) -> bool:
    """Whether a column holds texts, and not only texts that are numbers."""
    return is_text(values) and not looks_numeric(values)


def read_numbers(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Read a text column as numbers.

    Args:
        values: cells, text or mixed: (rows,).

    Returns:
        The numbers, NaN where there is none: float64 (rows,); and which cells are neither a number nor a missing
        marker: bool (rows,).
    """
    numbers = pd.to_numeric(values.astype(object), errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    doubtful = np.flatnonzero(np.isnan(numbers) & values.notna().to_numpy())
    bad = np.zeros(len(values), dtype=bool)
    if len(doubtful):
        cells = values.iloc[doubtful].astype(str).str.strip().str.lower()
        bad[doubtful] = ~cells.isin(MISSING_MARKERS).to_numpy()
    return numbers, bad


def looks_numeric(values: pd.Series) -> bool:
    """Whether most of the cells that are not missing are numbers: such a column is meant to be numeric."""
    if not is_text(values):
        return pd.api.types.is_numeric_dtype(_plain(values).dtype)
    numbers, bad = read_numbers(values)
    return bool((~np.isnan(numbers)).sum() > bad.sum())


def why_not_numeric(table: pd.DataFrame, name: str) -> str:
    """Name the cell that keeps a column of figures from being numeric; empty where it holds words."""
    values = table[name]
    if doubt := table.attrs.get("doubtful", {}).get(name):
        return doubt
    if not is_text(values):
        return ""
    _, bad = read_numbers(values)
    cells = values[bad].astype(str)
    if not bad.any() or not bool(cells.str.contains(r"^\s*[^\w\s]?\s*[-+]?[\d.,]*\d[\d.,]*\s*\D?\s*$").mean() > 0.5):
        return ""
    position = int(np.argmax(bad))
    cell = str(values.iloc[position])
    return f"column {name!r} holds the text {cell!r} in {place(table, position)} where a number was expected"


def numeric_column(table: pd.DataFrame, name: str, source: str) -> np.ndarray:
    """Give a column as float64; flags become 0 and 1, missing markers NaN.

    Args:
        table: the rows as the user gave them.
        name: column.
        source: file or data set, for the message.

    Returns:
        float64 (rows,), finite or NaN.

    Raises:
        InputError: the column holds text, time stamps or infinite values.
    """
    values = _plain(table[name])
    if is_text(values):
        numbers, bad = read_numbers(values)
        if bad.any():
            _refuse(table, name, int(np.argmax(bad)), source)
    elif pd.api.types.is_numeric_dtype(values.dtype):  # flags count as numeric too
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    else:
        raise InputError(
            f"{source}: column {name!r} holds {values.dtype} values where numbers were expected; give the role to "
            "another column"
        )
    infinite = np.isinf(numbers)
    if infinite.any():
        position = int(np.argmax(infinite))
        raise InputError(
            f"{source}: column {name!r} holds an infinite value ({numbers[position]}) in {place(table, position)}, "
            f"{int(infinite.sum())} in all, where finite numbers were expected; leave such cells empty"
        )
    return numbers


def _plain(values: pd.Series) -> pd.Series:
    """Undo a categorical dtype: its categories may well be numbers."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.astype(values.dtype.categories.dtype)
    return values


def _refuse(table: pd.DataFrame, name: str, position: int, source: str) -> NoReturn:
    cell = str(table[name].iloc[position])
    if doubt := table.attrs.get("doubtful", {}).get(name):
        raise InputError(f"{source}: {doubt}")
    fix = "correct the cell or leave it empty"
    if cell.count(",") == 1 and cell.replace(",", "").replace(".", "").strip().lstrip("-").isdecimal():
        fix = "write numbers with a decimal point and without thousands separators"
    raise InputError(
        f"{source}: column {name!r} holds the text {cell!r} in {place(table, position)} where a number was expected; "
        f"{fix}"
    )
