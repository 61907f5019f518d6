"""CSV text becomes a table: separator and decimal comma are detected, malformed lines named."""

import csv
import io
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pandas as pd

from ..errors import InputError
from ..frames.wording import counted, verb
from .header import check_is_no_row, check_names, without_repeated_headers

_SEPARATORS = ",;\t|"
_MOST_COMMENTS = 200
_SENTENCE = re.compile(r"[a-z] [a-z]|: ", re.IGNORECASE)
Quoting = Literal[0, 3]  # csv.QUOTE_MINIMAL or QUOTE_NONE


def read_csv(data: bytes, path: Path, as_text: Collection[str] = ()) -> pd.DataFrame:
    """Read CSV text.

    Args:
        data: the content of the file.
        path: its name, for messages.
        as_text: columns whose cells stay as they are written: 007 is not 7.

    Returns:
        The table; other columns whose cells are all plain numbers are made numeric.

    Raises:
        InputError: bytes that are not text, no header, or a line with more or fewer fields than the header.
    """
    notes: list[str] = []
    text, skipped = without_comments(_with_line_feeds(decode(data, path, notes)), path, notes)
    separator = sniff(text)
    try:
        with longest_field(sys.maxsize):
            table = _read(text, separator, path, as_text, notes, skipped)
    except csv.Error as error:
        raise InputError(
            f"{path}: the file cannot be read as CSV ({error}); check its quotation marks, and end all lines alike"
        ) from error
    table.attrs["first_line"] += skipped
    return table


def _with_line_feeds(text: str) -> str:
    """Line ends of old Macs, which the csv module does not know, as line feeds."""
    return text.replace("\r", "\n") if "\r" in text and "\n" not in text else text


def _read(
    text: str, separator: str, path: Path, as_text: Collection[str], notes: list[str], skipped: int
) -> pd.DataFrame:
    header = next((row for row in csv.reader(io.StringIO(text), delimiter=separator) if row), None)
    if header is None:
        raise InputError(f"{path}: no header was found where the names of the columns were expected; add one")
    check_names(header, path)
    quoting: Quoting = csv.QUOTE_MINIMAL
    if separator == "\t" and _has_loose_quotes(text, len(header)):
        quoting = csv.QUOTE_NONE
        notes.append(f"{path.name!r} has tabs and one row per line: its quotation marks are read as part of the texts")
    table = _parse(text, separator, header, path, as_text, quoting, skipped)
    _check_short_lines(table, text, separator, header, path, quoting, skipped)
    empty = [name for name in table.columns if str(name).startswith("Unnamed: ") and table[name].isna().all()]
    table = table.drop(columns=empty)  # a separator at the end of every line
    _keep_line_numbers(table, text)
    table = without_repeated_headers(table, notes)
    check_is_no_row(table, header, path)
    table.attrs = {"notes": notes, "first_line": 2, "untyped": tuple(as_text)}
    return table


@contextmanager
def longest_field(characters: int) -> Iterator[None]:
    """Let the csv module read fields of some length; its limit applies to the whole process."""
    before = csv.field_size_limit(characters)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _has_loose_quotes(text: str, columns: int) -> bool:
    """Whether a tab-separated text is one row per line as it is, but quotation marks would join lines.

    Corpora are written like that: a text may begin with a mark that nothing closes, which would swallow the next lines.
    """
    if columns < 2 or '"' not in text:
        return False
    lines = [line for line in lines_of(text) if line.strip()]
    if any(line.count("\t") != columns - 1 for line in lines):
        return False
    return sum(1 for fields in csv.reader(io.StringIO(text), delimiter="\t", skipinitialspace=True) if fields) != len(
        lines
    )


def lines_of(text: str) -> list[str]:
    """Cut at line ends only: str.splitlines would also cut at characters that a text may hold, such as U+2028."""
    return re.split(r"\r\n|\n|\r", text)


def decode(data: bytes, path: Path, notes: list[str]) -> str:
    """Read bytes as UTF-8, else as Windows-1252 or Latin-1, which is noted; UTF-16 and NUL bytes are refused."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path}: the file is written in UTF-16 where UTF-8 was expected; save it again as UTF-8")
    zero = data.find(b"\0")
    if zero >= 0:
        line = data.count(b"\n", 0, zero) + 1
        raise InputError(
            f"{path}: a NUL byte was found in line {line} where text was expected; the file is damaged or binary"
        )
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "cp1252":
            notes.append(f"{path.name!r} is not UTF-8: it is read as Windows-1252")
        return text
    notes.append(f"{path.name!r} is not UTF-8: it is read as Latin-1")
    return data.decode("latin-1")


def without_comments(text: str, path: Path, notes: list[str]) -> tuple[str, int]:
    """Leave out lines that begin with # before the header, unless the last of them is the header; and count them."""
    lines = text.split("\n", _MOST_COMMENTS)
    comments = next((i for i, line in enumerate(lines) if not line.lstrip().startswith("#")), len(lines))
    if not comments or comments >= len(lines) - 1:
        return text, 0
    separator = sniff(lines[comments])
    width = lines[comments].count(separator)
    if width and lines[comments - 1].count(separator) == width and not _SENTENCE.search(lines[comments - 1]):
        comments -= 1  # "#date,value" is a header
    if not comments:
        return text, 0
    notes.append(
        f"{counted(comments, 'line')} before the header of {path.name!r} "
        f"{verb(comments, 'begins with # and is', 'begin with # and are')} left out"
    )
    return "\n".join(lines[comments:]), comments


def sniff(text: str) -> str:
    """Choose the separator that cuts the header into most fields."""
    header = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
    return max(_SEPARATORS, key=lambda separator: len(next(csv.reader([header], delimiter=separator), [])))


def _parse(
    text: str,
    separator: str,
    header: list[str],
    path: Path,
    as_text: Collection[str],
    quoting: Quoting,
    skipped: int,
) -> pd.DataFrame:
    columns = len(header)
    try:
        table = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            skipinitialspace=True,
            # "NA" in a text column may be Namibia; missing markers in numeric columns are read further down
            keep_default_na=False,
            na_values=[""],
            # the only column of a file may well be empty in a line; otherwise an empty line is no row
            skip_blank_lines=columns > 1,
            low_memory=False,
            quoting=quoting,
            dtype={name: str for name in header if name in as_text},
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if found is None:
            if "EOF inside string" in str(error):
                *_, (first, _, _) = _rows(text, separator, quoting)
                raise never_closed(path, first + skipped) from error
            raise InputError(
                f"{path}: the file cannot be read as CSV ({str(error).strip()}); check its quotation marks"
            ) from error
        first, line, fields = int(found[2]), int(found[2]), int(found[3])
        for begin, end, row in _rows(text, separator, quoting):  # pandas counts rows, not lines
            if len(row) > columns:
                first, line, fields = begin, end, len(row)
                break
        raise wrong_width(path, first + skipped, line + skipped, fields, columns) from error
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes surplus fields for an index
        first, line, row = next(found for found in _rows(text, separator, quoting) if len(found[2]) > columns)
        raise wrong_width(path, first + skipped, line + skipped, len(row), columns)
    return table


def _check_short_lines(
    table: pd.DataFrame,
    text: str,
    separator: str,
    header: list[str],
    path: Path,
    quoting: Quoting,
    skipped: int,
) -> None:
    """Find a line that ends early: pandas fills it up silently."""
    if len(header) < 2 or not table.iloc[:, -1].isna().any():
        return
    for first, last, fields in _rows(text, separator, quoting):
        if fields and len(fields) != len(header):
            raise wrong_width(path, first + skipped, last + skipped, len(fields), len(header))


def _rows(text: str, separator: str, quoting: Quoting) -> Iterator[tuple[int, int, list[str]]]:
    """The lines in which each row begins and ends, and the row."""
    reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True, quoting=quoting)
    before = 0
    for fields in reader:
        yield before + 1, reader.line_num, fields
        before = reader.line_num


def never_closed(path: Path, line: int) -> InputError:
    """What is said of a quotation mark that all the rest of the file is read behind."""
    return InputError(
        f"{path}: the text that begins in line {line} has no end; close its quotation mark, and end all lines alike"
    )


def wrong_width(path: Path, first: int, line: int, fields: int, expected: int) -> InputError:
    """What is said of a line with more or fewer fields than the header, or of lines that are one row."""
    advice = (
        "leave a missing cell empty, but keep its separator"
        if fields < expected
        else "a text with a separator in it needs quotation marks"
    )
    if first < line:
        return InputError(
            f"{path}: lines {first} to {line} are one row of {counted(fields, 'field')}, as a quotation mark is opened "
            f"before the end of line {first}, where {expected} {verb(expected, 'was', 'were')} expected, as in the "
            f"header; close the mark if it is left open, or correct the row ({advice})"
        )
    return InputError(
        f"{path}: line {line} has {counted(fields, 'field')} where {expected} {verb(expected, 'was', 'were')} "
        f"expected, as in the header; correct the line ({advice})"
    )


def _keep_line_numbers(table: pd.DataFrame, text: str) -> None:
    """Let the index skip the empty lines that pandas skips, so that messages name the right line."""
    if re.search(r"\n[ \t]*\r?\n", text.rstrip()) is None:
        return
    filled = [number for number, line in enumerate(text.split("\n")) if line.strip()]
    if len(filled) == len(table) + 1:  # otherwise a quoted text goes over several lines
        table.index = pd.Index(filled[1:]) - 1
