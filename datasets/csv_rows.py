"""Rows of CSV some at a time: what is read of files that are larger than memory, by the rules of those that are not."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from ..errors import InputError
from ..frames.wording import counted, verb
from .csv_text import decode, longest_field, never_closed, sniff, without_comments, wrong_width
from .files import BROKEN, OPENERS, check_there
from .header import check_is_no_row, check_names
from .written_numbers import read_written_numbers

ENDING = ".csv"
_BLOCK = 1 << 20  # bytes, or characters, that are read together
_ROWS_AT_ONCE = 1 << 16
_SAMPLE = 10_000  # rows that show the roles of the columns
_FEWEST = 1 << 16  # characters of a table, however little memory there is
_UNKNOWN_TO_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_UTF8, _WINDOWS, _LATIN = "utf-8-sig", "cp1252", "latin-1"
_NAMES = {_WINDOWS: "Windows-1252", _LATIN: "Latin-1"}


def uncompressed_size(path: Path, *, most: int) -> int:
    """Bytes of a file once they are uncompressed; counted no further than `most`."""
    if path.suffix.lower() not in OPENERS:
        return path.stat().st_size
    total = 0
    with _opened(path) as file:
        while total <= most and (block := file.read(_BLOCK)):
            total += len(block)
    return total


@dataclass(frozen=True)
class _Form:
    """How a file is written.

    Attributes:
        encoding, separator: of the text.
        names: of the columns.
        skipped: lines before the header.
        notes: sentences about it.
    """

    encoding: str
    separator: str
    names: list[str]
    skipped: int
    notes: list[str]


@dataclass(eq=False)
class CsvRows:
    """Rows of a CSV file as tables of texts, one after the other.

    Attributes:
        path: the file, plain or compressed.
        at_once: bytes of the rows that are held together.
    """

    path: Path
    at_once: int
    repeated: int = field(default=0, init=False)  # lines that repeat the header

    def sample(self) -> pd.DataFrame:
        """The first rows, numbers as numbers.

        Raises:
            InputError: no header, or a first line that is a row like the others.
        """
        form = self._form
        table = next(self._tables(form.names, _SAMPLE), None)
        if table is None:
            raise InputError(
                f"{self.path}: the file has a header and no rows where at least one row of values was expected; add "
                "rows"
            )
        check_is_no_row(table, form.names, self.path)
        unnamed = [name for name in form.names if name.startswith("Unnamed: ") and table[name].isna().all()]
        table = table.drop(columns=unnamed)  # a separator at the end of every line
        attrs = dict(table.attrs)
        read_written_numbers(table, ())
        table.attrs = {**attrs, "notes": list(form.notes)}
        return table

    def tables(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """All rows, cells as they are written, NaN where they are empty; the index gives the line of each.

        Raises:
            InputError: a line with more or fewer fields than the header, or a text that does not end.
        """
        yield from self._tables(columns, _ROWS_AT_ONCE)

    @property
    def notes(self) -> list[str]:
        """What was left out of the rows that were read."""
        n = self.repeated
        if not n:
            return []
        return [f"{counted(n, 'line')} {verb(n, 'repeats the header: it is', 'repeat the header: they are')} left out"]

    def _tables(self, columns: Sequence[str], most: int) -> Iterator[pd.DataFrame]:
        places = [self._form.names.index(name) for name in columns]
        lines, cells, held = list[int](), list[list[str]](), 0
        for line, fields in self._records():
            lines.append(line)
            cells.append([fields[place] for place in places])
            held += sum(map(len, cells[-1]))
            if len(lines) == most or held >= max(self.at_once, _FEWEST):
                yield self._table(columns, lines, cells)
                lines, cells, held = [], [], 0
        if lines:
            yield self._table(columns, lines, cells)

    def _table(self, columns: Sequence[str], lines: list[int], cells: list[list[str]]) -> pd.DataFrame:
        made: dict[str, Any] = {}
        for name, column in zip(columns, zip(*cells, strict=True), strict=True):
            values = np.empty(len(column), dtype=object)
            values[:] = [cell or np.nan for cell in column]
            made[name] = pd.Series(values, index=pd.Index(lines), dtype=object)
        table = pd.DataFrame(made)
        table.attrs = {"notes": [], "first_line": 0, "untyped": tuple(columns), "source": str(self.path)}
        return table

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """First line and fields of every row; empty lines are none, and the header may come again."""
        form, self.repeated = self._form, 0
        names = [name.strip() for name in form.names]
        with self._text() as text, longest_field(max(self.at_once, _BLOCK)):
            lines = _Lines(text, form.skipped)
            reader = csv.reader(lines, delimiter=form.separator, skipinitialspace=True)
            before, header = form.skipped, True
            while (fields := self._next(reader, lines, before)) is not None:
                first, before = before + 1, lines.number
                if len(fields) <= 1 and not (fields and fields[0].strip()):
                    if len(names) > 1 or header:
                        continue
                    fields = fields or [""]
                if header:
                    header = False
                    continue
                if len(fields) != len(names):
                    raise wrong_width(self.path, first, lines.number, len(fields), len(names))
                if len(names) > 1 and [name.strip() for name in fields] == names:
                    self.repeated += 1
                    continue
                yield first, fields

    def _next(self, reader: Any, lines: _Lines, before: int) -> list[str] | None:
        """The next fields; None at the end."""
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise never_closed(self.path, before + 1) from error
        if fields is not None and lines.at_end:  # the reader looks behind the last line only inside quotation marks
            raise never_closed(self.path, before + 1)
        return fields

    @contextmanager
    def _text(self) -> Iterator[IO[str]]:
        with _opened(self.path) as file, io.TextIOWrapper(file, self._form.encoding, newline="") as text:
            yield text

    @cached_property
    def _form(self) -> _Form:
        """How the file is written, by all of its bytes and its first lines."""
        check_there(self.path, "a table")
        encoding, start = self._encoding()
        notes = [] if encoding == _UTF8 else [f"{self.path.name!r} is not UTF-8: it is read as {_NAMES[encoding]}"]
        text = start.decode(encoding, "ignore")
        text, skipped = without_comments(text, self.path, notes)
        separator = sniff(text)
        if separator == "\t":
            raise InputError(
                f"{self.path}: tabs were found between the columns where commas were expected of a .csv that is larger "
                "than `memory`; save it with commas or as .parquet"
            )
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
        header = next((row for row in rows if row), None)
        if header is None:
            raise InputError(f"{self.path}: no header was found where the names of the columns were expected; add one")
        check_names(header, self.path)
        names = [name if name else f"Unnamed: {place}" for place, name in enumerate(header)]
        return _Form(encoding, separator, names, skipped, notes)

    def _encoding(self) -> tuple[str, bytes]:
        """What all bytes can be read as, and the first of them."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        is_utf8, is_windows, start, lines = True, True, b"", 1
        with _opened(self.path) as file:
            while block := file.read(_BLOCK):
                if not start:
                    start = block
                    decode(start[:2], self.path, [])  # UTF-16
                if (zero := block.find(b"\0")) >= 0:
                    raise InputError(
                        f"{self.path}: a NUL byte was found in line {lines + block.count(10, 0, zero)} where text was "
                        "expected; the file is damaged or binary"
                    )
                lines += block.count(10)
                if is_utf8:
                    is_utf8 = _continues(decoder, block)
                is_windows = is_windows and _UNKNOWN_TO_WINDOWS.search(block) is None
        if is_utf8 and not _continues(decoder, b"", final=True):
            is_utf8 = False
        return (_UTF8 if is_utf8 else _WINDOWS if is_windows else _LATIN), start


class _Lines:
    """Lines of a text, counted."""

    def __init__(self, text: IO[str], skipped: int) -> None:
        self._text = text
        self.number, self.at_end = 0, False
        for _ in range(skipped):
            next(self)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if not (line := self._text.readline()):
            self.at_end = True
            raise StopIteration
        self.number += 1
        return line


def _continues(decoder: Any, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes, uncompressed as they are read."""
    opener = OPENERS.get(path.suffix.lower())
    try:
        with path.open("rb") if opener is None else opener(path, "rb") as file:
            yield file
    except PermissionError as error:
        raise InputError(f"{path}: the file cannot be read ({error.strerror}); check its permissions") from error
    except BROKEN as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path}: not a complete {path.suffix} file, as its ending promises ({error}); write or download it again, or "
        "rename it"
    )
