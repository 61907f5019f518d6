"""Frames: tables whose columns have roles, checked when made.

They stand on the lowest floor because data sets make them and pipelines read them, and those two never import
one another. A frame holds what was observed; it fills no gap (that is the pipeline's work, fitted per fold).
"""

from .targets import Targets
from .corpus import CorpusFrame
from .fingerprint import data_hash
from .panel import PanelFrame
from .season import detect_season
from .series import SeriesFrame
from .text import TextFrame

__all__ = ["Targets", "CorpusFrame", "PanelFrame", "SeriesFrame", "TextFrame", "data_hash", "detect_season"]
