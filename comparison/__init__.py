"""Comparison: families × folds × seeds → one tidy table and a verdict.

Every model gets the same folds, examples, seeds, budget and number of configurations; baselines always take part.
"""

from .compare import compare
from .fit import FitResult, fit
from .progress import Progress
from .result import Comparison, Refit
from .settings import CompareSettings, parse_budget

__all__ = ["CompareSettings", "Comparison", "FitResult", "Progress", "Refit", "compare", "fit", "parse_budget"]
