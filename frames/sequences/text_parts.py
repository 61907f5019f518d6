"""A TextFrame from tables that come one after the other, because all of them together are larger than memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from ..columns import check_single_roles, note_ignored
from ..targets import TASK_OF_ROLE, Targets, one_target_role
from .duplicates import mark, note_equal_marks
from .groups import GroupColumn, note_groups, without_blanks
from .labels import LabelColumn
from .source_tables import SourceTables, SplitColumn
from .stored_texts import StoredTexts, TextWriter
from .strings import TextColumn
from .text_frame import TextFrame, default_text, holds_token_lists, missing_values
from .unlabelled import drop_unlabelled


class TextParts:
    """Reads tables as :meth:`TextFrame.from_table` reads one, and keeps their texts in files.

    Which columns have which role is settled by the first rows. What is held of each row is its target (8 bytes), a mark
    by which equal texts are found (8), its group (8), and the number of its id, where it has one (8).

    Args:
        sample: the first rows, and those of the held-out test set.
        memory: bytes that what is worked out of the texts may take.
        for_prediction: whether only the texts and their names are read.
        text, id, label, value, tags, split, group: columns, as in :meth:`TextFrame.from_table`.

    Raises:
        InputError: the table has an error the user can fix, or rows that are no texts.
    """

    def __init__(
        self,
        sample: SourceTables,
        *,
        memory: int,
        for_prediction: bool = False,
        text: str | None = None,
        id: str | None = None,
        label: str | None = None,
        value: str | None = None,
        tags: str | None = None,
    ) -> None:
        self.source, self.split, self.group, self.id = sample.source, sample.split, sample.group, id
        self.role = one_target_role({"label": label, "value": value, "tags": tags}, self.source)
        self.target = label or value or tags
        self.for_prediction, self.notes = for_prediction, sample.notes
        named = (self.target, self.split, id, self.group)
        for column in (text, *named):
            if column is not None:
                sample.check_column(column)
        self.text = text or default_text(sample, set(named), self.notes, tokens=False)
        check_single_roles([column for column in (self.text, self.target, id) if column is not None], self.source)
        note_ignored(sample.tables[0], (self.text, *named), self.notes)
        self._refuse_lists(sample)
        self._roles = {"text": self.text, "label": label, "value": value, "tags": tags, "split": self.split}
        self._roles |= {"group": self.group} if self.group is not None else {}
        self._texts, self._writer, self._marks = TextColumn(self.text), TextWriter(memory), list[np.ndarray]()
        self._names = _Names(memory)
        self._labels, self._values = LabelColumn(str(self.target)), list[np.ndarray]()
        self._splits, self._groups = SplitColumn(str(self.split)), GroupColumn(str(self.group))
        self.count = 0  # rows
        self._numbers, self._held_out = list[np.ndarray](), list[np.ndarray]()

    @property
    def columns(self) -> list[str]:
        """Those that are read."""
        named = (
            (self.text, self.id) if self.for_prediction else (self.text, self.target, self.split, self.id, self.group)
        )
        return list(dict.fromkeys(column for column in named if column is not None))

    def add(self, table: pd.DataFrame, *, held_out: bool = False) -> None:
        """Check some rows and write their texts.

        Args:
            table: the rows.
            held_out: whether they are of the held-out test set, which is a file of its own.
        """
        tables = SourceTables(table, None, self.source, self.split, self.group)
        texts = self._texts.read(tables)
        self._writer.add(texts)
        self.count += len(texts)
        if self.id is not None:
            self._names.add(tables.cells(self.id))
        if self.for_prediction:
            return
        self._marks.append(np.fromiter((mark(text) if text else 0 for text in texts), "int64", len(texts)))
        self._held_out.append(np.full(len(table), held_out))
        if self.role == "label":
            self._labels.add(tables)
        elif self.role == "value":
            self._values.append(tables.numbers(str(self.target)))
        if self.split is not None:
            self._splits.add(tables)
        if self.group is not None:
            self._numbers.append(self._groups.numbers(without_blanks(tables.cells(self.group))))

    def frame(self) -> TextFrame:
        """The frame of all rows."""
        self._texts.finish(self.source, self.notes, for_prediction=self.for_prediction)
        roles = {**self._roles, "id": self.id}
        names = None if self.id is None else self._names.finish()
        texts = self._writer.finish()
        frame = TextFrame(texts, kind="text", source=self.source, roles=roles, names=names)
        if self.for_prediction:
            return replace(frame, notes=tuple(self.notes))
        self._names.refuse_repeated(str(self.id), self.source)
        frame, marks = (
            replace(frame, is_test=self._is_test(), groups=self._group_numbers()),
            np.concatenate(self._marks),
        )
        if self.role is not None:
            targets, missing = self._targets(self.role)
            marks = marks[~missing]
            frame = drop_unlabelled(replace(frame, targets=targets), targets, missing, self.notes)
        note_equal_marks(marks, frame.is_test, "texts", self.notes)
        note_groups(frame.groups, frame.is_test, str(self.group), "texts", self.notes)
        return replace(frame, notes=tuple(self.notes))

    def _is_test(self) -> np.ndarray | None:
        if self.split is not None:
            return self._splits.finish(self.source, self.notes)
        held_out = np.concatenate(self._held_out)
        return held_out if held_out.any() else None

    def _group_numbers(self) -> np.ndarray | None:
        if self.group is None:
            return None
        self._groups.finish(self.notes)
        return np.concatenate(self._numbers)

    def _targets(self, role: str) -> tuple[Targets, np.ndarray]:
        name = str(self.target)
        if role == "value":
            values = np.concatenate(self._values)
            missing = missing_values(values, name, self.source)
        else:
            values, missing = self._labels.finish(self.source, self.notes)
        return Targets(TASK_OF_ROLE[role], name, values), missing

    def _refuse_lists(self, sample: SourceTables) -> None:
        """Refuse what is read as a whole: lists of tokens, and a tag for each."""
        if self.role == "tags" or holds_token_lists(sample, self.text):
            raise InputError(
                f"{self.source}: the rows are larger than `memory` allows, and of such only texts with a class or a "
                f"number are read in streams, where {self.text!r} holds lists of tokens, or each has tags; give more "
                "`memory`, or a part of the rows"
            )


class _Names:
    """What the texts are called: numbers, or texts in files."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._writer: TextWriter | None = None
        self._numbers, self._marks = list[np.ndarray](), list[np.ndarray]()

    def add(self, cells: list[Any]) -> None:
        self._marks.append(np.fromiter(map(hash, map(str, cells)), "int64", len(cells)))
        if self._writer is None and all(type(cell) is int for cell in cells):
            self._numbers.append(np.array(cells, dtype="int64"))
            return
        if self._writer is None:
            self._writer = TextWriter(self._memory)
            for numbers in self._numbers:
                self._writer.add(map(str, numbers))
        self._writer.add("" if cell is None else str(cell) for cell in cells)

    def finish(self) -> np.ndarray | StoredTexts:
        return np.concatenate(self._numbers) if self._writer is None else self._writer.finish()

    def refuse_repeated(self, name: str, source: str) -> None:
        """Refuse ids that come again: where rows fit into memory, such a table has a word in each."""
        marks = np.concatenate([np.empty(0, "int64"), *self._marks])
        if again := len(marks) - len(np.unique(marks)):
            raise InputError(
                f"{source}: {again:,} of {len(marks):,} ids in {name!r} come again where each row was expected to be a "
                "text, because the rows are larger than `memory` allows; leave `id` out, or give more `memory`"
            )
