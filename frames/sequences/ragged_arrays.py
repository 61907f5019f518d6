"""Arrays and lists become sequences of numbers (time, channels) of any length, all with the same channels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from ...errors import InputError
from ..targets import Targets
from ..wording import verb


@dataclass(frozen=True)
class SequenceData:
    """Sequences and targets as read, before the last checks of a PanelFrame.

    Attributes:
        values: for each sequence float64 (time, channels).
        missing: which have no target: bool (sequences,).
        names: what the id column calls each sequence.
        groups: number of the group of each sequence.
    """

    values: list[np.ndarray]
    channels: tuple[str, ...]
    targets: Targets | None
    missing: np.ndarray
    is_test: np.ndarray | None
    names: np.ndarray | None = None
    groups: np.ndarray | None = None


def as_sequence(given: Any, place: str) -> np.ndarray:
    """Give one sequence as float64 (time, channels).

    Args:
        given: numbers, one per step, or lists of numbers, one list per step; None where a value is missing.
        place: where it was found, for messages.

    Returns:
        The numbers, finite or NaN.

    Raises:
        InputError: steps of different width, a cell that is not a number, or an infinite value.
    """
    try:
        array = np.asarray(given)
        if array.dtype.kind not in "fiub":  # texts that look like numbers are an error further up
            array = np.asarray(_numbers(given), dtype="float64")
        array = array.astype("float64")
    except (ValueError, TypeError, OverflowError):
        _refuse(given, place)
    if array.ndim == 1:
        array = array[:, None] if len(array) else np.empty((0, 0))
    if array.ndim != 2:
        raise InputError(
            f"{place} has {array.ndim} dimensions where one (time) or two (time, channels) were expected; "
            "write [1, 2, 3], or [[1, 5], [2, 6]] for several channels"
        )
    if np.isinf(array).any():
        step, channel = np.argwhere(np.isinf(array))[0]
        raise InputError(
            f"{place} holds an infinite value at step {step}, channel {channel}, where finite numbers were "
            "expected; leave such values out (null or NaN)"
        )
    return array


def cut_missing_ends(sequences: Sequence[np.ndarray], notes: list[str]) -> list[np.ndarray]:
    """Cut the steps at the end in which every channel is missing: shorter sequences are stored like that."""
    found = []
    for sequence in sequences:
        there = ~np.isnan(np.asarray(sequence, dtype="float64")).reshape(len(sequence), -1).all(axis=1)
        found.append(sequence[: len(there) - int(np.argmax(there[::-1]))] if there.any() else sequence[:0])
    shorter = sum(len(cut) < len(sequence) for cut, sequence in zip(found, sequences, strict=True))
    if shorter:
        notes.append(
            f"{shorter:,} of {len(found):,} sequences {verb(shorter, 'ends', 'end')} in missing values only: "
            f"{verb(shorter, 'it is', 'they are')} cut there"
        )
    return found


def check_widths(
    arrays: list[np.ndarray], place: Callable[[int], str], source: str, *, allow_empty: bool = False
) -> int:
    """Refuse sequences with different channels; one without steps gets the others' width. Gives the channels.

    Args:
        arrays: the sequences; empty ones are replaced.
        place: names the place of a sequence by its number, for messages.
        source: file or data set, for messages.
        allow_empty: whether sequences may all be empty, of 0 channels then.
    """
    widths = [array.shape[1] for array in arrays if len(array)]
    if allow_empty and not widths:
        arrays[:] = [np.empty((0, 0))] * len(arrays)
        return 0
    if not widths or not min(widths):
        raise InputError(f"{source}: no sequence has any values where at least one was expected; add some")
    for position, array in enumerate(arrays):
        if not len(array):
            arrays[position] = np.empty((0, widths[0]))
        elif array.shape[1] != widths[0]:
            raise InputError(
                f"{place(position)} has {array.shape[1]} channels where {widths[0]} were expected, as in "
                "the first sequence; give every sequence the same channels"
            )
    return widths[0]


def _numbers(given: Any) -> Any:
    """Put NaN for None and refuse everything else that is not a number."""
    if given is None:
        return np.nan
    if isinstance(given, list | tuple | np.ndarray):
        return [_numbers(cell) for cell in given]
    if isinstance(given, int | float | np.number):
        return given
    raise TypeError


def _refuse(given: Any, place: str) -> NoReturn:
    """Name the step that has the wrong width or the cell that is not a number."""
    steps = list(given) if isinstance(given, list | tuple | np.ndarray) else []
    if not steps:
        raise InputError(f"{place} is {given!r} where a list of numbers was expected; correct it")
    nested = [isinstance(step, list | tuple | np.ndarray) for step in steps]
    width = len(steps[0]) if nested[0] else 1
    for number, step in enumerate(steps):
        for cell in step if nested[number] else [step]:
            if cell is not None and not isinstance(cell, int | float | np.number):
                raise InputError(
                    f"{place} holds {cell!r} at step {number} where a number was expected; correct it, or "
                    "write null where it is missing"
                )
        found = len(step) if nested[number] else 1
        if found != width or nested[number] != nested[0]:
            raise InputError(
                f"{place} has {found} values at step {number} where {width} were expected, as at step 0; "
                "give every step the same channels (null where a value is missing)"
            )
    raise InputError(f"{place} is not a table of numbers (time, channels) as expected; correct it")
