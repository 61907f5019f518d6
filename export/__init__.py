"""Export: SeriesPredictor → SavedModel with the preprocessing inside, checked by reloading it.

``saved_models/NAME/VERSION`` is what TensorFlow Serving polls. A version appears complete or not at all.
"""

from .examples import ExportedExamples
from .language import ExportedLanguage
from .load import load_model
from .save import save_model
from .series import ExportedSeries

__all__ = ["ExportedExamples", "ExportedLanguage", "ExportedSeries", "load_model", "save_model"]
