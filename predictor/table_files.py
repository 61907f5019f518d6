"""Files of predictions: tables that are written one after the other, so that no more than one is in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TextIO

import pandas as pd
import pyarrow as pa
from pyarrow import parquet


def write_csv(tables: Iterable[pd.DataFrame], where: Path | TextIO) -> int:
    """Write tables one after the other as one, and give the number of rows."""
    rows, opened = 0, where.open("w", newline="", encoding="utf-8") if isinstance(where, Path) else nullcontext(where)
    with opened as file:
        for number, table in enumerate(tables):
            lists_as_json(table).to_csv(file, index=False, header=not number, lineterminator="\n")
            rows += len(table)
    return rows


def write_parquet(tables: Iterable[pd.DataFrame], path: Path) -> int:
    """Write tables one after the other as one, and give the number of rows."""
    rows, writer = 0, None
    for table in tables:
        columns = pa.Table.from_pandas(table, preserve_index=False)
        writer = writer or parquet.ParquetWriter(path, columns.schema)
        writer.write_table(columns)
        rows += len(table)
    if writer is not None:
        writer.close()
    return rows


def lists_as_json(table: pd.DataFrame) -> pd.DataFrame:
    """A table that CSV can hold: lists are written as JSON, as they are read."""
    lists = [name for name in table.columns if any(isinstance(cell, list) for cell in table[name])]
    return table.assign(**{name: [json.dumps(cell, ensure_ascii=False) for cell in table[name]] for name in lists})
