"""Request bodies: of any content type, gzip or not, of a limited size, from clients that may be slow."""

from __future__ import annotations

import asyncio
import zlib

from starlette.requests import ClientDisconnect, Request

from .status import Code, ServingError, invalid

# What a compressed body may become (tensorflow_serving/util/net_http/compression/gzip_zlib.h).
_UNPACKED_LIMIT = 100 * 2**20
_THROWN_AWAY = 2**30
_GZIP = 31  # zlib's window bits for gzip


class TooLargeError(ServingError):
    """413: TensorFlow Serving has no limit of its own and no text for it."""

    status = 413

    def __init__(self, message: str) -> None:
        super().__init__(Code.RESOURCE_EXHAUSTED, message)


class SlowClientError(ServingError):
    """408."""

    status = 408

    def __init__(self, seconds: float) -> None:
        super().__init__(Code.DEADLINE_EXCEEDED, f"the request's body did not arrive within {seconds:g} seconds")


class Bodies:
    """Reads bodies.

    Args:
        limit: bytes.
        timeout: seconds.
    """

    def __init__(self, limit: int = 64 * 2**20, timeout: float = 30.0) -> None:
        self.limit, self.timeout = limit, timeout

    async def read(self, request: Request) -> bytes:
        """A request's body, unpacked.

        Raises:
            ServingError: if it is too large, too slow, or no gzip although it says so.
        """
        declared = request.headers.get("content-length", "")
        too_large = declared.isdecimal() and int(declared) > self.limit
        if too_large and request.headers.get("expect", "").lower() == "100-continue":
            raise self._too_large()  # the client waits with its body for our consent
        body = await self._received(request)
        if request.headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip"):
            return _unpacked(body)
        return body

    async def _received(self, request: Request) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.timeout):
                async for part in request.stream():
                    size += len(part)
                    if size > self.limit:
                        # most clients send all before they listen: what they send is thrown away meanwhile
                        parts.clear()
                        if size > _THROWN_AWAY:
                            break
                    else:
                        parts.append(part)
        except TimeoutError as error:
            raise SlowClientError(self.timeout) from error
        except ClientDisconnect as error:
            raise ServingError(Code.CANCELLED, "the client hung up") from error
        if size > self.limit:
            raise self._too_large()
        return b"".join(parts)

    def _too_large(self) -> TooLargeError:
        return TooLargeError(
            f"the request's body is larger than {self.limit:,} bytes; send fewer rows at once, or start the server "
            "with a greater --max-body-bytes"
        )


def _unpacked(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacker.decompress(body, _UNPACKED_LIMIT + 1)
    except zlib.error as error:
        raise invalid(f"Failed to decompress the gzip body: {error}") from error
    if len(unpacked) > _UNPACKED_LIMIT:
        raise TooLargeError(f"the request's body is larger than {_UNPACKED_LIMIT:,} bytes when it is unpacked")
    if not unpacker.eof:
        raise invalid("Failed to decompress the gzip body: it is incomplete")
    return unpacked
