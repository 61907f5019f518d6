"""Estimators: scikit-learn's face of the families, over the one Predictor."""

from .forecasters import (
    DenseForecaster,
    GRUForecaster,
    LinearForecaster,
    LSTMForecaster,
    SequenceForecaster,
    SimpleRNNForecaster,
    TCNForecaster,
)
from .rolling_origin import RollingOrigin

__all__ = [
    "DenseForecaster",
    "GRUForecaster",
    "LSTMForecaster",
    "LinearForecaster",
    "RollingOrigin",
    "SequenceForecaster",
    "SimpleRNNForecaster",
    "TCNForecaster",
]
