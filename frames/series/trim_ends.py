"""Where a series begins and ends: with the first and the last row in which a target was observed."""

import numpy as np
import pandas as pd

from ...errors import InputError
from ..columns import listed


def trim_ends(
    table: pd.DataFrame, id: str, targets: tuple[str, ...], *, keep_ahead: bool, source: str, notes: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Cut off what lies before the first and after the last observed target.

    Args:
        table: rows on the regular axis.
        id: column of the series.
        targets: columns to forecast.
        keep_ahead: whether rows after the end carry known-future covariates.
        source: file or data set, for the message.
        notes: receives what was cut.

    Returns:
        The rows of the series, and the rows ahead of them, or None.

    Raises:
        InputError: no target was observed anywhere.
    """
    codes = table[id].cat.codes.to_numpy()
    observed = np.zeros(len(table), dtype=bool)
    for name in targets:
        observed |= table[name].notna().to_numpy()
    rows = np.flatnonzero(observed)
    if not len(rows):
        raise InputError(
            f"{source}: column {listed(targets)} has no value in any of {len(table):,} rows where a series to forecast "
            "was expected; choose another column as `target`"
        )
    if len(rows) == len(table):
        return table, None
    first, last = _ends(rows, codes, len(table[id].cat.categories))
    number = np.arange(len(table))
    before, after, never = number < first[codes], number > last[codes], last[codes] < 0
    lost = len(np.unique(codes[never]))
    notes += _sentences(lost, int((before & ~never).sum()), int((after & ~never).sum()), keep_ahead)
    ahead = table[after & ~never].reset_index(drop=True) if keep_ahead and (after & ~never).any() else None
    inside = ~(before | after | never)
    if not inside.all():
        table = table[inside].reset_index(drop=True)
        table[id] = table[id].cat.remove_unused_categories()
    if ahead is not None:
        ahead[id] = ahead[id].cat.set_categories(table[id].cat.categories)
    return table, ahead


def _ends(rows: np.ndarray, codes: np.ndarray, series: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last observed row of each series; last is -1 where there is none."""
    first, last = np.zeros(series, dtype="int64"), np.full(series, -1, dtype="int64")
    observed = codes[rows]
    change = np.flatnonzero(np.r_[True, observed[1:] != observed[:-1]])
    first[observed[change]] = rows[change]
    last[observed[change]] = rows[np.r_[change[1:], len(rows)] - 1]
    return first, last


def _sentences(lost: int, before: int, after: int, keep_ahead: bool) -> list[str]:
    found = []
    if lost:
        found.append(f"{lost:,} series without a single observed target are dropped")
    if before:
        found.append(f"{before:,} rows before the first observed target are dropped")
    if after and keep_ahead:
        found.append(f"{after:,} rows after the last observed target hold the covariates known ahead")
    elif after:
        found.append(f"{after:,} rows after the last observed target are dropped")
    return found
