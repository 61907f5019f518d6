"""Targets handed over as arrays or lists: their number, their type, which are missing, which task they make."""

from typing import Any

import numpy as np

from ...errors import InputError
from ..targets import ROLE_OF_TASK, TASK_OF_ROLE, Targets, objects
from .labels import one_type
from .source_tables import plain

_FEW_CLASSES = 50  # whole numbers stored as floats: up to so many different ones are classes


def as_targets(
    given: Any, arrays: list[np.ndarray], task: str | None, name: str, source: str, notes: list[str]
) -> tuple[Targets, np.ndarray]:
    """Check targets handed over as an array.

    Args:
        given: :class:`Targets`, or one target for each sequence.
        arrays: the sequences: (time, channels) each.
        task: of the targets; None to infer it.
        name: what the targets are called.
        source: file or data set, for messages.
        notes: receives a doubtful choice of the task.

    Returns:
        The targets, and which are missing: bool (sequences,).

    Raises:
        InputError: another number of targets than sequences, or targets that do not fit the task.
    """
    if task is not None and task not in ROLE_OF_TASK:
        raise ValueError(f"`task` must be one of {tuple(ROLE_OF_TASK)} or None. Received: task={task!r}")
    if isinstance(given, Targets):
        task, name, given = given.task, given.name, given.values
    cells = _cells(given)
    if len(cells) != len(arrays):
        raise InputError(
            f"{source}: {len(arrays)} sequences but {len(cells)} targets in {name!r} were found where one for each was "
            "expected; correct the arrays"
        )
    missing = np.array([cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells], dtype=bool)
    if missing.all():
        raise InputError(f"{source}: {name!r} holds no targets where one for each sequence was expected; add some")
    role = _infer_role(cells, name, notes) if task is None else ROLE_OF_TASK[task]
    if role == "tags":
        values = _tags(cells, arrays, name, source, notes)
    elif any(isinstance(cell, list | tuple) for cell in cells):
        raise InputError(f"{source}: {name!r} holds lists where one target for each sequence was expected; correct it")
    elif role == "value":
        values = _numbers(cells, name, source)
    else:
        cells = [None if gone else cell for cell, gone in zip(cells, missing, strict=True)]
        values = objects(one_type(cells, name, notes))
    return Targets(TASK_OF_ROLE[role], name, values), missing


def _cells(given: Any) -> list:
    """Give plain Python objects, None where a target is missing."""
    matrix = isinstance(given, np.ndarray) and given.dtype != object
    cells = np.asarray(given).tolist() if matrix else list(given)
    cells = [plain(cell) for cell in cells]
    return [None if isinstance(cell, float) and np.isnan(cell) else cell for cell in cells]


def _numbers(cells: list, name: str, source: str) -> np.ndarray:
    try:
        values = np.array([np.nan if cell in (None, "") else float(cell) for cell in cells])
    except ValueError as error:
        raise InputError(f"{source}: {name!r} holds texts where numbers were expected ({error}); correct it") from error
    if np.isinf(values).any():
        raise InputError(f"{source}: {name!r} holds an infinite value where finite numbers were expected; correct it")
    return values


def _tags(cells: list, arrays: list[np.ndarray], name: str, source: str, notes: list[str]) -> np.ndarray:
    for position, (cell, array) in enumerate(zip(cells, arrays, strict=True)):
        if cell is not None and (not isinstance(cell, list | tuple) or len(cell) != len(array)):
            found = f"{len(cell)} tags" if isinstance(cell, list | tuple) else repr(cell)
            raise InputError(
                f"{source}: {name!r} holds {found} for sequence {position} where {len(array)} tags were expected, one "
                "for each step; correct the arrays"
            )
    flat = iter(one_type([tag for cell in cells for tag in cell or ()], name, notes))
    return objects([] if cell is None else [next(flat) for _ in cell] for cell in cells)


def _infer_role(cells: list, name: str, notes: list[str]) -> str:
    """Infer the role from the targets; a doubtful choice is noted."""
    found = [cell for cell in cells if cell is not None]
    if any(isinstance(cell, list | tuple) for cell in found):
        return "tags"
    if not any(isinstance(cell, float) for cell in found):
        return "label"
    whole = all(not isinstance(cell, float) or cell.is_integer() for cell in found)
    if whole and len(set(found)) <= min(_FEW_CLASSES, len(found) // 2):
        notes.append(
            f"the whole numbers in {name!r} are taken as classes (set `task` to {TASK_OF_ROLE['value']!r} to predict "
            "them as numbers)"
        )
        return "label"
    return "value"
