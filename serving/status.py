"""Errors of the server: a code of gRPC's, TensorFlow Serving's text, and below it what was expected.

Source: tensorflow_serving/model_servers/http_server.cc, grpc_status_util.cc.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from grpc import StatusCode as Code

_HTTP = {
    Code.OK: 200,
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.UNAUTHENTICATED: 401,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
}
_BY_NUMBER: dict[int, Code] = {code.value[0]: code for code in Code}
# Details travel in an HTTP/2 trailer, which clients and proxies limit (grpc_status_util.cc).
_DETAILS_LIMIT = 1024


class ServingError(Exception):
    """What went wrong with a request, as both protocols report it.

    Args:
        code: gRPC's status code.
        message: TensorFlow Serving's text.
        hint: what was expected, for the person who reads the message.
    """

    def __init__(self, code: Code, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint

    @property
    def http_status(self) -> int:
        """HTTP's status for the code."""
        return _HTTP[self.code]

    @property
    def text(self) -> str:
        """Message and hint, the hint on a new line."""
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    @property
    def details(self) -> str:
        """The text as gRPC's details, cut where TensorFlow Serving cuts."""
        return self.text if len(self.text) <= _DETAILS_LIMIT else self.text[:_DETAILS_LIMIT] + "...TRUNCATED"


def invalid(message: str) -> ServingError:
    """INVALID_ARGUMENT, the most frequent of all."""
    return ServingError(Code.INVALID_ARGUMENT, message)


def not_found(message: str) -> ServingError:
    """NOT_FOUND."""
    return ServingError(Code.NOT_FOUND, message)


def code_of_number(number: int) -> Code:
    """The code that TensorFlow's errors and gRPC call by the same number."""
    return _BY_NUMBER.get(number, Code.UNKNOWN)


@contextmanager
def hinting(hint: Callable[[], str]) -> Iterator[None]:
    """Add a hint to an error that has none yet; it is made only then."""
    try:
        yield
    except ServingError as error:
        if not error.hint:
            error.hint = hint()
        raise
