"""Evaluation: how wrong, whether by chance, how sure, and was it worth it.

Plain functions on arrays and dicts; nothing here trains, loads or plots. Forecasts of any origin may be
scored. ``METRICS`` says for each task which measures there are.
"""

from .scores import (
    accuracy,
    bits,
    calibration_error,
    exact_share,
    log_loss,
    macro_f1,
    nats,
    perplexity,
    r2,
    tag_error,
)
from .conformal import conformal_offsets, coverage
from .metrics import mae, mase, mse, owa, rmse, seasonal_scale, smape
from .paired import compare_examples, in_blocks, mcnemar, paired_bootstrap
from .registry import METRICS, Metric, TaskMetrics
from .significance import TestResult, compare_losses, diebold_mariano, holm, paired_series_test
from .verdict import judge

__all__ = [
    "METRICS",
    "Metric",
    "TaskMetrics",
    "TestResult",
    "accuracy",
    "bits",
    "calibration_error",
    "compare_examples",
    "compare_losses",
    "conformal_offsets",
    "coverage",
    "diebold_mariano",
    "exact_share",
    "holm",
    "in_blocks",
    "judge",
    "log_loss",
    "macro_f1",
    "mae",
    "mase",
    "mcnemar",
    "mse",
    "nats",
    "owa",
    "paired_bootstrap",
    "paired_series_test",
    "perplexity",
    "r2",
    "rmse",
    "seasonal_scale",
    "smape",
    "tag_error",
]
