"""recurra: does your sequence data need a memory?

The public names live here and are loaded on first use (PEP 562), so that ``import recurra`` imports no
TensorFlow and stays fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# public name → the room it lives in
_ROOMS = {
    "CorpusFrame": "frames",
    "ExamplePipeline": "pipelines",
    "ExamplePredictor": "predictor",
    "InputError": "errors",
    "LanguagePipeline": "pipelines",
    "LanguagePredictor": "predictor",
    "PanelFrame": "frames",
    "SequenceSpec": "spec",
    "SeriesFrame": "frames",
    "SeriesPipeline": "pipelines",
    "SeriesPredictor": "predictor",
    "TextFrame": "frames",
    "compare": "comparison",
    "fit": "comparison",
    "list_baselines": "baselines",
    "list_datasets": "datasets",
    "list_families": "models",
    "load": "datasets",
    "load_model": "export",
    "remember": "comparison",
    "save_model": "export",
    "write_plots": "reports",
}

__all__ = ["__version__", *_ROOMS]  # noqa: PLE0604  (the names are strings; Ruff cannot see through the unpacking)

if TYPE_CHECKING:
    from .baselines import list_baselines
    from .comparison import compare, fit, remember
    from .datasets import list_datasets, load
    from .errors import InputError
    from .export import load_model, save_model
    from .frames import CorpusFrame, PanelFrame, SeriesFrame, TextFrame
    from .models import list_families
    from .pipelines import ExamplePipeline, LanguagePipeline, SeriesPipeline
    from .predictor import ExamplePredictor, LanguagePredictor, SeriesPredictor
    from .reports import write_plots
    from .spec import SequenceSpec


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'recurra' has no attribute {name!r}")
    return getattr(import_module(f".{_ROOMS[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
