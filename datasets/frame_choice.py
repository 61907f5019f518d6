"""Which frame a file becomes: by the roles given, by the task, by the ending, and last by what stands in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import InputError
from ..frames import CorpusFrame, PanelFrame, SeriesFrame, TextFrame
from ..frames.text import TEXT_NAMES, TOKEN_NAMES
from .corpus_files import read_corpus
from .files import kind_of, read_table
from .panel_files import is_panel, join_parts, read_panel
from .record import Dataset

Frame = SeriesFrame | TextFrame | PanelFrame | CorpusFrame

TASKS = ("forecast", "classification", "regression", "tagging", "language-model")
ANSWERS = {"classification": "label", "regression": "value", "tagging": "tags"}
_SERIES = ("target", "past", "future", "freq")
_SEQUENCES = ("text", "values", "channels", "label", "value", "tags", "split", "test")
# Columns, and the test file, that a user can name.
ROLES = (*_SERIES, *_SEQUENCES, "time", "id")
_FLAGS = {role: f"--{role}" for role in ROLES}


def load_file(source: str | Path, roles: Mapping[str, Any], task: str | None, missing: str) -> Frame:
    """Read a file as the frame that the roles, the task or the ending ask for.

    Args:
        source: the file.
        roles: those that were given, by name.
        task: one of ``TASKS``, or None.
        missing: rule for missing values of a series.

    Returns:
        The frame.

    Raises:
        InputError: roles that contradict each other or the task, or anything wrong in the file.
    """
    _check_roles(str(source), roles, task)
    kind = _kind(source, roles, task)
    if kind == "corpus":
        return CorpusFrame.from_text(**read_corpus(source, roles.get("test")))
    if kind == "panel-file":
        return _panel_file(source, roles, task)
    if kind == "series":
        return SeriesFrame.from_table(read_table(source), **roles, missing=missing, source=str(source))
    table = read_table(source, as_text=_as_text(roles))
    kind = _look(table, roles, task) if kind == "table" else kind
    if kind == "series":
        return SeriesFrame.from_table(table, **roles, missing=missing, source=str(source))
    roles = {**roles, **_default_answers(table, roles, task, str(source))}
    if "test" in roles:
        roles["test"] = read_table(roles["test"], as_text=_as_text(roles))
    made = PanelFrame if kind == "panel" else TextFrame
    return made.from_table(table, **roles, source=str(source))


def load_named(dataset: Dataset, roles: Mapping[str, Any], task: str | None, missing: str) -> Frame:
    """Load a named set; given roles override its own."""
    _check_roles(dataset.name, roles, task)
    _check_named(dataset, roles)
    if dataset.frame == "series":
        check_task(dataset.name, "forecast", task)
        merged = merge(dataset.roles, roles)
        return SeriesFrame.from_table(dataset.loader(), **merged, missing=missing, source=dataset.name)
    if dataset.frame == "corpus":
        check_task(dataset.name, "language-model", task)
        return CorpusFrame.from_text(**{**dataset.loader(), "source": dataset.name})
    frame: TextFrame | PanelFrame
    if dataset.frame == "panel":
        frame = PanelFrame.from_arrays(**{**dataset.loader(), "source": dataset.name})
    else:
        own = dict(dataset.roles)
        if set(ANSWERS.values()) & set(roles):
            own = {role: column for role, column in own.items() if role not in ANSWERS.values()}
        frame = TextFrame.from_table(dataset.loader(), **{**own, **roles}, source=dataset.name)
    if not (task == "language-model" and isinstance(frame, TextFrame) and frame.task in (None, "classification")):
        check_task(dataset.name, frame.task, task)
    return frame


def check_task(source: str, found: str | None, task: str | None) -> None:
    """Refuse a task that the data are not for."""
    if task is not None and found != task:
        fix = f"use --task {found}, or other data" if found else "name the column of targets"
        raise InputError(f"{source} holds data for the task {found or 'none'} where {task} was asked for: {fix}.")


def _check_roles(source: str, roles: Mapping[str, Any], task: str | None) -> None:
    if task is not None and task not in TASKS:
        raise InputError(f"There is no task {task!r}; the tasks are {', '.join(TASKS)}.")
    series = [role for role in _SERIES if role in roles]
    sequences = [role for role in _SEQUENCES if role in roles]
    if series and (sequences or task not in (None, "forecast")):
        other = _FLAGS[sequences[0]] if sequences else f"--task {task}"
        raise InputError(
            f"{source} was given {_FLAGS[series[0]]}, which is for a series to be forecast, and {other}, which is not: "
            "leave one of them out."
        )
    if task == "forecast" and sequences:
        raise InputError(
            f"{source} was given --task forecast and {_FLAGS[sequences[0]]}, which no forecast has: leave one out."
        )
    rows = [role for role in ("id", "time", "values", "channels") if role in roles]
    if "text" in roles and rows:
        raise InputError(
            f"{source} was given --text, one text a row, and {_FLAGS[rows[0]]}, which is for series and panels: leave "
            "one of them out."
        )
    targets = [role for role in ANSWERS.values() if role in roles]
    if task in ANSWERS and targets and targets != [ANSWERS[task]]:
        raise InputError(
            f"{source} was given --task {task} and --{targets[0]}, but the targets of {task} are --{ANSWERS[task]}: "
            "leave one out."
        )
    if task == "language-model" and set(targets) - {"label"}:
        raise InputError(
            f"{source} was given --task language-model and --{targets[0]}, but a language model knows the next words "
            "only, and perhaps a class by --label: leave it out."
        )


def _kind(source: str | Path, roles: Mapping[str, Any], task: str | None) -> str:
    sequences = [role for role in _SEQUENCES if role in roles]
    if task == "forecast" or any(role in roles for role in _SERIES):
        return "series"
    if is_panel(source, peek=not set(roles) - {"test"}):
        return "panel-file"
    if task == "language-model":
        return "corpus" if kind_of(source) == ".txt" and not set(roles) - {"test"} else "text"
    if "text" in roles:
        return "text"
    if {"values", "channels"} & set(roles) or ("id" in roles and (sequences or task)):
        return "panel"
    return "table" if sequences or task or not roles else "series"


def _look(table: pd.DataFrame, roles: Mapping[str, Any], task: str | None) -> str:
    """Tell the kind by the columns: lists of numbers, lists of tokens, or neither."""
    if _holds_lists(table, "values"):
        return "panel"
    return "text" if roles or task or _holds_lists(table, "tokens") else "series"


def _holds_lists(table: pd.DataFrame, name: str) -> bool:
    return name in table.columns and any(hasattr(cell, "__len__") and not isinstance(cell, str) for cell in table[name])


def _default_answers(table: pd.DataFrame, roles: Mapping[str, Any], task: str | None, source: str) -> dict[str, str]:
    """Take the targets by their usual name where a task was named, or where nothing was."""
    if any(role in roles for role in ANSWERS.values()) or task == "language-model" or (roles and task is None):
        return {}
    for role in (ANSWERS[task],) if task else ("tags", "label", "value"):
        if role in table.columns:
            return {role: role}
    if task is None:
        return {}
    raise InputError(
        f"{source} was given --task {task}, but no column of targets, and none is called `{ANSWERS[task]}` (its "
        f"columns are {', '.join(f'`{name}`' for name in table.columns)}): name it with --{ANSWERS[task]}."
    )


def _as_text(roles: Mapping[str, Any]) -> tuple[str, ...]:
    """Columns that a text file has as they are written, so that a label 007 stays one."""
    texts: tuple[str, ...] = (roles["text"],) if "text" in roles else (*TEXT_NAMES, *TOKEN_NAMES)
    if "id" in roles:
        texts = ()
    return (*texts, *(roles[role] for role in ("label", "tags") if role in roles), "label", "tags")


def _panel_file(source: str | Path, roles: Mapping[str, Any], task: str | None) -> PanelFrame:
    for role in ("id", "time", "channels", "text", "split"):
        if role in roles:
            raise InputError(
                f"{source} holds whole sequences and no columns, so {_FLAGS[role]} says nothing: leave it out."
            )
    if task == "language-model":
        raise InputError(f"{source} holds numbers, of which there is no language model: choose another --task.")
    names = [(known, roles[role]) for known, role in ANSWERS.items() if role in roles]
    if len(names) > 1:
        raise InputError(f"{source} was given several targets ({', '.join(name for _, name in names)}): leave one out.")
    known, name = names[0] if names else (task, None)
    read = read_panel(source, values=roles.get("values"), answer=name, task=known)
    if "test" in roles:
        if not is_panel(roles["test"], peek=True):
            raise InputError(
                f"{roles['test']} is a table where a test part like {source} was expected: give the same kind."
            )
        read = join_parts(read, read_panel(roles["test"], values=roles.get("values"), answer=name, task=known))
    if read["targets"] is None and task is not None:
        raise InputError(f"{source} holds no targets, which {task} needs: add an array `y`, or leave --task out.")
    frame = PanelFrame.from_arrays(**read)
    check_task(str(source), frame.task, known)
    return frame


def _check_named(dataset: Dataset, roles: Mapping[str, Any]) -> None:
    kinds = {"series": (*_SERIES, "time", "id"), "text": ("text", "label", "value", "tags", "split")}
    known = kinds.get(dataset.frame, ())
    wrong = [role for role in roles if role not in known]
    if wrong:
        raise InputError(
            f"{_FLAGS[wrong[0]]} says nothing about the data set {dataset.name} (kind: {dataset.frame}): leave it out."
        )


def merge(roles: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Let given roles override; a column given a role loses the one the data set gave it."""
    taken: set[Any] = set()
    for value in given.values():
        taken |= {value} if isinstance(value, str | int) else set(value)
    kept = {
        role: value if isinstance(value, str | int) else [name for name in value if name not in taken]
        for role, value in roles.items()
    }
    return {**kept, **given}
