"""Which line of the file a row of a frame stands in, as error messages count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ... import datasets
from ...errors import InputError
from ...frames import Frame, PanelFrame, SeriesFrame, TextFrame
from ...frames.cells import place

_ROW = "recurra row of the file"


class FileRows:
    """Rows of a frame ↔ rows of its file.

    Args:
        source: the file or data set.
        frame: what was read from it.
        roles: the columns named.
    """

    def __init__(self, source: str, frame: Frame, roles: Mapping[str, Any]) -> None:
        self.table = _read(source, roles)
        self.of_frame = _rows_of(frame, self.table)

    def lines(self, rows: np.ndarray | list[int]) -> list[int]:
        """Lines of rows of the frame; those without one (filled gaps) are left out."""
        found = [int(self.of_frame[row]) for row in rows if self.of_frame[row] >= 0]
        return [self._line(row) for row in found]

    def column(self, name: str) -> np.ndarray | None:
        """A column of the file, one cell for each row of the frame; None where it has none of that name."""
        if self.table is None or name not in self.table.columns or (self.of_frame < 0).all():
            return None
        cells = self.table[name].to_numpy(dtype=object)
        return np.array([cells[row] if row >= 0 else None for row in self.of_frame], dtype=object)

    def _line(self, row: int) -> int:
        if self.table is None:
            return row + 1
        found = re.search(r"\d+", place(self.table, row))
        return int(found[0]) if found else row + 1


def _read(source: str, roles: Mapping[str, Any]) -> pd.DataFrame | None:
    """The file as it is, and the file of the test set below it."""
    if source in datasets.DATASETS or not Path(source).is_file():
        return None
    try:
        tables = [datasets.read_table(source)]
        if roles.get("test"):
            tables.append(datasets.read_table(roles["test"]))
    except InputError:
        return None  # a format without lines, such as .npz
    if len(tables) == 1:
        return tables[0]
    joined = pd.concat(tables, ignore_index=True)
    joined.attrs = {}
    return joined


def _rows_of(frame: Frame, table: pd.DataFrame | None) -> np.ndarray:
    """Row of the table that each row of the frame came from; -1 where none did."""
    if isinstance(frame, SeriesFrame):
        return _rows_of_series(frame, table)
    if not isinstance(frame, TextFrame | PanelFrame):
        return np.arange(len(frame))
    n = len(frame)
    column = frame.roles.get("text") if isinstance(frame, TextFrame) else None
    if table is None:
        return np.arange(n)
    if isinstance(frame, PanelFrame):
        return _first_rows_of_sequences(frame, table)
    if column is None or column not in table.columns:
        return np.arange(n)
    cells, texts, found, at = table[column].tolist(), frame.inputs, np.full(n, -1), 0
    for row, cell in enumerate(cells):  # rows without a label were left out, the others stand in order
        if at < n and (cell == texts[at] or str(cell) == str(texts[at])):
            found[at] = row
            at += 1
    return found if at == n else np.arange(n)


def _first_rows_of_sequences(frame: PanelFrame, table: pd.DataFrame) -> np.ndarray:
    column = frame.roles.get("id")
    if column is None or frame.names is None or column not in table.columns:
        return np.arange(len(frame)) if len(table) >= len(frame) else np.full(len(frame), -1)
    first = {str(name): i for i, name in reversed(list(enumerate(table[column].tolist())))}
    return np.array([first.get(str(name), -1) for name in frame.names])


def _rows_of_series(frame: SeriesFrame, table: pd.DataFrame | None) -> np.ndarray:
    if table is None:
        return np.arange(len(frame.table))
    numbered = table.assign(**{_ROW: np.arange(len(table), dtype=float)})
    numbered.attrs = dict(table.attrs)
    roles = dict(frame.roles)
    try:
        again = SeriesFrame.from_table(
            numbered,
            time=roles.get("time"),
            id=roles.get("id"),
            target=list(frame.targets),
            past_covariates=[*frame.past_covariates, _ROW],
            future_covariates=list(frame.future_covariates),
            freq=frame.freq,
            source=frame.source,
        )
    except (InputError, ValueError):
        return np.arange(len(frame.table))
    rows = again.columns([_ROW])[:, 0]
    if len(rows) != len(frame.table):
        return np.arange(len(frame.table))
    return np.where(np.isfinite(rows), rows, -1).astype(int)
