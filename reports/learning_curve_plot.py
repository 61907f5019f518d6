"""Validation loss by epoch: has the training ended, and did it have to be stopped?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from ..display.number_format import tick
from ..display.visible_text import visible
from ..errors import InputError
from .end_labels import LineEnd
from .figure import name_axes, quieten, title
from .model_styles import style_of_each

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..training import History

# From this ratio of the largest to the smallest loss on, a linear axis shows the first epochs and little else.
_LOG_FROM = 6.0


def learning_curve_on(axes: Axes, histories: Mapping[str, History], unit: str = "") -> list[LineEnd]:
    """A line per training, a dot at the epoch whose weights were kept.

    Args:
        axes: where to.
        histories: by name.
        unit: of the loss.

    Returns:
        The ends of the lines, which want names.
    """
    styles, ends, everything = style_of_each(list(histories)), [], []
    for name, history in histories.items():
        losses = np.asarray(history.losses, dtype=float)
        if not np.isfinite(losses).any():
            raise InputError(f"the training of {name!r} has no finite loss to draw")
        epochs = np.arange(1, len(losses) + 1)
        axes.plot(epochs, losses, **styles[name].line)
        axes.plot(history.best_epoch, history.best_loss, marker="o", markersize=6, color=styles[name].colour, zorder=4)
        ends.append(LineEnd(visible(name), float(epochs[-1]), float(losses[-1]), styles[name].colour))
        everything.append(losses)
    _scale(axes, np.concatenate(everything))
    quieten(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, min_n_ticks=1))
    name_axes(axes, "epoch", f"validation loss{f' in {unit}' if unit else ''}")
    title(axes, "Learning curve", _below(histories))
    return ends


def _below(histories: Mapping[str, History]) -> str:
    words = "dot: the epoch whose weights were kept"
    if len(histories) > 1:
        return words
    history = next(iter(histories.values()))
    if not history.seconds:  # an estimator keeps the losses alone
        return words
    return f"{words}; ended by {history.stopped_by} after {history.seconds:.3g} s"


def _scale(axes: Axes, losses: np.ndarray) -> None:
    known = losses[np.isfinite(losses)]
    low, high = float(known.min()), float(known.max())
    if low > 0 and high / low > _LOG_FROM:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(tick))
