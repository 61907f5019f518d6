"""Texts: cells become strings that any tool can write again as UTF-8."""

import re
from collections.abc import Sequence
from typing import Any

from ..errors import InputError
from .parts import Parts

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def clean(texts: Sequence[str], what: str, notes: list[str]) -> list[str]:
    """Replace what isn't Unicode, and tell about it and about NUL characters.

    A half of a surrogate pair (JSON can hold one) cannot be written as UTF-8: it becomes the replacement character.
    NUL characters are kept.
    """
    broken = [position for position, text in enumerate(texts) if _SURROGATE.search(text)]
    texts = list(texts)
    for position in broken:
        texts[position] = _SURROGATE.sub("\ufffd", texts[position])
    if broken:
        notes.append(
            f"Half characters (lone surrogates) in {len(broken):,} of {len(texts):,} {what} are replaced by �."
        )
    zeros = sum("\0" in text for text in texts)
    if zeros:
        notes.append(f"{zeros:,} of {len(texts):,} {what} hold NUL characters, which are kept.")
    return texts


def read_texts(parts: Parts, name: str, notes: list[str]) -> list[str]:
    """Read a column of texts: missing ones are empty, numbers among texts are written out."""
    cells = parts.cells(name)
    other = [cell for cell in cells if cell is not None and not isinstance(cell, str)]
    if other and len(other) == len([cell for cell in cells if cell is not None]):
        raise InputError(
            f"Column `{name}` of {parts.source} holds no texts but values such as {other[0]!r}: name the column of "
            "texts with --text."
        )
    for row, cell in enumerate(cells):
        if isinstance(cell, list | tuple | dict | set):
            raise InputError(
                f"Column `{name}` holds a list in {parts.place(row)} where a text was expected: correct it."
            )
    if other:
        notes.append(f"{len(other):,} cells of `{name}` are no texts (such as {other[0]!r}): they are read as written.")
    texts = clean(["" if cell is None else str(cell) for cell in cells], f"texts in `{name}`", notes)
    empty = sum(not text.strip() for text in texts)
    if empty == len(texts):
        raise InputError(f"Column `{name}` of {parts.source} holds no text at all: name another column with --text.")
    if empty:
        notes.append(
            f"{empty:,} of {len(texts):,} texts in `{name}` are empty or missing: they are kept, as empty texts."
        )
    return texts


def read_tokens(parts: Parts, name: str, notes: list[str]) -> list[list[str]]:
    """Read a column of lists of tokens; a text is cut at its spaces, a missing cell has none."""
    found = []
    cut = 0
    for row, cell in enumerate(parts.cells(name)):
        if isinstance(cell, str):
            cut += 1
            found.append(cell.split())
        elif cell is None or isinstance(cell, list | tuple):
            found.append([_token(token, name, parts, row) for token in cell or ()])
        else:
            raise InputError(
                f"Column `{name}` holds {cell!r} in {parts.place(row)} where a list of tokens was expected, such as "
                '["the", "cat"]: correct the line.'
            )
    if cut:
        notes.append(f"{cut:,} texts in `{name}` are cut into tokens at their spaces.")
    empty = sum(not tokens for tokens in found)
    if empty == len(found):
        raise InputError(f"Column `{name}` of {parts.source} holds no token at all: name another column with --text.")
    flat = iter(clean([token for tokens in found for token in tokens], f"tokens in `{name}`", notes))
    return [[next(flat) for _ in tokens] for tokens in found]


def _token(token: Any, name: str, parts: Parts, row: int) -> str:
    if isinstance(token, str | int | float):
        return str(token)
    raise InputError(
        f"Column `{name}` holds {token!r} among the tokens in {parts.place(row)} where a text was expected: "
        "correct the line."
    )
