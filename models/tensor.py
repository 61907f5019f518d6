"""The type of what flows between layers."""

from typing import Any

# Keras has no common type for it: a KerasTensor while a model is built, a tf.Tensor while it runs.
Tensor = Any
