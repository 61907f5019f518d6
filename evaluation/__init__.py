"""Evaluation: how wrong, whether by chance, how sure, and was it worth it.

Plain functions on arrays and dicts; nothing here trains, loads or plots. Forecasts of any origin may be
scored.
"""

from .conformal import conformal_offsets, coverage
from .metrics import mae, mase, mse, owa, rmse, seasonal_scale, smape
from .significance import TestResult, compare_losses, diebold_mariano, holm, paired_series_test
from .verdict import judge

__all__ = [
    "TestResult",
    "compare_losses",
    "conformal_offsets",
    "coverage",
    "diebold_mariano",
    "holm",
    "judge",
    "mae",
    "mase",
    "mse",
    "owa",
    "paired_series_test",
    "rmse",
    "seasonal_scale",
    "smape",
]
