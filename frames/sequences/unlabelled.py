"""Sequences without a target are dropped, and the targets of the others are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ...errors import InputError
from ..wording import verb
from .labels import check_classes, note_classes
from .tags import flat_tags

if TYPE_CHECKING:
    from ..targets import Targets
    from .panel_frame import PanelFrame
    from .text_frame import TextFrame

    FrameT = TypeVar("FrameT", TextFrame, PanelFrame)


def drop_unlabelled(
    frame: FrameT, targets: Targets, missing: np.ndarray, notes: list[str], what: str = "rows"
) -> FrameT:
    """Drop sequences without a target and check those that stay.

    Args:
        frame: the sequences, with ``targets``.
        targets: the targets of all sequences.
        missing: which have no target: bool (sequences,).
        notes: receives what was done.
        what: what the sequences are called, in the plural.

    Returns:
        The frame with the rest.

    Raises:
        InputError: no training or no test sequence is left, or there is nothing to learn.
    """
    name = targets.name
    if missing.any():
        gone = int(missing.sum())
        notes.append(
            f"{gone:,} of {len(missing):,} {what} {verb(gone, 'has', 'have')} no {name!r}: "
            f"{verb(gone, 'it is', 'they are')} left out"
        )
        rows = np.flatnonzero(~missing)
        frame, targets = frame.take(rows), targets.take(rows)
    test = np.zeros(len(frame), dtype=bool) if frame.is_test is None else frame.is_test
    if test.all():
        raise InputError(f"{frame.source}: no {what} of the training set have a {name!r}; fill some in")
    if frame.is_test is not None and not test.any():
        raise InputError(
            f"{frame.source}: no {what} of the held-out test set have a {name!r}; fill some in or leave the set out"
        )
    _check_targets(targets, test if frame.is_test is not None else None, what, frame.source, notes)
    return frame


def _check_targets(targets: Targets, is_test: np.ndarray | None, what: str, source: str, notes: list[str]) -> None:
    """Refuse targets with nothing to learn, and note what is odd about the others."""
    values = targets.values
    if targets.role == "tags":
        is_test = None if is_test is None else np.repeat(is_test, [len(tags) for tags in values])
        values, what = flat_tags(values), "steps"
    train = values if is_test is None else values[~is_test]
    if targets.role != "value":
        check_classes(train.tolist(), targets.name, source)
        note_classes(values, is_test, targets.name, what, notes)
    elif len(set(train.tolist())) == 1:
        notes.append(f"{targets.name!r} is constant ({train[0]:g}): there is nothing to learn")
