"""recurra: does your sequence data need a memory?

The public names live here and are loaded on first use (PEP 562), so that ``import recurra`` imports no
TensorFlow and stays fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# public name → the room it lives in
_ROOMS = {
    "Comparison": "comparison",
    "CorpusFrame": "frames",
    "DenseForecaster": "estimators",
    "ExportedModel": "export",
    "GRUForecaster": "estimators",
    "InputError": "errors",
    "LSTMForecaster": "estimators",
    "LinearForecaster": "estimators",
    "PanelFrame": "frames",
    "Predictor": "predictor",
    "RollingOrigin": "estimators",
    "SequenceForecaster": "estimators",
    "SequenceSpec": "spec",
    "SeriesFrame": "frames",
    "SimpleRNNForecaster": "estimators",
    "TCNForecaster": "estimators",
    "TextFrame": "frames",
    "TextGenerator": "predictor",
    "compare": "comparison",
    "comparison_html": "comparison",
    "fit": "comparison",
    "list_baselines": "tasks",
    "list_datasets": "datasets",
    "list_families": "models",
    "load": "datasets",
    "load_model": "export",
    "measure_memory": "diagnostics",
    "save_model": "export",
    "write_plots": "reports",
    "DenseClassifier": "estimators",
    "DenseRegressor": "estimators",
    "GRUClassifier": "estimators",
    "GRURegressor": "estimators",
    "LSTMClassifier": "estimators",
    "LSTMRegressor": "estimators",
    "LinearClassifier": "estimators",
    "LinearRegressor": "estimators",
    "SequenceClassifier": "estimators",
    "SequenceRegressor": "estimators",
    "SimpleRNNClassifier": "estimators",
    "SimpleRNNRegressor": "estimators",
    "TCNClassifier": "estimators",
    "TCNRegressor": "estimators",
}
# rooms that are public names themselves: recurra.tasks.Forecast(horizon=24)
_MODULES = ("diagnostics", "plot", "tasks")

# rooms that import TensorFlow
_WITH_TENSORFLOW = ("comparison", "diagnostics", "estimators", "export", "models", "predictor", "reports", "tasks")

__all__ = ["__version__", *_ROOMS, *_MODULES]  # noqa: PLE0604  (the names are strings; Ruff cannot see through the unpacking)

if TYPE_CHECKING:
    from . import diagnostics, plot, tasks
    from .comparison import Comparison, compare, comparison_html, fit
    from .datasets import list_datasets, load
    from .diagnostics import measure_memory
    from .errors import InputError
    from .estimators import (
        DenseClassifier,
        DenseForecaster,
        DenseRegressor,
        GRUClassifier,
        GRUForecaster,
        GRURegressor,
        LinearClassifier,
        LinearForecaster,
        LinearRegressor,
        LSTMClassifier,
        LSTMForecaster,
        LSTMRegressor,
        RollingOrigin,
        SequenceClassifier,
        SequenceForecaster,
        SequenceRegressor,
        SimpleRNNClassifier,
        SimpleRNNForecaster,
        SimpleRNNRegressor,
        TCNClassifier,
        TCNForecaster,
        TCNRegressor,
    )
    from .export import ExportedModel, load_model, save_model
    from .frames import CorpusFrame, PanelFrame, SeriesFrame, TextFrame
    from .models import list_families
    from .predictor import Predictor, TextGenerator
    from .reports import write_plots
    from .spec import SequenceSpec
    from .tasks import list_baselines


def _load_room(name: str) -> Any:
    """Import a room, with TensorFlow's start-up kept off standard error where it needs it."""
    if name in _WITH_TENSORFLOW:
        from .quiet import import_quietly

        import_quietly()
    return import_module(f".{name}", __name__)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return _load_room(name)
    if name not in _ROOMS:
        raise AttributeError(f"module 'recurra' has no attribute {name!r}")
    return getattr(_load_room(_ROOMS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
