"""Forecasts of each family and the best baselines against the truth, on the last test window of the last fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import MaxNLocator

from ..comparison.summary_rows import main_metric
from ..display.number_format import number, score
from ..display.visible_text import shortened, visible
from ..frames import SeriesFrame
from .figure import INK, QUIET, name_axes, new_figure, quieten, title
from .model_styles import ModelStyle, model_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..comparison import Comparison
    from ..comparison.trials import Row

# More lines than these in one panel can no longer be told apart.
_MOST_FAMILIES, _MOST_BASELINES, _MOST_TARGETS = 6, 2, 3
_FEW = 40  # rows up to which each is marked
_DOTS: dict[str, Any] = {"marker": "o", "markersize": 2.6}
_TRUTH = "truth"


def draw_forecast(comparison: Comparison) -> Figure | None:
    """Values, and for a single target the error below them; None where there is no example."""
    shown = _models(comparison)
    frame = comparison.frame
    if not shown or not isinstance(frame, SeriesFrame):
        return None
    targets = list(frame.targets)[:_MOST_TARGETS]
    with_error = len(targets) == 1
    figure = new_figure(5.6 if with_error else 1.2 + 2.1 * len(targets))
    ratios = [2, 1] if with_error else [1] * len(targets)
    panels = figure.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    window = _Window(comparison, frame)
    styles = model_styles(comparison)
    lines = [_Line(row["model"], comparison.examples[row["model"]], styles[row["model"]]) for row in shown]
    for i, axes in enumerate(panels[: len(targets)]):
        _draw_values(axes, window, lines, i)
        name_axes(axes, y=shortened(targets[i], 24))
    if with_error:
        _draw_errors(panels[1], window, lines)
    _dress(panels, frame, window)
    title(panels[0], *_titles(comparison, frame, window))
    _legend(panels[0], comparison, shown)
    return figure


class _Window:
    """Where the example lies: rows of its series before the forecast, and the rows forecast.

    Attributes:
        label: id of the series.
        known, horizon: number of rows before and of the rows forecast.
        times, y_true: of both (known + horizon,), (known + horizon, targets).
    """

    def __init__(self, comparison: Comparison, frame: SeriesFrame) -> None:
        start = comparison.plot_data.first_row
        horizon = len(next(iter(comparison.examples.values())))
        ends = np.cumsum(frame.lengths)
        series = int(np.searchsorted(ends, start, side="right"))
        first = int(ends[series] - frame.lengths[series])
        self.label = str(frame.ids[series])
        self.known = min(start - first, max(horizon, min(2 * horizon, 24), 8))  # enough for orientation
        stop = min(start + horizon, int(ends[series]))
        self.horizon = stop - start
        rows = slice(start - self.known, stop)
        self.times = _axis_times(frame.table[frame.time].iloc[rows], counted=isinstance(frame.freq, int))
        self.y_true = frame.columns(frame.targets)[rows]

    @property
    def ahead(self) -> Any:
        """Times of the rows forecast: (horizon,)."""
        return self.times[self.known :]


@dataclass(frozen=True, eq=False)
class _Line:
    """A model's forecast (horizon, targets), and how it is drawn."""

    model: str
    forecast: np.ndarray
    style: ModelStyle


def _axis_times(times: pd.Series, *, counted: bool) -> np.ndarray:
    if counted:
        return times.to_numpy()
    return pd.DatetimeIndex(times).tz_localize(None).to_numpy()  # the clock on the wall, as in the data


def _models(comparison: Comparison) -> list[Row]:
    """Rows of the summary of the models drawn, the best first."""
    left = {"family": _MOST_FAMILIES, "baseline": _MOST_BASELINES}
    shown = []
    for row in comparison.summary_rows:
        if row["model"] in comparison.examples and left[row["kind"]]:
            left[row["kind"]] -= 1
            shown.append(row)
    return shown


def _draw_values(axes: Axes, window: _Window, lines: Sequence[_Line], target: int) -> None:
    y_true, known = window.y_true[:, target], window.known
    grey: dict[str, Any] = {"color": "#9A9A9A", "linewidth": 1.2, "zorder": 2.2}
    axes.plot(window.times[: known + 1], y_true[: known + 1], markevery=_marked(y_true[: known + 1]), **_DOTS, **grey)
    for line in reversed(lines):  # the best is drawn last, on top
        forecast = line.forecast[: window.horizon, target]
        axes.plot(window.ahead, forecast, label=line.model, markevery=_marked(forecast), **_DOTS, **line.style.line)
    ink: dict[str, Any] = {"color": INK, "linewidth": 1.5, "zorder": 4}
    axes.plot(window.ahead, y_true[known:], label=_TRUTH, markevery=_marked(y_true[known:]), **_DOTS, **ink)


def _marked(values: np.ndarray) -> list[int]:
    """Which points get a dot: all where there are few, else those that stand alone between gaps, not on a line."""
    seen = np.isfinite(values)
    if len(values) <= _FEW:
        return np.flatnonzero(seen).tolist()
    beside = np.concatenate([[False], seen[:-1]]) | np.concatenate([seen[1:], [False]])
    return np.flatnonzero(seen & ~beside).tolist()


def _draw_errors(axes: Axes, window: _Window, lines: Sequence[_Line]) -> None:
    """Forecast minus truth: where the lines above lie too close to be told apart."""
    y_true = window.y_true[window.known :, 0]
    axes.axhline(0, color=INK, linewidth=1.2, zorder=2)
    for line in reversed(lines):
        error = line.forecast[: window.horizon, 0] - y_true
        axes.plot(window.ahead, error, markevery=_marked(error), **_DOTS, **line.style.line)
    name_axes(axes, y="forecast − truth")


def _dress(panels: np.ndarray, frame: SeriesFrame, window: _Window) -> None:
    origin = window.times[max(window.known - 1, 0)]
    for axes in panels:
        quieten(axes)
        axes.axvline(origin, color=QUIET, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.margins(x=0.02)
    bottom = panels[-1].xaxis
    if isinstance(frame.freq, int):
        bottom.set_major_locator(MaxNLocator(integer=True, nbins=9))
    else:
        locator = AutoDateLocator(minticks=4, maxticks=9)
        bottom.set_major_locator(locator)
        bottom.set_major_formatter(ConciseDateFormatter(locator))
        bottom.get_offset_text().set(fontsize=9, color=INK)
    name_axes(panels[-1], shortened(frame.time), panels[-1].get_ylabel())


def _titles(comparison: Comparison, frame: SeriesFrame, window: _Window) -> tuple[str, str]:
    name = shortened(str(comparison.data["source"]).replace("\\", "/").rsplit("/", 1)[-1])
    if len(frame.lengths) > 1:
        name += f", {shortened(window.label, 24)} (one of {len(frame.lengths)} series)"
    if len(frame.targets) > _MOST_TARGETS:
        name += f", {_MOST_TARGETS} of {len(frame.targets)} targets"
    below = "grey: known when the forecast was made (dotted line)"
    # Where rows are counted, each series has a cutoff of its own.
    if comparison.folds and (len(frame.lengths) == 1 or not isinstance(frame.freq, int)):
        below += f"; trained on rows up to {comparison.folds[-1]['cutoff'].removesuffix(' 00:00:00')}"
    return f"Forecast against truth: {name}", below


def _legend(axes: Axes, comparison: Comparison, shown: Sequence[Row]) -> None:
    """Outside, in the order of the leaderboard."""
    metric = main_metric(comparison)
    handle = {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    texts = {_TRUTH: _TRUTH}
    for row in shown:
        known = number(row[metric.name]) is not None
        texts[row["model"]] = visible(row["model"]) + (f"  {score(row[metric.name], metric)}" if known else "")
    legend = axes.legend(
        [handle[name] for name in texts],
        list(texts.values()),
        loc="upper left",
        bbox_to_anchor=(1.01, 1),
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handlelength=2.4,
        borderaxespad=0,
        title=f"{metric.title}, all folds",
        title_fontsize=8.5,
        alignment="left",
    )
    legend.get_title().set_color(QUIET)
    for key in legend.get_lines():
        key.set_marker("")
