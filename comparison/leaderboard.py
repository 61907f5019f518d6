"""What a leaderboard shows of a comparison: columns, caption, the kind of each model; report and notebook draw it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..display.number_format import MISSING, counted, duration, number, score
from .metric_text import captions, heading
from .summary_rows import BASELINE, FEED_FORWARD, RECURRENT, kind_of

if TYPE_CHECKING:
    from ..evaluation import Metric
    from .result import Comparison
    from .trials import Row


class Kind(NamedTuple):
    """How a kind of model is marked; the plots have the same squares, circles and dashes."""

    mark: str
    style: str


KINDS = {RECURRENT: Kind("■", "magenta"), FEED_FORWARD: Kind("●", "cyan"), BASELINE: Kind("┄", "")}


class Column(NamedTuple):
    """A column of the leaderboard.

    Attributes:
        heading: with a line break where it would be wider than what stands below it.
        key: the value that some model must have for the column to be shown.
        write: a row of the summary → the cell.
        metric: None for a price.
        with_spread: whether the standard deviation over seeds is shown beside the mean.
    """

    heading: str
    key: str
    write: Callable[[Row], str]
    metric: Metric[Any, Any] | None = None
    with_spread: bool = False


def leaderboard_columns(comparison: Comparison, *, all_spreads: bool = True) -> list[Column]:
    """Columns that some model fills: metrics, the main one first, then prices.

    Args:
        comparison: a finished comparison.
        all_spreads: show the spread over seeds of every metric that has one, in place of the main one alone.
    """
    main = comparison.task.metrics[0]
    columns = [
        _metric_column(metric, metric.with_spread and (all_spreads or metric is main))
        for metric in comparison.task.metrics
        if metric.shown
    ]
    columns += _price_columns(comparison.task.wording.unit_of_work)
    return [c for c in columns if any(number(row.get(c.key)) is not None for row in comparison.summary_rows)]


def caption(comparison: Comparison, columns: Sequence[Column], *, marks: bool = True) -> str:
    """What marks and columns mean."""
    present = {kind_of(row) for row in comparison.summary_rows}
    text = ["* the best", ", ".join(f"{KINDS[kind].mark} {kind}" for kind in KINDS if kind in present)] if marks else []
    if any(_has_spread(column, row) for column in columns for row in comparison.summary_rows):
        text.append("±: standard deviation over seeds")
    text += captions(comparison, [column.metric for column in columns if column.metric is not None])
    if any(column.key == "macs" for column in columns):
        text.append(f"MACs: multiply-accumulate operations of {comparison.task.cost_unit}")
    return "; ".join(text)


def _metric_column(metric: Metric[Any, Any], with_spread: bool) -> Column:
    write = partial(_with_spread if with_spread else _mean, metric)
    return Column(heading(metric), metric.name, write, metric, with_spread)


def _price_columns(unit_of_work: str) -> list[Column]:
    return [
        Column("params", "parameters", lambda row: counted(row["parameters"])),
        Column("MACs", "macs", lambda row: counted(row["macs"])),
        Column("train\ns", "train_seconds", lambda row: duration(row["train_seconds"])),
        Column(f"ms per\n{unit_of_work}", "predict_ms", lambda row: duration(row["predict_ms"])),
    ]


def _mean(metric: Metric[Any, Any], row: Row) -> str:
    return score(row.get(metric.name), metric)


def _with_spread(metric: Metric[Any, Any], row: Row) -> str:
    """The mean and, where there is one, its standard deviation over seeds."""
    spread, value = number(row.get(f"{metric.name}_sd")), _mean(metric, row)
    if spread is None or value == MISSING:
        return value
    decimals = re.fullmatch(r"[\d,]+(?:\.(\d+))?", value)
    # to the same decimal place, so that a spread doesn't look more exact than what it belongs to
    written = score(spread, metric) if decimals is None else f"{spread:,.{len(decimals[1] or '')}f}"
    return f"{value} ±{written}"


def _has_spread(column: Column, row: Row) -> bool:
    return column.with_spread and number(row.get(f"{column.key}_sd")) is not None
