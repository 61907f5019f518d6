"""TensorFlow Serving's REST API: status, metadata, predict, classify, regress.

Source: tensorflow_serving/model_servers/http_rest_api_util.cc, http_rest_api_handler.cc, http_server.cc.
"""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import unquote_to_bytes

import numpy as np
from google.protobuf import json_format
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from . import examples, json_tensor
from .bodies import Bodies
from .hints import inputs_hint, signature_hint
from .json_parser import parse_object
from .protos import metadata_response, status_response
from .served_model import DEFAULT, ServedModel, Signature
from .service import ModelSpec, Service
from .status import Code, ServingError, hinting, invalid

PATH = re.compile(r"(?i)/v1/.*", re.DOTALL)
_PREDICTION = re.compile(
    r"/v1/models/([^/:]+)(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?:(classify|regress|predict)", re.A | re.I
)
_STATUS = re.compile(
    r"/v1/models(?:/([^/:]+))?(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?(?:/(metadata))?", re.A | re.I
)
# Proxies are sent the whole address.
_ORIGIN = re.compile(r"^https?://[^/]*", re.I)
_GREATEST = 2**63 - 1
# Reading and writing JSON of this size takes about as long as a switch of threads.
_INLINE_BYTES = 32_768
_INLINE_NUMBERS = 4_096


@dataclass
class Log:
    """What is counted of a request when it is over."""

    model: str = ""
    version: str = ""
    signature: str = ""
    api: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def saw(self, model: ServedModel, signature: str = "") -> None:
        """Note which version and signature answer."""
        self.version, self.signature = str(model.version), signature
        self.headers["recurra-model-version"] = str(model.version)


class RestApi:
    """Handles what is below /v1.

    Args:
        service: the models.
        bodies: reads requests.
        strict: write null in place of NaN and infinities.
    """

    def __init__(self, service: Service, bodies: Bodies, *, strict: bool = False) -> None:
        self.service, self.bodies, self.strict = service, bodies, strict

    async def __call__(self, request: Request) -> Response:
        """Answer a request."""
        log, started = Log(), time.perf_counter()
        try:
            response, code = await self._answer(request, log), Code.OK
        except ServingError as error:
            response, code = error_response(error), error.code
        if log.model:
            self.service.finished(
                log.model,
                api=log.api,
                entrypoint="REST",
                code=code,
                started=started,
                version=log.version,
                signature=log.signature,
            )
        response.headers.update(log.headers)
        return response

    async def _answer(self, request: Request, log: Log) -> Response:
        path = raw_path(request)
        if request.method == "POST" and (found := _PREDICTION.fullmatch(path)) and found[4] in self._methods:
            spec = _spec(found, log)
            log.api = found[4]
            return _json(await self._methods[found[4]](self, request, spec, log))
        if request.method == "GET" and (found := _STATUS.fullmatch(path)):
            spec = _spec(found, log)
            if not spec.name:
                return self._list(request)
            if found[4]:
                log.api = "metadata"
                return _json(await self._metadata(spec, log))
            log.api = "status"
            return _json(_printed(_plain(status_response(self.service.repository, spec))))
        raise invalid(f"Malformed request: {request.method} {path}")

    # GET

    def _list(self, request: Request) -> Response:
        """The list of models, for those who ask for it: TensorFlow Serving has none and says so."""
        repository = self.service.repository
        models = [
            {
                "name": name,
                "versions": sorted(repository.available(name), reverse=True),
                "labels": repository.labels(name),
            }
            for name in repository.names()
        ]
        if "list" in request.query_params:
            return _json(_printed({"models": models}))
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(_list_page(models))
        error = invalid("Missing model name in request.")
        error.hint = f"the list of models is at /v1/models?list: {', '.join(repository.names()) or 'none'}"
        raise error

    async def _metadata(self, spec: ModelSpec, log: Log) -> bytes:
        async with self.service.lease(spec) as model:
            log.saw(model)
            return _printed_metadata(model)

    # POST

    async def _predict(self, request: Request, spec: ModelSpec, log: Log) -> bytes:
        body = await self.bodies.read(request)
        document = await self._off_loop(len(body) > _INLINE_BYTES, _parsed, body)
        name = json_tensor.signature_name(document)
        async with self.service.lease(spec) as model:
            signature = _signature(model, name)
            log.saw(model, signature.name)
            with hinting(lambda: inputs_hint(model, signature, address_of(request))):
                inputs, rows = await self._off_loop(len(body) > _INLINE_BYTES, _read_inputs, document, signature, body)
                answer = await self.service.call(model, signature, inputs)
                write = json_tensor.write_rows if rows else json_tensor.write_columns
                size = sum(array.size for array in answer.outputs.values())
                text: bytes = await self._off_loop(size > _INLINE_NUMBERS, self._written, write, answer.outputs)
        if answer.warnings:
            log.headers["recurra-warning"] = "; ".join(answer.warnings)
        return text

    def _written(self, write: Callable[..., bytes], outputs: Any) -> bytes:
        return write(outputs, strict=self.strict)

    async def _classify(self, request: Request, spec: ModelSpec, log: Log) -> bytes:
        result = await self._on_examples(request, spec, log, examples.CLASSIFY, examples.classification)
        return json_tensor.write_results(
            b"[" + b", ".join(self._label_and_score(entry) for entry in found.classes) + b"]"
            for found in result.classifications
        )

    async def _regress(self, request: Request, spec: ModelSpec, log: Log) -> bytes:
        result = await self._on_examples(request, spec, log, examples.REGRESS, examples.regression)
        return json_tensor.write_results(self._decimal(found.value) for found in result.regressions)

    async def _on_examples(
        self, request: Request, spec: ModelSpec, log: Log, method: str, result: Callable[..., Any]
    ) -> Any:
        body = await self.bodies.read(request)
        document = await self._off_loop(len(body) > _INLINE_BYTES, _parsed, body)
        name = json_tensor.signature_name(document)
        rows = examples.serialised(examples.input_of_json(document))
        async with self.service.lease(spec) as model:
            with hinting(lambda: signature_hint(model, name or DEFAULT)):
                signature = examples.signature_for(model, name, method)
            log.saw(model, signature.name)
            with hinting(lambda: inputs_hint(model, signature)):
                outputs, count = await self.service.on_examples(model, signature, method, rows)
                return result(outputs, count)

    def _label_and_score(self, entry: Any) -> bytes:
        label = json_tensor.json_string(entry.label, strict=self.strict)
        return b"[" + label + b", " + self._decimal(entry.score) + b"]"

    def _decimal(self, value: float) -> bytes:
        return json_tensor.decimals(np.array([value], np.float32), strict=self.strict)[0].encode()

    async def _off_loop(self, long: bool, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function; in a thread if it takes long, so that others are served meanwhile."""
        return await self.service.runner.in_thread(function, *arguments) if long else function(*arguments)

    _methods: ClassVar[dict[str, Callable[..., Awaitable[bytes]]]] = {
        "predict": _predict,
        "classify": _classify,
        "regress": _regress,
    }


def raw_path(request: Request) -> str:
    """The path as it was sent: a name is decoded after its place in the path is known."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return _ORIGIN.sub("", raw.decode("latin-1"))


def address_of(request: Request) -> str:
    """Where the client reached this server."""
    return f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"


def error_response(error: ServingError) -> Response:
    """``{"error": ...}`` with the status for the code."""
    headers = {"retry-after": "1"} if error.code is Code.UNAVAILABLE else {}
    if error.code is Code.UNAUTHENTICATED:
        headers["www-authenticate"] = "Bearer"
    status = getattr(error, "status", None) or error.http_status
    return Response(json_tensor.write_error(error.text), status, headers, "application/json")


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def _spec(found: re.Match[str], log: Log) -> ModelSpec:
    name = _decoded(found[1] or "")
    log.model = name
    version = None
    if found[2]:
        version = int(found[2]) if len(found[2].lstrip("0")) < 20 else _GREATEST + 1
        if version > _GREATEST:
            raise invalid(f"Failed to convert version: {found[2]} to numeric.")
    return ModelSpec(name, version, _decoded(found[3]) if found[3] else None)


def _decoded(part: str) -> str:
    return unquote_to_bytes(part.encode("latin-1")).decode(errors="replace")


def _parsed(body: bytes) -> dict[str, Any]:
    return parse_object(body, wanted=json_tensor.KEYS)


def _read_inputs(document: dict[str, Any], signature: Signature, body: bytes) -> tuple[dict[str, Any], bool]:
    may_hold_bools = b"true" in body or b"false" in body
    return json_tensor.read_inputs(document, signature, may_hold_bools=may_hold_bools)


def _signature(model: ServedModel, name: str) -> Signature:
    name = name or DEFAULT
    if name not in model.signatures:
        error = invalid(f'Serving signature name: "{name}" not found in signature def')
        error.hint = signature_hint(model, name)
        raise error
    return model.signatures[name]


def _plain(message: Any) -> dict[str, Any]:
    """As TensorFlow Serving prints a message: proto names, empty fields too."""
    return json_format.MessageToDict(
        message, always_print_fields_with_no_presence=True, preserving_proto_field_name=True
    )


def _printed(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=1).encode() + b"\n"


def _printed_metadata(model: ServedModel) -> bytes:
    spec, signatures = metadata_response(model)
    return _printed({"model_spec": _plain(spec), "metadata": {"signature_def": _plain(signatures)}})


def _list_page(models: list[dict[str, Any]]) -> str:
    items = "".join(
        f'<li><a href="/v1/models/{html.escape(m["name"])}/metadata">{html.escape(m["name"])}</a> '
        f"{', '.join(map(str, m['versions'])) or 'not served'}</li>"
        for m in models
    )
    return f'<!doctype html><html lang="en"><title>Models</title><h1>Models</h1><ul>{items}</ul></html>'
