"""Series from Parquet larger than memory: read in streams, checked some series at a time, kept in files of numbers.

First only the ids are read, and counted. Then every row goes to the part of its series, in a file on the disk. Each
part fits into memory: it becomes a SeriesFrame as any table does, and its columns are written behind those before. What
the rows decide (how time is written, its step, which covariates are numbers) is settled by the first part, and the
others are read alike.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from ..errors import InputError
from ..frames import SeriesFrame
from ..frames.columns import ROW_NUMBERS, listed
from ..frames.series.column_roles import Roles, choose_roles
from ..frames.series.reading import Reading
from ..frames.series.regular_table import series_fields
from ..frames.series.stored_table import TableWriter
from ..frames.series.time_axis import joined_names, natural_order
from ..frames.series.value_checks import count_constant, count_missing, note_constant, note_missing
from ..frames.stored_files import no_room
from ..frames.wording import counted
from .parquet_batches import batches
from .parquet_folders import in_words

_ROW = "__row__"
# Bytes that checking takes for each number of a part, and the fewest rows of one.
_CHECKED, _FEWEST_ROWS = 150, 1000
_MOST_PARTS = 400  # files that are open together


@dataclass(frozen=True, eq=False)
class _Source:
    """What is read: the columns of a dataset by their roles."""

    dataset: ds.Dataset
    roles: Roles
    path: str

    @property
    def id(self) -> str:
        """The column that names the series in every part; names of several columns are joined."""
        return ",".join(self.roles.id)

    def batches(self, columns: list[str]) -> Iterator[pa.Table]:
        """Rows in the order of the files, some at a time."""
        return batches(self.dataset, columns, Path(self.path))


def read_in_streams(
    dataset: ds.Dataset,
    sample: pd.DataFrame,
    given: Mapping[str, Any],
    *,
    memory: int,
    missing: str,
    source: str,
    reading: Reading | None = None,
) -> SeriesFrame:
    """Read series that are larger than memory.

    Args:
        dataset: all rows.
        sample: the first ones.
        given: columns by role, and ``freq``.
        memory: bytes that the rows, and what is worked out of them, may take.
        missing: "keep" or "error".
        source: the file or folder, for messages.
        reading: what was settled when the training data of a model were read.

    Returns:
        A frame whose table is read from files as it is looked at; see :class:`recurra.frames.series.StoredTable`.

    Raises:
        InputError: one series only, a series that does not fit by itself, or anything wrong in the rows.
    """
    roles = choose_roles(sample, source=source, **_with_defaults(given))
    if not roles.id:
        raise InputError(
            f"{source}: the rows are larger than `memory` allows and no column tells series apart, where some series "
            "at a time were to be checked; name it as `id`, or give more `memory`"
        )
    roles = replace(roles, notes=(*sample.attrs.get("notes", ()), *roles.notes))
    read = _Source(dataset, roles, source)
    series = _count_series(read)
    columns = len({*roles.time, *roles.id, *roles.targets, *roles.covariates})
    parts = _share_out(series, max(memory // (_CHECKED * columns), _FEWEST_ROWS), source)
    try:
        with tempfile.TemporaryDirectory(prefix="recurra-parts-") as folder:
            files = _scatter(read, series, parts, Path(folder))
            assembly = _Assembly(read, series, freq=given.get("freq"), missing=missing, memory=memory, reading=reading)
            return assembly.frame(files)
    except OSError as error:
        raise no_room(error) from error


def _with_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    roles: dict[str, Any] = {"time": None, "target": None, "id": None, "past_covariates": (), "future_covariates": ()}
    return roles | {name: value for name, value in given.items() if name in roles}


@dataclass(frozen=True, eq=False)
class _Series:
    """The series of a dataset, in the order in which people number them.

    Attributes:
        place: the number of each series by its id cells.
        names: of the series (series,); those of several columns are joined.
        counts: rows (series,).
        cells: id cells of each series, where there are several columns.
    """

    place: dict[Any, int]
    names: list[Any]
    counts: np.ndarray
    cells: pd.DataFrame | None

    def numbers(self, table: pd.DataFrame, id: tuple[str, ...]) -> np.ndarray:
        """Number of each row's series."""
        codes, found = _labels(table, id)
        return np.array([self.place[label] for label in found], dtype="int64")[codes]


def _labels(table: pd.DataFrame, id: tuple[str, ...]) -> tuple[np.ndarray, list[Any]]:
    """Codes of the rows, and the label of each code: a cell, or a tuple of cells."""
    parts = [pd.factorize(table[name]) for name in id]
    if len(parts) == 1:
        return parts[0][0], list(parts[0][1].astype(object))
    rows = pd.MultiIndex.from_arrays([codes for codes, _ in parts])
    together, found = pd.factorize(rows)
    cells = [found_.astype(object) for _, found_ in parts]
    return together, [tuple(cell[code] for cell, code in zip(cells, codes, strict=True)) for codes in found]


def _count_series(read: _Source) -> _Series:
    counts: dict[Any, int] = {}
    id, begun = read.roles.id, 0
    for batch in read.batches(list(id)):
        table = batch.to_pandas(ignore_metadata=True)
        for name in id:
            if (empty := table[name].isna().to_numpy()).any():
                raise InputError(
                    f"{read.path}: column {name!r} is empty in row {begun + int(np.argmax(empty))} where the name of a "
                    "series was expected; fill the cell or remove the row"
                )
        codes, found = _labels(table, id)
        for label, count in zip(found, np.bincount(codes, minlength=len(found)).tolist(), strict=True):
            counts[label] = counts.get(label, 0) + count
        begun += len(table)
    labels = list(counts)
    names = joined_names(labels) if len(id) > 1 else labels
    order = natural_order(names)
    labels, names = [labels[i] for i in order], [names[i] for i in order]
    cells = pd.DataFrame(labels, columns=pd.Index(id), index=pd.Index(names)) if len(id) > 1 else None
    rows = np.array([counts[label] for label in labels], dtype="int64")
    return _Series({label: number for number, label in enumerate(labels)}, names, rows, cells)


def _share_out(series: _Series, rows: int, source: str) -> np.ndarray:
    """The part of each series: as many series that follow one another as have so many rows together."""
    longest = int(series.counts.argmax())
    if series.counts[longest] > rows:
        raise InputError(
            f"{source}: series {series.names[longest]!r} has {series.counts[longest]:,} rows where `memory` is enough "
            f"for {rows:,} and a series is checked as a whole; give more `memory`"
        )
    parts = np.empty(len(series.counts), dtype="int64")
    part, room = -1, 0
    for number, count in enumerate(series.counts.tolist()):
        if count > room:
            part, room = part + 1, rows
        parts[number], room = part, room - count
    if part >= _MOST_PARTS:
        raise InputError(
            f"{source}: with so little `memory` the rows would be read in {part + 1:,} parts, where at most "
            f"{_MOST_PARTS} were expected; give more `memory`"
        )
    return parts


def _scatter(read: _Source, series: _Series, parts: np.ndarray, folder: Path) -> list[Path]:
    """Write every row into the file of its part, with its number among all rows."""
    roles = read.roles
    kept = list(dict.fromkeys([*roles.time, *roles.targets, *roles.covariates]))
    files = [folder / f"{part}.arrow" for part in range(int(parts[-1]) + 1)]
    names, begun = pd.Series(series.names).to_numpy(), 0
    with ExitStack() as opened:
        writers: dict[int, Any] = {}
        for batch in read.batches(list(dict.fromkeys([*roles.id, *kept]))):
            numbers = series.numbers(batch.select(list(roles.id)).to_pandas(ignore_metadata=True), roles.id)
            rows = batch.select(kept).append_column(read.id, pa.array(names[numbers]))
            rows = rows.append_column(_ROW, pa.array(np.arange(begun, begun + len(rows))))
            begun += len(rows)
            of = parts[numbers]
            for part in np.unique(of).tolist():
                if part not in writers:
                    writers[part] = opened.enter_context(pa.ipc.new_file(str(files[part]), rows.schema))
                writers[part].write_table(rows.take(np.flatnonzero(of == part)))
    return files


class _Assembly:
    """Parts become one frame.

    Args:
        read: where they come from.
        series: all series.
        freq: step of time, if it was given.
        missing: "keep" or "error".
        memory: bytes that what is worked out of the frame may take.
        reading: what was settled when the training data of a model were read, if it is a model that asks.
    """

    def __init__(
        self,
        read: _Source,
        series: _Series,
        *,
        freq: str | int | None,
        missing: str,
        memory: int,
        reading: Reading | None,
    ) -> None:
        self.read, self.series, self.freq, self.missing, self.reading = read, series, freq, missing, reading
        self.writer, self.memory = TableWriter(memory), memory
        self.notes = list(read.roles.notes)
        self.sums: Counter[str] = Counter()  # sentences that begin with a number, without it
        self.missing_cells: Counter[str] = Counter()
        self.constant: Counter[str] = Counter()
        self.settled_by, self.columns = 0, ("", "")
        self.ahead: list[pd.DataFrame] = []

    def frame(self, files: list[Path]) -> SeriesFrame:
        """Check and write all parts, and open what was written."""
        for file in files:
            self._add(file)
        if not self.settled_by:
            targets = listed(self.read.roles.targets)
            raise InputError(
                f"{self.read.path}: column {targets} has no value in any of {int(self.series.counts.sum()):,} rows "
                "where a series to forecast was expected; choose another column as `target`"
            )
        stored, roles = self.writer.finish(), self.read.roles
        table = stored.open()
        id, time = self.columns
        frame = SeriesFrame(
            table=table,
            id=id,
            time=time,
            targets=roles.targets,
            past_covariates=roles.past_covariates,
            future_covariates=roles.future_covariates,
            freq=self.freq if self.freq is not None else 1,
            ahead=self._ahead(table[id].cat.categories),
            source=self.read.path,
            roles={
                "time": list(roles.time) or ROW_NUMBERS,
                "id": roles.id[0] if len(roles.id) == 1 else list(roles.id),
            },
            reading=self.reading or Reading(),
            id_cells=self.series.cells,
            stored=stored,
        )
        return replace(frame, notes=tuple(self._all_notes(frame, len(files))))

    def _add(self, file: Path) -> None:
        with pa.memory_map(str(file)) as mapped:
            table = pa.ipc.open_file(mapped).read_all().to_pandas(ignore_metadata=True)
        file.unlink()
        table.index = pd.Index(table.pop(_ROW).to_numpy())
        table.attrs = {"numbered": True}
        roles = self.read.roles
        if not any(table[name].notna().any() for name in roles.targets):
            self.sums["series without a single observed target are dropped"] += table[self.read.id].nunique()
            return
        fields = series_fields(
            table,
            freq=self.freq,
            missing=self.missing,
            source=self.read.path,
            reading=self.reading,
            is_part=True,
            time=list(roles.time) or ROW_NUMBERS,
            target=list(roles.targets),
            id=[self.read.id],
            past_covariates=list(roles.past_covariates),
            future_covariates=list(roles.future_covariates),
        )
        if not self.settled_by:
            self.freq, self.reading, self.columns = fields["freq"], fields["reading"], (fields["id"], fields["time"])
            self.settled_by = len(fields["table"][fields["id"]].cat.categories)
        self._count(fields)
        self.writer.add(fields["table"])

    def _count(self, fields: Mapping[str, Any]) -> None:
        table, roles = fields["table"], self.read.roles
        self.missing_cells.update(count_missing(table, [*roles.targets, *roles.covariates]))
        self.constant.update(count_constant(table, fields["id"], roles.targets)[0])
        if fields["ahead"] is not None:
            self.ahead.append(fields["ahead"])
        for written in fields["notes"]:
            note = written.partition("; time runs backwards")[0]  # in so many rows of one part
            number, _, rest = note.partition(" ")
            if number.replace(",", "").isdecimal():
                self.sums[rest] += int(number.replace(",", ""))
            elif note not in self.notes:
                self.notes.append(note)

    def _ahead(self, categories: pd.Index) -> pd.DataFrame | None:
        if not self.ahead:
            return None
        id = self.columns[0]
        labels = [label for part in self.ahead for label in part[id].astype(object)]
        together = pd.concat([part.drop(columns=id) for part in self.ahead], ignore_index=True)
        together.insert(0, id, pd.Categorical(labels, categories=categories))
        return together

    def _all_notes(self, frame: SeriesFrame, parts: int) -> list[str]:
        notes = [
            f"{len(frame.table):,} rows are more than `memory` ({in_words(self.memory)}) holds: they are checked "
            f"in {counted(parts, 'part')} and read from files in {self.writer.folder.parent}; how time is read, and "
            f"its step ({frame.freq}), are settled by the first {counted(self.settled_by, 'series', 'series')}",
            *self.notes,
            *(f"{number:,} {rest}" for rest, number in self.sums.items() if number),
        ]
        note_missing(self.missing_cells, len(frame.table), notes)
        note_constant(self.constant, dict.fromkeys(self.constant, 0.0), max(len(frame.lengths), 2), notes)
        return notes
