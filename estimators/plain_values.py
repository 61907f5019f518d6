"""Parameters and fitted attributes as JSON and back: arrays, tuples and labels keep their types; nothing is pickled."""

from __future__ import annotations

from typing import Any

import numpy as np


def to_json(value: Any) -> Any:
    """A value as JSON has it.

    Raises:
        TypeError: if it is neither a number, a text, an array nor a collection of such.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray):
        return {"array": [to_json(item) for item in value.ravel().tolist()], "dtype": value.dtype.str} | {
            "shape": list(value.shape)
        }
    if isinstance(value, np.generic):
        return {"scalar": to_json(value.item()), "dtype": value.dtype.str}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [to_json(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[to_json(key), to_json(item)] for key, item in value.items()]}
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def from_json(value: Any) -> Any:
    """What :func:`to_json` was given."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "dict" in value:
        return {from_json(key): from_json(item) for key, item in value["dict"]}
    if "tuple" in value:
        return tuple(from_json(item) for item in value["tuple"])
    if "scalar" in value:
        return np.dtype(value["dtype"]).type(from_json(value["scalar"]))
    array = np.empty(len(value["array"]), np.dtype(value["dtype"]))
    for i, item in enumerate(value["array"]):  # one by one: numpy would make a matrix of tuples
        array[i] = from_json(item)
    return array.reshape(value["shape"])
