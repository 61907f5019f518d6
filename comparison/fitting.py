"""Fit one family on all rows, without a comparison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import datasets
from ..frames import SeriesFrame
from ..models import draw_configs
from ..pipelines import derive_window, single_split
from ..predictor import SeriesPredictor
from ..training import History
from .run import Progress, training_record
from .settings import Settings, parse_budget
from .trials import Fitter, Trial


@dataclass(frozen=True, eq=False)
class Fit:
    """A trained predictor and how it came to be."""

    predictor: SeriesPredictor
    history: History
    training: dict[str, Any]
    notes: list[str]
    frame: SeriesFrame


def fit(
    source: str | Path | SeriesFrame,
    *,
    family: str,
    horizon: int | None = None,
    lookback: int | None = None,
    season: int | None = None,
    budget: str | float | None = None,
    seed: int = 0,
    on_progress: Callable[[Progress], None] = lambda *_: None,
    **settings: Any,
) -> Fit:
    """Train one family on all rows; the newest tenth stops the training and calibrates the intervals.

    Args:
        source, horizon, lookback, season, budget, on_progress, **settings: as in :func:`compare`.
        family: one of ``recurra.models.list_families()``.
        seed: of weights and order.

    Returns:
        ``.predictor``, ``.history``, ``.training`` (family, settings, seed), ``.notes``, ``.frame``.

    Raises:
        InputError: anything in the source or the settings that the user can mend.

    Example:
        >>> fitted = recurra.fit("co2", family="lstm")
        >>> fitted.predictor.predict(fitted.frame)
    """
    frame = source if isinstance(source, SeriesFrame) else datasets.load(source)
    horizon, lookback, season, notes = derive_window(frame, horizon=horizon, lookback=lookback, season=season)
    chosen = Settings(horizon, lookback, season, (family,), (), budget=parse_budget(budget), **settings)
    fold = single_split(frame, horizon=horizon, lookback=lookback, validation_size=chosen.test_size)
    fitter = Fitter(frame, chosen)
    pipeline, _ = fitter.fitted(fold)
    config = draw_configs(family, pipeline.spec, 1, fixed=chosen.config)[0]
    trial = Trial(family, 0, seed)
    predictor, _, history = fitter.fit(
        family,
        fold,
        seed=seed,
        config=config,
        budget=chosen.budget or float("inf"),
        on_epoch=lambda epoch, loss: on_progress(Progress(trial, 0, 1, epoch, loss, final=True)),
    )
    return Fit(predictor, history, training_record(family, config, seed, history), [*frame.notes, *notes], frame)
