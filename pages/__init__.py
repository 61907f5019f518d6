"""Pages: one self-contained HTML file out of sections, figures and tables; opens offline, prints, reads without script.

They know neither comparison nor model: whoever has something to show makes :class:`Section` out of it. Figures are
inline SVG in the colours of the page, light or dark; every string is escaped when it is put in.
"""

from .page import Choice, Figure, Page, Section, Table, render, write_page
from .svg import bars, heat_map, intervals, lines

__all__ = [
    "Choice",
    "Figure",
    "Page",
    "Section",
    "Table",
    "bars",
    "heat_map",
    "intervals",
    "lines",
    "render",
    "write_page",
]
