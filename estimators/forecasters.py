"""Forecasters of each family, and the general one."""

from __future__ import annotations

from dataclasses import dataclass

from .documentation import documented_forecaster
from .forecaster import Forecaster


@documented_forecaster
@dataclass(eq=False, repr=False, kw_only=True)
class SequenceForecaster(Forecaster):
    """Forecast one or many series with a network of any family."""

    family: str = "lstm"
    units: int | None = None
    num_layers: int | None = None
    kernel_size: int | None = None
    segment_length: int | None = None
    dropout: float | None = None
    bidirectional: bool | None = None
    residual: bool | None = None
    window: int | None = None
    window_norm: str | None = None
    share_targets: bool | None = None
    autoregressive: int | None = None


@documented_forecaster
@dataclass(eq=False, repr=False, kw_only=True)
class LinearForecaster(Forecaster):
    """Forecast one or many series with a linear function of the newest values."""

    family = "linear"
    window: int | None = None
    window_norm: str | None = None
    share_targets: bool = True


@documented_forecaster
@dataclass(eq=False, repr=False, kw_only=True)
class DenseForecaster(Forecaster):
    """Forecast one or many series with a feed-forward network on a window."""

    family = "dense"
    units: int = 64
    num_layers: int = 1
    dropout: float = 0.0
    residual: bool = False
    window: int | None = None
    window_norm: str | None = None
    share_targets: bool = True
    autoregressive: int = 0


@documented_forecaster
@dataclass(eq=False, repr=False, kw_only=True)
class TCNForecaster(Forecaster):
    """Forecast one or many series with dilated causal convolutions."""

    family = "tcn"
    units: int = 64
    num_layers: int | None = None
    kernel_size: int = 3
    segment_length: int | None = None
    dropout: float = 0.0
    window_norm: str | None = None
    share_targets: bool = True
    autoregressive: int = 0


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
    autoregressive: int = 0


@documented_forecaster
@dataclass(eq=False, repr=False, kw_only=True)
class SimpleRNNForecaster(_RecurrentForecaster):
    """Forecast one or many series with Elman's recurrent network."""

    family = "simple_rnn"


@documented_forecaster
@dataclass(eq=False, repr=False, kw_only=True)
class GRUForecaster(_RecurrentForecaster):
    """Forecast one or many series with a gated recurrent unit."""

    family = "gru"


@documented_forecaster
@dataclass(eq=False, repr=False, kw_only=True)
class LSTMForecaster(_RecurrentForecaster):
    """Forecast one or many series with a long short-term memory."""

    family = "lstm"


FORECASTERS: tuple[type[Forecaster], ...] = (
    LinearForecaster,
    DenseForecaster,
    TCNForecaster,
    SimpleRNNForecaster,
    GRUForecaster,
    LSTMForecaster,
)
