"""Export: Predictor → SavedModel with the preprocessing inside, checked by reloading it.

``saved_models/NAME/VERSION`` is what TensorFlow Serving polls. A version appears complete or not at all.
"""

from .load import ExportedModel, load_model
from .save import save_model, write_version

__all__ = ["ExportedModel", "load_model", "save_model", "write_version"]
