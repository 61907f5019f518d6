"""Columns of the leaderboard: the task's metrics, then the price."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from ..evaluation import METRICS
from ..evaluation.registry import Metric
from .values import MISSING, counted, number, score, significant


class Column(NamedTuple):
    """A column of the leaderboard.

    Attributes:
        heading: with a line break where it would be wider than what stands below it.
        key: the value that some model must have for the column to be shown.
        write: a summary line → the cell.
    """

    heading: str
    key: str
    write: Callable[[dict[str, Any]], str]


def columns_of(task: str) -> list[Column]:
    """All columns of a task, the main metric first."""
    metrics = METRICS[task]
    if task == "forecast":
        accuracy = _forecast_columns()
    else:
        shown = [metric for metric in metrics.metrics if metric.shown]
        accuracy = [Column(_heading(m), m.key, partial(_score, m, m.key in metrics.spread)) for m in shown]
    return [*accuracy, *_price_columns("window" if task == "forecast" else metrics.unit_of_work)]


def _forecast_columns() -> list[Column]:
    """MASE and what it leaves out; RMSE stands in the JSON only, and both coverages share a column."""
    return [
        Column("MASE", "mase", partial(_score, METRICS["forecast"]["mase"], True)),
        Column("MAE", "mae", lambda line: compact(line["mae"])),
        Column("sMAPE\n%", "smape", lambda line: significant(line["smape"])),
        Column("cover\n80/95", "coverage_80", _coverage),
    ]


def _price_columns(unit: str) -> list[Column]:
    return [
        Column("params", "parameters", lambda line: counted(line["parameters"])),
        Column("mult-\nadds", "multiply_adds", lambda line: counted(line["multiply_adds"])),
        Column("train\ns", "train_seconds", lambda line: _brief(line["train_seconds"])),
        Column(f"ms per\n{unit}", "predict_ms", lambda line: _brief(line["predict_ms"])),
    ]


_NARROW = {"calibration_error": "calib.\nerror", "accuracy": "accu-\nracy", "nats": "nats a\ntoken"}


def _heading(metric: Metric) -> str:
    return _NARROW.get(metric.key, metric.title.replace(" ", "\n"))


def _score(metric: Metric, with_spread: bool, line: dict[str, Any]) -> str:
    """The mean and, where there is one, its standard deviation over seeds."""
    spread = number(line.get(f"{metric.key}_sd")) if with_spread else None
    value = score(line[metric.key], metric)
    return value if spread is None or value == MISSING else f"{value} ±{score(spread, metric)}"


def _coverage(line: dict[str, Any]) -> str:
    shares = [number(line.get(f"coverage_{level}")) for level in (80, 95)]
    if shares == [None, None]:
        return MISSING
    return "/".join(MISSING if share is None else f"{100 * share:.0f}" for share in shares)


def compact(value: Any) -> str:
    """Three digits, whatever the unit."""
    return counted(value) if (number(value) or 0) >= 10_000 else significant(value)


def _brief(value: Any) -> str:
    """A time: of a short one a digit or two, of a long one three."""
    value = number(value)
    if value is None or value >= 1:
        return compact(value)
    if value >= 0.01:
        return f"{value:.2f}"
    return f"{value:.3f}" if value >= 0.0005 else "<0.001"
