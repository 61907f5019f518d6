"""TextFrame: texts, or texts already cut into tokens, and what is to be predicted for each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from ..cells import is_text, looks_numeric
from ..columns import check_single_roles, listed, note_ignored
from ..notebook import first_examples, frame_html
from ..targets import TASK_OF_ROLE, Targets, objects, one_target_role
from .duplicates import note_duplicates
from .labels import read_labels
from .source_tables import SourceTables
from .strings import read_texts, read_tokens
from .tags import read_tags
from .unlabelled import drop_unlabelled

TEXT_NAMES = ("text", "sentence", "review", "comment", "content", "message", "body", "document", "tweet", "title")
TOKEN_NAMES = ("tokens", "words")


@dataclass(frozen=True, eq=False)
class TextFrame:
    """Texts and their targets.

    Make one with :meth:`from_table`, which checks the cells and notes what it did.

    Attributes:
        texts: object (texts,): str each; for kind "tokens" list[str] each.
        targets: a class, a number or a list of tags for each text; None for texts alone.
        kind: "text" or "tokens" (already cut).
        is_test: which texts are held out for the test: bool (texts,); None if none are.
        source: the file or data set, as error messages name it.
        notes: sentences about what was found and done.
        roles: the user's own columns, to read another table the same way.
    """

    texts: np.ndarray
    targets: Targets | None = None
    kind: str = "text"
    is_test: np.ndarray | None = None
    source: str = "table"
    notes: tuple[str, ...] = ()
    roles: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame,
        *,
        text: str | None = None,
        label: str | None = None,
        value: str | None = None,
        tags: str | None = None,
        test: pd.DataFrame | None = None,
        split: str | None = None,
        source: str = "table",
    ) -> "TextFrame":
        """Check a table of texts.

        Args:
            table: one row per text.
            text: column of texts, or of lists of tokens. Default: a column with a usual name (text, sentence,
                review, ...; tokens), else the one column of texts without another role.
            label: column of classes. Rows without one are left out.
            value: column of numbers. Rows without one are left out.
            tags: column of lists, a tag for each token. With none of the three, the frame has no targets.
            test: a second table with the same columns, the held-out test set.
            split: column that holds the words train, validation (used for training) or test.
            source: file or data set, as messages name it.

        Returns:
            The frame.

        Raises:
            InputError: the table has an error the user can fix.

        Example:
            >>> frame = TextFrame.from_table(pd.DataFrame({"text": ["good", "bad"], "stars": [5, 1]}), label="stars")
            >>> frame.targets.values.tolist()
            [5, 1]
        """
        tables = SourceTables(table, test, source, split)
        notes = tables.notes
        role = one_target_role({"label": label, "value": value, "tags": tags}, source)
        name = label or value or tags
        for column in (text, name, split):
            if column is not None:
                tables.check_column(column)
        text = text or _default_text(tables, {name, split}, notes, tokens=role == "tags")
        check_single_roles([column for column in (text, name) if column is not None], source)
        note_ignored(table, (text, name, split), notes)
        is_test = tables.is_test(notes)
        tokens = role == "tags" or any(isinstance(cell, list | tuple) for cell in tables.cells(text))
        texts: list[Any] = read_tokens(tables, text, notes) if tokens else read_texts(tables, text, notes)
        roles = {"text": text, "label": label, "value": value, "tags": tags, "split": split}
        frame = cls(objects(texts), None, "tokens" if tokens else "text", is_test, source, (), roles)
        if role is not None and name is not None:
            frame = _with_targets(frame, tables, role, name, notes)
        keys = map(tuple, frame.texts) if tokens else frame.texts
        note_duplicates(keys, frame.is_test, "texts", notes, counted=bool)
        return replace(frame, notes=tuple(notes))

    @classmethod
    def from_records(cls, records: Iterable[Mapping[str, Any]], **roles: Any) -> "TextFrame":
        """Check records such as ``{"tokens": ["the", "cat"], "tags": ["D", "N"]}``; roles as in :meth:`from_table`.

        Example:
            >>> TextFrame.from_records([{"tokens": ["a", "b"], "tags": [0, 1]}], tags="tags").kind
            'tokens'
        """
        rows = list(records)
        names = dict.fromkeys(name for row in rows for name in row)
        # plain objects: pandas' own texts hold no lone surrogates
        columns = {name: pd.Series(objects(row.get(name) for row in rows), dtype=object) for name in names}
        return cls.from_table(pd.DataFrame(columns), **roles)

    @property
    def inputs(self) -> np.ndarray:
        """What a pipeline reads: the texts."""
        return self.texts

    @property
    def input_roles(self) -> dict[str, Any]:
        """Roles without the targets and the split: to read a table for prediction."""
        return {"text": self.roles["text"]} if "text" in self.roles else {}

    @property
    def task(self) -> str | None:
        """Task of the targets, or None."""
        return None if self.targets is None else self.targets.task

    def __len__(self) -> int:
        return len(self.texts)

    def __repr__(self) -> str:
        test = "" if self.is_test is None else f" ({int(self.is_test.sum()):,} held out)"
        return f"TextFrame({self.source!r}: {len(self):,} texts{test}, {self.targets or 'no targets'})"

    def _repr_html_(self) -> str:
        texts = [text if isinstance(text, str) else " ".join(map(str, text)) for text in self.texts[:5]]
        return frame_html(repr(self), first_examples(texts, self.targets, self.kind), len(self), "texts")

    def take(self, rows: Sequence[int] | np.ndarray) -> "TextFrame":
        """Keep these texts, in this order."""
        rows = np.asarray(rows, dtype="int64")
        return replace(
            self,
            texts=self.texts[rows],
            targets=None if self.targets is None else self.targets.take(rows),
            is_test=None if self.is_test is None else self.is_test[rows],
        )


def _with_targets(frame: TextFrame, tables: SourceTables, role: str, name: str, notes: list[str]) -> TextFrame:
    """Add the targets; rows without one are left out and counted."""
    if role == "value":
        values = tables.numbers(name)
        missing = np.isnan(values)
        if missing.all():
            raise InputError(
                f"{tables.source}: column {name!r} holds no numbers where some were expected; name another column as "
                "`value`"
            )
    elif role == "tags":
        lengths = np.array([len(tokens) for tokens in frame.texts])
        values, missing = read_tags(tables, name, lengths, "tokens", notes)
        missing = missing | (lengths == 0)
    else:
        values, missing = read_labels(tables, name, notes)
    targets = Targets(TASK_OF_ROLE[role], name, values)
    return drop_unlabelled(replace(frame, targets=targets), targets, missing, notes)


def _default_text(tables: SourceTables, taken: set, notes: list[str], *, tokens: bool) -> str:
    table = tables.tables[0]
    free = {str(column).lower(): column for column in reversed(table.columns) if column not in taken}
    usual = (*TOKEN_NAMES, *TEXT_NAMES) if tokens else (*TEXT_NAMES, *TOKEN_NAMES)
    for name in usual:
        if name in free:
            return free[name]
    texts = [column for column in table.columns if column not in taken and _holds_text(table[column])]
    if len(texts) == 1:
        notes.append(f"the texts are column {texts[0]!r}, the only one that holds texts (set `text` to override)")
        return texts[0]
    if not texts:
        raise InputError(
            f"{tables.source}: no column of texts was found (the columns are {listed(map(str, table.columns))}); name "
            "it as `text`"
        )
    raise InputError(
        f"{tables.source}: {len(texts)} columns could be the texts ({listed(texts)}) where one was expected; name it "
        "as `text`"
    )


def _holds_text(column: pd.Series) -> bool:
    return is_text(column) and not looks_numeric(column)
