"""What was expected, for the person who reads an error: inputs, the closest name, an example and its curl line."""

from __future__ import annotations

import difflib
import json
from typing import Any

import numpy as np
import tensorflow as tf

from .served_model import DEFAULT, ServedModel, Signature, TensorInfo

# A longer example would bury what it explains.
_MOST_NUMBERS = 400
_IN_JSON = {
    "bool",
    "string",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
}


def signature_hint(model: ServedModel, name: str) -> str:
    """The signatures there are, the closest one first."""
    names = sorted(model.signatures)
    close = [] if name in names else difflib.get_close_matches(name, names, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    return f"{meant}signatures of {model.name} version {model.version}: {', '.join(names) or 'none'}"


def inputs_hint(model: ServedModel, signature: Signature, address: str | None = None) -> str:
    """Inputs with type and shape; with an address also an example and the curl line that sends it."""
    expected = f"expected by {signature.name} of {model.name} version {model.version}: {signature}"
    if address is None or not in_json(signature):
        return expected
    inputs = example_inputs(signature)
    if sum(array.size for array in inputs.values()) > _MOST_NUMBERS:
        return expected
    body = json.dumps(example_body(signature, inputs))
    path = f"/v1/models/{model.name}/versions/{model.version}:predict"
    quoted = body.replace("'", "'\\''")
    return f"{expected}\nexample: {body}\ncurl -d '{quoted}' {address}{path}"


def in_json(signature: Signature) -> bool:
    """Whether REST can ask it: there are inputs, and all are of types that TensorFlow Serving reads from JSON."""
    return bool(signature.inputs) and all(info.dtype.name in _IN_JSON for info in signature.inputs.values())


def example_inputs(signature: Signature) -> dict[str, np.ndarray]:
    """Zeros, false and empty texts of the shapes that a signature takes; one where any size will do."""
    return {name: _example(info) for name, info in signature.inputs.items()}


def _example(info: TensorInfo) -> np.ndarray:
    shape = [1 if size is None else size for size in (info.shape or ())]
    return np.full(shape, b"" if info.dtype == tf.string else 0, info.dtype.as_numpy_dtype)


def example_body(signature: Signature, inputs: dict[str, np.ndarray]) -> dict[str, Any]:
    """A request of the column form."""
    columns = {name: _plain(array) for name, array in inputs.items()}
    chosen = {} if signature.name == DEFAULT else {"signature_name": signature.name}
    return {**chosen, "inputs": columns if len(columns) > 1 else next(iter(columns.values()))}


def _plain(array: np.ndarray) -> Any:
    if array.dtype != object:
        return (array.real if array.dtype.kind == "c" else array).tolist()
    as_text = np.vectorize(lambda value: value.decode(errors="replace"), otypes=[object])
    return (as_text(array) if array.size else array).tolist()
