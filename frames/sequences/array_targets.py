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
    if isinstance(given, np.ndarray) and given.ndim == 2 and given.shape[1] == 1 and {len(a) for a in arrays} != {1}:
        given = given[:, 0]  # a column of targets
    cells = _cells(given)
    if len(cells) != len(arrays):
        raise InputError(
            f"{source}: {len(arrays)} sequences but {len(cells)} targets in {name!r} were found where one for each was "
            "expected; correct the arrays"
        )
    missing = np.array([cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells], dtype=bool)
    if missing.all():
        raise InputError(f"{source}: {name!r} holds no targets where one for each sequence was expected; add some")
    role = None if task is None else ROLE_OF_TASK[task]
    if role != "tags":
        cells = _one_label_each(cells, [len(array) for array in arrays], name, source, role, notes)
    role = role or _infer_role(cells, name, notes)
    if role == "tags":
        values = _tags(cells, arrays, name, source, notes)
    elif any(isinstance(cell, list | tuple) for cell in cells):
        raise InputError(
            f"{source}: {name!r} holds lists where one target for each sequence was expected; several targets of a "
            "sequence are not learnt together: give one of them at a time"
        )
    elif role == "value":
        values = _numbers(cells, name, source)
    else:
        cells = [None if gone else cell for cell, gone in zip(cells, missing, strict=True)]
        values = objects(one_type(cells, name, notes))
    return Targets(TASK_OF_ROLE[role], name, values), missing


def _one_label_each(
    cells: list, lengths: list[int], name: str, source: str, role: str | None, notes: list[str]
) -> list:
    """Take the class of rows of 0 and 1 that stand for classes (one-hot); refuse what could as well be tags.

    Raises:
        InputError: several labels of a sequence, or rows that may be classes or tags.
    """
    rows = [cell for cell in cells if isinstance(cell, list | tuple)]
    if role == "value":
        return cells
    if not rows or len({len(row) for row in rows}) > 1 or not all(value in (0, 1) for row in rows for value in row):
        return cells
    width = len(rows[0])
    one_each = all(sum(row) == 1 for row in rows)
    of_steps = all(len(cell) == n for cell, n in zip(cells, lengths, strict=True) if isinstance(cell, list | tuple))
    if of_steps and role is None:
        if one_each and width > 1:
            raise InputError(
                f"{source}: each row of {name!r} holds one 1 among {width} numbers, and each sequence has {width} "
                f"steps, so they are classes written as one-hot, or tags; for classes give their numbers, "
                f"{name}.argmax(axis=1), for tags set `task` to {TASK_OF_ROLE['tags']!r}"
            )
        return cells
    if one_each and width > 1:
        notes.append(f"{name!r} is one-hot: its {width} columns are taken as classes 0 to {width - 1}")
        return [list(cell).index(1) if isinstance(cell, list | tuple) else cell for cell in cells]
    raise InputError(
        f"{source}: the rows of {name!r} hold {width} numbers of 0 and 1 where one target for each sequence "
        "was expected: several labels of a sequence are not learnt together; give one column at a time, such as "
        f"{name}[:, 0]"
    )


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
