"""Forecasts of each family and the best baselines against the truth, on the last test window of the last fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import MaxNLocator

from .drawing import INK, QUIET, colours, line_style, new_figure, quieten, title
from .values import main_metric, number, score, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..comparison import Comparison

# More lines than these in one panel can no longer be told apart.
_MOST_FAMILIES, _MOST_BASELINES, _MOST_TARGETS = 6, 2, 3
_FEW = 40  # rows up to which each is marked
_DOTS: dict[str, Any] = {"marker": "o", "markersize": 2.6}


def draw_forecast(comparison: Comparison) -> Figure | None:
    """Values, and for a single target the error below them; None where there is no example."""
    shown = _models(comparison)
    if not shown:
        return None
    targets = list(comparison.frame.targets)[:_MOST_TARGETS]
    with_error = len(targets) == 1
    figure = new_figure(5.6 if with_error else 1.2 + 2.1 * len(targets))
    ratios = [2, 1] if with_error else [1] * len(targets)
    panels = figure.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    window = _Window(comparison)
    for i, axes in enumerate(panels[: len(targets)]):
        _draw_values(axes, comparison, window, shown, i)
        axes.set_ylabel(shortened(targets[i], 24), fontsize=9.5, color=INK, parse_math=False)
    if with_error:
        _draw_errors(panels[1], comparison, window, shown)
    _dress(panels, comparison, window)
    _legend(panels[0], comparison, shown)
    return figure


class _Window:
    """Where the example lies: rows of its series before the forecast, and the rows forecast."""

    def __init__(self, comparison: Comparison) -> None:
        frame, start = comparison.frame, comparison.example_row
        horizon = len(next(iter(comparison.example.values())))
        ends = np.cumsum(frame.lengths)
        series = int(np.searchsorted(ends, start, side="right"))
        first = int(ends[series] - frame.lengths[series])
        self.label = str(frame.ids[series])
        past = min(start - first, max(horizon, min(2 * horizon, 24), 8))  # enough for orientation
        stop = min(start + horizon, int(ends[series]))
        self.rows = slice(start - past, stop)
        self.past = past
        self.horizon = stop - start
        self.times = _axis_times(frame.table[frame.time].iloc[self.rows], counted=isinstance(frame.freq, int))
        self.truth = frame.columns(frame.targets)[self.rows]  # (past + horizon, targets)

    @property
    def ahead(self) -> Any:
        """Times of the rows forecast: (horizon,)."""
        return self.times[self.past :]


def _axis_times(times: pd.Series, *, counted: bool) -> np.ndarray:
    if counted:
        return times.to_numpy()
    return pd.DatetimeIndex(times).tz_localize(None).to_numpy()  # the clock on the wall, as in the data


def _models(comparison: Comparison) -> list[dict[str, Any]]:
    """Summary lines of the models drawn, the best first."""
    left = {"family": _MOST_FAMILIES, "baseline": _MOST_BASELINES}
    shown = []
    for line in comparison.said["summary"]:
        if line["model"] in comparison.example and left[line["kind"]]:
            left[line["kind"]] -= 1
            shown.append(line)
    return shown


def _draw_values(axes: Axes, comparison: Comparison, window: _Window, shown: list[dict[str, Any]], target: int) -> None:
    truth, past = window.truth[:, target], window.past
    grey: dict[str, Any] = {"color": "#9A9A9A", "linewidth": 1.2, "zorder": 2.2}
    axes.plot(window.times[: past + 1], truth[: past + 1], markevery=_marked(truth[: past + 1]), **_DOTS, **grey)
    tint = colours(comparison)
    for line in reversed(shown):  # the best is drawn last, on top
        forecast = comparison.example[line["model"]][: window.horizon, target]
        style = {"color": tint[line["model"]], "markevery": _marked(forecast), **_DOTS, **line_style(line)}
        axes.plot(window.ahead, forecast, label=line["model"], **style)
    ink: dict[str, Any] = {"color": INK, "linewidth": 1.5, "zorder": 4}
    axes.plot(window.ahead, truth[past:], label="truth", markevery=_marked(truth[past:]), **_DOTS, **ink)


def _marked(values: np.ndarray) -> list[int]:
    """Which points get a dot: all where there are few, else those that stand alone between gaps, not on a line."""
    seen = np.isfinite(values)
    if len(values) <= _FEW:
        return np.flatnonzero(seen).tolist()
    beside = np.concatenate([[False], seen[:-1]]) | np.concatenate([seen[1:], [False]])
    return np.flatnonzero(seen & ~beside).tolist()


def _draw_errors(axes: Axes, comparison: Comparison, window: _Window, shown: list[dict[str, Any]]) -> None:
    """Forecast minus truth: where the lines above lie too close to be told apart."""
    truth, tint = window.truth[window.past :, 0], colours(comparison)
    axes.axhline(0, color=INK, linewidth=1.2, zorder=2)
    for line in reversed(shown):
        error = comparison.example[line["model"]][: window.horizon, 0] - truth
        style = {"color": tint[line["model"]], "markevery": _marked(error), **_DOTS, **line_style(line)}
        axes.plot(window.ahead, error, **style)
    axes.set_ylabel("forecast − truth", fontsize=9.5, color=INK)


def _dress(panels: np.ndarray, comparison: Comparison, window: _Window) -> None:
    frame = comparison.frame
    origin = window.times[max(window.past - 1, 0)]
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
    panels[-1].set_xlabel(shortened(frame.time), fontsize=9.5, color=INK, parse_math=False)
    title(panels[0], *_titles(comparison, window))


def _titles(comparison: Comparison, window: _Window) -> tuple[str, str]:
    frame, said = comparison.frame, comparison.said
    name = shortened(str(said["data"]["source"]).replace("\\", "/").rsplit("/", 1)[-1])
    if len(frame.lengths) > 1:
        name += f", {shortened(window.label, 24)} (one of {len(frame.lengths)} series)"
    if len(frame.targets) > _MOST_TARGETS:
        name += f", {_MOST_TARGETS} of {len(frame.targets)} targets"
    below = "grey: known when the forecast was made (dotted line)"
    # Where rows are counted, each series has a cutoff of its own.
    if said["folds"] and (len(frame.lengths) == 1 or not isinstance(frame.freq, int)):
        below += f"; trained on rows up to {_day(said['folds'][-1]['cutoff'])}"
    return f"Forecast against truth: {name}", below


def _day(stamp: str) -> str:
    return stamp.removesuffix(" 00:00:00")


def _legend(axes: Axes, comparison: Comparison, shown: list[dict[str, Any]]) -> None:
    """Outside, in the order of the leaderboard."""
    metric = main_metric(comparison)
    handles, labels = axes.get_legend_handles_labels()
    handle = dict(zip(labels, handles, strict=True))
    names = ["truth", *(line["model"] for line in shown)]
    scores = {line["model"]: number(line[metric.key]) for line in shown}
    texts = [n if scores.get(n) is None else f"{n}  {score(scores[n], metric)}" for n in names]
    legend = axes.legend(
        [handle[name] for name in names],
        texts,
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
