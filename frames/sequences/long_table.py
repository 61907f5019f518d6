"""Tables with one step per row and a column that tells the sequences apart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from ..cells import holds_text, looks_numeric
from ..columns import ROW_NUMBERS, TIME_NAMES, check_single_roles, listed, note_ignored
from ..series.time_cells import read_time
from ..targets import TASK_OF_ROLE, Targets, objects
from ..wording import counted, verb
from .groups import read_groups
from .labels import read_labels
from .ragged_arrays import SequenceData
from .source_tables import SourceTables

STEP_NAMES = ("step", "time_step", "timestep", "t")


@dataclass(frozen=True)
class RowOrder:
    """Rows in the order of sequences and steps, and the position of the first row of each sequence in it."""

    rows: np.ndarray
    starts: np.ndarray

    def cut(self, values: Any) -> list:
        """Cut a column (or table) of the rows into sequences."""
        return np.split(values[self.rows], self.starts[1:])


@dataclass(frozen=True)
class LongTableColumns:
    """The user's columns; ``role`` is that of the column ``target``: label, value or tags."""

    id: str
    time: str | None
    split: str | None
    role: str | None
    target: str | None
    group: str | None = None

    @property
    def named(self) -> list[str]:
        return [name for name in (self.id, self.time, self.split, self.target, self.group) if name is not None]


def read_long_table(
    tables: SourceTables, columns: LongTableColumns, channels: Sequence[str] | None, notes: list[str]
) -> tuple[str | None, SequenceData]:
    """Read a table with an id column; see ``PanelFrame.from_table``. Gives the time column too, or "none"."""
    columns = replace(columns, time=time_column(tables, columns, channels or (), notes))
    given = [*columns.named, *(channels or ())]
    for column in given:
        tables.check_column(column)
    check_single_roles(given, tables.source)
    channels = list(channels or _default_channels(tables, columns.named))
    note_ignored(tables.tables[0], (*columns.named, *channels), notes)
    ids = tables.cells(columns.id)
    order = sort_rows(tables, ids, columns, notes)
    _note_unread_words(tables, columns, channels, notes)
    values = np.column_stack([tables.numbers(channel) for channel in channels])
    targets, missing, is_test = read_sequence_columns(tables, order, columns, notes)
    names = objects(ids)[order.rows[order.starts]]
    groups = groups_of_sequences(tables, order, columns, notes)
    return columns.time or ROW_NUMBERS, SequenceData(
        order.cut(values), tuple(channels), targets, missing, is_test, names, groups
    )


def read_sequence_columns(
    tables: SourceTables, order: RowOrder, columns: LongTableColumns, notes: list[str]
) -> tuple[Targets | None, np.ndarray, np.ndarray | None]:
    """Targets of the sequences, which of them are missing: bool (sequences,), and which are held out, if any are."""
    is_test = tables.is_test(notes)
    if is_test is not None:
        flags = objects(is_test.tolist())
        is_test = np.array(constant(tables, order, flags, columns.split or columns.id, columns.id), dtype=bool)
    if columns.target is None:
        return None, np.zeros(len(order.starts), dtype=bool), is_test
    targets, missing = read_targets(tables, order, columns, columns.target, notes)
    return targets, missing, is_test


def groups_of_sequences(
    tables: SourceTables, order: RowOrder, columns: LongTableColumns, notes: list[str]
) -> np.ndarray | None:
    """Number of the group of each sequence, the same in all its rows; None without such a column."""
    name = columns.group or ""
    return read_groups(tables, notes, lambda cells: constant(tables, order, cells, name, columns.id, otherwise=""))


def time_column(
    tables: SourceTables, columns: LongTableColumns, channels: Sequence[str], notes: list[str]
) -> str | None:
    """The column that steps are sorted by: the one given, or one with a usual name."""
    if columns.time is not None:
        by_rows = columns.time.lower() == ROW_NUMBERS and columns.time not in tables.tables[0].columns
        return None if by_rows else columns.time
    taken = {*columns.named, *channels}
    free = {str(name).lower(): name for name in reversed(tables.tables[0].columns) if name not in taken}
    found = next((free[name] for name in (*TIME_NAMES, *STEP_NAMES) if name in free), None)
    if found is not None:
        notes.append(f"the steps of each sequence are sorted by column {found!r} (set `time` to override)")
    return found


def _default_channels(tables: SourceTables, taken: list[str]) -> list:
    table = tables.tables[0]
    channels = [column for column in table.columns if column not in taken and looks_numeric(table[column])]
    if not channels:
        raise InputError(
            f"{tables.source}: no numeric column is left for the values of the sequences (the columns are "
            f"{listed(map(str, table.columns))}); add one"
        )
    return channels


def _note_unread_words(
    tables: SourceTables, columns: LongTableColumns, channels: Sequence[str], notes: list[str]
) -> None:
    """Say it loudly where a column of words stands beside tags: the words may be what is to be tagged."""
    table = tables.tables[0]
    words = [name for name in table.columns if name not in {*columns.named, *channels} and holds_text(table[name])]
    if words and columns.role == "tags":
        notes.append(
            f"the steps are the numbers in {listed(channels)} alone, NOT the words in {listed(words)}; name a column "
            "of words as `text` if they are the steps"
        )


def sort_rows(tables: SourceTables, ids: list[Any], columns: LongTableColumns, notes: list[str]) -> RowOrder:
    """The rows of each sequence together, sorted by time where there is a column of it.

    Args:
        tables: the table or tables.
        ids: what each row's sequence is called: (rows,).
        columns: names of the columns of ids and time.
        notes: receives what was done.

    Raises:
        InputError: a row without id, or the same moment twice in one sequence.
    """
    id, time = columns.id, columns.time
    empty = [row for row, cell in enumerate(ids) if cell is None]
    if empty:
        raise InputError(
            f"{tables.source}: column {id!r} is empty in {tables.place(empty[0])} ({counted(len(empty), 'row')} in "
            "all) where the name of a sequence was expected; fill it in"
        )
    second = np.repeat(np.arange(len(tables.tables)), [len(table) for table in tables.tables])
    shared = set(ids[: len(tables.tables[0])]) & set(ids[len(tables.tables[0]) :])
    if shared:
        notes.append(
            f"{counted(len(shared), 'value')} of {id!r} {verb(len(shared), 'is', 'are')} in both the training and the "
            f"test table: {verb(len(shared), 'it is', 'they are')} taken as different sequences"
        )
    codes = pd.factorize(objects(ids))[0].astype("int64") * len(tables.tables) + second
    codes = pd.factorize(codes)[0]  # by first appearance
    as_found = np.argsort(codes, kind="stable")
    if time is None:
        rows = as_found
    else:
        moments = _moments(tables, time)
        rows = np.lexsort((moments, codes))
        _check_moments(tables, rows, codes, moments, time)
        if not np.array_equal(rows, as_found):
            notes.append(f"the steps of some sequences were not in the order of {time!r}: they are sorted")
    return RowOrder(rows, np.flatnonzero(np.r_[True, np.diff(codes[rows]) != 0]))


def _check_moments(tables: SourceTables, rows: np.ndarray, codes: np.ndarray, moments: np.ndarray, time: str) -> None:
    same = np.flatnonzero((np.diff(codes[rows]) == 0) & (np.diff(moments[rows]) == 0))
    if len(same):
        first, again = sorted(rows[same[0] : same[0] + 2])
        raise InputError(
            f"{tables.source}: column {time!r} is duplicated in one sequence, in {tables.place(first)} and "
            f"{tables.place(again)}, where one row per step was expected; leave one row out, or check `id`"
        )


def _moments(tables: SourceTables, time: str) -> np.ndarray:
    found = []
    for table, source in zip(tables.tables, tables.sources, strict=True):
        if looks_numeric(table[time]):
            numbers = tables.numbers(time)
            if np.isnan(numbers).any():
                row = int(np.argmax(np.isnan(numbers)))
                raise InputError(
                    f"{tables.source}: column {time!r} is empty in {tables.place(row)} where a time was expected; fill "
                    "it in"
                )
            return numbers
        index = read_time(table, (time,), source)[0]
        found.append(index.asi8 if isinstance(index, pd.DatetimeIndex) else index.to_numpy())
    return np.concatenate(found).astype("float64")


def read_targets(
    tables: SourceTables, order: RowOrder, columns: LongTableColumns, name: str, notes: list[str]
) -> tuple[Targets, np.ndarray]:
    """Read a column of targets: the tags of every step, or one target for all rows of a sequence."""
    if columns.role == "tags":
        return _tags(tables, order, name, notes)
    if columns.role == "value":
        cells = objects(None if np.isnan(number) else number for number in tables.numbers(name))
        found = constant(tables, order, cells, name, columns.id)
        values = np.array([np.nan if cell is None else cell for cell in found], dtype="float64")
        return Targets(TASK_OF_ROLE["value"], name, values), np.isnan(values)
    labels, gone = read_labels(tables, name, notes)
    labels[gone] = None
    found = constant(tables, order, labels, name, columns.id)
    return Targets(TASK_OF_ROLE["label"], name, objects(found)), np.array([cell is None for cell in found], dtype=bool)


def _tags(tables: SourceTables, order: RowOrder, name: str, notes: list[str]) -> tuple[Targets, np.ndarray]:
    """Cut a column of tags; a sequence without any is missing, one with a gap is refused."""
    tags, gone = read_labels(tables, name, notes)
    lists, missing = order.cut(tags), np.array([flags.all() for flags in order.cut(gone)])
    for flags, rows, left_out in zip(order.cut(gone), order.cut(np.arange(len(gone))), missing, strict=True):
        if flags.any() and not left_out:
            raise InputError(
                f"{tables.source}: column {name!r} is empty in {tables.place(int(rows[np.argmax(flags)]))} where every "
                "step was expected to have a tag; fill it in, or leave all tags of the sequence empty"
            )
    return Targets(TASK_OF_ROLE["tags"], name, objects(list(cells) for cells in lists)), missing


_AS_TAGS = ", or name the column as `tags` for a label for every step"


def constant(
    tables: SourceTables, order: RowOrder, cells: np.ndarray, name: str, id: str, *, otherwise: str = _AS_TAGS
) -> list:
    """Give the one value that each sequence has in all its rows; None where it has none."""
    codes, distinct = pd.factorize(cells)
    codes = codes[order.rows]
    high = np.maximum.reduceat(codes, order.starts)  # -1 where no row of the sequence has a value
    low = np.minimum.reduceat(np.where(codes < 0, len(distinct), codes), order.starts)
    changing = np.flatnonzero((high >= 0) & (low != high))
    if len(changing):
        rows = [row for row in order.cut(np.arange(len(cells)))[changing[0]] if cells[row] is not None]
        first, other = rows[0], next(row for row in rows if cells[row] != cells[rows[0]])
        found = tables.cells(name)
        raise InputError(
            f"{tables.source}: column {name!r} changes inside sequence {tables.cells(id)[other]!r}, from "
            f"{found[first]!r} in {tables.place(first)} to {found[other]!r} in {tables.place(other)}, where one value "
            f"was expected; correct the rows{otherwise}"
        )
    return [None if code < 0 else distinct[code] for code in high]
