"""Tables with one sequence a row: a column of lists, as JSON lines and Parquet have them."""

from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from .targets import Targets
from .arrays import Read, as_sequence, check_widths
from .labels import read_labels
from .parts import Parts
from .roles import listed
from .tags import read_tags


def read_nested(parts: Parts, *, values: str, role: str | None, name: str | None, notes: list[str]) -> Read:
    """Read a table with a column of lists; see ``PanelFrame.from_table``."""
    if values not in parts.tables[0].columns:
        there = listed(map(str, parts.tables[0].columns))
        raise InputError(
            f"{parts.source} has no column `{values}` of lists of numbers (its columns are {there}): name the column "
            "that tells sequences apart with --id (one row a step), or the column of lists with --values."
        )
    arrays = [as_sequence(_cell(cell), parts.place(row)) for row, cell in enumerate(parts.cells(values))]
    width = check_widths(arrays, _Places(parts), parts.source)
    channels = (values,) if width == 1 else tuple(f"c{channel}" for channel in range(width))
    ignored = [str(column) for column in parts.tables[0].columns if column not in (values, name, parts.split)]
    if ignored:
        notes.append(f"Columns without a role are ignored: {listed(ignored)}.")
    is_test = parts.is_test(notes)
    if role is None or name is None:
        return Read(arrays, channels, None, np.zeros(len(arrays), dtype=bool), is_test)
    targets, missing = _answers(parts, arrays, role, name, notes)
    return Read(arrays, channels, targets, missing, is_test)


def _answers(
    parts: Parts, arrays: list[np.ndarray], role: str, name: str, notes: list[str]
) -> tuple[Targets, np.ndarray]:
    if role == "value":
        numbers = parts.numbers(name)
        return Targets("regression", name, numbers), np.isnan(numbers)
    if role == "label":
        labels, missing = read_labels(parts, name, notes)
        return Targets("classification", name, labels), missing
    tags, missing = read_tags(parts, name, np.array([len(array) for array in arrays]), "steps", notes)
    return Targets("tagging", name, tags), missing


def _cell(cell: Any) -> Any:
    """Parquet gives arrays of arrays, which ``tolist`` opens one floor deep only; nothing is an empty list."""
    if cell is None or (not isinstance(cell, list | tuple) and cell is pd.NA):
        return []
    if isinstance(cell, list):
        return [step.tolist() if isinstance(step, np.ndarray) else step for step in cell]
    return cell


class _Places:
    """Names of the rows, made only when a message needs one."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def __getitem__(self, row: int) -> str:
        return self.parts.place(row)
