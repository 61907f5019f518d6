"""A description of the REST API in OpenAPI, made from the signatures of what is being served.

Source: https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .. import __version__
from .hints import example_body, example_inputs, in_json
from .repository import Repository
from .served_model import DEFAULT, ServedModel, Signature, TensorInfo
from .status import ServingError

Schema = dict[str, Any]

_BYTES: Schema = {
    "type": "object",
    "properties": {"b64": {"type": "string", "contentEncoding": "base64"}},
    "required": ["b64"],
    "additionalProperties": False,
}
_ERROR: Schema = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
_MOST_NUMBERS = 2_000


def openapi(repository: Repository) -> Schema:
    """The document for the models that answer now."""
    paths: Schema = {}
    for name in repository.names():
        try:
            with repository.lease(name) as model:
                paths |= _paths(model)
        except ServingError:  # known, but not served
            continue
    return {
        "openapi": "3.1.0",
        "info": {"title": "recurra serve", "version": __version__, "description": "TensorFlow Serving's REST API."},
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR, "Bytes": _BYTES}},
    }


def _paths(model: ServedModel) -> Schema:
    path = f"/v1/models/{model.name}"
    return {
        path: {"get": _operation(f"Status of {model.name}", _object("model_version_status", {"type": "array"}))},
        f"{path}/metadata": {
            "get": _operation(f"Signatures of {model.name}", _object("metadata", {"type": "object"})),
        },
        f"{path}:predict": {"post": _predict(model)},
    }


def _predict(model: ServedModel) -> Schema:
    signatures = {name: s for name, s in model.signatures.items() if in_json(s)}
    forms = [form for signature in signatures.values() for form in (_columns(signature), _rows(signature))]
    answer = {
        "type": "object",
        "anyOf": [{"required": ["predictions"]}, {"required": ["outputs"]}],
        "properties": {"predictions": {"type": "array"}, "outputs": {}},
    }
    operation = _operation(f"Predict with {model.name}", answer)
    samples = {name: sample for name, signature in signatures.items() if (sample := _sample(signature))}
    content: Schema = {"schema": {"anyOf": forms} if forms else {"type": "object"}}
    if samples:
        content["examples"] = {name: {"value": sample} for name, sample in samples.items()}
    return operation | {"requestBody": {"required": True, "content": {"application/json": content}}}


def _sample(signature: Signature) -> Schema | None:
    inputs = example_inputs(signature)
    return example_body(signature, inputs) if sum(a.size for a in inputs.values()) <= _MOST_NUMBERS else None


def _columns(signature: Signature) -> Schema:
    columns = {name: _tensor(info, info.shape) for name, info in signature.inputs.items()}
    inputs = _complete(columns)
    return _request(signature, "inputs", {"anyOf": [inputs, *columns.values()]} if len(columns) == 1 else inputs)


def _rows(signature: Signature) -> Schema:
    rows = {
        name: _tensor(info, None if info.shape is None else info.shape[1:]) for name, info in signature.inputs.items()
    }
    row = {"anyOf": [_complete(rows), *rows.values()]} if len(rows) == 1 else _complete(rows)
    return _request(signature, "instances", {"type": "array", "items": row, "minItems": 1})


def _request(signature: Signature, key: str, values: Schema) -> Schema:
    required = [key] if signature.name == DEFAULT else ["signature_name", key]
    return {
        "type": "object",
        "properties": {"signature_name": {"const": signature.name}, key: values},
        "required": required,
        "additionalProperties": False,
    }


def _complete(properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _tensor(info: TensorInfo, shape: tuple[int | None, ...] | None) -> Schema:
    schema = _value(info.dtype)
    for size in reversed(shape or ()):
        schema = {"type": "array", "items": schema}
        schema |= {"minItems": 1} if size is None else {"minItems": size, "maxItems": size}
    return schema


def _value(dtype: tf.DType) -> Schema:
    if dtype == tf.string:
        return {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/Bytes"}]}
    if dtype == tf.bool:
        return {"type": "boolean"}
    if dtype.is_integer:
        return {"type": "integer", "minimum": int(dtype.min), "maximum": int(dtype.max)}
    return {"type": "number"}


def _object(key: str, schema: Schema) -> Schema:
    return {"type": "object", "properties": {key: schema}, "required": [key]}


def _operation(summary: str, answer: Schema) -> Schema:
    def response(description: str, schema: Schema) -> Schema:
        return {"description": description, "content": {"application/json": {"schema": schema}}}

    error = {"$ref": "#/components/schemas/Error"}
    return {
        "summary": summary,
        "responses": {
            "200": response("The answer.", answer),
            "400": response("What was wrong with the request, and what was expected.", error),
            "404": response("No such model or version.", error),
            "413": response("The body is too large.", error),
            "503": response("Too many requests are waiting.", error),
        },
    }
