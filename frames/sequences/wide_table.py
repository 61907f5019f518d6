"""Tables with one sequence per row and a column per step: ``t0, t1, ..., t9, target``."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..cells import looks_numeric
from ..columns import listed, note_ignored
from ..targets import TASK_OF_ROLE, Targets, objects
from .groups import read_groups
from .labels import read_labels
from .ragged_arrays import SequenceData, cut_missing_ends
from .source_tables import SourceTables

# Fewer numbered columns than these are no sequence.
FEWEST_STEPS = 5
_NUMBERED = re.compile(r"(.*?)[ _.\-]?(\d+)", re.DOTALL)


@dataclass(frozen=True)
class WideColumns:
    """Columns of steps.

    Attributes:
        channels: what the columns of each channel are called but for their number.
        steps: for each channel its columns, in order.
    """

    channels: tuple[str, ...]
    steps: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> list[str]:
        """All columns."""
        return [name for names in self.steps for name in names]


def find_steps(table: pd.DataFrame, taken: Iterable[str | None]) -> WideColumns | None:
    """Find numbered columns of numbers, t0, t1, ...: several kinds of the same numbers are several channels.

    Args:
        table: one row per sequence.
        taken: columns with another role.

    Returns:
        The columns by rising number; None where there are too few, or kinds with different numbers.
    """
    taken = set(taken)
    kinds: dict[str, dict[int, str]] = {}
    for name in table.columns:
        match = _NUMBERED.fullmatch(str(name).strip())
        if name not in taken and match and looks_numeric(table[name]):
            if int(match[2]) in kinds.setdefault(match[1], {}):
                return None
            kinds[match[1]][int(match[2])] = name
    kinds = {prefix: columns for prefix, columns in kinds.items() if len(columns) >= FEWEST_STEPS}
    if not kinds or len({frozenset(columns) for columns in kinds.values()}) > 1:
        return None
    steps = tuple(tuple(columns[number] for number in sorted(columns)) for columns in kinds.values())
    return WideColumns(tuple(prefix or "value" for prefix in kinds), steps)


def read_wide_table(
    tables: SourceTables,
    columns: WideColumns,
    *,
    id: str | None,
    role: str | None,
    name: str | None,
    notes: list[str],
) -> SequenceData:
    """Read a table with a column per step; see ``PanelFrame.from_table``."""
    first = columns.steps[0]
    found = [column for column in tables.columns if column in set(first)]
    order = "" if found == list(first) else ", in the order of their numbers"
    notes.append(
        f"a row is read as one sequence of {len(first)} steps: columns {listed([first[0], first[1]])} to {first[-1]!r}"
        + order
        + (f", and the same of {listed(columns.channels[1:])}" if len(columns.channels) > 1 else "")
    )
    note_ignored(tables.tables[0], [*columns.names, name, tables.split, tables.group, id], notes)
    arrays = np.stack([[tables.numbers(step) for step in steps] for steps in columns.steps])  # (channels, steps, rows)
    values = cut_missing_ends(list(arrays.transpose(2, 1, 0)), notes)
    names = None if id is None else objects(tables.cells(id))
    is_test, groups = tables.is_test(notes), read_groups(tables, notes)
    if role is None or name is None:
        return SequenceData(values, columns.channels, None, np.zeros(len(values), dtype=bool), is_test, names, groups)
    targets, missing = _read_targets(tables, role, name, notes)
    return SequenceData(values, columns.channels, targets, missing, is_test, names, groups)


def _read_targets(tables: SourceTables, role: str, name: str, notes: list[str]) -> tuple[Targets, np.ndarray]:
    if role == "value":
        values = tables.numbers(name)
        return Targets(TASK_OF_ROLE[role], name, values), np.isnan(values)
    labels, missing = read_labels(tables, name, notes)
    return Targets(TASK_OF_ROLE[role], name, labels), missing


def named_steps(channels: Collection[str], steps: Collection[Collection[str]]) -> WideColumns:
    """Columns as JSON keeps them."""
    return WideColumns(tuple(channels), tuple(tuple(names) for names in steps))
