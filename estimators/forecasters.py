"""Forecasters of each family, and the general one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from .forecaster import Forecaster

F = TypeVar("F", bound=Forecaster)

_COMMON = """horizon : int, default=None
        Steps forecast at once; by default one season, at most 60 steps and a tenth of the series.
    lookback : int, default=None
        Steps read; by default two seasons or horizons, at most a quarter of the series.
    season : int, default=None
        Steps in a season, 1 for none; by default found in the autocorrelation.
    freq : str or int, default=None
        Step of time, a pandas offset alias such as "h", "15min", "B" or "MS"; by default read from the stamps.
    id_col, time_col, target_col : str, default="unique_id", "ds", "y"
        Columns of the tables.
    past_covariates, future_covariates : sequence of str, default=()
        Columns that are read too, known up to now, or known ahead; others are ignored.
    calendar : sequence of {"day", "week", "year"}, default=()
        Cycles of the calendar that the network is told.
    transform : {"none", "log"}, default="none"
        "log" works on logarithms of positive targets.
    missing : {"interpolate", "ffill", "error"}, default="interpolate"
        Rule for missing inputs.
    levels : sequence of int, default=(80, 95)
        Coverage of the prediction intervals in percent.
    alias : str, default=None
        Name of the column of forecasts; by default that of the family, such as "LSTM".
    loss : {"mae", "mse", "huber"}, default="mae"
        Training loss, in scaled units.
    learning_rate : float, default=None
        Adam's first one, halved while the validation loss does not fall; by default the family's, 0.001.
    batch_size : int, default=None
        Windows in a training step; by default 32, and 128 from 8,192 windows on.
    max_epochs, patience : int, default=100, 9
        The most epochs, and how many without a smaller validation loss end the fit.
    validation_fraction : float, default=0.1
        Newest rows, as a fraction of the longest series, that stop the fit and calibrate the intervals.
    warm_start : bool, default=False
        Whether a second `fit` goes on from the weights of the first.
    random_state : int, RandomState, Generator or None, default=None
        An int gives the same forecasts every time.
    verbose : int, default=0
        1 prints a line per epoch.
    callbacks : sequence of keras.callbacks.Callback, default=None
        Called as by ``keras.Model.fit``.

    Attributes
    ----------
    horizon_, lookback_, season_, freq_ : int, int, int, str or int
        What was given or chosen.
    history_ : dict
        ``{"val_loss": [...]}``, a number for each epoch.
    n_iter_, best_epoch_ : int
        Epochs, and the one whose weights were kept.
    notes_ : list of str
        What was found and chosen.
    model_ : keras.Model
        The network, on scaled windows.

    See Also
    --------
    RollingOrigin : splits a table for scikit-learn's searches.
    recurra.compare : whether this family is worth its price.

    Examples
    --------
    >>> from recurra import {name}
    >>> forecaster = {name}(horizon=12, random_state=0).fit(df)
    >>> forecaster.predict()"""

_SETTINGS = {
    "units": """units : int, default={units}
        Width of the {what}.
    num_layers : int, default={num_layers}
        Number of them.
    """,
    "kernel_size": """kernel_size : int, default={kernel_size}
        Steps that a convolution reads.
    """,
    "segment_length": """segment_length : int, default=None
        Values read in one step; by default about an eighth of the lookback, 1 of a short one.
    """,
    "dropout": """dropout : float, default={dropout}
        Fraction of units left out in training.
    """,
    "bidirectional": """bidirectional : bool, default={bidirectional}
        Read the window from both ends.
    """,
    "residual": """residual : bool, default={residual}
        Add each layer's input to its output.
    """,
    "window_norm": """window_norm : str, default=None
        What is taken off each window before it is read: "none", "last" or "mean"; by default chosen by the family.
    share_targets : bool, default={share_targets}
        Whether all targets share the weights.
    """,
}


def _documented(cls: type[F]) -> type[F]:
    """Put the parameters that it shares with others into a class's docstring."""
    shown = {name: getattr(cls, name, None) for name in cls.__dataclass_fields__}
    words = [text for name, text in _SETTINGS.items() if name in shown]
    text = "".join(words).format(**shown, what="layers") + _COMMON.replace("{name}", cls.__name__)
    cls.__doc__ = (cls.__doc__ or "").replace("{parameters}", text)
    return cls


@_documented
@dataclass(eq=False, repr=False, kw_only=True)
class SequenceForecaster(Forecaster):
    """Forecast one or many series with a network of any family.

    Parameters
    ----------
    family : str, default="lstm"
        One of ``recurra.list_families("forecast")``. Its settings are the parameters below; None leaves one to the
        family, and must where the family has no such setting.
    {parameters}
    """

    family: str = "lstm"
    units: int | None = None
    num_layers: int | None = None
    kernel_size: int | None = None
    segment_length: int | None = None
    dropout: float | None = None
    bidirectional: bool | None = None
    residual: bool | None = None
    window_norm: str | None = None
    share_targets: bool | None = None


@_documented
@dataclass(eq=False, repr=False, kw_only=True)
class LinearForecaster(Forecaster):
    """Forecast one or many series with a linear function of the newest values.

    Parameters
    ----------
    {parameters}
    """

    family = "linear"
    window_norm: str | None = None
    share_targets: bool = True


@_documented
@dataclass(eq=False, repr=False, kw_only=True)
class DenseForecaster(Forecaster):
    """Forecast one or many series with a feed-forward network on a window.

    Parameters
    ----------
    {parameters}
    """

    family = "dense"
    units: int = 64
    num_layers: int = 1
    dropout: float = 0.0
    residual: bool = False
    window_norm: str | None = None
    share_targets: bool = True


@_documented
@dataclass(eq=False, repr=False, kw_only=True)
class TCNForecaster(Forecaster):
    """Forecast one or many series with dilated causal convolutions.

    Parameters
    ----------
    {parameters}
    """

    family = "tcn"
    units: int = 64
    num_layers: int | None = None
    kernel_size: int = 3
    segment_length: int | None = None
    dropout: float = 0.0
    window_norm: str | None = None
    share_targets: bool = True


@dataclass(eq=False, repr=False, kw_only=True)
class _RecurrentForecaster(Forecaster):
    """Settings of the recurrent families."""

    units: int = 64
    num_layers: int = 1
    segment_length: int | None = None
    dropout: float = 0.0
    bidirectional: bool = False
    residual: bool = False
    window_norm: str | None = None
    share_targets: bool = True


@_documented
@dataclass(eq=False, repr=False, kw_only=True)
class SimpleRNNForecaster(_RecurrentForecaster):
    """Forecast one or many series with Elman's recurrent network.

    Parameters
    ----------
    {parameters}
    """

    family = "simple_rnn"


@_documented
@dataclass(eq=False, repr=False, kw_only=True)
class GRUForecaster(_RecurrentForecaster):
    """Forecast one or many series with a gated recurrent unit.

    Parameters
    ----------
    {parameters}
    """

    family = "gru"


@_documented
@dataclass(eq=False, repr=False, kw_only=True)
class LSTMForecaster(_RecurrentForecaster):
    """Forecast one or many series with a long short-term memory.

    Parameters
    ----------
    {parameters}
    """

    family = "lstm"


FORECASTERS: tuple[type[Forecaster], ...] = (
    LinearForecaster,
    DenseForecaster,
    TCNForecaster,
    SimpleRNNForecaster,
    GRUForecaster,
    LSTMForecaster,
)
