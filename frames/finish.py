"""The last checks of a frame with targets: rows without one are left out, the classes of the rest are told."""

from typing import Any

import numpy as np

from ..errors import InputError
from .labels import check_classes, note_classes
from .tags import flat_tags


def finish(frame: Any, missing: np.ndarray, notes: list[str], what: str = "rows") -> Any:
    """Leave out sequences without an answer and check those that stay.

    Args:
        frame: a TextFrame or PanelFrame with targets.
        missing: which have no answer: bool (sequences,).
        notes: where to tell what was done.
        what: how to call the sequences, in the plural.

    Returns:
        The frame with the rest.

    Raises:
        InputError: no training or no test sequence is left, or there is nothing to learn.
    """
    name = frame.targets.name
    if missing.any():
        notes.append(f"{int(missing.sum()):,} of {len(missing):,} {what} have no `{name}`: they are left out.")
        frame = frame.take(np.flatnonzero(~missing))
    test = np.zeros(len(frame), dtype=bool) if frame.is_test is None else frame.is_test
    if test.all():
        raise InputError(f"{frame.source} has no training {what} with a `{name}`: there is nothing to learn from.")
    if frame.is_test is not None and not test.any():
        raise InputError(f"The test part of {frame.source} has no {what} with a `{name}`: leave it out, or fill it in.")
    values = frame.targets.values
    if frame.task == "regression":
        if len(set(values[~test].tolist())) == 1:
            notes.append(f"`{name}` is constant ({values[~test][0]:g}): there is nothing to learn.")
        return frame
    if frame.task == "tagging":
        test = np.repeat(test, [len(tags) for tags in values])
        values, what = flat_tags(values), "steps"
    check_classes(values[~test].tolist(), name, frame.source)
    note_classes(values, test if frame.is_test is not None else None, name, what, notes)
    return frame
