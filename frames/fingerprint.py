"""A hash of what a frame holds, so that results can name their data."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from .corpus import CorpusFrame
from .frame import Frame
from .sequences import PanelFrame, TextFrame
from .series import SeriesFrame

_CHUNK = 1 << 20  # rows hashed together


def data_hash(frame: Frame) -> str:
    """Hash the content: roles, values, targets, official splits.

    The bytes are made here from plain numbers and strings, so the hash depends neither on the version of pandas nor on
    the format of the file; nor, for a series, on the order of its rows.

    Args:
        frame: any frame.

    Returns:
        sha256 as 64 hexadecimal digits.

    Example:
        >>> data_hash(load("co2"))[:8]  # doctest: +SKIP
    """
    digest = hashlib.sha256()
    if isinstance(frame, CorpusFrame):
        _add_texts(digest, ["corpus", repr(frame.cuts), frame.text])
    elif isinstance(frame, SeriesFrame):
        _add_series(digest, frame)
    else:
        _add_sequences(digest, frame)
    return digest.hexdigest()


def _add_sequences(digest: "hashlib._Hash", frame: TextFrame | PanelFrame) -> None:
    digest.update(frame.kind.encode())
    if isinstance(frame, PanelFrame):
        _add_texts(digest, frame.channels)
        digest.update(np.array([len(sequence) for sequence in frame.inputs], dtype="<i8").tobytes())
        for sequence in frame.inputs:
            _add_numbers(digest, sequence)
    elif frame.kind == "tokens":
        for tokens in frame.texts:
            _add_texts(digest, tokens)
    else:
        _add_texts(digest, frame.texts)
    if frame.targets is not None:
        _add_texts(digest, [frame.targets.task, frame.targets.name])
        if frame.targets.role == "value":
            _add_numbers(digest, frame.targets.values)
        else:
            _add_texts(digest, map(repr, frame.targets.values))
    if frame.is_test is not None:
        digest.update(np.packbits(frame.is_test).tobytes())
    if frame.groups is not None:  # they decide the folds
        digest.update(frame.groups.astype("<i8").tobytes())


def _add_texts(digest: "hashlib._Hash", texts: Iterable[Any]) -> None:
    """Add texts, each with its length, so that ["ab", "c"] is not ["a", "bc"]."""
    for text in texts:
        data = str(text).encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little") + data)
    digest.update(b"\xff")  # no length begins with this byte


def _add_series(digest: "hashlib._Hash", frame: SeriesFrame) -> None:
    digest.update(repr((frame.targets, frame.past_covariates, frame.future_covariates, str(frame.freq))).encode())
    ahead = None if frame.ahead is None else replace(frame, table=frame.ahead, ahead=None)
    for part in (frame, ahead):
        if part is None:
            continue
        digest.update("\0".join(str(label) for label in part.ids).encode())
        digest.update(part.lengths.astype("<i8").tobytes())
        for some in _chunks(part.table[part.time]):
            digest.update(_moments(some).astype("<i8").tobytes())
        for name in (*part.targets, *part.past_covariates, *part.future_covariates):
            _add_column(digest, part.table[name])


def _chunks(column: pd.Series) -> Iterator[pd.Series]:
    return (column.iloc[start : start + _CHUNK] for start in range(0, len(column), _CHUNK))


def _moments(values: pd.Series) -> np.ndarray:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pd.DatetimeIndex(values).as_unit("us").asi8
    return values.to_numpy()


def _add_column(digest: "hashlib._Hash", values: pd.Series) -> None:
    if pd.api.types.is_numeric_dtype(values.dtype):
        for some in _chunks(values):
            _add_numbers(digest, some.to_numpy(dtype="<f8"))
        return
    known: dict[Any, int] = {}  # labels in the order in which they come
    for some in _chunks(values):
        codes, labels = pd.factorize(some)
        numbers = [known.setdefault(label, len(known)) for label in pd.Index(labels).astype(object)]
        digest.update(np.array([*numbers, -1], dtype="<i8")[codes].tobytes())
    digest.update("\0".join(map(str, known)).encode())


def _add_numbers(digest: "hashlib._Hash", numbers: np.ndarray) -> None:
    # NaN has many bit patterns and zero two; one of each is enough
    digest.update(np.where(np.isnan(numbers), np.nan, numbers + 0.0).astype("<f8").tobytes())
