"""CoNLL's layout: a word per line with its tags behind it, a blank line between sentences.

Sources: https://www.clips.uantwerpen.be/conll2003/ner/ (columns apart by spaces, the tag last, ``-DOCSTART-`` lines);
https://universaldependencies.org/format.html (CoNLL-U: ten columns apart by tabs, the word second, its tag fourth).
"""

import re
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from ..errors import InputError
from ..frames.targets import objects
from .csv_text import decode, lines_of

ENDINGS = (".conll", ".iob", ".iob2", ".bio", ".conllu")
_TOKENS, _TAGS = "tokens", "tags"
# Words and tags of CoNLL-U, and its whole number of columns.
_FORM, _UPOS, _COLUMNS = 1, 3, 10
# A tag of a chunk or an entity.
_CHUNK = re.compile(r"O|[BIESLUM]-\S+")
_DOCUMENT = "-DOCSTART-"
_HEADERS = {"word", "words", "token", "tokens", "form", "pos", "chunk", "tag", "tags", "ner", "ner_tag", "label"}
# Lines that say whether a file of another ending is of this layout.
_LOOKED_AT = 2000


def read_conll(data: bytes, path: Path, _: Collection[str] = ()) -> pd.DataFrame:
    """Read words and tags.

    Returns:
        A row per sentence, columns ``tokens`` and, where a line has more than a word, ``tags``: lists.

    Raises:
        InputError: no word at all, or a line with another number of columns than the first.
    """
    notes: list[str] = []
    lines = lines_of(decode(data, path, notes))
    universal = ".conllu" in map(str.lower, path.suffixes)
    sentences, starts = _sentences(lines, universal=universal, path=path)
    if not sentences:
        raise InputError(f"{path}: no word was found where some were expected, one per line; check how it was written")
    width = len(sentences[0][0])
    word, tag = (_FORM, _UPOS) if universal else (0, width - 1)
    table = pd.DataFrame({_TOKENS: objects([row[word] for row in rows] for rows in sentences)}, index=pd.Index(starts))
    if width > 1:
        table[_TAGS] = objects([row[tag] for row in rows] for rows in sentences)
        ignored = width - 2
        if ignored and not universal:
            notes.append(
                f"the words of {path.name!r} are its first column, the tags its last; {ignored} between are not read"
            )
    table.attrs = {"notes": notes, "first_line": 1}
    return table


def looks_like_conll(text: str) -> bool:
    """Whether text of another ending has this layout: blocks of lines with a tag last, blank lines between them."""
    lines = lines_of(text)[:_LOOKED_AT]
    if any(line.startswith(_DOCUMENT) for line in lines):
        return True
    rows = [line.split("\t") if "\t" in line else line.split() for line in lines if line.strip()]
    if rows and {cell.strip().lower() for cell in rows[0]} <= _HEADERS:
        rows = rows[1:]
    blank = [not line.strip() for line in lines]
    inner = any(blank[i] and any(not later for later in blank[i:]) for i in range(len(blank)))
    if not inner or not rows or len({len(row) for row in rows}) != 1 or len(rows[0]) < 2:
        return False
    if all(_CHUNK.fullmatch(row[-1]) for row in rows):
        return True
    words, tags = [row[0] for row in rows], {row[-1] for row in rows}
    blocks = 1 + sum(blank[i] and not blank[i - 1] for i in range(1, len(blank)))
    single = not any(" " in word for word in words)  # a text with a label would hold several words
    return single and len(tags) <= len(rows) // 2 and len(rows) >= 2 * blocks and not all(map(_is_number, tags))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _sentences(lines: list[str], *, universal: bool, path: Path) -> tuple[list[list[list[str]]], list[int]]:
    """Columns of the words of each sentence, and the line that it begins in, counted from 0."""
    sentences: list[list[list[str]]] = []
    starts: list[int] = []
    fresh, width = True, 0
    for number, line in enumerate(lines):
        if not line.strip() or line.startswith(_DOCUMENT):
            fresh = True
            continue
        if line.startswith("#") and (universal or len(line.split()) != width):
            continue  # a comment, not the word "#"
        row = line.rstrip().split("\t") if "\t" in line else line.split()
        if universal and not row[0].isdecimal():
            continue  # words of two parts (1-2) and left out ones (1.1) stand beside those that are counted
        if not width and {cell.strip().lower() for cell in row} <= _HEADERS:
            continue  # names of the columns, which the layout does not have, but some files do
        width = width or len(row)
        if len(row) != width or (universal and width != _COLUMNS):
            wanted = _COLUMNS if universal else width
            raise InputError(
                f"{path}: line {number + 1} has {len(row)} columns where {wanted} were expected, a word first and its "
                "tag last; correct the line"
            )
        if fresh:
            sentences.append([])
            starts.append(number)
            fresh = False
        sentences[-1].append(row)
    return sentences, starts
