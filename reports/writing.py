"""Write plots as PNG files; matplotlib is loaded when the first one is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..diagnostics import MemoryResult

# Every task has it: what does accuracy cost?
_ALWAYS = "error_against_cost"


def write_plots(comparison: Comparison, folder: Path | str) -> list[Path]:
    """Draw the plots that the task names, and ``error_against_cost.png``.

    - Forecasts: ``forecast.png`` (what do they look like?) and ``error_by_step.png`` (how far ahead do they hold?).
    - Classification: ``confusion.png``, which class is taken for which, for up to 20 classes.
    - Regression: ``predicted_against_true.png``.
    - Tagging: ``accuracy_by_step.png``, where does each model forget?
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
    from .figure import save
    from .plots import PLOTS

    written = []
    for name in dict.fromkeys([*comparison.task.plots, _ALWAYS]):
        figure = PLOTS[name].draw(comparison)
        if figure is not None:
            written.append(save(figure, Path(folder) / PLOTS[name].file))
    return written


def write_memory_result(result: MemoryResult, folder: Path | str) -> list[Path]:
    """Write ``memory.json``, ``memory.csv`` and ``memory.png``: where each family forgets.

    Args:
        result: what :func:`recurra.diagnostics.measure_memory` returned.
        folder: where the files go; made if it is not there.

    Returns:
        The files written.
    """
    from .figure import save
    from .memory_plot import draw_memory

    return [*result.write(folder), save(draw_memory(result), Path(folder) / "memory.png")]
