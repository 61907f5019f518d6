"""What all forecasters do: fit on a long table, forecast from the newest rows, cross-validate by rolling origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.callback import with_callbacks
from sklearn.utils.validation import check_is_fitted

from ..errors import InputError
from ..evaluation import mase, seasonal_scales
from ..frames import SeriesFrame, describe
from ..models import (
    TRAINING_SETTINGS,
    check_config,
    draw_configs,
    known_settings,
    list_families,
    parse_variant,
    simpler_families,
)
from ..predictor import Predictor
from ..predictor.forecast import ForecastNetwork, ForecastSchema
from ..tasks import Forecast
from ..training import FitOptions, History
from ..training.learning_rates import CANDIDATES, FIND
from .base import Estimator
from .forecast_frames import (
    Columns,
    Written,
    at_cutoff,
    before_cutoff,
    last_rows,
    name_short,
    same_end,
    truth_after,
)
from .forecast_networks import Structure, TrainingSettings, forward_of, network, train
from .seeds import seed_of

if TYPE_CHECKING:
    import keras

    from ..comparison import Comparison
    from ..pipelines.protocol import RawInputs
    from ..tasks.forecast_fold import ForecastFold

# Columns of forecasts, where `alias` does not say otherwise.
_NAMES = {
    "linear": "Linear",
    "dense": "Dense",
    "tcn": "TCN",
    "simple_rnn": "SimpleRNN",
    "gru": "GRU",
    "lstm": "LSTM",
    "min_gru": "MinGRU",
    "min_lstm": "MinLSTM",
}
_START = "forecast.parquet"
_SAMPLE = 8


@dataclass(eq=False, repr=False, kw_only=True)
class Forecaster(Estimator):
    """Parameters and methods that all forecasters have; see :class:`SequenceForecaster`."""

    horizon: int | None = None
    lookback: int | None = None
    season: int | None = None
    freq: str | int | None = None
    id_col: str = "unique_id"
    time_col: str = "ds"
    target_col: str = "y"
    past_covariates: Sequence[str] = ()
    future_covariates: Sequence[str] = ()
    calendar: Sequence[str] = ()
    transform: str = "none"
    missing: str = "interpolate"
    levels: Sequence[int] = (80, 95)
    alias: str | None = None
    loss: str = "mae"
    max_epochs: int = 100
    patience: int = 9
    learning_rate: float | str | None = None
    epsilon: float = 1e-7
    batch_size: int | None = None
    validation_fraction: float = 0.1
    warm_start: bool = False
    random_state: Any = None
    verbose: int = 0
    callbacks: Any = None

    # ------------------------------------------------------------------------------------------------ fit

    @with_callbacks
    def fit(self, df: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002  (scikit-learn's searches hand one over)
        """Fit one network to all series.

        Parameters
        ----------
        df : DataFrame
            A row per series and time: ids, time stamps (or whole numbers), the target, and covariates that were
            declared. The order of the rows does not matter, missing rows and values are allowed, other columns are
            ignored.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted forecaster.

        Raises
        ------
        ValueError
            A column or row that cannot be used, or a series shorter than lookback + horizon; the message names it.
        """
        frame = self._columns().read(df)
        self._fit_frame(frame)
        self._remember(frame, Written(df, self._columns()))
        return self

    def _fit_frame(self, frame: SeriesFrame, needed: Sequence[Any] | None = None) -> None:
        """Fit to a frame; of some series in it alone it may be demanded that they are long enough."""
        experiment = self._task(frame).open(frame)
        name_short(
            frame if needed is None else frame.select(needed),
            experiment.lookback + experiment.horizon,
            f"`lookback` ({experiment.lookback}) and `horizon` ({experiment.horizon}) need "
            f"{experiment.lookback + experiment.horizon} rows",
        )
        fold = experiment.prepare_final()
        config = self._config(fold.spec)
        structure = Structure.of(self._family(), config, fold.spec)
        weights, history = self._train(fold, structure, config)
        pipeline = fold.pipeline
        with network(structure, weights) as model:
            calibrated = ForecastNetwork(pipeline, model).calibrated(fold.validation, tuple(self.levels))
        self._structure, self._weights, self._intervals = structure, weights, calibrated.intervals
        self._schema = ForecastSchema.of(pipeline, frame)
        self.horizon_, self.lookback_, self.season_ = experiment.horizon, experiment.lookback, experiment.season
        self.freq_ = frame.freq
        self.history_ = {"val_loss": list(history.losses)}
        self.n_iter_, self.best_epoch_ = len(history.losses), history.best_epoch
        self.learning_rate_ = history.learning_rate
        self.notes_ = [*experiment.notes, *calibrated.notes]
        self.data_description_ = describe(frame)

    def _task(self, frame: SeriesFrame) -> Forecast:
        task = Forecast(
            horizon=self.horizon,
            lookback=self.lookback,
            season=self.season,
            missing=self.missing,
            calendar=tuple(self.calendar),
            transform=self.transform,
            loss=self.loss,
        )
        if not 0 < self.validation_fraction < 1:
            raise InputError(f"`validation_fraction` must be between 0 and 1; received {self.validation_fraction!r}")
        opened = task.open(frame)
        held_out = max(opened.horizon, int(frame.lengths.max() * self.validation_fraction))
        return Forecast(**{**{f.name: getattr(opened.task, f.name) for f in fields(Forecast)}, "test_size": held_out})

    def _train(
        self, fold: ForecastFold, structure: Structure, config: dict[str, Any]
    ) -> tuple[list[np.ndarray], History]:
        sizes = {name: _count(name, getattr(self, name)) for name in ("max_epochs", "patience")}
        own = {name: config[name] for name in TRAINING_SETTINGS if name in config}
        rate = own.pop("learning_rate")
        settings = TrainingSettings(self.loss, rate, tuple(sorted(own.items())), self.batch_size, **sizes)
        first = self._weights if self.warm_start and getattr(self, "_structure", None) == structure else None
        epochs = settings.max_epochs * (len(CANDIDATES) if rate == FIND else 1)
        with self._watched(epochs) as on_epoch:
            options = FitOptions(
                seed=seed_of(self.random_state),
                on_epoch=on_epoch,
                weights=first,
                callbacks=tuple(self.callbacks or ()),
            )
            return train(structure, settings, (fold.train, fold.validation), options)

    def _remember(self, frame: SeriesFrame, written: Written) -> None:
        """What a forecast without new rows needs: the forecast itself or, for covariates to come, the last rows."""
        self._last: SeriesFrame | None = None
        self._start: pd.DataFrame | None = None
        self._written = written
        if frame.future_covariates:
            self._last = last_rows(frame, self.lookback_)
        else:
            self._start = written.like(self._forecast(frame), frame)

    # ------------------------------------------------------------------------------------------------ predict

    def predict(self, h: int | None = None, df: pd.DataFrame | None = None, X_df: pd.DataFrame | None = None) -> Any:
        """Forecast the steps after the newest rows of each series.

        Parameters
        ----------
        h : int, default=None
            Steps, at most the `horizon` that was fitted; all of it by default.
        df : DataFrame, default=None
            Newest rows, at least `lookback_` of each series; its ids may be new. By default the forecast continues
            the training data.
        X_df : DataFrame, default=None
            Ids, times and the `future_covariates` of the whole horizon; other rows and columns are ignored.

        Returns
        -------
        forecast : DataFrame
            Ids, times, the forecast in a column named after the model, and the ends of its intervals
            (``LSTM-lo-80``, ``LSTM-hi-80``, ...), ids and times as they were given.

        Raises
        ------
        ValueError
            `h` beyond the fitted horizon, series shorter than `lookback_`, or covariates that lack; the message names
            ids and times.
        """
        check_is_fitted(self)
        steps = self._steps(h)
        columns = self._columns()
        if df is None and self._start is not None:
            # numbers that joblib mapped from a file would go on looking like a file
            numbers = {name: np.array(self._start[name], dtype=float) for name in self._start.columns[2:]}
            table = self._start.assign(**numbers)
        else:
            frame, written = self._frame_to_forecast(df, X_df)
            columns.refuse_lacking(frame, self.horizon_) if columns.future else None
            table = written.like(self._forecast(frame), frame)
        within = np.arange(len(table)) % self.horizon_ < steps
        return table[within].reset_index(drop=True)

    def missing_future(self, df: pd.DataFrame | None = None, X_df: pd.DataFrame | None = None) -> pd.DataFrame:
        """Ids and times whose `future_covariates` lack for the next forecast, ready to be filled.

        Parameters
        ----------
        df : DataFrame, default=None
            Newest rows, as for `predict`; by default the training data.
        X_df : DataFrame, default=None
            The covariates that are there already.

        Returns
        -------
        rows : DataFrame
            Ids, times and covariates, those not known missing. Filled, they are what `predict` takes as `X_df`
            (together with the rows that were there already).
        """
        check_is_fitted(self)
        columns = self._columns()
        if not columns.future:
            return pd.DataFrame(columns=[columns.id, columns.time])
        frame, written = self._frame_to_forecast(df, X_df)
        return written.like(columns.lacking(frame, self.horizon_), frame)

    def _frame_to_forecast(self, df: pd.DataFrame | None, X_df: pd.DataFrame | None) -> tuple[SeriesFrame, Written]:
        columns = self._columns()
        if df is not None:
            frame, written = columns.read(df), Written(df, columns)
            name_short(frame, self.lookback_, f"a forecast reads `lookback` ({self.lookback_}) rows")
        elif self._last is not None:
            frame, written = self._last, self._written
        else:
            raise InputError("the forecaster keeps no rows of the training data; give the newest ones as `df`")
        if X_df is not None and columns.future:
            ahead = columns.ahead(frame, X_df)
            if frame.ahead is not None:  # what X_df says replaces what the newest rows said
                keys = [frame.id, frame.time]
                ahead = pd.concat([frame.ahead[ahead.columns], ahead]).drop_duplicates(keys, keep="last")
            frame = replace(frame, ahead=ahead)
        return frame, written

    def _steps(self, h: int | None) -> int:
        steps = self.horizon_ if h is None else h
        if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
            raise InputError(f"`h` must be a whole number of at least 1; received {h!r}")
        if steps > self.horizon_:
            raise InputError(
                f"`h` must be at most the horizon of {self.horizon_} steps that the forecaster was fitted for; "
                f"received {steps}; set `horizon` and fit again"
            )
        return int(steps)

    def _forecast(self, frame: SeriesFrame) -> pd.DataFrame:
        """Forecasts of the whole horizon after the end of each series, columns named after the model."""
        with network(self._structure, self._weights) as model:
            compiled: Any = forward_of(model)
            served = ForecastNetwork(self._schema.pipeline, compiled, self._intervals)
            table = Predictor(self._schema, served, Forecast.name).predict(frame)
        target = self._schema.pipeline.targets_[0]
        renamed = {name: f"{self._alias}{name[len(target) :]}" for name in table.columns[2:]}
        return table.rename(columns=renamed)

    # ------------------------------------------------------------------------------------------------ evaluation

    def cross_validation(
        self,
        df: pd.DataFrame,
        h: int | None = None,
        n_windows: int = 1,
        step_size: int | None = None,
        refit: bool | int = False,
    ) -> pd.DataFrame:
        """Forecast from several cutoffs in the past, each from the rows before it alone.

        Each window is what this forecaster's `predict` of `h` steps would have given then: networks have the
        `horizon` of the forecaster, of which the first `h` steps are kept. The forecaster itself stays as it is.
        Windows are counted from each series' own end; where series end at different times, those that end together
        have a network of their own, which has seen no row of any series after their cutoff.

        Parameters
        ----------
        df : DataFrame
            As for `fit`.
        h : int, default=None
            Steps ahead, at most the `horizon` (as given or, after a fit, as chosen), which is the default. A forecaster
            with neither is evaluated with a horizon of `h` steps.
        n_windows : int, default=1
            Number of cutoffs.
        step_size : int, default=None
            Rows between two cutoffs; by default `h`, so that windows do not overlap.
        refit : bool or int, default=False
            Whether a network is fitted anew at each cutoff (or at every so many); otherwise once, before the first.

        Returns
        -------
        forecasts : DataFrame
            Ids, times, ``cutoff`` (the last time known), the true target, the forecast and the ends of its intervals;
            metrics of utilsforecast read it as it is.

        Raises
        ------
        ValueError
            `h` beyond the horizon, or a series that is too short for the windows; the message names it.
        """
        horizon, steps = self._horizon_and_steps(h)
        n_windows, every = (
            _count("n_windows", n_windows),
            _count("step_size", steps if step_size is None else step_size),
        )
        columns = self._columns()
        frame, written = columns.read(df), Written(df, columns)
        cutoffs = [steps + (n_windows - 1 - i) * every for i in range(n_windows)]  # rows before each series' end
        name_short(
            frame,
            cutoffs[0] + 2 * horizon,
            f"{n_windows} windows of {steps} steps, {every} apart, leave fewer than {2 * horizon} rows before them",
        )
        again = int(refit) if refit else n_windows
        tables = []
        for series in same_end(frame):
            fitted = self
            for i, after in enumerate(cutoffs):
                if i % again == 0:
                    fitted = clone(self).set_params(horizon=horizon, warm_start=False)
                    fitted._fit_frame(before_cutoff(frame, series, after), [frame.ids[k] for k in series])
                tables.append(_window(fitted, frame.select([frame.ids[k] for k in series]), after, steps))
        table = written.like(pd.concat(tables, ignore_index=True), frame)
        table["cutoff"] = table["cutoff"].astype(table[frame.time].dtype)
        order = {label: k for k, label in enumerate(written.labels(frame))}
        by = [table[frame.id].map(order), table["cutoff"]]
        return table.iloc[np.lexsort((*by[::-1],))].reset_index(drop=True)

    def _horizon_and_steps(self, h: int | None) -> tuple[int, int]:
        """The horizon of networks that are evaluated, and how many of its steps."""
        horizon = self.horizon or getattr(self, "horizon_", None)
        steps = _count("h", horizon if h is None else h)
        horizon = _count("horizon", steps if horizon is None else horizon)
        if steps > horizon:
            raise InputError(
                f"`h` must be at most the horizon of {horizon} steps that the forecaster has; received {steps}; set "
                f"`horizon` ({type(self).__name__}(horizon={steps})) to evaluate longer forecasts"
            )
        if steps < horizon and self.future_covariates:
            raise InputError(
                f"`h` ({steps}) must be the horizon ({horizon}) with `future_covariates`, which a forecast reads for "
                f"the whole horizon; leave `h` out, or set `horizon` to {steps}"
            )
        return horizon, steps

    def score(self, df: pd.DataFrame, y: Any = None) -> float:  # noqa: ARG002  (scikit-learn's searches hand one over)
        """Forecast the last `horizon_` rows of each series from the rows before them.

        Parameters
        ----------
        df : DataFrame
            At least `lookback_` + `horizon_` rows of each series, as a :class:`RollingOrigin` splitter gives them.
        y : None
            Ignored.

        Returns
        -------
        score : float
            Minus the mean absolute scaled error (MASE): higher is better, -1 is as good as the seasonal naive forecast.
        """
        check_is_fitted(self)
        frame, steps = self._columns().read(df), self.horizon_
        needed = self.lookback_ + steps
        name_short(frame, needed, f"a score needs {needed} rows, `lookback` and `horizon`")
        known = frame.lengths - steps
        forecast = self._forecast(at_cutoff(frame, known, steps))[self._alias].to_numpy()
        scale = seasonal_scales(frame.columns(frame.targets), frame.lengths, known, self.season_)
        shape = (len(frame.lengths), steps, 1)
        error = mase(truth_after(frame, known, steps).reshape(shape), forecast.reshape(shape), scale=scale)
        return -float(error)

    # ------------------------------------------------------------------------------------------------ what is fitted

    @property
    def model_(self) -> keras.Model:
        """A Keras model with the fitted weights, on scaled windows."""
        check_is_fitted(self)
        return self._structure.with_weights(self._weights)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_weights")

    def compare_with_simpler(self, df: pd.DataFrame, y: Any = None, **settings: Any) -> Comparison:
        """Compare this family with every simpler one, and with the baselines of forecasting, on the same cutoffs.

        Parameters
        ----------
        df : DataFrame
            As for `fit`; the forecaster need not be fitted, and stays as it is.
        y : None
            Ignored.
        **settings : dict
            Settings of :func:`recurra.compare`, such as ``seeds=1``, ``folds=2`` or ``max_epochs=20``.

        Returns
        -------
        comparison : recurra.Comparison
            Its ``verdict["text"]`` says whether this family is worth its price.
        """
        return self._compared(df, y, settings)

    def export(self, path: str | Path, df: pd.DataFrame | None = None) -> Path:
        """Export the fitted model as a SavedModel that takes raw inputs, as ``recurra serve`` reads it.

        Parameters
        ----------
        path : str or Path
            The model's folder; versions are the whole numbers in it.
        df : DataFrame, default=None
            Real rows that the export is compared on before it appears; some are made up where none are given.

        Returns
        -------
        version : Path
            The folder of the new version.
        """
        return super().export(path, df)

    def save(self, path: str | Path) -> None:
        """Write the fitted forecaster into a folder, as JSON, ``.keras`` and parquet: loading it runs no code.

        Parameters
        ----------
        path : str or Path
            The folder. Callbacks are not saved. With `future_covariates`, `predict` then needs `df`.
        """
        super().save(path)
        if self._start is not None:
            self._start.to_parquet(Path(path) / _START)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote.

        Parameters
        ----------
        path : str or Path
            The folder.

        Returns
        -------
        forecaster : object
            The fitted forecaster.
        """
        forecaster = super().load(path)
        start = Path(path) / _START
        forecaster._start = pd.read_parquet(start) if start.exists() else None
        return forecaster

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        tags.target_tags.required = False
        return tags

    # ------------------------------------------------------------------------------------------------ for the base

    def _predictor(self) -> Predictor[Any]:
        return Predictor(
            self._schema, ForecastNetwork(self._schema.pipeline, self.model_, self._intervals), Forecast.name
        )

    def _restore(self, predictor: Predictor[Any]) -> None:
        served = predictor.model
        if not isinstance(predictor.schema, ForecastSchema) or not isinstance(served, ForecastNetwork):
            raise InputError("the folder holds no forecasting network; load it with recurra.Predictor.load")
        self._schema, self._intervals = predictor.schema, served.intervals
        spec = predictor.schema.pipeline.spec
        self._structure = Structure.of(self._family(), self._config(spec), spec)
        self._weights = served.model.get_weights()
        self._last = self._start = None

    def _sample(self, X: Any) -> RawInputs:
        pipeline = self._schema.pipeline
        if X is not None:
            return self._schema.sample(self._columns().read(X))
        random, channels = np.random.default_rng(0), pipeline.channels_
        drawn = channels.mean + channels.scale * random.normal(size=(_SAMPLE, self.lookback_, len(channels.names)))
        ahead = drawn[:, :1, -channels.width(pipeline.future_covariates_) or len(channels.names) :]
        steps = np.arange(self.lookback_ + self.horizon_, dtype=np.int64)
        return {
            "values": drawn,
            "future": np.repeat(ahead, self.horizon_, axis=1),
            "time": np.repeat(3600 * steps[None], _SAMPLE, axis=0),
        }

    def _frame(self, X: Any, y: Any) -> SeriesFrame:  # noqa: ARG002
        return self._columns().read(X)

    def _comparison_settings(self) -> dict[str, Any]:
        family = self._family()
        own = "+".join(f"{name}={value}" for name, value in self._given(family).items())
        return {
            "families": [*simpler_families(family, Forecast.output_kind), f"{family}:{own}" if own else family],
            "task": Forecast.name,
            **{name: getattr(self, name) for name in ("horizon", "lookback", "season", "missing", "transform", "loss")},
            "calendar": tuple(self.calendar),
            "max_epochs": self.max_epochs,
            "patience": self.patience,
            "batch_size": self.batch_size,
        }

    # ------------------------------------------------------------------------------------------------ parameters

    def _family(self) -> str:
        family, _ = parse_variant(self.family, Forecast.output_kind)
        if family not in (known := list_families(Forecast.output_kind)):
            raise InputError(f"`family` must be one of {', '.join(known)}; received {family!r}")
        return family

    @property
    def _alias(self) -> str:
        return self.alias or _NAMES.get(self.family, self.family)

    def _given(self, family: str) -> dict[str, Any]:
        """The family's settings that are not left to it."""
        takes = known_settings(family, Forecast.output_kind)
        defaults = {f.name: f.default for f in fields(self)}
        given = {name: value for name, value in self.get_params(deep=False).items() if name in takes}
        given = {name: value for name, value in given.items() if value is not None and value != defaults[name]}
        return given | parse_variant(self.family, Forecast.output_kind)[1]

    def _config(self, spec: Any) -> dict[str, Any]:
        """The family's settings: those given, the family's defaults for the rest."""
        family = self._family()
        given = self._given(family)
        check_config(family, Forecast.output_kind, given)
        return draw_configs(family, spec, 1, fixed=given)[0]

    def _columns(self) -> Columns:
        return Columns(
            self.id_col,
            self.time_col,
            self.target_col,
            _names(self.past_covariates),
            _names(self.future_covariates),
            getattr(self, "freq_", None) if self.freq is None else self.freq,
        )


def _window(fitted: Forecaster, frame: SeriesFrame, after: int, steps: int) -> pd.DataFrame:
    """Forecasts from the cutoff that so many rows follow, beside the truth."""
    known = frame.lengths - after
    shown = at_cutoff(frame, known, steps)
    if shown.future_covariates:
        fitted._columns().refuse_lacking(shown, steps)
    table = fitted._forecast(shown).astype({frame.id: object})
    table = table[np.arange(len(table)) % fitted.horizon_ < steps].reset_index(drop=True)
    ends = shown.table[frame.time].iloc[np.cumsum(shown.lengths) - 1]
    table.insert(2, "cutoff", np.repeat(ends.array, steps))
    table.insert(3, frame.targets[0], truth_after(frame, known, steps))
    return table


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InputError(f"`{name}` must be a whole number of at least 1; received {value!r}")
    return int(value)
