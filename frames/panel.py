"""PanelFrame: many sequences of numbers, of the same or of different length, and what is to be told of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from .targets import Targets
from .arrays import as_answers, as_sequence, check_widths
from .finish import finish
from .long_table import Columns, read_long
from .nested import read_nested
from .parts import Parts, note_duplicates, one_role


@dataclass(frozen=True, eq=False)
class PanelFrame:
    """Sequences of numbers and their targets.

    Make one with :meth:`from_table` or :meth:`from_arrays`, which check the cells and say in ``notes`` what they did.

    Attributes:
        values: for each sequence float64 (time, channels), NaN where a value is missing.
        targets: a class, a number or a list of tags for each sequence; None for sequences alone.
        channels: name of each channel.
        is_test: which sequences are an official test part: bool (sequences,); None if there is none.
        source: the file or data set, as error messages name it.
        notes: sentences about what was found and done.
        roles: the user's own columns, to read another table the same way.
        names: what the id column calls each sequence: object (sequences,); None without such a column.
    """

    values: list[np.ndarray]
    targets: Targets | None
    channels: tuple[str, ...]
    is_test: np.ndarray | None = None
    source: str = "table"
    notes: tuple[str, ...] = ()
    roles: Mapping[str, Any] = field(default_factory=dict)
    names: np.ndarray | None = None

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame,
        *,
        id: str | None = None,
        time: str | None = None,
        values: str | None = None,
        channels: Sequence[str] | None = None,
        label: str | None = None,
        value: str | None = None,
        tags: str | None = None,
        test: pd.DataFrame | None = None,
        split: str | None = None,
        source: str = "table",
    ) -> "PanelFrame":
        """Check a table of sequences, one row a step or one row a sequence.

        Args:
            table: with ``id`` one row a step and a column a channel; otherwise one row a sequence, with a
                column of lists.
            id: column that tells the sequences apart.
            time: column by which the steps of a sequence are sorted, or "none". Default: one called time, step,
                date, ...; if there is none, the rows stand in order.
            channels: columns of values, with ``id``. Default: the numeric columns without another role.
            values: column of lists, [1, 2] or for several channels [[1, 5], [2, 6]]: a list a step. Default:
                ``values``.
            label: column of classes, the same in all rows of a sequence. Sequences without one are left out.
            value: column of numbers, the same in all rows of a sequence. Sequences without one are left out.
            tags: column of the class of each step (with ``values``: of lists of them).
            test: a second table with the same columns, the official test part.
            split: column that tells the official test part by the words train, validation (used for training)
                and test.
            source: file or data set, as messages name it.

        Returns:
            The frame.

        Raises:
            InputError: anything the user can mend, told in one sentence.

        Example:
            >>> table = pd.DataFrame({"id": [1, 1, 2], "x": [0.5, 1.5, 2.5], "kind": ["a", "a", "b"]})
            >>> [len(sequence) for sequence in PanelFrame.from_table(table, id="id", label="kind").values]
            [2, 1]
        """
        parts = Parts(table, test, source, split)
        role = one_role({"label": label, "value": value, "tags": tags}, source)
        name = label or value or tags
        notes = parts.notes
        if id is not None:
            if values is not None:
                raise InputError(
                    f"{source} was given --id {id} (one row a step) and --values {values} (one row a sequence): leave "
                    "one of them out."
                )
            columns = Columns(id, time, split, role, name)
            time, read = read_long(parts, columns, channels, notes)
        else:
            if time is not None or channels is not None:
                raise InputError(
                    f"{source} was given {'--time' if time is not None else '--channels'} but no --id: name the column "
                    "that tells the sequences apart."
                )
            read = read_nested(parts, values=values or "values", role=role, name=name, notes=notes)
        roles: dict[str, Any] = {"id": id, "time": time, "label": label, "value": value, "tags": tags, "split": split}
        roles |= {"values": values or "values"} if id is None else {"channels": list(read.channels)}
        frame = cls(read.values, read.targets, read.channels, read.is_test, source, (), roles, read.names)
        return _checked(frame, read.missing, notes)

    @classmethod
    def from_arrays(
        cls,
        values: Any,
        targets: Any = None,
        *,
        task: str | None = None,
        name: str = "y",
        channels: Sequence[str] | None = None,
        is_test: np.ndarray | None = None,
        source: str = "arrays",
        notes: Sequence[str] = (),
    ) -> "PanelFrame":
        """Check arrays.

        Args:
            values: (sequences, time), (sequences, time, channels), or a list of arrays (time,) or (time, channels).
            targets: :class:`Targets`, or for each sequence a class, a number, or an array of classes (time,).
            task: "classification", "regression" or "tagging". Default: told from ``targets``: texts and whole numbers
                are classes, broken numbers values, lists tags.
            name: what the targets are called.
            channels: name of each channel. Default: c0, c1, ...
            is_test: which sequences are an official test part: bool (sequences,).
            source: as messages name it.
            notes: what reading the file told.

        Returns:
            The frame.

        Raises:
            InputError: anything the user can mend, told in one sentence.

        Example:
            >>> PanelFrame.from_arrays([[1.0, 2.0], [3.0]], ["up", "down"]).values[0].shape
            (2, 1)
        """
        told = list(notes)
        arrays = [as_sequence(array, f"sequence {position} of {source}") for position, array in enumerate(values)]
        width = check_widths(arrays, [f"sequence {position} of {source}" for position in range(len(arrays))], source)
        names = tuple(f"c{channel}" for channel in range(width)) if channels is None else tuple(channels)
        if len(names) != width:
            raise InputError(f"{source} has {width} channels but {len(names)} names for them: name each channel.")
        if is_test is not None:
            is_test = np.asarray(is_test, dtype=bool)
            if is_test.shape != (len(arrays),):
                raise ValueError(
                    f"`is_test` must hold one flag for each of {len(arrays)} sequences. Received: {is_test.shape}"
                )
        missing = np.zeros(len(arrays), dtype=bool)
        if targets is not None:
            targets, missing = as_answers(targets, arrays, task, name, source, told)
        return _checked(cls(arrays, targets, names, is_test, source), missing, told)

    @property
    def kind(self) -> str:
        """Kind of input: "values"."""
        return "values"

    @property
    def inputs(self) -> list[np.ndarray]:
        """What a pipeline reads: the values."""
        return self.values

    @property
    def input_roles(self) -> dict[str, Any]:
        """Roles without the targets and the official part: to read a table that is to be answered."""
        return {role: self.roles[role] for role in ("id", "time", "values", "channels") if role in self.roles}

    @property
    def task(self) -> str | None:
        """Task of the targets, or None."""
        return None if self.targets is None else self.targets.task

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Sequence[int] | np.ndarray) -> "PanelFrame":
        """Keep these sequences, in this order."""
        rows = np.asarray(rows, dtype="int64")
        return replace(
            self,
            values=[self.values[row] for row in rows],
            targets=None if self.targets is None else self.targets.take(rows),
            is_test=None if self.is_test is None else self.is_test[rows],
            names=None if self.names is None else self.names[rows],
        )


def _checked(frame: PanelFrame, missing: np.ndarray, notes: list[str]) -> PanelFrame:
    """Leave out sequences without answer or without steps, and tell what was found."""
    lengths = np.array([len(sequence) for sequence in frame.inputs])
    if not lengths.any():
        raise InputError(f"{frame.source} has no steps in any sequence where at least one was expected.")
    empty = int((lengths == 0).sum())
    if empty and frame.targets is not None:
        notes.append(f"{empty:,} of {len(frame):,} sequences have no steps: they are left out.")
        keep = np.flatnonzero(lengths > 0)
        frame, missing = frame.take(keep), missing[keep]
    elif empty:
        notes.append(f"{empty:,} of {len(frame):,} sequences have no steps: they are kept.")
    if frame.targets is not None:
        frame = finish(frame, missing, notes, "sequences")
    total = sum(sequence.size for sequence in frame.inputs)
    gaps = sum(int(np.isnan(sequence).sum()) for sequence in frame.inputs)
    if gaps:
        notes.append(f"{gaps:,} of {total:,} values are missing: they are filled inside each sequence.")
    note_duplicates([sequence.tobytes() for sequence in frame.inputs], frame.is_test, "sequences", notes, kept=bool)
    return replace(frame, notes=tuple(notes))
