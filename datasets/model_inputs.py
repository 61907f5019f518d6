"""Inputs for a trained model: read like the training data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..frames import Frame, PanelFrame, SeriesFrame
from ..frames.series.reading import Reading
from .files import is_known
from .frame_choice import read_series


def load_series(source: str | Path, roles: Mapping[str, Any], reading: Reading) -> SeriesFrame:
    """Read the newest rows of series from a file or a named data set.

    Args:
        source: a data set's name, or a file.
        roles: the columns of the training data, and ``freq``.
        reading: what was settled when they were read.
    """
    from . import load

    if Path(source).is_file() or is_known(source):
        return read_series(source, roles, reading=reading)
    frame = load(source, task="forecast", **roles)
    if not isinstance(frame, SeriesFrame):
        raise InputError(f"{source} holds no series, which the model forecasts; give a table with its columns")
    return frame


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
