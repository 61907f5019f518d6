"""Import TensorFlow without what it says about its own build."""

from __future__ import annotations

import os
import sys


def import_quietly() -> None:
    """Import TensorFlow and let it look for a GPU, with nothing written to the screen.

    Its messages are about how it was built and not about anybody's data. They come from before its logging is set up,
    so TF_CPP_MIN_LOG_LEVEL alone does not stop them. Where it is imported already, nothing happens.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_physical_devices()  # looks for a GPU now, and says so now
        finally:
            os.dup2(kept, 2)
            os.close(kept)
