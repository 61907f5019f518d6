"""Forecasting: its settings, metrics and words, and the experiment with its rolling-origin folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Annotated, Any, ClassVar

import numpy as np

from ..baselines import FORECAST_BASELINES, ONE_BY_ONE
from ..errors import InputError
from ..evaluation import OF_DATA, Metric, TestRow, Wording, compare_losses, coverage, mae, mase, rmse, smape
from ..frames import Frame, SeriesFrame, describe
from ..pipelines import (
    MAX_VALIDATION_WINDOWS,
    Fold,
    RowRange,
    SeriesPipeline,
    derive_window,
    rolling_origin,
    single_split,
)
from .forecast_fold import ForecastFold
from .forecast_test_set import ForecastTestSet, Outputs, align_losses
from .protocol import FoldLosses, PlotData, TrainingDefaults
from .settings import LOSSES, require_at_least_one, require_one_of

# Arrays of the size of all forecasts that are held together, at most, when a model is scored.
_ARRAYS = 12
# A fit of ETS or ARIMA takes some tenth of a second: three folds of so many series take minutes.
MOST_FITTED_SERIES = 1000


def _scaled(test: ForecastTestSet, outputs: Outputs, *, by: str | None = None) -> Any:
    return mase(test.y_true, outputs["forecast"], scale=test.scale, by=by)  # type: ignore[arg-type]


def _in_units(function: Any, test: ForecastTestSet, outputs: Outputs, *, by: str | None = None) -> Any:
    return function(test.y_true, outputs["forecast"], by=by)


def _coverage(level: int, test: ForecastTestSet, outputs: Outputs) -> float | None:
    low, high = outputs.get(f"forecast-lo-{level}"), outputs.get(f"forecast-hi-{level}")
    return None if low is None or high is None else coverage(test.y_true, low, high)


_MASE: Metric[ForecastTestSet, Outputs] = Metric(
    "mase",
    "MASE",
    _scaled,
    partial(_scaled, by="step"),
    caption="MASE: absolute error divided by that of the seasonal naive forecast one step ahead",
    with_spread=True,
)


@dataclass(frozen=True)
class Forecast:
    """Forecast the next steps of one or many series.

    Example:
        >>> recurra.compare("sales.csv", task=recurra.tasks.Forecast(horizon=24))
    """

    horizon: Annotated[
        int | None, "Steps to forecast at once; by default one season, at most 60 steps and a tenth of the series."
    ] = None
    lookback: Annotated[
        int | None, "Steps to read; by default two seasons or horizons, at most a quarter of the series."
    ] = None
    season: Annotated[
        int | None, "Steps in a season, 1 for none; by default found in the autocorrelation of the oldest 70 %."
    ] = None
    test_size: Annotated[
        int | None, "Rows of a series tested after each cutoff; by default a tenth of the longest series."
    ] = None
    max_origins: Annotated[int, "Forecast origins scored in each series and fold, evenly spaced."] = 200
    missing: Annotated[str, "Rule for missing inputs: interpolate, ffill or error."] = "interpolate"
    calendar: Annotated[tuple[str, ...], "Calendar features: day, week, year."] = ()
    transform: Annotated[str, "log: work on logarithms of positive targets; none: on the values."] = "none"
    loss: Annotated[str, "Training loss of numbers: mae, mse or huber, in scaled units."] = "mae"

    name: ClassVar[str] = "forecast"
    output_kind: ClassVar[str] = "forecast"
    role: ClassVar[str | None] = None
    metrics: ClassVar[tuple[Metric[ForecastTestSet, Outputs], ...]] = (
        _MASE,
        Metric(
            "mae",
            "MAE",
            partial(_in_units, mae),
            partial(_in_units, mae, by="step"),
            unit=OF_DATA,
            caption="MAE in the unit of {unit}",
            with_spread=True,
        ),
        Metric(
            "rmse", "RMSE", partial(_in_units, rmse), partial(_in_units, rmse, by="step"), unit=OF_DATA, shown=False
        ),
        Metric(
            "smape",
            "sMAPE",
            partial(_in_units, smape),
            partial(_in_units, smape, by="step"),
            unit="%",
            decimals=".3g",
            shown=False,
        ),
        Metric(
            "coverage_80",
            "coverage of 80 % intervals",
            partial(_coverage, 80),
            higher_is_better=True,
            heading="cover\n80 %",
            caption="cover: % of the true values inside the 80 and 95 % intervals",
            as_percent=True,
        ),
        Metric(
            "coverage_95",
            "coverage of 95 % intervals",
            partial(_coverage, 95),
            higher_is_better=True,
            heading="cover\n95 %",
            as_percent=True,
        ),
    )
    wording: ClassVar[Wording] = Wording(
        metric=_MASE,
        trivial=("naive", "seasonal_naive"),
        unit_of_work="forecast",
        more_data="more forecast origins (a longer series, a longer test set or more folds)",
    )
    cost_unit: ClassVar[str] = "one forecast"
    sample_unit: ClassVar[str] = "forecast origins"
    plots: ClassVar[tuple[str, ...]] = ("forecast", "error_by_step")

    def __post_init__(self) -> None:
        require_at_least_one(self, "horizon", "lookback", "season", "max_origins", "test_size")
        require_one_of("loss", self.loss, LOSSES)
        # refused before anything is trained; the pipeline knows what these may be
        SeriesPipeline(
            lookback=self.lookback or 1,
            horizon=self.horizon or 1,
            missing=self.missing,
            calendar=tuple(self.calendar),
            transform=self.transform,
        )

    @classmethod
    def accepts(cls, frame: Frame) -> bool:
        """Series only."""
        return isinstance(frame, SeriesFrame)

    @classmethod
    def list_baselines(cls, frame: Frame | None = None) -> list[str]:
        """Names of the baselines, the simplest first; of series larger than memory without what needs all at once."""
        large = isinstance(frame, SeriesFrame) and frame.stored is not None
        return [name for name, baseline in FORECAST_BASELINES.items() if not (large and baseline.together)]

    @classmethod
    def default_baselines(cls, frame: Frame) -> list[str]:
        """All that are fitted within a second or so; of very many series those that need not fit each by itself."""
        many = isinstance(frame, SeriesFrame) and len(frame.lengths) > MOST_FITTED_SERIES
        names = [name for name in cls.list_baselines(frame) if FORECAST_BASELINES[name].default]
        return [name for name in names if not many or name not in ONE_BY_ONE]

    @classmethod
    def refits(cls, frame: Frame) -> bool:  # noqa: ARG003
        """Only where it is asked for."""
        return False

    @classmethod
    def mixes(cls, frame: Frame) -> bool:  # noqa: ARG003
        """Only where it is asked for: networks read the last value and the season by themselves."""
        return False

    @property
    def training(self) -> TrainingDefaults:
        """At most 100 epochs, 9 without improvement."""
        return TrainingDefaults(self.loss, max_epochs=100, patience=9)

    def open(self, frame: Frame, *, folds: int = 3, batch_size: int | None = None) -> ForecastExperiment:  # noqa: ARG002
        """The experiment that this task is on series."""
        if not isinstance(frame, SeriesFrame):
            raise InputError(
                f"{frame.source} holds no series to be forecast; give a table with a column of time stamps"
            )
        horizon, lookback, season, notes = derive_window(
            frame, horizon=self.horizon, lookback=self.lookback, season=self.season
        )
        task = replace(self, horizon=horizon, lookback=lookback, season=season, calendar=tuple(self.calendar))
        if (never := frame.never_observed(horizon)) and frame.freq != "D":
            notes.append(
                f"{never} of the {horizon} time stamps ahead lie on weekdays or at hours at which nothing was ever "
                "observed: set `time` to 'none' to count the rows that there are"
            )
        if len(frame.lengths) > MOST_FITTED_SERIES:
            notes.append(
                f"the baselines {' and '.join(ONE_BY_ONE)} fit each series by itself: of more than "
                f"{MOST_FITTED_SERIES:,} series they are compared only where `baselines` names them"
            )
        return ForecastExperiment(task, frame, [*frame.notes, *notes], folds)


class ForecastExperiment:
    """Forecasts of some series; see :class:`recurra.tasks.protocol.Experiment`."""

    def __init__(self, task: Forecast, frame: SeriesFrame, notes: list[str], n_folds: int) -> None:
        self.task, self.frame, self.notes, self.n_folds = task, frame, notes, n_folds
        if task.horizon is None or task.lookback is None or task.season is None:
            raise ValueError(f"the window's sizes must be settled. Received: {task}")
        self.horizon, self.lookback, self.season = task.horizon, task.lookback, task.season
        self._prepared: ForecastFold | None = None

    @cached_property
    def folds(self) -> list[Fold[RowRange]]:
        """The cutoffs, the oldest first."""
        return rolling_origin(
            self.frame,
            horizon=self.horizon,
            lookback=self.lookback,
            n_folds=self.n_folds,
            test_size=self.task.test_size,
            max_validation_windows=min(MAX_VALIDATION_WINDOWS, self.windows_in_memory),
            max_test_windows=min(self.task.max_origins, self.windows_in_memory),
        )

    @property
    def windows_in_memory(self) -> int:
        """Windows of each series whose true values, forecasts and errors fit into the memory that was allowed."""
        if self.frame.stored is None:
            return MAX_VALIDATION_WINDOWS + self.task.max_origins  # more than there can be
        each = _ARRAYS * 8 * self.horizon * len(self.frame.targets) * len(self.frame.lengths)
        return max(1, self.frame.stored.memory // each)

    @cached_property
    def test_sets(self) -> list[ForecastTestSet]:
        """What is scored after each cutoff."""
        return [self._test_set(fold) for fold in self.folds]

    def check(self) -> None:
        """Refuse folds that are too short, or have nothing to score."""
        self.test_sets  # noqa: B018  (making them checks them)

    def prepare(self, fold: int) -> ForecastFold:
        """The data of one fold; the one prepared last is kept."""
        if self._prepared is None or self._prepared.fold is not self.folds[fold]:
            self._prepared = ForecastFold(self, self.folds[fold], self.test_sets[fold])
        return self._prepared

    def prepare_final(self) -> ForecastFold:
        """All rows; the newest ones stop the training, as many as a fold tests."""
        size = self.task.test_size
        if size is None and "folds" in self.__dict__:
            size = int((self.folds[-1].test.stop - self.folds[-1].test.start).max())
        fold = single_split(
            self.frame,
            horizon=self.horizon,
            lookback=self.lookback,
            validation_size=size,
            max_validation_windows=min(MAX_VALIDATION_WINDOWS, self.windows_in_memory),
        )
        return ForecastFold(self, fold, None)

    def describe(self) -> dict[str, Any]:
        """The data, for reports and model cards."""
        return describe(self.frame)

    def describe_folds(self) -> list[dict[str, Any]]:
        """Cutoffs and sizes."""
        longest = int(self.frame.lengths.argmax())
        stamps = self.frame.table[self.frame.time]
        return [
            {
                "fold": fold.index,
                "cutoff": str(stamps.iloc[int(self.frame.starts[longest] + fold.test.start[longest]) - 1]),
                "train_rows": fold.train.n_rows,
                "validation_rows": fold.validation.n_rows,
                "test_rows": fold.test.n_rows,
                "test_windows": len(test.windows),
                "stride": test.windows.stride,
            }
            for fold, test in zip(self.folds, self.test_sets, strict=True)
        ]

    def closing_notes(self) -> list[str]:
        """What was scored, and what was not."""
        notes, test = [], self.test_sets[0]
        if test.windows.stride > 1:
            most, setting = self.task.max_origins, "max_origins"
            if self.windows_in_memory < most:
                most, setting = self.windows_in_memory, "memory"
            notes.append(
                f"one forecast origin in {test.windows.stride} is scored (at most {most} per series and fold; set "
                f"`{setting}` to change it)"
            )
        if unscored := sum(int((test.windows.count == 0).sum()) for test in self.test_sets):
            notes.append(f"{unscored} times a series is too short, or ended too early, to be scored in a fold")
        return notes

    def significance(self, losses: Mapping[str, FoldLosses], *, against: str) -> list[TestRow]:
        """Diebold and Mariano's test of each model."""
        aligned, groups, overlap = align_losses(losses, self.test_sets)
        return compare_losses(aligned, against=against, horizon=overlap, groups=groups)

    def plot_data(self) -> PlotData:
        """Where the example lies in the frame: the last test window of the first series that has one."""
        windows = self.test_sets[-1].windows
        first = int(np.flatnonzero(windows.count)[0])
        start = int(windows.first[first] + (windows.count[first] - 1) * windows.stride)
        return PlotData(first_row=start + windows.lookback)

    def _test_set(self, fold: Fold[RowRange]) -> ForecastTestSet:
        sizes = {"lookback": self.lookback, "horizon": self.horizon, "season": self.season}
        test = ForecastTestSet.of(self.frame, fold.test, **sizes)
        if not np.isfinite(test.y_true).any():
            raise InputError(
                f"{self.frame.source}: fold {fold.index} has no observed target to score; choose fewer `folds` or give "
                "newer rows"
            )
        return test
