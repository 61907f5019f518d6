"""Reports of forecasts, from comparisons made by hand: nothing is trained here (see test_sequence_reports.py)."""

import re
import subprocess
import sys

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from recurra.comparison import Comparison
from recurra.frames import SeriesFrame
from recurra.reports import leaderboard, notes, tests_table, verdict_panel, write_plots
from recurra.reports.drawing import colours, spread
from recurra.reports.values import MISSING, counted, significant

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
        "multiply_adds": 45678.0 * cost if trained else None,
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
    example = {line["model"]: truth * (1 + rng.normal(0, 0.02, truth.shape)) for line in lines}
    test = {"model": "gru", "against": "dense", "effect": 0.125, "effect_low": -0.031, "effect_high": 0.281}
    test |= {"p_value": 0.0421, "p_holm": 0.0842, "n": 1234, "note": ""}
    said = {
        "task": "forecast",
        "data": {"source": frame.source, "targets": list(frame.targets)},
        "settings": {"families": list(families), "baselines": list(baselines), "seeds": 1 if sd is None else 3},
        "notes": ["a season of 24 steps found", "2 rows [sorted] by `ds`"],
        "folds": [{"cutoff": "2024-04-02 00:00:00"}],
        "summary": lines,
        "tests": [test] if tests else [],
        "verdict": {"worth_it": None, "best": lines[0]["model"], "text": "Cannot tell whether gru [/b] is worth it."},
    }
    return Comparison(said | changes, None, frame, example, row)


def printed(renderable, width=100):
    """As it arrives in a pipe: no colour, no terminal."""
    console = Console(width=width, force_terminal=False, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


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
    for line in comparison.said["summary"]:
        line["by_step"]["mase"][5] = NAN
    comparison.said["summary"][-1] |= {"mase": NAN, "mae": None}
    comparison.said["summary"][0] |= {"multiply_adds": None}
    assert len(write_plots(comparison, tmp_path)) == 3


def test_plots_of_errors_that_have_no_logarithm_or_no_mase(tmp_path):
    comparison = made()
    for line in comparison.said["summary"]:
        line |= {"mase": None, "mae": 0.0, "mase_sd": None, "mae_sd": 0.0}
        line["by_step"] = {"mae": [0.0] * 12, "mase": [None] * 12}
    assert len(write_plots(comparison, tmp_path)) == 3


def test_a_plot_without_anything_to_show_is_left_out(tmp_path):
    comparison = made(families=[], tests=False)
    comparison.example = {}
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
    np.testing.assert_array_equal(lines["gru"].get_ydata(), comparison.example["gru"][:, 0])
    drawn = [line.get_ydata() for line in errors.get_lines()]
    expected = comparison.example["gru"][:, 0] - last["y"].to_numpy()
    assert any(len(data) == 12 and np.allclose(data, expected) for data in drawn)
    # the two best baselines, not all six
    assert set(lines) & set(BASELINES) == {"ets", "theta"}


def test_a_model_keeps_its_colour_in_every_plot():
    from recurra.reports.forecast_plot import draw_forecast
    from recurra.reports.step_plot import draw_error_by_step

    comparison = made(families=["mine", "gru", "yours"])
    tint = colours(comparison)
    assert len({tint[line["model"]] for line in comparison.said["summary"]}) == 9
    for figure in (draw_forecast(comparison), draw_error_by_step(comparison)):
        assert {tint["mine"], tint["gru"], tint["yours"]} <= {line.get_color() for line in figure.axes[0].get_lines()}


def test_error_bars_are_the_spread_over_seeds_and_far_baselines_are_named_only():
    from recurra.reports.cost_plot import draw_error_against_cost

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
    from recurra.reports.cost_plot import draw_error_against_cost

    comparison = made(**CASES[case])
    for line in comparison.said["summary"]:  # as crowded as it gets
        if line["kind"] == "family":
            line |= {"multiply_adds": 1000.0, "mase": 0.8}
    figure = draw_error_against_cost(comparison)
    for axes in figure.axes:
        boxes = [text.get_window_extent() for text in axes.texts if text.get_text() in comparison.example]
        assert len(boxes) == len(comparison.said["settings"]["families"])
        for i, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[:i])


# Tables.


def test_leaderboard_has_the_numbers_and_fits():
    text = printed(leaderboard(made()), width=80)
    first = next(line for line in text.splitlines() if "linear" in line)
    assert first.split() == [
        "*1",
        "linear",
        "net",
        "0.800",
        "±0.010",
        "988",
        "8.00",
        "78/94",
        "2.35k",
        "45.7k",
        "3.25",
        "0.50",
    ]
    last = next(line for line in text.splitlines() if line.split()[1:2] == ["naive"])
    assert last.split()[:5] == ["11", "naive", "base", "2.000", "2,469"]
    assert last.split()[6:10] == [MISSING, MISSING, MISSING, "0.001"]
    assert {line.split()[2] for line in text.splitlines() if line.split()[1:2] in (["gru"], ["lstm"])} == {"RNN"}
    assert "…" not in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_leaderboard_leaves_out_columns_that_nobody_fills():
    comparison = made()
    for line in comparison.said["summary"]:
        line |= {"coverage_80": None, "multiply_adds": NAN, "mase": NAN if line["model"] == "drift" else 0.9}
    text = printed(leaderboard(comparison))
    assert "80/95" not in text
    assert "adds" not in text.split("*")[0]
    assert re.search(rf"drift +base +{MISSING} ", text)


def test_tests_table_has_the_numbers():
    text = printed(tests_table(made()))
    assert "gru +12.5 % -3.1 to +28.1 % 0.042 0.084 1,234" in re.sub(" +", " ", text)
    assert "dense, the best simpler model" in re.sub(r"\s+", " ", text)
    assert "note" not in text


def test_tests_table_without_result_and_without_tests():
    comparison = made()
    comparison.said["tests"][0] |= {"effect": NAN, "effect_low": None, "p_value": None, "p_holm": None}
    comparison.said["tests"][0] |= {"note": "all differences are equal", "n": 3}
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


def test_notes_are_said_one_a_line():
    assert printed(notes(made())).split("\n")[:2] == [
        "- a season of 24 steps found",
        "- 2 rows [sorted] by `ds`",
    ]
    assert printed(notes(made(notes=[]))).strip() == ""


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
