"""Comparison: families × folds × seeds → one tidy table and a verdict.

Every model gets the same folds, examples, seeds, budget and number of configurations; baselines always take part. Names
are loaded on first use (PEP 562): the command line reads the settings without starting TensorFlow.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_FILES = {
    "CompareSettings": "settings",
    "Comparison": "result",
    "FitResult": "fitting",
    "Progress": "progress",
    "Refit": "result",
    "compare": "comparing",
    "comparison_html": "html",
    "fit": "fitting",
    "parse_budget": "settings",
}

__all__ = [*_FILES]  # noqa: PLE0604  (the names are strings; Ruff cannot see through the unpacking)

if TYPE_CHECKING:
    from .comparing import compare
    from .fitting import FitResult, fit
    from .html import comparison_html
    from .progress import Progress
    from .result import Comparison, Refit
    from .settings import CompareSettings, parse_budget


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_FILES[name]}", __name__), name)
