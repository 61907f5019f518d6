"""Tables and words for the terminal; readable without colour, and when piped into a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from .values import MISSING, counted, number, recurrent_families, score, shortened, significant

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..comparison import Comparison

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
    targets = shortened(", ".join(said["data"]["targets"]))
    table = _table(
        f"* the best; RNN: recurrent, net: trained without memory, base: baseline; ± over seeds; "
        f"MAE in the unit of {targets}; cover: % of the truth inside the 80 and 95 % intervals; "
        "mult-adds: multiply-adds of one forecast"
    )
    table.add_column("#", justify="right")
    table.add_column("model", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    columns = [column for column in _COLUMNS if any(_known(line, column[1]) for line in said["summary"])]
    for heading, _, _ in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for rank, line in enumerate(said["summary"], start=1):
        kind = _kind(line)
        best = line["model"] == said["verdict"]["best"]
        cells = [write(line) for _, _, write in columns]
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
    table = _table(
        f"effect: share by which the error is lower than that of {tests[0]['against']}, the best simpler model; "
        "Holm p: corrected for the number of tests; n: forecast origins compared"
    )
    table.add_column("model", no_wrap=True)
    for heading in ("effect", "95 % interval", "p", "Holm p", "n"):
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
            f"{test['n']:,}",
            test.get("note") or "",
        ]
        table.add_row(*map(Text, cells[: len(table.columns)]))
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
    return "RNN" if line["model"] in recurrent_families() else "net"


def _known(line: dict[str, Any], name: str) -> bool:
    return number(line.get(name)) is not None


def _mase(line: dict[str, Any]) -> str:
    mase, spread = number(line["mase"]), number(line["mase_sd"])
    if mase is None:
        return MISSING
    return score(mase, "mase") if spread is None else f"{score(mase, 'mase')} ±{score(spread, 'mase')}"


def _coverage(line: dict[str, Any]) -> str:
    shares = [number(line.get(f"coverage_{level}")) for level in (80, 95)]
    if shares == [None, None]:
        return MISSING
    return "/".join(MISSING if share is None else f"{100 * share:.0f}" for share in shares)


def _compact(value: Any) -> str:
    """Three digits, whatever the unit."""
    return counted(value) if (number(value) or 0) >= 10_000 else significant(value)


def _brief(value: Any) -> str:
    """A time: of a short one a digit or two, of a long one three."""
    value = number(value)
    if value is None or value >= 1:
        return _compact(value)
    if value >= 0.01:
        return f"{value:.2f}"
    return f"{value:.3f}" if value >= 0.0005 else "<0.001"


# Heading, the value that must be there for the column to be shown, and what is written.
_COLUMNS: tuple[tuple[str, str, Callable[[dict[str, Any]], str]], ...] = (
    ("MASE", "mase", _mase),
    ("MAE", "mae", lambda line: _compact(line["mae"])),
    ("sMAPE\n%", "smape", lambda line: significant(line["smape"])),
    ("cover\n80/95", "coverage_80", _coverage),
    ("params", "parameters", lambda line: counted(line["parameters"])),
    ("mult-\nadds", "multiply_adds", lambda line: counted(line["multiply_adds"])),
    ("train\ns", "train_seconds", lambda line: _brief(line["train_seconds"])),
    ("ms per\nwindow", "predict_ms", lambda line: _brief(line["predict_ms"])),
)


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
