"""Where a stream of observations stands: states, the steps they have read, how to go back and how to keep them.

Known by streams in Python and by a server alike, so nothing but NumPy is imported here.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .errors import InputError

Arrays = dict[str, np.ndarray]
# Shape without the batch, and type, of each state by name.
StateShapes = Mapping[str, tuple[tuple[int, ...], str]]

# Steps that a stream can go back.
HISTORY = 64
_FORMAT = 1
_HEADER = "header"


class OtherModelError(InputError):
    """The bytes are a stream, but of another model."""


@dataclass(frozen=True, eq=False)
class StreamState:
    """A moment of a stream. The arrays are never written to, so that moments can share them.

    Attributes:
        states: (1, ...) each, by name.
        steps: observations read.
        prediction: what was predicted after the last of them, without the batch axis; None before the first.
        expects: when the next observation is due, in seconds since 1970; None where nobody said when they were made.
    """

    states: Arrays
    steps: int = 0
    prediction: Arrays | None = None
    expects: int | None = None

    @classmethod
    def begin(cls, shapes: StateShapes) -> StreamState:
        """Zeros begin every stream."""
        return cls({name: np.zeros((1, *shape), dtype) for name, (shape, dtype) in shapes.items()})

    @property
    def nbytes(self) -> int:
        """Memory that the states take."""
        return sum(array.nbytes for array in self.states.values())


@dataclass(eq=False)
class StreamCursor:
    """A moment of a stream, and the moments before it.

    Args:
        now: where the stream stands.
        earlier: the last moments before, the newest last.
    """

    now: StreamState
    earlier: deque[StreamState] = field(default_factory=lambda: deque(maxlen=HISTORY))

    def advance(self, states: Arrays, prediction: Arrays | None, expects: int | None = None) -> None:
        """One observation more was read."""
        self.earlier.append(self.now)
        self.now = StreamState(states, self.now.steps + 1, prediction, expects)

    def fork(self) -> StreamCursor:
        """A second stream from here on, with the same past."""
        return StreamCursor(self.now, self.earlier.copy())

    def rewind(self, steps: int) -> None:
        """Go back, as if the last `steps` observations had never been read.

        Raises:
            InputError: if the stream has not read as many, or does not remember that far back.
        """
        if not 0 <= steps <= len(self.earlier):
            raise InputError(
                f"the stream cannot go back {steps} steps: it has read {self.now.steps} and remembers the last "
                f"{len(self.earlier)}; save a stream, or fork it, to come back to a place further away"
            )
        for _ in range(steps):
            self.now = self.earlier.pop()

    @property
    def nbytes(self) -> int:
        """Memory that all its states take at most."""
        return self.now.nbytes * (1 + len(self.earlier))

    def to_bytes(self, model: str) -> bytes:
        """The stream as bytes, without pickle: its states and last prediction, not the moments before.

        Args:
            model: tells models apart; only the same one opens the stream again.
        """
        arrays = {f"states/{name}": array for name, array in self.now.states.items()}
        for name, array in (self.now.prediction or {}).items():
            arrays[f"prediction/{name}"] = as_text(array)
        now = self.now
        header = {"format": _FORMAT, "model": model, "steps": now.steps, "expects": now.expects}
        header["began"] = now.prediction is not None
        arrays[_HEADER] = np.frombuffer(json.dumps(header).encode(), np.uint8)
        file = io.BytesIO()
        np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's own stubs take no mapping
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, model: str, shapes: StateShapes) -> StreamCursor:
        """What :meth:`to_bytes` made.

        Raises:
            InputError: if the bytes are not a stream, or a stream of another model.
        """
        header, arrays = _unpack(data)
        if header.get("model") != model:
            raise OtherModelError(
                "the saved stream belongs to another model, or to another version of it, whose states mean something "
                "else; open a new stream and push its last observations"
            )
        states = {name.removeprefix("states/"): a for name, a in arrays.items() if name.startswith("states/")}
        wanted = {name: ((1, *shape), dtype) for name, (shape, dtype) in shapes.items()}
        if {name: (a.shape, a.dtype.name) for name, a in states.items()} != wanted:
            raise InputError("the saved stream is damaged: its states have other shapes than the model's; save it anew")
        prefix = "prediction/"
        prediction = {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
        steps, expects = int(header["steps"]), header["expects"]
        return cls(StreamState(states, steps, prediction if header["began"] else None, expects))


def as_text(array: np.ndarray) -> np.ndarray:
    """Bytes as text; numbers, and what is text already, as they are."""
    if array.dtype != object:
        return array
    texts = [text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text) for text in array.ravel()]
    return np.array(texts, dtype=str).reshape(array.shape)


def _unpack(data: bytes) -> tuple[dict[str, Any], Arrays]:
    """The header and the arrays of saved bytes; what would unpack to more than was handed in is refused unread."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > len(data):
                raise ValueError("an archive of streams is not compressed")
        with np.load(io.BytesIO(data), allow_pickle=False) as loaded:
            arrays = dict(loaded)
        header = json.loads(arrays.pop(_HEADER).tobytes())
        if header["format"] != _FORMAT:
            raise ValueError("another format")
        if not isinstance(header["steps"], int) or not isinstance(header["expects"], int | None):
            raise ValueError("a header of another kind")
        bool(header["began"])
    except (ValueError, KeyError, TypeError, OSError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise InputError(
            "these bytes are not a saved stream, or only a part of one; give all that `save` made"
        ) from error
    return header, arrays
