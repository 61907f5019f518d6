"""Files become tables: CSV, Parquet and JSON lines, plain or compressed."""

import bz2
import difflib
import gzip
import io
import json
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow
import zstandard

from ..errors import InputError
from .csv_text import read_csv

_TEXT = (".csv", ".tsv", ".txt")
_LINES = (".jsonl", ".ndjson")
_PARQUET = (".parquet", ".pq")
_OPENERS: dict[str, Callable] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": zstandard.open,
}
# First bytes by which a file shows what it really is.
_MAGIC = {
    b"PAR1": ("Parquet", _PARQUET),
    b"\x1f\x8b": ("gzip", (".gz",)),
    b"BZh": ("bzip2", (".bz2",)),
    b"\xfd7zXZ": ("xz", (".xz",)),
    b"\x28\xb5\x2f\xfd": ("Zstandard", (".zst",)),
    b"PK\x03\x04": ("zip (or Excel)", ()),
    b"\x89HDF": ("HDF5", ()),
}
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError)


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table from a file.

    Args:
        path: .csv, .tsv, .txt (separator , ; tab or |), .parquet, .pq, .jsonl or .ndjson; each also with
            .gz, .bz2, .xz or .zst behind it.

    Returns:
        The table. ``attrs["notes"]`` holds sentences about what was found (such as an old encoding),
        ``attrs["first_line"]`` the line of the file on which the first row stands, for text files.

    Raises:
        InputError: no such file, an unknown ending, content that isn't what the ending says, or a malformed
            line.

    Example:
        >>> read_table("sales.csv.gz")  # doctest: +SKIP
    """
    path = Path(path)
    kind = _kind(path)
    _check_there(path)
    data = _content(path)
    _check_magic(data, kind, path)
    if not data.strip():
        raise InputError(f"{path} is empty where a table was expected: check how the file was written.")
    if kind in _PARQUET:
        table = _read_parquet(data, path)
    elif kind in _LINES:
        table = _read_json_lines(data, path)
    else:
        table = read_csv(data, path)
    _check_columns(table, path)
    return table


def is_known(path: str | Path) -> bool:
    """Whether a name ends like a file this module can read."""
    endings = [suffix.lower() for suffix in Path(path).suffixes]
    if endings and endings[-1] in _OPENERS:
        endings.pop()
    return bool(endings) and endings[-1] in (*_TEXT, *_LINES, *_PARQUET)


def _kind(path: Path) -> str:
    if path.is_dir() or is_known(path):
        endings = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in _OPENERS]
        return endings[-1] if endings else ""
    known = ", ".join((*_TEXT, *_PARQUET, *_LINES))
    raise InputError(
        f"{path} has an unknown ending where one of {known} was expected (each also with "
        f"{', '.join(_OPENERS)}): rename or convert the file."
    )


def _check_there(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path} is a folder where a file was expected: name one of the files in it.")
    if not path.exists():
        names = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, names, n=1)
        hint = f"did you mean {path.with_name(close[0])}?" if close else "check the path."
        raise InputError(f"There is no file {path}; {hint}")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty where a table was expected: check how the file was written.")


def _content(path: Path) -> bytes:
    """Give the bytes, uncompressed."""
    ending = path.suffix.lower()
    try:
        if ending not in _OPENERS:
            return path.read_bytes()
        with _OPENERS[ending](path, "rb") as file:
            return file.read()
    except PermissionError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check its permissions.") from error
    except _BROKEN as error:
        raise InputError(
            f"{path} is no whole {ending} file, as its ending says ({error}): write or download it again, or rename it."
        ) from error


def _check_magic(data: bytes, kind: str, path: Path) -> None:
    for magic, (name, endings) in _MAGIC.items():
        if data.startswith(magic) and kind not in endings:
            fix = f"rename it to end in {endings[0]}" if endings else "save the table as .csv or .parquet"
            raise InputError(f"{path} holds {name} data, which is not what its ending says: {fix}.")
    if kind in _PARQUET and not data.startswith(b"PAR1"):
        raise InputError(f"{path} holds no Parquet data, as its ending says: rename it (to .csv?) or write it again.")


def _read_parquet(data: bytes, path: Path) -> pd.DataFrame:
    try:
        table = pd.read_parquet(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} is no whole Parquet file ({reason}): write or download it again.") from error
    table.attrs = {"notes": []}
    return table if isinstance(table.index, pd.RangeIndex) else table.reset_index()


def _read_json_lines(data: bytes, path: Path) -> pd.DataFrame:
    # pandas' own reader guesses dates and names no line when it fails
    records, rows = [], []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            record = json.loads(line) if line.strip() else {}
        except ValueError:
            record = None
        if not isinstance(record, dict):
            raise InputError(
                f"Line {number} of {path} is no JSON object ({line[:40].decode(errors='replace')!r}) where one "
                'such as {"ds": "2024-01-01", "y": 1.5} was expected on every line.'
            )
        if record:
            records.append(record)
            rows.append(number - 1)
    table = pd.DataFrame(records, index=pd.Index(rows))
    table.attrs = {"notes": [], "first_line": 1}
    return table


def _check_columns(table: pd.DataFrame, path: Path) -> None:
    names = [str(name) for name in table.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path} has several columns called `{twice[0]}` where each needs its own name: rename one.")
    if table.empty:
        raise InputError(f"{path} has a header and no rows where at least one row of values was expected.")
    table.columns = pd.Index(names)
