"""Checks of the values of a series: which are missing, which never change."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ...errors import InputError

_CHUNK = 1 << 20  # rows looked at together
_WEEK = 7 * 86_400_000_000  # microseconds


def check_missing(table: pd.DataFrame, id: str, time: str, names: list[str], source: str) -> None:
    """Refuse missing values, and name the first."""
    for name in names:
        missing = table[name].isna().to_numpy()
        if missing.any():
            row = int(np.argmax(missing))
            many = len(table[id].cat.categories) > 1
            series = f" of series {table[id].iloc[row]!r}" if many else ""
            raise InputError(
                f"{source}: column {name!r} has no value at {time!r} {table[time].iloc[row]}{series} "
                f"({int(missing.sum()):,} missing in all) where `missing` is 'error'; fill them or change `missing`"
            )


def count_missing(table: pd.DataFrame, names: Sequence[str]) -> dict[str, int]:
    """Missing values by column."""
    return {name: int(table[name].isna().sum()) for name in names}


def note_missing(counts: Mapping[str, int], rows: int, notes: list[str]) -> None:
    """Note how many values are missing of each column, and the rule for them."""
    found = [f"{count:,} of {rows:,} values of {name!r}" for name, count in counts.items() if count]
    if found:
        notes.append(
            f"{', '.join(found)} are missing: inputs are filled inside each window; missing targets are neither "
            "trained on nor scored"
        )


def stamps_never_observed(table: pd.DataFrame, time: str, targets: tuple[str, ...], ahead: pd.Series) -> int:
    """Count the stamps ahead that lie on a weekday and a time of day at which no target was ever observed."""
    seen: set[int] = set()
    for start in range(0, len(table), _CHUNK):
        some = table.iloc[start : start + _CHUNK]
        observed = np.logical_or.reduce([some[name].notna().to_numpy() for name in targets])
        seen.update(pd.unique(_in_week(some[time])[observed]).tolist())
    return sum(place not in seen for place in _in_week(ahead).tolist())


def _in_week(stamps: pd.Series) -> np.ndarray:
    """Microseconds since the beginning of the week on the clock of the data: (rows,)."""
    return pd.DatetimeIndex(stamps).tz_localize(None).as_unit("us").asi8 % _WEEK


def count_constant(
    table: pd.DataFrame, id: str, targets: Sequence[str]
) -> tuple[dict[str, int], dict[str, float], int]:
    """Series in which a target never changes.

    Returns:
        How many by target, the first value of each target, and how many series there are.
    """
    codes = table[id].cat.codes.to_numpy()
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    counts, first = {}, {}
    for name in targets:
        values = table[name].to_numpy()
        low, high = np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)
        counts[name], first[name] = int((low == high).sum()), float(low[0])
    return counts, first, len(starts)


def note_constant(counts: Mapping[str, int], first: Mapping[str, float], series: int, notes: list[str]) -> None:
    """Note which targets never change."""
    for name, constant in counts.items():
        if constant and series == 1:
            notes.append(f"{name!r} is constant ({first[name]:g}): there is nothing to learn")
        elif constant:
            notes.append(f"{name!r} is constant in {constant:,} of {series:,} series")
