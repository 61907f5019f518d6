"""Fit one family on all rows, without a comparison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..models import draw_configs
from ..training import History
from .job import Order
from .jobs import Frame, make_job
from .run import Progress, training_record
from .trials import Trial
from .variants import parse_variant


@dataclass(frozen=True, eq=False)
class Fit:
    """A trained predictor and how it came to be."""

    predictor: Any
    history: History
    training: dict[str, Any]
    notes: list[str]
    frame: Any
    task: str


def fit(
    source: str | Path | Frame,
    *,
    family: str,
    task: str | None = None,
    seed: int = 0,
    on_progress: Callable[[Progress], None] = lambda *_: None,
    **settings: Any,
) -> Fit:
    """Train one family on all rows; a tenth of them (of a series the newest) stops the training.

    Args:
        source, task, on_progress, **settings: as in :func:`compare`.
        family: one of ``recurra.models.list_families()``.
        seed: of weights and order.

    Returns:
        ``.predictor``, ``.history``, ``.training`` (family, settings, seed), ``.notes``, ``.frame``, ``.task``.

    Raises:
        InputError: anything in the source or the settings that the user can mend.

    Example:
        >>> fitted = recurra.fit("co2", family="lstm")
        >>> fitted.predictor.predict(fitted.frame)
    """
    job = make_job(source, task=task, **{**settings, "families": [family], "baselines": []})
    fold = job.final_fold()
    name, own = parse_variant(family)
    config = draw_configs(name, job.spec(fold), 1, fixed={**(job.settings.config or {}), **own})[0]
    trial = Trial(family, 0, seed)

    def on_epoch(epoch: int, loss: float) -> None:
        on_progress(Progress(trial, 0, 1, epoch, loss, final=True))

    fitted = job.fit(name, fold, Order(seed, config, job.settings.budget or float("inf"), on_epoch=on_epoch))
    training = training_record(name, config, seed, fitted.history)
    return Fit(fitted.predictor, fitted.history, training, job.notes, job.frame, job.task)
