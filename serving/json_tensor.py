"""JSON ↔ tensors with TensorFlow Serving's rules, texts and number formats.

Regular requests are read by numpy at once; whatever is not regular goes value by value, in the order of TensorFlow
Serving's own parser, which finds the same first mistake.

Source: tensorflow_serving/util/json_tensor.cc.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from .examples import decode_base64, is_base64, json_type
from .json_parser import quoted
from .served_model import Signature, TensorInfo, type_name
from .status import Code, ServingError, invalid

_ROWS, _COLUMNS = "instances", "inputs"
KEYS = ("signature_name", _ROWS, _COLUMNS, "context", "examples")
_MOST_AXES = 254
_WHOLE = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}
_DECIMAL = {"float32", "float64"}


# Requests


def signature_name(document: Mapping[str, Any]) -> str:
    """The signature asked for; empty if none is."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {quoted(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    return name


def read_inputs(
    document: Mapping[str, Any], signature: Signature, *, may_hold_bools: bool
) -> tuple[dict[str, Any], bool]:
    """Arrays from ``instances`` or ``inputs``, by name, and whether they came as rows.

    Args:
        document: the request.
        signature: that is asked.
        may_hold_bools: whether true or false stands anywhere in it; numpy would take them for numbers.
    """
    if not signature.inputs:
        raise invalid(f"Failed to get input map for signature: {signature_name(document) or 'DEFAULT'}")
    if _ROWS in document:
        if _COLUMNS in document:
            raise invalid(
                f"JSON Value: {quoted(document)} Not formatted correctly expecting only one of '{_COLUMNS}' or "
                f"'{_ROWS}' keys to exist "
            )
        rows = document[_ROWS]
        if not isinstance(rows, list):
            raise invalid(f"JSON Value: {quoted(document)} Expecting '{_ROWS}' to be an list/array")
        if not rows:
            raise invalid(f"JSON Value: {quoted(document)} No values in '{_ROWS}' array")
        return _of_rows(rows, signature, may_hold_bools), True
    if _COLUMNS in document:
        return _of_columns(document[_COLUMNS], signature, may_hold_bools), False
    raise invalid(f"Missing '{_COLUMNS}' or '{_ROWS}' key")


def _of_rows(rows: list[Any], signature: Signature, may_hold_bools: bool) -> dict[str, np.ndarray]:
    infos = signature.inputs
    if not isinstance(rows[0], dict) and len(infos) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map"
        )
    columns: dict[str, list[Any]] | None = None
    if not _is_object(rows[0]):
        columns = None if any(map(_is_object, rows)) else {next(iter(infos)): rows}
    elif all(isinstance(row, dict) and row.keys() == infos.keys() for row in rows):
        columns = {name: [row[name] for row in rows] for name in infos}
    if columns is not None:
        arrays = {name: _regular(values, infos[name], may_hold_bools) for name, values in columns.items()}
        if all(array is not None for array in arrays.values()):
            return arrays  # type: ignore[return-value]  # none is None
    return _RowReader(signature).read(rows)


def _of_columns(value: Any, signature: Signature, may_hold_bools: bool) -> dict[str, np.ndarray]:
    infos = signature.inputs
    if not _is_object(value):
        if len(infos) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                "tensorinfo_map"
            )
        value = {next(iter(infos)): value}
    arrays = {}
    for name, info in infos.items():
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
        array = _regular(value[name], info, may_hold_bools)
        arrays[name] = _column(value[name], info) if array is None else array
    return arrays


def _column(value: Any, info: TensorInfo) -> np.ndarray:
    shape = _shape_of(value)
    values: list[Any] = []
    _fill(value, 0, shape, info.dtype, values)
    return _made(values, info.dtype, shape)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)


def _regular(values: Any, info: TensorInfo, may_hold_bools: bool) -> np.ndarray | None:
    """A nested list as an array, if numpy reads it as TensorFlow Serving would; None to look closer."""
    if not isinstance(values, list):
        return None
    if info.dtype == tf.string:
        return _regular_strings(values)
    if may_hold_bools or not (info.dtype.name in _WHOLE or info.dtype.name in _DECIMAL):
        return None
    try:
        array = np.array(values)
    except (ValueError, OverflowError):
        return None
    return _converted(array, info.dtype)


def _converted(array: np.ndarray, dtype: tf.DType) -> np.ndarray | None:
    """Numbers in the type that is wanted, if they are of a kind that may become it."""
    if dtype.name in _DECIMAL and array.dtype.kind in "fiu":
        with np.errstate(over="ignore"):
            return array.astype(dtype.as_numpy_dtype)
    if dtype.name in _WHOLE and array.dtype.kind in "iu" and array.size:
        limits = np.iinfo(dtype.as_numpy_dtype)
        if limits.min <= int(array.min()) and int(array.max()) <= limits.max:
            return array.astype(dtype.as_numpy_dtype)
    return None


def _regular_strings(values: list[Any]) -> np.ndarray | None:
    if all(type(value) is str for value in values):
        array = np.empty(len(values), object)
        try:
            array[:] = [value.encode() for value in values]
        except UnicodeEncodeError:
            return None
        return array
    return None


class _RowReader:
    """Rows value by value: every one has to have the first one's shape."""

    def __init__(self, signature: Signature) -> None:
        self.infos = signature.inputs
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.values: dict[str, list[Any]] = {name: [] for name in self.infos}

    def read(self, rows: list[Any]) -> dict[str, np.ndarray]:
        as_objects, only = _is_object(rows[0]), next(iter(self.infos))
        for index, row in enumerate(rows):
            if as_objects != _is_object(row):
                expected, found = ("object", "list") if as_objects else ("value/list", "object")
                raise invalid(f"Expecting {expected} but got {found} at item {index} of input list")
            if as_objects:
                self.add_object(index, row)
            else:
                self.add(f"element: {index}", only, row)
        return {
            name: _made(self.values[name], self.infos[name].dtype, (len(rows), *shape))
            for name, shape in self.shapes.items()
        }

    def add_object(self, index: int, row: dict[str, Any]) -> None:
        for name, value in row.items():
            self.add(f"element: {index} key: {name}", name, value)
        if row.keys() != self.infos.keys():
            raise invalid(
                f"Failed to process element: {index} of 'instances' list. JSON object: {quoted(row)} keys must be "
                f"equal to: {','.join(self.infos)}"
            )

    def add(self, where: str, name: str, value: Any) -> None:
        try:
            self.add_value(name, value)
        except ServingError as error:
            raise invalid(
                f"Failed to process {where} of 'instances' list. Error: {error.code.name}: {error.message}"
            ) from error

    def add_value(self, name: str, value: Any) -> None:
        if name not in self.infos:
            raise invalid(f"JSON object: does not have named input: {name}")
        shape, before = _shape_of(value), len(self.values[name])
        _fill(value, 0, shape, self.infos[name].dtype, self.values[name])
        size, first = len(self.values[name]) - before, self.shapes.setdefault(name, shape)
        if (expected := math.prod(first)) != size:
            raise invalid(f"Expecting tensor size: {expected} but got: {size}")
        if first != shape:
            raise invalid(f"Expecting shape {_axes(first)} but got: {_axes(shape)}")


def _axes(shape: Sequence[int]) -> str:
    return f"[{','.join(map(str, shape))}]"


def _shape_of(value: Any) -> tuple[int, ...]:
    """Sizes along the first elements."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    if len(shape) > _MOST_AXES:
        raise invalid(f"a tensor has at most {_MOST_AXES} axes, but a list is nested {len(shape)} deep")
    return tuple(shape)


def _fill(value: Any, level: int, shape: tuple[int, ...], dtype: tf.DType, values: list[Any]) -> None:
    """Add the values of a nested list of a shape."""
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {quoted(value)} found at incorrect level: {level + 1} in the JSON DOM. Expected at "
                f"level: {len(shape)}"
            )
        values.append(_value(value, dtype))
        return
    if level >= len(shape):
        raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        )
    for item in value:
        _fill(item, level + 1, shape, dtype, values)


def _value(value: Any, dtype: tf.DType) -> Any:
    name = dtype.name
    if name == "string":
        return _string(value, dtype)
    if name in _DECIMAL:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _double(value)
    elif name == "bool":
        if isinstance(value, bool):
            return value
    elif name in _WHOLE:
        limits = np.iinfo(dtype.as_numpy_dtype)
        if type(value) is int and limits.min <= value <= limits.max:
            return value
    else:
        raise ServingError(Code.UNIMPLEMENTED, f"Conversion of JSON Value: {quoted(value)} to type: {type_name(dtype)}")
    raise _wrong_type(value, dtype)


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise invalid("JSON Parse error: Number too big to be stored in double.") from error


def _string(value: Any, dtype: tf.DType) -> bytes:
    if isinstance(value, dict):
        if not is_base64(value):
            raise invalid(f"JSON Value: {quoted(value)} not formatted correctly for base64 data")
        return decode_base64(value)
    if not isinstance(value, str):
        raise _wrong_type(value, dtype)
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise invalid("JSON Parse error: The surrogate pair in string is invalid.") from error


def _wrong_type(value: Any, dtype: tf.DType) -> ServingError:
    return invalid(f"JSON Value: {quoted(value)} Type: {json_type(value)} is not of expected type: {type_name(dtype)}")


def _made(values: list[Any], dtype: tf.DType, shape: Sequence[int]) -> np.ndarray:
    array = np.empty(len(values), dtype.as_numpy_dtype)
    with np.errstate(over="ignore"):
        array[:] = values
    return array.reshape(shape)


# Answers


def write_rows(outputs: Mapping[str, np.ndarray], *, strict: bool = False) -> bytes:
    """``predictions``: a value, list or object for each row.

    Raises:
        ServingError: INVALID_ARGUMENT if the outputs do not agree in a first axis.
    """
    size = -1
    for name, array in outputs.items():
        if not array.ndim:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if size not in (-1, len(array)):
            raise invalid(f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {size}")
        size = len(array)
    columns = {name: _items(name, array, strict) for name, array in outputs.items()}
    if len(columns) == 1:
        [values] = columns.values()
        return b'{\n    "predictions": [' + b", ".join(values) + b"\n    ]\n}"
    names = [json_string(name.encode()) for name in columns]
    rows = [
        b"        {\n            "
        + b",\n            ".join(name + b": " + value for name, value in zip(names, row, strict=True))
        + b"\n        }"
        for row in zip(*columns.values(), strict=True)
    ]
    return b'{\n    "predictions": [\n' + b",\n".join(rows) + b"\n    ]\n}"


def write_columns(outputs: Mapping[str, np.ndarray], *, strict: bool = False) -> bytes:
    """``outputs``: the only output's values, or an object with all."""
    values = {name: _whole(name, array, strict) for name, array in outputs.items()}
    if len(values) == 1:
        [only] = values.values()
        return b'{\n    "outputs": ' + only + b"\n}"
    entries = (b"        " + json_string(name.encode()) + b": " + value for name, value in values.items())
    return b'{\n    "outputs": {\n' + b",\n".join(entries) + b"\n    }\n}"


def write_results(rows: Iterable[bytes]) -> bytes:
    """``results`` of classify and regress."""
    return b'{\n    "results": [' + b", ".join(rows) + b"\n    ]\n}"


def write_error(text: str) -> bytes:
    """``{"error": ...}``."""
    return b'{\n    "error": ' + json_string(text.encode(errors="replace")) + b"\n}"


def _items(name: str, array: np.ndarray, strict: bool) -> list[bytes]:
    """JSON of each row."""
    tokens = _tokens(name, array, strict)
    for axis in range(array.ndim - 1, 0, -1):
        tokens = _bracketed(tokens, array.shape[axis], math.prod(array.shape[:axis]))
    return tokens


def _whole(name: str, array: np.ndarray, strict: bool) -> bytes:
    if not array.ndim:
        return _tokens(name, array, strict)[0]
    return b"[" + b", ".join(_items(name, array, strict)) + b"]"


def _bracketed(tokens: list[bytes], size: int, count: int) -> list[bytes]:
    return [b"[" + b", ".join(tokens[i * size : (i + 1) * size]) + b"]" for i in range(count)]


def _tokens(name: str, array: np.ndarray, strict: bool) -> list[bytes]:
    flat = array.ravel()
    kind = flat.dtype
    if kind in (np.float32, np.float64):
        return [token.encode() for token in decimals(flat, strict=strict)]
    if kind.kind == "b":
        return [b"true" if value else b"false" for value in flat]
    if kind.kind in "iu":
        return [b"%d" % value for value in flat.tolist()]
    if kind.kind == "O":
        if name.endswith("_bytes"):
            return [b'{"b64": "' + base64.b64encode(value) + b'"}' for value in flat]
        return [json_string(value, strict=strict) for value in flat]
    raise invalid(f"Failed to write JSON value for tensor type: {type_name(tf.as_dtype(kind))}")


def decimals(flat: np.ndarray, *, strict: bool = False) -> list[str]:
    """Floating-point numbers as TensorFlow Serving writes them: six digits if that is enough, else nine or seventeen.

    Args:
        flat: float32 or float64 (n,).
        strict: null in place of NaN and infinities, which are not JSON.
    """
    numbers = flat.tolist()
    digits = ".9g" if flat.dtype == np.float32 else ".17g"
    short = [f"{number:.6g}" for number in numbers]
    with np.errstate(over="ignore"):
        exact = np.array(list(map(float, short)), np.float64).astype(flat.dtype) == flat
    texts = [
        text if same else format(number, digits)
        for text, same, number in zip(short, exact.tolist(), numbers, strict=True)
    ]
    texts = [text if "." in text or "e" in text else text + ".0" for text in texts]
    for place in np.flatnonzero(~np.isfinite(flat)).tolist():
        number = numbers[place]
        texts[place] = "null" if strict else "Infinity" if number > 0 else "-Infinity" if number < 0 else "NaN"
    return texts


_ESCAPED = {byte: b"\\u%04X" % byte for byte in range(0x20)} | {
    0x22: b'\\"',
    0x5C: b"\\\\",
    0x08: b"\\b",
    0x0C: b"\\f",
    0x0A: b"\\n",
    0x0D: b"\\r",
    0x09: b"\\t",
}


_UNSAFE = re.compile(rb'["\\\\\x00-\x1f]')


def json_string(value: bytes | str, *, strict: bool = False) -> bytes:
    """A string as JSON, its bytes as they are; in strict JSON what is not UTF-8 is replaced."""
    raw = value.encode() if isinstance(value, str) else value
    if strict:
        raw = raw.decode(errors="replace").encode()
    return b'"' + _UNSAFE.sub(lambda found: _ESCAPED[found[0][0]], raw) + b'"'
