"""Forecast baselines fitted to series, that forecast from the newest rows alone.

What the rows before the window tell (slope, seasonal factors) is estimated once per series and target; the window gives
the last value. With the rows given, each equals its function's forecast from the last origin, as far as the window
reaches: a gap that began before the window is filled with its end. Theta, ARIMA and ETS estimate anew from the rows
that they get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..grid import Grid
from .arima import arima
from .boosted_trees import GRID as TREES_GRID
from .boosted_trees import BoostedTrees, fit_trees, forecast_trees
from .ets import ets
from .graph_ops import GraphConstants, StringIndex, pack_strings, run_eagerly, unpack_strings
from .history import check
from .many_series import ManySeries
from .naive import drift, drift_of_many, naive, naive_of_many, seasonal_naive, seasonal_naive_of_many, slopes
from .naive2 import naive2, naive2_of_many
from .scaling import fill_gaps
from .seasonality import find_seasonalities
from .series_rows import SeriesRows
from .theta import GRID as THETA_GRID
from .theta import theta, theta_of_many

if TYPE_CHECKING:
    import tensorflow as tf

_ROWS = 1 << 20  # of some series together


def _each_series(function: Callable[..., np.ndarray]) -> Callable[..., list[np.ndarray]]:
    """A function of one series (time,) as one of all series and targets, each by itself."""

    def forecast(
        rows: SeriesRows,
        origins: Sequence[np.ndarray],
        *,
        horizon: int,
        season: int,
        window: int,  # noqa: ARG001  (it reads the whole series)
        **config: Any,
    ) -> list[np.ndarray]:
        found = []
        for values, known in zip(rows.values, origins, strict=True):
            each = np.empty((len(known), horizon, rows.targets))
            for target in range(rows.targets if len(known) else 0):
                each[:, :, target] = function(values[:, target], known, horizon, season, **config)
            found.append(each)
        return found

    return forecast


@dataclass(frozen=True)
class ForecastBaseline:
    """A baseline for series.

    Attributes:
        forecast: ``forecast(rows, origins, *, horizon, season, window, **config)`` from all series and, for each, the
            numbers of rows known gives a list of forecasts (origins, horizon, targets). An origin's forecast reads the
            rows before it (and of the channels known ahead those of the horizon), and parameters are estimated once, on
            the rows before the first origin of each series. ``window`` is what a network reads.
        of_many: ``of_many(many, horizon, season, **config)`` gives the forecasts (origins, horizon) of one target of
            :class:`ManySeries` at once; None where a library fits each series, or all of them, by itself.
        grid: values to try of each setting, the default first.
        default: whether it takes part in a comparison for which no baselines are named.
        together: whether it learns from all series at once, and reads their covariates.
    """

    forecast: Callable[..., list[np.ndarray]]
    of_many: Callable[..., np.ndarray] | None = None
    grid: Grid = field(default_factory=dict)
    default: bool = True
    together: bool = False

    def __call__(self, values: np.ndarray, origins: np.ndarray, horizon: int, season: int, **config: Any) -> np.ndarray:
        """Forecasts (origins, horizon) of one series (time,), which reads at most two seasons, or 24 rows."""
        values, origins = check(values, origins, horizon=horizon, season=season)
        window = max(1, min(2 * season if season > 1 else 24, int(origins[0]) // 2))
        sizes = {"horizon": horizon, "season": season, "window": window}
        return self.forecast(SeriesRows.of_one(values), [origins], **sizes, **config)[0][:, :, 0]


FORECAST_BASELINES: dict[str, ForecastBaseline] = {
    "naive": ForecastBaseline(_each_series(naive), naive_of_many),
    "seasonal_naive": ForecastBaseline(_each_series(seasonal_naive), seasonal_naive_of_many),
    "naive2": ForecastBaseline(_each_series(naive2), naive2_of_many),
    "drift": ForecastBaseline(_each_series(drift), drift_of_many),
    "theta": ForecastBaseline(_each_series(theta), theta_of_many, THETA_GRID),
    "arima": ForecastBaseline(_each_series(arima)),
    "ets": ForecastBaseline(_each_series(ets)),
    "boosted_trees": ForecastBaseline(forecast_trees, grid=TREES_GRID, default=False, together=True),
}
ONE_BY_ONE = tuple(name for name, b in FORECAST_BASELINES.items() if b.of_many is None and not b.together)
_ESTIMATES_ANEW = {
    "theta": "its smoothing constant is estimated at every forecast",
    "arima": "its orders and its parameters are estimated by a library at every forecast",
    "ets": "its form and its constants are estimated by a library at every forecast",
}


def why_no_graph(name: str, *, season: int, window: int) -> str | None:
    """Why a baseline that forecasts from a window of so many rows has no graph, in words; None where it has one."""
    if name in _ESTIMATES_ANEW:
        return _ESTIMATES_ANEW[name]
    if name == "seasonal_naive" and window < season:
        return f"its window of {window} rows is shorter than the season; a `lookback` of {season} would do"
    return None


def forecast_many(name: str, many: ManySeries, horizon: int, season: int, **config: Any) -> np.ndarray:
    """Forecast many series, each as the function ``FORECAST_BASELINES[name]`` forecasts one.

    Arguments:
        name: one of ``FORECAST_BASELINES`` that reads a series by itself.
        many: the series and the origins of each.
        horizon: steps to forecast.
        season: rows of one cycle, 1 for none.
        config: settings of the baseline; by default the first of its grid.

    Returns:
        Forecasts (origins, horizon) in the unit of the values; NaN where nothing had been observed yet.

    Example:
        >>> forecast_many("naive", ManySeries.at_ends([np.array([1.0, 2.0]), np.array([5.0])]), 2, 1)
        array([[2., 2.],
               [5., 5.]])
    """
    baseline = FORECAST_BASELINES[name]
    if baseline.of_many is not None:
        return baseline.of_many(many, horizon, season, **config)
    forecast = np.full((len(many.origins), horizon), np.nan)
    for series in np.unique(many.series):
        mine = many.series == series
        start = many.starts[series]
        values, origins = many.values[start : start + many.lengths[series]], many.origins[mine]
        if origins[0] > 0:
            forecast[mine] = baseline(values, origins, horizon, season, **config)
    return forecast


def fit_forecaster(
    name: str,
    rows: SeriesRows,
    *,
    horizon: int,
    season: int,
    window: int,
    config: Mapping[str, Any] | None = None,
) -> WindowForecaster | Reestimating | BoostedTrees:
    """Fit a forecast baseline to one or many series.

    Arguments:
        name: one of ``FORECAST_BASELINES``.
        rows: all known rows of each series.
        horizon: steps to forecast.
        season: rows of one cycle, 1 for none.
        window: rows in the raw ``values`` that it will forecast from.
        config: settings of the baseline; by default the first of its grid.

    Returns:
        A fitted baseline. Several series are distinguished by an extra input ``id``: for an unknown one, drift
        estimates its slope from the window and naive2 uses no season. Naive2 with a season reads an extra input
        ``step``, the number of the last row on the time axis.

    Raises:
        ValueError: an unknown name, or no series.
    """
    if name not in FORECAST_BASELINES or not len(rows.values):
        known = ", ".join(FORECAST_BASELINES)
        raise ValueError(
            f"`name` must be one of {known}, `rows` not empty. Received: {name!r}, {len(rows.values)} series"
        )
    if name == "boosted_trees":
        return fit_trees(rows, horizon=horizon, season=season, window=window, **(config or {}))
    targets = rows.targets
    if (why := why_no_graph(name, season=season, window=window)) is not None:
        return Reestimating(name, horizon, targets, season, why, config)
    estimates: dict[str, np.ndarray] = {}
    if name == "drift":
        parts = [
            np.stack([slopes(many) for many in _by_target(some, targets)], axis=1) for _, some in _blocks(rows.values)
        ]
        estimates = {"slope": np.concatenate(parts)}
    if name == "naive2":
        estimates = _seasonal_estimates(rows, season)
    return WindowForecaster(name, horizon, targets, season, list(rows.ids) if estimates else [], estimates)


def _seasonal_estimates(rows: SeriesRows, season: int) -> dict[str, np.ndarray]:
    """Factors (series, season, targets) by step number modulo season, and which are multiplicative (series, targets).

    Nothing where no series has a season.
    """
    last_steps, shape = np.asarray(rows.last_steps), (len(rows.values), season, rows.targets)
    factors, multiplicative = np.zeros(shape), np.zeros((shape[0], shape[2]), dtype=bool)
    for first, some in _blocks(rows.values):
        for target, many in enumerate(_by_target(some, rows.targets)):
            for of, part in many.from_first_observed().groups():
                found = find_seasonalities(part.histories(), part.lengths, season)
                begun = last_steps[first + of] - part.lengths + 1  # step of the first observed row
                phases = (np.arange(season) - begun[:, None]) % season
                factors[first + of, :, target] = np.take_along_axis(found.factors, phases, axis=1)
                multiplicative[first + of, target] = found.multiplicative
    return {"factors": factors, "multiplicative": multiplicative} if factors.any() else {}


def _blocks(series: Sequence[np.ndarray]) -> Iterator[tuple[int, list[np.ndarray]]]:
    """Series some at a time, about a million rows together: the number of the first, and their rows."""
    first, rows = 0, 0
    some: list[np.ndarray] = []
    for number, values in enumerate(series):
        if some and rows + len(values) > _ROWS:
            yield first, some
            first, rows, some = number, 0, []
        some.append(values)
        rows += len(values)
    yield first, some


def _by_target(series: Sequence[np.ndarray], targets: int) -> list[ManySeries]:
    return [ManySeries.at_ends([values[:, target] for values in series]) for target in range(targets)]


class WindowForecaster:
    """Naive, seasonal naive, drift or Naive2 with what was estimated for each series.

    Args:
        name: of the baseline.
        horizon: steps to forecast.
        targets: how many channels are forecast, the first ones.
        season: rows of one cycle.
        ids: of the series that the estimates are for; looked at where there are several.
        estimates: (series, ...) by name: ``slope`` or ``factors`` and ``multiplicative``, or nothing.
    """

    kind = "window_forecaster"
    why_no_graph = None

    def __init__(
        self,
        name: str,
        horizon: int,
        targets: int,
        season: int,
        ids: Sequence[str],
        estimates: Mapping[str, np.ndarray],
    ) -> None:
        self.name, self.horizon, self.targets, self.season = name, horizon, targets, season
        self.ids, self.estimates = list(ids), dict(estimates)
        self._index = StringIndex({name: row for row, name in enumerate(self.ids)}, empty=b"")
        self._constants = GraphConstants(**self.estimates)

    def predict(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The graph on arrays."""
        return run_eagerly(self.graph, raw, values="float64")

    def graph(self, raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """``values`` and the extra inputs → ``forecast`` (batch, horizon, targets); NaN where a window is empty."""
        import tensorflow as tf

        values = tf.cast(raw["values"][:, :, : self.targets], tf.float64)
        rows = self._rows(raw, tf.shape(values)[0])
        if self.name == "drift":
            forecast = self._drift(values, rows)
        elif self.name == "naive2" and self.estimates:
            forecast = self._naive2(values, rows, raw["step"])
        elif self.name == "seasonal_naive":
            ahead = tf.range(self.horizon) % self.season
            forecast = tf.gather(fill_gaps(values), tf.shape(values)[1] - self.season + ahead, axis=1)
        else:
            forecast = tf.repeat(fill_gaps(values)[:, -1:], self.horizon, axis=1)
        return {"forecast": forecast}

    def _rows(self, raw: Mapping[str, tf.Tensor], batch: tf.Tensor) -> tf.Tensor:
        """Row of each window's series in the estimates (batch,), -1 where it is unknown."""
        import tensorflow as tf

        return self._index.table.lookup(raw["id"]) if len(self.ids) > 1 else tf.zeros([batch], tf.int64)

    def _drift(self, values: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        import tensorflow as tf

        observed = ~tf.math.is_nan(values)
        time = tf.shape(values)[1]
        places = tf.broadcast_to(tf.range(time)[:, None], tf.shape(values))
        first = tf.reduce_min(tf.where(observed, places, time), axis=1)  # (batch, targets)
        last = tf.reduce_max(tf.where(observed, places, -1), axis=1)
        filled = fill_gaps(values)  # its ends are the first and the last observed value
        of_window = (filled[:, -1] - filled[:, 0]) / tf.cast(tf.maximum(last - first, 1), tf.float64)
        learnt = tf.gather(self._constants["slope"], tf.maximum(rows, 0))
        slope = tf.where((rows >= 0)[:, None], learnt, of_window)
        steps = tf.cast(time - last[:, None] + tf.range(self.horizon)[None, :, None], tf.float64)
        return filled[:, -1:] + slope[:, None] * steps

    def _naive2(self, values: tf.Tensor, rows: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        import tensorflow as tf

        known, rows = (rows >= 0)[:, None], tf.maximum(rows, 0)
        phases = (step[:, None] + tf.range(self.horizon + 1, dtype=tf.int64)) % self.season  # the last row's first
        factors = tf.gather(tf.gather(self._constants["factors"], rows), phases, batch_dims=1)
        multiplies = (tf.gather(self._constants["multiplicative"], rows) & known)[:, None]  # (batch, 1, targets)
        added = tf.where(multiplies | ~known[:, None], tf.zeros_like(factors), factors)
        times = tf.where(multiplies, factors, tf.ones_like(factors))
        adjusted = (fill_gaps(values)[:, -1:] - added[:, :1]) / times[:, :1]
        return adjusted * times[:, 1:] + added[:, 1:]

    def extra_inputs(self) -> dict[str, tf.TensorSpec]:
        """``id`` where there are several series with estimates, ``step`` where a season was found."""
        import tensorflow as tf

        inputs = {}
        if len(self.ids) > 1:
            inputs["id"] = tf.TensorSpec([None], tf.string, name="id")
        if "factors" in self.estimates:
            inputs["step"] = tf.TensorSpec([None], tf.int64, name="step")
        return inputs

    def resources(self) -> list[Any]:
        """The table of ids, and the estimates."""
        return [*([self._index.table] if len(self.ids) > 1 else []), *self._constants.resources()]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays."""
        names = ("name", "horizon", "targets", "season")
        config = {"kind": self.kind, **{name: getattr(self, name) for name in names}}
        return config, {**self.estimates, **pack_strings(self.ids)}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> WindowForecaster:
        """What :meth:`state` described."""
        estimates = {name: array for name, array in arrays.items() if name not in ("strings", "string_ends")}
        settings = {name: config[name] for name in ("name", "horizon", "targets", "season")}
        return cls(**settings, ids=unpack_strings(arrays), estimates=estimates)

    def __repr__(self) -> str:
        return f"{self.name}, {self.horizon} steps ahead" + (f", of {len(self.ids):,} series" * (len(self.ids) > 1))


class Reestimating:
    """A baseline without a graph: it estimates from the rows it gets, those in front without a value left out.

    Args:
        name: of the baseline.
        horizon: steps to forecast.
        targets: how many channels are forecast, the first ones.
        season: rows of one cycle.
        why_no_graph: in words.
        config: settings of the baseline.
    """

    kind = "reestimating_forecaster"

    def __init__(
        self,
        name: str,
        horizon: int,
        targets: int,
        season: int,
        why_no_graph: str,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.name, self.horizon, self.targets, self.season = name, horizon, targets, season
        self.why_no_graph, self.config = why_no_graph, dict(config or {})

    def predict(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """``values`` (batch, any number of rows, channels) → ``forecast`` (batch, horizon, targets)."""
        values = np.asarray(raw["values"], dtype=float)[:, :, : self.targets]
        found = np.empty((len(values), self.horizon, self.targets))
        for target in range(self.targets):
            many = ManySeries.at_ends(list(values[:, :, target])).from_first_observed()
            found[:, :, target] = forecast_many(self.name, many, self.horizon, self.season, **self.config)
        return {"forecast": found}

    def graph(self, raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """There is none."""
        raise NotImplementedError(f"{self.name} has no graph: {self.why_no_graph}")

    def extra_inputs(self) -> dict[str, tf.TensorSpec]:
        """None."""
        return {}

    def resources(self) -> list[Any]:
        """None."""
        return []

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values; there are no arrays."""
        names = ("name", "horizon", "targets", "season", "why_no_graph", "config")
        return {"kind": self.kind, **{name: getattr(self, name) for name in names}}, {}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Reestimating:  # noqa: ARG003
        """What :meth:`state` described."""
        return cls(**{name: value for name, value in config.items() if name != "kind"})

    def __repr__(self) -> str:
        return f"{self.name}, {self.horizon} steps ahead"


FORECASTERS = (WindowForecaster, Reestimating, BoostedTrees)
