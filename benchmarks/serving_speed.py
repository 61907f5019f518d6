"""Answers per second on loopback: `recurra serve` with and without batching against the handler people usually write.

A closed loop of 1, 8 and 64 clients, each of which sends its next request when it has its answer; all servers take
turns in one run. The model is an LSTM of 32 units over a window of 96 steps. The floor is the bare call of its graph.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from peers import HOMES, clock

LOOKBACK, UNITS, HORIZON = 96, 32, 24
CLIENTS, TURNS, SECONDS, WARM_SECONDS = (1, 8, 64), 3, 2.0, 1.0
# LitServe without what is there already, in a folder of its own.
LITSERVE = (
    "litserve",
    "fastapi",
    "httptools",
    "uvloop",
    "websockets",
    "watchfiles",
    "python-dotenv",
    "opentelemetry-api",
)

Ask = Callable[[], Awaitable[bool]]


def make_model(folder: Path) -> None:
    """The same network as ``model.keras`` and as ``models/lstm/1``."""
    import keras

    layers = [keras.Input((LOOKBACK, 1)), keras.layers.LSTM(UNITS), keras.layers.Dense(HORIZON)]
    model = keras.Sequential(layers)
    model.save(folder / "model.keras")
    model.export(str(folder / "models" / "lstm" / "1"), verbose=False)


def window() -> list[list[list[float]]]:
    """A window of its own for each client: (1, 96, 1)."""
    return np.random.default_rng().normal(size=(1, LOOKBACK, 1)).round(4).tolist()


# The others


def run_handler(port: int, folder: Path) -> None:
    """What people usually write: an async handler that calls ``model.predict``."""
    import keras
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    model = keras.saving.load_model(folder / "model.keras")

    async def predict(request: Request) -> JSONResponse:
        instances = (await request.json())["instances"]
        return JSONResponse({"predictions": model.predict(np.array(instances), verbose=0).tolist()})

    app = Starlette(routes=[Route("/v1/models/lstm:predict", predict, methods=["POST"])])
    uvicorn.run(app, port=port, log_level="error")


# Servers under test


@dataclass
class Server:
    """A server in a process of its own."""

    name: str
    process: subprocess.Popen[str]
    http: int
    grpc: int | None = None
    cpu_seconds: float = 0.0


@contextlib.contextmanager
def recurra_server(name: str, folder: Path, *options: str) -> Iterator[Server]:
    """`recurra serve`."""
    command = [sys.executable, "-P", "-m", "recurra", "serve", str(folder / "models")]
    with _process([*command, "--rest-port", "0", "--grpc-port", "0", *options], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        found = re.search(r":(\d+), gRPC .*:(\d+)", process.stdout.readline())
        assert found is not None
        yield _started(Server(name, process, int(found[1]), int(found[2])))


@contextlib.contextmanager
def other_server(name: str, port: int, *command: str, path: str = "") -> Iterator[Server]:
    """One of the others."""
    with _process([sys.executable, *command], path=path) as process:
        yield _started(Server(name, process, port))


@contextlib.contextmanager
def _process(command: list[str], path: str = "", stdout: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[str]]:
    paths = [part for part in (path, os.environ.get("PYTHONPATH", "")) if part]
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": os.pathsep.join(paths)}
    process = subprocess.Popen(
        command, stdout=stdout, stderr=subprocess.DEVNULL, text=True, env=env, start_new_session=True
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # with its workers, which would keep the port
        process.wait()


def _started(server: Server) -> Server:
    """Wait for the first answer; note the processor's seconds until then."""

    async def first() -> None:
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                ask, close = await http_client(server.http)
                good = await ask()
                close()
                if good:
                    return
            await asyncio.sleep(0.05)

    asyncio.run(asyncio.wait_for(first(), 60))
    ticks = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    server.cpu_seconds = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
    return server


# Clients


async def http_client(port: int) -> tuple[Ask, Callable[[], None]]:
    """One connection that is kept; as little work as possible beside the server's."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"instances": window()}).encode()
    head = "POST /v1/models/lstm:predict HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body

    async def ask() -> bool:
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
        text = await reader.readexactly(int(length[1]) if length else 0)
        return answer.startswith(b"HTTP/1.1 200") and text.count(b",") == HORIZON - 1

    return ask, writer.close


async def grpc_client(port: int) -> tuple[Ask, Callable[[], None]]:
    """A channel of its own."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)])
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "lstm"
    request.inputs["keras_tensor"].CopyFrom(tf.make_tensor_proto(np.float32(window())))

    async def ask() -> bool:
        return len((await stub.Predict(request)).outputs["output_0"].float_val) == HORIZON

    return ask, lambda: None


@dataclass
class Loop:
    """What a closed loop measured."""

    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0

    def row(self) -> dict[str, float]:
        """Requests per second, and milliseconds of one in two and of all but one in a hundred."""
        ordered = sorted(self.latencies)
        return {
            "requests/s": len(ordered) / self.seconds,
            "p50 ms": 1e3 * ordered[len(ordered) // 2],
            "p99 ms": 1e3 * ordered[int(len(ordered) * 0.99)],
            "failed": self.failed,
        }


async def closed_loop(make: Callable[[], Awaitable[tuple[Ask, Callable[[], None]]]], clients: int) -> Loop:
    """Clients that each wait for their answer before they ask again."""
    loop, made = Loop(), [await make() for _ in range(clients)]
    end = time.perf_counter() + WARM_SECONDS + SECONDS

    async def ask_again_and_again(ask: Ask) -> None:
        while (began := time.perf_counter()) < end:
            good = await ask()
            if began > end - SECONDS:
                loop.latencies.append(time.perf_counter() - began)
                loop.failed += not good

    await asyncio.gather(*(ask_again_and_again(ask) for ask, _ in made))
    loop.seconds = SECONDS
    for _, close in made:
        close()
    return loop


def measure(server: Server, protocol: str, clients: int) -> dict[str, float]:
    """One closed loop."""
    client, port = (http_client, server.http) if protocol == "REST" else (grpc_client, server.grpc or 0)
    return asyncio.run(closed_loop(lambda: client(port), clients)).row()


def _floor(folder: Path) -> float:
    """Milliseconds of a bare call of the graph."""
    from recurra.serving.served_model import ServedModel

    model = ServedModel(folder / "models" / "lstm" / "1", "lstm", 1)
    [signature] = [s for s in model.signatures.values() if s.name == "serving_default"]
    inputs = {name: np.float32(window()) for name in signature.inputs}
    model.call(signature, inputs)
    return 1e3 * clock(lambda: model.call(signature, inputs), 1.0)


def _litserve() -> str | None:
    home = HOMES / "litserve"
    if not (home / "litserve").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(home), *LITSERVE]
        if subprocess.run(command, check=False).returncode:
            print("litserve is skipped: it cannot be installed here", flush=True)
            return None
    return str(home)


def main() -> None:
    """Measure all in turn, and write docs/benchmarks/serving.md."""
    import report

    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        subprocess.run([sys.executable, __file__, "make", "0", name], check=True)
        started = [
            stack.enter_context(recurra_server("recurra serve", folder)),
            stack.enter_context(recurra_server("recurra serve, batching", folder, "--max-batch-size", "64")),
            stack.enter_context(other_server("handler with model.predict", 8731, __file__, "handler", "8731", name)),
        ]
        if path := _litserve():
            command = (str(Path(__file__).with_name("litserve_api.py")), "8732", str(folder / "model.keras"))
            started.append(stack.enter_context(other_server("LitServe, batching", 8732, *command, path=path)))
        asked = [(s, "REST") for s in started] + [(s, "gRPC") for s in started if s.grpc]
        found: dict[tuple[str, str, int], list[dict[str, float]]] = {}
        floors = []
        for _ in range(TURNS):
            floors.append(_floor(folder))
            for clients in CLIENTS:
                for server, protocol in asked:
                    row = measure(server, protocol, clients)
                    print(server.name, protocol, clients, row, flush=True)
                    found.setdefault((server.name, protocol, clients), []).append(row)
        report.write(
            "serving",
            "Answers per second on loopback",
            {f"{clients} clients": _rows(found, clients) for clients in CLIENTS}
            | {"Start to first answer": [{"": s.name, "CPU seconds": s.cpu_seconds} for s in started]},
            notes=[
                f"LSTM of {UNITS} units, a window of {LOOKBACK} steps per request. Medians of {TURNS} turns of "
                f"{SECONDS:g} s, least and greatest in brackets; all servers and the clients on the same cores, other "
                "work on the machine at the time.",
                f"The bare call of the graph takes {statistics.median(floors):.2f} ms.",
                "Of LitServe the first process's CPU seconds are counted, not its workers'.",
            ],
        )


def _rows(found: dict[tuple[str, str, int], list[dict[str, float]]], clients: int) -> list[dict[str, Any]]:
    rows = []
    for (name, protocol, number), turns in found.items():
        if number != clients:
            continue
        row: dict[str, Any] = {"": name, "protocol": protocol}
        for key in ("requests/s", "p50 ms", "p99 ms"):
            values = [turn[key] for turn in turns]
            row[key] = f"{statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"
        rows.append(row | {"failed": int(sum(turn["failed"] for turn in turns))})
    return rows


if __name__ == "__main__":
    kind, port, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    {
        "make": lambda: make_model(folder),
        "handler": lambda: run_handler(port, folder),
    }[kind]()
