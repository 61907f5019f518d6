"""The leaderboard: all models, the best first, with the task's metrics and the price."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from .metric_text import captions, heading
from .number_format import MISSING, counted, duration, number, score
from .summary_rows import BASELINE, FEED_FORWARD, RECURRENT, kind_of
from .visible_text import Rewrite, unchanged, visible

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..comparison.trials import Row
    from ..evaluation import Metric

# A table without colour has one width that fits every terminal.
_WIDTH = 80
# A variant of a family has its settings in its name; a longer one continues in the next line.
_LONGEST_NAME = 20


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


def leaderboard(comparison: Comparison, rewrite: Rewrite = unchanged) -> Table:
    """All models, the best first: the metrics that the task shows, and the price.

    Columns that no model fills (coverage without intervals, say) are left out; where the table would be wider than 80
    columns, so is the spread over seeds of all metrics but the main one.

    Args:
        comparison: a finished comparison.
        rewrite: applied to the caption.

    Returns:
        A table for ``rich.console.Console.print``.

    Example:
        >>> rich.print(leaderboard(comparison))
    """
    columns = _fitting_columns(comparison)
    table = plain_table(rewrite(caption(comparison, columns)))
    table.add_column("#", justify="right")
    table.add_column("", no_wrap=True)
    table.add_column("model", overflow="fold", max_width=_LONGEST_NAME)
    for column in columns:
        table.add_column(Text(column.heading), justify="right", no_wrap=True)
    for rank, row in enumerate(comparison.summary_rows, start=1):
        mark, style = KINDS[kind_of(row)]
        best = row["model"] == comparison.verdict["best"]
        cells = [Text(column.write(row)) for column in columns]
        name, place = Text(visible(row["model"]), style=style), f"*{rank}" if best else str(rank)
        table.add_row(place, Text(mark, style=style), name, *cells, style="bold" if best else "")
    return table


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


def plain_table(caption: str) -> Table:
    """An empty table that is readable without colour, and when piped into a file."""
    return Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=0,
        pad_edge=False,
        caption=Text(f"\n{visible(caption)}", style="dim"),
        caption_justify="left",
    )


def _fitting_columns(comparison: Comparison) -> list[Column]:
    columns = leaderboard_columns(comparison)
    if _width(comparison, columns) <= _WIDTH:
        return columns
    return leaderboard_columns(comparison, all_spreads=False)


def _width(comparison: Comparison, columns: Sequence[Column]) -> int:
    """Letters in the widest line of the table, one space between columns."""
    rows = comparison.summary_rows
    rank = len(str(len(rows))) + (len(rows) < 10)  # the best has a star beside its number
    name = min(max(len(row["model"]) for row in rows), _LONGEST_NAME)
    wide = [max(len(line) for row in rows for line in [*c.heading.split("\n"), c.write(row)]) for c in columns]
    return sum([rank, 1, name, *wide]) + len(wide) + 2


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
    return value if spread is None or value == MISSING else f"{value} ±{score(spread, metric)}"


def _has_spread(column: Column, row: Row) -> bool:
    return column.with_spread and number(row.get(f"{column.key}_sd")) is not None
