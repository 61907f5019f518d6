"""HTTP connections: answers leave at once, and a head has to arrive within some seconds (slow-loris clients).

Uvicorn limits only the time between requests.
"""

from __future__ import annotations

import asyncio
import socket

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_HEAD_SECONDS = 15.0


def patient(seconds: float) -> type[H11Protocol]:
    """The protocol for a server whose requests take no longer than that."""
    return type("PatientProtocol", (_PatientProtocol,), {"head_seconds": min(seconds, _HEAD_SECONDS)})


class _PatientProtocol(H11Protocol):
    """Uvicorn's protocol, patient for a while."""

    head_seconds = _HEAD_SECONDS
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """A client has come: its head is awaited."""
        super().connection_made(transport)
        # head and body of an answer are two writes: the second would wait 40 ms for the first one's acknowledgement
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Some of a request has come: perhaps the rest of its head."""
        super().data_received(data)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Between requests uvicorn's own limit holds."""
        super().on_response_complete()
        self._stop_waiting()

    def _await_head(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        self.transport.close()
