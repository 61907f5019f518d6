"""TextFrame: texts, or texts already cut into tokens, and what is to be predicted for each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from ..cells import holds_text, looks_numeric
from ..columns import check_single_roles, listed, note_ignored
from ..notebook import first_examples, frame_html
from ..targets import TASK_OF_ROLE, Targets, objects, one_target_role
from .duplicates import note_duplicates
from .groups import note_groups, read_groups
from .labels import read_labels
from .long_table import LongTableColumns
from .ragged_arrays import SequenceData
from .source_tables import SourceTables
from .stored_texts import StoredTexts
from .strings import read_texts, read_tokens
from .tags import read_tags
from .unlabelled import drop_unlabelled
from .word_rows import read_word_rows
from .written_lists import read_lists

TEXT_NAMES = ("text", "sentence", "review", "comment", "content", "message", "body", "document", "tweet", "title")
TOKEN_NAMES = ("tokens", "words")
ROWS = "rows"  # one token per row
_MANY = 10  # rows: so many texts of one word each are a table of words


@dataclass(frozen=True, eq=False)
class TextFrame:
    """Texts and their targets.

    Make one with :meth:`from_table`, which checks the cells and notes what it did.

    Attributes:
        texts: object (texts,): str each; for kind "tokens" list[str] each. Those that are larger than memory are read
            from files as they are looked at, and so are their names.
        targets: a class, a number or a list of tags for each text; None for texts alone.
        kind: "text" or "tokens" (already cut).
        is_test: which texts are held out for the test: bool (texts,); None if none are.
        source: the file or data set, as error messages name it.
        notes: sentences about what was found and done.
        roles: the user's own columns, to read another table the same way; ``cut``: how texts became lists of tokens.
        names: what the id column calls each text: object (texts,); None without such a column.
        groups: number of the group of each text, which folds never split: int64 (texts,); None without groups.
    """

    texts: np.ndarray | StoredTexts
    targets: Targets | None = None
    kind: str = "text"
    is_test: np.ndarray | None = None
    source: str = "table"
    notes: tuple[str, ...] = ()
    roles: Mapping[str, Any] = field(default_factory=dict)
    names: np.ndarray | StoredTexts | None = None
    groups: np.ndarray | None = None

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame,
        *,
        text: str | None = None,
        id: str | None = None,
        time: str | None = None,
        label: str | None = None,
        value: str | None = None,
        tags: str | None = None,
        test: pd.DataFrame | None = None,
        split: str | None = None,
        group: str | None = None,
        kind: str | None = None,
        cut: str | None = None,
        for_prediction: bool = False,
        source: str = "table",
    ) -> "TextFrame":
        """Check a table of texts.

        Args:
            table: one row per text, or one row per word where ``id`` is the same in several rows.
            text: column of texts, of lists of tokens, or of words. Default: a column with a usual name (text, sentence,
                review, ...; tokens), else the one column of texts without another role.
            id: column of what the texts are called; where each row holds a word, empty cells go on with the text above.
            time: column by which the words of a text are sorted. Default: the rows are taken as they come.
            label: column of classes. Rows without one are left out.
            value: column of numbers. Rows without one are left out.
            tags: column of lists, a tag for each token. With none of the three, the frame has no targets.
            test: a second table with the same columns, the held-out test set.
            split: column that holds the words train, validation (used for training) or test.
            group: column that says which texts belong together (a film, an author): folds never split a group.
            kind: "tokens" or "text": whether cells become lists of tokens. Default: by the cells, and always with
                ``tags``.
            cut: how texts become lists of tokens: "lists" (they are written as lists), "spaces", or "rows" (each row
                holds one). Default: by the cells.
            for_prediction: whether the texts may all be empty.
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
        tables = SourceTables(table, test, source, split, group)
        notes = tables.notes
        role = one_target_role({"label": label, "value": value, "tags": tags}, source)
        name = label or value or tags
        roles: dict[str, Any] = {"text": text, "label": label, "value": value, "tags": tags, "split": split}
        roles |= {"group": group} if group is not None else {}
        if id is not None and (cut == ROWS or (kind is None and _ids_repeat(tables, id))):
            text, time, data = read_word_rows(tables, LongTableColumns(id, time, split, role, name, group), text, notes)
            return _of_words(cls, data, source, {**roles, "text": text, "id": id, "time": time, "cut": ROWS}, notes)
        for column in (text, name, split, id, group):
            if column is not None:
                tables.check_column(column)
        text = text or default_text(tables, {name, split, id, group}, notes, tokens=role == "tags")
        check_single_roles([column for column in (text, name, id) if column is not None], source)
        note_ignored(table, (text, name, split, id, group), notes)
        is_test = tables.is_test(notes)
        kind = kind or ("tokens" if role == "tags" or holds_token_lists(tables, text) else "text")
        texts: list[Any]
        if kind == "tokens":
            texts, roles["cut"] = read_tokens(tables, text, notes, cut=cut, for_prediction=for_prediction)
            if role == "tags" and not for_prediction:
                _refuse_single_words(texts, tables, text)
        else:
            texts = read_texts(tables, text, notes, for_prediction=for_prediction)
        names, groups = None if id is None else objects(tables.cells(id)), read_groups(tables, notes)
        roles |= {"text": text, "id": id}
        frame = cls(objects(texts), None, kind, is_test, source, (), roles, names, groups)
        if label is not None and for_prediction:
            frame = replace(frame, targets=_conditions(tables, label, notes))
        elif role is not None and name is not None:
            frame = _with_targets(frame, tables, role, name, notes)
        if not for_prediction:
            keys = map(tuple, frame.texts) if kind == "tokens" else frame.texts
            note_duplicates(keys, frame.is_test, "texts", notes, counted=bool)
            note_groups(frame.groups, frame.is_test, str(group), "texts", notes)
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
    def inputs(self) -> np.ndarray | StoredTexts:
        """What a pipeline reads: the texts."""
        return self.texts

    def inputs_of(self, rows: np.ndarray) -> Sequence[Any]:
        """Some of the texts: in a list, or where they are larger than memory as they are looked at."""
        chosen = self.texts[rows]
        return chosen if isinstance(chosen, StoredTexts) else list(chosen)

    @property
    def stored(self) -> StoredTexts | None:
        """The texts, where they are larger than memory."""
        return self.texts if isinstance(self.texts, StoredTexts) else None

    def refuse_stored(self, what: str) -> None:
        """Refuse to do what reads all texts at once where they are larger than memory."""
        if self.stored is not None:
            raise InputError(
                f"{self.source}: {what} reads all rows at once, and these are larger than memory; give a part of them"
            )

    @property
    def input_roles(self) -> dict[str, Any]:
        """Roles without the targets and the split: to read a table for prediction."""
        return {role: self.roles[role] for role in ("text", "id", "time", "cut") if self.roles.get(role) is not None}

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
            names=None if self.names is None else self.names[rows],
            groups=None if self.groups is None else self.groups[rows],
        )


def _of_words(
    made: type[TextFrame], data: SequenceData, source: str, roles: dict[str, Any], notes: list[str]
) -> TextFrame:
    """A frame of lists of words; those without a target are left out."""
    words = objects(data.values)
    frame = made(words, data.targets, "tokens", data.is_test, source, (), roles, data.names, data.groups)
    if frame.targets is not None:
        frame = drop_unlabelled(frame, frame.targets, data.missing, notes, "texts")
        note_duplicates(map(tuple, frame.texts), frame.is_test, "texts", notes, counted=bool)
    note_groups(frame.groups, frame.is_test, str(roles.get("group")), "texts", notes)
    return replace(frame, notes=tuple(notes))


def _refuse_single_words(texts: list[Any], tables: SourceTables, text: str) -> None:
    """Refuse texts of one word each that are to be tagged: the sentences they belong to were not named."""
    if len(texts) >= _MANY and all(len(words) <= 1 for words in texts):
        raise InputError(
            f"{tables.source}: each row of {text!r} holds one word where a list of them was expected; name the column "
            "that tells the sentences apart as `id`, or write CoNLL, with a blank line between sentences (.conll)"
        )


def _ids_repeat(tables: SourceTables, id: str) -> bool:
    """Whether a text goes over several rows: some id stands in more than one, or in the first one only."""
    ids = tables.cells(id)
    return len(set(ids)) < len(ids)


def holds_token_lists(tables: SourceTables, text: str) -> bool:
    """Whether the cells are lists; written out as texts they only count in a column that is called tokens or words."""
    cells = tables.cells(text)
    if any(isinstance(cell, list | tuple) for cell in cells):
        return True
    return str(text).lower() in TOKEN_NAMES and read_lists(cells) is not None


def _with_targets(frame: TextFrame, tables: SourceTables, role: str, name: str, notes: list[str]) -> TextFrame:
    """Add the targets; rows without one are left out and counted."""
    if role == "value":
        values = tables.numbers(name)
        missing = missing_values(values, name, tables.source)
    elif role == "tags":
        lengths = np.array([len(tokens) for tokens in frame.texts])
        values, missing = read_tags(tables, name, lengths, "tokens", notes)
        missing = missing | (lengths == 0)
    else:
        values, missing = read_labels(tables, name, notes)
    targets = Targets(TASK_OF_ROLE[role], name, values)
    return drop_unlabelled(replace(frame, targets=targets), targets, missing, notes)


def missing_values(values: np.ndarray, name: str, source: str) -> np.ndarray:
    """Which numbers are missing: bool (texts,).

    Raises:
        InputError: all of them.
    """
    missing = np.isnan(values)
    if missing.all():
        raise InputError(
            f"{source}: column {name!r} holds no numbers where some were expected; name another column as `value`"
        )
    return missing


def _conditions(tables: SourceTables, label: str, notes: list[str]) -> Targets:
    """The class that each text to be continued belongs to; none is left out, since each text gets an answer."""
    values, missing = read_labels(tables, label, notes)
    if missing.any():
        row = int(np.argmax(missing))
        raise InputError(
            f"{tables.source}: column {label!r} is empty in {tables.place(row)} where the class of the text was "
            "expected; fill it in"
        )
    return Targets(TASK_OF_ROLE["label"], label, values)


def _other_layouts(table: pd.DataFrame, taken: set) -> str:
    """What to do where the columns are numbers: they may be sequences, a row or a step in each line."""
    numbers = [name for name in table.columns if name not in taken and looks_numeric(table[name])]
    if len(numbers) < 2:
        return ""
    return (
        "; where a row is a sequence of numbers, call the columns of its steps t0, t1, ... in order; where it is a "
        "step, name the column that tells the sequences apart as `id`"
    )


def default_text(tables: SourceTables, taken: set, notes: list[str], *, tokens: bool) -> str:
    """The column of texts: one with a usual name, else the only one that holds texts.

    Raises:
        InputError: none, or several.
    """
    table = tables.tables[0]
    free = {str(column).lower(): column for column in reversed(table.columns) if column not in taken}
    usual = (*TOKEN_NAMES, *TEXT_NAMES) if tokens else (*TEXT_NAMES, *TOKEN_NAMES)
    for name in usual:
        if name in free:
            return free[name]
    texts = [column for column in table.columns if column not in taken and holds_text(table[column])]
    if len(texts) == 1:
        notes.append(f"the texts are column {texts[0]!r}, the only one that holds texts (set `text` to override)")
        return texts[0]
    if not texts:
        raise InputError(
            f"{tables.source}: no column of texts was found (the columns are {listed(map(str, table.columns))}); "
            f"name it as `text`{_other_layouts(table, taken)}"
        )
    raise InputError(
        f"{tables.source}: {len(texts)} columns could be the texts ({listed(texts)}) where one was expected; name it "
        "as `text`"
    )
