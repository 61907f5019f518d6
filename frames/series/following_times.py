"""Which points of time follow a row, on the clock of the data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...errors import InputError
from .time_grid import stamp_grid


def following_seconds(stamps: pd.Series | pd.DataFrame, freq: str, steps: int, *, source: str) -> np.ndarray:
    """Seconds since 1970-01-01 of rows and of the steps after each.

    Args:
        stamps: time stamps, or columns that a date is composed of: (rows,).
        freq: pandas offset alias of the data.
        steps: how many after each row.
        source: file or table, for messages.

    Returns:
        int64 (rows, 1 + steps), local where there is a time zone.

    Raises:
        InputError: if a time stamp cannot be read.
    """
    try:
        index = pd.DatetimeIndex(pd.to_datetime(stamps))
    except (ValueError, TypeError) as error:
        raise InputError(f"{source}: the time column holds something that is not a time stamp ({error})") from error
    if index.hasnans:
        raise InputError(f"{source}: a row has no time stamp; the model needs one of every row")
    grid = stamp_grid(freq, index, source)
    moments = grid.moments(index)
    points = np.concatenate([moments[:, None], grid.after(moments, steps)], axis=1)  # (rows, 1 + steps)
    local = pd.DatetimeIndex(grid.index(points.ravel())).tz_localize(None).as_unit("s")
    return local.asi8.reshape(points.shape)
