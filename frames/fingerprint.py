"""A hash of what a frame holds, so that results can name their data."""

import hashlib

import numpy as np
import pandas as pd

from .series import SeriesFrame


def data_hash(frame: SeriesFrame) -> str:
    """Hash the content: column roles, step, series, times and values.

    The bytes are made here from plain numbers and strings, so the hash doesn't hang on the version of
    pandas, on the order of the rows in the file or on its format.

    Args:
        frame: any frame.

    Returns:
        sha256 as 64 hexadecimal digits.

    Example:
        >>> data_hash(load("co2"))[:8]  # doctest: +SKIP
    """
    digest = hashlib.sha256()
    digest.update(repr((frame.targets, frame.past, frame.future, str(frame.freq))).encode())
    for table in (frame.table, frame.ahead):
        if table is None:
            continue
        digest.update("\0".join(str(label) for label in table[frame.id].unique()).encode())
        digest.update(table.groupby(frame.id, sort=False, observed=True).size().to_numpy().astype("<i8").tobytes())
        digest.update(_moments(table[frame.time]).astype("<i8").tobytes())
        for name in (*frame.targets, *frame.past, *frame.future):
            _add_column(digest, table[name])
    return digest.hexdigest()


def _moments(values: pd.Series) -> np.ndarray:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pd.DatetimeIndex(values).as_unit("us").asi8
    return values.to_numpy()


def _add_column(digest: "hashlib._Hash", values: pd.Series) -> None:
    if pd.api.types.is_numeric_dtype(values.dtype):
        numbers = values.to_numpy(dtype="<f8")
        # NaN has many bit patterns and zero two; one of each is enough
        digest.update(np.where(np.isnan(numbers), np.nan, numbers + 0.0).tobytes())
        return
    codes, labels = pd.factorize(values)
    digest.update(codes.astype("<i8").tobytes())
    digest.update("\0".join(map(str, labels)).encode())
