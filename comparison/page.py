"""A comparison as one self-contained page: verdict, leaderboard, predictions, what the verdict rests on, data."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .. import __version__
from ..evaluation import effort_in_words
from ..frames import SeriesFrame
from ..frames.wording import with_capital
from ..models import is_recurrent
from ..pages import Choice, Figure, Page, Section, Table, bars, heat_map, intervals, lines, render
from .leaderboard import caption, leaderboard_columns
from .summary_rows import kind_of, memory_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .result import Comparison

# More lines in one figure can no longer be told apart; the table has them all.
_MOST_LINES, _MOST_TARGETS, _MOST_CLASSES = 5, 8, 20
_MOST_TRIALS = 400
_MOST_POINTS = 300
_TITLES = {True: "Yes", False: "No", None: "Cannot tell"}
_TONES = {True: "yes", False: "no", None: "open"}


class HasSections(Protocol):
    """Something else for the page: an inspected model, an audit of the data."""

    def sections(self) -> list[Section]:
        """Its sections."""


def comparison_page(comparison: Comparison, parts: Sequence[HasSections], command: str = "") -> str:
    """The page of a comparison.

    Args:
        comparison: a finished one.
        parts: what else stands on it, after the predictions.
        command: that made it.
    """
    verdict = comparison.verdict
    sections = [_leaderboard(comparison), *_predictions(comparison), *_by_step(comparison)]
    for part in parts:
        sections += part.sections()
    sections += [_evidence(comparison), _data(comparison), _trials(comparison), _settings(comparison)]
    page = Page(
        f"Is a recurrent network worth it on {comparison.data['source']}?",
        _TITLES[verdict["worth_it"]],
        verdict["text"],
        _TONES[verdict["worth_it"]],
        sections,
        command,
        f"recurra {__version__}",
    )
    return render(page)


def _leaderboard(comparison: Comparison) -> Section:
    main, columns = comparison.task.metrics[0], leaderboard_columns(comparison)
    head = ["model", "kind", *(" ".join(column.heading.split("\n")) for column in columns)]
    rows = [[row["model"], kind_of(row), *(column.write(row) for column in columns)] for row in comparison.summary_rows]
    best = [row["model"] for row in comparison.summary_rows].index(comparison.verdict["best"])
    words = caption(comparison, columns, marks=False)
    known = {r["model"]: float(r[main.name]) for r in comparison.summary_rows if _is_number(r.get(main.name))}
    figures: list[Figure | Choice] = [
        bars(
            known,
            alt=f"{comparison.verdict['best']} has the lowest {main.title}",
            caption=f"{main.title}, the mean over folds and seeds; recurrent models in colour. Less is better.",
            x=main.axis_title or main.title,
            marked=[name for name in known if is_recurrent(name)],
        )
    ]
    tested = {
        test["model"]: (100 * (test["effect"] or 0), _times(test["effect_low"]), _times(test["effect_high"]))
        for test in comparison.test_rows
        if test["effect"] is not None
    }
    if tested:
        against = comparison.test_rows[0]["against"]
        measured = any(low is not None for _, low, _ in tested.values())
        figures.append(
            intervals(
                tested,
                alt=f"advantage of the recurrent models over {against}",
                caption=f"How much lower the error is than that of {against}, the best simpler model"
                f"{', with 95 % intervals' if measured else ''}. Right of 0 a recurrent model is better.",
                x="error lower by (%)",
            )
        )
    return Section(
        "Leaderboard", [], [*figures, *_memory_adds(comparison)], [Table(head, rows, words, left=2, bold=best)]
    )


def _memory_adds(comparison: Comparison) -> list[Figure]:
    """What memory adds to the simple model, where networks contain one."""
    rows = memory_rows(comparison)
    if not rows:
        return []
    ends = {r["against"]: (_times(r["effect"]) or 0.0, _times(r["effect_low"]), _times(r["effect_high"])) for r in rows}
    return [
        intervals(
            ends,
            alt=f"what memory adds: advantage of {rows[0]['model']}",
            caption=f"What memory adds: how much lower the error of {rows[0]['model']} is than that of the best "
            "network without memory that contains the same baseline, and than that of the baseline alone.",
            x="error lower by (%)",
        )
    ]


def _predictions(comparison: Comparison) -> list[Section]:
    """What the models predicted in the last fold, as the task has it."""
    if not comparison.examples:
        return []
    if isinstance(comparison.frame, SeriesFrame):
        return _forecasts(comparison, comparison.frame)
    if comparison.task.name == "classification":
        return _confusions(comparison)
    if comparison.task.name == "regression":
        return _values(comparison)
    if comparison.task.name == "tagging":
        return _tags(comparison)
    return []


def _shown(comparison: Comparison) -> list[str]:
    """Models drawn, the best first, with at least the best recurrent and the best simpler one."""
    names = [row["model"] for row in comparison.summary_rows if row["model"] in comparison.examples]
    first = names[:_MOST_LINES]
    for kind in (True, False):
        best = next((name for name in names if is_recurrent(name) is kind), None)
        if best is not None and best not in first:
            first[-1] = best
    return first


def _forecasts(comparison: Comparison, frame: SeriesFrame) -> list[Section]:
    start = comparison.plot_data.first_row
    horizon = len(next(iter(comparison.examples.values())))
    ends = np.cumsum(frame.lengths)
    series = int(np.searchsorted(ends, start, side="right"))
    known = min(start - int(ends[series] - frame.lengths[series]), max(2 * horizon, 8))
    rows = slice(start - known, min(start + horizon, int(ends[series])))
    truth = frame.columns(frame.targets, rows)
    stamps = [str(stamp)[:16].removesuffix(" 00:00") for stamp in frame.table[frame.time].iloc[rows]]
    ahead = np.arange(known, len(truth))
    of_series = f" of {frame.ids[series]}" if len(frame.lengths) > 1 else ""
    figures = {}
    for number, target in enumerate(frame.targets[:_MOST_TARGETS]):
        drawn = {"truth": (np.arange(len(truth)), truth[:, number])}
        for model in _shown(comparison):
            drawn[model] = (ahead, comparison.examples[model][: len(ahead), number])
        figures[str(target)] = lines(
            drawn,  # type: ignore[arg-type]  # arrays are sequences of numbers
            alt=f"forecasts of {target} against the truth from {stamps[known]} on",
            caption=f"The last test window{of_series}: known up to the dotted line, then forecast.",
            x=str(frame.time),
            y=str(target),
            vertical={"forecast": known},
            labels=stamps,
        )
    left_out = len(frame.targets) - len(figures)
    sentences = [f"{left_out} more targets are not drawn here."] if left_out > 0 else []
    if len(frame.lengths) > 1:
        sentences.append(f"One of {len(frame.lengths):,} series is drawn; the table above is about all of them.")
    return [Section("Forecasts", sentences, [_one_or_choice("target", figures)])]


def _confusions(comparison: Comparison) -> list[Section]:
    y_true = np.asarray(comparison.plot_data.y_true)
    classes = [str(name) for name in comparison.plot_data.classes]
    if not 1 < len(classes) <= _MOST_CLASSES:
        return [
            Section("Confusion", [f"{len(classes)} classes are too many for a picture of which is taken for which."])
        ]
    figures = {}
    for model in _shown(comparison):
        counts = np.zeros((len(classes), len(classes)))
        known = y_true >= 0
        np.add.at(counts, (y_true[known], comparison.examples[model][known].astype(int)), 1)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        worst = shares - 2 * np.eye(len(classes))
        true, taken = np.unravel_index(worst.argmax(), worst.shape)
        finding = f"most often {classes[true]} is taken for {classes[taken]} ({shares[true, taken]:.0%})"
        figures[model] = heat_map(
            shares,
            alt=f"{model}: {finding}",
            caption=f"{model}, newest fold: rows are the true classes, from the top {', '.join(classes[:6])}"
            f"{' ...' if len(classes) > 6 else ''}; dark is frequent. {with_capital(finding)}.",
            rows="true class",
            columns=classes,
            x="predicted class",
        )
    return [Section("Which class is taken for which", [], [_one_or_choice("model", figures)])]


def _values(comparison: Comparison) -> list[Section]:
    y_true = np.asarray(comparison.plot_data.y_true, float)
    order = np.argsort(y_true, kind="stable")
    order = order[np.unique(np.linspace(0, len(order) - 1, min(len(order), _MOST_POINTS)).astype(int))]
    place = np.arange(len(order))
    figures = {
        model: lines(
            {"true": (place, y_true[order]), model: (place, np.asarray(comparison.examples[model], float)[order])},  # type: ignore[dict-item]
            alt=f"values predicted by {model} beside the true ones",
            caption=f"{model}: test examples of the newest fold in the order of their true value.",
            x="examples, by true value",
            y="value",
        )
        for model in _shown(comparison)
    }
    return [Section("Predicted and true values", [], [_one_or_choice("model", figures)])]


def _tags(comparison: Comparison) -> list[Section]:
    curves = {
        model: (np.arange(1, len(comparison.examples[model]) + 1), comparison.examples[model])
        for model in _shown(comparison)
    }
    figure = lines(
        curves,  # type: ignore[arg-type]
        alt="share of right tags at each step",
        caption="Share of right tags at each step, newest fold.",
        x="step",
        y="accuracy",
    )
    return [Section("Accuracy by step", [], [figure])]


def _by_step(comparison: Comparison) -> list[Section]:
    """The error of each step ahead."""
    main = comparison.task.metrics[0]
    rows = {r["model"]: r["by_step"].get(main.name) for r in comparison.summary_rows if "by_step" in r}
    curves = {name: rows[name] for name in _shown(comparison) if rows.get(name) and len(rows[name]) > 1}
    if not curves:
        return []
    drawn = {name: (list(range(1, len(ys) + 1)), [_or_nan(y) for y in ys]) for name, ys in curves.items()}
    figure = lines(
        drawn,
        alt=f"{main.title} at each step ahead",
        caption=f"{main.title} at each step ahead, the mean over folds and seeds.",
        x="steps ahead",
        y=main.title,
        from_zero=True,
        first_colour=1,  # the first one is the truth's, in the figure above
    )
    return [Section("How far ahead it holds", [], [figure])]


def _evidence(comparison: Comparison) -> Section:
    """How much was tried before the answer was given, and what would change it."""
    trained = [row for row in comparison.trial_rows if row["kind"] == "family"]
    effort = comparison.verdict.get("effort")
    sentences = effort_in_words(effort, worth_it=comparison.verdict["worth_it"]) if effort else []
    if not any(is_recurrent(row["model"]) for row in trained):
        sentences = ["No recurrent family was trained, so nothing can be said of them."]
    rows = []
    for name in dict.fromkeys(row["model"] for row in trained):
        own = [row for row in trained if row["model"] == name]
        tried = len({row["config_number"] for row in own})
        better = sum(row["chosen"] and row["config_number"] != 0 and row["seed"] == 0 for row in own)
        stopped = [row["stopped_by"] for row in own]
        short = sum(stopped.count(why) for why in ("budget", "max_epochs"))
        rows.append(
            [
                name,
                str(tried),
                f"{better} of {len({r['fold'] for r in own})}" if tried > 1 else "",
                str(len(own)),
                str(short),
            ]
        )
    for name in dict.fromkeys(row["model"] for row in comparison.trial_rows if "configs_tried" in row):
        own = [row for row in comparison.trial_rows if row["model"] == name and row["chosen"]]
        tried = max(len(row.get("configs_tried", ())) for row in own)
        rows.append([name, str(tried), f"{sum(row['config_number'] != 0 for row in own)} of {len(own)}", "", ""])
    head = ["family or baseline", "settings tried", "folds in which another beat its default", "trainings", "cut short"]
    return Section("What the verdict rests on", sentences, tables=[Table(head, rows)])


def _data(comparison: Comparison) -> Section:
    facts = [[name, _written(value)] for name, value in comparison.data.items() if value not in (None, [], {})]
    return Section("Data", tables=[Table(["fact", ""], facts, left=2)], bullets=comparison.notes)


def _trials(comparison: Comparison) -> Section:
    main = comparison.task.metrics[0]
    head = ["model", "fold", "seed", "setting", main.title, "epochs", "stopped by", "train s"]
    rows = [
        [
            row["model"],
            str(row["fold"]),
            _written(row["seed"]),
            _written(row["config_number"]),
            _short(row.get(main.name)),
            _written(row["epochs"]),
            _written(row["stopped_by"]),
            _short(row["train_seconds"]),
        ]
        for row in comparison.trial_rows
    ]
    left_out = len(rows) - _MOST_TRIALS
    sentences = [f"{left_out:,} more are in comparison.csv."] if left_out > 0 else []
    folds = [[_written(fold[name]) for name in fold] for fold in comparison.folds]
    tables = [Table(rows=rows[:_MOST_TRIALS], head=head, caption=f"all {len(rows):,} trials", folded=True)]
    if folds:
        tables.insert(0, Table(list(comparison.folds[0]), folds, "folds", left=2))
    return Section("Folds and trials", sentences, tables=tables)


def _settings(comparison: Comparison) -> Section:
    import keras
    import tensorflow as tf

    settings = [[name, _written(value)] for name, value in comparison.settings.items() if value is not None]
    versions = {
        "recurra": __version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
    tables = [
        Table(["setting", ""], settings, left=2),
        Table(["version", ""], [[name, value] for name, value in versions.items()], left=2),
    ]
    return Section("Settings and versions", tables=tables)


def _one_or_choice(label: str, figures: Mapping[str, Figure]) -> Figure | Choice:
    return next(iter(figures.values())) if len(figures) == 1 else Choice(label, figures)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _or_nan(value: Any) -> float:
    return float(value) if _is_number(value) else math.nan


def _times(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction


def _short(value: Any) -> str:
    return f"{value:.4g}" if _is_number(value) else ""


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_written(item)}" for name, item in value.items() if item is not None)
    if isinstance(value, list | tuple):
        return ", ".join(map(_written, value))
    return (
        "" if value is None else f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    )
