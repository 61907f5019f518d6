"""Streams over HTTP: resources below ``/v1/models/NAME/streams``.

POST …/streams opens, GET reads, POST …/streams/ID:push moves on; :fork, :rewind and :save do what they say; DELETE
ends.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from . import json_tensor
from .bodies import Bodies
from .hints import inputs_hint
from .json_parser import parse_object
from .rest import Log, address_of, error_response
from .service import ModelSpec
from .status import Code, ServingError, hinting, invalid
from .streams import ServedStream, Streams

_KEYS = ("instances", "inputs", "text", "label", "saved", "steps", "last")
_GREATEST = 2**63 - 1
# What is not answered is a malformed request, as elsewhere below /v1.
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Answer = Callable[[Request, Log], Awaitable[Response]]


class StreamsApi:
    """Handles streams.

    Args:
        streams: what is kept.
        bodies: reads requests.
        strict: write null in place of NaN and infinities.
    """

    def __init__(self, streams: Streams, bodies: Bodies, *, strict: bool = False) -> None:
        self.streams, self.bodies, self.strict = streams, bodies, strict

    def routes(self) -> list[BaseRoute]:
        """For Starlette."""
        model = "/v1/models/{model}"
        collections = (f"{model}/streams", f"{model}/versions/{{version}}/streams", f"{model}/labels/{{label}}/streams")
        one = (f"{model}/streams/{{stream}}", f"{model}/versions/{{version}}/streams/{{stream}}")
        return [
            *(self._counted(path, {"POST": self._open, "GET": self._list}) for path in collections),
            *(self._counted(path, {"POST": self._verb, "GET": self._read, "DELETE": self._close}) for path in one),
        ]

    def _counted(self, path: str, answers: dict[str, Answer]) -> Route:
        async def handle(request: Request) -> Response:
            return await self._answered(request, answers)

        return Route(path, handle, methods=_METHODS)

    async def _answered(self, request: Request, answers: dict[str, Answer]) -> Response:
        log, started, code = Log(model=request.path_params["model"], api="streams"), time.perf_counter(), Code.OK
        try:
            if request.method not in answers:
                raise invalid(f"Malformed request: {request.method} {request.url.path}")
            response = await answers[request.method](request, log)
        except ServingError as error:
            response, code = error_response(error), error.code
        self.streams.service.finished(
            log.model, api=log.api, entrypoint="REST", code=code, started=started, version=log.version, signature="step"
        )
        response.headers.update(log.headers)
        return response

    # All streams of a model

    async def _open(self, request: Request, log: Log) -> Response:
        document = await self._document(request)
        label, saved = document.get("label"), document.get("saved")
        if saved is not None:
            saved = _bytes_of(saved)
        stream = await self.streams.open(_spec(request), label=label, saved=saved)
        return self._described(stream, log, 201)

    async def _list(self, request: Request, log: Log) -> Response:
        spec = _spec(request)
        await self.streams.service.settled(self.streams.service.timeout)
        with self.streams.service.repository.lease(spec.name, spec.version, spec.label) as model:
            log.saw(model)
        found = [s for s in self.streams.of(spec.name) if spec.version in (None, s.model.version)]
        listed = [{"stream": s.id, "version": str(s.model.version), "steps": s.cursor.now.steps} for s in found]
        return _json(json.dumps({"streams": listed}, indent=1).encode())

    # One stream

    def _stream(self, request: Request, name: str, log: Log) -> ServedStream:
        spec = _spec(request)
        stream = self.streams.get(spec.name, name, spec.version)
        log.saw(stream.model, "step")
        return stream

    async def _read(self, request: Request, log: Log) -> Response:
        return self._described(self._stream(request, request.path_params["stream"], log), log)

    async def _close(self, request: Request, log: Log) -> Response:
        stream = self._stream(request, request.path_params["stream"], log)
        self.streams.close(stream)
        return _json(json.dumps({"stream": stream.id, "deleted": True}).encode())

    async def _verb(self, request: Request, log: Log) -> Response:
        verbs = {"push": self._push, "fork": self._fork, "rewind": self._rewind, "save": self._save}
        name, _, verb = request.path_params["stream"].rpartition(":")
        if verb not in verbs or not name:
            raise invalid(f"Malformed request: {request.method} {request.url.path}")
        document = await self._document(request)
        return await verbs[verb](self._stream(request, name, log), document, request, log)

    async def _push(self, stream: ServedStream, document: dict[str, Any], request: Request, _log: Log) -> Response:
        with hinting(lambda: _hint(stream, request)):
            if "text" in document:
                found = await self.streams.push_text(stream, document["text"])
            else:
                inputs, _ = json_tensor.read_inputs(document, stream.step.observation, may_hold_bools=True)
                found = await self.streams.push(stream, inputs)
        if document.get("last"):
            found = {name: array[-1:] for name, array in found.items()}
        return _json(_with(self._predictions(found), stream=stream.id, steps=stream.cursor.now.steps))

    async def _fork(self, stream: ServedStream, _document: dict[str, Any], _request: Request, log: Log) -> Response:
        return self._described(await self.streams.fork(stream), log, 201)

    async def _rewind(self, stream: ServedStream, document: dict[str, Any], _request: Request, log: Log) -> Response:
        steps = document.get("steps", 1)
        if type(steps) is not int:
            raise invalid(f"steps must be a whole number: how many observations to take back; received {steps!r:.80}")
        await self.streams.rewind(stream, steps)
        return self._described(stream, log)

    async def _save(self, stream: ServedStream, _document: dict[str, Any], _request: Request, _log: Log) -> Response:
        data = base64.b64encode(await self.streams.save(stream)).decode()
        return _json(json.dumps({"stream": stream.id, "saved": {"b64": data}}).encode())

    # Bodies

    async def _document(self, request: Request) -> dict[str, Any]:
        body = await self.bodies.read(request)
        if not body.strip():
            return {}
        return await self.streams.service.runner.in_thread(_parsed, body)

    def _described(self, stream: ServedStream, log: Log, status: int = 200) -> Response:
        log.saw(stream.model, "step")
        now, about = stream.cursor.now, stream.step.about
        facts = {
            "stream": stream.id,
            "model": stream.model.name,
            "version": str(stream.model.version),
            "steps": now.steps,
            "first_prediction_after": stream.step.first,
            "remembers": len(stream.cursor.earlier),
            "bytes": stream.cursor.nbytes,
            "idle_seconds_allowed": self.streams.limits.idle_seconds,
            "note": about.get("note", ""),
        }
        if now.prediction is None:
            return _json(json.dumps(facts, indent=1).encode(), status)
        return _json(
            _with(self._predictions({name: a[np.newaxis] for name, a in now.prediction.items()}), **facts), status
        )

    def _predictions(self, found: dict[str, np.ndarray]) -> bytes:
        return json_tensor.write_rows({name: _as_bytes(array) for name, array in found.items()}, strict=self.strict)


def _with(predictions: bytes, **facts: Any) -> bytes:
    """Facts before the predictions, in one object."""
    return json.dumps(facts)[:-1].encode() + b", " + predictions.lstrip(b"{").lstrip()


def _as_bytes(array: np.ndarray) -> np.ndarray:
    """Texts of a stream that was saved are str; JSON is written from bytes."""
    if array.dtype.kind != "U":
        return array
    return np.array([text.encode() for text in array.ravel()], dtype=object).reshape(array.shape)


def _hint(stream: ServedStream, request: Request) -> str:
    if stream.step.text is not None:
        example = '{"text": ["a", "token"]}' if _reads_lists(stream) else '{"text": "a piece of text"}'
        path = f"/v1/models/{stream.model.name}/streams/{stream.id}:push"
        return f"expected: {example}\ncurl -d '{example}' {address_of(request)}{path}"
    return inputs_hint(stream.model, stream.step.observation)


def _reads_lists(stream: ServedStream) -> bool:
    text = stream.step.text
    return text is not None and any(info.shape is not None and len(info.shape) == 2 for info in text.inputs.values())


def _bytes_of(saved: object) -> bytes:
    text = saved.get("b64") if isinstance(saved, dict) else None
    if not isinstance(text, str):
        raise invalid('saved must be {"b64": "..."}, as :save gave it')
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(f"Unable to base64 decode saved: {error}") from error


def _spec(request: Request) -> ModelSpec:
    parameters = request.path_params
    version = parameters.get("version")
    if version is None:
        return ModelSpec(parameters["model"], label=parameters.get("label"))
    if not (version.isascii() and version.isdecimal()) or len(version) > 19 or int(version) > _GREATEST:
        raise invalid(f"Failed to convert version: {version:.40} to numeric.")
    return ModelSpec(parameters["model"], int(version))


def _parsed(body: bytes) -> dict[str, Any]:
    return parse_object(body, wanted=_KEYS)


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")
