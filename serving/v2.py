"""The Open Inference Protocol, version 2, over HTTP.

Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .. import __version__
from .bodies import Bodies
from .hints import inputs_hint, signature_hint
from .json_parser import parse_object
from .json_tensor import decimals, json_string
from .rest import Log, error_response
from .served_model import DEFAULT, ServedModel, Signature, TensorInfo
from .service import ModelSpec, Service
from .status import Code, ServingError, hinting, invalid, not_found
from .streams import Streams

_DATATYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    "string": "BYTES",
}
_TYPES = {datatype: tf.as_dtype(name) for name, datatype in _DATATYPES.items()}
_KEYS = ("id", "parameters", "inputs", "outputs")
_BASE64 = "base64"


class V2Api:
    """Health, metadata and inference.

    Args:
        service: the models.
        streams: what sequences are.
        bodies: reads requests.
        strict: write null in place of NaN and infinities.
    """

    def __init__(self, service: Service, streams: Streams, bodies: Bodies, *, strict: bool = False) -> None:
        self.service, self.streams, self.bodies, self.strict = service, streams, bodies, strict

    def routes(self) -> list[Route]:
        """For Starlette."""
        versions = ("/v2/models/{name}", "/v2/models/{name}/versions/{version}")
        return [
            Route("/v2", self._server),
            Route("/v2/health/live", self._live),
            Route("/v2/health/ready", self._ready),
            *(Route(path, self._counted("metadata", self._metadata)) for path in versions),
            *(Route(f"{path}/ready", self._counted("ready", self._model_ready)) for path in versions),
            *(Route(f"{path}/infer", self._counted("infer", self._infer), methods=["POST"]) for path in versions),
        ]

    async def _server(self, request: Request) -> Response:  # noqa: ARG002  (a route's form)
        return JSONResponse({"name": "recurra", "version": __version__, "extensions": ["sequence"]})

    async def _live(self, request: Request) -> Response:  # noqa: ARG002
        return JSONResponse({"live": True})

    async def _ready(self, request: Request) -> Response:  # noqa: ARG002
        ready = self.service.repository.ready
        return JSONResponse({"ready": ready}, 200 if ready else 503)

    def _counted(
        self, api: str, answer: Callable[[Request, ModelSpec, Log], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            log, started, code = Log(), time.perf_counter(), Code.OK
            name = request.path_params["name"]
            try:
                response = await answer(request, _spec(request), log)
            except ServingError as error:
                response, code = error_response(error), error.code
            self.service.finished(
                name, api=api, entrypoint="V2", code=code, started=started, version=log.version, signature=log.signature
            )
            response.headers.update(log.headers)
            return response

        return handle

    async def _metadata(self, request: Request, spec: ModelSpec, log: Log) -> Response:
        async with self.service.lease(spec) as model:
            log.saw(model)
            name = request.query_params.get("signature_name", DEFAULT)
            signature = _signature(model, name if name in model.signatures else next(iter(model.signatures), DEFAULT))
            return JSONResponse(
                {
                    "name": model.name,
                    "versions": [str(number) for number in sorted(self.service.repository.available(model.name))],
                    "platform": "tensorflow_savedmodel",
                    "inputs": [_described(info) for info in signature.inputs.values()],
                    "outputs": [_described(info) for info in signature.outputs.values()],
                }
            )

    async def _model_ready(self, request: Request, spec: ModelSpec, log: Log) -> Response:  # noqa: ARG002
        available = self.service.repository.available(spec.name)
        ready = spec.version in available if spec.version is not None else bool(available)
        if not ready:
            self.service.repository.status(spec.name, spec.version)  # an unknown one is 404
        return JSONResponse({"name": spec.name, "ready": ready}, 200 if ready else 503)

    async def _infer_sequence(
        self, document: dict[str, Any], spec: ModelSpec, log: Log, sequence: int | str
    ) -> Response:
        """A push to the stream that Triton's clients call a sequence."""
        start, end = _flag(document, "sequence_start"), _flag(document, "sequence_end")
        step = await self.streams.observation_of(spec, sequence, start=start)
        wanted = _wanted(
            document, replace(step.signature, outputs={n: step.signature.outputs[n] for n in step.predicted})
        )
        inputs = _inputs(document, step.observation)
        if missing := set(step.observation.inputs) - set(inputs):
            raise invalid(f"missing input {min(missing)}; an observation is {step.observation}")
        stream, found = await self.streams.sequence(spec, sequence, inputs, start=start, end=end)
        log.saw(stream.model, step.signature.name)
        outputs = [
            _written(name, array, wanted.get(name, {}), self.strict)
            for name, array in found.items()
            if not wanted or name in wanted
        ]
        return Response(_response(stream.model, document, outputs), media_type="application/json")

    async def _infer(self, request: Request, spec: ModelSpec, log: Log) -> Response:
        if "inference-header-content-length" in request.headers:
            raise invalid("binary tensor data is not supported; send tensors as JSON")
        body = await self.bodies.read(request)
        document = await self.service.runner.in_thread(_parsed, body)
        if (sequence := _sequence(document)) is not None:
            return await self._infer_sequence(document, spec, log, sequence)
        async with self.service.lease(spec) as model:
            signature = _signature(model, str(_parameters(document).get("signature_name", DEFAULT)))
            log.saw(model, signature.name)
            with hinting(lambda: inputs_hint(model, signature)):
                inputs = _inputs(document, signature)
                wanted = _wanted(document, signature)
                answer = await self.service.call(model, signature, inputs, outputs=list(wanted) or None)
                outputs = [
                    _written(name, array, wanted.get(name, {}), self.strict) for name, array in answer.outputs.items()
                ]
            if answer.warnings:
                log.headers["recurra-warning"] = "; ".join(answer.warnings)
            return Response(_response(model, document, outputs), media_type="application/json")


def _sequence(document: dict[str, Any]) -> int | str | None:
    """The sequence that a request belongs to; None, 0 or an empty text if to none."""
    number = _parameters(document).get("sequence_id")
    if number is not None and type(number) not in (int, str):
        raise invalid(f"sequence_id must be a whole number or a text; received {number!r:.80}")
    return number or None


def _flag(document: dict[str, Any], name: str) -> bool:
    value = _parameters(document).get(name, False)
    if not isinstance(value, bool):
        raise invalid(f"{name} must be true or false; received {value!r:.80}")
    return value


def _spec(request: Request) -> ModelSpec:
    name, version = request.path_params["name"], request.path_params.get("version")
    if version is None:
        return ModelSpec(name)
    if not (version.isascii() and version.isdecimal()) or len(version) > 18:
        raise not_found(f"Servable not found for request: Specific({name}, {version})")
    return ModelSpec(name, int(version))


def _signature(model: ServedModel, name: str) -> Signature:
    if name not in model.signatures:
        error = not_found(f"{model.name} has no signature {name!r}")
        error.hint = signature_hint(model, name)
        raise error
    return model.signatures[name]


def _described(info: TensorInfo) -> dict[str, Any]:
    shape = [-1] if info.shape is None else [-1 if size is None else size for size in info.shape]
    return {"name": info.name, "datatype": _DATATYPES.get(info.dtype.name, info.dtype.name.upper()), "shape": shape}


def _parsed(body: bytes) -> dict[str, Any]:
    return parse_object(body, wanted=_KEYS)


def _parameters(owner: dict[str, Any]) -> dict[str, Any]:
    parameters = owner.get("parameters", {})
    if not isinstance(parameters, dict):
        raise invalid("parameters must be an object")
    return parameters


def _inputs(document: dict[str, Any], signature: Signature) -> dict[str, np.ndarray]:
    tensors = document.get("inputs")
    if not isinstance(tensors, list):
        raise invalid("the request needs inputs: a list of tensors with name, shape, datatype and data")
    arrays: dict[str, np.ndarray] = {}
    for tensor in tensors:
        if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
            raise invalid("each input must be an object with name, shape, datatype and data")
        name = tensor["name"]
        if name in arrays:
            raise invalid(f"input {name} is given twice")
        if name not in signature.inputs:
            raise invalid(f"{signature.name} has no input {name}")
        arrays[name] = _array(name, tensor, signature.inputs[name])
    return arrays


def _array(name: str, tensor: dict[str, Any], info: TensorInfo) -> np.ndarray:
    datatype, shape = tensor.get("datatype"), tensor.get("shape")
    if datatype not in _TYPES:
        raise invalid(f"input {name}: datatype must be one of {', '.join(_TYPES)}")
    if _TYPES[datatype] != info.dtype:
        raise invalid(f"input {name} must be {_DATATYPES.get(info.dtype.name, info.dtype.name)}, but is {datatype}")
    if not isinstance(shape, list) or not all(type(size) is int and 0 <= size < 2**31 for size in shape):
        raise invalid(f"input {name}: shape must be a list of whole numbers")
    values = _flattened(tensor.get("data"))
    if len(values) != math.prod(shape):
        raise invalid(f"input {name}: data holds {len(values)} values, shape {shape} {math.prod(shape)}")
    base64_given = _parameters(tensor).get("content_type") == _BASE64
    array = np.empty(len(values), info.dtype.as_numpy_dtype)
    try:
        with np.errstate(over="ignore"):
            array[:] = [_plain(value, info.dtype, base64_given) for value in values]
        return array.reshape(shape)
    except (TypeError, ValueError, OverflowError) as error:
        raise invalid(f"input {name}: data holds what is not {datatype}: {error}") from error


def _flattened(data: Any) -> list[Any]:
    """Values of flat or nested lists, row by row."""
    if not isinstance(data, list):
        raise invalid("data must be a list")
    flat, todo = [], [iter(data)]
    while todo:
        for value in todo[-1]:
            if isinstance(value, list):
                todo.append(iter(value))
                break
            flat.append(value)
        else:
            todo.pop()
    return flat


def _plain(value: Any, dtype: tf.DType, is_base64: bool) -> Any:
    if dtype == tf.string:
        if not isinstance(value, str):
            raise TypeError(f"{value!r:.80}")
        if not is_base64:
            return value.encode()
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise ValueError(f"{value!r:.80} is not base64") from error
    kinds = bool if dtype == tf.bool else int if dtype.is_integer else (int, float)
    if not isinstance(value, kinds) or (isinstance(value, bool) and dtype != tf.bool):
        raise TypeError(f"{value!r:.80}")
    if dtype.is_integer and not dtype.min <= value <= dtype.max:
        raise ValueError(f"{value} does not fit")
    return value


def _wanted(document: dict[str, Any], signature: Signature) -> dict[str, dict[str, Any]]:
    """Parameters of the outputs that are asked for, by name; all of them if none is named."""
    named = document.get("outputs", [])
    if not isinstance(named, list):
        raise invalid("outputs must be a list of objects with a name")
    wanted: dict[str, dict[str, Any]] = {}
    for output in named:
        if not isinstance(output, dict) or output.get("name") not in signature.outputs:
            name = output.get("name") if isinstance(output, dict) else output
            raise invalid(f"{signature.name} has no output {name!r:.80}; outputs: {', '.join(signature.outputs)}")
        wanted[output["name"]] = _parameters(output)
    return wanted


def _written(name: str, array: np.ndarray, parameters: dict[str, Any], strict: bool) -> bytes:
    datatype = _DATATYPES.get(tf.as_dtype(array.dtype).name)
    if datatype is None:
        raise invalid(f"output {name} is of type {tf.as_dtype(array.dtype).name}, which the protocol has not")
    data, as_base64 = _data(array.ravel(), strict, parameters.get("content_type") == _BASE64)
    note = ', "parameters": {"content_type": "base64"}' if as_base64 else ""
    head = f'"shape": {list(array.shape)}, "datatype": "{datatype}"{note}, "data": ['
    return b'{"name": ' + json_string(name) + b", " + head.encode() + b", ".join(data) + b"]}"


def _data(flat: np.ndarray, strict: bool, as_base64: bool) -> tuple[list[bytes], bool]:
    """Values as JSON, and whether bytes are in base64: wanted so, or no text."""
    if flat.dtype == object:
        as_base64 = as_base64 or not all(map(_is_text, flat))
        return [b'"' + base64.b64encode(v) + b'"' if as_base64 else json_string(v) for v in flat], as_base64
    if flat.dtype == bool:
        return [b"true" if value else b"false" for value in flat], False
    if flat.dtype.kind in "iu":
        return [b"%d" % value for value in flat.tolist()], False
    wide = flat.astype(np.float32) if flat.dtype == np.float16 else flat
    return [text.encode() for text in decimals(wide, strict=strict)], False


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _response(model: ServedModel, document: dict[str, Any], outputs: list[bytes]) -> bytes:
    head: dict[str, Any] = {"model_name": model.name, "model_version": str(model.version)}
    if "id" in document:
        if not isinstance(document["id"], str):
            raise invalid("id must be a string")
        head["id"] = document["id"]
    return json.dumps(head)[:-1].encode() + b', "outputs": [' + b", ".join(outputs) + b"]}"
