"""Targets: what is to be told of each sequence: a class, a number, or a class for every step."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

TASKS = ("classification", "regression", "tagging")


@dataclass(frozen=True, eq=False)
class Targets:
    """One answer for each sequence of a frame.

    Attributes:
        task: "classification", "regression" or "tagging".
        name: the user's column or key.
        values: for classification object (sequences,) of str or int, as the user wrote them; for regression float64
            (sequences,); for tagging object (sequences,) of lists of str or int, one for each step.

    Example:
        >>> Targets("classification", "label", objects(["spam", "ham"])).take([1]).values.tolist()
        ['ham']
    """

    task: str
    name: str
    values: np.ndarray

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(f"`task` must be one of {TASKS}. Received: task={self.task!r}")

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Sequence[int] | np.ndarray) -> "Targets":
        """Give the targets of these sequences, in this order."""
        return Targets(self.task, self.name, self.values[np.asarray(rows)])


def objects(items: Iterable[Any]) -> np.ndarray:
    """Put items into an object array one by one: numpy would make a matrix of lists of the same length."""
    items = list(items)
    array = np.empty(len(items), dtype=object)
    for position, item in enumerate(items):
        array[position] = item
    return array
