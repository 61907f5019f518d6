"""Calls of models off the event loop, alone or several requests together.

Requests share a call only if the graph has no state, and a first call with real rows has shown that each row's outputs
are the same alone and in company. Nothing is ever padded: one queue per signature, shapes and types.

Source: tensorflow_serving/batching/batching_session.cc; what is different is said in docs/serving.md.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from .metrics import Metrics
from .served_model import ServedModel, Signature
from .status import Code, ServingError

Outputs = dict[str, np.ndarray]

_MOST_QUEUES = 512
# Single precision differs in the last digits with the size of a batch.
_TOLERANCE = 1e-4
_THREADS = 32
_log = logging.getLogger("recurra.serving")


@dataclass(frozen=True)
class BatchingOptions:
    """How requests share calls.

    Attributes:
        max_batch_size: rows in a call at most; 1 is off.
        batch_timeout: seconds that the first request of a batch waits for others; it never refuses one.
        latency_goal: seconds that waiting and computing should take together: waiting is cut short by it.
        max_queue: requests under way at most; more are refused with UNAVAILABLE.
    """

    max_batch_size: int = 1
    batch_timeout: float = 0.0
    latency_goal: float | None = None
    max_queue: int = 1000


@dataclass(eq=False)
class _Item:
    inputs: Mapping[str, np.ndarray]
    rows: int
    answer: asyncio.Future[Outputs]

    @property
    def wanted(self) -> bool:
        return not self.answer.done()  # a client that left has cancelled it


@dataclass(eq=False)
class _Queue:
    """Requests that could share a call.

    Attributes:
        independent: whether rows are independent of their company; None as long as nobody has seen it.
        seconds: moving average of a call's time.
    """

    model: weakref.ref[ServedModel]
    signature: Signature
    outputs: tuple[str, ...]
    independent: bool | None = None
    items: list[_Item] = field(default_factory=list)
    running: int = 0
    timer: asyncio.TimerHandle | None = None
    seconds: float = 0.0


class Runner:
    """Runs models for the event loop.

    Args:
        metrics: of the server.
        options: how requests share calls.
    """

    def __init__(self, metrics: Metrics, options: BatchingOptions | None = None) -> None:
        self.metrics, self.options = metrics, options or BatchingOptions()
        self.pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="model")
        self.under_way = 0
        self._queues: weakref.WeakKeyDictionary[ServedModel, dict[object, _Queue]] = weakref.WeakKeyDictionary()
        self._tasks: set[asyncio.Task[None]] = set()
        self._most_running = max(1, (os.cpu_count() or 1) // 2)

    async def run(
        self,
        model: ServedModel,
        signature: Signature,
        inputs: Mapping[str, np.ndarray],
        outputs: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> Outputs:
        """Outputs of a signature.

        Raises:
            ServingError: what the model raises; UNAVAILABLE if too many are waiting; DEADLINE_EXCEEDED.
        """
        if self.under_way >= self.options.max_queue:
            raise ServingError(Code.UNAVAILABLE, "The batch scheduling queue to which this task was submitted is full")
        self.under_way += 1
        self.metrics.waiting.set(self.under_way)
        try:
            async with asyncio.timeout(timeout):
                if (queue := self._queue(model, signature, inputs, outputs)) is None:
                    return await self._call(model, signature, inputs, outputs, timeout)
                return await self._enqueue(queue, inputs)
        except TimeoutError as error:
            raise ServingError(Code.DEADLINE_EXCEEDED, f"Timed out after {timeout:.3g} seconds") from error
        finally:
            self.under_way -= 1
            self.metrics.waiting.set(self.under_way)

    async def in_thread(self, function, *arguments):  # type: ignore[no-untyped-def]  # as asyncio.to_thread
        """Run a function that takes long in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, function, *arguments)

    async def _call(
        self,
        model: ServedModel,
        signature: Signature,
        inputs: Mapping[str, np.ndarray],
        outputs: Sequence[str] | None,
        timeout: float | None = None,
    ) -> Outputs:
        started = time.perf_counter()
        found: Outputs = await self.in_thread(model.call, signature, inputs, outputs, timeout)
        self._record(model, signature, time.perf_counter() - started, _rows(inputs) or 1)
        return found

    def _record(self, model: ServedModel, signature: Signature, seconds: float, rows: int) -> None:
        labels = (model.name, model.version, signature.name)
        self.metrics.model_seconds.labels(*labels).observe(seconds)
        self.metrics.batch_rows.labels(*labels).observe(rows)

    # Batches

    def _queue(
        self,
        model: ServedModel,
        signature: Signature,
        inputs: Mapping[str, np.ndarray],
        outputs: Sequence[str] | None,
    ) -> _Queue | None:
        """The queue for these inputs; None if the request goes alone."""
        rows = _rows(inputs)
        if self.options.max_batch_size <= 1 or not 0 < rows < self.options.max_batch_size:
            return None
        names = tuple(signature.outputs) if outputs is None else tuple(outputs)
        key = (signature.name, names, *((name, a.shape[1:], a.dtype.str) for name, a in sorted(inputs.items())))
        queues = self._queues.setdefault(model, {})
        if key not in queues:
            if len(queues) >= _MOST_QUEUES:
                _forget_idle(queues)
            stateless = None if not model.changes_state(signature) else False
            queues[key] = _Queue(weakref.ref(model), signature, names, independent=stateless)
        return None if queues[key].independent is False else queues[key]

    async def _enqueue(self, queue: _Queue, inputs: Mapping[str, np.ndarray]) -> Outputs:
        item = _Item(inputs, _rows(inputs), asyncio.get_running_loop().create_future())
        queue.items.append(item)
        self._consider(queue)
        return await item.answer

    def _consider(self, queue: _Queue, *, waited: bool = False) -> None:
        """Start a batch if one is full or has waited long enough, and a processor is free for it."""
        queue.items = [item for item in queue.items if item.wanted]
        if not queue.items or queue.running >= self._most_running:
            return
        wait = self._wait(queue)
        if not waited and wait > 0 and sum(item.rows for item in queue.items) < self.options.max_batch_size:
            if queue.timer is None:
                queue.timer = asyncio.get_running_loop().call_later(wait, self._waited, queue)
            return
        if queue.timer is not None:
            queue.timer.cancel()
            queue.timer = None
        queue.running += 1
        task = asyncio.get_running_loop().create_task(self._batch(queue, self._take(queue)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _waited(self, queue: _Queue) -> None:
        queue.timer = None
        self._consider(queue, waited=True)

    def _wait(self, queue: _Queue) -> float:
        goal = self.options.latency_goal
        return min(self.options.batch_timeout, max(0.0, goal - queue.seconds) if goal is not None else float("inf"))

    def _take(self, queue: _Queue) -> list[_Item]:
        taken, rows = [], 0
        while queue.items and rows + queue.items[0].rows <= self.options.max_batch_size:
            taken.append(queue.items.pop(0))
            rows += taken[-1].rows
        return taken

    async def _batch(self, queue: _Queue, items: list[_Item]) -> None:
        try:
            model = queue.model()
            if model is None:
                raise ServingError(Code.UNAVAILABLE, "the version was unloaded")
            if len(items) == 1 or queue.independent is False:
                await self._alone(model, queue, items)
            elif queue.independent is None:
                await self._prove(model, queue, items)
            else:
                await self._together(model, queue, items)
        except Exception as error:  # whatever it was, nobody is left waiting
            for item in items:
                if item.wanted:
                    item.answer.set_exception(error)
        finally:
            queue.running -= 1
            self._consider(queue)

    async def _alone(self, model: ServedModel, queue: _Queue, items: list[_Item]) -> list[Outputs | None]:
        """Answer each by a call of its own; outputs are None where that failed."""
        return await asyncio.gather(*(self._answer(model, queue, item) for item in items))

    async def _answer(self, model: ServedModel, queue: _Queue, item: _Item) -> Outputs | None:
        try:
            outputs = await self._call(model, queue.signature, item.inputs, queue.outputs)
        except ServingError as error:
            if item.wanted:
                item.answer.set_exception(error)
            return None
        if item.wanted:
            item.answer.set_result(outputs)
        return outputs

    async def _together(self, model: ServedModel, queue: _Queue, items: list[_Item]) -> None:
        started = time.perf_counter()
        try:
            merged = await self._call(model, queue.signature, _merge(items), queue.outputs)
        except ServingError:  # one of them may be to blame: the others get their answers
            await self._alone(model, queue, items)
            return
        queue.seconds = 0.8 * queue.seconds + 0.2 * (time.perf_counter() - started)
        if (parts := _split(merged, [item.rows for item in items])) is None:
            self._refuse(model, queue, "an output lost its batch axis")
            await self._alone(model, queue, items)
            return
        for item, part in zip(items, parts, strict=True):
            if item.wanted:
                item.answer.set_result(part)

    async def _prove(self, model: ServedModel, queue: _Queue, items: list[_Item]) -> None:
        """Answer each alone, then see whether together they would have got the same."""
        apart = await self._alone(model, queue, items)
        merged_inputs = _merge(items)
        if any(found is None for found in apart) or not _differ(merged_inputs):
            return  # shows nothing: the next batch will
        try:
            merged = await self._call(model, queue.signature, merged_inputs, queue.outputs)
            parts = _split(merged, [item.rows for item in items])
        except ServingError:
            parts = None
        if parts is not None and all(_same(a, b) for a, b in zip(apart, parts, strict=True)):
            queue.independent = True
            return
        self._refuse(model, queue, "a row's outputs depend on the other rows, or have no batch axis")

    def _refuse(self, model: ServedModel, queue: _Queue, why: str) -> None:
        queue.independent = False
        _log.info("requests for %r of %r are not batched: %s", queue.signature.name, model, why)


def _rows(inputs: Mapping[str, np.ndarray]) -> int:
    """Size of the batch axis; 0 if the inputs have none in common."""
    sizes = {array.shape[0] if array.ndim else 0 for array in inputs.values()}
    return sizes.pop() if len(sizes) == 1 else 0


def _merge(items: list[_Item]) -> Outputs:
    return {name: np.concatenate([item.inputs[name] for item in items]) for name in items[0].inputs}


def _split(outputs: Outputs, rows: list[int]) -> list[Outputs] | None:
    ends = np.cumsum(rows).tolist()
    if any(not array.ndim or len(array) != ends[-1] for array in outputs.values()):
        return None
    starts = [0, *ends[:-1]]
    return [{name: a[start:end] for name, a in outputs.items()} for start, end in zip(starts, ends, strict=True)]


def _differ(inputs: Outputs) -> bool:
    """Whether not all rows are the same: equal rows agree even in a model that mixes them."""
    return any(bool((array != array[:1]).any()) for array in inputs.values())


def _same(apart: Outputs | None, together: Outputs) -> bool:
    return apart is not None and all(_agree(apart[name], array) for name, array in together.items())


def _agree(ours: np.ndarray, theirs: np.ndarray) -> bool:
    if ours.shape != theirs.shape:
        return False
    if ours.dtype.kind not in "fc":
        return bool((ours == theirs).all())
    known = np.isfinite(ours)
    if not np.array_equal(known, np.isfinite(theirs)):
        return False
    size = float(np.abs(ours[known]).mean()) if known.any() else 0.0
    return bool(np.allclose(ours, theirs, rtol=_TOLERANCE, atol=_TOLERANCE * size, equal_nan=True))


def _forget_idle(queues: dict[object, _Queue]) -> None:
    for key in [key for key, queue in queues.items() if not queue.items and not queue.running]:
        del queues[key]
