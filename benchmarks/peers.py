"""Peers with a process each, so that they can take turns in one run and a noisy neighbour disturbs all alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOMES = Path(__file__).resolve().parents[1] / "runs" / "benchmarks" / "peers"


class Peer:
    """A process of ``SCRIPT NAME`` that replies to requests, one JSON line each; see :func:`serve`."""

    def __init__(self, name: str, script: str, python: str | Path = sys.executable) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [python, script, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"},
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """The reply, however long it takes."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("reply "):
                return json.loads(line.removeprefix("reply "))
        raise RuntimeError(f"{self.name} stopped at {request}")

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def take_turns(peers: list[Peer], turns: int, **first: Any) -> dict[str, list[dict[str, Any]]]:
    """Ask all peers in turn, again and again, and end their processes.

    Args:
        peers: those that take part.
        turns: how often each is asked.
        first: a request to each before the turns, if any.

    Returns:
        The replies of each by name; the one to `first` comes first.
    """
    replies: dict[str, list[dict[str, Any]]] = {peer.name: [] for peer in peers}
    try:
        for request in [first] * bool(first) + [{}] * turns:
            for peer in peers:
                replies[peer.name].append(peer.ask(**request))
                print(peer.name, replies[peer.name][-1], flush=True)
    finally:
        for peer in peers:
            peer.close()
    return replies


def serve(handle: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """What a peer's process does: read requests, write replies."""
    for line in sys.stdin:
        print("reply", json.dumps(handle(json.loads(line))), flush=True)


def environment(name: str, *packages: str, given: str | None = None) -> str | None:
    """An interpreter that has the packages, made once; None, with the reason printed, where that fails."""
    if given:
        return given
    home = HOMES / name
    python, ready = home / "bin" / "python", home / "ready"
    if not ready.exists():
        print(f"{name}: installing {', '.join(packages)}", flush=True)
        venv.create(home, with_pip=True)
        done = subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=False)
        if done.returncode:
            print(f"{name} is skipped: {', '.join(packages)} cannot be installed here", flush=True)
            return None
        ready.touch()
    return str(python)


def clock(function: Callable[[], Any], seconds: float) -> float:
    """Seconds per call, over as many calls as fit."""
    n, begin = 0, time.perf_counter()
    while n == 0 or time.perf_counter() - begin < seconds:
        function()
        n += 1
    return (time.perf_counter() - begin) / n
