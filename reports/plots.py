"""The plots of a comparison, as PNG files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..comparison import Comparison, Remembering


def write_plots(comparison: Comparison, folder: Path | str) -> list[Path]:
    """Draw what the task has to show, and ``error_against_cost.png``: what does accuracy cost?

    - Forecasts: ``forecast.png`` (what do they look like?) and ``error_by_step.png`` (how far ahead do they hold?).
    - Classification: ``confusion.png``, which class is taken for which, for up to 20 classes.
    - Regression: ``predicted_against_true.png``.
    - Tagging: ``right_by_step.png``, where does each model forget?
    - Language models: ``perplexity.png``.

    A plot without anything to show (no example, no model with a known error) is left out.

    Args:
        comparison: a finished comparison.
        folder: where the files go; made if it is not there. A file is replaced at once or not at all.

    Returns:
        The files written.

    Example:
        >>> write_plots(recurra.compare("co2"), "runs/co2")
    """
    from .drawing import save  # matplotlib is loaded here, and only here

    written = []
    for name, draw in _drawings(comparison.said["task"]).items():
        figure = draw(comparison)
        if figure is not None:
            written.append(save(figure, Path(folder) / name))
    return written


def write_remembering(remembering: Remembering, folder: Path | str) -> list[Path]:
    """Write ``remember.json``, ``remember.csv`` and ``remember.png``: where each family forgets.

    Args:
        remembering: what :func:`recurra.remember` returned.
        folder: where the files go; made if it is not there.

    Returns:
        The files written.
    """
    from .remembering_plot import write_remembering_plot

    return [*remembering.write(folder), write_remembering_plot(remembering, folder)]


def _drawings(task: str) -> dict[str, Callable[[Comparison], Figure | None]]:
    """What is drawn for a task, by the file's name."""
    from .confusion_plot import draw_confusion
    from .cost_plot import draw_error_against_cost
    from .forecast_plot import draw_forecast
    from .perplexity_plot import draw_perplexity
    from .step_plot import draw_error_by_step
    from .tag_plot import draw_right_by_step
    from .value_plot import draw_predicted_against_true

    own: dict[str, dict[str, Callable[[Comparison], Figure | None]]] = {
        "forecast": {"forecast.png": draw_forecast, "error_by_step.png": draw_error_by_step},
        "classification": {"confusion.png": draw_confusion},
        "regression": {"predicted_against_true.png": draw_predicted_against_true},
        "tagging": {"right_by_step.png": draw_right_by_step},
        "language-model": {"perplexity.png": draw_perplexity},
    }
    return {**own[task], "error_against_cost.png": draw_error_against_cost}
