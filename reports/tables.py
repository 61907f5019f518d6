"""Tables and words for the terminal; readable without colour, and when piped into a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..evaluation import METRICS
from .columns import columns_of
from .values import MISSING, is_recurrent, number, shortened
from .words import words_of

if TYPE_CHECKING:
    from ..comparison import Comparison

# The most frequent class may have so many times the examples of the rarest for the classes to be called even.
_EVEN = 1.25
_MOST_CLASSES, _BAR = 20, 30
# A variant of a family has its settings in its name; a longer one goes on in the next line.
_LONGEST_NAME = 20
_STYLES = {"RNN": "magenta", "net": "cyan", "base": ""}


def leaderboard(comparison: Comparison) -> Table:
    """All models, the best first: accuracy, coverage of the intervals, and price.

    Columns that no model fills (coverage without intervals, say) are left out. Fits into 100 columns.

    Args:
        comparison: a finished comparison.

    Returns:
        A table for ``rich.console.Console.print``.

    Example:
        >>> rich.print(leaderboard(comparison))
    """
    said = comparison.said
    table = _table(
        "* the best; RNN: recurrent, net: trained without memory, base: baseline; ± over seeds; "
        f"{words_of(comparison).caption}"
    )
    table.add_column("#", justify="right")
    table.add_column("model", overflow="fold", max_width=_LONGEST_NAME)
    table.add_column("kind", no_wrap=True)
    columns = [
        column for column in columns_of(said["task"]) if any(_known(line, column.key) for line in said["summary"])
    ]
    for column in columns:
        table.add_column(column.heading, justify="right", no_wrap=True)
    for rank, line in enumerate(said["summary"], start=1):
        kind = _kind(line)
        best = line["model"] == said["verdict"]["best"]
        cells = [column.write(line) for column in columns]
        table.add_row(
            f"*{rank}" if best else str(rank),
            Text(line["model"], style=_STYLES[kind]),
            Text(kind, style=_STYLES[kind]),
            *cells,
            style="bold" if best else "",
        )
    return table


def tests_table(comparison: Comparison) -> RenderableType:
    """Each recurrent family against the best simpler model: effect, its 95 % interval, p before and after Holm.

    Args:
        comparison: a finished comparison.

    Returns:
        A table, or a sentence where nothing was tested.
    """
    tests = comparison.said["tests"]
    if not tests:
        return Text("Nothing was tested: that takes a recurrent family and a simpler model.")
    with_mcnemar = any("mcnemar_p" in test for test in tests)
    words = [
        f"effect: share by which the {METRICS[comparison.said['task']].metrics[0].noun} is lower than that of "
        f"{tests[0]['against']}, the best simpler model",
        "Holm p: corrected for the number of tests",
        *["McNemar p: whether both err equally often, first seed, not corrected"] * with_mcnemar,
        f"n: {words_of(comparison).compared} compared",
    ]
    table = _table("; ".join(words))
    table.add_column("model", no_wrap=True)
    for heading in ("effect", "95 % interval", "p", "Holm p", *["McNemar p"] * with_mcnemar, "n"):
        table.add_column(heading, justify="right", no_wrap=True)
    if any(test.get("note") for test in tests):
        table.add_column("note")
    for test in tests:
        cells = [
            test["model"],
            _percent(test["effect"]),
            _interval(test["effect_low"], test["effect_high"]),
            _p(test["p_value"]),
            _p(test["p_holm"]),
            *[_p(test.get("mcnemar_p"))] * with_mcnemar,
            f"{test['n']:,}",
            test.get("note") or "",
        ]
        table.add_row(*map(Text, cells[: len(table.columns)]))
    return table


def class_counts(comparison: Comparison) -> RenderableType | None:
    """How the examples are spread over the classes: a sentence where evenly, else a table; None for other tasks.

    Args:
        comparison: a finished comparison.

    Returns:
        Something for ``rich.console.Console.print``, or None.
    """
    data = comparison.said["data"]
    counts = data.get("class_counts")
    if not counts:
        return None
    most, fewest = max(counts.values()), min(counts.values())
    unnamed = data["classes"] - len(counts)
    if not unnamed and most <= _EVEN * fewest:
        each = f"{most:,}" if most == fewest else f"{fewest:,} to {most:,}"
        return Text(f"{len(counts)} classes, about evenly spread: {each} examples each.")
    table = _table(
        f"majority: {100 * most / data['rows']:.1f} % of all {data['rows']:,} examples are right by guessing it"
    )
    table.add_column("class", no_wrap=True)
    for heading in ("examples", "%"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    named = sorted(counts.items(), key=lambda item: -item[1])[:_MOST_CLASSES]
    for name, count in named:
        bar = "█" * max(round(_BAR * count / most), 1)
        table.add_row(Text(shortened(name)), f"{count:,}", f"{100 * count / data['rows']:.1f}", bar)
    if others := data["classes"] - len(named):
        count = data["rows"] - sum(count for _, count in named)
        table.add_row(f"{others} more", f"{count:,}", f"{100 * count / data['rows']:.1f}", "")
    return table


def verdict_panel(comparison: Comparison) -> Panel:
    """Whether a recurrent network is worth its cost on these data, framed."""
    verdict = comparison.verdict
    answer, colour = {True: ("yes", "green"), False: ("no", "red"), None: ("cannot tell", "yellow")}[
        verdict["worth_it"]
    ]
    title = Text(f"Is a recurrent network worth its cost here? {answer}", style="bold")
    return Panel(Text(verdict["text"]), title=title, title_align="left", border_style=colour, padding=(0, 1))


def notes(comparison: Comparison) -> RenderableType:
    """What a rule changed or chose, one sentence a line."""
    lines = []
    for note in comparison.said["notes"]:
        line = Table.grid(padding=(0, 1))
        line.add_row("-", Text(note))
        lines.append(line)
    return Group(*lines)


# pytest takes functions of such a name for tests wherever it finds one imported.
tests_table.__test__ = False  # type: ignore[attr-defined]


def _table(caption: str) -> Table:
    return Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=0,
        pad_edge=False,
        caption=Text(f"\n{caption}", style="dim"),
        caption_justify="left",
    )


def _kind(line: dict[str, Any]) -> str:
    if line["kind"] == "baseline":
        return "base"
    return "RNN" if is_recurrent(line["model"]) else "net"


def _known(line: dict[str, Any], name: str) -> bool:
    return number(line.get(name)) is not None


def _percent(share: Any) -> str:
    share = number(share)
    return MISSING if share is None else f"{100 * share:+.1f} %"


def _interval(low: Any, high: Any) -> str:
    if number(low) is None or number(high) is None:
        return MISSING
    return f"{100 * low:+.1f} to {100 * high:+.1f} %"


def _p(value: Any) -> str:
    value = number(value)
    if value is None:
        return MISSING
    return "<0.001" if value < 0.001 else f"{value:.3f}"
