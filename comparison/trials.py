"""Trials: one model, fold, seed and configuration each; every finished one is written down at once."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import models
from ..atomic import replacing
from ..baselines import BASELINES
from ..frames import SeriesFrame
from ..models.cost import multiply_adds
from ..pipelines import Fold, SeriesPipeline, Windows
from ..predictor import SeriesPredictor
from ..training import History, Trainer, compiled
from .scoring import Exam
from .settings import Settings

# Validation windows of each series that stop the training: more cost time and change little.
MOST_VALIDATION_ORIGINS = 500
_TIMED_RUNS = 7


@dataclass(frozen=True)
class Trial:
    """What is tried: `config` number 0 is the family's default; a baseline has neither seed nor config."""

    model: str
    fold: int
    seed: int = 0
    config_number: int = 0

    @property
    def key(self) -> str:
        """Name of the files the trial is kept in."""
        return f"{self.model}-fold{self.fold}-seed{self.seed}-config{self.config_number}"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a trial.

    Attributes:
        row: scores, price and circumstances, as they stand in ``comparison.json``.
        losses: scaled absolute error of each test window (windows,).
        example: forecast of the first series' last test window (horizon, targets).
    """

    row: dict[str, Any]
    losses: np.ndarray
    example: np.ndarray


class TrialStore:
    """A folder that holds finished trials: arrays first, then the row, so a row is never without its arrays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def checkpoint(self, trial: Trial) -> Path:
        """Where an unfinished trial keeps its state."""
        return self.folder / f"{trial.key}.checkpoint.npz"

    def get(self, trial: Trial) -> Outcome | None:
        """The outcome, if the trial is finished."""
        path = self.folder / f"{trial.key}.json"
        if not path.exists():
            return None
        with np.load(self.folder / f"{trial.key}.npz") as arrays:
            return Outcome(json.loads(path.read_text(encoding="utf-8")), arrays["losses"], arrays["example"])

    def put(self, trial: Trial, outcome: Outcome) -> None:
        """Write a finished trial down and forget its checkpoint."""
        with replacing(self.folder / f"{trial.key}.npz") as path:
            np.savez(path, losses=outcome.losses, example=outcome.example)
        with replacing(self.folder / f"{trial.key}.json") as path:
            path.write_text(json.dumps(outcome.row, indent=1), encoding="utf-8")
        self.checkpoint(trial).unlink(missing_ok=True)


class Fitter:
    """Trains the families on one frame; keeps each compiled configuration for all folds and seeds."""

    def __init__(self, frame: SeriesFrame, settings: Settings) -> None:
        self.frame = frame
        self.settings = settings
        self._trainers: dict[tuple, Trainer] = {}
        self._fitted: tuple[Fold, SeriesPipeline, np.ndarray] | None = None

    def fit(
        self,
        family: str,
        fold: Fold,
        *,
        seed: int,
        config: dict[str, Any],
        budget: float = float("inf"),
        checkpoint: Path | None = None,
        on_epoch: Any = lambda *_: None,
    ) -> tuple[SeriesPredictor, np.ndarray, History]:
        """Train one configuration on one fold.

        Returns:
            The predictor with calibrated intervals, the frame's scaled values, and the history.
        """
        pipeline, values = self.fitted(fold)
        train = pipeline.windows(self.frame, 0, fold.train)
        validation = pipeline.windows(self.frame, fold.train, fold.validation).thinned(MOST_VALIDATION_ORIGINS)
        trainer = self._trainer(family, pipeline, config)
        history = trainer.fit(
            pipeline.part(values, train),
            pipeline.part(values, validation),
            seed=seed,
            budget=budget,
            checkpoint=checkpoint,
            on_epoch=on_epoch,
        )
        predictor = SeriesPredictor(pipeline, trainer.model)
        predictor.calibrate(values, validation)
        return predictor, values, history

    def fitted(self, fold: Fold) -> tuple[SeriesPipeline, np.ndarray]:
        """The pipeline fitted on a fold's training rows, and the frame's values through it; made once a fold."""
        if self._fitted is None or self._fitted[0] is not fold:
            s = self.settings
            pipeline = SeriesPipeline(
                lookback=s.lookback,
                horizon=s.horizon,
                season=s.season,
                missing=s.missing,
                calendar=s.calendar,
                transform=s.transform,
            ).fit(self.frame, fold.train)
            self._fitted = (fold, pipeline, pipeline.values(self.frame))
        return self._fitted[1:]

    def _trainer(self, family: str, pipeline: SeriesPipeline, config: dict[str, Any]) -> Trainer:
        s = self.settings
        # Another fold may have seen other categories: then its channels differ, and so does the model.
        key = (family, pipeline.spec, json.dumps(config, sort_keys=True))
        if key not in self._trainers:
            shape = {k: v for k, v in config.items() if k != "learning_rate"}
            spec = pipeline.spec
            self._trainers[key] = Trainer(
                lambda: models.build(family, spec, **shape),
                learning_rate=config.get("learning_rate", 1e-3),
                loss=s.loss,
                max_epochs=s.max_epochs,
                patience=s.patience,
                batch_size=s.batch_size,
            )
        return self._trainers[key]


def run_family(
    fitter: Fitter,
    exam: Exam,
    fold: Fold,
    trial: Trial,
    config: dict[str, Any],
    *,
    budget: float,
    checkpoint: Path | None,
    on_epoch: Any,
) -> Outcome:
    """Train, calibrate and examine one configuration of a family."""
    predictor, values, history = fitter.fit(
        trial.model,
        fold,
        seed=trial.seed,
        config=config,
        budget=budget,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
    )
    outputs = predictor.predict_windows(values, exam.windows)
    row = {
        "model": trial.model,
        "kind": "family",
        "fold": trial.fold,
        "seed": trial.seed,
        "config_number": trial.config_number,
        "config": config,
        "validation_loss": history.best_loss,
        **exam.scores(outputs),
        "parameters": predictor.model.count_params(),
        "multiply_adds": multiply_adds(predictor.model),
        "train_seconds": history.seconds,
        "predict_ms": predict_ms(predictor, values, exam.windows),
        "epochs": len(history.losses),
        "best_epoch": history.best_epoch,
        "stopped_by": history.stopped_by,
        "notes": list(predictor.intervals.notes) if predictor.intervals else [],
    }
    return Outcome(row, exam.losses(outputs["forecast"]), _example(exam, outputs["forecast"]))


def predict_ms(predictor: SeriesPredictor, values: np.ndarray, windows: Windows) -> float:
    """Milliseconds of the network for one window, in batches: the median of several runs, once it is compiled."""
    part = predictor.pipeline.part(values, windows)
    inputs = next(iter(part.dataset(batch_size=part.predict_batch).take(1)))[0]
    forward, seconds = compiled(predictor.model), []
    for _ in range(_TIMED_RUNS):
        begun = time.perf_counter()
        forward(inputs).numpy()
        seconds.append(time.perf_counter() - begun)
    return 1000 * statistics.median(seconds) / part.predict_batch


def run_baseline(frame: SeriesFrame, exam: Exam, fold: Fold, trial: Trial, season: int) -> Outcome:
    """Examine one baseline."""
    windows = exam.windows
    values = frame.columns(frame.targets)  # (rows, targets)
    offsets = np.cumsum(frame.lengths) - frame.lengths
    forecast = np.empty_like(exam.truth)
    series, starts = windows.series(), windows.starts()
    begun = time.perf_counter()
    for i in np.flatnonzero(windows.count):
        mine = series == i
        origins = starts[mine] + windows.lookback - offsets[i]
        known = values[offsets[i] : offsets[i] + fold.test[i]]
        for target in range(values.shape[1]):
            forecast[mine, :, target] = BASELINES[trial.model](known[:, target], origins, windows.horizon, season)
    seconds = time.perf_counter() - begun
    row = {
        "model": trial.model,
        "kind": "baseline",
        "fold": trial.fold,
        "seed": None,
        "config_number": None,
        "config": {},
        "validation_loss": None,
        **exam.scores({"forecast": forecast}),
        "parameters": None,
        "multiply_adds": None,
        "train_seconds": seconds,
        "predict_ms": None,
        "epochs": None,
        "best_epoch": None,
        "stopped_by": None,
        "notes": [],
    }
    return Outcome(row, exam.losses(forecast), _example(exam, forecast))


def _example(exam: Exam, forecast: np.ndarray) -> np.ndarray:
    first = int(np.flatnonzero(exam.windows.count)[0])
    return forecast[int(exam.windows.count[first]) - 1]
