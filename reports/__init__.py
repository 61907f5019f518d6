"""Reports: a finished comparison as tables for the terminal, as plots.

They read what a :class:`recurra.comparison.Comparison` holds and compute nothing new: which columns, captions and plots
there are is said by its task. The plots need matplotlib, which is imported when the first one is drawn.
"""

from .audit_terminal import audit_report
from .inspection_terminal import inspection_report
from .leaderboard import leaderboard
from .memory_table import gradient_table, memory_table
from .terminal import class_counts, notes, terminal_report, tests_table, verdict_panel
from .writing import write_memory_result, write_plots

__all__ = [
    "audit_report",
    "class_counts",
    "gradient_table",
    "inspection_report",
    "leaderboard",
    "memory_table",
    "notes",
    "terminal_report",
    "tests_table",
    "verdict_panel",
    "write_memory_result",
    "write_plots",
]
