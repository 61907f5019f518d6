"""A server from its start to its end: load, listen, answer, drain."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import grpc
import uvicorn

from ..errors import InputError
from .app import HttpOptions, make_app
from .batching import BatchingOptions, Runner
from .connections import patient
from .grpc_api import GrpcServer
from .metrics import Metrics
from .model_config import ModelConfig, models_in, read_config
from .options import ServerOptions
from .repository import Repository
from .service import Service
from .streams import StreamLimits, Streams
from .warmup import load

_log = logging.getLogger("recurra.serving")
# How long a thread may keep the interpreter: a model's thread would otherwise wait 5 ms for the event loop's.
_SWITCH_SECONDS = 0.0005


@dataclass(frozen=True)
class Addresses:
    """Where a server listens."""

    rest: str
    grpc: str


class Server:
    """A server of models.

    Args:
        options: its settings.

    Raises:
        InputError: if a setting is wrong or a port is taken.
    """

    def __init__(self, options: ServerOptions) -> None:
        self.options = options
        self.metrics = Metrics()
        self.repository = Repository(
            _finder(options),
            partial(load, check_shapes=True if options.strict_shapes else None),
            keep_labels=options.allow_unavailable_labels,
        )
        batching = BatchingOptions(
            options.max_batch_size,
            options.batch_timeout_micros / 1e6,
            None if options.latency_goal_ms is None else options.latency_goal_ms / 1e3,
            options.max_queue,
        )
        self.service = Service(
            self.repository, Runner(self.metrics, batching), self.metrics, timeout=options.timeout_seconds
        )
        self.streams = Streams(
            self.service, StreamLimits(options.max_streams, options.max_stream_bytes, options.stream_idle_seconds)
        )
        self.token = options.read_token()
        self._stop_looking, self._stop = threading.Event(), asyncio.Event()

    def stop(self) -> None:
        """Drain and end; call it from the event loop."""
        self._stop.set()

    async def run(self, on_start: Callable[[Addresses], None] = lambda _: None) -> None:
        """Serve until :meth:`stop`, SIGTERM or SIGINT.

        Args:
            on_start: called when the ports are open.
        """
        sys.setswitchinterval(_SWITCH_SECONDS)
        http, listener = self._http(), _listener(self.options.host, self.options.rest_port)
        grpc_server = GrpcServer(self.service, streams=self.streams, token=self.token, credentials=self._credentials())
        grpc_address = f"{_bracketed(self.options.host)}:{_bind(grpc_server, self.options)}"
        scheme = "https" if self.options.tls_cert else "http"
        addresses = Addresses(f"{scheme}://{_bracketed(self.options.host)}:{listener.getsockname()[1]}", grpc_address)
        with self._signals():
            threading.Thread(target=self._look, daemon=True, name="versions").start()
            await grpc_server.start()
            serving = asyncio.create_task(http.serve(sockets=[listener]))
            readiness = asyncio.create_task(self._watch(grpc_server))
            while not http.started and not serving.done():
                await asyncio.sleep(0.005)
            on_start(addresses)
            await self._stop.wait()
            readiness.cancel()
            await self._drain(http, serving, grpc_server)

    async def _drain(self, http: uvicorn.Server, serving: asyncio.Task[None], grpc_server: GrpcServer) -> None:
        _log.info("draining for at most %g seconds", self.options.drain_seconds)
        self._stop_looking.set()
        http.should_exit = True
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(self.options.drain_seconds + 1):
                await asyncio.gather(serving, grpc_server.stop(self.options.drain_seconds), return_exceptions=True)
        _log.info("stopped")

    def _look(self) -> None:
        self.repository.run(self.options.poll_seconds, self._stop_looking)

    async def _watch(self, grpc_server: GrpcServer) -> None:
        """Tell the health service what the models say."""
        await self.service.settled()
        gc.collect()
        gc.freeze()  # what was loaded stays: the collector need not look at it again and again
        while True:
            await grpc_server.set_ready(self.repository.ready)
            self.streams.sweep()
            await asyncio.sleep(0.5)

    def _http(self) -> uvicorn.Server:
        options = self.options
        http_options = HttpOptions(
            options.max_body_bytes, options.timeout_seconds, options.strict_json, options.cors, self.token
        )
        config = uvicorn.Config(
            make_app(self.service, http_options, streams=self.streams),
            http=patient(options.timeout_seconds),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=max(1, round(options.drain_seconds)),
            backlog=2048,
            ssl_certfile=options.tls_cert,
            ssl_keyfile=options.tls_key,
        )
        return _Http(config)

    def _credentials(self) -> grpc.ServerCredentials | None:
        if self.options.tls_cert is None or self.options.tls_key is None:
            return None
        return grpc.ssl_server_credentials([(self.options.tls_key.read_bytes(), self.options.tls_cert.read_bytes())])

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        wanted = (signal.SIGTERM, signal.SIGINT)
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        for number in wanted:
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in wanted:
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)  # told twice, it still ends in good order


class _Http(uvicorn.Server):
    """Uvicorn without its own signal handlers: two protocols end together."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def _finder(options: ServerOptions) -> Callable[[], dict[str, ModelConfig]]:
    """Models of the folder and of the configuration, which wins where both have one."""
    configured = {} if options.model_config is None else read_config(options.model_config)
    path = options.path
    if path is None:
        return lambda: configured
    return lambda: models_in(path) | configured


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise InputError(f"cannot listen on {host}, `rest_port` {port}: {error.strerror or error}") from error


def _bind(server: GrpcServer, options: ServerOptions) -> int:
    try:
        return server.bind(f"{_bracketed(options.host)}:{options.grpc_port}")
    except RuntimeError as error:
        raise InputError(
            f"cannot listen on {options.host}, `grpc_port` {options.grpc_port}; is the port taken?"
        ) from error


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
