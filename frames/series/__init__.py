"""Time series: a table with a time column becomes rows on a regular axis, one or many series."""

from .following_times import following_seconds
from .season import detect_season, typical_length
from .series_frame import SeriesFrame

__all__ = ["SeriesFrame", "detect_season", "following_seconds", "typical_length"]
