"""The three plots of a comparison, as PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..comparison import Comparison


def write_plots(comparison: Comparison, folder: Path | str) -> list[Path]:
    """Draw ``forecast.png``, ``error_by_step.png`` and ``error_against_cost.png``.

    They answer: what do the forecasts look like, how far ahead do they hold, and what does accuracy cost. A plot
    without anything to show (no example forecast, no model with a known error) is left out.

    Args:
        comparison: a finished comparison.
        folder: where the files go; made if it is not there. A file is replaced at once or not at all.

    Returns:
        The files written.

    Example:
        >>> write_plots(recurra.compare("co2"), "runs/co2")
    """
    from .cost_plot import draw_error_against_cost  # matplotlib is loaded here, and only here
    from .drawing import save
    from .forecast_plot import draw_forecast
    from .step_plot import draw_error_by_step

    drawings = {
        "forecast.png": draw_forecast,
        "error_by_step.png": draw_error_by_step,
        "error_against_cost.png": draw_error_against_cost,
    }
    written = []
    for name, draw in drawings.items():
        figure = draw(comparison)
        if figure is not None:
            written.append(save(figure, Path(folder) / name))
    return written
