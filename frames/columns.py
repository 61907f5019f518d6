"""Names of columns: the usual ones, checks of those a user gave, and how messages list them."""

import difflib
from collections.abc import Iterable, Sequence

import pandas as pd

from ..errors import InputError

TIME_NAMES = ("ds", "date", "datetime", "timestamp", "time", "month")
ROW_NUMBERS = "none"  # given for `time`: rows are counted
_LISTED = 12  # of a wide table, more names would bury the sentence


def listed(names: Iterable[object]) -> str:
    """Write the user's names with quotes; of many, the first twelve."""
    quoted = [repr(name) for name in names]
    more = f" and {len(quoted) - _LISTED} more" if len(quoted) > _LISTED else ""
    return ", ".join(quoted[:_LISTED]) + more


def check_column(table: pd.DataFrame, name: str, source: str) -> None:
    """Refuse a name that no column has, and list the columns there are."""
    listed_names = isinstance(name, list | tuple)
    if not listed_names and name in table.columns:
        return
    several = list(name) if listed_names else [part.strip() for part in str(name).split(",")]
    if len(several) > 1 and all(part in table.columns for part in several):
        raise InputError(
            f"{source}: {name!r} names {len(several)} columns where one was expected; several labels of one text or "
            f"sequence are not learnt together: compare one at a time, such as {several[0]!r}"
        )
    there = [str(column) for column in table.columns]
    lowered = {column.lower(): column for column in there}
    close = difflib.get_close_matches(str(name).lower(), lowered, n=1, cutoff=0.7)
    hint = f"; did you mean {lowered[close[0]]!r}?" if close else ""
    raise InputError(f"{source}: no column is called {name!r}; the columns are {listed(there)}{hint}")


def check_single_roles(columns: Sequence[str], source: str) -> None:
    """Refuse a column that was given two roles."""
    for name in columns:
        if columns.count(name) > 1:
            raise InputError(f"{source}: column {name!r} was given two roles where one was expected; name it once")


def note_ignored(table: pd.DataFrame, used: Iterable[object], notes: list[str]) -> None:
    """Note the columns that have no role."""
    taken = set(used)
    ignored = [str(column) for column in table.columns if column not in taken]
    if ignored:
        notes.append(f"columns without a role are ignored: {listed(ignored)}")
