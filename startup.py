"""Import TensorFlow without its messages, which are about its build and not about the user's data."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Keep standard error silent while TensorFlow is imported and looks for a GPU; nothing where it is there already.

    Its messages come from before its logging is set up, so TF_CPP_MIN_LOG_LEVEL alone does not stop them.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept = None
    with suppress(OSError):  # a program may have no standard error
        kept = os.dup(2)
    if kept is None:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import tensorflow as tf

        tf.config.list_physical_devices()  # looks for a GPU now, and says so now
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
