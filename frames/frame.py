"""Any of the four frames, for annotations."""

from .corpus import CorpusFrame
from .sequences import PanelFrame, TextFrame
from .series import SeriesFrame

Frame = SeriesFrame | TextFrame | PanelFrame | CorpusFrame
