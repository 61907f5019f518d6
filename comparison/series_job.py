"""Forecasting: windows of a series, rolling-origin folds, baselines fitted to each series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..baselines import BASELINES
from ..errors import InputError
from ..evaluation import compare_losses
from ..frames import SeriesFrame, data_hash
from ..models import FAMILIES
from ..pipelines import Fold, SeriesPipeline, derive_window, rolling_origin, single_split
from ..predictor import SeriesPredictor
from ..spec import SequenceSpec
from ..training import Part
from .job import Fitted, Order, Score, Trainers, train
from .scoring import Exam
from .settings import SeriesSettings, Settings, to_json
from .summary import aligned_losses

# Validation windows of each series that stop the training: more cost time and change little.
MOST_VALIDATION_ORIGINS = 500


class SeriesJob:
    """Forecast a series; see :class:`recurra.comparison.job.Job`."""

    task = "forecast"
    task_settings = SeriesSettings

    def __init__(self, frame: SeriesFrame, settings: Settings, options: dict[str, Any]) -> None:
        given = {name: options.pop(name, None) for name in ("horizon", "lookback", "season")}
        horizon, lookback, season, notes = derive_window(frame, **given)
        own = SeriesSettings(horizon, lookback, season, **options)
        settings.check_names(self.task, FAMILIES, BASELINES)
        self.frame, self.settings, self.own = frame, settings, own
        self.notes = [*frame.notes, *notes]
        self.trainers = Trainers(settings, loss=own.loss)
        self._folds: list[Fold] | None = None
        self._exams: list[Exam] | None = None
        self._fitted: tuple[Fold, SeriesPipeline, np.ndarray] | None = None

    @staticmethod
    def defaults(frame: SeriesFrame) -> dict[str, Any]:  # noqa: ARG004
        """What the common settings are where nobody says otherwise."""
        return {"families": tuple(FAMILIES), "baselines": tuple(BASELINES), "max_epochs": 100, "patience": 9}

    @property
    def folds(self) -> list[Fold]:
        """The cutoffs."""
        if self._folds is None:
            own = self.own
            self._folds = rolling_origin(
                self.frame,
                horizon=own.horizon,
                lookback=own.lookback,
                n_folds=self.settings.folds,
                test_size=own.test_size,
            )
        return self._folds

    @property
    def exams(self) -> list[Exam]:
        """What is asked at each cutoff."""
        if self._exams is None:
            self._exams = [self._exam(fold) for fold in self.folds]
        return self._exams

    def question(self) -> dict[str, Any]:
        """Everything that decides the outcome."""
        self.exams  # noqa: B018  (what cannot be asked is said before anything is written)
        return {"data": data_hash(self.frame), **self.settings_json()}

    def settings_json(self) -> dict[str, Any]:
        """All settings."""
        return to_json(self.own, self.settings)

    def spec(self, fold: Fold) -> SequenceSpec:
        """What the models of a fold take in and give out."""
        return self.fitted(fold)[0].spec

    def final_fold(self) -> Fold:
        """All rows; the newest ones stop the training, as many as a comparison's fold tests."""
        own = self.own
        return single_split(
            self.frame, horizon=own.horizon, lookback=own.lookback, validation_size=own.test_size or self._test_size()
        )

    def fit(self, family: str, fold: Fold, order: Order) -> Fitted:
        """Train, and calibrate the intervals on the validation part."""
        pipeline, values = self.fitted(fold)
        known = pipeline.windows(self.frame, 0, fold.train)
        validation = pipeline.windows(self.frame, fold.train, fold.validation).thinned(MOST_VALIDATION_ORIGINS)
        trainer = self.trainers.get(family, pipeline.spec, order.config)
        model, history = train(trainer, pipeline.part(values, known), pipeline.part(values, validation), order)
        predictor = SeriesPredictor(pipeline, model)
        predictor.calibrate(values, validation)
        return Fitted(predictor, history, predictor.intervals.notes if predictor.intervals else ())

    def fitted(self, fold: Fold) -> tuple[SeriesPipeline, np.ndarray]:
        """The pipeline fitted on a fold's training rows, and the frame's values through it; made once a fold."""
        if self._fitted is None or self._fitted[0] is not fold:
            own = self.own
            pipeline = SeriesPipeline(
                lookback=own.lookback,
                horizon=own.horizon,
                season=own.season,
                missing=own.missing,
                calendar=own.calendar,
                transform=own.transform,
            ).fit(self.frame, fold.train)
            self._fitted = (fold, pipeline, pipeline.values(self.frame))
        return self._fitted[1:]

    def examine(self, fitted: Fitted, fold: Fold) -> Score:
        """Forecast the fold's test windows."""
        exam = self.exams[fold.index]
        outputs = fitted.predictor.predict_windows(self.fitted(fold)[1], exam.windows)
        return self._score(exam, outputs)

    def baseline(self, name: str, fold: Fold) -> Score:
        """Forecast the same windows with a baseline."""
        exam = self.exams[fold.index]
        windows = exam.windows
        values = self.frame.columns(self.frame.targets)  # (rows, targets)
        offsets = np.cumsum(self.frame.lengths) - self.frame.lengths
        forecast = np.empty_like(exam.truth)
        series, starts = windows.series(), windows.starts()
        for i in np.flatnonzero(windows.count):
            mine = series == i
            origins = starts[mine] + windows.lookback - offsets[i]
            known = values[offsets[i] : offsets[i] + fold.test[i]]
            for target in range(values.shape[1]):
                column = known[:, target]
                forecast[mine, :, target] = BASELINES[name](column, origins, windows.horizon, self.own.season)
        return self._score(exam, {"forecast": forecast})

    def timed(self, fitted: Fitted, fold: Fold) -> tuple[Part, int]:  # noqa: ARG002
        """The fold's test windows."""
        pipeline, values = self.fitted(fold)
        part = pipeline.part(values, self.exams[fold.index].windows)
        return part, part.predict_batch

    def priced_steps(self, fold: Fold) -> int | None:  # noqa: ARG002
        """A window has one length."""
        return None

    def describe(self) -> dict[str, Any]:
        """What the data are, for reports and model cards."""
        frame = self.frame
        stamps = frame.table[frame.time]
        return {
            "source": frame.source,
            "hash": data_hash(frame),
            "rows": len(frame.table),
            "series": len(frame.lengths),
            "id": frame.id,
            "time": frame.time,
            "targets": list(frame.targets),
            "past": list(frame.past),
            "future": list(frame.future),
            "freq": frame.freq,
            "first": str(stamps.min()),
            "last": str(stamps.max()),
        }

    def describe_folds(self) -> list[dict[str, Any]]:
        """Cutoffs and sizes."""
        offsets = np.cumsum(self.frame.lengths) - self.frame.lengths
        longest = int(self.frame.lengths.argmax())
        stamps = self.frame.table[self.frame.time]
        return [
            {
                "fold": fold.index,
                "cutoff": str(stamps.iloc[int(offsets[longest] + fold.validation[longest]) - 1]),
                "train_rows": int(fold.train.sum()),
                "validation_rows": int((fold.validation - fold.train).sum()),
                "test_rows": int((fold.test - fold.validation).sum()),
                "test_windows": len(exam.windows),
                "stride": exam.windows.stride,
            }
            for fold, exam in zip(self.folds, self.exams, strict=True)
        ]

    def notes_after(self, scored: Sequence[Any]) -> list[str]:  # noqa: ARG002
        """What was scored, and what was not."""
        notes, exam = [], self.exams[0]
        if exam.windows.stride > 1:
            notes.append(
                f"one forecast origin in {exam.windows.stride} is scored (at most {self.own.most_origins} a series "
                "and fold)"
            )
        if idle := sum(int((e.windows.count == 0).sum()) for e in self.exams):
            notes.append(f"{idle} times a series is too short, or ended too early, to be scored in a fold")
        return notes

    def tests(self, recurrent: list[str], against: str, outcomes: Sequence[Any]) -> list[dict[str, Any]]:
        """Diebold and Mariano's test of each recurrent family."""
        losses, groups, overlap = aligned_losses([*recurrent, against], outcomes, self.exams)
        return compare_losses(losses, against=against, horizon=overlap, groups=groups)

    def example_row(self) -> int:
        """Row of the frame's table that the first step of a score's example forecasts."""
        windows = self.exams[-1].windows
        first = int(np.flatnonzero(windows.count)[0])
        return int(windows.first[first] + (windows.count[first] - 1) * windows.stride) + windows.lookback

    def _score(self, exam: Exam, outputs: dict[str, np.ndarray]) -> Score:
        forecast = outputs["forecast"]
        first = int(np.flatnonzero(exam.windows.count)[0])
        return Score(exam.scores(outputs), exam.losses(forecast), forecast[int(exam.windows.count[first]) - 1])

    def _exam(self, fold: Fold) -> Exam:
        own = self.own
        exam = Exam.of(
            self.frame,
            fold,
            lookback=own.lookback,
            horizon=own.horizon,
            season=own.season,
            most_origins=own.most_origins,
        )
        if not np.isfinite(exam.truth).any():
            raise InputError(
                f"{self.frame.source}: fold {fold.index} has no observed target to score; "
                "choose fewer --folds or give newer rows"
            )
        return exam

    def _test_size(self) -> int | None:
        """Rows that the newest fold tests; None where nothing was compared."""
        if self._folds is None:
            return None
        return int((self._folds[-1].test - self._folds[-1].validation).max())
