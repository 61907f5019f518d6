"""What the registry knows of a data set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Dataset:
    """A named data set.

    Attributes:
        name: what ``load`` calls it.
        task: what is told from what, in a few words.
        rows: rows in all, before gaps are filled; of a panel sequences, of a corpus characters.
        source: where it comes from.
        licence: as its publisher states it.
        download: whether it is fetched on first use.
        loader: without arguments gives what the frame's constructor takes: the table of a series or of texts, the
            arguments of ``PanelFrame.from_arrays`` or of ``CorpusFrame.from_text``.
        roles: column roles, as ``from_table`` takes them; also that of the official test part (``split``).
        frame: kind of frame: "series", "text", "panel" or "corpus".
    """

    name: str
    task: str
    rows: int
    source: str
    licence: str
    download: bool
    loader: Callable[[], Any]
    roles: Mapping[str, Any] = field(default_factory=dict)
    frame: str = "series"
