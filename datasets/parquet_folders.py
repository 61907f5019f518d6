"""Parquet in one file or in a folder of many: what is in it, without reading the rows."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow import parquet
from pyarrow.fs import LocalFileSystem

from ..errors import InputError

ENDINGS = (".parquet", ".pq")
# Bytes that a cell takes once it is read: a number, and a text with what Python keeps beside it.
_NUMBER, _TEXT = 8, 60
# Times the columns that are read: what checking, scaling and reading windows take beside them.
BESIDE = 4
MOST_COMPRESSED = 200  # bytes in memory for one in a file
_BYTES = ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")
_NAMED = 3  # files of which so many are named
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def is_parquet_folder(path: str | Path) -> bool:
    """Whether a path is a folder with Parquet files in it, or in the folders in it."""
    return Path(path).is_dir() and bool(_files(Path(path)))


def open_parquet(path: Path) -> ds.Dataset:
    """Open a Parquet file, or a folder of them; names of folders such as ``id=A7`` become a column of texts.

    Raises:
        InputError: a file that is not Parquet, or files whose columns do not fit together.
    """
    files = _files(path) if path.is_dir() else [path]
    schema = _common_schema(files)
    parts = [part for file in files for part in file.relative_to(path).parts[:-1]] if path.is_dir() else []
    # all texts: read as a number, the id 007 would be 7
    texts = pa.schema(
        [pa.field(name, pa.string()) for name in dict.fromkeys(p.split("=")[0] for p in parts if "=" in p)]
    )
    options = ds.FileSystemFactoryOptions(
        partition_base_dir=str(path), partitioning=ds.partitioning(texts, flavor="hive") if len(texts) else None
    )
    try:
        whole = pa.unify_schemas([schema, texts])
    except pa.ArrowException as error:
        name = next(name for name in texts.names if name in schema.names)
        raise InputError(
            f"{path}: {name!r} is both a column of the files, of {schema.field(name).type}, and a text in the names of "
            "the folders; leave it out of one of them"
        ) from error
    try:
        names = [str(file) for file in files]
        factory = ds.FileSystemDatasetFactory(LocalFileSystem(), names, ds.ParquetFileFormat(), options)
        return factory.finish(whole)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise broken(path, error) from error


def _common_schema(files: list[Path]) -> pa.Schema:
    """The columns that all files have, of types that hold what each of them has.

    Raises:
        InputError: a file that is not Parquet, or that has other columns or other types than those before it.
    """
    schema: pa.Schema | None = None
    for file in files:
        try:
            stat = file.stat()
            own = _schema_of(file, stat.st_mtime_ns, stat.st_size)
        except (pa.ArrowException, OSError) as error:
            raise broken(file, error) from error
        schema = own if schema is None else _joined_schemas(schema, own, files[0], file)
    if schema is None:
        raise ValueError("there are no files")
    return schema


@functools.lru_cache(maxsize=1 << 16)
def _schema_of(file: Path, changed: int, size: int) -> pa.Schema:  # noqa: ARG001  (a file that changed is read anew)
    """The columns of a file; kept, because whether rows fit into memory is asked before they are read."""
    return parquet.read_schema(file).remove_metadata()


def _joined_schemas(schema: pa.Schema, own: pa.Schema, first: Path, file: Path) -> pa.Schema:
    for name in sorted(set(schema.names) ^ set(own.names)):
        lacks, has = (file, first) if name in schema.names else (first, file)
        raise InputError(
            f"{lacks}: there is no column {name!r}, which {has.name} has; all files of a folder must have the same "
            "columns"
        )
    fields = []
    for field in schema:
        other = own.field(field.name)
        try:  # 3 in one file and 3.5 in another are numbers of one column; 3 and "three" are not
            fields.append(pa.unify_schemas([pa.schema([field]), pa.schema([other])], promote_options="permissive")[0])
        except pa.ArrowException as error:
            raise InputError(
                f"{file}: column {field.name!r} is {other.type} where {first.name} has {field.type}; write all files "
                "of a folder with the same types"
            ) from error
    return pa.schema(fields)


def broken(path: Path, error: Exception) -> InputError:
    """The error about files that cannot be read to their end."""
    reason = str(error).splitlines()[0]
    return InputError(f"{path}: not a complete Parquet file ({reason}); write or download it again")


def read_folder(path: Path) -> pd.DataFrame:
    """Read all Parquet files of a folder as one table."""
    try:
        table = open_parquet(path).to_table().to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError) as error:
        raise broken(path, error) from error
    table.attrs = {"notes": left_out(path)}
    return table


def left_out(path: Path) -> list[str]:
    """A sentence about the files of a folder that are not read, because they are not Parquet; nothing else is left out.

    What is hidden, or named like _SUCCESS, is written beside Parquet by programs, and no data.
    """
    if not path.is_dir():
        return []
    visible = _visible(path, (file for file in path.rglob("*") if file.is_file()))
    others = [str(file.relative_to(path)) for file in visible if file.suffix not in ENDINGS]
    if not others:
        return []
    named = ", ".join(map(repr, others[:_NAMED])) + (f" and {len(others) - _NAMED:,} more" * (len(others) > _NAMED))
    are = "file is not Parquet and is" if len(others) == 1 else "files are not Parquet and are"
    return [f"{len(others):,} {are} not read: {named}"]


def bytes_in_memory(dataset: ds.Dataset) -> int:
    """How much memory all rows take with everything that is made of them, by their types, number and texts."""
    width = sum(_TEXT if _is_text(field.type) else _NUMBER for field in dataset.schema)
    return (dataset.count_rows() * width + uncompressed_bytes(dataset, texts_only=True)) * BESIDE


def uncompressed_bytes(dataset: ds.Dataset, *, texts_only: bool = False) -> int:
    """Bytes of the columns in the files before they were compressed; a text that comes again counts once there."""
    total = 0
    for fragment in dataset.get_fragments():
        metadata = fragment.metadata
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            columns = [group.column(i) for i in range(group.num_columns)]
            total += sum(c.total_uncompressed_size for c in columns if not texts_only or c.physical_type in _BYTES)
    return total


def _is_text(kind: pa.DataType) -> bool:
    return not (pa.types.is_primitive(kind) or pa.types.is_dictionary(kind))


def parse_memory(text: str | int | None) -> int:
    """Bytes of "2GB" or "500 MB"; by default half of the memory that is free.

    Raises:
        InputError: no amount of memory.
    """
    if text is None:
        return _free_memory() // 2
    if isinstance(text, int) and text > 0:
        return text
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]B?|B)\s*", str(text).upper())
    found = 0 if match is None else int(float(match[1]) * _UNITS[match[2].removesuffix("B")])
    if not found:
        raise InputError(f"`memory` must be an amount with its unit, such as 500MB or 2GB; received {text!r}")
    return found


def in_words(memory: int) -> str:
    """An amount of memory as people write it."""
    unit = next((unit for unit in ("T", "G", "M", "K") if memory >= _UNITS[unit]), "")
    return f"{memory / _UNITS[unit]:,.3g} {unit}B"


def _free_memory() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):  # not Linux
        import psutil

        return int(psutil.virtual_memory().available)


def _files(folder: Path) -> list[Path]:
    """Parquet files of a folder, in order of their names; what is hidden, or named like _metadata, is no data."""
    return _visible(folder, (f for ending in ENDINGS for f in folder.rglob(f"*{ending}") if f.is_file()))


def _visible(folder: Path, files: Iterable[Path]) -> list[Path]:
    return sorted(f for f in files if not any(part.startswith((".", "_")) for part in f.relative_to(folder).parts))
