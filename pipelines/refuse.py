"""Values that a pipeline does not accept, refused with the row they are in."""

from collections.abc import Callable

import pandas as pd

from ..errors import InputError
from ..frames import SeriesFrame

_CHUNK = 1 << 20  # rows looked at together


def _first(frame: SeriesFrame, name: str, wrong: Callable[[pd.Series], pd.Series]) -> pd.Series | None:
    """The first row with a wrong value in a column, looked for some rows at a time."""
    for start in range(0, len(frame.table), _CHUNK):
        some = frame.table.iloc[start : start + _CHUNK]
        if (found := wrong(some[name])).any():
            return some[found].iloc[0]
    return None


def _is_not_positive(values: pd.Series) -> pd.Series:
    return values <= 0


def refuse_missing(frame: SeriesFrame) -> None:
    """Raise an InputError at the first missing value."""
    for name in (*frame.targets, *frame.past_covariates, *frame.future_covariates):
        if (row := _first(frame, name, pd.Series.isna)) is not None:
            raise InputError(
                f"{frame.source}: column {name!r} has no value at {row[frame.time]} (series {row[frame.id]!r}); "
                "fill it, or set `missing` to interpolate or ffill"
            )


def refuse_not_positive(frame: SeriesFrame) -> None:
    """Raise an InputError at the first target that has no logarithm."""
    for name in frame.targets:
        if (row := _first(frame, name, _is_not_positive)) is not None:
            raise InputError(
                f"{frame.source}: column {name!r} is {row[name]:g} at {row[frame.time]} (series {row[frame.id]!r}), "
                "but the logarithm needs positive values; set `transform` to none"
            )
