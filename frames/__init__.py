"""Frames: tables whose columns have roles, checked when made.

They stand on the lowest floor because data sets make them and pipelines read them, and those two never import
one another. A frame holds what was observed; filling gaps is the pipeline's work, fitted per fold.

``series/`` holds time series on a regular axis, ``sequences/`` examples: texts and panels with one target each.
"""

from .corpus import CorpusFrame
from .description import describe
from .fingerprint import data_hash
from .frame import Frame
from .sequences import PanelFrame, TextFrame
from .series import SeriesFrame, detect_season
from .targets import Targets

__all__ = [
    "CorpusFrame",
    "Frame",
    "PanelFrame",
    "SeriesFrame",
    "Targets",
    "TextFrame",
    "data_hash",
    "describe",
    "detect_season",
]
