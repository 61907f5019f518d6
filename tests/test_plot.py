"""recurra.plot: each function takes and returns axes, names its units, and shows the numbers that it was given."""

import itertools
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

import recurra
from recurra import plot
from recurra.diagnostics.memory_tasks import MemoryResult
from recurra.errors import InputError
from recurra.training import History

mpl.use("Agg")

OPTIONS = {"horizon": 4, "lookback": 8, "season": 1, "max_epochs": 2, "folds": 1, "seeds": 1}
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _closed():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def days():
    stamps = pd.date_range("2024-01-01", periods=90)
    return pd.DataFrame({"unique_id": "a $x$ <b>", "ds": stamps, "y": np.sin(np.arange(90) / 4)})


@pytest.fixture(scope="module")
def compared(days):
    return recurra.compare(
        recurra.SeriesFrame.from_table(days), families=["linear", "gru"], baselines=["naive"], **OPTIONS
    )


@pytest.fixture(scope="module")
def table(days):
    """Three cutoffs of two models."""
    blocks = []
    for cutoff in (59, 67, 75):
        block = days.iloc[cutoff + 1 : cutoff + 9].copy()
        block.insert(2, "cutoff", days["ds"][cutoff])
        for model, bias in (("LSTM", 0.5), ("Naive", -0.25)):
            block[model] = block["y"] + bias
            block[f"{model}-lo-80"], block[f"{model}-hi-80"] = block[model] - 0.2, block[model] + 0.2
        blocks.append(block)
    return pd.concat(blocks, ignore_index=True)


@pytest.fixture(scope="module")
def recall():
    rows = [
        {"model": model, "distance": distance, "seed": 0, "accuracy": accuracy}
        for model, two in {"lstm": (1.0, 0.9), "gru": (1.0, 0.5)}.items()
        for distance, accuracy in zip((5, 20), two, strict=True)
    ]
    return MemoryResult("recall", pd.DataFrame(rows).assign(stopped_by="patience", outcome="forgets"), 0.5)


HISTORY = History(best_epoch=2, best_loss=0.5, losses=[1.0, 0.5, 0.75], seconds=2.0, stopped_by="patience")


def texts(axes):
    legend = axes.get_legend()
    return [text.get_text() for text in [*axes.texts, *(legend.get_texts() if legend else [])]]


def test_every_function_draws_on_the_axes_given_and_on_new_ones(compared, table, days, recall):
    calls = [
        lambda **ax: plot.learning_curve(HISTORY, **ax),
        lambda **ax: plot.forecast(compared, **ax),
        lambda **ax: plot.forecast(table, days, **ax),
        lambda **ax: plot.residuals(compared, **ax),
        lambda **ax: plot.residuals(table, **ax),
        lambda **ax: plot.residuals([1.0, 2.0], [1.5, 2.5], **ax),
        lambda **ax: plot.confusion(["a", "b", "a"], ["a", "a", "a"], **ax),
        lambda **ax: plot.leaderboard(compared, **ax),
        lambda **ax: plot.memory(recall, **ax),
    ]
    figure, places = pyplot.subplots(3, 3, figsize=(14, 12), layout="constrained")
    for call, place in zip(calls, places.flat, strict=True):
        assert call(ax=place) is place
        new = call()
        assert new.figure is not figure
        for axes in (place, new):
            assert axes.get_xlabel()
            assert axes.get_ylabel() or axes.yaxis_inverted()  # bars carry names in place of a unit
            assert axes.get_title(loc="left")
    figure.canvas.draw()
    # the line below a title ends before the next axes begin
    for row in places:
        for axes, neighbour in itertools.pairwise(row):
            for text in axes.texts:
                if text.get_gid() == "below the title":
                    assert text.get_window_extent().x1 < neighbour.get_window_extent().x0


def test_a_learning_curve_has_the_losses_and_marks_the_epoch_kept():
    axes = plot.learning_curve({"small": HISTORY, "large": HISTORY})
    curve, dot, *_ = axes.get_lines()
    assert curve.get_ydata().tolist() == HISTORY.losses
    assert (float(dot.get_xdata()[0]), float(dot.get_ydata()[0])) == (2, 0.5)
    assert {"small", "large"} <= set(texts(axes))


def test_a_learning_curve_of_a_fit_names_family_and_unit(days):
    options = {name: value for name, value in OPTIONS.items() if name not in ("folds", "seeds")}
    frame = recurra.SeriesFrame.from_table(days)
    axes = plot.learning_curve(recurra.fit(frame, family="linear", **options))
    assert axes.get_ylabel() == "validation loss in MAE of scaled values"
    assert "linear" in texts(axes)
    with pytest.raises(InputError, match="needs a training"):
        plot.learning_curve(recurra.fit(frame, family="naive", **options))


def test_the_forecast_of_a_table_joins_what_is_known_and_has_its_intervals(table, days):
    axes = plot.forecast(table, days)
    lines = {line.get_label(): line for line in axes.get_lines()}
    np.testing.assert_array_equal(lines["LSTM"].get_ydata(), table["LSTM"].tail(8))
    np.testing.assert_array_equal(lines["truth"].get_ydata(), table["y"].tail(8))
    before = axes.get_lines()[0]
    assert before.get_xdata()[0] < table["ds"].iloc[-8]
    assert len(axes.collections) == 2  # a band per model
    earlier = plot.forecast(table, cutoff=table["cutoff"][0])
    assert earlier.get_lines()[0].get_xdata()[0] == table["ds"][0].to_datetime64()
    with pytest.raises(InputError, match="no series 'b'"):
        plot.forecast(table, series="b")
    with pytest.raises(InputError, match="no column 'when'"):
        plot.forecast(table, time_col="when")


def test_the_table_of_a_predictor_is_drawn_too(days):
    options = {name: value for name, value in OPTIONS.items() if name not in ("folds", "seeds")}
    predicted = recurra.fit(recurra.SeriesFrame.from_table(days), family="linear", **options).predictor.predict(days)
    axes = plot.forecast(predicted, days)
    lines = {line.get_label(): line for line in axes.get_lines()}
    np.testing.assert_array_equal(lines["forecast"].get_ydata(), predicted["y"])
    assert "truth" not in lines  # a forecast is no truth
    assert len(axes.collections) == 2


def test_residuals_by_step_are_forecast_minus_truth(table):
    axes = plot.residuals(table)
    _, lstm, naive = axes.get_lines()[:3]
    np.testing.assert_allclose(lstm.get_ydata(), 0.5)
    np.testing.assert_allclose(naive.get_ydata(), -0.25)
    assert lstm.get_xdata().tolist() == list(range(1, 9))
    with pytest.raises(InputError, match="need the truth"):
        plot.residuals(table.drop(columns="y"))
    with pytest.raises(InputError, match="both true and predicted"):
        plot.residuals([1.0, 2.0])


def test_residuals_of_values_are_dots():
    axes = plot.residuals(pd.Series([1.0, 2.0], name="price"), [1.5, 1.0])
    np.testing.assert_allclose(axes.collections[0].get_offsets(), [[1.5, 0.5], [1.0, -1.0]])
    assert axes.get_xlabel() == "predicted price"


def test_a_confusion_counts_true_classes_in_rows():
    axes = plot.confusion(["cat", "dog", "dog", "dog"], ["cat", "cat", "dog", "dog"], labels=["dog", "cat"])
    numbers = {(round(text.get_position()[1]), round(text.get_position()[0])): text.get_text() for text in axes.texts}
    assert numbers[(0, 0)] == "2"
    assert numbers[(0, 1)] == "1"  # a dog taken for a cat
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dog", "cat"]
    assert "75.0 % correct" in axes.get_xlabel()
    with pytest.raises(InputError, match="2 to 20 classes"):
        plot.confusion(range(30), range(30))


def test_a_leaderboard_has_the_metric_asked_for_the_best_on_top(compared):
    axes = plot.leaderboard(compared, metric="mae")
    by_mae = compared.summary.sort_values("mae")
    assert [label.get_text() for label in axes.get_yticklabels()] == list(by_mae.index)
    assert next(bar.get_width() for bar in axes.patches) == pytest.approx(by_mae["mae"].iloc[0])
    assert "in the unit of y" in axes.get_xlabel()
    with pytest.raises(InputError, match="`metric` must be one of mase, mae"):
        plot.leaderboard(compared, metric="accuracy")


def test_models_differ_in_more_than_colour(recall):
    markers = {line.get_marker() for line in plot.memory(recall).get_lines() if len(line.get_xdata()) == 2}
    assert len(markers) >= 2


def test_plots_of_the_module_load_matplotlib_only_when_drawn():

    code = "import sys, recurra.plot; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
