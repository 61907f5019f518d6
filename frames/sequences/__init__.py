"""Examples: texts or sequences of numbers, each with a class, a number or a class per step, or with no target."""

from .panel_frame import PanelFrame
from .text_frame import TextFrame

__all__ = ["PanelFrame", "TextFrame"]
