"""Rows of Parquet some at a time: what is read of files that are larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow import parquet

from .parquet_folders import broken, left_out, uncompressed_bytes

_ROWS_AT_ONCE = 1 << 16
_SAMPLE = 10_000  # rows that show the roles of the columns
_FEWEST_ROWS = 64


def batches(
    dataset: ds.Dataset, columns: Sequence[str], path: Path, rows_at_once: int = _ROWS_AT_ONCE
) -> Iterator[pa.Table]:
    """Rows in the order of the files, some at a time.

    Args:
        dataset: the files.
        columns: those that are read.
        path: file or folder, for messages.
        rows_at_once: the most rows of a batch that come from one file.
    """
    schema = pa.schema([dataset.schema.field(name) for name in columns])
    waiting, rows = list[pa.Table](), 0
    try:
        for fragment in dataset.get_fragments():
            for table in _batches_of(fragment, schema, rows_at_once):
                waiting, rows = [*waiting, table], rows + len(table)
                if rows >= rows_at_once // 2:  # files of a series each are small
                    yield pa.concat_tables(waiting)
                    waiting, rows = [], 0
    except (pa.ArrowException, OSError) as error:
        raise broken(path, error) from error
    if waiting:
        yield pa.concat_tables(waiting)


def _batches_of(fragment: ds.ParquetFileFragment, schema: pa.Schema, rows_at_once: int) -> Iterator[pa.Table]:
    """The rows of one file, page by page: a scan of the dataset would hold whole row groups."""
    of_folder = ds.get_partition_keys(fragment.partition_expression)
    inside = [name for name in schema.names if name not in of_folder]
    with parquet.ParquetFile(fragment.path, memory_map=True, pre_buffer=False) as file:
        for batch in file.iter_batches(rows_at_once, columns=inside, use_threads=False):
            table = pa.Table.from_batches([batch])
            for name in of_folder:
                if name in schema.names:
                    table = table.append_column(name, pa.repeat(pa.scalar(of_folder[name], pa.string()), len(table)))
            if len(table):
                yield _plain(table.select(schema.names).cast(schema))


def _plain(table: pa.Table) -> pa.Table:
    """Dictionaries as what they stand for: every batch has one of its own."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            column = table.column(place).cast(field.type.value_type)
            table = table.set_column(place, field.name, column)
    return table


def sample_of(dataset: ds.Dataset, path: Path, rows_at_once: int = _ROWS_AT_ONCE) -> pd.DataFrame:
    """The first rows, which show what the columns hold."""
    found = batches(dataset, dataset.schema.names, path, rows_at_once)
    first = next(found, dataset.schema.empty_table())
    table = first.slice(0, _SAMPLE).to_pandas(ignore_metadata=True)
    table.attrs = {"notes": left_out(path)}
    return table


@dataclass(frozen=True, eq=False)
class ParquetRows:
    """Rows of Parquet as tables, one after the other.

    Attributes:
        path: the file or folder.
        dataset: all of its rows, unread.
        at_once: bytes of the rows that are held together.
    """

    path: Path
    dataset: ds.Dataset
    at_once: int
    notes: ClassVar[tuple[str, ...]] = ()

    def sample(self) -> pd.DataFrame:
        """The first rows."""
        return sample_of(self.dataset, self.path, self._rows_at_once)

    def tables(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """All rows; the index numbers them through, so that messages can name one."""
        begun = 0
        for batch in batches(self.dataset, columns, self.path, self._rows_at_once):
            table = batch.to_pandas(ignore_metadata=True)
            table.index = pd.RangeIndex(begun, begun + len(table))
            table.attrs = {"notes": [], "numbered": True, "source": str(self.path)}
            begun += len(table)
            yield table

    @property
    def _rows_at_once(self) -> int:
        each = max(uncompressed_bytes(self.dataset) // max(self.dataset.count_rows(), 1), 1)
        return min(max(self.at_once // each, _FEWEST_ROWS), _ROWS_AT_ONCE)
