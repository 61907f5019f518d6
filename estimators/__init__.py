"""Estimators: scikit-learn's face of the families, over the one Predictor."""

from .families import (
    DenseClassifier,
    DenseRegressor,
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    LinearClassifier,
    LinearRegressor,
    SequenceClassifier,
    SequenceRegressor,
    SimpleRNNClassifier,
    SimpleRNNRegressor,
    TCNClassifier,
    TCNRegressor,
)

__all__ = [
    "DenseClassifier",
    "DenseRegressor",
    "GRUClassifier",
    "GRURegressor",
    "LSTMClassifier",
    "LSTMRegressor",
    "LinearClassifier",
    "LinearRegressor",
    "SequenceClassifier",
    "SequenceRegressor",
    "SimpleRNNClassifier",
    "SimpleRNNRegressor",
    "TCNClassifier",
    "TCNRegressor",
]
