"""Where a run is, for whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .trials import Trial


@dataclass(frozen=True)
class Progress:
    """Where a run is: handed to ``on_progress`` before each trial and after each epoch.

    The training on all rows, after the folds, has no fold: there ``final`` is True. Where several trials run at once,
    it is handed over after each, and ``finished`` is True.
    """

    trial: Trial
    done: int
    total: int
    epoch: int = 0
    loss: float | None = None
    seconds_left: float | None = None
    final: bool = False
    finished: bool = False


OnProgress = Callable[[Progress], None]


def ignore(progress: Progress) -> None:
    """Nobody watches."""
