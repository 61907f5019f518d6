"""Settings for all tests; nothing here is imported by the package."""

import os

from hypothesis import settings

# Read once, when TensorFlow is first imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# A first example may compile a graph, and the machines that run the tests are shared: no example is too slow.
settings.register_profile("recurra", deadline=None)
settings.load_profile("recurra")
