"""What frames larger than memory keep in files: mapped arrays, and what to say where there is no room for them."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..errors import InputError


def new_array(folder: Path, shape: tuple[int, ...]) -> np.memmap:
    """A new array of float64 in a file, to be written and read piece by piece; it is gone with its last user."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:  # what is mapped outlives its name
            if hasattr(os, "posix_fallocate"):  # a mapped file that finds no room later ends the process
                os.posix_fallocate(file.fileno(), 0, 8 * math.prod(shape))
            return np.memmap(file, dtype="float64", mode="r+", shape=shape)
    except OSError as error:
        raise no_room(error) from error


def written(folder: Path, parts: Iterable[np.ndarray], dtype: str) -> np.ndarray:
    """Arrays (n,) one after the other in a file; what is mapped is gone with its last user."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            for part in parts:
                file.write(part.astype(dtype).tobytes())
            file.flush()
            return np.memmap(file, dtype=dtype, mode="r") if file.tell() else np.empty(0, dtype)
    except OSError as error:
        raise no_room(error) from error


def check_here(path: Path) -> None:
    """Refuse to look for a file that another machine has."""
    if not path.exists():
        raise InputError(
            f"{path}: the files of rows larger than memory are not on this machine; name a folder that all workers "
            "share in TMPDIR"
        )


def no_room(error: OSError) -> InputError:
    """The error about a disk on which rows larger than memory find no room."""
    return InputError(
        f"the rows larger than memory cannot be kept in {tempfile.gettempdir()} ({error.strerror or error}), where "
        "twice the size of their numbers and texts is needed; make room there, or name another folder in TMPDIR"
    )
