"""What every protocol asks of the models: which version, which signature, its answer, and the counting of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np

from . import examples
from .batching import Outputs, Runner
from .metrics import Metrics
from .repository import Repository
from .served_model import ServedModel, Signature
from .status import Code, ServingError


@dataclass(frozen=True)
class ModelSpec:
    """Which model is asked: by its newest version, by number or by label."""

    name: str
    version: int | None = None
    label: str | None = None


@dataclass(frozen=True)
class Answer:
    """Outputs by name, and what the client should know about its inputs."""

    outputs: Outputs
    warnings: Sequence[str] = ()


class Service:
    """The models, and how they are called.

    Args:
        repository: versions that come and go.
        runner: runs them off the event loop.
        metrics: of the server.
        timeout: seconds that a request may take where its client names no deadline; None for no limit.
    """

    def __init__(
        self, repository: Repository, runner: Runner, metrics: Metrics, *, timeout: float | None = 30.0
    ) -> None:
        self.repository, self.runner, self.metrics, self.timeout = repository, runner, metrics, timeout

    async def settled(self, timeout: float | None = None) -> None:
        """Wait until every version that is there at the start is loaded, or known to be broken."""
        if self.repository.settled.is_set():
            return
        try:
            async with asyncio.timeout(timeout):
                while not self.repository.settled.is_set():
                    await asyncio.sleep(0.01)
        except TimeoutError as error:
            raise ServingError(Code.UNAVAILABLE, "the models are still being loaded") from error

    @asynccontextmanager
    async def lease(self, spec: ModelSpec) -> AsyncIterator[ServedModel]:
        """A version that stays loaded in the block; a client that comes too early waits for the first versions."""
        await self.settled(self.timeout)
        with self.repository.lease(spec.name, spec.version, spec.label) as model:
            yield model

    async def call(
        self,
        model: ServedModel,
        signature: Signature,
        inputs: Mapping[str, np.ndarray],
        *,
        outputs: Sequence[str] | None = None,
        timeout: float | None = None,
        api: str = "Predict",
    ) -> Answer:
        """Check the inputs and run a signature."""
        checked = model.checked(signature, inputs)
        warnings = self.metrics.look_at(model, signature, checked)
        started = time.perf_counter()
        found = await self.runner.run(model, signature, checked, outputs, timeout or self.timeout)
        self.metrics.runtime(model.name, api, time.perf_counter() - started)
        return Answer(found, warnings)

    async def on_examples(
        self, model: ServedModel, signature: Signature, method: str, rows: np.ndarray, timeout: float | None = None
    ) -> tuple[Outputs, int]:
        """Run a signature that classifies or regresses; its outputs and how many examples there were."""
        api = "Classify" if method == examples.CLASSIFY else "Regress"
        outputs = examples.wanted_outputs(signature, method)
        answer = await self.call(model, signature, {examples.INPUTS: rows}, outputs=outputs, timeout=timeout, api=api)
        return answer.outputs, len(rows)

    def finished(
        self,
        model: str,
        *,
        api: str,
        entrypoint: str,
        code: Code,
        started: float,
        version: str = "",
        signature: str = "",
    ) -> None:
        """Count a request; time those that were answered."""
        model = self.metrics.known(model)
        self.metrics.count(model, code.name)
        self.metrics.answers.labels(model, version, signature, entrypoint, code.name).inc()
        if code is Code.OK:
            self.metrics.request(model, api, entrypoint, time.perf_counter() - started)
