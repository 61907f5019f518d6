"""Pipelines: frames → ``tf.data``. Everything learnt here is learnt from training rows only.

They promise that nothing after a window's last input time reaches its inputs. They know no model and read no file.
"""

from .defaults import derive_tokens, derive_window
from .example_folds import ExampleFold, example_folds, example_split
from .examples import Encoded, ExamplePipeline
from .language import LanguagePipeline, Stream
from .ragged import Examples, Ragged
from .readers import TokenReader, ValueReader
from .series import SeriesPipeline
from .splits import Fold, rolling_origin, single_split
from .windows import Windows, window_table

__all__ = [
    "Encoded",
    "ExampleFold",
    "ExamplePipeline",
    "Examples",
    "Fold",
    "LanguagePipeline",
    "Ragged",
    "SeriesPipeline",
    "Stream",
    "TokenReader",
    "ValueReader",
    "Windows",
    "derive_tokens",
    "derive_window",
    "example_folds",
    "example_split",
    "rolling_origin",
    "single_split",
    "window_table",
]
