"""Verdict, significance tests, classes and notes for the terminal; readable without colour and in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..comparison.metric_text import sample_unit
from ..comparison.summary_rows import memory_rows, verdict_title
from ..display.number_format import p_value, percent, percent_interval
from ..display.visible_text import Rewrite, shortened, unchanged, visible
from .leaderboard import leaderboard, plain_table

if TYPE_CHECKING:
    from ..comparison import Comparison

# The most frequent class may have so many times the examples of the rarest for the classes to be called even.
_EVEN = 1.25
_MOST_CLASSES, _BAR = 20, 30


def terminal_report(comparison: Comparison, rewrite: Rewrite = unchanged) -> list[RenderableType]:
    """Everything that a terminal shows of a comparison, from top to bottom.

    Args:
        comparison: a finished comparison.
        rewrite: applied to notes, captions and sentences.

    Returns:
        What to hand to ``rich.console.Console.print``, one after another.
    """
    classes = class_counts(comparison)
    return [
        notes(comparison, rewrite),
        *([] if classes is None else [classes]),
        leaderboard(comparison, rewrite),
        tests_table(comparison, rewrite),
        verdict_panel(comparison, rewrite),
    ]


def tests_table(comparison: Comparison, rewrite: Rewrite = unchanged) -> RenderableType:  # noqa: PT028  (not a test)
    """Each recurrent family against the best simpler model: effect, its 95 % interval, p before and after Holm.

    Args:
        comparison: a finished comparison.
        rewrite: applied to the caption and the notes.

    Returns:
        A table, or a sentence where nothing was tested.
    """
    tests = comparison.test_rows
    if not tests:
        return Text("Nothing was tested: that takes a recurrent family and a simpler model.")
    columns = {"effect": "effect", "95 % interval": "interval", "p": "p", "Holm p": "holm"}
    columns |= {"McNemar p": "mcnemar"} if any("mcnemar_p" in test for test in tests) else {}
    table = plain_table(rewrite("; ".join(_tests_caption(comparison, "McNemar p" in columns))))
    table.add_column("model", overflow="fold")
    for heading in (*columns, "n"):
        table.add_column(heading, justify="right", no_wrap=True)
    with_notes = any(test.get("note") for test in [*tests, *memory_rows(comparison)])
    if with_notes:
        table.add_column("note")
    nested = memory_rows(comparison)
    names = [test["model"] for test in tests] + [f"memory adds to {test['against']}" for test in nested]
    for name, test in zip(names, [*tests, *nested], strict=True):
        cells = _test_cells(test)
        row = [name, *(cells[key] for key in columns.values()), f"{test['n']:,}"]
        row += [rewrite(test.get("note") or "")] * with_notes
        table.add_row(*(Text(visible(cell)) for cell in row))
    return table


# pytest takes functions of such a name for tests wherever it finds one imported.
tests_table.__test__ = False  # type: ignore[attr-defined]


def class_counts(comparison: Comparison) -> RenderableType | None:
    """How the examples are spread over the classes: a sentence where evenly, else a table; None for other tasks.

    Args:
        comparison: a finished comparison.

    Returns:
        Something for ``rich.console.Console.print``, or None.
    """
    data = comparison.data
    counts = data.get("class_counts")
    if not counts:
        return None
    most, fewest = max(counts.values()), min(counts.values())
    unnamed = data["classes"] - len(counts)
    if not unnamed and most <= _EVEN * fewest:
        each = f"{most:,}" if most == fewest else f"{fewest:,} to {most:,}"
        return Text(f"{len(counts)} classes, about evenly spread: {each} examples each.")
    return _class_table(counts, data["classes"], data["rows"])


def verdict_panel(comparison: Comparison, rewrite: Rewrite = unchanged) -> Panel:
    """Whether a recurrent network is worth its cost on these data, framed.

    Args:
        comparison: a finished comparison.
        rewrite: applied to the verdict's sentences.
    """
    verdict = comparison.verdict
    colour = {True: "green", False: "red", None: "yellow"}[verdict["worth_it"]]
    title = Text(verdict_title(comparison), style="bold")
    text = Text(visible(rewrite(verdict["text"])))
    return Panel(text, title=title, title_align="left", border_style=colour, padding=(0, 1))


def notes(comparison: Comparison, rewrite: Rewrite = unchanged) -> RenderableType:
    """What a rule changed or chose, one sentence per line.

    Args:
        comparison: a finished comparison.
        rewrite: applied to each note.
    """
    lines = []
    for note in comparison.notes:
        line = Table.grid(padding=(0, 1))
        line.add_row("-", Text(visible(rewrite(note))))
        lines.append(line)
    return Group(*lines)


def _tests_caption(comparison: Comparison, with_mcnemar: bool) -> list[str]:
    noun, against = comparison.task.metrics[0].noun, comparison.test_rows[0]["against"]
    nested = memory_rows(comparison)
    return [
        f"effect: fraction by which the {noun} is lower than that of {against}, the best simpler model",
        *[f"memory adds to X: that of {nested[0]['model']} against X" for _ in nested[:1]],
        "Holm p: corrected for the number of tests",
        *["McNemar p: whether both err equally often, first seed, not corrected"] * with_mcnemar,
        f"n: {sample_unit(comparison)} compared",
    ]


def _test_cells(test: Mapping[str, Any]) -> dict[str, str]:
    return {
        "effect": percent(test["effect"]),
        "interval": percent_interval(test["effect_low"], test["effect_high"]),
        "p": p_value(test["p_value"]),
        "holm": p_value(test["p_holm"]),
        "mcnemar": p_value(test.get("mcnemar_p")),
    }


def _class_table(counts: Mapping[str, int], classes: int, rows: int) -> Table:
    """The most frequent classes, each with a bar, and what the others have together."""
    named = sorted(counts.items(), key=lambda item: -item[1])[:_MOST_CLASSES]
    most = named[0][1]
    table = plain_table(f"majority: guessing it is correct for {100 * most / rows:.1f} % of all {rows:,} examples")
    table.add_column("class", no_wrap=True)
    for heading in ("examples", "%"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for name, count in named:
        bar = "█" * max(round(_BAR * count / most), 1)
        table.add_row(Text(shortened(name)), f"{count:,}", f"{100 * count / rows:.1f}", bar)
    if others := classes - len(named):
        count = rows - sum(count for _, count in named)
        table.add_row(f"{others} more", f"{count:,}", f"{100 * count / rows:.1f}", "")
    return table
