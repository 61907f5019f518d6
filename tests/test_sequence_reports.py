"""Reports of every task, from real comparisons as small as they can be, and the description of comparison.json."""

import dataclasses
import io
import json
import re
from itertools import pairwise
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from recurra.comparison import Progress, compare
from recurra.comparison.terminal_progress import show
from recurra.comparison.trials import Trial
from recurra.frames import CorpusFrame, PanelFrame, SeriesFrame, TextFrame
from recurra.reports import class_counts, leaderboard, tests_table, verdict_panel, write_plots
from recurra.reports.accuracy_by_step_plot import draw_accuracy_by_step
from recurra.reports.confusion_plot import brief, count, draw_confusion
from recurra.reports.error_against_cost_plot import draw_error_against_cost
from recurra.reports.perplexity_plot import draw_perplexity
from recurra.reports.predicted_against_true_plot import draw_predicted_against_true
from recurra.tasks import TASKS
from recurra.tasks.protocol import PlotData

SCHEMA = Path(__file__).parent.parent / "docs" / "comparison-json.md"
EXAMPLES = ("classification", "regression", "tagging")
OWN_PLOTS = {
    "forecast": ["forecast.png", "error_by_step.png"],
    "classification": ["confusion.png"],
    "regression": ["predicted_against_true.png"],
    "tagging": ["accuracy_by_step.png"],
    "language-model": ["perplexity.png"],
    "lines": ["perplexity.png"],
}
SETTINGS = {
    "forecast": {"horizon": 3, "lookback": 6, "season": 1, "baselines": ["naive"], "test_size": 20, "max_origins": 7},
    "classification": {"baselines": ["majority", "logistic_flattened"], "folds": 2, "seeds": 2, "mix": "auto"},
    "regression": {"baselines": ["mean"]},
    "tagging": {"baselines": ["majority_tag"]},
    "language-model": {"baselines": ["unigram", "bigram"], "tokens": "char", "parallel_streams": 2, "seeds": 2},
    "lines": {"baselines": ["unigram"], "folds": 2, "tokens": "char", "task": "language-model"},
}


def frame_of(task):
    """Data of which a model can learn little in one epoch."""
    rng = np.random.default_rng(0)
    values, is_test = [rng.normal(size=(4 + i % 3, 2)) for i in range(60)], np.arange(60) >= 40
    if task == "forecast":
        table = pd.DataFrame({"unique_id": np.repeat(["a", "b"], 80), "ds": np.tile(np.arange(80), 2)})
        return SeriesFrame.from_table(table.assign(y=rng.normal(size=160)), time="ds", target="y", id="unique_id")
    if task == "classification":
        labels = [("rare", "often", "often")[i % 3] for i in range(60)]
        return PanelFrame.from_arrays(values, labels, task=task, name="kind")
    if task == "regression":
        totals = [float(v.sum()) for v in values]
        return PanelFrame.from_arrays(values, totals, task=task, name="total", is_test=is_test)
    if task == "tagging":  # the held-out test set is longer than what is trained on
        values = [np.concatenate([v, v]) if test else v for v, test in zip(values, is_test, strict=True)]
        tags = [["down" if step < 0 else "up" for step in v[:, 0]] for v in values]
        return PanelFrame.from_arrays(values, tags, task=task, name="way", is_test=is_test)
    text = "it was the best of times, it was the worst of times, "
    if task == "lines":
        table = pd.DataFrame({"text": [text[i : i + 12] for i in range(40)], "kind": ["a", "b"] * 20})
        return TextFrame.from_table(table, text="text", label="kind")
    return CorpusFrame.from_text(text * 12)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A real comparison of each task, and of a language model of lines: one recurrent family, one epoch."""
    folder, small = tmp_path_factory.mktemp("runs"), {"folds": 1, "seeds": 1, "max_epochs": 1, "config": {"units": 4}}
    return {
        name: compare(frame_of(name), families=["gru"], out=folder / name, **(small | own))
        for name, own in SETTINGS.items()
    }


def printed(renderable, width=100):
    """As it arrives in a pipe: no colour, no terminal."""
    console = Console(width=width, force_terminal=False, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def flat(text):
    return re.sub(r"\s+", " ", text)


def texts(axes):
    return [text.get_text() for text in axes.texts]


# Tables.


@pytest.mark.parametrize("name", SETTINGS)
def test_the_leaderboard_shows_the_metrics_of_its_task(finished, name):
    comparison = finished[name]
    text = printed(leaderboard(comparison))
    assert max(map(len, text.splitlines())) <= 100
    assert "…" not in text
    head, rest = text.split("─", 1)
    shown = [metric for metric in comparison.task.metrics if metric.shown]
    assert all((metric.heading or metric.title).split()[0] in head for metric in shown)
    best, main = comparison.summary_rows[0], comparison.task.metrics[0]
    row = next(line.split() for line in rest.splitlines() if line.startswith("*1"))
    assert row[2] == best["model"]
    assert float(row[3]) == pytest.approx(best[main.name], rel=0.01, abs=1e-3)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_caption_explains_the_columns(finished, name):
    comparison = finished[name]
    caption = flat(printed(leaderboard(comparison)).split("* the best")[1])
    for metric in comparison.task.metrics:
        if metric.shown and any(line[metric.name] is not None for line in comparison.summary_rows):
            assert metric.caption.split("{")[0] in caption
    assert f"MACs: multiply-accumulate operations of {comparison.task.cost_unit}" in caption
    assert ("±: standard deviation over seeds" in caption) == (comparison.settings["seeds"] > 1)
    assert "{" not in caption


def test_the_leaderboard_gives_the_spread_over_seeds_and_the_cost_of_one_prediction(finished):
    comparison = finished["classification"]
    text = printed(leaderboard(comparison))
    line = next(line for line in comparison.summary_rows if line["model"] == "gru")
    shown = [metric.name for metric in comparison.task.metrics if metric.shown]
    written = {"accuracy": f"{line['accuracy']:.4f}", "macro_f1": f"{line['macro_f1']:.3f}"}
    written |= {"error": f"{line['error']:.4f} ±{line['error_sd']:.4f}", "log_loss": f"{line['log_loss']:.3f}"}
    assert " ".join(written[name] for name in shown if name in written) in flat(text)
    assert "sequence" in text.split("─")[0]
    assert "token" in printed(leaderboard(finished["language-model"])).split("─")[0]
    assert "in the unit of total" in flat(printed(leaderboard(finished["regression"])))


def with_lines(comparison, *changes):
    """The same comparison with other rows of its summary, from the first."""
    rows = json.loads(json.dumps(comparison.summary_rows))
    for row, change in zip(rows, changes, strict=False):
        row.update(change)
    return dataclasses.replace(comparison, summary_rows=rows)


def test_a_long_name_of_a_variant_is_folded_not_cut(finished):
    name = {"model": "dense:feedback=1+units=32", "kind": "family"}
    text = printed(leaderboard(with_lines(finished["classification"], name)))
    assert "■ dense:feedback=1+uni" in text  # what is fed back is carried on: recurrent
    assert "ts=32" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("forecast", "forecast origins"),
        ("classification", "examples"),
        ("regression", "examples"),
        ("tagging", "sequences"),
        ("language-model", "stretches of text"),
        ("lines", "lines"),
    ],
)
def test_the_tests_table_says_what_was_compared(finished, name, unit):
    comparison = finished[name]
    text = flat(printed(tests_table(comparison)))
    assert f"n: {unit} compared" in text
    assert f" {comparison.test_rows[0]['n']} " in text
    assert ("McNemar" in text) == (name == "classification")
    noun = comparison.task.metrics[0].noun
    assert f"by which the {noun} is lower" in text
    assert printed(verdict_panel(comparison))


def test_mcnemar_stands_between_holm_and_n(finished):
    test = finished["classification"].test_rows[0] | {"p_holm": 0.25, "mcnemar_p": 0.125, "n": 60, "note": ""}
    comparison = dataclasses.replace(finished["classification"], test_rows=[test])
    assert " 0.250 0.125 60 " in flat(printed(tests_table(comparison)))


def test_uneven_classes_are_a_table_even_ones_a_sentence(finished):
    comparison = finished["classification"]
    text = printed(class_counts(comparison))
    assert re.search(r"often +40 +66\.7 █+\n", text)
    assert re.search(r"rare +20 +33\.3 █+ +\n", text)
    assert "66.7 % of all 60 examples" in flat(text)
    assert class_counts(finished["tagging"]) is None
    data = {"rows": 61, "classes": 2, "class_counts": {"a": 31, "b": 30}}
    even = dataclasses.replace(comparison, data=data)
    assert printed(class_counts(even)).strip() == "2 classes, about evenly spread: 30 to 31 examples each."
    many = {"rows": 1000, "classes": 30, "class_counts": {f"[b] {i}": 40 for i in range(20)}}
    assert re.search(r"10 more +200 +20\.0", printed(class_counts(dataclasses.replace(comparison, data=many))))


# Plots.


@pytest.mark.parametrize("name", SETTINGS)
def test_each_task_has_plots_of_its_own(finished, name, tmp_path):
    paths = write_plots(finished[name], tmp_path)
    assert [path.name for path in paths] == [*OWN_PLOTS[name], "error_against_cost.png"]
    for path in paths:
        height, width = matplotlib.image.imread(path).shape[:2]
        assert 1300 < width < 1600
        assert 300 < height < 1600


def test_the_axes_of_the_cost_plot_are_in_the_words_of_the_task(finished):
    axes = draw_error_against_cost(finished["language-model"]).axes[0]
    assert axes.get_xlabel() == "MACs per token"
    assert axes.get_ylabel() == "cross-entropy (nats per token)"
    axes = draw_error_against_cost(finished["classification"]).axes[0]
    assert axes.get_xlabel() == "MACs per sequence"
    assert axes.get_ylabel() == "error (fraction of wrong labels)"
    assert draw_error_against_cost(finished["regression"]).axes[0].get_ylabel() == "MAE in the unit of total"


def test_confusion_counts_the_predictions_of_the_last_fold(finished):
    comparison = finished["classification"]
    assert comparison.plot_data.classes == ("often", "rare")
    figure = draw_confusion(comparison)
    best = next(line for line in comparison.summary_rows if line["kind"] == "baseline")["model"]
    trained = next(line for line in comparison.summary_rows if line["kind"] != "baseline")["model"]
    for axes, model in zip(figure.axes, [trained, best], strict=True):
        row = next(row for row in comparison.trial_rows if row["model"] == model and row["fold"] == 1)
        assert axes.get_xlabel() == f"predicted by {model}: {100 * row['accuracy']:.1f} % correct"
        numbers = count(comparison.plot_data.y_true, comparison.examples[model], 2)
        assert numbers.sum() == comparison.folds[1]["test_rows"]
        assert numbers.trace() / numbers.sum() == pytest.approx(row["accuracy"])
        written = [int(text) for text in texts(axes) if text.isdigit()]
        assert written == [n for n in numbers.ravel() if n]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["often", "rare"]


def test_confusion_of_classes_never_trained_on():
    numbers = count(np.array([0, 1, 1, -1]), np.array([0, 0, 1, 1]), 2)
    assert numbers.tolist() == [[1, 0], [1, 1], [0, 1]]
    assert [brief(n) for n in (7, 999, 1000, 25_400)] == ["7", "999", "1k", "25k"]


def made_classes(finished, classes, seed=0):
    """The same comparison with other classes and predictions."""
    old, rng, n = finished["classification"], np.random.default_rng(seed), 500
    truth = rng.integers(-1, len(classes), n)
    examples = {model: np.where(rng.random(n) < 0.7, np.maximum(truth, 0), 0) for model in old.examples}
    return dataclasses.replace(old, examples=examples, plot_data=PlotData(truth, classes))


LONG = "a name of a class that goes on and on for ever"


@pytest.mark.parametrize(
    "classes", [(0, 1), tuple(f"comp.sys.ibm.{i}.hardware" for i in range(18)), (LONG, "$x$ or $"), tuple(range(20))]
)
def test_names_and_numbers_stay_inside_the_confusion_plot(finished, classes):
    figure = draw_confusion(made_classes(finished, classes))
    figure.draw_without_rendering()
    whole = figure.bbox
    names = [*figure.axes[0].get_yticklabels(), *figure.axes[1].get_xticklabels(), figure.axes[0].yaxis.label]
    for text in [*names, *(axes.xaxis.label for axes in figure.axes), figure.axes[0]._left_title]:
        box = text.get_window_extent()
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1, text
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1, text
    for axes in figure.axes:
        boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))
        cell = axes.get_window_extent().width / len(classes)
        numbers = [text for text in axes.texts if text.get_text().isdigit()]
        assert max(text.get_window_extent().width for text in numbers) < cell


def test_no_confusion_of_very_many_classes_or_without_examples(finished):
    assert draw_confusion(made_classes(finished, tuple(range(21)))) is None
    assert draw_confusion(dataclasses.replace(finished["classification"], examples={})) is None


def test_accuracy_is_drawn_at_every_step_and_the_longest_trained_on_is_marked(finished):
    comparison = finished["tagging"]
    axes = draw_accuracy_by_step(comparison).axes[0]
    drawn = {line.get_color(): line for line in axes.get_lines()}
    gru = comparison.examples["gru"]
    assert any(np.array_equal(line.get_ydata(), gru) for line in drawn.values())
    assert len(gru) == 12  # twice the longest of 6 steps
    assert any(np.array_equal(line.get_xdata(), [6, 6]) for line in axes.get_lines())
    below = next(text for text in texts(axes) if "dotted" in text)
    reach = sum(len(tags) == 12 for tags in comparison.plot_data.y_true)
    assert f"{reach} of 20 test sequences reach the last step" in below


def test_predictions_stand_over_their_truth_and_absurd_ones_at_the_edge(finished):
    comparison = finished["regression"]
    axes = draw_predicted_against_true(comparison).axes[0]
    dots = axes.collections[0].get_offsets()
    np.testing.assert_allclose(dots, np.stack([comparison.plot_data.y_true, comparison.examples["gru"]], axis=1))
    mae = next(row["mae"] for row in comparison.trial_rows if row["model"] == "gru")
    assert float(texts(axes)[0].split("MAE ")[1]) == pytest.approx(mae, rel=0.01)
    y_pred = comparison.examples["gru"].copy()
    y_pred[0] = 1e9
    absurd = dataclasses.replace(comparison, examples=comparison.examples | {"gru": y_pred})
    axes = draw_predicted_against_true(absurd).axes[0]
    assert axes.collections[0].get_offsets()[0][1] == axes.get_ylim()[1] < 1e3
    assert any("1 off the scale" in text for text in texts(axes))


def test_perplexities_are_bars_the_best_on_top(finished):
    comparison = finished["language-model"]
    axes = draw_perplexity(comparison).axes[0]
    lines = comparison.summary_rows
    assert [label.get_text() for label in axes.get_yticklabels()] == [line["model"] for line in lines]
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == pytest.approx([line["perplexity"] for line in lines])
    assert axes.yaxis_inverted()
    worst = {"perplexity": 1e6, "cross_entropy": float(np.log(1e6))}
    axes = draw_perplexity(with_lines(comparison, *[{}] * (len(lines) - 1), worst)).axes[0]
    assert axes.patches[-1].get_width() < 1e3
    assert sum(text.endswith("→") for text in texts(axes)) == 1
    assert any("1.00M" in text for text in texts(axes))


# Progress.


def test_progress_names_fold_and_seed_and_for_the_final_training_neither(capsys):
    console = Console(force_terminal=False, width=100)
    with show(console) as update:
        update(Progress(Trial("gru", 1, 2), 3, 9))
        update(Progress(Trial("gru", 1, 2), 3, 9, epoch=1, loss=0.5))  # an epoch is not worth a line
        update(Progress(Trial("gru", 2), 8, 9, final=True))
    assert capsys.readouterr().out.splitlines() == ["[4/9] gru · fold 2 · seed 3", "[9/9] gru · final training"]


def test_live_progress_shows_names_as_they_are():
    console = Console(force_terminal=True, width=100, file=io.StringIO(), color_system=None)
    with show(console) as update:
        update(Progress(Trial("gru[/b]", 1, 2), 3, 9, epoch=4, loss=0.5, seconds_left=61.0))
    text = console.file.getvalue()
    assert "gru[/b] · fold 2 · seed 3 · epoch 4, loss 0.5" in text
    assert "3/9" in text
    assert "about 1 min 01 s left" in text


# The schema of comparison.json.


def described():
    """Tasks of each field in the tables of the page: | `trials[].mase` | number | forecast | ..."""
    rows = re.findall(r"^\| `([^`]+)` \| [^|]+ \| ([^|]+) \|", SCHEMA.read_text(encoding="utf-8"), flags=re.MULTILINE)
    groups = {"all": tuple(TASKS), "examples": EXAMPLES}
    fields = {}
    for field, words in rows:
        assert field not in fields, f"{field} is described twice"
        fields[field] = {task for word in words.split(", ") for task in groups.get(word, (word,))}
    return fields


def sometimes():
    """Fields that are there only where a setting asks for them, and say so."""
    text = SCHEMA.read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([^`]+)` \| [^|]+ \| [^|]+ \| only where ", text, flags=re.MULTILINE))


def fields(value, path=""):
    """Paths of all fields; what has keys of the user's or of a family's own is one."""
    if isinstance(value, dict) and not path.endswith(("config", "roles", "class_counts")):
        for key, item in value.items():
            yield from fields(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for item in value:
            yield from fields(item, f"{path}[]")
    else:
        yield path


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


@pytest.mark.parametrize("task", TASKS)
def test_every_field_of_comparison_json_is_described_and_no_other(finished, task):
    found = set()
    for comparison in finished.values():
        if comparison.task.name == task:
            text = (comparison.folder / "comparison.json").read_text(encoding="utf-8")
            found |= set(fields(json.loads(text, parse_constant=refuse)))
    named = {field for field, tasks in described().items() if task in tasks}
    assert found <= named
    assert named - found <= sometimes()


def test_the_description_names_no_task_that_is_none():
    assert set().union(*described().values()) == set(TASKS)


def test_the_example_in_the_description_is_of_that_schema():
    text = SCHEMA.read_text(encoding="utf-8")
    example = json.loads(re.search(r"```json\n(.*?)```", text, flags=re.DOTALL)[1], parse_constant=refuse)
    forecast = {field for field, tasks in described().items() if "forecast" in tasks}
    assert set(fields(example)) <= forecast
    assert set(example) == {name.split(".")[0].split("[")[0] for name in forecast}


@pytest.mark.parametrize("name", SETTINGS)
def test_tables_and_cost_plot_need_no_more_than_comparison_json(finished, name, tmp_path):
    old = finished[name]
    written = json.loads((old.folder / "comparison.json").read_text(encoding="utf-8"))
    again = {key: written[key] for key in ("data", "settings", "notes", "folds", "verdict")}
    rows = {"trial_rows": "trials", "summary_rows": "summary", "test_rows": "tests"}
    again |= {name: written[key] for name, key in rows.items()}
    comparison = dataclasses.replace(old, **again, examples={}, plot_data=PlotData())
    assert printed(leaderboard(comparison)) == printed(leaderboard(old))
    assert printed(tests_table(comparison)) == printed(tests_table(old))
    assert "error_against_cost.png" in [path.name for path in write_plots(comparison, tmp_path)]


def test_the_first_row_is_where_the_example_of_a_forecast_begins(finished):
    comparison = finished["forecast"]
    last_known = comparison.frame.table["y"].iloc[comparison.plot_data.first_row - 1]
    assert comparison.examples["naive"].ravel().tolist() == [last_known] * 3  # naive repeats it
