"""Reports of forecasts, from comparisons made by hand: nothing is trained here (see test_sequence_reports.py)."""

import dataclasses
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import rgb_to_hsv, to_rgb
from rich.console import Console

from recurra import models
from recurra.comparison import Comparison, comparison_html
from recurra.display.number_format import MISSING, counted, percent, percent_interval, significant
from recurra.display.visible_text import visible
from recurra.evaluation import Metric
from recurra.frames import SeriesFrame
from recurra.reports import (
    leaderboard,
    memory_table,
    notes,
    terminal_report,
    tests_table,
    verdict_panel,
    write_memory_result,
    write_plots,
)
from recurra.reports.end_labels import spread
from recurra.reports.model_styles import family_styles, model_styles
from recurra.tasks import TASKS, Forecast
from recurra.tasks.protocol import PlotData

NAN = float("nan")
NAMES = ["forecast.png", "error_by_step.png", "error_against_cost.png"]
FAMILIES = ("linear", "dense", "simple_rnn", "gru", "lstm")
BASELINES = ("naive", "seasonal_naive", "naive2", "drift", "theta", "ets")


def made_frame(*, series=1, targets=("y",), counted=False, gaps=(), zone=None):
    """Sine waves of different level and scale, one block of rows a series."""
    rng, rows = np.random.default_rng(0), 120
    stamps = np.arange(rows) if counted else pd.date_range("2024-03-30", periods=rows, freq="h", tz=zone)
    blocks = []
    for number in range(series):
        block = pd.DataFrame({"unique_id": f"site {number}", "ds": stamps})
        for k, target in enumerate(targets):
            wave = np.sin(np.arange(rows) / 4 + number) + rng.normal(0, 0.1, rows)
            block[target] = 100.0**k * (10 + wave)
            block.loc[list(gaps), target] = NAN
        blocks.append(block)
    table = pd.concat(blocks, ignore_index=True)
    return SeriesFrame.from_table(table, time="ds", target=list(targets), id="unique_id", source="made.csv")


def made_line(model, mase, *, horizon, kind="family", sd=0.01, cost=1.0):
    """A summary line; baselines cost nothing and have no intervals."""
    trained = kind == "family"
    steps = np.linspace(0.7, 1.3, horizon)
    return {
        "model": model,
        "kind": kind,
        "trials": 2,
        "mase": mase,
        "mae": 1234.5 * mase,
        "rmse": 2 * mase,
        "smape": 10 * mase,
        "coverage_80": 0.78 if trained else None,
        "coverage_95": 0.94 if trained else None,
        "mase_sd": sd if trained else None,
        "mae_sd": None if sd is None or not trained else 1234.5 * sd,
        "parameters": 2345.0 * cost if trained else None,
        "macs": 45678.0 * cost if trained else None,
        "train_seconds": 3.25 * cost if trained else 0.001,
        "predict_ms": 0.5 * cost,
        "by_step": {"mae": (1234.5 * mase * steps).tolist(), "mase": (mase * steps).tolist()},
    }


def made(frame=None, *, families=FAMILIES, baselines=BASELINES, horizon=12, sd=0.01, tests=True, **changes):
    """A finished comparison, with forecasts that are the truth and some noise."""
    frame = made_frame() if frame is None else frame
    lines = [made_line(m, 0.8 + 0.01 * i, horizon=horizon, sd=sd, cost=10.0**i) for i, m in enumerate(families)]
    lines += [made_line(m, 2 - 0.2 * i, horizon=horizon, kind="baseline") for i, m in enumerate(baselines)]
    lines.sort(key=lambda line: line["mase"])
    row = int(frame.lengths[0]) - horizon
    rng = np.random.default_rng(1)
    truth = np.nan_to_num(frame.columns(frame.targets)[row : row + horizon], nan=10)
    test = {"model": "gru", "against": "dense", "effect": 0.125, "effect_low": -0.031, "effect_high": 0.281}
    test |= {"p_value": 0.0421, "p_holm": 0.0842, "n": 1234, "note": ""}
    comparison = Comparison(
        task=Forecast(horizon=horizon),
        frame=frame,
        data={"source": frame.source, "targets": list(frame.targets)},
        settings={"families": list(families), "baselines": list(baselines), "seeds": 1 if sd is None else 3},
        notes=["season: 24 steps, found in the autocorrelation (set `season` to override)", "2 rows [sorted] by 'ds'"],
        folds=[{"cutoff": "2024-04-02 00:00:00"}],
        trial_rows=[],
        summary_rows=lines,
        test_rows=[test] if tests else [],
        verdict={"worth_it": None, "best": lines[0]["model"], "text": "Cannot tell whether gru [/b] is worth it."},
        examples={line["model"]: truth * (1 + rng.normal(0, 0.02, truth.shape)) for line in lines},
        plot_data=PlotData(first_row=row),
    )
    return dataclasses.replace(comparison, **changes)


def printed(renderable, width=100):
    """As it arrives in a pipe: no colour, no terminal."""
    console = Console(width=width, force_terminal=False, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def flat(text):
    return re.sub(r"\s+", " ", text)


# Plots.

CASES = {
    "as usual": {},
    "one seed": {"sd": None},
    "one model": {"families": ["gru"], "baselines": []},
    "a family of one's own, no baselines": {"families": ["my_transformer", "linear"], "baselines": []},
    "one step": {"horizon": 1},
    "many series, five targets": {"frame": made_frame(series=30, targets=tuple("abcde"))},
    "counted time": {"frame": made_frame(counted=True, series=2)},
    "time zone with a change of clocks": {"frame": made_frame(zone="Europe/Berlin")},
    "odd names": {"frame": made_frame(targets=("温度", "price in $ or $", "a\nvery long name " * 5))},
}


@pytest.mark.parametrize("case", CASES)
def test_plots_are_images_of_a_readable_size(case, tmp_path):
    paths = write_plots(made(**CASES[case]), tmp_path / "new folder")
    assert [path.name for path in paths] == NAMES
    assert sorted(path.name for path in (tmp_path / "new folder").iterdir()) == sorted(NAMES)
    for path in paths:
        assert path.read_bytes().startswith(b"\x89PNG")
        height, width = matplotlib.image.imread(path).shape[:2]
        assert 1300 < width < 1600
        assert 400 < height < 1600


def test_plots_with_gaps_in_the_truth_and_unknown_errors(tmp_path):
    comparison = made(made_frame(gaps=[90, 107, 108, 111, 113, 118]))
    for line in comparison.summary_rows:
        line["by_step"]["mase"][5] = NAN
    comparison.summary_rows[-1] |= {"mase": NAN, "mae": None}
    comparison.summary_rows[0] |= {"macs": None}
    assert len(write_plots(comparison, tmp_path)) == 3


def test_plots_of_errors_that_have_no_logarithm_or_no_mase(tmp_path):
    comparison = made()
    for line in comparison.summary_rows:
        line |= {"mase": None, "mae": 0.0, "mase_sd": None, "mae_sd": 0.0}
        line["by_step"] = {"mae": [0.0] * 12, "mase": [None] * 12}
    assert len(write_plots(comparison, tmp_path)) == 3


def test_a_plot_without_anything_to_show_is_left_out(tmp_path):
    comparison = made(families=[], tests=False)
    comparison.examples = {}
    assert [path.name for path in write_plots(comparison, tmp_path)] == ["error_by_step.png"]


def test_plots_replace_older_ones_and_touch_no_global_state(tmp_path):
    (tmp_path / "forecast.png").write_text("old")
    write_plots(made(), tmp_path)
    assert (tmp_path / "forecast.png").read_bytes().startswith(b"\x89PNG")
    code = "import sys, recurra.reports; print('matplotlib' in sys.modules, 'tensorflow' in sys.modules)"
    out = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]


def test_the_forecast_plot_shows_the_rows_that_were_forecast():
    from recurra.reports.forecast_plot import draw_forecast

    comparison = made(made_frame(series=2))
    values, errors = draw_forecast(comparison).axes
    lines = {line.get_label(): line for line in values.get_lines()}
    last = comparison.frame.table.iloc[108:120]  # of the first series
    np.testing.assert_array_equal(lines["truth"].get_ydata(), last["y"])
    np.testing.assert_array_equal(lines["truth"].get_xdata(), last["ds"].to_numpy())
    np.testing.assert_array_equal(lines["gru"].get_ydata(), comparison.examples["gru"][:, 0])
    drawn = [line.get_ydata() for line in errors.get_lines()]
    expected = comparison.examples["gru"][:, 0] - last["y"].to_numpy()
    assert any(len(data) == 12 and np.allclose(data, expected) for data in drawn)
    # the two best baselines, not all six
    assert set(lines) & set(BASELINES) == {"ets", "theta"}


def test_a_model_keeps_its_colour_in_every_plot():
    from recurra.reports.error_by_step_plot import draw_error_by_step
    from recurra.reports.forecast_plot import draw_forecast

    comparison = made(families=["mine", "gru", "yours"])
    colours = {model: style.colour for model, style in model_styles(comparison).items()}
    assert len({colours[line["model"]] for line in comparison.summary_rows}) == 9
    for figure in (draw_forecast(comparison), draw_error_by_step(comparison)):
        drawn = {line.get_color() for line in figure.axes[0].get_lines()}
        assert {colours["mine"], colours["gru"], colours["yours"]} <= drawn


def hue(colour):
    return rgb_to_hsv(to_rgb(colour))[0]


def test_colours_follow_from_the_registries():
    styles = model_styles(made(families=[*FAMILIES, "dense:feedback=1"]))
    known = {"linear": "#56B4E9", "dense": "#0072B2", "simple_rnn": "#E69F00", "gru": "#D55E00", "lstm": "#B0528F"}
    assert {name: styles[name].colour for name in FAMILIES} == known
    assert len({style.colour for style in styles.values()}) == len(styles) == 14
    darkness = {name: max(to_rgb(styles[name].colour)) for name in BASELINES}
    assert min(darkness, key=darkness.get) == "naive"
    assert len({styles[name].dashes for name in BASELINES}) == len(BASELINES)
    assert not any(styles[name].dashes for name in [*FAMILIES, "dense:feedback=1"])


@pytest.mark.parametrize("like", ["dense", "gru"])
def test_a_new_family_gets_a_colour_of_its_kind(monkeypatch, like):
    registry = models.FAMILIES | {"new": models.FAMILIES[like]}
    monkeypatch.setattr(models, "FAMILIES", registry)
    colours = [style.colour for style in family_styles([*FAMILIES, "new"]).values()]
    assert len(set(colours)) == 6
    assert colours[:5] == [style.colour for style in family_styles(FAMILIES).values()]
    assert (0.5 < hue(colours[-1]) < 0.7) == (like == "dense")


def test_every_task_draws_known_plots_and_its_trivial_baseline_is_the_darkest():
    from recurra.reports.plots import PLOTS

    for task in TASKS.values():
        assert set(task.plots) <= set(PLOTS)
        comparison = dataclasses.replace(made(), task=task())
        assert model_styles(comparison)[task.wording.trivial[0]].colour == "#4D4D4D"


def test_error_bars_are_the_spread_over_seeds_and_far_baselines_are_named_only():
    from recurra.reports.error_against_cost_plot import draw_error_against_cost

    axes = draw_error_against_cost(made(sd=0.05)).axes
    assert len(axes) == 2
    bars = [container.get_children()[-1].get_segments()[0][:, 1] for container in axes[0].containers]
    assert [0.75, 0.85] in [pytest.approx(bar) for bar in bars]
    texts = [text.get_text() for text in axes[1].texts]
    assert "best baseline:\nets 1.000" in texts
    assert "naive 2.000 ↑" in texts


@pytest.mark.parametrize("points", [[0.5, 0.5, 0.5], [0, 1, 0.02], [0.9, 0.95, 1.0], [0.1]])
def test_labels_keep_their_distance_their_order_and_the_frame(points):
    placed = spread(points, 0.2, 0, 1)
    assert (np.diff(np.sort(placed)) >= 0.2 - 1e-9).all()
    assert placed.min() >= 0
    assert placed.max() <= 1 + 1e-9
    assert (np.argsort(placed, kind="stable") == np.argsort(points, kind="stable")).all()


def test_labels_that_are_far_apart_stay_where_they_are():
    np.testing.assert_allclose(spread([0.9, 0.1, 0.5], 0.2, 0, 1), [0.9, 0.1, 0.5])


@pytest.mark.parametrize("case", ["as usual", "one seed", "a family of one's own, no baselines"])
def test_names_in_the_cost_plot_do_not_overlap(case):
    from recurra.reports.error_against_cost_plot import draw_error_against_cost

    comparison = made(**CASES[case])
    for line in comparison.summary_rows:  # as crowded as it gets
        if line["kind"] == "family":
            line |= {"macs": 1000.0, "mase": 0.8}
    figure = draw_error_against_cost(comparison)
    for axes in figure.axes:
        boxes = [text.get_window_extent() for text in axes.texts if text.get_text() in comparison.examples]
        assert len(boxes) == len(comparison.settings["families"])
        for i, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[:i])


# Tables.


def row_of(text, model):
    return next(line.split() for line in text.splitlines() if line.split()[2:3] == [model])


def test_leaderboard_has_the_numbers_and_fits():
    text = printed(leaderboard(made()), width=80)
    best = ["*1", "●", "linear", "0.800", "±0.010", "988", "78", "94", "2.35k", "45.7k", "3.25", "0.50"]
    assert row_of(text, "linear") == best
    last = row_of(text, "naive")
    assert last[:5] == ["11", "┄", "naive", "2.000", "2,469"]
    assert last[5:9] == [MISSING] * 4
    assert last[9:] == ["0.001", "0.50"]
    assert [row_of(text, name)[1] for name in ("simple_rnn", "gru", "lstm")] == ["■"] * 3
    caption = flat(text.split("* the best")[1])
    assert caption.startswith("; ■ recurrent, ● feed-forward, ┄ baseline; ±: standard deviation over seeds;")
    assert "MAE in the unit of y; " in caption
    assert caption.strip().endswith("MACs: multiply-accumulate operations of one forecast")
    assert "…" not in text
    assert "\x1b" not in text
    lines = text.split("* the best")[0].splitlines()
    assert len([line for line in lines if line.strip()]) == 2 + 1 + 11  # nothing is folded
    assert max(map(len, text.splitlines())) <= 80


def test_where_there_is_room_every_spread_is_shown():
    text = printed(leaderboard(made(baselines=["ets"])), width=80)
    assert row_of(text, "linear")[3:7] == ["0.800", "±0.010", "988", "±12"]
    assert max(map(len, text.splitlines())) <= 80


def with_toy_metrics():
    """A task with two metrics that no report has ever heard of."""

    class Toy(Forecast):
        metrics = (
            Metric("surprise", "surprise", max, unit="unit of the data", caption="surprise in {unit}"),
            Metric("luck", "luck", max, higher_is_better=True, as_percent=True, heading="good\nluck"),
            Metric("secret", "secret", max, shown=False, caption="a secret"),
        )

    comparison = dataclasses.replace(made(), task=Toy(horizon=12))
    for i, line in enumerate(comparison.summary_rows):
        line |= {"surprise": 1000.0 * i, "luck": 0.5 + i / 100, "secret": 0.0}
        line["by_step"]["surprise"] = [1.0] * 12
    return comparison


def test_a_new_metric_is_shown_by_every_report(tmp_path):
    from recurra.reports.error_against_cost_plot import draw_error_against_cost

    comparison = with_toy_metrics()
    text = printed(leaderboard(comparison))
    assert row_of(text, "dense")[3:5] == ["1,000", "51"]
    assert "surprise in y;" in flat(text)
    assert "luck" in text
    assert "secret" not in text
    assert "MASE" not in text
    assert draw_error_against_cost(comparison).axes[0].get_ylabel() == "surprise in the unit of y"
    assert [path.name for path in write_plots(comparison, tmp_path)] == NAMES
    assert "<th" in comparison_html(comparison)


def test_leaderboard_leaves_out_columns_that_nobody_fills():
    comparison = made()
    for line in comparison.summary_rows:
        line |= {"coverage_80": None, "macs": NAN, "mase": NAN if line["model"] == "drift" else 0.9}
    text = printed(leaderboard(comparison))
    assert "80 %" not in text.split("*")[0]
    assert "95 %" in text.split("*")[0]
    assert "MACs" not in text
    assert row_of(text, "drift")[1:4] == ["┄", "drift", MISSING]


def test_tests_table_has_the_numbers():
    text = printed(tests_table(made()))
    assert "gru +12.5 % -3.1 to +28.1 % 0.042 0.084 1,234" in flat(text)
    assert "dense, the best simpler model" in flat(text)
    assert "note" not in text


def test_tests_table_without_result_and_without_tests():
    comparison = made()
    comparison.test_rows[0] |= {"effect": NAN, "effect_low": None, "p_value": None, "p_holm": None}
    comparison.test_rows[0] |= {"note": "all differences are equal", "n": 3}
    assert f"gru {MISSING} {MISSING} {MISSING} {MISSING} 3 all differences are equal" in re.sub(
        " +", " ", printed(tests_table(comparison))
    )
    assert "Nothing was tested" in printed(tests_table(made(tests=False)))


@pytest.mark.parametrize(("worth_it", "answer"), [(True, "yes"), (False, "no"), (None, "cannot tell")])
def test_verdict_panel_answers_the_question(worth_it, answer):
    verdict = {"worth_it": worth_it, "best": "gru", "text": "These are [red] words."}
    text = printed(verdict_panel(made(verdict=verdict)))
    assert f"worth its cost here? {answer} " in text
    assert "These are [red] words." in text


def test_notes_are_printed_one_per_line():
    assert printed(notes(made())).split("\n")[:2] == [
        "- season: 24 steps, found in the autocorrelation (set `season` to override)",
        "- 2 rows [sorted] by 'ds'",
    ]
    assert printed(notes(made(notes=[]))).strip() == ""


def as_flags(text):
    return re.sub(r"`(\w+)`", r"--\1", text)


def test_the_command_line_can_rewrite_every_sentence():
    verdict = {"worth_it": None, "best": "linear", "text": "Set `seeds`."}
    comparison = made(verdict=verdict)
    comparison.test_rows[0]["note"] = "set `folds`"
    text = "".join(printed(block) for block in terminal_report(comparison, rewrite=as_flags))
    assert all(flag in text for flag in ("--season", "--folds", "--seeds"))
    assert "`" not in text
    assert "--season" in comparison_html(comparison, rewrite=as_flags)
    assert [type(block) for block in terminal_report(comparison)] == [
        type(block) for block in (notes(comparison), *[leaderboard(comparison)] * 2, verdict_panel(comparison))
    ]


WICKED = "[bold]x[/nope]<script>&\x1b[31m\u202e\n"


def test_user_strings_are_printed_as_they_are_and_control_characters_as_escapes():
    comparison = made(families=[WICKED], baselines=[], notes=[WICKED])
    comparison.verdict["text"] = WICKED
    comparison.test_rows[0] |= {"note": WICKED, "model": WICKED, "against": WICKED}
    comparison.data["targets"] = [WICKED]
    shown = r"[bold]x[/nope]<script>&\x1b[31m\u202e\n"
    assert visible(WICKED) == shown
    for block in terminal_report(comparison):
        text = printed(block, width=500)
        assert shown[:20] in text
        assert "\x1b" not in text
        assert "\u202e" not in text


class Page(HTMLParser):
    """Text and tags of a page; every tag that is opened is closed."""

    def __init__(self, html):
        super().__init__()
        self.text, self.tags, self.open = "", [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert {name for name, _ in attrs} <= {"style"}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + "|"


def test_html_holds_verdict_table_and_notes_and_loads_nothing():
    html = comparison_html(made())
    page = Page(html)
    assert "cannot tell|" in page.text
    assert "linear|feed-forward|0.800 ±0.010|988 ±12|78|94|2.35k|45.7k|3.25|0.50|" in page.text
    assert "gru|recurrent|" in page.text
    assert "naive|baseline|" in page.text
    assert "2 rows [sorted] by 'ds'|" in page.text
    assert set(page.tags) <= {"div", "p", "strong", "br", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert not re.search(r"url\(|http|#[0-9a-f]{3}|white|black", html)  # readable on a light and on a dark page
    assert len(html) < 20_000


def test_html_escapes_user_strings():
    comparison = made(families=[WICKED], baselines=[], notes=[WICKED])
    comparison.verdict["text"] = WICKED
    html = comparison_html(comparison)
    assert "<script" not in html
    assert "\x1b" not in html
    assert Page(html).text.count(visible(WICKED)) == 3


# Memory tasks.


@dataclasses.dataclass
class FinishedMemory:
    """What reports read of a ``recurra.diagnostics.MemoryResult``."""

    rows: pd.DataFrame
    table: pd.DataFrame
    task: str = "recall"
    chance: float = 0.5
    cut_short: tuple = ((3, "`max_epochs`"),)
    undecided: frozenset = frozenset({("dense:window=20", 20)})
    gradients: pd.DataFrame = dataclasses.field(default_factory=pd.DataFrame)

    def reach(self, model):
        return {"lstm": "20"}.get(model, "")

    def write(self, folder):
        path = folder / "memory.json"
        path.write_text(json.dumps({"task": self.task}))
        return [path]


def finished_memory():
    rows = [
        {"model": model, "distance": distance, "seed": seed, "accuracy": accuracy - 0.1 * seed}
        for model, accuracies in {"lstm": (1.0, 0.95), "dense:window=20": (1.0, 0.5)}.items()
        for distance, accuracy in zip((5, 20), accuracies, strict=True)
        for seed in (0, 1)
    ]
    table = pd.DataFrame(rows).pivot_table(index="model", columns="distance", values="accuracy", sort=False)
    return FinishedMemory(pd.DataFrame(rows), table.assign(remembers=[20, 0]))


def test_memory_table_has_accuracies_and_reach():
    text = flat(printed(memory_table(finished_memory(), rewrite=as_flags)))
    assert "recall 5 20 remembers" in text
    assert "lstm 0.950 0.900 20" in text
    assert f"dense:window=20 0.950 0.450? {MISSING}" in text
    assert "guessing: 0.50" in text
    assert "3 of 8 trainings ended by --max_epochs, more might have helped" in text


def test_memory_plot_is_written_beside_the_numbers(tmp_path):
    from recurra.reports.memory_plot import draw_memory

    paths = write_memory_result(finished_memory(), tmp_path)
    assert [path.name for path in paths] == ["memory.json", "memory.png"]
    height, width = matplotlib.image.imread(paths[1]).shape[:2]
    assert (height, width) == (720, 1440)
    axes = draw_memory(finished_memory()).axes[0]
    drawn = {line.get_color(): line for line in axes.get_lines()}
    lstm = drawn[family_styles(["lstm"])["lstm"].colour]
    assert lstm.get_xdata().tolist() == [5, 20]
    np.testing.assert_allclose(lstm.get_ydata(), [0.95, 0.9])
    assert len(axes.collections) == 3  # a band over seeds for each model, and what was cut short


# Numbers.


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, MISSING),
        (NAN, MISSING),
        (0, "0"),
        (0.12345, "0.123"),
        (12.345, "12.3"),
        (-1234.5, "-1,234"),
        (9.999, "10.0"),
        (1.5e12, "1.50e+12"),
        (2e-7, "2.00e-07"),
    ],
)
def test_significant_digits(value, text):
    assert significant(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, MISSING), (812, "812"), (999.7, "1.00k"), (29236, "29.2k"), (1.3e6, "1.30M")]
)
def test_counts_in_brief(value, text):
    assert counted(value) == text


def test_a_long_name_is_folded_and_no_number_is_cut():
    comparison = made()
    long = [{**test, "model": "lstm:units=64+forget=false+dropout=0.25 + x"} for test in comparison.test_rows]
    text = printed(tests_table(replace(comparison, test_rows=long)), width=80)
    assert "…" not in text


def test_nothing_is_less_than_nothing():
    assert percent(-0.0004) == "+0.0 %"
    assert percent(-0.026) == "-2.6 %"
    assert percent_interval(-0.0002, 0.1) == "+0.0 to +10.0 %"
