"""Forecasting: windows of series, rolling-origin folds, baselines fitted to each series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from ..baselines import (
    FORECAST_BASELINES,
    ONE_BY_ONE,
    ManySeries,
    SeriesRows,
    fit_forecaster,
    forecast_many,
    why_no_graph,
)
from ..errors import InputError
from ..evaluation import (
    OF_DATA,
    Metric,
    TestRow,
    Wording,
    compare_losses,
    coverage,
    mae,
    mase,
    mean_by_group,
    mean_ignoring_nan,
    rmse,
    seasonal_scales,
    smape,
)
from ..evaluation.mixing import Weights, mixed_values, value_weights
from ..frames import Frame, SeriesFrame, describe
from ..grid import draw
from ..pipelines import (
    MAX_VALIDATION_WINDOWS,
    EncodedSeries,
    Fold,
    RowRange,
    SeriesPipeline,
    WindowBatches,
    Windows,
    derive_window,
    rolling_origin,
    single_split,
)
from ..predictor import Predictor
from ..predictor.forecast import ForecastBaseline, ForecastNetwork, ForecastSchema
from ..predictor.mix import ForecastMix
from .mixing import HeldOut, MixedModel, Partner, timed, which
from .protocol import Config, Evaluation, FittedModel, FoldLosses, PlotData, TrainingDefaults
from .settings import LOSSES, require_at_least_one, require_one_of

if TYPE_CHECKING:
    import keras

    from ..spec import SequenceSpec

# With fewer forecast origins than this, series are the sample (as in M4); with fewer series too, nothing is tested.
_FEWEST_ORIGINS = 10
# Arrays of the size of all forecasts that are held together, at most, when a model is scored.
_ARRAYS = 12
# A fit of ETS or ARIMA takes some tenth of a second: three folds of so many series take minutes.
MOST_FITTED_SERIES = 1000

Outputs = dict[str, np.ndarray]


class FirstRows(Sequence[np.ndarray]):
    """The targets in the first rows of each series, read as they are asked for.

    Args:
        frame: the series.
        counts: how many rows of each (series,).
    """

    def __init__(self, frame: SeriesFrame, counts: np.ndarray) -> None:
        self._columns = [frame.columns([name]) for name in frame.targets]
        self._starts, self._counts = frame.starts, counts

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, series: Any) -> Any:
        """Rows of one series: (time, targets)."""
        if not 0 <= series < len(self):
            raise IndexError(series)
        start = self._starts[series]
        parts = [column[start : start + self._counts[series]] for column in self._columns]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


@dataclass(frozen=True, eq=False)
class ForecastTestSet:
    """The windows that every model is scored on in one fold, in the user's units.

    Attributes:
        windows: the test windows.
        y_true: observed values (windows, horizon, targets), NaN where nothing was observed.
        scale: the unit of MASE, from the rows before the cutoff (windows, targets).
        origin: forecast origins between the cutoff and each window's (windows,); windows of different series with the
            same number were made at the same time.
    """

    windows: Windows
    y_true: np.ndarray
    scale: np.ndarray
    origin: np.ndarray

    @classmethod
    def of(cls, frame: SeriesFrame, test: RowRange, *, lookback: int, horizon: int, season: int) -> ForecastTestSet:
        """The test set of one fold."""
        windows = Windows.selected(frame.lengths, test, lookback=lookback, horizon=horizon)
        rows = windows.starts()[:, None] + lookback + np.arange(horizon)
        # a series that begins late has no row before the cutoff, but a window's inputs before each forecast
        known = np.maximum(test.start, lookback)
        scales = [
            seasonal_scales(frame.columns(frame.targets, of), frame.lengths[some], known[some], season)
            for some, of in frame.blocks()
        ]
        series = windows.series()
        origin = (rows[:, 0] - frame.starts[series] - test.start[series]) // windows.stride
        return cls(windows, frame.columns(frame.targets, rows), np.concatenate(scales)[series], origin)

    @property
    def n_origins(self) -> int:
        """Number of forecast origins."""
        return int(self.origin.max(initial=-1)) + 1

    def losses(self, forecast: np.ndarray) -> np.ndarray:
        """Scaled absolute error of each window: (windows,)."""
        return mase(self.y_true, forecast, scale=self.scale, by="window")


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


class ForecastFold:
    """The windows around one cutoff; see :class:`recurra.tasks.protocol.FoldData`."""

    def __init__(self, experiment: ForecastExperiment, fold: Fold[RowRange], test_set: ForecastTestSet | None) -> None:
        self.experiment, self.fold, self.index, self._test_set = experiment, fold, fold.index, test_set
        task, frame = experiment.task, experiment.frame
        self.pipeline = SeriesPipeline(
            lookback=experiment.lookback,
            horizon=experiment.horizon,
            season=experiment.season,
            missing=task.missing,
            calendar=task.calendar,
            transform=task.transform,
        ).fit(frame, fold.train)
        self.encoded: EncodedSeries = self.pipeline.encode(frame)
        self.notes: list[str] = self._thinned()
        self._served: dict[tuple[str, str], Any] = {}
        self._held: dict[tuple[str, str], HeldOut] = {}
        self._partners: dict[tuple[str, str], Partner] = {}

    def _thinned(self) -> list[str]:
        """What is said where fewer validation windows are read than from rows that fit into memory."""
        stride = self.validation.windows.stride
        if stride == 1 or self.experiment.windows_in_memory >= MAX_VALIDATION_WINDOWS:
            return []
        return [
            f"one validation window in {stride} stops the training and calibrates the intervals, because more do not "
            "fit into `memory`: with all of them both may come out a little different"
        ]

    @property
    def spec(self) -> SequenceSpec:
        """What models take in and give out."""
        return self.pipeline.spec

    @cached_property
    def train(self) -> WindowBatches:
        """Windows whose targets lie before the validation rows."""
        return self.pipeline.batches(self.encoded, self.fold.train)

    @cached_property
    def validation(self) -> WindowBatches:
        """Windows whose targets lie between training rows and cutoff."""
        return self.pipeline.batches(self.encoded, self.fold.validation)

    @cached_property
    def test(self) -> WindowBatches:
        """The windows of the test set."""
        return self.pipeline.batches(self.encoded, self.fold.test)

    @property
    def known(self) -> WindowBatches:
        """Windows whose targets lie before the cutoff."""
        rows = replace(self.fold.train, stop=self.fold.validation.stop)
        return self.pipeline.batches(self.encoded, rows)

    @property
    def test_set(self) -> ForecastTestSet:
        """What is scored."""
        if self._test_set is None:
            raise ValueError("the final fold has nothing to score")
        return self._test_set

    def with_offset(self, baseline: str, config: Config) -> ForecastFold:  # noqa: ARG002
        """None: no family has an offset here."""
        raise ValueError(f"a forecast has no offset. Received: {baseline!r}")

    def trainer_key(self, family: str) -> None:
        """Folds share their trainers."""

    def build(self, family: str, config: dict[str, Any]) -> keras.Model:
        """An untrained network."""
        from .. import models

        return models.build(family, self.spec, **config)

    def network(self, model: keras.Model) -> FittedModel:
        """A trained network, its intervals calibrated on the validation windows."""
        network = ForecastNetwork(self.pipeline, model).calibrated(self.validation)
        notes = network.intervals.notes if network.intervals else ()

        def evaluate() -> Evaluation:
            return self._evaluate(network.predict_windows(self.test))

        return FittedModel(lambda: Predictor(self._schema(), network, Forecast.name), evaluate, notes)

    def baseline_configs(self, name: str, n: int) -> list[Config]:
        """Configurations of a baseline."""
        return draw(FORECAST_BASELINES[name].grid, n)

    def baseline_loss(self, name: str, config: Config) -> float:
        """MASE of the validation windows."""
        return self._tried(name, config).loss

    def baseline(self, name: str, config: Config) -> FittedModel:
        """A baseline: in a fold its parameters are estimated before the first test origin."""

        def predictor() -> Predictor[SeriesFrame]:
            served = ForecastBaseline(self.pipeline, self._fitted(name, config))
            return Predictor(self._schema(), served, Forecast.name)

        def evaluate() -> Evaluation:
            return self._evaluate({"forecast": self._baseline_forecasts(name, config, self.test_set)})

        return FittedModel(predictor, evaluate)

    def mixes_with(self, name: str, config: Config) -> bool:  # noqa: ARG002
        """Whether the baseline has a graph."""
        return why_no_graph(name, season=self.experiment.season, window=self.experiment.lookback) is None

    def mixed(self, model: keras.Model, baseline: str, config: Config) -> MixedModel:
        """A trained network mixed with a baseline, its intervals calibrated on the mix's own validation errors."""
        from ..training import predict_batches

        partner = self._partner(baseline, config)
        first = predict_batches(model, self.validation)
        weights, seconds = timed(lambda: self._mix_weights(first, partner.held_out))
        mixed = mixed_values(weights, first, self._scaled(partner.held_out))
        network = ForecastNetwork(self.pipeline, model).calibrated(self.validation, forecast=mixed)

        def evaluate() -> Evaluation:
            test = self.pipeline.batches(self.encoded, self.fold.test)
            scaled = mixed_values(weights, predict_batches(model, test), self._scaled(partner.tested))
            return self._evaluate(network.predict_windows(test, scaled))

        def predictor() -> Predictor[SeriesFrame]:
            served = ForecastBaseline(self.pipeline, partner.fitted)
            return Predictor(self._schema(), ForecastMix(network, served, weights), Forecast.name)

        return MixedModel(
            FittedModel(predictor, evaluate, network.notes), weights, partner.seconds + seconds, partner.predict_ms
        )

    def _mix_weights(self, first: np.ndarray, second: np.ndarray) -> Weights:
        """Weights of scaled forecasts and a baseline's on the validation windows, every series in its own unit."""
        held = self._held_out
        if self.pipeline.transform == "log":
            return value_weights(self._scaled(held.y_true), first, self._scaled(second))
        unit = held.scale[:, None, :]  # (windows, 1, targets)
        return value_weights(held.y_true / unit, self.pipeline.restore(first) / unit, second / unit)

    def _scaled(self, forecast: np.ndarray) -> np.ndarray:
        return np.asarray(self.pipeline.scaled_targets(forecast))

    @cached_property
    def _held_out(self) -> ForecastTestSet:
        """The validation windows."""
        own = self.experiment
        return ForecastTestSet.of(
            own.frame, self.fold.validation, lookback=own.lookback, horizon=own.horizon, season=own.season
        )

    def _tried(self, name: str, config: Config) -> HeldOut:
        """The baseline on the validation windows; kept, since a mix asks for what a choice has asked before."""
        key = which(name, config)
        if key not in self._held:
            held, seconds = timed(lambda: self._baseline_forecasts(name, config, self._held_out))
            # Where nothing was observed there is nothing to choose by.
            losses = self._held_out.losses(held)
            loss = float(np.nanmean(losses)) if np.isfinite(losses).any() else np.inf
            self._held[key] = HeldOut(held, loss, self.mixes_with(name, config), seconds)
        return self._held[key]

    def _partner(self, name: str, config: Config) -> Partner:
        """The baseline on the validation and on the test windows; kept, since every network asks for it."""
        key, held = which(name, config), self._tried(name, config)
        if not held.has_graph:
            raise ValueError(f"`baseline` must have a graph. Received: {name!r}")
        if key not in self._partners:
            fitted = self._fitted(name, config)
            if self._test_set is None:
                return Partner(held.predicted, fitted, None, held.seconds, 0.0)
            tested, spent = timed(lambda: self._baseline_forecasts(name, config, self.test_set))
            predict_ms = 1000 * spent / max(len(tested), 1)
            self._partners[key] = Partner(held.predicted, fitted, tested, held.seconds + spent, predict_ms)
        return self._partners[key]

    def timing_batches(self) -> tuple[WindowBatches, int]:
        """The test windows."""
        return self.test, self.test.predict_batch_size

    @property
    def cost_length(self) -> None:
        """A window has one length."""

    def _schema(self) -> ForecastSchema:
        return ForecastSchema.of(self.pipeline, self.experiment.frame)

    def _evaluate(self, outputs: Outputs) -> Evaluation:
        test, forecast = self.test_set, outputs["forecast"]
        first = int(np.flatnonzero(test.windows.count)[0])
        example = forecast[int(test.windows.count[first]) - 1]
        return Evaluation.of(Forecast.metrics, test, outputs, losses=test.losses(forecast), example=example)

    def _fitted(self, name: str, config: Config) -> Any:
        """The baseline estimated on all rows that training and validation may see; kept, since it may take a while."""
        key = which(name, config)
        if key not in self._served:
            own, stop = self.experiment, self.fold.validation.stop
            sizes = {"horizon": own.horizon, "season": own.season, "window": own.lookback}
            known = self._rows.head(stop) if FORECAST_BASELINES[name].together else self._targets(stop)
            self._served[key] = fit_forecaster(name, known, **sizes, config=config)
        return self._served[key]

    def _targets(self, counts: np.ndarray) -> SeriesRows:
        """The targets in the first rows of each series, read as they are asked for."""
        frame = self.experiment.frame
        return SeriesRows(
            FirstRows(frame, counts),
            targets=len(frame.targets),
            ids=[str(series) for series in frame.ids],
            last_steps=frame.last_steps() - (frame.lengths - counts),
        )

    @cached_property
    def _rows(self) -> SeriesRows:
        """All series as baselines see them."""
        frame, ends = self.experiment.frame, np.cumsum(self.experiment.frame.lengths)[:-1]
        columns = self.pipeline.channels_.columns
        channels = np.concatenate([column.raw(frame.table) for column in columns], axis=1)
        return SeriesRows(
            np.split(channels, ends),
            targets=len(frame.targets),
            ahead=self.pipeline.channels_.width(self.pipeline.future_covariates_),
            ids=[str(series) for series in frame.ids],
            last_steps=frame.last_steps(),
            times=np.split(frame.times(), ends) if self.pipeline.calendar else None,
        )

    def _baseline_forecasts(self, name: str, config: Config, test: ForecastTestSet) -> np.ndarray:
        """Forecasts of windows (windows, horizon, targets), each from the rows before it, settled before the first."""
        own, windows = self.experiment, test.windows
        frame, series = own.frame, windows.series()
        origins = windows.starts() + windows.lookback - frame.starts[series]
        edges = np.append(0, np.cumsum(windows.count))
        if FORECAST_BASELINES[name].together:
            sizes = {"horizon": windows.horizon, "season": own.season, "window": own.lookback}
            known = np.split(origins, edges[1:-1])
            return np.concatenate(FORECAST_BASELINES[name].forecast(self._rows, known, **sizes, **config))
        forecast = np.empty_like(test.y_true)
        for some, of in frame.blocks():
            mine = slice(edges[some.start], edges[some.stop])
            if mine.start == mine.stop:
                continue
            values, lengths = frame.columns(frame.targets, of), frame.lengths[some]
            for target in range(values.shape[1]):
                many = ManySeries(values[:, target], lengths, origins[mine], series[mine] - some.start)
                forecast[mine, :, target] = forecast_many(name, many, windows.horizon, own.season, **config)
        return forecast


def align_losses(
    losses: Mapping[str, FoldLosses], test_sets: Sequence[ForecastTestSet]
) -> tuple[dict[str, np.ndarray], np.ndarray, int]:
    """Losses of several models at the same forecast origins, averaged over seeds.

    Returns:
        For each model its losses (origins,), the fold of each origin, and how many neighbouring origins overlap.
        With fewer than ten origins and more series, each series' mean loss takes an origin's place.
    """
    n_series = len(test_sets[0].windows.count)
    by_series = sum(test.n_origins for test in test_sets) < _FEWEST_ORIGINS < n_series
    aligned = {}
    for model, of_folds in losses.items():
        means = [np.mean(seeds, axis=0) for seeds in of_folds]
        if by_series:
            of_series = [mean_by_group(t.windows.series(), loss) for t, loss in zip(test_sets, means, strict=True)]
            aligned[model] = mean_ignoring_nan([_padded(loss, n_series) for loss in of_series])
        else:
            of_origin = [mean_by_group(t.origin, loss) for t, loss in zip(test_sets, means, strict=True)]
            aligned[model] = np.concatenate(of_origin)
    if by_series:
        return aligned, np.arange(len(next(iter(aligned.values())))), 1
    groups = np.concatenate([np.full(test.n_origins, i) for i, test in enumerate(test_sets)])
    windows = test_sets[0].windows
    return aligned, groups, -(-windows.horizon // windows.stride)


def _padded(values: np.ndarray, n: int) -> np.ndarray:
    return np.concatenate([values, np.full(n - len(values), np.nan)])
