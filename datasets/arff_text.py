"""Weka's .arff: a header of attributes, then a row per example; read by liac-arff.

Source: https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/
"""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from ..errors import InputError
from ..frames.targets import objects
from .csv_text import decode


def read_arff(data: bytes, path: Path, _: Collection[str] = ()) -> pd.DataFrame:
    """Read a table; of nominal attributes the names, ``?`` as a missing value.

    Raises:
        InputError: a malformed file, or attributes that hold tables or dates.
    """
    import arff

    notes: list[str] = []
    try:
        read = arff.loads(decode(data, path, notes))
    except arff.BadAttributeType as error:
        raise InputError(
            f"{path}: an attribute is neither of numbers nor of texts ({error}), which is not read; write a .csv, or "
            "sequences of several channels as .ts"
        ) from error
    except arff.ArffException as error:
        raise InputError(f"{path}: the file cannot be read as .arff ({error}); check how it was written") from error
    columns = {}
    for number, (name, kind) in enumerate(read["attributes"]):
        cells = [row[number] for row in read["data"]]
        numeric = isinstance(kind, str) and kind.upper() != "STRING"
        columns[name] = pd.Series(cells, dtype="float64") if numeric else pd.Series(objects(cells), dtype=object)
    table = pd.DataFrame(columns)
    table.attrs = {"notes": notes}
    return table
