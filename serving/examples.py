"""Classify and regress: ``tf.Example`` in; labels with scores, or values, out.

Source: tensorflow_serving/servables/tensorflow/classifier.cc, regressor.cc, multi_inference.cc;
tensorflow_serving/util/json_tensor.cc.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tensorflow.core.example import example_pb2, feature_pb2
from tensorflow_serving.apis import classification_pb2, input_pb2, regression_pb2

from .json_parser import quoted
from .served_model import DEFAULT, ServedModel, Signature
from .status import Code, ServingError, invalid

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"
INPUTS, CLASSES, SCORES, OUTPUTS = "inputs", "classes", "scores", "outputs"
_INT64 = range(-(2**63), 2**63)
_UINT64_END = 2**64


# Signatures


def signature_for(model: ServedModel, name: str, method: str) -> Signature:
    """The signature asked for, if it can classify or regress; the name of its method is not looked at.

    Raises:
        ServingError: as TensorFlow Serving refuses it.
    """
    name = name or DEFAULT
    if name not in model.signatures:
        raise invalid(f"No signature was found with the name: {name}")
    return require_method(model, model.signatures[name], method)


def require_method(model: ServedModel, signature: Signature, method: str) -> Signature:
    """A signature whose inputs and outputs have the names that a method needs."""
    debug = f"SignatureDef: {model.meta_graph.signature_def[signature.name]}"
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if method == CLASSIFY:
        if len(signature.outputs) not in (1, 2):
            raise invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
        if INPUTS not in signature.inputs:
            raise ServingError(Code.FAILED_PRECONDITION, f"No classification inputs found in {debug}")
        if not {CLASSES, SCORES} & signature.outputs.keys():
            raise ServingError(
                Code.FAILED_PRECONDITION,
                f'Expected classification signature outputs to contain at least one of "{CLASSES}" or "{SCORES}". '
                f"Signature was: {debug}",
            )
        return signature
    if len(signature.outputs) != 1:
        raise invalid("Expected one output Tensor.")
    for wanted, there, what in ((INPUTS, signature.inputs, "inputs"), (OUTPUTS, signature.outputs, "outputs")):
        if wanted not in there:
            raise ServingError(Code.FAILED_PRECONDITION, f"No regression {what} found in {debug}")
    return signature


def wanted_outputs(signature: Signature, method: str) -> list[str]:
    """Names of the outputs that a method reads."""
    names = (CLASSES, SCORES) if method == CLASSIFY else (OUTPUTS,)
    return [name for name in names if name in signature.outputs]


# Examples in


def serialised(request_input: Any) -> np.ndarray:
    """An ``Input`` as serialised examples, each with the context joined to it: bytes (examples,)."""
    kind = request_input.WhichOneof("kind")
    context = b""
    if kind == "example_list_with_context":
        context = request_input.example_list_with_context.context.SerializeToString()
    examples = getattr(request_input, kind).examples if kind else ()
    if not examples:
        raise invalid("Input is empty.")
    rows = np.empty(len(examples), object)
    rows[:] = [context + example.SerializeToString() for example in examples]
    return rows


def input_of_json(document: Mapping[str, Any]) -> Any:
    """An ``Input`` from a request's ``examples`` and ``context``."""
    request_input = input_pb2.Input()
    with_context = "context" in document
    if with_context:
        context = _example(document["context"])
        request_input.example_list_with_context.context.CopyFrom(context)
    if "examples" not in document:
        raise invalid(
            f"JSON Value: {quoted(document)} When method is classify, key 'examples' is expected and was not found"
        )
    examples = document["examples"]
    if not isinstance(examples, list):
        raise invalid(f"JSON Value: {quoted(document)} Expecting 'examples' value to be an list/array")
    if not examples:
        raise invalid(f"JSON Value: {quoted(document)} 'examples' value is an empty array")
    target = request_input.example_list_with_context if with_context else request_input.example_list
    target.examples.extend(map(_example, examples))
    return request_input


def _example(value: Any) -> Any:
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {json_type(value)}")
    example = example_pb2.Example()
    for name, content in value.items():
        feature = _feature(name, content if isinstance(content, list) else [content])
        example.features.feature[_utf8(name)].CopyFrom(feature)
    return example


def _feature(name: str, values: Sequence[Any]) -> Any:
    feature = feature_pb2.Feature()
    for value in values:
        kind, plain = _feature_value(name, value)
        known = feature.WhichOneof("kind")
        if known not in (None, kind):
            word = {"bytes_list": "bytes", "float_list": "float", "int64_list": "int64"}[known]
            raise invalid(f"Unexpected element type in feature: {name} expecting type: {word}")
        getattr(feature, kind).value.append(plain)
    return feature


def _feature_value(name: str, value: Any) -> tuple[str, Any]:
    """A whole number is an int64 feature, a decimal a float one; true and false are int64."""
    if isinstance(value, bool):
        return "int64_list", int(value)
    if isinstance(value, int) and -(2**63) <= value < _UINT64_END:
        if value not in _INT64:
            raise invalid(f"Feature: {name} has uint64 element. Only int64 is supported.")
        return "int64_list", value
    if isinstance(value, int | float):
        with np.errstate(over="ignore"):
            return "float_list", float(np.float32(value))
    if isinstance(value, str):
        return "bytes_list", _utf8(value).encode()
    if is_base64(value):
        return "bytes_list", decode_base64(value)
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {json_type(value)}")


def json_type(value: Any) -> str:
    """A value's kind as RapidJSON calls it."""
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return "True" if value else "False"
    kinds: dict[type, str] = {dict: "Object", list: "Array", str: "String"}
    return kinds.get(type(value), "Number")


def is_base64(value: Any) -> bool:
    """Whether an object stands for bytes: ``b64`` is its only key and a string."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def decode_base64(value: Mapping[str, str]) -> bytes:
    """Bytes of ``{"b64": ...}``: the standard alphabet, padding may be missing."""
    text = value["b64"].rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("Unable to base64 decode") from error


def _utf8(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise invalid("JSON Parse error: The surrogate pair in string is invalid.") from error
    return text


# Results out


def classification(outputs: Mapping[str, np.ndarray], count: int) -> Any:
    """Labels and scores of each example."""
    classes, scores = outputs.get(CLASSES), outputs.get(SCORES)
    for name, values, kind, word in (
        (CLASSES, classes, np.dtype(object), "DT_STRING"),
        (SCORES, scores, np.dtype(np.float32), "DT_FLOAT"),
    ):
        if values is None:
            continue
        if values.ndim != 2:
            raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {_debug_shape(values)}")
        if values.dtype != kind:
            raise invalid(f"Expected {name} Tensor of {word}. Got: {_datatype(values)}")
        if len(values) != count:
            raise invalid(f"Expected {name} output batch size of {count}. Got: {len(values)}")
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise invalid(
            f"Tensors class and score should match in dim_size(1). Got {classes.shape[1]} vs. {scores.shape[1]}"
        )
    width = (classes if classes is not None else scores).shape[1]  # type: ignore[union-attr]  # one of them is there
    result = classification_pb2.ClassificationResult()
    for row in range(count):
        found = result.classifications.add()
        for column in range(width):
            entry = found.classes.add()
            if classes is not None:
                entry.label = classes[row, column].decode(errors="replace")
            if scores is not None:
                entry.score = scores[row, column]
    return result


def regression(outputs: Mapping[str, np.ndarray], count: int) -> Any:
    """A value for each example."""
    values = outputs[OUTPUTS]
    if not (values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1)):
        raise invalid(
            f"Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got {_debug_shape(values)}"
        )
    if len(values) != count:
        raise invalid(f"Input batch size did not match output batch size: {count} vs. {len(values)}")
    if values.dtype != np.float32:
        raise invalid(f"Expected output Tensor of DT_FLOAT.  Got: {_datatype(values)}")
    result = regression_pb2.RegressionResult()
    for value in values.ravel().tolist():
        result.regressions.add(value=value)
    return result


def _debug_shape(values: np.ndarray) -> str:
    return f"[{','.join(map(str, values.shape))}]"


def _datatype(values: np.ndarray) -> str:
    import tensorflow as tf
    from tensorflow.core.framework import types_pb2

    return types_pb2.DataType.Name(tf.as_dtype(values.dtype).as_datatype_enum)
