"""PanelFrame: many sequences of numbers, of the same or of different length, and what is to be
predicted for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from ..notebook import first_examples, frame_html, numbers_in_brief
from ..targets import Targets, one_target_role
from ..wording import verb
from .array_targets import as_targets
from .duplicates import note_duplicates
from .groups import group_numbers, note_groups
from .joined_ids import join_ids
from .long_table import LongTableColumns, read_long_table
from .nested_cells import read_nested_cells
from .ragged_arrays import as_sequence, check_widths
from .source_tables import SourceTables, plain
from .unlabelled import drop_unlabelled
from .wide_table import WideColumns, find_steps, named_steps, read_wide_table


@dataclass(frozen=True, eq=False)
class PanelFrame:
    """Sequences of numbers and their targets.

    Make one with :meth:`from_table` or :meth:`from_arrays`, which check the cells and note what they did.

    Attributes:
        values: for each sequence float64 (time, channels), NaN where a value is missing.
        targets: a class, a number or a list of tags for each sequence; None without targets.
        channels: name of each channel.
        is_test: which sequences are held out for the test: bool (sequences,); None if none are.
        source: the file or data set, as error messages name it.
        notes: sentences about what was found and done.
        roles: the user's own columns, to read another table the same way.
        names: what the id column calls each sequence: object (sequences,); None without such a column.
        groups: number of the group of each sequence, which folds never split: int64 (sequences,); None without groups.
    """

    values: list[np.ndarray]
    targets: Targets | None
    channels: tuple[str, ...]
    is_test: np.ndarray | None = None
    source: str = "table"
    notes: tuple[str, ...] = ()
    roles: Mapping[str, Any] = field(default_factory=dict)
    names: np.ndarray | None = None
    groups: np.ndarray | None = None

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame,
        *,
        id: str | Sequence[str] | None = None,
        time: str | None = None,
        values: str | None = None,
        channels: Sequence[str] | None = None,
        label: str | None = None,
        value: str | None = None,
        tags: str | None = None,
        test: pd.DataFrame | None = None,
        split: str | None = None,
        group: str | None = None,
        steps: Sequence[Sequence[str]] | None = None,
        for_prediction: bool = False,
        source: str = "table",
    ) -> "PanelFrame":
        """Check a table of sequences, one row per step or one row per sequence.

        Args:
            table: with ``id`` one row per step and one column per channel; otherwise one row per sequence, with a
                column of lists or with one column per step.
            id: column that tells the sequences apart, or several ("patient,visit"), which become one. With ``values``
                or ``steps`` what each row is called.
            time: column by which the steps of a sequence are sorted, or "none". Default: one called time, step,
                date, ...; if there is none, the rows are taken as they come.
            channels: columns of values, with ``id``. Default: the numeric columns without another role.
            values: column of lists, [1, 2], or [[1, 5], [2, 6]] for several channels, one list per step. Default:
                ``values``.
            label: column of classes, the same in all rows of a sequence. Sequences without one are left out.
            value: column of numbers, the same in all rows of a sequence. Sequences without one are left out.
            tags: column of the class of each step (with ``values``: of lists of them).
            test: a second table with the same columns, the held-out test set.
            split: column that holds the words train, validation (used for training) or test.
            group: column that says which sequences belong together (a patient, a machine), the same in all rows of a
                sequence: folds never split a group.
            steps: for each channel the columns of its steps, in order. Default, without ``id`` and a column of lists:
                the numbered columns, such as t0, t1, ....
            for_prediction: whether the sequences may all be without steps.
            source: file or data set, as messages name it.

        Returns:
            The frame.

        Raises:
            InputError: the table has an error the user can fix.

        Example:
            >>> table = pd.DataFrame({"id": [1, 1, 2], "x": [0.5, 1.5, 2.5], "kind": ["a", "a", "b"]})
            >>> [len(sequence) for sequence in PanelFrame.from_table(table, id="id", label="kind").values]
            [2, 1]
        """
        given = [table] if test is None else [table, test]
        given, id = join_ids(given, id, (time, values, label, value, tags, split, group, *(channels or ())), source)
        table, test = given[0], given[1] if test is not None else None
        tables = SourceTables(table, test, source, split, group)
        role = one_target_role({"label": label, "value": value, "tags": tags}, source)
        name = label or value or tags
        notes = tables.notes
        for column in (name, split, id, group):
            if column is not None:
                tables.check_column(column)
        if id is not None and values is not None and not for_prediction and _repeats(tables, id):
            raise InputError(
                f"{source}: `id` {id!r} (the same in several rows, so one row per step) and `values` {values!r} (one "
                "row per sequence) were given where one of them was expected; leave one out"
            )
        wide = _wide_columns(tables, [id, time, split, name, group], values, steps, channels, role)
        if wide is not None:
            data = read_wide_table(tables, wide, id=id, role=role, name=name, notes=notes)
        elif id is not None and values is None:
            columns = LongTableColumns(id, time, split, role, name, group)
            time, data = read_long_table(tables, columns, channels, notes)
        else:
            if time is not None or channels is not None:
                raise InputError(
                    f"{source}: `{'time' if time is not None else 'channels'}` was given where `id` was expected with "
                    "it; name the column that tells the sequences apart as `id`"
                )
            values = values or "values"
            data = read_nested_cells(
                tables, values=values, role=role, name=name, notes=notes, id=id, for_prediction=for_prediction
            )
        roles: dict[str, Any] = {"id": id, "time": time, "label": label, "value": value, "tags": tags, "split": split}
        roles |= {"group": group} if group is not None else {}
        if wide is not None:
            roles |= {"channels": list(wide.channels), "steps": [list(names) for names in wide.steps]}
        else:
            roles |= {"channels": list(data.channels)} if values is None else {"values": values}
        roles |= {"comma": table.attrs["comma"]} if table.attrs.get("comma") else {}
        frame = cls(data.values, data.targets, data.channels, data.is_test, source, (), roles, data.names, data.groups)
        return _checked(frame, data.missing, notes, for_prediction=for_prediction)

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
        groups: Sequence[Any] | np.ndarray | None = None,
        source: str = "arrays",
        notes: Sequence[str] = (),
        roles: Mapping[str, Any] | None = None,
        for_prediction: bool = False,
    ) -> "PanelFrame":
        """Check arrays.

        Args:
            values: (sequences, time), (sequences, time, channels), or a list of arrays (time,) or (time, channels).
            targets: :class:`Targets`, or for each sequence a class, a number, or an array of classes (time,).
            task: of the targets. Default: inferred from ``targets``: texts and whole numbers are classes, other numbers
                are values, lists are tags.
            name: what the targets are called.
            channels: name of each channel. Default: c0, c1, ...
            is_test: which sequences are held out for the test: bool (sequences,).
            groups: which sequences belong together: the name of the group of each; folds never split a group.
            source: file or data set, as messages name it.
            notes: what was noted when the file was read.
            roles: what the arrays are called, to read another file the same way.
            for_prediction: whether the sequences may all be without steps.

        Returns:
            The frame.

        Raises:
            InputError: the table has an error the user can fix.

        Example:
            >>> PanelFrame.from_arrays([[1.0, 2.0], [3.0]], ["up", "down"]).values[0].shape
            (2, 1)
        """
        found = list(notes)
        arrays = [as_sequence(array, f"{source}: sequence {position}") for position, array in enumerate(values)]
        width = check_widths(
            arrays, lambda position: f"{source}: sequence {position}", source, allow_empty=for_prediction
        )
        names = tuple(f"c{channel}" for channel in range(width)) if channels is None else tuple(channels)
        if len(names) != width:
            raise InputError(
                f"{source}: {len(names)} names were given where {width} were expected, one for each channel"
            )
        if is_test is not None:
            is_test = np.asarray(is_test, dtype=bool)
            if is_test.shape != (len(arrays),):
                raise ValueError(
                    f"`is_test` must hold one flag for each of {len(arrays)} sequences. Received: {is_test.shape}"
                )
        missing = np.zeros(len(arrays), dtype=bool)
        if targets is not None:
            targets, missing = as_targets(targets, arrays, task, name, source, found)
        if groups is not None and len(groups) != len(arrays):
            raise ValueError(
                f"`groups` must hold one group for each of {len(arrays)} sequences. Received: {len(groups)}"
            )
        numbers = None if groups is None else group_numbers([plain(group) for group in groups])
        frame = cls(arrays, targets, names, is_test, source, (), dict(roles or {}), groups=numbers)
        return _checked(frame, missing, found, for_prediction=for_prediction)

    @property
    def kind(self) -> str:
        """Kind of input: "values"."""
        return "values"

    @property
    def inputs(self) -> list[np.ndarray]:
        """What a pipeline reads: the values."""
        return self.values

    @property
    def stored(self) -> None:
        """Sequences of numbers are always in memory."""

    def inputs_of(self, rows: np.ndarray) -> list[np.ndarray]:
        """Some of the sequences."""
        return [self.values[row] for row in rows]

    @property
    def input_roles(self) -> dict[str, Any]:
        """Roles without the targets and the split: to read a table for prediction."""
        names = ("id", "time", "values", "channels", "steps", "comma")
        return {role: self.roles[role] for role in names if role in self.roles}

    @property
    def task(self) -> str | None:
        """Task of the targets, or None."""
        return None if self.targets is None else self.targets.task

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        test = "" if self.is_test is None else f" ({int(self.is_test.sum()):,} held out)"
        channels = f"{len(self.channels)} channel{'s' if len(self.channels) > 1 else ''}"
        return (
            f"PanelFrame({self.source!r}: {len(self):,} sequences{test} of {channels}, {self.targets or 'no targets'})"
        )

    def _repr_html_(self) -> str:
        some = [numbers_in_brief(values[:, 0].tolist()) for values in self.values[:5]]
        rows = first_examples(some, self.targets, f"first channel of {len(self.channels)}")
        rows.insert(0, "steps", [len(values) for values in self.values[:5]])
        return frame_html(repr(self), rows, len(self), "sequences")

    def take(self, rows: Sequence[int] | np.ndarray) -> "PanelFrame":
        """Keep these sequences, in this order."""
        rows = np.asarray(rows, dtype="int64")
        return replace(
            self,
            values=[self.values[row] for row in rows],
            targets=None if self.targets is None else self.targets.take(rows),
            is_test=None if self.is_test is None else self.is_test[rows],
            names=None if self.names is None else self.names[rows],
            groups=None if self.groups is None else self.groups[rows],
        )


def _wide_columns(
    tables: SourceTables,
    taken: list[str | None],
    values: str | None,
    steps: Sequence[Sequence[str]] | None,
    channels: Sequence[str] | None,
    role: str | None,
) -> WideColumns | None:
    """The columns of steps where a row is a sequence: those given, or numbered ones where no other form fits."""
    if steps is not None:
        return named_steps(channels or ["value"] * len(steps), steps)
    id, time = taken[:2]
    if values is not None or channels is not None or time is not None or role == "tags" or "values" in tables.columns:
        return None
    if id is not None and _repeats(tables, id):
        return None
    return find_steps(tables.tables[0], taken)


def _repeats(tables: SourceTables, id: str) -> bool:
    """Whether a sequence goes over several rows."""
    return len(set(tables.cells(id))) < len(tables)


def _checked(frame: PanelFrame, missing: np.ndarray, notes: list[str], *, for_prediction: bool = False) -> PanelFrame:
    """Leave out sequences without target or without steps, and note what was found."""
    lengths = np.array([len(sequence) for sequence in frame.inputs])
    if not lengths.any() and not for_prediction:
        raise InputError(f"{frame.source}: no sequence has any steps where at least one was expected; add some")
    empty = int((lengths == 0).sum())
    if empty and frame.targets is not None:
        notes.append(
            f"{empty:,} of {len(frame):,} sequences {verb(empty, 'has', 'have')} no steps: "
            f"{verb(empty, 'it is', 'they are')} left out"
        )
        keep = np.flatnonzero(lengths > 0)
        frame, missing = frame.take(keep), missing[keep]
    elif empty:
        notes.append(
            f"{empty:,} of {len(frame):,} sequences {verb(empty, 'has', 'have')} no steps: "
            f"{verb(empty, 'it is', 'they are')} kept"
        )
    if frame.targets is not None:
        frame = drop_unlabelled(frame, frame.targets, missing, notes, "sequences")
    total = sum(sequence.size for sequence in frame.inputs)
    gaps = sum(int(np.isnan(sequence).sum()) for sequence in frame.inputs)
    if gaps:
        they = verb(gaps, "is missing: it is", "are missing: they are")
        notes.append(f"{gaps:,} of {total:,} values {they} filled inside each sequence")
    if for_prediction:
        return replace(frame, notes=tuple(notes))
    note_duplicates([sequence.tobytes() for sequence in frame.inputs], frame.is_test, "sequences", notes, counted=bool)
    note_groups(frame.groups, frame.is_test, str(frame.roles.get("group", "groups")), "sequences", notes)
    return replace(frame, notes=tuple(notes))
