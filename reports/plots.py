"""The plots that a task may name, and what each of them draws. Importing this loads matplotlib."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from .accuracy_by_step_plot import draw_accuracy_by_step
from .confusion_plot import draw_confusion
from .error_against_cost_plot import draw_error_against_cost
from .error_by_step_plot import draw_error_by_step
from .forecast_plot import draw_forecast
from .perplexity_plot import draw_perplexity
from .predicted_against_true_plot import draw_predicted_against_true

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..comparison import Comparison


class Plot(NamedTuple):
    """A plot of a comparison.

    Attributes:
        file: name of its file.
        draw: the figure, or None where there is nothing to show.
    """

    file: str
    draw: Callable[[Comparison], Figure | None]


# By the name that ``Task.plots`` has for it.
PLOTS: dict[str, Plot] = {
    "forecast": Plot("forecast.png", draw_forecast),
    "error_by_step": Plot("error_by_step.png", draw_error_by_step),
    "confusion": Plot("confusion.png", draw_confusion),
    "predicted_against_true": Plot("predicted_against_true.png", draw_predicted_against_true),
    "accuracy_by_step": Plot("accuracy_by_step.png", draw_accuracy_by_step),
    "perplexity": Plot("perplexity.png", draw_perplexity),
    "error_against_cost": Plot("error_against_cost.png", draw_error_against_cost),
}
