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
    cleaned, broken, zeros = _cleaned(texts)
    _note_cleaned(broken, zeros, len(cleaned), what, notes)
    return cleaned


def _cleaned(texts: Sequence[str]) -> tuple[list[str], int, int]:
    """Texts without lone surrogates, in how many there were some, and how many hold NUL characters."""
    broken = [position for position, text in enumerate(texts) if _SURROGATE.search(text)]
    texts = list(texts)
    for position in broken:
        texts[position] = _SURROGATE.sub("\ufffd", texts[position])
    return texts, len(broken), sum("\0" in text for text in texts)


def _note_cleaned(broken: int, zeros: int, total: int, what: str, notes: list[str]) -> None:
    if broken:
        notes.append(f"lone surrogates (half characters) in {broken:,} of {total:,} {what} are replaced by �")
    if zeros:
        notes.append(f"{zeros:,} of {total:,} {what} {verb(zeros, 'holds', 'hold')} NUL characters, which are kept")


def read_texts(tables: SourceTables, name: str, notes: list[str], *, for_prediction: bool = False) -> list[str]:
    """Read a column of texts: missing ones are empty, numbers among texts are written out.

    Args:
        tables: the table or tables.
        name: column.
        notes: receives what was done.
        for_prediction: whether the texts may all be empty, or all be written as numbers: those that come with them need
            not be like those of the training set.
    """
    column = TextColumn(name)
    texts = column.read(tables)
    column.finish(tables.source, notes, for_prediction=for_prediction)
    return texts


class TextColumn:
    """A column of texts, read in one or several tables; what was found is counted over all of them.

    Args:
        name: column.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._total, self._missing, self._broken, self._zeros, self._empty = 0, 0, 0, 0, 0
        self._other, self._example = 0, None  # cells that are not texts, and the first one

    def read(self, tables: SourceTables) -> list[str]:
        """The texts of some rows.

        Raises:
            InputError: a list where a text was expected.
        """
        cells = tables.cells(self.name)
        for row, cell in enumerate(cells):
            if isinstance(cell, list | tuple | dict | set):
                raise InputError(
                    f"{tables.source}: column {self.name!r} holds a list in {tables.place(row)} where a text was "
                    "expected; correct the cell"
                )
        other = [cell for cell in cells if cell is not None and not isinstance(cell, str)]
        if other and not self._other:
            self._example = other[0]
        texts, broken, zeros = _cleaned(["" if cell is None else str(cell) for cell in cells])
        self._total += len(cells)
        self._missing += sum(cell is None for cell in cells)
        self._other, self._broken, self._zeros = self._other + len(other), self._broken + broken, self._zeros + zeros
        self._empty += sum(not text.strip() for text in texts)
        return texts

    def finish(self, source: str, notes: list[str], *, for_prediction: bool = False) -> None:
        """Note what was found in all tables.

        Raises:
            InputError: no text at all, where some was expected.
        """
        name, other, empty, total = self.name, self._other, self._empty, self._total
        if other and not for_prediction and other == total - self._missing:
            raise InputError(
                f"{source}: column {name!r} holds no texts but values such as {self._example!r} where texts were "
                "expected; name the column of texts as `text`"
            )
        if other:
            notes.append(
                f"{counted(other, 'cell')} of {name!r} {verb(other, 'is not a text', 'are not texts')} (such as "
                f"{self._example!r}): {verb(other, 'it is', 'they are')} converted to text"
            )
        _note_cleaned(self._broken, self._zeros, total, f"texts in {name!r}", notes)
        if empty == total and not for_prediction:
            raise InputError(
                f"{source}: column {name!r} holds no text where some was expected; name another column as `text`"
            )
        if empty:
            notes.append(
                f"{empty:,} of {total:,} texts in {name!r} {verb(empty, 'is', 'are')} empty or missing: "
                f"{verb(empty, 'it is kept, as an empty text', 'they are kept, as empty texts')}"
            )


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
