"""The HTTP application: routes, who may come in, and what every answer carries.

To add pages or resources, give more Starlette routes: they come before TensorFlow Serving's own paths.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .bodies import Bodies
from .openapi import openapi
from .page.pages import Pages
from .rest import PATH, RestApi, error_response, raw_path
from .service import Service
from .status import Code, ServingError
from .streams import Streams
from .streams_api import StreamsApi
from .v2 import V2Api

_METRICS = "/monitoring/prometheus/metrics"
# What a load balancer asks has to be answered without a token.
_OPEN = {"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"}
_CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET"),
    (b"access-control-allow-headers", b"Content-Type"),
]
_log = logging.getLogger("recurra.serving")
_requests = logging.getLogger("recurra.serving.requests")


@dataclass(frozen=True)
class HttpOptions:
    """How HTTP is answered.

    Attributes:
        max_body_bytes: greater bodies are refused with 413.
        body_seconds: a body has to arrive within.
        strict_json: write null in place of NaN and infinities.
        cors: let pages of other origins ask.
        token: that requests have to bring; None for none.
    """

    max_body_bytes: int = 64 * 2**20
    body_seconds: float = 30.0
    strict_json: bool = False
    cors: bool = False
    token: str | None = None


def make_app(
    service: Service,
    options: HttpOptions | None = None,
    more: Sequence[BaseRoute] = (),
    *,
    streams: Streams | None = None,
) -> ASGIApp:
    """The application.

    Args:
        service: the models.
        streams: states kept for clients; by default none yet, with the usual limits.
        options: how HTTP is answered.
        more: routes that come first.
    """
    options = options or HttpOptions()
    bodies = Bodies(options.max_body_bytes, options.body_seconds)
    rest = RestApi(service, bodies, strict=options.strict_json)
    streams = Streams(service) if streams is None else streams
    v2 = V2Api(service, streams, bodies, strict=options.strict_json)

    async def failed(request: Request, error: Exception) -> Response:  # noqa: ARG001  (a handler's form)
        return error_response(ServingError(Code.INTERNAL, "Internal error"))

    async def rest_or_nothing(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        known = PATH.fullmatch(raw_path(request)) is not None
        response = await rest(request) if known else PlainTextResponse("Not Found", 404)
        await response(scope, receive, send)

    routes: list[BaseRoute] = [
        *more,
        *_about_the_server(service),
        *Pages(service, streams, bodies).routes(),
        *StreamsApi(streams, bodies, strict=options.strict_json).routes(),
        *v2.routes(),
    ]
    inner = Starlette(routes=routes, exception_handlers={Exception: failed})
    inner.router.redirect_slashes = False  # a trailing slash is a malformed request there
    inner.router.default = rest_or_nothing
    return _Door(inner, options)


def _about_the_server(service: Service) -> list[Route]:
    """Routes that say how the server is and what it offers."""

    async def alive(request: Request) -> Response:  # noqa: ARG001  (a route's form)
        return PlainTextResponse("ok\n")

    async def ready(request: Request) -> Response:  # noqa: ARG001
        is_ready = service.repository.ready
        return PlainTextResponse("ready\n" if is_ready else "loading\n", 200 if is_ready else 503)

    async def metrics(request: Request) -> Response:  # noqa: ARG001
        page = await service.runner.in_thread(service.metrics.page)
        return Response(page, headers={"content-type": "text/plain"})

    async def description(request: Request) -> Response:  # noqa: ARG001
        return JSONResponse(await service.runner.in_thread(openapi, service.repository))

    return [
        Route("/healthz", alive),
        Route("/readyz", ready),
        Route(_METRICS, metrics),
        Route("/v1/openapi.json", description),
    ]


class _Door:
    """Around all routes: the token, CORS, failures nobody foresaw, and the log."""

    def __init__(self, app: ASGIApp, options: HttpOptions) -> None:
        self.app, self.options = app, options
        self._expected = None if options.token is None else f"Bearer {options.token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self.options.cors:
                    message["headers"] = [*message.get("headers", ()), *_CORS]
            await send(message)

        try:
            await self._let_in(scope, receive, sending)
        except Exception:
            _log.exception("%s %s failed", scope["method"], scope["path"])
            if not status:
                await error_response(ServingError(Code.INTERNAL, "Internal error"))(scope, receive, sending)
        _requests.info(
            "request",
            extra={
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "milliseconds": round(1e3 * (time.perf_counter() - started), 3),
            },
        )

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if self.options.cors and scope["method"] == "OPTIONS" and b"origin" in headers:
            await Response()(scope, receive, send)
            return
        if self._expected is not None and scope["path"] not in _OPEN:
            given = headers.get(b"authorization", b"")
            if not hmac.compare_digest(given, self._expected):
                error = ServingError(Code.UNAUTHENTICATED, "a bearer token is needed: Authorization: Bearer TOKEN")
                await error_response(error)(scope, receive, send)
                return
        await self.app(scope, receive, send)
