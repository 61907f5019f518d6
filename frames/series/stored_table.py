"""A table of series kept in files: its columns are mapped, and read from the disk as they are looked at.

What is mapped is the system's cache of the files, given back when memory is needed: a table of any length costs
what is worked out of it and no more.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..stored_files import check_here, new_array

_TIMES = "datetime64[us]"
_CHUNK = 1 << 20  # rows written anew together


@dataclass(frozen=True)
class StoredColumn:
    """A column in a file of its own.

    Attributes:
        name: of the column.
        file: its file, in the folder of the table.
        dtype: of the numbers in it.
        kind: "numbers", "times" (microseconds since 1970, in UTC where there is a zone) or "categories" (numbers of
            them, -1 where one is missing).
        zone: of times.
        categories: labels.
    """

    name: str
    file: str
    dtype: str
    kind: str
    zone: Any = None
    categories: tuple[Any, ...] = ()


class StoredTable:
    """Columns in files of a folder, which is removed when nobody looks at them any more.

    Args:
        folder: where the files are.
        rows: of the table.
        columns: in order.
        memory: bytes that what is worked out of the table may take.
    """

    def __init__(self, folder: Path, rows: int, columns: tuple[StoredColumn, ...], memory: int) -> None:
        self.folder, self.rows, self.columns, self.memory = folder, rows, columns, memory

    def open(self) -> pd.DataFrame:
        """The table; nothing is read before it is looked at."""
        return pd.DataFrame({column.name: self._opened(column) for column in self.columns}, copy=False)

    def _opened(self, column: StoredColumn) -> Any:
        path = self.folder / column.file
        check_here(path)
        if not self.rows:
            values = np.empty(0, column.dtype)
        else:
            values = np.memmap(path, dtype=column.dtype, mode="r", shape=(self.rows,))
        if column.kind == "categories":
            index = pd.Index(list(column.categories), tupleize_cols=False)
            return pd.Categorical.from_codes(values, categories=index, validate=False)
        if column.kind == "times" and column.zone is not None:
            return pd.array(values, dtype=pd.DatetimeTZDtype("us", column.zone), copy=False)
        return values.view(_TIMES) if column.kind == "times" else values

    def array(self, shape: tuple[int, ...]) -> np.memmap:
        """A new array of float64 in a file, to be written and read piece by piece; it is gone with its last user."""
        return new_array(self.folder, shape)

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("folder", "rows", "columns", "memory")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]  # another process only reads: the first one removes the folder


class TableWriter:
    """Writes the parts of a table one after the other.

    Args:
        memory: bytes that what is worked out of the table may take.
    """

    def __init__(self, memory: int) -> None:
        self.folder, self.memory = Path(tempfile.mkdtemp(prefix="recurra-series-")), memory
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self._rows = 0
        self._columns: dict[str, StoredColumn] = {}
        self._numbers: dict[str, dict[Any, int]] = {}

    def add(self, table: pd.DataFrame) -> None:
        """Write a part; its labels are numbered in the order in which they come."""
        for place, name in enumerate(table.columns):
            column, zone = table[name], None
            if pd.api.types.is_datetime64_any_dtype(column.dtype):
                kind, zone, values = "times", column.dt.tz, pd.DatetimeIndex(column).as_unit("us").asi8
            elif pd.api.types.is_numeric_dtype(column.dtype):
                kind, values = "numbers", column.to_numpy()
            else:
                kind, values = "categories", self._numbered(name, column)
            with (self.folder / str(place)).open("ab") as file:
                np.ascontiguousarray(values).tofile(file)
            self._columns[name] = StoredColumn(name, str(place), values.dtype.str, kind, zone)
        self._rows += len(table)

    def _numbered(self, name: str, column: pd.Series) -> np.ndarray:
        known = self._numbers.setdefault(name, {})
        codes, labels = pd.factorize(column)
        numbers = [known.setdefault(label, len(known)) for label in pd.Index(labels).astype(object)]
        return np.append(np.array(numbers, dtype="int32"), np.int32(-1))[codes]

    def finish(self) -> StoredTable:
        """The table of all parts; the folder goes when it does."""
        columns = tuple(self._with_categories(column) for column in self._columns.values())
        made = StoredTable(self.folder, self._rows, columns, self.memory)
        self._remove.detach()
        weakref.finalize(made, shutil.rmtree, self.folder, ignore_errors=True)
        return made

    def _with_categories(self, column: StoredColumn) -> StoredColumn:
        """The column with its labels, its numbers as small as pandas wants them, or it would copy them all."""
        if column.kind != "categories":
            return column
        labels = tuple(self._numbers[column.name])
        small = pd.Categorical([], categories=pd.RangeIndex(len(labels))).codes.dtype
        if small != np.dtype(column.dtype):
            path = self.folder / column.file
            with path.open("rb") as file, (self.folder / f"{column.file}s").open("wb") as other:
                while (numbers := np.fromfile(file, column.dtype, _CHUNK)).size:
                    numbers.astype(small).tofile(other)
            path.unlink()
            column = replace(column, file=f"{column.file}s", dtype=small.str)
        return replace(column, categories=labels)
