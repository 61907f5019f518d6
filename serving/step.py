"""The signature ``step`` of a model, as a server needs it: what is observed, what is carried along, what comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..stream_state import Arrays, StateShapes
from .served_model import ServedModel, Signature
from .service import Service
from .status import Code, ServingError, invalid

STEP, TOKENS, _STATE, _CONDITION, _LOGITS = "step", "tokens", "state_", "condition", "logits"
# Streams that move on in one call.
_MOST_ROWS = 256


@dataclass(frozen=True, eq=False)
class Step:
    """What moves the streams of a version on.

    Attributes:
        signature: all of it.
        observation: the same with the inputs that a client gives alone.
        predicted: names of the outputs that are predictions.
        state_shapes: shape without batch and type of each state.
        text: the signature that cuts texts, where there is one.
        conditions: classes that a text may have.
        about: what ``recurra.json`` says: ``first``, ``note``, ``complete``, ``begin``.
        fingerprint: tells models apart, for saved streams.
    """

    signature: Signature
    observation: Signature
    predicted: tuple[str, ...]
    state_shapes: StateShapes
    text: Signature | None
    conditions: tuple[str, ...]
    about: Mapping[str, Any]
    fingerprint: str

    @classmethod
    def of(cls, model: ServedModel) -> Step:
        """That of a version.

        Raises:
            ServingError: FAILED_PRECONDITION if it has none, with the reason.
        """
        about = _object(model.card.get("stream"))
        if STEP not in model.signatures:
            why = about.get("why_not") or f"it has no signature {STEP}"
            raise ServingError(Code.FAILED_PRECONDITION, f"{model.name} version {model.version} has no streams: {why}")
        signature = model.signatures[STEP]
        shapes: dict[str, tuple[tuple[int, ...], str]] = {}
        for name, info in signature.inputs.items():
            if name.startswith(_STATE):
                if info.shape is None or None in info.shape[1:] or name not in signature.outputs:
                    raise ServingError(
                        Code.FAILED_PRECONDITION,
                        f"{model.name} has no streams: {name} has no fixed size, or is no output",
                    )
                shapes[name] = (tuple(size or 0 for size in info.shape[1:]), info.dtype.name)
        given = {n: i for n, i in signature.inputs.items() if n not in shapes and n != _CONDITION}
        pipeline = _object(_object(model.card.get("schema")).get("pipeline"))
        return cls(
            signature,
            replace(signature, inputs=given),
            tuple(name for name in signature.outputs if name not in shapes and name != _LOGITS),
            shapes,
            model.signatures.get(TOKENS),
            tuple(map(str, pipeline.get("conditions", ()))) if _CONDITION in signature.inputs else (),
            about,
            str(model.card.get("weights") or f"{model.name}/{model.version}"),
        )

    @property
    def begin(self) -> int | None:
        """The token that stands before the first."""
        begin = self.about.get("begin")
        return begin if isinstance(begin, int) else None

    @property
    def first(self) -> int:
        """Observations before the first prediction, that one included."""
        first = self.about.get("first", 1)
        return first if isinstance(first, int) else 1

    def condition(self, label: object) -> Arrays:
        """The class of a text as an input.

        Raises:
            ServingError: INVALID_ARGUMENT for an unknown class, or one where the model has none.
        """
        if not self.conditions:
            if label is not None:
                raise invalid(f"the model has no classes, so label {label!r:.80} does not apply to it")
            return {}
        if str(label) not in self.conditions:
            raise invalid(f"label must be one of {', '.join(self.conditions)}; received {label!r:.80}")
        return {_CONDITION: np.array([self.conditions.index(str(label))], np.int32)}

    def as_observations(self, ids: np.ndarray) -> Arrays:
        """Ids of tokens as inputs: (tokens,) → (tokens, ...)."""
        [(name, info)] = self.observation.inputs.items()
        rank = 1 if info.shape is None else len(info.shape)
        return {name: ids.astype(np.int32).reshape(-1, *[1] * (rank - 1))}

    def refuse_gaps(self, inputs: Mapping[str, np.ndarray]) -> None:
        """Refuse rows with missing values where the model has no way to go on without them."""
        values = inputs.get("values")
        if self.about.get("complete") and values is not None and len(gaps := np.argwhere(~np.isfinite(values))):
            raise invalid(
                f"row {gaps[0][0]} has no value in channel {gaps[0][-1]}: gaps in training were filled from both "
                "sides, and what comes after this one is not known yet; give a value, or fit with missing ffill"
            )

    def refuse_nonsense(self, prediction: Mapping[str, np.ndarray], steps: int) -> None:
        """Refuse what made a prediction that is not a number, before it spoils the stream."""
        wrong = any(bool(np.isnan(array).any()) for array in prediction.values() if array.dtype.kind == "f")
        if wrong and self.about.get("complete") and steps >= self.first:
            raise invalid(
                "the prediction is not a number: a row holds what the model cannot read, such as a value that is not "
                "positive where it takes logarithms; the stream stays where it was"
            )


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


class StepBatcher:
    """Steps of many streams in one call: those that come while a call runs go together into the next.

    Nobody waits for company, and no setting is needed. A row that fails is tried alone.

    Args:
        service: runs the model.
        model: the version.
        step: its signature.
    """

    def __init__(self, service: Service, model: ServedModel, step: Step) -> None:
        self.service, self.model, self.step = service, model, step
        self._wanted = [*step.predicted, *step.state_shapes]
        self._waiting: list[tuple[Arrays, asyncio.Future[Arrays]]] = []
        self._task: asyncio.Task[None] | None = None

    async def run(self, inputs: Arrays) -> Arrays:
        """A step of one stream: inputs and outputs (1, ...)."""
        answer: asyncio.Future[Arrays] = asyncio.get_running_loop().create_future()
        self._waiting.append((inputs, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            shapes = _shapes(self._waiting[0][0])
            together = [item for item in self._waiting if _shapes(item[0]) == shapes][:_MOST_ROWS]
            taken = {id(item) for item in together}
            self._waiting = [item for item in self._waiting if id(item) not in taken]
            await self._call([item for item in together if not item[1].done()])

    async def _call(self, items: list[tuple[Arrays, asyncio.Future[Arrays]]]) -> None:
        if not items:
            return
        merged = {name: np.concatenate([inputs[name] for inputs, _ in items]) for name in items[0][0]}
        try:
            found = await self.service.call(self.model, self.step.signature, merged, outputs=self._wanted)
        except Exception as error:  # whatever it was, nobody is left waiting
            if len(items) > 1:
                for item in items:
                    await self._call([item])
            elif not items[0][1].done():
                items[0][1].set_exception(error)
            return
        for row, (_, answer) in enumerate(items):
            if not answer.done():
                # copies: a stream that keeps its row must not keep those of all the others
                answer.set_result({name: array[row : row + 1].copy() for name, array in found.outputs.items()})


def _shapes(inputs: Arrays) -> tuple[object, ...]:
    return tuple((name, array.shape[1:], array.dtype.str) for name, array in sorted(inputs.items()))
