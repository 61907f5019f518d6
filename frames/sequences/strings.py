"""Texts: cells become strings that any tool can write again as UTF-8."""

import re
from collections.abc import Sequence
from typing import Any

from ...errors import InputError
from .source_tables import SourceTables

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def clean(texts: Sequence[str], what: str, notes: list[str]) -> list[str]:
    """Replace what isn't Unicode, and note it and NUL characters.

    A half of a surrogate pair (JSON can hold one) cannot be written as UTF-8: it becomes the replacement character.
    NUL characters are kept.
    """
    broken = [position for position, text in enumerate(texts) if _SURROGATE.search(text)]
    texts = list(texts)
    for position in broken:
        texts[position] = _SURROGATE.sub("\ufffd", texts[position])
    if broken:
        notes.append(f"lone surrogates (half characters) in {len(broken):,} of {len(texts):,} {what} are replaced by �")
    zeros = sum("\0" in text for text in texts)
    if zeros:
        notes.append(f"{zeros:,} of {len(texts):,} {what} hold NUL characters, which are kept")
    return texts


def read_texts(tables: SourceTables, name: str, notes: list[str]) -> list[str]:
    """Read a column of texts: missing ones are empty, numbers among texts are written out."""
    cells = tables.cells(name)
    other = [cell for cell in cells if cell is not None and not isinstance(cell, str)]
    if other and len(other) == len([cell for cell in cells if cell is not None]):
        raise InputError(
            f"{tables.source}: column {name!r} holds no texts but values such as {other[0]!r} where texts were "
            "expected; name the column of texts as `text`"
        )
    for row, cell in enumerate(cells):
        if isinstance(cell, list | tuple | dict | set):
            raise InputError(
                f"{tables.source}: column {name!r} holds a list in {tables.place(row)} where a text was expected; "
                "correct the cell"
            )
    if other:
        notes.append(
            f"{len(other):,} cells of {name!r} are not texts (such as {other[0]!r}): they are converted to text"
        )
    texts = clean(["" if cell is None else str(cell) for cell in cells], f"texts in {name!r}", notes)
    empty = sum(not text.strip() for text in texts)
    if empty == len(texts):
        raise InputError(
            f"{tables.source}: column {name!r} holds no text where some was expected; name another column as `text`"
        )
    if empty:
        notes.append(
            f"{empty:,} of {len(texts):,} texts in {name!r} are empty or missing: they are kept, as empty texts"
        )
    return texts


def read_tokens(tables: SourceTables, name: str, notes: list[str]) -> list[list[str]]:
    """Read a column of lists of tokens; a text is cut at its spaces, a missing cell has none."""
    found = []
    cut = 0
    for row, cell in enumerate(tables.cells(name)):
        if isinstance(cell, str):
            cut += 1
            found.append(cell.split())
        elif cell is None or isinstance(cell, list | tuple):
            found.append([_token(token, name, tables, row) for token in cell or ()])
        else:
            raise InputError(
                f"{tables.source}: column {name!r} holds {cell!r} in {tables.place(row)} where a list of tokens was "
                'expected, such as ["the", "cat"]; correct the cell'
            )
    if cut:
        notes.append(f"{cut:,} texts in {name!r} are cut into tokens at their spaces")
    empty = sum(not tokens for tokens in found)
    if empty == len(found):
        raise InputError(
            f"{tables.source}: column {name!r} holds no tokens where some were expected; name another column as `text`"
        )
    flat = iter(clean([token for tokens in found for token in tokens], f"tokens in {name!r}", notes))
    return [[next(flat) for _ in tokens] for tokens in found]


def _token(token: Any, name: str, tables: SourceTables, row: int) -> str:
    if isinstance(token, str | int | float):
        return str(token)
    raise InputError(
        f"{tables.source}: column {name!r} holds {token!r} among the tokens in {tables.place(row)} where a text was "
        "expected; correct the cell"
    )
