"""Examples as the frames of the house: for a description without checks, and for a comparison with all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from ..frames import Frame, PanelFrame, Targets, TextFrame
from ..frames.targets import ROLE_OF_TASK, objects
from .reading import Examples

_SOURCE = "X and y"


def plain_frame(examples: Examples, task: str, numbers: np.ndarray) -> TextFrame | PanelFrame:
    """Checked examples as a frame.

    Args:
        examples: inputs.
        task: "classification" or "regression".
        numbers: what is learnt, one row for each example.
    """
    values = numbers if numbers.ndim == 1 or numbers.shape[1] > 1 else numbers[:, 0]
    targets = Targets(task, "y", values)
    if examples.texts is not None:
        return TextFrame(objects(examples.texts), targets, examples.kind, source=_SOURCE)
    inputs = examples.inputs
    return PanelFrame(inputs, targets, tuple(f"c{i}" for i in range(inputs[0].shape[1])), source=_SOURCE)


def comparison_frame(examples: Examples, y: Any, task: str) -> Frame:
    """Examples with their targets as the user wrote them.

    Raises:
        InputError: if there are several targets for each row, which no comparison has.
    """
    labels = np.asarray(y)
    if labels.ndim > 1 and labels.shape[1] > 1:
        raise InputError(f"y has {labels.shape[1]} columns where a comparison needs one; compare each of them")
    labels = labels.ravel()
    if examples.texts is not None:
        table = pd.DataFrame({"text": objects(examples.texts), "y": labels})
        roles: dict[str, Any] = {ROLE_OF_TASK[task]: "y"}
        return TextFrame.from_table(table, text="text", source=_SOURCE, **roles)
    return PanelFrame.from_arrays(examples.inputs, labels, task=task, source=_SOURCE)
