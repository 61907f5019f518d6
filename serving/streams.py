"""Streams: states that the server keeps for its clients, each on the version it was opened on.

A version that has streams stays loaded until the last of them is closed or has been idle for too long, also when a
newer one answers all other requests. What ended a stream is told to whoever asks for it again.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np

from ..errors import InputError
from ..stream_state import Arrays, OtherModelError, StreamCursor, StreamState
from .served_model import ServedModel
from .service import ModelSpec, Service
from .status import Code, ServingError, invalid
from .step import Step, StepBatcher

# Ends of streams that are remembered.
_MOST_GONE = 10_000


@dataclass(frozen=True)
class StreamLimits:
    """How much the server keeps for its clients.

    Attributes:
        most: streams; one more, and the one that was idle longest is evicted.
        max_bytes: of all states together, those to go back to included.
        idle_seconds: a stream that nobody asked for so long is closed.
    """

    most: int = 10_000
    max_bytes: int = 2**28
    idle_seconds: float = 3600.0


class GoneError(ServingError):
    """410: there was such a stream, and this is why it is no more."""

    status = 410

    def __init__(self, name: str, why: str) -> None:
        super().__init__(Code.FAILED_PRECONDITION, f"stream {name} is gone: {why}")


@dataclass(eq=False)
class _Pinned:
    """A version that has streams: it stays loaded."""

    model: ServedModel
    step: Step
    batcher: StepBatcher
    lease: ExitStack
    streams: int = 0


@dataclass(eq=False)
class ServedStream:
    """A stream of a client.

    Attributes:
        id: its name.
        version: the version it is on.
        cursor: where it stands.
        given: inputs that stay the same.
        lock: one push after another.
        used: when it was last asked for.
    """

    id: str
    version: _Pinned
    cursor: StreamCursor
    given: Arrays
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    used: float = field(default_factory=time.monotonic)

    @property
    def model(self) -> ServedModel:
        """The version it is on."""
        return self.version.model

    @property
    def step(self) -> Step:
        """What moves it on."""
        return self.version.step


class Streams:
    """All streams of a server.

    Args:
        service: the models.
        limits: how much is kept.
    """

    def __init__(self, service: Service, limits: StreamLimits | None = None) -> None:
        self.service, self.limits = service, limits or StreamLimits()
        self.nbytes = 0
        self._streams: OrderedDict[str, ServedStream] = OrderedDict()  # the one idle longest comes first
        self._gone: OrderedDict[str, str] = OrderedDict()
        self._pinned: dict[tuple[str, int], _Pinned] = {}

    # Open and find

    async def open(
        self, spec: ModelSpec, *, label: object = None, saved: bytes | None = None, name: str | None = None
    ) -> ServedStream:
        """Open a stream on a version.

        Args:
            spec: the version; a saved stream goes on on whatever version it was saved on, if that is served.
            label: class of a text.
            saved: bytes of a stream to go on from.
            name: of the stream; by default one that nobody can guess.

        Raises:
            ServingError: if there is no such version, it has no streams, or the bytes are not a stream of it.
        """
        self.sweep()
        await self.service.settled(self.service.timeout)
        version = self._pin(spec) if saved is None else self._pin_for(spec, saved)
        try:
            given = version.step.condition(label)
            if saved is None:
                cursor = StreamCursor(StreamState.begin(version.step.state_shapes))
            else:
                cursor = _opened(saved, version.step)
            stream = ServedStream(name or uuid.uuid4().hex, version, cursor, given)
            if saved is None and version.step.begin is not None:
                for inputs in _rows(version.step.as_observations(np.array([version.step.begin]))):
                    await self._advance(stream, inputs)
        except BaseException:
            self._unpin(version)
            raise
        self._keep(stream)
        self._unpin(version)
        return stream

    def get(self, model: str, name: str, version: int | None = None) -> ServedStream:
        """A stream by its name, which counts as using it.

        Raises:
            ServingError: NOT_FOUND if there never was one, or 410 with the reason why it is no more.
        """
        self.sweep()
        stream = self._streams.get(name)
        if stream is None or stream.model.name != model or version not in (None, stream.model.version):
            if stream is None and name in self._gone:
                raise GoneError(name, self._gone[name])
            raise ServingError(
                Code.NOT_FOUND,
                f"there is no stream {name:.80} of {model:.80}",
                f"open one: POST /v1/models/{model:.80}/streams",
            )
        self._touch(stream)
        return stream

    def of(self, model: str) -> list[ServedStream]:
        """All streams of a model."""
        self.sweep()
        return [stream for stream in self._streams.values() if stream.model.name == model]

    # Move

    async def push(self, stream: ServedStream, inputs: Mapping[str, np.ndarray]) -> Arrays:
        """Observations (observations, ...) by name → predictions (observations, ...).

        All of them count or, where anything is wrong with one, none.

        Raises:
            ServingError: what is wrong with an observation.
        """
        sizes = {name: array.shape[0] if array.ndim else -1 for name, array in inputs.items()}
        if len(set(sizes.values())) != 1 or (size := next(iter(sizes.values()))) < 1:
            raise invalid(
                "the first axis of every input counts the observations, of which there must be at least one; received "
                + ", ".join(f"{name}: {list(array.shape)}" for name, array in inputs.items())
            )
        stream.step.refuse_gaps(inputs)
        async with stream.lock:
            self._require(stream)
            before, bytes_before = stream.cursor.fork(), stream.cursor.nbytes
            try:
                async with asyncio.timeout(self.service.timeout):
                    each = [await self._advance(stream, row) for row in _rows(inputs)]
            except BaseException as error:
                stream.cursor = before
                if isinstance(error, TimeoutError):
                    seconds = self.service.timeout or 0
                    raise ServingError(
                        Code.DEADLINE_EXCEEDED, f"{size} observations took more than {seconds:g} seconds; push fewer"
                    ) from error
                raise
            self._require(stream)
            self.nbytes += stream.cursor.nbytes - bytes_before
        self._touch(stream)
        self._make_room(stream)
        return {name: np.stack([prediction[name] for prediction in each]) for name in each[0]}

    async def push_text(self, stream: ServedStream, text: object) -> Arrays:
        """A piece of text, or a list of tokens → the prediction after its last token (1, ...)."""
        ids = await self._ids(stream, text)
        if len(ids):
            predictions = await self.push(stream, stream.step.as_observations(ids))
            return {name: array[-1:] for name, array in predictions.items()}
        return {name: array[np.newaxis] for name, array in (stream.cursor.now.prediction or {}).items()}

    async def sequence(
        self, spec: ModelSpec, number: int | str, inputs: Mapping[str, np.ndarray], *, start: bool, end: bool
    ) -> tuple[ServedStream, Arrays]:
        """A push as other servers have it: a stream by its client's number, begun and ended by flags.

        Raises:
            ServingError: INVALID_ARGUMENT if there is no such sequence, with the reason where there was one.
        """
        name = f"sequence {number} of {spec.name}"
        if start:
            stream = await self.open(spec, name=name)
        else:
            try:
                stream = self.get(spec.name, name, spec.version)
            except ServingError as error:
                missing = invalid(
                    f"inference request for sequence {number} to model '{spec.name}' must specify the START flag on "
                    "the first request of the sequence"
                )
                missing.hint = error.message
                raise missing from error
        found = await self.push(stream, inputs)
        if end:
            self.close(stream, "its client ended it")
        return stream, found

    async def observation_of(self, spec: ModelSpec, name: int | str, *, start: bool) -> Step:
        """The step of a sequence that goes on, or of the version that one would begin on."""
        known = self._streams.get(f"sequence {name} of {spec.name}")
        if known is not None and not start:
            return known.step
        await self.service.settled(self.service.timeout)
        version = self._pin(spec)
        self._unpin(version)
        return version.step

    async def _ids(self, stream: ServedStream, text: object) -> np.ndarray:
        if (signature := stream.step.text) is None:
            raise invalid(
                f"{stream.model.name} reads no text: push what its signature step takes ({stream.step.observation})"
            )
        [(name, info)] = signature.inputs.items()
        words = info.shape is not None and len(info.shape) == 2
        if isinstance(text, str) and not words:
            value = np.array([text.encode()], dtype=object)
        elif words and isinstance(text, list) and all(isinstance(token, str) for token in text):
            value = np.array([[token.encode() or b" " for token in text]], dtype=object).reshape(1, len(text))
        else:
            raise invalid(f"text must be {'a list of tokens' if words else 'a text'}; received {text!r:.80}")
        answer = await self.service.call(stream.model, signature, {name: value})
        ids = answer.outputs[next(iter(signature.outputs))][0]
        return ids[1:] if stream.step.begin is not None else ids

    async def _advance(self, stream: ServedStream, inputs: Arrays) -> Arrays:
        """One observation (1, ...) → the prediction after it, without the batch axis."""
        step, now = stream.step, stream.cursor.now
        found = await stream.version.batcher.run({**inputs, **stream.given, **now.states})
        prediction = {name: found[name][0] for name in step.predicted}
        prediction = {name: np.asarray(value, found[name].dtype) for name, value in prediction.items()}
        step.refuse_nonsense(prediction, now.steps + 1)
        stream.cursor.advance({name: found[name] for name in step.state_shapes}, prediction)
        return prediction

    async def fork(self, stream: ServedStream) -> ServedStream:
        """A second stream that goes on from here."""
        async with stream.lock:
            self._require(stream)
            fork = ServedStream(uuid.uuid4().hex, stream.version, stream.cursor.fork(), stream.given)
            self._keep(fork)
        return fork

    async def rewind(self, stream: ServedStream, steps: int) -> None:
        """Take back the last observations.

        Raises:
            ServingError: INVALID_ARGUMENT if the stream does not remember that far back.
        """
        async with stream.lock:
            self._require(stream)
            before = stream.cursor.nbytes
            try:
                stream.cursor.rewind(steps)
            except InputError as error:
                raise invalid(str(error)) from error
            self.nbytes += stream.cursor.nbytes - before

    async def save(self, stream: ServedStream) -> bytes:
        """The stream as bytes, to go on elsewhere."""
        async with stream.lock:
            return stream.cursor.to_bytes(stream.step.fingerprint)

    # End

    def close(self, stream: ServedStream, why: str = "it was deleted") -> None:
        """End a stream."""
        if self._streams.pop(stream.id, None) is not stream:
            return
        self.nbytes -= stream.cursor.nbytes
        self._gone[stream.id] = why
        if len(self._gone) > _MOST_GONE:
            self._gone.popitem(last=False)
        self._unpin(stream.version)

    def sweep(self) -> None:
        """Close what has been idle for too long."""
        now = time.monotonic()
        for stream in list(self._streams.values()):
            if now - stream.used <= self.limits.idle_seconds:
                return
            if not stream.lock.locked():
                self.close(stream, f"it was idle for more than {self.limits.idle_seconds:g} seconds")

    def _keep(self, stream: ServedStream) -> None:
        if (earlier := self._streams.get(stream.id)) is not None:
            self.close(earlier, "another one took its name")
        self._gone.pop(stream.id, None)
        self._streams[stream.id] = stream
        stream.version.streams += 1
        self.nbytes += stream.cursor.nbytes
        self._make_room(stream)

    def _make_room(self, newest: ServedStream) -> None:
        limits = self.limits
        for stream in list(self._streams.values()):
            if len(self._streams) <= limits.most and self.nbytes <= limits.max_bytes:
                return
            if stream is not newest and not stream.lock.locked():
                self.close(
                    stream,
                    f"it was evicted, having been idle longest: the server keeps {limits.most} streams and "
                    f"{limits.max_bytes:,} bytes of states at most",
                )

    def _touch(self, stream: ServedStream) -> None:
        stream.used = time.monotonic()
        if stream.id in self._streams:
            self._streams.move_to_end(stream.id)

    def _require(self, stream: ServedStream) -> None:
        if self._streams.get(stream.id) is not stream:
            raise GoneError(stream.id, self._gone.get(stream.id, "it was deleted"))

    # Versions

    def _pin(self, spec: ModelSpec) -> _Pinned:
        """Keep a version loaded; every call is matched by one of :meth:`_unpin`."""
        lease = ExitStack()
        model = lease.enter_context(self.service.repository.lease(spec.name, spec.version, spec.label))
        key = (model.name, model.version)
        if (known := self._pinned.get(key)) is not None and known.model is model:
            lease.close()
            known.streams += 1
            return known
        try:
            step = Step.of(model)
        except BaseException:
            lease.close()
            raise
        self._pinned[key] = _Pinned(model, step, StepBatcher(self.service, model, step), lease, 1)
        return self._pinned[key]

    def _unpin(self, version: _Pinned) -> None:
        version.streams -= 1
        if version.streams == 0:
            key = (version.model.name, version.model.version)
            if self._pinned.get(key) is version:
                del self._pinned[key]
            version.lease.close()

    def _pin_for(self, spec: ModelSpec, saved: bytes) -> _Pinned:
        """The version that a stream was saved on, of those that are served."""
        numbers = sorted(self.service.repository.available(spec.name), reverse=True)
        if spec.version is not None or spec.label is not None or not numbers:
            return self._pin(spec)
        for number in numbers:
            version = self._pin(ModelSpec(spec.name, number))
            try:
                _opened(saved, version.step)
            except GoneError:
                self._unpin(version)
                continue
            except BaseException:
                self._unpin(version)
                raise
            return version
        raise GoneError("saved", f"version gone: {spec.name} serves no version that it could go on on")


def _opened(saved: bytes, step: Step) -> StreamCursor:
    try:
        return StreamCursor.from_bytes(saved, step.fingerprint, step.state_shapes)
    except OtherModelError as error:
        raise GoneError("saved", f"version gone: {error}") from error
    except InputError as error:
        raise invalid(str(error)) from error


def _rows(inputs: Mapping[str, np.ndarray]) -> list[Arrays]:
    size = len(next(iter(inputs.values())))
    return [{name: array[i : i + 1] for name, array in inputs.items()} for i in range(size)]
