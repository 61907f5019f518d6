"""Files become tables: CSV, Parquet, JSON lines and Excel, plain or compressed."""

import bz2
import datetime
import difflib
import gzip
import io
import json
import lzma
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import zstandard

from ..errors import InputError
from ..frames.wording import counted
from .arff_text import read_arff
from .conll_text import ENDINGS as CONLL_ENDINGS
from .conll_text import looks_like_conll, read_conll
from .csv_text import decode, lines_of, read_csv
from .parquet_folders import is_parquet_folder, read_folder
from .written_numbers import read_written_numbers

_PARQUET = (".parquet", ".pq")
_PANELS = (".npz", ".ts")
# Files in which everything is text, also numbers.
_WRITTEN = (".csv", ".tsv", ".txt")
OPENERS: dict[str, Callable] = {
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
    b"PK\x03\x04": ("zip (or Excel)", (".npz", ".xlsx", ".xlsm")),
    b"\x93NUMPY": ("a single array as numpy (.npy)", ()),
    b"\x89HDF": ("HDF5", ()),
}
_SURROGATE = re.compile(r"[\ud800-\udfff]")
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError)


def read_table(path: str | Path, *, as_text: Collection[str] = (), comma: str = "") -> pd.DataFrame:
    """Read a table from a file.

    Args:
        path: a folder of Parquet files, or .csv, .tsv, .txt (separator , ; tab or |), .parquet, .pq, .jsonl, .ndjson,
            .xlsx or .xlsm (its first sheet), .arff, or CoNLL's .conll, .iob, .iob2, .bio and .conllu; each also with
            .gz, .bz2, .xz or .zst behind it.
        as_text: columns of a text file whose cells stay as they are written, such as labels and ids: 007 is not 7.
        comma: what a comma in a number means, "decimal" or "thousands", where the columns leave it open.

    Returns:
        The table. ``attrs["notes"]`` holds sentences about what was found (such as an old encoding),
        ``attrs["first_line"]`` the line of the file that holds the first row, for text files; ``attrs["source"]`` the
        file.

    Raises:
        InputError: no such file, an unknown ending, content that does not match the ending, or a malformed line.

    Example:
        >>> read_table("sales.csv.gz")  # doctest: +SKIP
    """
    path = Path(path)
    if is_parquet_folder(path):
        table = read_folder(path)
        _check_columns(table, path)
        table.attrs["source"] = str(path)
        return table
    kind, data = read_bytes(path)
    if kind in _PANELS:
        raise InputError(
            f"{path}: the file holds sequences where a table was expected; leave out roles such as `target` and `text`"
        )
    table = TABLE_READERS[kind](data, path, as_text)
    if kind in _WRITTEN:
        read_written_numbers(table, as_text, comma)
    _check_columns(table, path)
    table.attrs["source"] = str(path)
    return table


def read_bytes(path: Path, expected: str = "a table") -> tuple[str, bytes]:
    """Read a file of a known kind.

    Args:
        path: the file.
        expected: what it should hold, for messages.

    Returns:
        The ending that gives its kind, such as ".csv", and its content, uncompressed.

    Raises:
        InputError: no such file, an unknown ending, an empty file, or content that does not match the ending.
    """
    kind = _kind(path)
    check_there(path, expected)
    data = _content(path)
    _check_magic(data, kind, path)
    if not data.strip():
        raise InputError(f"{path}: the file is empty where {expected} was expected; check how it was written")
    return kind, data


def read_text(path: Path) -> str:
    """Read the plain or compressed text file of a named set, which is UTF-8."""
    return _content(path).decode("utf-8")


def kind_of(path: str | Path) -> str:
    """Give the ending that stands for the kind of a file, without that of a compression: ".tsv" for a.tsv.gz."""
    endings = [suffix.lower() for suffix in Path(path).suffixes if suffix.lower() not in OPENERS]
    return endings[-1] if endings else ""


def is_known(path: str | Path) -> bool:
    """Whether a name ends like a file that recurra can read."""
    endings = [suffix.lower() for suffix in Path(path).suffixes]
    if endings and endings[-1] in OPENERS:
        endings.pop()
    return bool(endings) and endings[-1] in (*TABLE_READERS, *_PANELS)


def _kind(path: Path) -> str:
    if path.is_dir() or is_known(path):
        return kind_of(path)
    known = ", ".join((*TABLE_READERS, *_PANELS))
    raise InputError(
        f"{path}: the ending is unknown where one of {known} was expected (each also with {', '.join(OPENERS)}); "
        "rename or convert the file"
    )


def check_there(path: Path, expected: str) -> None:
    """Refuse a path that is not a file with something in it, with the nearest name there is."""
    if path.is_dir():
        raise InputError(
            f"{path}: a folder was found where a file was expected, and there is no .parquet file in it; name one of "
            "the files in it, or a folder of .parquet files"
        )
    if not path.exists():
        names = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, names, n=1)
        hint = f"did you mean {path.with_name(close[0])}?" if close else "check the path"
        raise InputError(f"{path}: no such file; {hint}")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty where {expected} was expected; check how it was written")


def _content(path: Path) -> bytes:
    """Give the bytes, uncompressed."""
    ending = path.suffix.lower()
    try:
        if ending not in OPENERS:
            return path.read_bytes()
        with OPENERS[ending](path, "rb") as file:
            return file.read()
    except PermissionError as error:
        raise InputError(f"{path}: the file cannot be read ({error.strerror}); check its permissions") from error
    except BROKEN as error:
        raise InputError(
            f"{path}: not a complete {ending} file, as its ending promises ({error}); write or download it again, or "
            "rename it"
        ) from error


def _check_magic(data: bytes, kind: str, path: Path) -> None:
    for magic, (name, endings) in _MAGIC.items():
        if data.startswith(magic) and kind not in endings:
            fix = f"rename it to end in {endings[0]}" if endings else "save the table as .csv or .parquet"
            raise InputError(f"{path}: {name} data were found, which does not match the ending; {fix}")
    if kind == ".npz" and not data.startswith(b"PK\x03\x04"):
        raise InputError(
            f"{path}: no numpy arrays were found where the ending promises some; rename it or write it again"
        )
    if kind in _PARQUET and not data.startswith(b"PAR1"):
        raise InputError(
            f"{path}: no Parquet data were found where the ending promises some; rename it (to .csv?) or write it again"
        )


def _read_plain(data: bytes, path: Path, as_text: Collection[str]) -> pd.DataFrame:
    """Read a .txt or .tsv: words with their tags where it has CoNLL's layout, otherwise a table with a header."""
    if looks_like_conll(decode(data, path, [])):
        return read_conll(data, path)
    return read_csv(data, path, as_text)


def _read_parquet(data: bytes, path: Path, _: Collection[str]) -> pd.DataFrame:
    try:
        table = pd.read_parquet(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a complete Parquet file ({reason}); write or download it again") from error
    table.attrs = {"notes": []}
    return table if isinstance(table.index, pd.RangeIndex) else table.reset_index()


def _read_excel(data: bytes, path: Path, as_text: Collection[str]) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions that hold no cells
            book = pd.ExcelFile(io.BytesIO(data), engine="openpyxl")
            table = book.parse(book.sheet_names[0], dtype=object, keep_default_na=False, na_values=[""])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a complete Excel file ({reason}); save it again, or save it as .csv") from error
    notes = []
    if len(book.sheet_names) > 1:
        sheets = ", ".join(map(repr, book.sheet_names[1:5]))
        notes.append(f"{path.name!r} is read from its first sheet, {book.sheet_names[0]!r}; the others are {sheets}")
    for name in table.columns:
        table[name] = table[name].map(_as_written, na_action="ignore") if name in as_text else _typed(table[name])
    table.attrs = {"notes": notes, "first_line": 2}
    return table


def _as_written(cell: object) -> str:
    """A cell as Excel shows it where it has no format: whole numbers without decimals."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _typed(cells: pd.Series) -> pd.Series:
    """Numbers, dates or flags where all cells that are filled are of one of these kinds."""
    kinds = set(cells.dropna().map(type))
    if kinds and kinds <= {datetime.datetime, datetime.date, pd.Timestamp}:
        return pd.to_datetime(cells)
    return pd.to_numeric(cells) if kinds and kinds <= {int, float} else cells


def _read_json_lines(data: bytes, path: Path, _: Collection[str]) -> pd.DataFrame:
    # pandas' own reader guesses dates and names no line when it fails
    notes: list[str] = []
    records, rows = [], []
    for number, line in enumerate(lines_of(decode(data, path, notes)), start=1):
        try:
            record = json.loads(line) if line.strip() else {}
        except ValueError:
            record = None
        if not isinstance(record, dict):
            raise InputError(
                f"{path}: line {number} holds {line[:40]!r} where a JSON object was expected, such as "
                '{"ds": "2024-01-01", "y": 1.5}; correct the line'
            )
        if record:
            records.append(record)
            rows.append(number - 1)
    records = _whole_characters(records, path, notes)
    table = pd.DataFrame(records, index=pd.Index(rows))
    table.attrs = {"notes": notes, "first_line": 1}
    return table


def _whole_characters(records: list[dict], path: Path, notes: list[str]) -> list[dict]:
    """Replace lone surrogates, which JSON can write as \\ud83d, and which no tool can write as UTF-8."""
    cleaned = [_replaced(record) for record in records]
    changed = sum(new != old for new, old in zip(cleaned, records, strict=True))
    if changed:
        notes.append(
            f"lone surrogates (half characters) in {counted(changed, 'line')} of {path.name!r} are replaced by �"
        )
    return cleaned


def _replaced(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell if cell.isascii() else _SURROGATE.sub("\ufffd", cell)
    if isinstance(cell, dict):
        return {_replaced(key): _replaced(value) for key, value in cell.items()}
    return [_replaced(item) for item in cell] if isinstance(cell, list) else cell


def _check_columns(table: pd.DataFrame, path: Path) -> None:
    names = [str(name) for name in table.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path}: several columns are called {twice[0]!r} where one was expected; rename one")
    if table.empty:
        raise InputError(
            f"{path}: the file has a header and no rows where at least one row of values was expected; add rows"
        )
    table.columns = pd.Index(names)


# Ending → ``read(data, path, as_text)``, which gives a table with ``attrs["notes"]``. A new format is a line here.
TABLE_READERS: dict[str, Callable[[bytes, Path, Collection[str]], pd.DataFrame]] = {
    ".csv": read_csv,
    ".tsv": _read_plain,
    ".txt": _read_plain,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".arff": read_arff,
    **dict.fromkeys(CONLL_ENDINGS, read_conll),
    ".xlsx": _read_excel,
    ".xlsm": _read_excel,
}
