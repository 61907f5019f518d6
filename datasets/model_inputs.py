"""Inputs for a trained model: read like the training data, without targets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..frames import Frame, PanelFrame


def load_inputs(source: str | Path, inputs: str, roles: Mapping[str, Any]) -> Frame:
    """Read texts, lists of tokens or sequences of numbers from a file or a named data set.

    Args:
        source: a data set's name, or a file.
        inputs: what the model reads: "text", "tokens" or "values".
        roles: the columns of the inputs in the training data.

    Returns:
        A frame; targets that stand beside the inputs are not asked for, and leave nothing out.

    Raises:
        InputError: if the source does not hold that kind of inputs, or anything is wrong in it.
    """
    from . import load
    from .panel_files import is_panel, read_panel

    if Path(source).is_file() and is_panel(source, peek=not roles):
        if inputs != "values":
            raise InputError(f"{source} holds numbers, but the model reads {inputs}; give a table with it")
        return PanelFrame.from_arrays(**read_panel(source) | {"targets": None})
    return load(source, **roles)
