"""Plots for notebooks, one by one, on matplotlib axes of your own or new ones.

Each function takes ``ax`` and returns the axes it drew on, so that titles, limits and neighbours remain yours. They
draw what the PNG files of :func:`recurra.write_plots` show, with the same colours and dashes, told apart with any
common colour blindness.

Example:
    >>> fitted = recurra.fit("co2", family="lstm")
    >>> recurra.plot.learning_curve(fitted)
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from .comparison.metric_text import target_names
from .comparison.summary_rows import best_with_examples, main_metric
from .display.visible_text import shortened, visible
from .errors import InputError
from .frames import SeriesFrame

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from .comparison import Comparison, FitResult
    from .diagnostics import MemoryResult
    from .training import History

__all__ = ["confusion", "forecast", "leaderboard", "learning_curve", "memory", "residuals"]

_WIDTH = 8.0  # inches


def learning_curve(source: FitResult | History | Mapping[str, Any] | Any, *, ax: Axes | None = None) -> Axes:
    """Validation loss by epoch, with a dot at the epoch whose weights were kept.

    Args:
        source: what :func:`recurra.fit` returned, a ``History``, a fitted estimator of recurra, or several of them by
            name.
        ax: where to draw; new axes by default.

    Returns:
        The axes.

    Raises:
        InputError: if there was no training, as in a baseline.

    Example:
        >>> recurra.plot.learning_curve({"units=8": small, "units=64": large})
    """
    from .reports.end_labels import name_lines
    from .reports.learning_curve_plot import learning_curve_on

    sources = dict(source) if isinstance(source, Mapping) else {_name_of(source): source}
    histories = {str(name): _history_of(one) for name, one in sources.items()}
    units = {_unit_of_loss(one) for one in sources.values()}
    axes = _axes(ax, 3.8)
    ends = learning_curve_on(axes, histories, units.pop() if len(units) == 1 else "")
    name_lines(axes, ends, beside=ax is None)
    return _finished(axes, ax)


def forecast(
    source: Comparison | pd.DataFrame,
    known: pd.DataFrame | None = None,
    *,
    series: Hashable | None = None,
    cutoff: object = None,
    id_col: str = "unique_id",
    time_col: str = "ds",
    target_col: str = "y",
    ax: Axes | None = None,
) -> Axes:
    """Forecasts with their intervals after the rows before them, and the truth as far as it is known.

    Args:
        source: a finished comparison (its last test window); or a table of forecasts, as a forecaster's ``predict`` and
            ``cross_validation`` or a predictor's ``predict`` give it: ids, times, and a column per model with the ends
            of its intervals (``LSTM-lo-80``, ``LSTM-hi-80``).
        known: rows of the data: those before the forecasts are drawn in front, those beside them as the truth.
        series: which one of several; by default the first.
        cutoff: which forecasts of a cross-validation; by default the newest.
        id_col, time_col, target_col: columns of the tables.
        ax: where to draw; new axes by default.

    Returns:
        The axes.

    Example:
        >>> recurra.plot.forecast(forecaster.predict(), df)
    """
    from .reports import forecast_plot as drawing
    from .reports.figure import name_axes, title
    from .reports.forecast_table import ForecastTable, window_and_lines

    axes = _axes(ax, 3.8)
    if _is_comparison(source):
        frame = _series_of(source)
        window, lines = drawing.window_of(source, frame), drawing.lines_of(source)
        target, words = frame.targets[0], drawing.titles_of(source, frame, window)
    else:
        rows: Any = source
        if _is_single(rows, target_col):
            rows = rows.rename(columns=lambda name: _as_forecast(name, target_col))
        table = ForecastTable(rows, id_col, time_col, target_col)
        window, lines = window_and_lines(table, known, series, cutoff)
        target, words = target_col, _words_of(window, table)
    drawing.values_on(axes, window, lines)
    drawing.frame_on(axes, window)
    drawing.times_on(axes, window.time, counted=window.counted)
    name_axes(axes, axes.get_xlabel(), shortened(target, 24))
    title(axes, *words)
    drawing.legend_on(axes, {line.model: visible(line.model) for line in lines}, beside=ax is None)
    return _finished(axes, ax)


def residuals(
    source: Comparison | pd.DataFrame | ArrayLike,
    y_pred: ArrayLike | None = None,
    *,
    id_col: str = "unique_id",
    time_col: str = "ds",
    target_col: str = "y",
    ax: Axes | None = None,
) -> Axes:
    """Predicted minus true values: how far off, in which direction, and where.

    Args:
        source: a finished comparison of forecasts (over its last test window) or of regressions (over the predicted
            values, of the best model); a table of forecasts with the truth beside them, as ``cross_validation`` gives
            it (by step ahead); or true values (examples,), with `y_pred`.
        y_pred: predicted values (examples,).
        id_col, time_col, target_col: columns of a table of forecasts.
        ax: where to draw; new axes by default.

    Returns:
        The axes.

    Example:
        >>> recurra.plot.residuals(forecaster.cross_validation(df, h=12, n_windows=5))
    """
    from .reports.end_labels import name_lines
    from .reports.forecast_table import ForecastTable
    from .reports.residuals_plot import residuals_by_step_on, residuals_on

    axes = _axes(ax, 3.8)
    if _is_comparison(source):
        _residuals_of(axes, source, beside=ax is None)
    elif y_pred is not None:
        residuals_on(axes, np.asarray(source), np.asarray(y_pred), str(getattr(source, "name", None) or "y"))
    elif hasattr(source, "columns"):
        ends = residuals_by_step_on(axes, ForecastTable(source, id_col, time_col, target_col))
        name_lines(axes, ends, beside=ax is None)
    else:
        raise InputError("residuals of arrays need both true and predicted values; give the predicted ones as `y_pred`")
    return _finished(axes, ax)


def confusion(
    source: Comparison | ArrayLike | Any,
    y_pred: ArrayLike | None = None,
    *,
    labels: Sequence[Any] | None = None,
    model: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Which classes are taken for which: true classes in rows, predicted ones in columns.

    Args:
        source: a finished comparison of classifiers, or the true labels (examples,), with `y_pred`.
        y_pred: predicted labels (examples,).
        labels: the labels in the order wanted; by default sorted.
        model: of a comparison; by default its best trained family.
        ax: where to draw; new axes by default.

    Returns:
        The axes.

    Raises:
        InputError: more than 20 classes, or a comparison without predicted classes.

    Example:
        >>> recurra.plot.confusion(y_test, classifier.predict(X_test))
    """
    from .reports.confusion_plot import TITLE, confusion_whole, count, subtitle
    from .reports.figure import title

    if _is_comparison(source):
        y_true, classes = source.plot_data.y_true, source.plot_data.classes
        named = model or next((str(row["model"]) for row in best_with_examples(source)), "")
        if y_true is None or not len(classes) or named not in source.examples:
            raise InputError(
                f"the comparison holds no predicted classes of {named!r}; choose a model of a classification"
            )
        numbers, words = count(y_true, source.examples[named], len(classes)), subtitle(len(y_true))
    elif y_pred is None:
        raise InputError("a confusion needs both true and predicted labels; give the predicted ones as `y_pred`")
    else:
        numbers, found = _counted(np.asarray(source), np.asarray(y_pred), labels)
        classes, named, words = (
            tuple(found),
            model or "",
            f"{int(numbers.sum()):,} examples; colour: fraction of the true class",
        )
    axes = _axes(ax, min(1.6 + 0.75 * len(classes), 7.0))
    confusion_whole(axes, numbers, [str(name) for name in classes], visible(named))
    title(axes, TITLE, words)
    return _finished(axes, ax)


def leaderboard(comparison: Comparison, *, metric: str | None = None, ax: Axes | None = None) -> Axes:
    """A metric of all models as bars, the best on top, with the spread over seeds.

    Args:
        comparison: a finished comparison.
        metric: name of one of the task's metrics, such as "mae"; by default the one that models are ranked by.
        ax: where to draw; new axes by default.

    Returns:
        The axes.

    Example:
        >>> recurra.plot.leaderboard(recurra.compare("co2"))
    """
    from .reports.leaderboard_plot import known_rows, leaderboard_on
    from .reports.perplexity_plot import perplexity_on

    metrics = {one.name: one for one in comparison.task.metrics}
    name = main_metric(comparison).name if metric is None else metric
    if name not in metrics:
        raise InputError(f"`metric` must be one of {', '.join(metrics)}; received {metric!r}")
    axes = _axes(ax, 1.5 + 0.36 * len(known_rows(comparison, metrics[name])))
    if name == "perplexity":
        perplexity_on(axes, comparison)
    else:
        leaderboard_on(axes, comparison, metrics[name])
    return _finished(axes, ax)


def memory(result: MemoryResult, *, ax: Axes | None = None) -> Axes:
    """Accuracy against the distance to be bridged: where each family forgets.

    Args:
        result: what :func:`recurra.measure_memory` returned.
        ax: where to draw; new axes by default.

    Returns:
        The axes.

    Example:
        >>> recurra.plot.memory(recurra.measure_memory("recall", distances=[5, 20]))
    """
    from .reports.end_labels import name_lines
    from .reports.memory_plot import memory_on

    axes = _axes(ax, 4.0)
    name_lines(axes, memory_on(axes, result), beside=ax is None)
    return _finished(axes, ax)


def _axes(ax: Axes | None, height: float) -> Axes:
    """The user's axes, or new ones of pyplot, which a notebook shows by itself."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    _, axes = pyplot.subplots(figsize=(_WIDTH, height), layout="constrained")
    return axes


def _finished(axes: Axes, ax: Axes | None) -> Axes:
    """On the user's own axes no title runs into a neighbour."""
    from .reports.figure import wrap_title

    if ax is not None:
        wrap_title(axes)
    return axes


def _is_comparison(source: Any) -> TypeGuard[Comparison]:
    """Told by what it has: importing the class would load TensorFlow for a confusion of two lists."""
    return hasattr(source, "summary_rows")


def _history_of(source: Any) -> History:
    if isinstance(found := getattr(source, "history_", None), Mapping):
        return _history_of_estimator(found)
    history = getattr(source, "history", source)
    if history is None or not hasattr(history, "losses"):
        raise InputError(f"a learning curve needs a training; received {source!r}, which was not trained in epochs")
    return history


def _history_of_estimator(history: Mapping[str, Sequence[float]]) -> History:
    from .training import History

    losses = [float(loss) for loss in history.get("val_loss") or history["loss"]]
    best = int(np.nanargmin(losses))
    return History(best + 1, losses[best], losses)


def _name_of(source: Any) -> str:
    training = getattr(source, "training", None)
    if isinstance(training, Mapping) and "family" in training:
        return str(training["family"])
    return str(getattr(source, "family", None) or "validation loss")


def _unit_of_loss(source: Any) -> str:
    """Of which kind the numbers of a history are, where the source says so."""
    task = getattr(source, "task", None)
    loss = None if task is None else task.training.loss
    return {None: "", "crossentropy": "nats"}.get(loss, f"{str(loss).upper()} of scaled values")


def _series_of(comparison: Comparison) -> SeriesFrame:
    if not isinstance(comparison.frame, SeriesFrame) or not comparison.examples:
        raise InputError("the comparison holds no forecasts to draw; give one of series")
    return comparison.frame


def _is_single(table: pd.DataFrame, target: str) -> bool:
    """Whether the forecasts stand in the target's own column, as in a predictor's table."""
    return any(str(name).startswith(f"{target}-lo-") for name in table.columns)


def _as_forecast(name: str, target: str) -> str:
    return f"forecast{name[len(target) :]}" if name == target or str(name).startswith(f"{target}-") else name


def _words_of(window: Any, table: Any) -> tuple[str, str]:
    """Title, and the line below it."""
    many = table.id in table.rows.columns and len(table.rows[table.id].unique()) > 1
    below = "grey: known when the forecast was made" if window.known else ""
    levels = sorted({f"{level:g}" for model in table.models for level in table.bands(model)})
    if levels:
        below += f"{'; ' if below else ''}bands: {' and '.join(levels)} % intervals"
    return "Forecast" + (f" of {shortened(window.label, 24)}" if many else ""), below


def _residuals_of(axes: Axes, comparison: Comparison, *, beside: bool) -> None:
    from .reports import forecast_plot as drawing
    from .reports.figure import title
    from .reports.model_styles import model_styles
    from .reports.residuals_plot import residuals_on

    if isinstance(comparison.frame, SeriesFrame):
        frame = _series_of(comparison)
        window, lines = drawing.window_of(comparison, frame), drawing.lines_of(comparison)
        drawing.errors_on(axes, window, lines, f"in the unit of {shortened(frame.targets[0], 24)}")
        drawing.frame_on(axes, window)
        drawing.times_on(axes, window.time, counted=window.counted)
        title(axes, "Residuals", "of the last test window; on the line: exact")
        drawing.legend_on(axes, {line.model: visible(line.model) for line in lines}, beside=beside)
        return
    shown, y_true = best_with_examples(comparison), comparison.plot_data.y_true
    if not shown or y_true is None or len(comparison.plot_data.classes):
        raise InputError("residuals are of forecasts and regressions; of classes there is a confusion")
    model = shown[0]["model"]
    colour = model_styles(comparison)[model].colour
    residuals_on(axes, y_true, comparison.examples[model], target_names(comparison), colour)
    title(axes, f"Residuals of {visible(model)}", f"{len(y_true):,} test examples of the last fold, first seed")


def _counted(y_true: np.ndarray, y_pred: np.ndarray, labels: Sequence[Any] | None) -> tuple[np.ndarray, Sequence[Any]]:
    from sklearn.metrics import confusion_matrix
    from sklearn.utils.multiclass import unique_labels

    found = list(unique_labels(y_true, y_pred)) if labels is None else list(labels)
    return confusion_matrix(y_true, y_pred, labels=found), found
