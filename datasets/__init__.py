"""Data sets: named ones and files become frames with column roles.

``load`` takes either. Named sets that aren't carried by an installed library are downloaded on first use,
checked by sha256 and kept in ``$RECURRA_DATA``. Nothing here promises that an upstream address lives on.
"""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..frames import SeriesFrame
from . import (
    airline_passengers,
    beijing_pm25,
    co2,
    daily_min_temperatures,
    elnino,
    etth1,
    ettm1,
    m4_hourly,
    monthly_sunspots,
    sunspots,
    synthetic,
    weather,
)
from .files import is_known, read_table
from .record import Dataset

DATASETS: dict[str, Dataset] = {
    "co2": co2.DATASET,
    "sunspots": sunspots.DATASET,
    "elnino": elnino.DATASET,
    "airline_passengers": airline_passengers.DATASET,
    "monthly_sunspots": monthly_sunspots.DATASET,
    "daily_min_temperatures": daily_min_temperatures.DATASET,
    "beijing_pm25": beijing_pm25.DATASET,
    "etth1": etth1.DATASET,
    "ettm1": ettm1.DATASET,
    "m4_hourly": m4_hourly.DATASET,
    "weather": weather.DATASET,
    "ar2": synthetic.AR2,
    "random_walk": synthetic.RANDOM_WALK,
    "distant_event": synthetic.DISTANT_EVENT,
}

__all__ = ["DATASETS", "Dataset", "list_datasets", "load", "read_table"]


def list_datasets() -> list[str]:
    """Names that ``load`` knows."""
    return sorted(DATASETS)


def load(
    source: str | Path,
    *,
    time: str | Sequence[str] | None = None,
    target: str | Sequence[str] | None = None,
    id: str | None = None,
    past: str | Sequence[str] = (),
    future: str | Sequence[str] = (),
    freq: str | int | None = None,
    missing: str = "keep",
) -> SeriesFrame:
    """Load a named data set or a file as a frame.

    Args:
        source: a name from :func:`list_datasets`, or a file; to read a file called like a data set, write
            ./co2.
        time: column of time stamps, parts of a date, or "none"; like the other roles it overrides what a
            named set says of itself, and is described at ``SeriesFrame.from_table``.
        target: columns to forecast.
        id: column that tells the series apart.
        past: covariates known only up to now.
        future: covariates known ahead.
        freq: step of time.
        missing: "keep" or "error".

    Returns:
        The frame.

    Raises:
        InputError: neither name nor file, or anything wrong in the file.

    Example:
        >>> load("co2").freq
        'W-SAT'
    """
    given: dict[str, Any] = {
        "time": time,
        "target": target,
        "id": id,
        "past": past,
        "future": future,
        "freq": freq,
    }
    if str(source) not in DATASETS:
        _check_source(source)
        return SeriesFrame.from_table(read_table(source), **given, missing=missing, source=str(source))
    dataset = DATASETS[str(source)]
    roles = _merge(dataset.roles, {role: value for role, value in given.items() if value not in (None, (), [])})
    return SeriesFrame.from_table(dataset.loader(), **roles, missing=missing, source=dataset.name)


def _merge(roles: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Let given roles override; a column given a role loses the one the data set gave it."""
    taken: set[Any] = set()
    for value in given.values():
        taken |= {value} if isinstance(value, str | int) else set(value)
    kept = {
        role: value if isinstance(value, str | int) else [name for name in value if name not in taken]
        for role, value in roles.items()
    }
    return {**kept, **given}


def _check_source(source: str | Path) -> None:
    text = str(source)
    if Path(text).exists() or is_known(text) or "/" in text:
        return
    close = difflib.get_close_matches(text.lower(), DATASETS, n=3, cutoff=0.4)
    near = f"did you mean {' or '.join(close)}?" if close else f"the data sets are {', '.join(list_datasets())}."
    raise InputError(f"{text!r} is neither a data set nor a file; {near}")
