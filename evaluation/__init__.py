"""Evaluation: how wrong, whether by chance, how sure, and was it worth it.

Plain functions on arrays and dicts; nothing here trains, loads or plots. Predictions of any origin may be scored. Each
task lists its own metrics.
"""

from .conformal import conformal_offsets, coverage
from .forecast_metrics import mae, mase, mse, owa, rmse, seasonal_scale, seasonal_scales, smape
from .grouping import mean_by_group, mean_ignoring_nan
from .metric import OF_DATA, Metric, Wording
from .paired import compare_paired_losses, in_blocks, mcnemar, paired_bootstrap
from .sequence_metrics import (
    accuracy,
    accuracy_by_step,
    bits_per_token,
    cross_entropy,
    exact_match,
    expected_calibration_error,
    log_loss,
    macro_f1,
    perplexity,
    r2,
    tag_error_rate,
)
from .significance import (
    TestResult,
    TestRow,
    compare_losses,
    diebold_mariano,
    holm,
    paired_series_test,
)
from .verdict import Effort, Verdict, best_mix, effort_in_words, judge

__all__ = [
    "OF_DATA",
    "Effort",
    "Metric",
    "TestResult",
    "TestRow",
    "Verdict",
    "Wording",
    "accuracy",
    "accuracy_by_step",
    "best_mix",
    "bits_per_token",
    "compare_losses",
    "compare_paired_losses",
    "conformal_offsets",
    "coverage",
    "cross_entropy",
    "diebold_mariano",
    "effort_in_words",
    "exact_match",
    "expected_calibration_error",
    "holm",
    "in_blocks",
    "judge",
    "log_loss",
    "macro_f1",
    "mae",
    "mase",
    "mcnemar",
    "mean_by_group",
    "mean_ignoring_nan",
    "mse",
    "owa",
    "paired_bootstrap",
    "paired_series_test",
    "perplexity",
    "r2",
    "rmse",
    "seasonal_scale",
    "seasonal_scales",
    "smape",
    "tag_error_rate",
]
