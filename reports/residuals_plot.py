"""Residuals: how far off, in which direction, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from ..errors import InputError
from .end_labels import LineEnd
from .figure import INK, name_axes, quieten, title
from .forecast_table import ForecastTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Ends of the band around the median, in percent.
_BAND = (10, 90)


def residuals_by_step_on(axes: Axes, table: ForecastTable) -> list[LineEnd]:
    """Median of forecast minus truth by step ahead, in a band that holds 80 %; a line per model.

    Args:
        axes: where to.
        table: forecasts beside the truth.

    Returns:
        The ends of the lines, which want names.
    """
    axes.axhline(0, color=INK, linewidth=1.2, zorder=2)
    ends, count = [], 0
    for model, style in table.styles.items():
        errors = table.errors_by_step(model)
        if not len(errors):
            raise InputError(f"the truth of every forecast of {model!r} is missing; give rows with known targets")
        steps = errors.groupby("step")["error"]
        median, low, high = steps.median(), *(steps.quantile(end / 100) for end in _BAND)
        axes.fill_between(median.index, low, high, color=style.colour, alpha=0.18, linewidth=0)
        axes.plot(median.index, median, marker="o" if len(median) <= 24 else None, markersize=3.5, **style.line)
        ends.append(LineEnd(model, float(median.index[-1]), float(median.iloc[-1]), style.colour))
        count = max(count, int(steps.size().max()))
    quieten(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, min_n_ticks=1))
    name_axes(axes, "steps ahead", f"forecast − truth, in the unit of {table.target}")
    band = "; band: 80 % of them" if count > 1 else ""
    title(axes, "Residuals by step ahead", f"median of {count:,} forecasts at each step{band}; on the line: exact")
    return ends


def residuals_on(axes: Axes, y_true: np.ndarray, y_pred: np.ndarray, name: str = "y", colour: str = "#0072B2") -> None:
    """Predicted minus true over predicted values: a dot per example.

    Args:
        axes: where to.
        y_true, y_pred: values (examples,).
        name: of the target, for the axes.
        colour: of the dots.
    """
    y_true, y_pred = np.ravel(np.asarray(y_true, dtype=float)), np.ravel(np.asarray(y_pred, dtype=float))
    if y_true.shape != y_pred.shape:
        raise InputError(f"`y_true` and `y_pred` must be of one length; received {len(y_true)} and {len(y_pred)}")
    error = y_pred - y_true
    few = np.clip(300 / max(len(error), 1), 0.02, 1.0)
    axes.axhline(0, color=INK, linewidth=1.2, zorder=2)
    axes.scatter(y_pred, error, s=4 + 14 * few, color=colour, alpha=0.15 + 0.5 * few, linewidths=0, zorder=3)
    quieten(axes)
    name_axes(axes, f"predicted {name}", f"predicted − true {name}")
    spread, bias = float(np.nanstd(error)), float(np.nanmean(error))
    title(axes, "Residuals", f"{len(error):,} examples; mean {bias:.3g}, standard deviation {spread:.3g}")
