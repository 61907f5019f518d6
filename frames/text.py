"""TextFrame: texts, or texts already cut into tokens, and what is to be told of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from .targets import Targets, objects
from .cells import is_text, looks_numeric
from .finish import finish
from .labels import read_labels
from .parts import Parts, note_duplicates, one_role
from .roles import listed
from .strings import read_texts, read_tokens
from .tags import read_tags

TEXT_NAMES = ("text", "sentence", "review", "comment", "content", "message", "body", "document", "tweet", "title")
TOKEN_NAMES = ("tokens", "words")


@dataclass(frozen=True, eq=False)
class TextFrame:
    """Texts and their targets.

    Make one with :meth:`from_table`, which checks the cells and says in ``notes`` what it did.

    Attributes:
        texts: object (texts,): str each; for kind "tokens" list[str] each.
        targets: a class, a number or a list of tags for each text; None for texts alone.
        kind: "text" or "tokens" (already cut).
        is_test: which texts are an official test part: bool (texts,); None if there is none.
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
            table: one row a text.
            text: column of texts, or of lists of tokens. Default: a column with a usual name (text, sentence,
                review, ...; tokens), else the one column of texts without another role.
            label: column of classes. Rows without one are left out.
            value: column of numbers. Rows without one are left out.
            tags: column of lists, a tag for each token. With neither of the three, the texts stand alone.
            test: a second table with the same columns, the official test part.
            split: column that tells the official test part by the words train, validation (used for training)
                and test.
            source: file or data set, as messages name it.

        Returns:
            The frame.

        Raises:
            InputError: anything the user can mend, told in one sentence.

        Example:
            >>> frame = TextFrame.from_table(pd.DataFrame({"text": ["good", "bad"], "stars": [5, 1]}), label="stars")
            >>> frame.targets.values.tolist()
            [5, 1]
        """
        parts = Parts(table, test, source, split)
        notes = parts.notes
        role = one_role({"label": label, "value": value, "tags": tags}, source)
        name = label or value or tags
        for column in (text, name, split):
            if column is not None:
                parts.check(column)
        text = text or _default_text(parts, {name, split}, notes, tokens=role == "tags")
        if text == name:
            raise InputError(f"Column `{text}` of {source} was given two roles, text and {role}: name two columns.")
        _note_ignored(parts, {text, name, split}, notes)
        is_test = parts.is_test(notes)
        tokens = role == "tags" or any(isinstance(cell, list | tuple) for cell in parts.cells(text))
        texts: list[Any] = read_tokens(parts, text, notes) if tokens else read_texts(parts, text, notes)
        roles = {"text": text, "label": label, "value": value, "tags": tags, "split": split}
        frame = cls(objects(texts), None, "tokens" if tokens else "text", is_test, source, (), roles)
        if role is not None and name is not None:
            frame = _with_answers(frame, parts, role, name, notes)
        keys = map(tuple, frame.texts) if tokens else frame.texts
        note_duplicates(keys, frame.is_test, "texts", notes, kept=bool)
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
        """Roles without the targets and the official part: to read a table that is to be answered."""
        return {"text": self.roles["text"]} if "text" in self.roles else {}

    @property
    def task(self) -> str | None:
        """Task of the targets, or None."""
        return None if self.targets is None else self.targets.task

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: Sequence[int] | np.ndarray) -> "TextFrame":
        """Keep these texts, in this order."""
        rows = np.asarray(rows, dtype="int64")
        return replace(
            self,
            texts=self.texts[rows],
            targets=None if self.targets is None else self.targets.take(rows),
            is_test=None if self.is_test is None else self.is_test[rows],
        )


def _with_answers(frame: TextFrame, parts: Parts, role: str, name: str, notes: list[str]) -> TextFrame:
    """Add the targets; rows without one are left out and counted."""
    if role == "value":
        numbers = parts.numbers(name)
        values, missing, task = numbers, np.isnan(numbers), "regression"
        if missing.all():
            raise InputError(f"Column `{name}` of {parts.source} holds no number at all: name another with --value.")
    elif role == "tags":
        lengths = np.array([len(tokens) for tokens in frame.texts])
        values, missing = read_tags(parts, name, lengths, "tokens", notes)
        missing, task = missing | (lengths == 0), "tagging"
    else:
        (values, missing), task = read_labels(parts, name, notes), "classification"
    return finish(replace(frame, targets=Targets(task, name, values)), missing, notes)


def _default_text(parts: Parts, taken: set, notes: list[str], *, tokens: bool) -> str:
    table = parts.tables[0]
    free = {str(column).lower(): column for column in reversed(table.columns) if column not in taken}
    usual = (*TOKEN_NAMES, *TEXT_NAMES) if tokens else (*TEXT_NAMES, *TOKEN_NAMES)
    for name in usual:
        if name in free:
            return free[name]
    texts = [column for column in table.columns if column not in taken and _holds_text(table[column])]
    if len(texts) == 1:
        notes.append(f"The texts are column `{texts[0]}`, the only one that holds texts.")
        return texts[0]
    if not texts:
        raise InputError(
            f"{parts.source} has no column of texts (its columns are {listed(map(str, table.columns))}): name it with "
            "--text."
        )
    raise InputError(
        f"{parts.source} has {len(texts)} columns that could be the texts ({listed(texts)}): choose with --text, for "
        f"instance --text {texts[0]!r}."
    )


def _holds_text(column: pd.Series) -> bool:
    return is_text(column) and not looks_numeric(column)


def _note_ignored(parts: Parts, used: set, notes: list[str]) -> None:
    ignored = [str(column) for column in parts.tables[0].columns if column not in used]
    if ignored:
        notes.append(f"Columns without a role are ignored: {listed(ignored)}.")
