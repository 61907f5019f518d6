"""What the registry knows of a data set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..frames.targets import TASK_OF_ROLE

_TASK_OF_FRAME = {"series": "forecast", "corpus": "language-model"}


@dataclass(frozen=True)
class Dataset:
    """A named data set.

    ``name``, ``task``, ``rows``, ``download`` and ``short_source`` fit into one line of 80 columns.

    Attributes:
        name: what ``load`` calls it.
        description: what is predicted from what, in a few words.
        rows: rows in all, before gaps are filled; of a panel sequences, of a corpus characters.
        source: where it comes from.
        short_source: the same in at most 17 characters.
        licence: as its publisher states it.
        download: whether it is fetched on first use.
        by_hand: whether the file has to be put in place by hand, as it has no stable address of its own.
        loader: without arguments gives what the frame's constructor takes: the table of a series or of texts, the
            arguments of ``PanelFrame.from_arrays`` or of ``CorpusFrame.from_text``.
        roles: column roles, as ``from_table`` takes them; also that of the held-out test set (``split``). Of a panel
            only the role of its targets, and what they are called.
        frame: kind of frame: "series", "text", "panel" or "corpus".
    """

    name: str
    description: str
    rows: int
    source: str
    short_source: str
    licence: str
    download: bool
    loader: Callable[[], Any]
    roles: Mapping[str, Any] = field(default_factory=dict)
    frame: str = "series"
    by_hand: bool = False

    @property
    def task(self) -> str:
        """The task that ``load(name)`` gives a frame for."""
        return _TASK_OF_FRAME.get(self.frame) or next(TASK_OF_ROLE[role] for role in self.roles if role in TASK_OF_ROLE)
