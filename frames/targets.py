"""Targets: what is to be predicted for each sequence: a class, a number, or a class for every step."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError

# The role a column of targets has, and the task that follows from it. Everything else is derived from this literal.
TASK_OF_ROLE = {"label": "classification", "value": "regression", "tags": "tagging"}
ROLE_OF_TASK = {task: role for role, task in TASK_OF_ROLE.items()}


@dataclass(frozen=True, eq=False)
class Targets:
    """One target for each sequence of a frame.

    Attributes:
        task: a value of ``TASK_OF_ROLE``.
        name: the user's column or key.
        values: for labels object (sequences,) of str or int, as the user wrote them; for values float64 (sequences,);
            for tags object (sequences,) of lists of str or int, one for each step.

    Example:
        >>> Targets("classification", "label", objects(["spam", "ham"])).take([1]).values.tolist()
        ['ham']
    """

    task: str
    name: str
    values: np.ndarray

    def __post_init__(self) -> None:
        if self.task not in ROLE_OF_TASK:
            raise ValueError(f"`task` must be one of {tuple(ROLE_OF_TASK)}. Received: task={self.task!r}")

    @property
    def role(self) -> str:
        """Role of the column: "label", "value" or "tags"."""
        return ROLE_OF_TASK[self.task]

    def __len__(self) -> int:
        return len(self.values)

    def __str__(self) -> str:
        if self.role == "value":
            return f"value {self.name!r}"
        labels = self.values if self.role == "label" else [tag for tags in self.values for tag in tags]
        return f"{self.role} {self.name!r} ({len(set(labels)):,} classes)"

    def take(self, rows: Sequence[int] | np.ndarray) -> "Targets":
        """Give the targets of these sequences, in this order."""
        return Targets(self.task, self.name, self.values[np.asarray(rows)])


def one_target_role(given: dict[str, str | None], source: str) -> str | None:
    """Give the one role of label, value and tags that was named, if any."""
    named = [role for role, column in given.items() if column is not None]
    if len(named) > 1:
        columns = " and ".join(f"`{role}` {given[role]!r}" for role in named)
        raise InputError(
            f"{source}: {columns} were given where one target was expected, a class (`label`), a number (`value`) or "
            "a class for every step (`tags`); leave one out"
        )
    return named[0] if named else None


def objects(items: Iterable[Any]) -> np.ndarray:
    """Put items into an object array one by one: numpy would make a matrix of lists of the same length."""
    items = list(items)
    array = np.empty(len(items), dtype=object)
    for position, item in enumerate(items):
        array[position] = item
    return array
