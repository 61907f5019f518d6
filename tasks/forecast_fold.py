"""One fold of a forecast: its windows, what is trained and fitted on them, and how that is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..baselines import FORECAST_BASELINES, ManySeries, SeriesRows, fit_forecaster, forecast_many, why_no_graph
from ..evaluation.mixing import Weights, mixed_values, value_weights
from ..frames import SeriesFrame
from ..grid import draw
from ..pipelines import MAX_VALIDATION_WINDOWS, Batches, EncodedSeries, Fold, RowRange, SeriesPipeline, WindowBatches
from ..predictor import Predictor
from ..predictor.forecast import ForecastBaseline, ForecastNetwork, ForecastSchema
from ..predictor.mix import ForecastMix
from .forecast_test_set import ForecastTestSet, Outputs
from .mixing import HeldOut, MixedModel, Partner, timed, which
from .protocol import Config, Evaluation, FittedModel

if TYPE_CHECKING:
    import keras

    from ..spec import SequenceSpec
    from .forecast import ForecastExperiment


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

    def known_parts(self) -> list[tuple[Batches, Batches]]:
        """Nothing: what comes later would be learnt from."""
        return []

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

        return FittedModel(lambda: Predictor(self._schema(), network, self.experiment.task.name), evaluate, notes)

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
            return Predictor(self._schema(), served, self.experiment.task.name)

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
            return Predictor(self._schema(), ForecastMix(network, served, weights), self.experiment.task.name)

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
        return Evaluation.of(self.experiment.task.metrics, test, outputs, losses=test.losses(forecast), example=example)

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
