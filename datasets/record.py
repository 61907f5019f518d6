"""What the registry knows of a data set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Dataset:
    """A named data set.

    Attributes:
        name: what ``load`` calls it.
        task: what is forecast from what, in a few words.
        rows: rows in all, before gaps are filled.
        source: where it comes from.
        licence: as its publisher states it.
        download: whether it is fetched on first use.
        loader: gives the table, without arguments.
        roles: column roles, as ``SeriesFrame.from_table`` takes them.
    """

    name: str
    task: str
    rows: int
    source: str
    licence: str
    download: bool
    loader: Callable[[], pd.DataFrame]
    roles: Mapping[str, Any] = field(default_factory=dict)
