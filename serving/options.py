"""Settings of a server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError


@dataclass(frozen=True)
class ServerOptions:
    """Settings of a server; they are options of ``recurra serve``.

    Attributes:
        path: folder of models (``NAME/VERSION``), or of one model's versions.
        model_config: file with a ``ModelServerConfig`` in proto text, beside or in place of `path`.
        host: address to listen on.
        rest_port: 0 for any free port.
        grpc_port: 0 for any free port.
        poll_seconds: how often folders are looked at; 0 for once.
        timeout_seconds: time for a request whose client names no deadline.
        max_batch_size: rows that share a call; 1 is off.
        batch_timeout_micros: how long the first request of a batch waits for others.
        latency_goal_ms: waiting and computing together should take no longer; None for no goal.
        max_queue: requests under way at most.
        max_streams: kept for clients; one more, and the one idle longest is evicted.
        max_stream_bytes: of the states of all streams.
        stream_idle_seconds: a stream that nobody asked for so long is closed.
        max_body_bytes: of an HTTP request.
        drain_seconds: time for requests under way when the server is told to stop.
        strict_json: write null in place of NaN and infinities.
        strict_shapes: refuse shapes that a signature does not allow also for models that recurra did not export.
        cors: let pages of other origins ask.
        allow_unavailable_labels: accept labels of versions that are not served.
        log_requests: a line for every request.
        token: that requests have to bring.
        token_file: file with the token.
        tls_cert: certificate chain in PEM.
        tls_key: its private key in PEM.
    """

    path: Path | None = None
    model_config: Path | None = None
    host: str = "127.0.0.1"
    rest_port: int = 8501
    grpc_port: int = 8500
    poll_seconds: float = 1.0
    timeout_seconds: float = 30.0
    max_batch_size: int = 1
    batch_timeout_micros: int = 0
    latency_goal_ms: float | None = None
    max_queue: int = 1000
    max_streams: int = 10_000
    max_stream_bytes: int = 2**28
    stream_idle_seconds: float = 3600.0
    max_body_bytes: int = 64 * 2**20
    drain_seconds: float = 30.0
    strict_json: bool = False
    strict_shapes: bool = False
    cors: bool = False
    allow_unavailable_labels: bool = False
    log_requests: bool = False
    token: str | None = None
    token_file: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None

    def __post_init__(self) -> None:
        if self.path is None and self.model_config is None:
            raise InputError("there is nothing to serve; give a folder of models or a `model_config`")
        if self.path is not None and not self.path.is_dir():
            raise InputError(f"there is no folder {self.path}; give the folder that holds the models")
        if self.path is not None and (self.path / "saved_model.pb").exists():
            raise InputError(f"{self.path} is one version of a model; give the folder above it, {self.path.parent}")
        for name, least in (
            ("max_batch_size", 1),
            ("batch_timeout_micros", 0),
            ("max_queue", 1),
            ("max_streams", 1),
            ("max_stream_bytes", 1),
            ("stream_idle_seconds", 0),
            ("max_body_bytes", 1),
            ("drain_seconds", 0),
            ("poll_seconds", 0),
        ):
            if getattr(self, name) < least:
                raise InputError(f"`{name}` must be at least {least}; received {getattr(self, name)}")
        for name in ("rest_port", "grpc_port"):
            if not 0 <= getattr(self, name) <= 65_535:
                raise InputError(f"`{name}` must be between 0 and 65535; received {getattr(self, name)}")
        if self.timeout_seconds <= 0:
            raise InputError(f"`timeout_seconds` must be greater than 0; received {self.timeout_seconds}")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise InputError("`tls_cert` and `tls_key` go together; only one was given")
        for name in ("tls_cert", "tls_key"):
            if (file := getattr(self, name)) is not None and not file.is_file():
                raise InputError(f"there is no file {file}, given as `{name}`")
        if self.token is not None and self.token_file is not None:
            raise InputError("give either `token` or `token_file`")

    def read_token(self) -> str | None:
        """The token, from its file if that is where it is.

        Raises:
            InputError: if the file cannot be read, or the token is empty.
        """
        if self.token_file is None:
            token = self.token
        else:
            try:
                token = self.token_file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise InputError(f"cannot read `token_file` {self.token_file}: {error}") from error
        if token is not None and not token.strip():
            raise InputError("the token is empty; give one of at least a character")
        return token
