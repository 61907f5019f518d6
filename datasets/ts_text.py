"""The .ts format of sktime and aeon: a header of @ lines, then one line per sequence, its channels separated by colons.

Source: https://www.aeon-toolkit.org/en/latest/api_reference/file_specifications/ts.html
"""

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..frames.targets import TASK_OF_ROLE
from .csv_text import lines_of
from .ucr_text import as_labels, numbers


def read_ts(text: str, path: Path) -> dict[str, Any]:
    """Read .ts text: sequences of the same or of different length, ``?`` for a missing value.

    Raises:
        InputError: no @data line, channels of different length or number, time stamps, or a cell that is not a number.
    """
    header: dict[str, list[str]] = {}
    lines = lines_of(text)
    start = next((number for number, line in enumerate(lines) if line.strip().lower() == "@data"), None)
    if start is None:
        raise InputError(
            f"{path}: no line @data was found, after which a .ts file has its sequences; check how it was written"
        )
    for line in lines[:start]:
        if line.strip().startswith("@"):
            name, *words = line.strip()[1:].split()
            header[name.lower()] = words
    labelled = _is_true(header, "classlabel")
    valued = _is_true(header, "targetlabel")
    if _is_true(header, "timestamps"):
        raise InputError(
            f"{path}: time stamps were found (@timeStamps true) where values alone were expected; write it without them"
        )
    values, targets = [], []
    for number, line in enumerate(lines[start + 1 :], start=start + 2):
        if line.strip() and not line.startswith("#"):
            channels = line.strip().split(":")
            if labelled or valued:
                targets.append(channels.pop().strip())
            values.append(_sequence(channels, number, path))
            if values[-1].shape[1] != values[0].shape[1]:
                raise InputError(
                    f"{path}: line {number} has {values[-1].shape[1]} channels where {values[0].shape[1]} were "
                    "expected, as in the first sequence; correct the line"
                )
    if not values:
        raise InputError(f"{path}: no sequence was found after @data where at least one was expected; add some")
    return {"values": values, **_read_targets(targets, path, labelled=labelled)}


def _is_true(header: dict[str, list[str]], name: str) -> bool:
    return [word.lower() for word in header.get(name, ["false"])[:1]] == ["true"]


def _sequence(channels: list[str], line: int, path: Path) -> np.ndarray:
    if not channels:
        raise InputError(
            f"{path}: line {line} has no values before its label where some were expected; correct the line"
        )
    found = [numbers(channel.split(","), line, path) for channel in channels]
    lengths = [len(channel) for channel in found]
    if len(set(lengths)) > 1:
        other = next(position for position, length in enumerate(lengths) if length != lengths[0])
        raise InputError(
            f"{path}: line {line} has {lengths[other]} values in channel {other + 1} where {lengths[0]} were expected, "
            "as in channel 1; write ? where a value is missing"
        )
    return np.column_stack(found)


def _read_targets(targets: list[str], path: Path, *, labelled: bool) -> dict[str, Any]:
    if labelled:
        return {"targets": as_labels(["" if label == "?" else label for label in targets]), "name": "class"}
    if not targets:
        return {"targets": None}
    try:
        values = [np.nan if cell in ("?", "") else float(cell) for cell in targets]
    except ValueError as error:
        raise InputError(
            f"{path}: a target is not a number ({error}) where @targetLabel true promises numbers; correct it"
        ) from error
    return {"targets": values, "name": "target", "task": TASK_OF_ROLE["value"]}
