"""Whether the first line of a table holds names of columns, or is a row like the others."""

import re
from pathlib import Path

import pandas as pd

from ..errors import InputError
from ..frames.wording import counted, verb

_VALUE = re.compile(r"[\d.,:/\-+ eE]*")
# A name of a column hardly has so many words; a text has.
_WORDS_OF_TEXT = 5
# Rows that are looked at.
_ROWS = 2000


def check_names(header: list[str], path: Path) -> None:
    """Refuse a first line of numbers or dates alone, and two columns of one name.

    Raises:
        InputError: naming what was found.
    """
    names = [name.strip() for name in header]
    if all(_VALUE.fullmatch(name) for name in names) and not _are_counted(names):
        raise _no_header(names, path)
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise InputError(f"{path}: several columns are called {twice[0]!r} where one was expected; rename one")


def without_repeated_headers(table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Leave out lines that repeat the whole header, as where files were put one after another."""
    if len(table.columns) < 2 or any(pd.api.types.is_numeric_dtype(table[name].dtype) for name in table.columns):
        return table
    same = [table[name].astype(str).str.strip() == str(name).strip() for name in table.columns]
    repeated = pd.concat(same, axis=1).all(axis=1)
    if not repeated.any():
        return table
    n = int(repeated.sum())
    notes.append(f"{counted(n, 'line')} {verb(n, 'repeats the header: it is', 'repeat the header: they are')} left out")
    return table[~repeated]


def check_is_no_row(table: pd.DataFrame, header: list[str], path: Path) -> None:
    """Refuse a first line whose cells come again in the rows below, or are texts like theirs.

    Raises:
        InputError: asking for a header.
    """
    names = [name.strip() for name in header]
    if _are_counted([name for name in names if _VALUE.fullmatch(name)]):
        names = [name for name in names if not _VALUE.fullmatch(name)]
    written = {str(name): table[name].iloc[:_ROWS] for name in table.columns}
    again = [name for name in names if name in written and _comes_again(name, written[name])]
    texts = [name for name in names if name in written and _is_text_like_rows(name, written[name])]
    if texts or again:
        raise _no_header([name.strip() for name in header], path)


def _are_counted(names: list[str]) -> bool:
    """Whether names are 0, 1, 2, ..., as tables without names are written by their libraries."""
    if len(names) < 3 or not all(name.isdecimal() for name in names):
        return False
    numbers = [int(name) for name in names]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _comes_again(name: str, cells: pd.Series) -> bool:
    if not name:
        return False
    if pd.api.types.is_numeric_dtype(cells.dtype):
        try:
            return bool((cells == float(name)).sum() > 1)
        except ValueError:
            return False
    return bool((cells.astype(str).str.strip() == name).sum() > 1)


def _is_text_like_rows(name: str, cells: pd.Series) -> bool:
    """Whether a name is a text as those below it are; a question may well stand above its answers."""
    if len(name.split()) < _WORDS_OF_TEXT or name.endswith(("?", ":")) or pd.api.types.is_numeric_dtype(cells.dtype):
        return False
    words = cells.dropna().astype(str).str.split().str.len()
    return bool(words.median() >= _WORDS_OF_TEXT)


def _no_header(names: list[str], path: Path) -> InputError:
    shown = ", ".join(name if len(name) <= 40 else name[:39] + "…" for name in names[:4])
    example = "ds,y" if all(_VALUE.fullmatch(name) for name in names) else "label,text"
    return InputError(
        f"{path}: the first line holds values ({shown}) where the names of the columns were expected; add a header "
        f"such as {example}"
    )
