"""The .ts format of sktime and aeon: a header of @ lines, then one line per sequence, its channels separated by colons.

Source: https://www.aeon-toolkit.org/en/latest/api_reference/file_specifications/ts.html
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from ..frames.targets import TASK_OF_ROLE
from .csv_text import lines_of
from .ucr_text import as_labels, numbers

_PAIR = re.compile(r"\(([^()]*),([^(),]*)\)")


def read_ts(text: str, path: Path) -> dict[str, Any]:
    """Read .ts text: sequences of the same or of different length, ``?`` for a missing value.

    Raises:
        InputError: no @data line, channels of different length or number, time stamps with gaps, or a cell that is not
            a number.
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
    stamped = _is_true(header, "timestamps")
    values, targets = [], []
    for number, line in enumerate(lines[start + 1 :], start=start + 2):
        if line.strip() and not line.startswith("#"):
            channels, target = _cut(line.strip(), stamped=stamped, with_target=labelled or valued)
            if target is not None:
                targets.append(target.strip())
            if stamped:
                channels = [_without_stamps(channel, number, path) for channel in channels]
            values.append(_sequence(channels, number, path))
            if values[-1].shape[1] != values[0].shape[1]:
                raise InputError(
                    f"{path}: line {number} has {values[-1].shape[1]} channels where {values[0].shape[1]} were "
                    "expected, as in the first sequence; correct the line"
                )
    if not values:
        raise InputError(f"{path}: no sequence was found after @data where at least one was expected; add some")
    notes = ["the values of each sequence are read in the order of their time stamps"] if stamped else []
    return {"values": values, "notes": notes, **_read_targets(targets, path, labelled=labelled)}


def _cut(line: str, *, stamped: bool, with_target: bool) -> tuple[list[str], str | None]:
    """Cut a line at its colons, but not at those inside the parentheses of (time stamp, value)."""
    parts = re.split(r":(?![^(]*\))", line) if stamped else line.split(":")
    return (parts[:-1], parts[-1]) if with_target else (parts, None)


def _without_stamps(channel: str, line: int, path: Path) -> str:
    """ "(0,1.5),(1,2.5)" → "1.5,2.5"; the stamps must rise by the same step."""
    pairs = _PAIR.findall(channel)
    if _PAIR.sub("", channel).strip(", \t") or not pairs:
        raise InputError(
            f"{path}: line {line} holds {channel.strip()[:40]!r} where time stamps and values, such as (0,1.5), were "
            "expected, as @timeStamps true promises; correct the line"
        )
    moments = pd.to_numeric(pd.Series([moment.strip() for moment, _ in pairs]), errors="coerce")
    if moments.isna().any():
        moments = pd.to_datetime(pd.Series([moment.strip() for moment, _ in pairs]), errors="coerce")
    steps = moments.diff().iloc[1:]
    if moments.isna().any() or (len(steps) and (steps.min() <= type(steps.min())(0) or steps.min() != steps.max())):
        raise InputError(
            f"{path}: line {line} has time stamps that do not rise in equal steps, and only such sequences are read; "
            "fill the gaps with ? for a missing value"
        )
    return ",".join(value for _, value in pairs)


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
