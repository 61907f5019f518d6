"""Forecasts of each family and the best baselines against the truth, on the last test window of the last fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import MaxNLocator

from ..comparison.summary_rows import main_metric
from ..display.number_format import number, score
from ..display.visible_text import shortened, visible
from ..frames import SeriesFrame
from .end_labels import INSIDE
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
    window, lines = window_of(comparison, frame), lines_of(comparison)
    for i, axes in enumerate(panels[: len(targets)]):
        values_on(axes, window, lines, i)
        name_axes(axes, y=shortened(targets[i], 24))
    if with_error:
        errors_on(panels[1], window, lines)
    for axes in panels:
        frame_on(axes, window)
    times_on(panels[-1], window.time, counted=window.counted)
    title(panels[0], *titles_of(comparison, frame, window))
    legend_on(panels[0], *_entries(comparison))
    return figure


@dataclass(frozen=True, eq=False)
class ForecastWindow:
    """Where forecasts lie: rows of a series before them, and the rows forecast.

    Attributes:
        label: id of the series.
        known: number of rows before those forecast.
        times: of both, on the clock of the data (known + horizon,).
        y_true: of both, NaN where it is not known (known + horizon, targets).
        time: name of the time column.
    """

    label: str
    known: int
    times: np.ndarray
    y_true: np.ndarray
    time: str

    @property
    def horizon(self) -> int:
        """Number of the rows forecast."""
        return len(self.times) - self.known

    @property
    def ahead(self) -> np.ndarray:
        """Times of the rows forecast: (horizon,)."""
        return self.times[self.known :]

    @property
    def counted(self) -> bool:
        """Whether time is counted in whole numbers."""
        return bool(np.issubdtype(self.times.dtype, np.number))


@dataclass(frozen=True, eq=False)
class ForecastLine:
    """A model's forecast, and how it is drawn.

    Attributes:
        model: its name.
        forecast: (horizon, targets).
        style: its colour and dashes.
        bands: ends of its intervals by level in percent: 2 × (horizon, targets).
    """

    model: str
    forecast: np.ndarray
    style: ModelStyle
    bands: Mapping[float, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)


def window_of(comparison: Comparison, frame: SeriesFrame) -> ForecastWindow:
    """The example that a comparison keeps: the last test window of its first series."""
    start = comparison.plot_data.first_row
    horizon = len(next(iter(comparison.examples.values())))
    ends = np.cumsum(frame.lengths)
    series = int(np.searchsorted(ends, start, side="right"))
    first = int(ends[series] - frame.lengths[series])
    known = min(start - first, rows_for_orientation(horizon))
    rows = slice(start - known, min(start + horizon, int(ends[series])))
    times = clock_times(frame.table[frame.time].iloc[rows])
    return ForecastWindow(str(frame.ids[series]), known, times, frame.columns(frame.targets, rows), frame.time)


def lines_of(comparison: Comparison) -> list[ForecastLine]:
    """The examples of the models drawn, the best first."""
    styles = model_styles(comparison)
    return [
        ForecastLine(row["model"], comparison.examples[row["model"]], styles[row["model"]])
        for row in _models(comparison)
    ]


def rows_for_orientation(horizon: int) -> int:
    """How many rows before a forecast are shown."""
    return max(horizon, min(2 * horizon, 24), 8)


def clock_times(times: pd.Series) -> np.ndarray:
    """Times as matplotlib reads them: whole numbers, or the clock on the wall, as in the data."""
    if pd.api.types.is_numeric_dtype(times.dtype):
        return times.to_numpy()
    return pd.DatetimeIndex(times).tz_localize(None).to_numpy()


def _models(comparison: Comparison) -> list[Row]:
    """Rows of the summary of the models drawn, the best first."""
    left = {"family": _MOST_FAMILIES, "baseline": _MOST_BASELINES}
    shown = []
    for row in comparison.summary_rows:
        if row["model"] in comparison.examples and left[row["kind"]]:
            left[row["kind"]] -= 1
            shown.append(row)
    return shown


def values_on(axes: Axes, window: ForecastWindow, lines: Sequence[ForecastLine], target: int = 0) -> None:
    """Draw known values, forecasts with their intervals, and the truth as far as it is known."""
    y_true, known = window.y_true[:, target], window.known
    grey: dict[str, Any] = {"color": "#9A9A9A", "linewidth": 1.2, "zorder": 2.2}
    axes.plot(window.times[: known + 1], y_true[: known + 1], markevery=_marked(y_true[: known + 1]), **_DOTS, **grey)
    for line in reversed(lines):  # the best is drawn last, on top
        forecast = line.forecast[: window.horizon, target]
        for low, high in line.bands.values():
            ends = (low[: window.horizon, target], high[: window.horizon, target])
            axes.fill_between(window.ahead, *ends, color=line.style.colour, alpha=0.15, linewidth=0, zorder=1.5)
        axes.plot(window.ahead, forecast, label=line.model, markevery=_marked(forecast), **_DOTS, **line.style.line)
    if not np.isfinite(y_true[known:]).any():
        return
    ink: dict[str, Any] = {"color": INK, "linewidth": 1.5, "zorder": 4}
    axes.plot(window.ahead, y_true[known:], label=_TRUTH, markevery=_marked(y_true[known:]), **_DOTS, **ink)


def _marked(values: np.ndarray) -> list[int]:
    """Which points get a dot: all where there are few, else those that stand alone between gaps, not on a line."""
    seen = np.isfinite(values)
    if len(values) <= _FEW:
        return np.flatnonzero(seen).tolist()
    beside = np.concatenate([[False], seen[:-1]]) | np.concatenate([seen[1:], [False]])
    return np.flatnonzero(seen & ~beside).tolist()


def errors_on(axes: Axes, window: ForecastWindow, lines: Sequence[ForecastLine], unit: str = "") -> None:
    """Forecast minus truth: where lines of values lie too close to be told apart."""
    y_true = window.y_true[window.known :, 0]
    axes.axhline(0, color=INK, linewidth=1.2, zorder=2)
    for line in reversed(lines):
        error = line.forecast[: window.horizon, 0] - y_true
        axes.plot(window.ahead, error, label=line.model, markevery=_marked(error), **_DOTS, **line.style.line)
    name_axes(axes, y=f"forecast − truth{f' ({unit})' if unit else ''}")


def frame_on(axes: Axes, window: ForecastWindow) -> None:
    """The frame, and a line at the row from which was forecast."""
    quieten(axes)
    origin = window.times[max(window.known - 1, 0)]
    axes.axvline(origin, color=QUIET, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=0.02)


def times_on(axes: Axes, time: str, *, counted: bool) -> None:
    """The axis of time."""
    if counted:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))
    else:
        locator = AutoDateLocator(minticks=4, maxticks=9)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        axes.xaxis.get_offset_text().set(fontsize=9, color=INK)
    name_axes(axes, shortened(time), axes.get_ylabel())


def titles_of(comparison: Comparison, frame: SeriesFrame, window: ForecastWindow) -> tuple[str, str]:
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


def _entries(comparison: Comparison) -> tuple[dict[str, str], str]:
    """What the legend says of each model, in the order of the leaderboard, and its title."""
    metric = main_metric(comparison)
    texts = {}
    for row in _models(comparison):
        known = number(row[metric.name]) is not None
        texts[row["model"]] = visible(row["model"]) + (f"  {score(row[metric.name], metric)}" if known else "")
    return texts, f"{metric.title}, all folds"


def legend_on(axes: Axes, texts: Mapping[str, str], heading: str = "", *, beside: bool = True) -> None:
    """The truth and the models, beside the axes or inside."""
    handle = {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    named = {name: text for name, text in {_TRUTH: _TRUTH, **texts}.items() if name in handle}
    right: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0, "frameon": False}
    legend = axes.legend(
        [handle[name] for name in named],
        list(named.values()),
        fontsize=9,
        labelcolor=INK,
        handlelength=2.4,
        title=heading or None,
        title_fontsize=8.5,
        alignment="left",
        **(right if beside else INSIDE),
    )
    legend.get_title().set_color(QUIET)
    for text in legend.get_texts():
        text.set_parse_math(False)
    for key in legend.get_lines():
        key.set_marker("")
