"""``recurra serve``: read the options, then start the server in a process without Keras.

This module imports nothing heavy: TensorFlow loads Keras wherever it finds it, which takes two seconds and 170 MB that
a server has no use for, so Keras has to be hidden before TensorFlow is imported.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError

_NETWORK, _CALLS, _MODELS, _SAFETY = "Network", "Calls", "Models and versions", "Safety"
_STREAMS = "Streams"


def serve(
    path: Annotated[
        Path | None,
        typer.Argument(help="Folder of models, NAME/VERSION, such as saved_models; or of one model's versions."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.", rich_help_panel=_NETWORK)] = "127.0.0.1",
    rest_port: Annotated[int, typer.Option(help="Port for REST; 0 for any.", rich_help_panel=_NETWORK)] = 8501,
    grpc_port: Annotated[int, typer.Option(help="Port for gRPC; 0 for any.", rich_help_panel=_NETWORK)] = 8500,
    model_config: Annotated[
        Path | None,
        typer.Option(help="TensorFlow Serving's ModelServerConfig in proto text.", rich_help_panel=_MODELS),
    ] = None,
    poll_seconds: Annotated[
        float, typer.Option(help="How often folders are looked at; 0 for once.", rich_help_panel=_MODELS)
    ] = 1.0,
    allow_unavailable_labels: Annotated[
        bool, typer.Option(help="Accept labels of versions that are not served.", rich_help_panel=_MODELS)
    ] = False,
    max_batch_size: Annotated[int, typer.Option(help="Rows that share a call; 1 is off.", rich_help_panel=_CALLS)] = 1,
    batch_timeout_micros: Annotated[
        int, typer.Option(help="How long the first request of a batch waits for others.", rich_help_panel=_CALLS)
    ] = 0,
    latency_goal_ms: Annotated[
        float | None,
        typer.Option(help="Waiting for a batch is cut short by it; refuses nothing.", rich_help_panel=_CALLS),
    ] = None,
    max_queue: Annotated[
        int, typer.Option(help="Requests under way at most; more get 503.", rich_help_panel=_CALLS)
    ] = 1000,
    timeout_seconds: Annotated[
        float, typer.Option(help="Time for a request that names no deadline.", rich_help_panel=_CALLS)
    ] = 30.0,
    strict_json: Annotated[
        bool, typer.Option(help="Write null in place of NaN and Infinity.", rich_help_panel=_CALLS)
    ] = False,
    strict_shapes: Annotated[
        bool,
        typer.Option(help="Refuse shapes that a signature does not allow, for every model.", rich_help_panel=_CALLS),
    ] = False,
    max_streams: Annotated[
        int, typer.Option(help="Streams kept; one more evicts the one idle longest.", rich_help_panel=_STREAMS)
    ] = 10_000,
    max_stream_bytes: Annotated[int, typer.Option(help="Of the states of all streams.", rich_help_panel=_STREAMS)] = 2
    ** 28,
    stream_idle_seconds: Annotated[
        float, typer.Option(help="A stream unused for so long is closed.", rich_help_panel=_STREAMS)
    ] = 3600.0,
    max_body_bytes: Annotated[int, typer.Option(help="Greater requests get 413.", rich_help_panel=_SAFETY)] = 64
    * 2**20,
    token: Annotated[
        str | None, typer.Option(help="Bearer token that requests have to bring.", rich_help_panel=_SAFETY)
    ] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with the token.", rich_help_panel=_SAFETY)] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain, PEM.", rich_help_panel=_SAFETY)] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key, PEM.", rich_help_panel=_SAFETY)] = None,
    cors: Annotated[bool, typer.Option(help="Let pages of other origins ask.", rich_help_panel=_SAFETY)] = False,
    drain_seconds: Annotated[
        float, typer.Option(help="Time for requests under way after SIGTERM.", rich_help_panel=_SAFETY)
    ] = 30.0,
    log_requests: Annotated[bool, typer.Option(help="A line for every request.", rich_help_panel=_SAFETY)] = False,
    check: Annotated[bool, typer.Option(help="Run every signature once over REST and gRPC, compare, and end.")] = False,
) -> None:
    """Serve exported models, and any other SavedModel, by TensorFlow Serving's protocols."""
    given = {name: value for name, value in locals().items() if name != "check"}
    hide_keras()
    from . import logs
    from .options import ServerOptions

    options = ServerOptions(**given)
    logs.set_up(requests=options.log_requests)
    with _Quiet():
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        from . import check as checking
        from .server import Server
    if check:
        raise typer.Exit(0 if checking.run_check(options, typer.echo) else 1)

    if options.path is not None and not any(any(options.path.glob(f"{deep}saved_model.pb")) for deep in ("*/*/", "*/")):
        typer.echo(f"no models in {options.path} yet: a model is a folder NAME/VERSION with a saved_model.pb", err=True)

    async def run() -> None:
        await Server(options).run(lambda at: typer.echo(f"serving: REST {at.rest}, gRPC {at.grpc}"))

    asyncio.run(run())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a call that outlasted the draining would hold the interpreter up


FLAGS = {name: f"--{name.replace('_', '-')}" for name in inspect.signature(serve).parameters if name != "path"}


def hide_keras() -> None:
    """Keep TensorFlow from importing Keras; to be called before TensorFlow is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" not in sys.modules and "keras" not in sys.modules:
        sys.modules["keras"] = None  # type: ignore[assignment]  # import then raises ImportError, as Python documents


class _Quiet:
    """TensorFlow's messages about its build come before its log level is read; they are no news of the server."""

    def __enter__(self) -> None:
        self.kept, self.nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(self.nowhere, 2)

    def __exit__(self, *_: object) -> None:
        os.dup2(self.kept, 2)
        os.close(self.kept)
        os.close(self.nowhere)


def main() -> None:
    """Run the command alone: the rest of the command line is not imported."""
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command("serve")(serve)
    try:
        app(args=sys.argv[2:], prog_name="recurra serve")
    except InputError as error:
        flagged = re.sub(r"`([a-z_]+)`", lambda found: FLAGS.get(found[1], found[0]), str(error))
        typer.secho(f"recurra: {flagged}", fg="red", err=True)
        sys.exit(2)
