"""Pasted rows of a series → the inputs of a forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..served_model import ServedModel
from ..status import invalid
from .tables import Table, read_table, write_table

_MOST_DRAWN = 200


@dataclass(frozen=True)
class Asked:
    """A forecast that is asked for.

    Attributes:
        inputs: of the signature.
        past: last rows of the targets (rows, targets).
        targets: their names.
        first: label of the first row that is drawn.
        ahead: labels of the steps ahead.
        notes: what was done with the rows.
    """

    inputs: dict[str, np.ndarray]
    past: np.ndarray
    targets: Sequence[str]
    first: str
    ahead: Sequence[str]
    notes: Sequence[str]


class SeriesForm:
    """Reads rows as the model's card describes them.

    Args:
        model: a forecaster that recurra exported.
    """

    def __init__(self, model: ServedModel) -> None:
        schema = model.card["schema"]
        pipeline = schema["pipeline"]
        self.columns: list[dict[str, Any]] = pipeline["columns"]
        self.targets: list[str] = pipeline["targets"]
        self.known_ahead: list[str] = pipeline["future_covariates"]
        self.lookback, self.horizon = int(pipeline["lookback"]), int(pipeline["horizon"])
        self.calendar = bool(pipeline["calendar"])
        self.freq = schema["freq"]
        time = schema["roles"].get("time") or []
        self.time: list[str] = [time] if isinstance(time, str) else list(time)
        self.id: str | None = schema["roles"].get("id")

    @property
    def hint(self) -> str:
        """What to paste."""
        names = ", ".join(column["name"] for column in self.columns)
        time = f"{', '.join(self.time)}, " if self.calendar else ""
        hint = f"At least {self.lookback} rows with {time}{names}, the oldest first; an empty cell is a missing value."
        if self.known_ahead:
            hint += (
                f" Then {self.horizon} more rows in which {', '.join(self.targets)} is empty and "
                f"{', '.join(self.known_ahead)} is known."
            )
        return hint

    def read(self, text: str) -> Asked:
        """Rows → inputs.

        Raises:
            ServingError: if a column, or enough rows, are missing.
        """
        table, notes = self._one_series(read_table(text))
        values = self._channels(table, self.columns)
        targets = values[:, : len(self.targets)]
        observed = np.flatnonzero(np.isfinite(targets).any(axis=1))
        end = int(observed[-1]) + 1 if len(observed) else 0
        if self.known_ahead:
            end = min(end, len(values) - self.horizon) if len(values) - end < self.horizon else end
        else:
            end = len(values)
        if end < self.lookback:
            raise invalid(
                f"the model reads the last {self.lookback} rows, and here are {max(end, 0)} with a value of "
                f"{', '.join(self.targets)}{' and the steps ahead below' if self.known_ahead else ''}; give more"
            )
        inputs = {"values": values[np.newaxis, end - self.lookback : end]}
        if self.known_ahead:
            inputs["future"] = self._ahead(table, end)[np.newaxis]
        times = self._times(table, end)
        if self.calendar:
            if times is None:
                raise invalid(f"the model reads the calendar, so every row needs its time ({', '.join(self.time)})")
            inputs["time"] = times[np.newaxis]
        begin = max(0, end - min(_MOST_DRAWN, max(self.lookback, 3 * self.horizon)))
        past = targets[begin:end]
        labels = self._labels(times)
        first = self._label_of(table, begin)
        return Asked(inputs, past, self.targets, first, labels, notes)

    def _one_series(self, table: Table) -> tuple[Table, list[str]]:
        """The rows of the last series, where there are several."""
        if self.id is None or self.id not in table.names:
            return table, []
        ids = table.column(self.id)
        if len(set(ids)) == 1:
            return table, []
        note = f"{len(set(ids))} series in {self.id!r}: the forecast is of the last one, {ids[-1]}"
        return table.where([name == ids[-1] for name in ids]), [note]

    def _channels(self, table: Table, columns: Sequence[Mapping[str, Any]]) -> np.ndarray:
        parts = [
            table.numbers(c["name"])[:, None] if c["categories"] is None else table.one_hot(c["name"], c["categories"])
            for c in columns
        ]
        return np.concatenate(parts, axis=1)

    def _ahead(self, table: Table, end: int) -> np.ndarray:
        known = [column for column in self.columns if column["name"] in self.known_ahead]
        ahead = self._channels(table, known)[end : end + self.horizon]
        if len(ahead) < self.horizon or not np.isfinite(ahead).all():
            raise invalid(
                f"{', '.join(self.known_ahead)} is known ahead, so the last {self.horizon} rows need a value of it "
                f"with {', '.join(self.targets)} empty; here are {int(np.isfinite(ahead).all(axis=1).sum())} such rows"
            )
        return ahead

    def _times(self, table: Table, end: int) -> np.ndarray | None:
        """Seconds of the rows that are read and of the steps ahead: (lookback + horizon,); None without a time."""
        if isinstance(self.freq, int) or not self.time or not set(self.time) <= set(table.names):
            return None
        import pandas as pd

        cells = pd.DataFrame({name: table.column(name)[end - self.lookback : end] for name in self.time})
        try:
            stamps = pd.DatetimeIndex(pd.to_datetime(cells[self.time[0]] if len(self.time) == 1 else cells))
            if stamps.hasnans:
                raise ValueError("an empty cell")
            ahead = pd.date_range(stamps[-1], periods=1 + self.horizon, freq=self.freq)[1:]
        except (ValueError, TypeError) as error:
            raise invalid(f"the time column ({', '.join(self.time)}) cannot be read: {error}") from error
        seconds = [moments.tz_localize(None).as_unit("s").asi8 for moments in (stamps, ahead)]
        return np.concatenate(seconds)

    def _labels(self, times: np.ndarray | None) -> list[str]:
        if times is None:
            return [f"+{i + 1}" for i in range(self.horizon)]
        stamps = np.datetime_as_string(times[-self.horizon :].astype("datetime64[s]"))
        days = all(stamp.endswith("T00:00:00") for stamp in stamps)
        return [stamp[:10] if days else stamp[:16].replace("T", " ") for stamp in stamps.tolist()]

    def _label_of(self, table: Table, row: int) -> str:
        if self.time and set(self.time) <= set(table.names):
            return " ".join(table.column(name)[row] for name in self.time)[:16]
        return f"row {row + 1}"

    def example(self, recorded: Mapping[str, np.ndarray]) -> str:
        """The recorded request as rows to paste."""
        if "values" not in recorded:
            return ""
        values = recorded["values"][0].astype(float)
        times = recorded["time"][0] if "time" in recorded else None
        ahead = recorded["future"][0].astype(float) if "future" in recorded else np.empty((0, 0))
        names = [column["name"] for column in self.columns]
        rows = [self._cells(row) for row in values]
        for row in ahead:
            unknown = [""] * (len(names) - len(self.known_ahead))
            rows.append([*unknown, *self._cells(row, self.known_ahead)])
        if times is not None and len(self.time) == 1:
            stamps = np.datetime_as_string(times.astype("datetime64[s]")).tolist()
            rows = [[stamp.replace("T", " "), *row] for stamp, row in zip(stamps, rows, strict=False)]
            names = [self.time[0], *names]
        return write_table(names, rows)

    def _cells(self, row: np.ndarray, only: Sequence[str] | None = None) -> list[Any]:
        """Channels of a row as cells: of a text column the category that is marked."""
        cells: list[Any] = []
        at = 0
        for column in self.columns:
            if only is not None and column["name"] not in only:
                continue
            categories = column["categories"]
            width = 1 if categories is None else len(categories)
            part = row[at : at + width]
            at += width
            cells.append(float(part[0]) if categories is None else categories[int(part.argmax())] if part.any() else "")
        return cells
