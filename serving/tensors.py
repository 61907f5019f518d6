"""``TensorProto`` ↔ arrays, as TensorFlow Serving's clients write and read them.

Source: tensorflow/core/framework/tensor.cc (FromProto, AsProtoField).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from .status import invalid

# An array is not greater than the greatest message; much smaller is one that a few bytes of a request ask for.
_MOST_BYTES = 2**31 - 1
_MOST_FILLED = 2**28
_MOST_AXES = 254

# Where values of a type stand in a TensorProto.
_FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "int8": "int_val",
    "int16": "int_val",
    "int32": "int_val",
    "uint8": "int_val",
    "uint16": "int_val",
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    "string": "string_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
}


def array_of(name: str, proto: Any) -> np.ndarray:
    """An array from a request: from ``tensor_content``, or from typed fields of which the last value is repeated.

    Raises:
        ServingError: INVALID_ARGUMENT ``tensor parsing error: NAME``.
    """
    try:
        dtype = tf.as_dtype(proto.dtype)
        shape = [axis.size for axis in proto.tensor_shape.dim]
        size = math.prod(shape)
        known = dtype.name in _FIELDS and not proto.tensor_shape.unknown_rank and len(shape) <= _MOST_AXES
        if not known or min(shape, default=0) < 0 or size * max(dtype.size or 16, 1) > _MOST_BYTES:
            raise ValueError
        if proto.tensor_content:
            return _of_content(proto.tensor_content, dtype, shape)
        return _of_fields(getattr(proto, _FIELDS[dtype.name]), dtype, shape, size)
    except (TypeError, ValueError, OverflowError) as error:
        raise invalid(f"tensor parsing error: {name}") from error


def _of_content(content: bytes, dtype: tf.DType, shape: list[int]) -> np.ndarray:
    if dtype == tf.string:
        raise ValueError  # no client writes strings so
    return np.frombuffer(content, dtype.as_numpy_dtype).reshape(shape)


def _of_fields(values: Any, dtype: tf.DType, shape: list[int], size: int) -> np.ndarray:
    if dtype == tf.string:
        flat = np.array([b"", *values], object)[1:]
    elif dtype.name in ("float16", "bfloat16"):
        flat = np.array(values, np.uint16).view(dtype.as_numpy_dtype)
    elif dtype.is_complex:
        flat = np.array(values, np.float64 if dtype == tf.complex128 else np.float32).view(dtype.as_numpy_dtype)
    else:
        flat = np.array(values, dtype.as_numpy_dtype)
    if len(flat) > size:
        raise ValueError
    if len(flat) < size:
        if size * flat.dtype.itemsize > _MOST_FILLED:
            raise ValueError
        rest = flat[-1] if len(flat) else (b"" if dtype == tf.string else dtype.as_numpy_dtype())
        filled = np.full(size, rest, flat.dtype)
        filled[: len(flat)] = flat
        flat = filled
    return flat.reshape(shape)


def proto_of(array: np.ndarray) -> Any:
    """A ``TensorProto`` with every value in its typed field, which is where clients look."""
    dtype = tf.as_dtype(array.dtype)
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum)
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    as_list = _AS_LISTS.get(dtype.name, _plain)
    getattr(proto, _FIELDS[dtype.name]).extend(as_list(array.ravel()))
    return proto


def _plain(flat: np.ndarray) -> list[Any]:
    return flat.tolist()


_AS_LISTS: dict[str, Callable[[np.ndarray], list[Any]]] = {
    "string": lambda flat: [value if isinstance(value, bytes) else str(value).encode() for value in flat],
    "float16": lambda flat: flat.view(np.uint16).tolist(),
    "bfloat16": lambda flat: flat.view(np.uint16).tolist(),
    "complex64": lambda flat: flat.view(np.float32).tolist(),
    "complex128": lambda flat: flat.view(np.float64).tolist(),
}
