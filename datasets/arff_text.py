"""Weka's .arff: a header of attributes, then a row per example; read by SciPy.

Source: https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/
"""

import io
import re
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from ..errors import InputError
from ..frames.targets import objects
from .csv_text import decode

_UNREAD = re.compile(
    r"^\s*@attribute\s+('[^']*'|\"[^\"]*\"|\S+)\s+(relational|string|date)\b", re.IGNORECASE | re.MULTILINE
)


def read_arff(data: bytes, path: Path, _: Collection[str] = ()) -> pd.DataFrame:
    """Read a table; of nominal attributes the names, ``?`` as a missing value.

    Raises:
        InputError: a malformed file, or attributes that are neither numbers nor nominal.
    """
    from scipy.io import arff

    notes: list[str] = []
    text = decode(data, path, notes)
    if found := _UNREAD.search(text):
        raise InputError(
            f"{path}: attribute {found[1]} is of type {found[2].lower()}, which is not read; write a .csv, or "
            "sequences of several channels as .ts"
        )
    try:
        rows, header = arff.loadarff(io.StringIO(text))
    except (arff.ArffError, NotImplementedError, ValueError, StopIteration, IndexError) as error:
        raise InputError(f"{path}: the file cannot be read as .arff ({error}); check how it was written") from error
    columns = {}
    for name in header.names():
        column = rows[name]
        if column.dtype.kind == "S":
            cells = [cell.decode("utf-8", "replace") for cell in column]
            columns[name] = pd.Series(objects(None if cell == "?" else cell for cell in cells), dtype=object)
        else:
            columns[name] = pd.Series(column)
    table = pd.DataFrame(columns)
    table.attrs = {"notes": notes}
    return table
