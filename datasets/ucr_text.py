"""UCR text: one line per sequence, the class first, then the values, apart by tabs (or spaces, commas); no header."""

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .csv_text import lines_of


def read_ucr(text: str, path: Path) -> dict[str, Any]:
    """Read UCR text; missing values at the end of a line make a sequence shorter.

    Raises:
        InputError: a line with another number of fields than the first, or a cell that is not a number.
    """
    labels, values = [], []
    width = 0
    for number, line in enumerate(lines_of(text), start=1):
        if not line.strip():
            continue
        label, *cells = fields_of(line)
        width = width or len(cells)
        if len(cells) != width:
            raise InputError(
                f"{path}: line {number} has {len(cells)} values where {width} were expected, as in the first line; pad "
                "shorter sequences with NaN"
            )
        labels.append(label.strip())
        values.append(numbers(cells, number, path))
    ends = [np.flatnonzero(~np.isnan(sequence)) for sequence in values]
    cut = [sequence[: end[-1] + 1] if len(end) else sequence[:0] for sequence, end in zip(values, ends, strict=True)]
    return {"values": cut, "targets": as_labels(labels), "name": "class"}


def fields_of(line: str) -> list[str]:
    """Cut a line at its tabs; where it has none at its commas, and where it has neither at its spaces."""
    for separator in ("\t", ","):
        if separator in line:
            return line.strip("\r\n").split(separator)
    return line.split()


def numbers(cells: list[str], line: int, path: Path) -> np.ndarray:
    """Read the cells of a line; "?" and nothing are missing."""
    found = np.empty(len(cells))
    for position, cell in enumerate(cells):
        try:
            found[position] = np.nan if cell.strip() in ("", "?") else float(cell)
        except ValueError as error:
            raise InputError(
                f"{path}: line {line} holds {cell.strip()[:40]!r} as value {position + 1} where a number was expected; "
                "correct it, or write NaN where it is missing"
            ) from error
    return found


def as_labels(labels: list[str]) -> list[int | str | None]:
    """Make ints of classes that are all whole numbers, however they are written (1, 1.0, 1.0000000e+00)."""
    try:
        found = [float(label) for label in labels if label]
    except ValueError:
        return [label or None for label in labels]
    if not all(number.is_integer() for number in found):
        return [label or None for label in labels]
    return [int(float(label)) if label else None for label in labels]
