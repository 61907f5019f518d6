"""A network, and the arrays of a fitted baseline, on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..atomic import replacing

if TYPE_CHECKING:
    import keras

_NETWORK, _ARRAYS = "model.keras", "arrays.npz"


def write_network(folder: Path, model: keras.Model) -> None:
    """Write ``model.keras``, whole or not at all."""
    with replacing(folder / _NETWORK) as file:
        model.save(file)


def read_network(folder: Path) -> keras.Model:
    """Read what :func:`write_network` wrote; the layers of this package are registered by importing ``models``."""
    import keras

    from .. import models  # noqa: F401

    return keras.saving.load_model(folder / _NETWORK, compile=False)


def write_arrays(folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write ``arrays.npz``, whole or not at all."""
    with replacing(folder / _ARRAYS) as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # numpy's own stubs take no mapping


def read_arrays(folder: Path) -> dict[str, np.ndarray]:
    """Read what :func:`write_arrays` wrote; nothing is unpickled."""
    with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
        return dict(arrays)


def count_parameters(model: keras.Model) -> int:
    """Weights of a network, those that training does not change included."""
    return int(model.count_params())
