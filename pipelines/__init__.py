"""Pipelines: frames → ``tf.data``. Everything learnt here is learnt from training rows only.

They promise that nothing after a window's last input time reaches its inputs. They know no model and read no file.
"""

from .defaults import derive_window
from .series import SeriesPipeline
from .splits import Fold, rolling_origin, single_split
from .windows import Windows, window_table

__all__ = ["Fold", "SeriesPipeline", "Windows", "derive_window", "rolling_origin", "single_split", "window_table"]
