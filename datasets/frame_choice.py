"""Which frame a file or a named data set becomes: by the roles given, the task, the ending, and last the content."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import InputError
from ..frames import CorpusFrame, Frame, PanelFrame, SeriesFrame, TextFrame
from ..frames.columns import listed
from ..frames.sequences.text_frame import TEXT_NAMES, TOKEN_NAMES
from ..frames.sequences.word_rows import WORD_NAMES
from ..frames.series.column_roles import as_names
from ..frames.series.reading import Reading
from ..frames.targets import ROLE_OF_TASK, TASK_OF_ROLE, one_target_role
from .corpus_files import read_corpus
from .files import kind_of, read_table
from .panel_files import is_panel, join_splits, read_panel
from .parquet_batches import ParquetRows
from .parquet_folders import in_words
from .record import Dataset
from .row_streams import Large, can_be_streamed, larger_than_memory, open_rows
from .series_streams import read_in_streams
from .table_kinds import has_words_for_steps, holds_lists, is_wide, refuse_doubtful_series
from .text_streams import read_texts_in_streams

_FORECAST = "forecast"
_LANGUAGE_MODEL = "language-model"
_SERIES = ("target", "past_covariates", "future_covariates", "freq", "decimal")
# What a comma in a number means, by the decimal sign.
COMMAS = {",": "decimal", ".": "thousands"}
_SEQUENCES = ("text", "values", "channels", *TASK_OF_ROLE, "split", "group", "test")
_SINGLE = ("text", "values", *TASK_OF_ROLE, "split", "group")
# Whoever gives one of these asks for a forecast.
_SERIES_ONLY = {*_SERIES, "time"}
# Columns, and the test file, that a user can name, and how much memory their rows may take.
ROLES = (*_SERIES, *_SEQUENCES, "time", "id", "memory")


def load_file(
    source: str | Path, roles: Mapping[str, Any], task: str | None, missing: str, memory: str | int | None = None
) -> Frame:
    """Read a file as the frame that the roles, the task or the ending ask for.

    Args:
        source: the file.
        roles: those that were given, by name.
        task: what to predict, or None.
        missing: rule for missing values of a series.
        memory: what the rows may take, such as "2GB".

    Returns:
        The frame.

    Raises:
        InputError: roles that contradict each other or the task, or anything wrong in the file.
    """
    _check_roles(str(source), roles, task)
    kind = _kind(source, roles, task)
    if (found := _in_streams(source, roles, task, kind, missing=missing, memory=memory)) is not None:
        return found
    if kind == "corpus":
        return CorpusFrame.from_text(**read_corpus(source, roles.get("test")))
    if kind == "panel-file":
        return _panel_file(source, roles, task)
    if kind == "series":
        return read_series(source, roles, missing=missing, asked=_asks_forecast(roles, task), memory=memory)
    table = read_table(source, as_text=as_text(roles))
    kind = _kind_of_table(table, roles, task, kind)
    if kind == "series":
        refuse_doubtful_series(table, str(source))
        return SeriesFrame.from_table(table, **roles, missing=missing, source=str(source))
    roles = {**roles, **_default_targets(table, roles, task, str(source))}
    if "test" in roles:
        roles["test"] = read_table(roles["test"], as_text=as_text(roles))
    made = PanelFrame if kind == "panel" else TextFrame
    return made.from_table(table, **roles, source=str(source))


def _in_streams(
    source: str | Path,
    roles: Mapping[str, Any],
    task: str | None,
    kind: str,
    *,
    missing: str,
    memory: str | int | None,
) -> SeriesFrame | TextFrame | None:
    """The frame of rows that are larger than memory; None where they are not, or where nobody said how large it is.

    Raises:
        InputError: `memory` was given, and such rows cannot be read in streams; or anything wrong in them.
    """
    if (large := _larger(source, roles, memory)) is None:
        return None
    sample = large.rows.sample()
    found = _kind_of_table(sample, roles, task, kind)
    if found == "series" and isinstance(large.rows, ParquetRows):
        return _large_series(source, roles, large, sample, missing=missing, asked=_asks_forecast(roles, task))
    if found == "text" and task != _LANGUAGE_MODEL:
        roles = {**roles, **_default_targets(sample, roles, task, str(source))}
        return read_texts_in_streams(large, roles, sample=sample)
    if memory is None:
        return None
    raise InputError(
        f"{source}: the rows are more than `memory` ({in_words(large.memory)}) holds, and only series to forecast in "
        "Parquet, and texts with a class or a number in Parquet or .csv, are read in streams; give more `memory`, or a "
        "part of the rows"
    )


def _larger(source: str | Path, roles: Mapping[str, Any], memory: str | int | None) -> Large | None:
    """The rows of a source, if they, or those of the test set, are larger than memory."""
    large, test = larger_than_memory(source, memory), roles.get("test")
    if large is None and isinstance(test, str | Path) and can_be_streamed(source):
        held_out = larger_than_memory(test, memory)
        large = held_out and Large(open_rows(Path(source), held_out.memory), held_out.memory)
    return large


def _asks_forecast(roles: Mapping[str, Any], task: str | None) -> bool:
    return task is not None or bool(_SERIES_ONLY & set(roles))


def _large_series(
    source: str | Path,
    roles: Mapping[str, Any],
    large: Large,
    sample: pd.DataFrame,
    *,
    missing: str = "keep",
    reading: Reading | None = None,
    asked: bool = True,
) -> SeriesFrame:
    """Read series that are larger than memory in streams."""
    if not asked:
        refuse_doubtful_series(sample, str(source))
    if not isinstance(large.rows, ParquetRows):
        raise InputError(
            f"{source}: the rows are more than `memory` ({in_words(large.memory)}) holds, and series are read in "
            "streams from Parquet alone; save them as .parquet, or give more `memory`"
        )
    return read_in_streams(
        large.rows.dataset, sample, roles, memory=large.memory, missing=missing, source=str(source), reading=reading
    )


def read_series(
    source: str | Path,
    roles: Mapping[str, Any],
    *,
    missing: str = "keep",
    reading: Reading | None = None,
    asked: bool = True,
    memory: str | int | None = None,
) -> SeriesFrame:
    """Read a file of series.

    Args:
        source: the file.
        roles: columns by role, ``freq``, and ``decimal``, the decimal sign.
        missing: rule for missing values.
        reading: what was settled when the training data of a model were read, if it is a model that asks.
        asked: whether a forecast was asked for; otherwise texts without a column of time are refused.
        memory: what the rows may take, such as "2GB".
    """
    if (large := larger_than_memory(source, memory)) is not None and (memory or isinstance(large.rows, ParquetRows)):
        sample = large.rows.sample()
        return _large_series(source, roles, large, sample, missing=missing, reading=reading, asked=asked)
    kept = {role: value for role, value in roles.items() if role != "decimal"}
    texts = [*_named_ids(roles)]
    if reading is not None and reading.numeric is not None:  # categories such as 007
        given = (*as_names(roles.get("past_covariates")), *as_names(roles.get("future_covariates")))
        texts += [name for name in given if name not in reading.numeric]
    comma = reading.comma if reading is not None else COMMAS.get(roles.get("decimal", ""), "")
    table = read_table(source, as_text=texts, comma=comma)
    if not asked:
        refuse_doubtful_series(table, str(source))
    return SeriesFrame.from_table(table, **kept, missing=missing, source=str(source), reading=reading)


def _named_ids(roles: Mapping[str, Any]) -> tuple[str, ...]:
    """Columns that tell series or sequences apart: ids are names, and stay as they are written."""
    id = roles.get("id")
    if id is None:
        return ("unique_id",)
    return (id, *(part.strip() for part in id.split(","))) if isinstance(id, str) else as_names(id)


def load_table(table: pd.DataFrame, roles: Mapping[str, Any], task: str | None, missing: str) -> Frame:
    """Make a table the frame that the roles, the task or its columns ask for."""
    name = "the table"
    _check_roles(name, roles, task)
    kind = _kind_of_table(table, roles, task, _kind("", roles, task))
    if kind in ("series", "corpus"):
        if task is None and not _SERIES_ONLY & set(roles):
            refuse_doubtful_series(table, name)
        kept = {role: value for role, value in roles.items() if role != "decimal"}
        return SeriesFrame.from_table(table, **kept, missing=missing, source=name)
    roles = {**roles, **_default_targets(table, roles, task, name)}
    if isinstance(roles.get("test"), str | Path):
        roles["test"] = read_table(roles["test"], as_text=as_text(roles))
    made = PanelFrame if kind == "panel" else TextFrame
    return made.from_table(table, **roles, source=name)


def load_named(dataset: Dataset, roles: Mapping[str, Any], task: str | None, missing: str) -> Frame:
    """Load a named set; given roles override its own."""
    _check_roles(dataset.name, roles, task)
    _check_named(dataset, roles)
    if dataset.frame == "series":
        _check_task(dataset.name, dataset.task, task)
        merged = merge_roles(dataset.roles, roles)
        merged.pop("decimal", None)  # named sets hold numbers
        return SeriesFrame.from_table(dataset.loader(), **merged, missing=missing, source=dataset.name)
    if dataset.frame == "corpus":
        _check_task(dataset.name, dataset.task, task)
        return CorpusFrame.from_text(**{**dataset.loader(), "source": dataset.name})
    frame: TextFrame | PanelFrame
    if dataset.frame == "panel":
        frame = PanelFrame.from_arrays(**{**dataset.loader(), "source": dataset.name})
    else:
        own = dict(dataset.roles)
        if set(TASK_OF_ROLE) & set(roles):
            own = {role: column for role, column in own.items() if role not in TASK_OF_ROLE}
        frame = TextFrame.from_table(dataset.loader(), **{**own, **roles}, source=dataset.name)
    labelled = frame.targets is None or frame.targets.role == "label"
    if not (task == _LANGUAGE_MODEL and isinstance(frame, TextFrame) and labelled):
        _check_task(dataset.name, frame.task, task)
    return frame


def _check_task(source: str, found: str | None, task: str | None) -> None:
    """Refuse a task that the data are not for."""
    if task is not None and found != task:
        fix = f"set `task` to {found!r}, or use other data" if found else "name the column of targets"
        raise InputError(f"{source}: the data are for {found or 'no task'} where `task` is {task!r}; {fix}")


def _check_roles(source: str, roles: Mapping[str, Any], task: str | None) -> None:
    """Refuse an unknown task, and roles that contradict each other or the task."""
    if (decimal := roles.get("decimal")) is not None and decimal not in COMMAS:
        raise InputError(f"`decimal` must be '.' or ',', the decimal sign of numbers; received {decimal!r}")
    known = (_FORECAST, *ROLE_OF_TASK, _LANGUAGE_MODEL)
    if task is not None and task not in known:
        raise InputError(f"`task` must be one of {', '.join(known)}; received {task!r}")
    for role in _SINGLE:
        if isinstance(roles.get(role), list | tuple | set):
            raise InputError(
                f"{source}: `{role}` lists {listed(roles[role])} where the name of one column was expected; "
                "several are not learnt together: give one at a time"
            )
    series = [role for role in _SERIES if role in roles]
    sequences = [role for role in _SEQUENCES if role in roles]
    if series and (sequences or task not in (None, _FORECAST)):
        other = f"`{sequences[0]}`" if sequences else f"`task` {task!r}"
        raise InputError(
            f"{source}: `{series[0]}`, which is for a series to forecast, and {other}, which is not, were given where "
            "one of them was expected; leave one out"
        )
    if task == _FORECAST and sequences:
        raise InputError(
            f"{source}: `task` {task!r} and `{sequences[0]}`, which does not apply to a forecast, were given where one "
            "of them was expected; leave one out"
        )
    rows = [role for role in ("values", "channels", *(() if "id" in roles else ("time",))) if role in roles]
    if "text" in roles and rows:
        raise InputError(
            f"{source}: `text`, which is for texts, and `{rows[0]}`, which is for series and panels, were given where "
            "one of them was expected; leave one out"
        )
    _check_target_roles(source, roles, task)


def _check_target_roles(source: str, roles: Mapping[str, Any], task: str | None) -> None:
    targets = [role for role in TASK_OF_ROLE if role in roles]
    wanted = None if task is None else ROLE_OF_TASK.get(task)
    if wanted is not None and targets and targets != [wanted]:
        raise InputError(
            f"{source}: `task` {task!r} and `{targets[0]}` were given where the targets are `{wanted}`; leave one out"
        )
    if task == _LANGUAGE_MODEL and set(targets) - {"label"}:
        raise InputError(
            f"{source}: `task` {task!r} and `{targets[0]}` were given where no targets but a class (`label`) to "
            "condition on were expected; leave one out"
        )


def _kind(source: str | Path, roles: Mapping[str, Any], task: str | None) -> str:
    """Give the kind of frame: series, panel-file, corpus, text, panel; or table, where the content decides."""
    sequences = [role for role in _SEQUENCES if role in roles]
    if task == _FORECAST or any(role in roles for role in _SERIES):
        return "series"
    if is_panel(source, peek=not set(roles) - {"test"} and task != _LANGUAGE_MODEL):
        return "panel-file"
    if task == _LANGUAGE_MODEL:
        return "corpus" if kind_of(source) == ".txt" and not set(roles) - {"test"} else "text"
    if "text" in roles:
        return "text"
    if {"values", "channels"} & set(roles) or ("id" in roles and (sequences or task)):
        return "panel"
    return "table" if sequences or task or not roles else "series"


def _kind_of_table(table: pd.DataFrame, roles: Mapping[str, Any], task: str | None, kind: str) -> str:
    """Give the kind by the columns: lists or columns of numbers, texts or lists of tokens, or neither."""
    if kind == "panel":
        return "text" if has_words_for_steps(table, roles) else kind
    if kind != "table":
        return kind
    if holds_lists(table, "values"):
        return "panel"
    if not roles and task is None and not holds_lists(table, "tokens"):
        return "series"
    return "panel" if is_wide(table, roles, task) else "text"


def _default_targets(table: pd.DataFrame, roles: Mapping[str, Any], task: str | None, source: str) -> dict[str, str]:
    """Take the targets by their usual name where a task was named, or where nothing was."""
    named = set(roles) - {"test", "split", "group"}
    if any(role in roles for role in TASK_OF_ROLE) or task == _LANGUAGE_MODEL or (named and task is None):
        return {}
    for role in ("tags", "label", "value") if task is None else (ROLE_OF_TASK[task],):
        if role in table.columns:
            return {role: role}
    if task is None:
        return {}
    wanted = ROLE_OF_TASK[task]
    raise InputError(
        f"{source}: `task` {task!r} needs a column of targets, and no column is called {wanted!r} (the columns are "
        f"{listed(table.columns)}); name it as `{wanted}`"
    )


def as_text(roles: Mapping[str, Any]) -> tuple[str, ...]:
    """Columns whose cells stay as a text file has them, so that an id or a label 007 stays one."""
    if "text" in roles:
        texts: tuple[str, ...] = (roles["text"],)
    else:
        texts = WORD_NAMES if "id" in roles else (*TEXT_NAMES, *TOKEN_NAMES)
    return (
        *texts,
        *_named_ids(roles),
        *(roles[role] for role in ("label", "tags", "group") if role in roles),
        "label",
        "tags",
    )


def _panel_file(source: str | Path, roles: Mapping[str, Any], task: str | None) -> PanelFrame:
    for role in ("id", "time", "channels", "text", "split", "group"):
        if role in roles:
            raise InputError(f"{source}: `{role}` does not apply to a file of whole sequences; leave it out")
    if task == _LANGUAGE_MODEL:
        raise InputError(f"{source}: the file holds numbers where texts were expected for `task` {task!r}; change it")
    target = one_target_role({role: roles.get(role) for role in TASK_OF_ROLE}, str(source))
    asked, name = (task, None) if target is None else (TASK_OF_ROLE[target], roles[target])
    data = read_panel(source, values=roles.get("values"), targets=name, task=asked)
    if "test" in roles:
        if not is_panel(roles["test"], peek=True):
            raise InputError(f"{roles['test']}: a table was found where a test file like {source} was expected")
        data = join_splits(data, read_panel(roles["test"], values=roles.get("values"), targets=name, task=asked))
    if data["targets"] is None and task is not None:
        raise InputError(f"{source}: no targets were found, which `task` {task!r} needs; add an array 'y'")
    named = {"values": roles["values"]} if "values" in roles else {}
    frame = PanelFrame.from_arrays(**data, roles=named)
    _check_task(str(source), frame.task, asked)
    return frame


def _check_named(dataset: Dataset, roles: Mapping[str, Any]) -> None:
    kinds = {"series": (*_SERIES, "time", "id"), "text": ("text", *TASK_OF_ROLE, "split", "group")}
    known = kinds.get(dataset.frame, ())
    wrong = [role for role in roles if role not in known]
    if wrong:
        raise InputError(
            f"`{wrong[0]}` does not apply to the data set {dataset.name!r} (kind: {dataset.frame}); leave it out"
        )


def merge_roles(roles: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Let given roles override; a column given a role loses the one the data set gave it."""
    taken: set[Any] = set()
    for value in given.values():
        taken |= {value} if isinstance(value, str | int) else set(value)
    kept = {
        role: value if isinstance(value, str | int) else [name for name in value if name not in taken]
        for role, value in roles.items()
    }
    return {**kept, **given}
