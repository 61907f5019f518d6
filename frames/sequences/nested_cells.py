"""Tables with one sequence per row: a column whose cells are lists, as JSON lines and Parquet have them."""

from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from ..columns import listed, note_ignored
from ..targets import TASK_OF_ROLE, Targets, objects
from .groups import read_groups
from .labels import read_labels
from .ragged_arrays import SequenceData, as_sequence, check_widths
from .source_tables import SourceTables
from .tags import read_tags
from .written_lists import read_lists


def read_nested_cells(
    tables: SourceTables,
    *,
    values: str,
    role: str | None,
    name: str | None,
    notes: list[str],
    id: str | None = None,
    for_prediction: bool = False,
) -> SequenceData:
    """Read a table with a column of lists; see ``PanelFrame.from_table``."""
    if values not in tables.columns:
        raise InputError(
            f"{tables.source}: no column {values!r} of lists of numbers was found (the columns are "
            f"{listed(map(str, tables.columns))}); name the column that tells the sequences apart as `id` (one row per "
            "step), or the column of lists as `values`"
        )

    def place(row: int) -> str:
        return f"{tables.source}: the sequence in {tables.place(row)}"

    cells = tables.cells(values)
    cells = read_lists(cells) or cells
    arrays = [as_sequence(_as_list(cell), place(row)) for row, cell in enumerate(cells)]
    width = check_widths(arrays, place, tables.source, allow_empty=for_prediction)
    names = None if id is None else objects(tables.cells(id))
    channels = (values,) if width == 1 else tuple(f"c{channel}" for channel in range(width))
    note_ignored(tables.tables[0], (values, name, tables.split, tables.group, id), notes)
    is_test, groups = tables.is_test(notes), read_groups(tables, notes)
    if role is None or name is None:
        return SequenceData(arrays, channels, None, np.zeros(len(arrays), dtype=bool), is_test, names, groups)
    targets, missing = _read_targets(tables, arrays, role, name, notes)
    return SequenceData(arrays, channels, targets, missing, is_test, names, groups)


def _read_targets(
    tables: SourceTables, arrays: list[np.ndarray], role: str, name: str, notes: list[str]
) -> tuple[Targets, np.ndarray]:
    if role == "value":
        values = tables.numbers(name)
        missing = np.isnan(values)
    elif role == "label":
        values, missing = read_labels(tables, name, notes)
    else:
        values, missing = read_tags(tables, name, np.array([len(array) for array in arrays]), "steps", notes)
    return Targets(TASK_OF_ROLE[role], name, values), missing


def _as_list(cell: Any) -> Any:
    """Parquet gives arrays of arrays, of which ``tolist`` converts the outer level only; a missing cell is empty."""
    if cell is None or (not isinstance(cell, list | tuple) and cell is pd.NA):
        return []
    if isinstance(cell, list):
        return [step.tolist() if isinstance(step, np.ndarray) else step for step in cell]
    return cell
