"""Tables with one word per row and a column that tells the texts apart, as corpora of tagged words come."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pandas as pd

from ...errors import InputError
from ..cells import holds_text
from ..columns import check_single_roles, listed, note_ignored
from ..targets import objects
from ..wording import counted, verb
from .long_table import LongTableColumns, groups_of_sequences, read_sequence_columns, sort_rows, time_column
from .ragged_arrays import SequenceData
from .source_tables import SourceTables
from .strings import clean

WORD_NAMES = ("token", "word", "tokens", "words", "form")


def read_word_rows(
    tables: SourceTables, columns: LongTableColumns, text: str | None, notes: list[str]
) -> tuple[str, str | None, SequenceData]:
    """Read a table of words; see ``TextFrame.from_table``.

    Returns:
        The columns of words and of time, and lists of words in place of arrays.
    """
    if columns.time is not None:  # without one the rows are taken as they come: a date of a text is no place in it
        columns = replace(columns, time=time_column(tables, columns, (), notes))
    text = text or find_words(tables.tables[0], columns.named, tables.source)
    given = [*columns.named, text]
    for column in given:
        tables.check_column(column)
    check_single_roles(given, tables.source)
    note_ignored(tables.tables[0], given, notes)
    ids = _filled_down(tables, columns.id, notes)
    order = sort_rows(tables, ids, columns, notes)
    words = clean([_word(cell) for cell in tables.cells(text)], f"words in {text!r}", notes)
    targets, missing, is_test = read_sequence_columns(tables, order, columns, notes)
    lists: list[Any] = [list(part) for part in order.cut(objects(words))]
    names, groups = objects(ids)[order.rows[order.starts]], groups_of_sequences(tables, order, columns, notes)
    return text, columns.time, SequenceData(lists, (), targets, missing, is_test, names, groups)


def find_words(table: pd.DataFrame, taken: Iterable[str], source: str) -> str:
    """The column of words: one with a usual name, else the only one of texts.

    Raises:
        InputError: none, or several.
    """
    found = words_of(table, taken)
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} columns could be the words ({listed(found)})" if found else "no column of words was found"
    raise InputError(f"{source}: {what} where one was expected, with a word in each row; name it as `text`")


def words_of(table: pd.DataFrame, taken: Iterable[str]) -> list[str]:
    """The columns that could hold a word per row; one with a usual name before all others."""
    taken = set(taken)
    free = [name for name in table.columns if name not in taken]
    lowered = {str(name).lower(): name for name in reversed(free)}
    usual = [lowered[name] for name in WORD_NAMES if name in lowered]
    return usual[:1] or [name for name in free if holds_text(table[name])]


def _filled_down(tables: SourceTables, id: str, notes: list[str]) -> list[Any]:
    """Ids that stand in the first row of each text only, as spreadsheets merge cells, written into every row."""
    ids = [None if isinstance(cell, str) and not cell.strip() else cell for cell in tables.cells(id)]
    gaps = sum(cell is None for cell in ids)
    starts = {0, len(tables.tables[0])} & set(range(len(ids)))
    if not gaps or any(ids[start] is None for start in starts):
        return ids
    filled, last = [], None
    for cell in ids:
        last = last if cell is None else cell
        filled.append(last)
    notes.append(
        f"{counted(gaps, 'empty cell')} of {id!r} {verb(gaps, 'goes', 'go')} on with the text of the cell above"
    )
    return filled


def _word(cell: Any) -> str:
    return "" if cell is None else str(cell)
