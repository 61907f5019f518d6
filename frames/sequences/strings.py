"""Texts: cells become strings that any tool can write again as UTF-8."""

import re
from collections.abc import Sequence
from typing import Any

from ...errors import InputError
from ..wording import counted, verb
from .source_tables import SourceTables
from .written_lists import read_lists

# How texts become lists of tokens.
LISTS, SPACES = "lists", "spaces"

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
        notes.append(
            f"{zeros:,} of {len(texts):,} {what} {verb(zeros, 'holds', 'hold')} NUL characters, which are kept"
        )
    return texts


def read_texts(tables: SourceTables, name: str, notes: list[str], *, for_prediction: bool = False) -> list[str]:
    """Read a column of texts: missing ones are empty, numbers among texts are written out.

    Args:
        tables: the table or tables.
        name: column.
        notes: receives what was done.
        for_prediction: whether the texts may all be empty, or all be written as numbers: those that come with them need
            not be like those of the training set.
    """
    cells = tables.cells(name)
    other = [cell for cell in cells if cell is not None and not isinstance(cell, str)]
    if other and not for_prediction and len(other) == len([cell for cell in cells if cell is not None]):
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
            f"{counted(len(other), 'cell')} of {name!r} {verb(len(other), 'is not a text', 'are not texts')} (such as "
            f"{other[0]!r}): {verb(len(other), 'it is', 'they are')} converted to text"
        )
    texts = clean(["" if cell is None else str(cell) for cell in cells], f"texts in {name!r}", notes)
    empty = sum(not text.strip() for text in texts)
    if empty == len(texts) and not for_prediction:
        raise InputError(
            f"{tables.source}: column {name!r} holds no text where some was expected; name another column as `text`"
        )
    if empty:
        notes.append(
            f"{empty:,} of {len(texts):,} texts in {name!r} {verb(empty, 'is', 'are')} empty or missing: "
            f"{verb(empty, 'it is kept, as an empty text', 'they are kept, as empty texts')}"
        )
    return texts


def read_tokens(
    tables: SourceTables, name: str, notes: list[str], *, cut: str | None = None, for_prediction: bool = False
) -> tuple[list[list[str]], str | None]:
    """Read a column of lists of tokens; a missing cell has none.

    Args:
        tables: the table or tables.
        name: column.
        notes: receives what was done.
        cut: how texts become lists: "lists" (they are written as lists) or "spaces" (they are cut there). Default:
            as lists where all of them are, otherwise at spaces.
        for_prediction: whether there may be no token at all.

    Returns:
        Lists of tokens, and how texts were cut; None where there were none.
    """
    cells = tables.cells(name)
    found, cut = cut_cells(cells, cut)
    for row, cell in enumerate(found):
        if cell is not None and not isinstance(cell, list | tuple):
            raise InputError(
                f"{tables.source}: column {name!r} holds {cell!r} in {tables.place(row)} where a list of tokens was "
                'expected, such as ["the", "cat"]; correct the cell'
            )
    lists = [[_token(token, name, tables, row) for token in cell or ()] for row, cell in enumerate(found)]
    texts = sum(isinstance(cell, str) for cell in cells)
    if texts:
        how = "read as lists" if cut == LISTS else "cut into tokens at their spaces"
        notes.append(f"{counted(texts, 'text')} in {name!r} {verb(texts, 'is', 'are')} {how}")
    if not any(lists) and not for_prediction:
        raise InputError(
            f"{tables.source}: column {name!r} holds no tokens where some were expected; name another column as `text`"
        )
    flat = iter(clean([token for tokens in lists for token in tokens], f"tokens in {name!r}", notes))
    return [[next(flat) for _ in tokens] for tokens in lists], cut


def cut_cells(cells: Sequence[Any], cut: str | None) -> tuple[list[Any], str | None]:
    """Put lists in the place of texts; see :func:`read_tokens`."""
    if not any(isinstance(cell, str) for cell in cells):
        return list(cells), cut
    if cut != SPACES:
        lists = read_lists(cells)
        if lists is not None:
            return lists, LISTS
    return [cell.split() if isinstance(cell, str) else cell for cell in cells], SPACES


def _token(token: Any, name: str, tables: SourceTables, row: int) -> str:
    if isinstance(token, str | int | float):
        return str(token)
    raise InputError(
        f"{tables.source}: column {name!r} holds {token!r} among the tokens in {tables.place(row)} where a text was "
        "expected; correct the cell"
    )
