"""Reports: a finished comparison as tables for the terminal and as plots.

They read what a :class:`recurra.comparison.Comparison` holds and compute nothing new. The plots need matplotlib, which
is imported when the first one is drawn.
"""

from .plots import write_plots, write_remembering
from .remembering_table import remembering_table
from .tables import class_counts, leaderboard, notes, tests_table, verdict_panel

__all__ = [
    "class_counts",
    "leaderboard",
    "notes",
    "remembering_table",
    "tests_table",
    "verdict_panel",
    "write_plots",
    "write_remembering",
]
