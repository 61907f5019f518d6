"""What a table shows of its own form: lists in cells, a word per row, a column per step, texts without a time."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ..errors import InputError
from ..frames.cells import holds_text, looks_numeric
from ..frames.columns import TIME_NAMES
from ..frames.sequences.text_frame import TEXT_NAMES
from ..frames.sequences.wide_table import find_steps
from ..frames.sequences.word_rows import WORD_NAMES, words_of
from ..frames.sequences.written_lists import read_lists
from ..frames.series.time_cells import looks_like_time
from ..frames.targets import TASK_OF_ROLE

# Tasks with one target for each row of a table with a column per step.
_WIDE_TASKS = ("classification", "regression")
# Columns whose cells have so many words hold texts, not names.
_WORDS_OF_TEXT = 4


def holds_lists(table: pd.DataFrame, name: str) -> bool:
    """Whether a column of that name holds lists, or texts that are all lists written out."""
    if name not in table.columns:
        return False
    cells = table[name]
    return any(hasattr(cell, "__len__") and not isinstance(cell, str) for cell in cells) or bool(
        read_lists(cells.dropna().tolist())
    )


def has_words_for_steps(table: pd.DataFrame, roles: Mapping[str, Any]) -> bool:
    """Whether the steps of a table with an id column are words: one column is called so, or nothing else is left."""
    if {"values", "channels"} & set(roles) or "id" not in roles:
        return False
    taken = [roles[role] for role in ("id", "time", "split", "group", *TASK_OF_ROLE) if role in roles]
    free = [name for name in table.columns if name not in taken]
    named = any(str(name).lower() in WORD_NAMES and holds_text(table[name]) for name in free)
    return named or (not any(looks_numeric(table[name]) for name in free) and bool(words_of(table, taken)))


def is_wide(table: pd.DataFrame, roles: Mapping[str, Any], task: str | None) -> bool:
    """Whether a row is a sequence with a column per step: there are numbered columns, and no texts."""
    if "text" in roles or "tags" in roles or task not in (None, *_WIDE_TASKS):
        return False
    taken = [roles[role] for role in ("id", "split", "group", *TASK_OF_ROLE) if role in roles]
    taken += [role for role in TASK_OF_ROLE if role in table.columns]
    texts = [name for name in table.columns if name not in taken and _holds_texts(table, name)]
    return find_steps(table, taken) is not None and not texts


def refuse_doubtful_series(table: pd.DataFrame, source: str) -> None:
    """Refuse to forecast what nobody said is a series: texts, or a sequence per row, without a column of time.

    Raises:
        InputError: naming the form that was found, and what asks for each task.
    """
    if _has_time(table):
        return
    texts = [name for name in table.columns if _holds_texts(table, name)]
    if texts:
        raise InputError(
            f"{source}: column {texts[0]!r} holds texts and no column holds time stamps, so it is not clear what is "
            f"to be learnt; name a column of classes as `label` or one of numbers as `value`{_suggested(table, texts)}"
            ", or set `task` to 'language-model', or to 'forecast' if the rows are a series"
        )
    steps = None if "y" in table.columns else find_steps(table, ())
    if steps is not None:
        first = steps.steps[0]
        raise InputError(
            f"{source}: columns {first[0]!r} to {first[-1]!r} look like the steps of one sequence per row, and no "
            "column holds time stamps; name the column of the class of each row as `label`, or of its number as `value`"
            f"{_suggested(table, steps.names)}; to forecast, write one row per step, with a column of time stamps"
        )


def _has_time(table: pd.DataFrame) -> bool:
    lowered = {str(name).lower() for name in table.columns}
    named = bool(lowered & set(TIME_NAMES)) or {"year", "month"} <= lowered
    return named or any(looks_like_time(table[name]) for name in table.columns)


def _holds_texts(table: pd.DataFrame, name: str) -> bool:
    """Whether a column holds texts: it is called so, or its cells have several words."""
    if not holds_text(table[name]) or holds_lists(table, name):
        return False
    words = table[name].dropna().astype(str).str.split().str.len()
    return str(name).lower() in TEXT_NAMES or bool(words.median() >= _WORDS_OF_TEXT)


def _suggested(table: pd.DataFrame, taken: list[str]) -> str:
    left = [name for name in table.columns if name not in taken]
    return f" (such as {left[-1]!r})" if left else ""
