"""Arrays and lists become sequences of numbers (time, channels), all with the same channels."""

from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import numpy as np

from ..errors import InputError
from .targets import Targets, objects
from .labels import one_type

_FEW_CLASSES = 50  # whole numbers stored as floats: up to so many different ones are classes


@dataclass(frozen=True)
class Read:
    """What a reader found, before the last checks."""

    values: list[np.ndarray]
    channels: tuple[str, ...]
    targets: Targets | None
    missing: np.ndarray
    is_test: np.ndarray | None
    names: np.ndarray | None = None


class Places(Protocol):
    """Names of rows, for messages: a list, or made when one is needed."""

    def __getitem__(self, row: int, /) -> str: ...


def as_sequence(given: Any, place: str) -> np.ndarray:
    """Give one sequence as float64 (time, channels).

    Args:
        given: numbers, one a step, or lists of numbers, one list a step; None where a value is missing.
        place: where it stands, for messages.

    Returns:
        The numbers, finite or NaN.

    Raises:
        InputError: steps of different width, a cell that is no number, or an infinite value.
    """
    try:
        array = np.asarray(given)
        if array.dtype.kind not in "fiub":  # texts that look like numbers are a mistake further up
            array = np.asarray(_numbers(given), dtype="float64")
        array = array.astype("float64")
    except (ValueError, TypeError, OverflowError):
        _refuse(given, place)
    if array.ndim == 1:
        array = array[:, None] if len(array) else np.empty((0, 0))
    if array.ndim != 2:
        raise InputError(
            f"{_begin(place)} has {array.ndim} dimensions where one (time) or two (time, channels) were expected: "
            "write [1, 2, 3], or [[1, 5], [2, 6]] for several channels."
        )
    if np.isinf(array).any():
        step, channel = np.argwhere(np.isinf(array))[0]
        raise InputError(
            f"{_begin(place)} holds an infinite value at step {step}, channel {channel}, where finite numbers were "
            "expected: leave such values out (null or NaN)."
        )
    return array


def check_widths(arrays: list[np.ndarray], places: Places, source: str) -> int:
    """Refuse sequences with different channels; one without steps gets the others' width. Gives the channels."""
    widths = [array.shape[1] for array in arrays if len(array)]
    if not widths or not min(widths):
        raise InputError(f"{source} has no values in any sequence where at least one was expected.")
    for position, array in enumerate(arrays):
        if not len(array):
            arrays[position] = np.empty((0, widths[0]))
        elif array.shape[1] != widths[0]:
            raise InputError(
                f"{_begin(places[position])} has {array.shape[1]} channels where {widths[0]} were expected, as in the "
                "first sequence: give every sequence the same channels."
            )
    return widths[0]


def as_answers(
    given: Any, arrays: list[np.ndarray], task: str | None, name: str, source: str, notes: list[str]
) -> tuple[Targets, np.ndarray]:
    """Check targets handed over as an array: their number, their type, which are missing."""
    if isinstance(given, Targets):
        task, name, given = given.task, given.name, given.values
    cells = np.asarray(given).tolist() if _is_matrix(given) else list(given)
    cells = [cell.tolist() if isinstance(cell, np.ndarray | np.generic) else cell for cell in cells]
    if len(cells) != len(arrays):
        raise InputError(
            f"{source} has {len(arrays)} sequences but {len(cells)} targets in `{name}` where one for each was "
            "expected: correct the arrays."
        )
    cells = [None if isinstance(cell, float) and np.isnan(cell) else cell for cell in cells]
    missing = np.array([cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells], dtype=bool)
    if missing.all():
        raise InputError(f"`{name}` of {source} holds no answer at all where one for each sequence was expected.")
    task = task or _tell_task(cells, name, notes)
    if task == "tagging":
        return Targets(task, name, _tags(cells, arrays, name, source, notes)), missing
    if any(isinstance(cell, list | tuple) for cell in cells):
        raise InputError(
            f"`{name}` of {source} holds lists where one answer for each sequence was expected: correct it."
        )
    if task == "regression":
        return Targets(task, name, _values(cells, name, source)), missing
    cells = [None if gone else cell for cell, gone in zip(cells, missing, strict=True)]
    return Targets(task, name, objects(one_type(cells, name, notes))), missing


def _is_matrix(given: Any) -> bool:
    return isinstance(given, np.ndarray) and given.dtype != object


def _values(cells: list, name: str, source: str) -> np.ndarray:
    try:
        values = np.array([np.nan if cell in (None, "") else float(cell) for cell in cells])
    except ValueError as error:
        raise InputError(
            f"`{name}` of {source} holds texts where numbers were expected ({error}): correct it."
        ) from error
    if np.isinf(values).any():
        raise InputError(f"`{name}` of {source} holds an infinite value where finite numbers were expected.")
    return values


def _tags(cells: list, arrays: list[np.ndarray], name: str, source: str, notes: list[str]) -> np.ndarray:
    for position, (cell, array) in enumerate(zip(cells, arrays, strict=True)):
        if cell is not None and (not isinstance(cell, list | tuple) or len(cell) != len(array)):
            found = f"{len(cell)} tags" if isinstance(cell, list | tuple) else repr(cell)
            raise InputError(
                f"`{name}` of {source} holds {found} for sequence {position} where {len(array)} tags were expected, "
                "one for each step: correct the arrays."
            )
    flat = iter(one_type([tag for cell in cells for tag in cell or ()], name, notes))
    return objects([] if cell is None else [next(flat) for _ in cell] for cell in cells)


def _tell_task(cells: list, name: str, notes: list[str]) -> str:
    """Tell the task from the targets; a doubtful choice is noted."""
    found = [cell for cell in cells if cell is not None]
    if any(isinstance(cell, list | tuple) for cell in found):
        return "tagging"
    if not any(isinstance(cell, float) for cell in found):
        return "classification"
    whole = all(not isinstance(cell, float) or cell.is_integer() for cell in found)
    if whole and len(set(found)) <= min(_FEW_CLASSES, len(found) // 2):
        notes.append(
            f"The whole numbers in `{name}` are taken as classes; to learn them as numbers, use --task regression."
        )
        return "classification"
    return "regression"


def _numbers(given: Any) -> Any:
    """Put NaN for None and refuse everything else that is no number."""
    if given is None:
        return np.nan
    if isinstance(given, list | tuple | np.ndarray):
        return [_numbers(cell) for cell in given]
    if isinstance(given, int | float | np.number):
        return given
    raise TypeError


def _refuse(given: Any, place: str) -> NoReturn:
    """Say which step has the wrong width or which cell is no number."""
    steps = list(given) if isinstance(given, list | tuple | np.ndarray) else []
    if not steps:
        raise InputError(f"{_begin(place)} holds {given!r} where a list of numbers was expected: correct it.")
    nested = [isinstance(step, list | tuple | np.ndarray) for step in steps]
    width = len(steps[0]) if nested[0] else 1
    for number, step in enumerate(steps):
        for cell in step if nested[number] else [step]:
            if cell is not None and not isinstance(cell, int | float | np.number):
                raise InputError(
                    f"{_begin(place)} holds {cell!r} at step {number} where a number was expected: correct it, or "
                    "write null where it is missing."
                )
        if (len(step) if nested[number] else 1) != width or nested[number] != nested[0]:
            found = len(step) if nested[number] else 1
            raise InputError(
                f"{_begin(place)} has {found} values at step {number} where {width} were expected, as at step 0: give "
                "every step the same channels (null where a value is missing)."
            )
    raise InputError(f"{_begin(place)} is no table of numbers (time, channels): correct it.")


def _begin(place: str) -> str:
    return place[0].upper() + place[1:]
