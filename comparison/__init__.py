"""Comparison: families × folds × seeds → one tidy table and a verdict.

Every model gets the same folds, windows, seeds, budget and number of configurations; baselines always take part.
"""

from .comparing import compare
from .fitting import Fit, fit
from .remembering import Remembering, remember
from .result import Comparison
from .run import Progress
from .settings import Settings, parse_budget

__all__ = ["Comparison", "Fit", "Progress", "Remembering", "Settings", "compare", "fit", "parse_budget", "remember"]
