"""Estimators: scikit-learn's face of the families, over the one Predictor.

The names are loaded on first use, and TensorFlow then without its messages.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..quiet import import_quietly

# public name → the file it is in
_FILES = dict.fromkeys(
    (
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
    ),
    "families",
)
_FILES |= dict.fromkeys(
    (
        "DenseForecaster",
        "GRUForecaster",
        "LSTMForecaster",
        "LinearForecaster",
        "SequenceForecaster",
        "SimpleRNNForecaster",
        "TCNForecaster",
    ),
    "forecasters",
)
_FILES["RollingOrigin"] = "rolling_origin"

__all__ = [*_FILES]  # noqa: PLE0604  (the names are strings; Ruff cannot see through the unpacking)

if TYPE_CHECKING:
    from .families import (
        DenseClassifier,
        DenseRegressor,
        GRUClassifier,
        GRURegressor,
        LinearClassifier,
        LinearRegressor,
        LSTMClassifier,
        LSTMRegressor,
        SequenceClassifier,
        SequenceRegressor,
        SimpleRNNClassifier,
        SimpleRNNRegressor,
        TCNClassifier,
        TCNRegressor,
    )
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


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_quietly()
    return getattr(import_module(f".{_FILES[name]}", __name__), name)
