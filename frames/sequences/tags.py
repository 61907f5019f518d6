"""A label for every step: lists as long as their sequences."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...errors import InputError
from ..targets import objects
from .labels import one_type
from .source_tables import SourceTables
from .written_lists import read_lists


def read_tags(
    tables: SourceTables, name: str, lengths: np.ndarray, steps: str, notes: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Read a column of lists of tags; texts are lists written out, or cut at their spaces.

    Args:
        tables: the table or tables.
        name: column.
        lengths: steps of each sequence: (rows,).
        steps: what the steps are called, such as "tokens".
        notes: receives what was done.

    Returns:
        Lists of str or int, all of one type: object (rows,); and which rows have no tags at all: bool (rows,).

    Raises:
        InputError: a cell that is not a list, a tag that is missing, or not as many tags as steps.
    """
    cells = tables.cells(name)
    lists = read_lists(cells) or [_as_list(cell) for cell in cells]
    missing = np.array([tags is None for tags in lists], dtype=bool)
    if missing.all():
        raise InputError(
            f"{tables.source}: column {name!r} holds no tags where some were expected; name another column as `tags`"
        )
    for row, tags in enumerate(lists):
        if tags is not None:
            _check(tags, int(lengths[row]), f"{tables.source}: column {name!r}", steps, tables.place(row))
    flat = iter(one_type([tag for tags in lists if tags is not None for tag in tags], name, notes))
    return objects([] if tags is None else [next(flat) for _ in tags] for tags in lists), missing


def _as_list(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell.split() or None
    return list(cell) if isinstance(cell, tuple) else cell


def _check(tags: Any, length: int, column: str, steps: str, place: str) -> None:
    if not isinstance(tags, list):
        raise InputError(
            f"{column} holds {tags!r} in {place} where a list of tags was expected, one for each of the {length} "
            f'{steps}, such as ["N", "V"]; for one label per sequence, name the column as `label`'
        )
    if len(tags) != length:
        raise InputError(
            f"{column} holds {len(tags)} tags in {place} where {length} were expected, one for each of the {length} "
            f"{steps}; correct the cell"
        )
    for position, tag in enumerate(tags):
        if not isinstance(tag, str | int | float) or tag != tag:  # noqa: PLR0124  (NaN is not equal to itself)
            raise InputError(
                f"{column} holds {tag!r} as tag {position + 1} in {place} where a text or a whole number was expected; "
                "give every step a tag"
            )


def flat_tags(values: Iterable[list]) -> np.ndarray:
    """Put the tags of all sequences one after the other: object (steps,)."""
    return objects(tag for tags in values for tag in tags)
