"""Logs as lines of JSON on standard error; they hold no bodies, no headers and no tokens."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

_KNOWN = logging.LogRecord("", 0, "", 0, "", (), None).__dict__.keys() | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON, with whatever was given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _KNOWN}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def set_up(*, requests: bool) -> None:
    """Send the server's logs to standard error.

    Args:
        requests: also a line for every request.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name, level in (
        ("recurra.serving", logging.INFO),
        ("recurra.serving.requests", logging.INFO if requests else logging.WARNING),
        ("uvicorn.error", logging.WARNING),
        ("grpc", logging.ERROR),
    ):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        if name != "recurra.serving.requests":
            logger.handlers, logger.propagate = [handler], False
