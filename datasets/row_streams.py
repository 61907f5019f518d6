"""Files whose rows are larger than the memory they may take: which they are, and how their rows are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd

from ..errors import InputError
from .csv_rows import ENDING as CSV
from .csv_rows import CsvRows, uncompressed_size
from .files import OPENERS, kind_of
from .parquet_batches import ParquetRows
from .parquet_folders import (
    BESIDE,
    ENDINGS,
    MOST_COMPRESSED,
    bytes_in_memory,
    is_parquet_folder,
    open_parquet,
    parse_memory,
)

# What one table of the rows takes with all that is checked and written of it, in its own bytes.
_HELD = 20


class Rows(Protocol):
    """A file or folder whose rows come as tables, one after the other."""

    @property
    def path(self) -> Path:
        """The file or folder."""

    @property
    def notes(self) -> Sequence[str]:
        """What was left out, once all rows are read."""

    def sample(self) -> pd.DataFrame:
        """The first rows, which show what the columns hold."""

    def tables(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Some columns of all rows."""


@dataclass(frozen=True, eq=False)
class Large:
    """Rows that are larger than the memory they may take.

    Attributes:
        rows: all of them, unread.
        memory: bytes.
    """

    rows: Rows
    memory: int


def can_be_streamed(source: str | Path) -> bool:
    """Whether the rows of a file, or folder, can be read some at a time: Parquet, and CSV."""
    path = Path(source)
    return is_parquet_folder(path) or (path.is_file() and kind_of(path) in (*ENDINGS, CSV) and not _is_packed(path))


def larger_than_memory(source: str | Path, memory: str | int | None) -> Large | None:
    """The rows of Parquet or CSV that cannot all be held; None where they can.

    Args:
        source: a file or a folder.
        memory: what they may take, such as "2GB"; by default half of what is free.

    Raises:
        InputError: no amount of memory, or one for a file whose rows cannot be read some at a time.
    """
    path = Path(source)
    if not can_be_streamed(path):
        if memory is None or path.is_dir() or not path.exists():  # refused where it is read
            return None
        raise InputError(
            f"{source}: `memory` was given, which applies to Parquet, and to texts in .csv, because such rows can be "
            "read in streams; leave `memory` out, or save a series or texts with a class or a number as .parquet"
        )
    limit = parse_memory(memory)
    if memory is None and path.is_file() and path.stat().st_size * BESIDE * _most_compressed(path) < limit:
        return None
    try:
        rows = open_rows(path, limit)
    except InputError:
        return None  # reading it says what is wrong
    if isinstance(rows, ParquetRows):
        return Large(rows, limit) if bytes_in_memory(rows.dataset) > limit else None
    return Large(rows, limit) if uncompressed_size(path, most=limit // BESIDE) * BESIDE > limit else None


def open_rows(path: Path, memory: int) -> ParquetRows | CsvRows:
    """The rows of a file or folder that :func:`can_be_streamed`.

    Args:
        path: the file or folder.
        memory: bytes that reading may take.
    """
    if kind_of(path) == CSV and path.is_file():
        return CsvRows(path, memory // _HELD)
    return ParquetRows(path, open_parquet(path), memory // _HELD)


def _is_packed(path: Path) -> bool:
    """Whether Parquet is compressed once more, so that its end cannot be read first."""
    return path.suffix.lower() in OPENERS and kind_of(path) in ENDINGS


def _most_compressed(path: Path) -> int:
    return 1 if path.suffix.lower() == CSV else MOST_COMPRESSED
