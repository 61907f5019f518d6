"""Stream: a model that is told one observation after another, and predicts after each."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..stream_state import Arrays, StreamCursor, StreamState
from .step import STATE

if TYPE_CHECKING:
    from .observations import Observations
    from .predictor import Predictor
    from .step import Step


class Stream:
    """A model that is told one observation after another, and predicts after each.

    A push costs the same however many observations came before: what the model knows of them is its state. Made by
    :meth:`Predictor.stream`.

    Args:
        predictor: trained or exported.
        label: class that a text belongs to, for language models that have classes.
        saved: bytes that :meth:`save` made, to go on from there.

    Raises:
        InputError: if the model reads a sequence as a whole, or the bytes are not a stream of this model.

    Example:
        >>> stream = recurra.load_model("saved_models/demand").stream()
        >>> stream.push([412.0])["forecast"]
    """

    def __init__(self, predictor: Predictor[Any], *, label: Hashable = None, saved: bytes | None = None) -> None:
        step: Step | None = predictor.model.step
        if step is None:
            raise InputError(f"{predictor!r} has no streams, because {predictor.model.why_no_step}")
        self._predictor, self._step = predictor, step
        self._given: Arrays = predictor.schema.conditions(label)
        if saved is not None:
            self._cursor = StreamCursor.from_bytes(saved, predictor.fingerprint(), step.state_shapes)
        else:
            self._cursor = StreamCursor(StreamState.begin(step.state_shapes))
            self._begin()

    def _begin(self) -> None:
        """What stands before the first observation, as the end of the text before does before a text."""
        if (ids := self._predictor.schema.before_first()) is not None:
            self._advance(ids, 0)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of its predictions should know."""
        first = self._step.first
        notes = [self._step.note]
        if first > 1:
            notes.append(f"a prediction is NaN until {first} observations have been read")
        return tuple(notes)

    @property
    def steps(self) -> int:
        """Observations read, tokens of a text each for itself."""
        return self._cursor.now.steps

    @property
    def prediction(self) -> Arrays | None:
        """What was predicted after the last observation; None before the first."""
        return self._cursor.now.prediction

    def push(self, source: Any, *, future: Any = None) -> Arrays:
        """Tell the model what was observed.

        All of it counts, or, where anything is wrong with it, none.

        Args:
            source: an observation, or several.

                - forecast: a row with names (a mapping), or its numbers in the order of the channels; a table or an
                  array (rows, channels) for several;
                - sequences of numbers: numbers (channels,), or (rows, channels);
                - lists of tokens: a token, or a list of them;
                - texts: a piece of text; it is cut into tokens by itself, so end it where a word ends.
            future: forecast: the `horizon` rows after the last one, of the covariates known ahead.

        Returns:
            The outputs by name, in the user's units and labels, as the exported model has them, without the batch axis:
            after one observation, or a piece of text, those after its last step; after several the same with an axis
            of observations in front.

        Raises:
            InputError: if anything is wrong with the observations, or one does not follow the one before it.
        """
        observed = self._predictor.schema.observations(source, future=future)
        self._check(observed)
        before = self._cursor.fork()
        try:
            predictions = [self._advance(observed, i) for i in range(len(observed))]
        except BaseException:
            self._cursor = before
            raise
        if not observed.many:
            return dict(self._cursor.now.prediction or {})
        if not predictions:
            raise InputError("nothing was pushed: at least one observation was expected")
        return {name: np.stack([each[name] for each in predictions]) for name in predictions[0]}

    def _check(self, observed: Observations) -> None:
        values = observed.inputs.get("values")
        if self._step.complete and values is not None and len(gaps := np.argwhere(~np.isfinite(values))):
            row, channel = gaps[0]
            raise InputError(
                f"row {row} of the push has no value in channel {channel}: gaps in training were filled from both "
                "sides, and what comes after this one is not known yet; give a value, or fit with `missing` ffill"
            )
        expected = self._cursor.now.expects
        if observed.times is not None and len(observed) and expected not in (None, observed.times[0, 0]):
            found, wanted = (np.datetime64(int(t), "s") for t in (observed.times[0, 0], expected or 0))
            raise InputError(
                f"the row is of {found}, and the stream goes on at {wanted}; rows of a stream follow one another, so "
                "push the rows in between with missing values"
            )

    def _advance(self, observed: Observations, i: int) -> Arrays:
        inputs = {name: array[i : i + 1] for name, array in observed.inputs.items()}
        now = self._cursor.now
        outputs = self._step({**inputs, **self._given, **now.states})
        states = {name: np.asarray(value) for name, value in outputs.items() if name.startswith(STATE)}
        prediction = self._predictor.schema.prediction(outputs)
        if self._step.complete and now.steps + 1 >= self._step.first and _has_nan(prediction):
            raise InputError(
                "the prediction is not a number: a row holds what the model cannot read, such as a value that is not "
                "positive where it takes logarithms; give rows like those of the training data"
            )
        expects = None if observed.times is None else int(observed.times[i, 1])
        self._cursor.advance(states, prediction, expects)
        return prediction

    def fork(self) -> Stream:
        """A second stream that goes on from here, to ask what if."""
        other = object.__new__(Stream)
        other._predictor, other._step, other._given = self._predictor, self._step, self._given
        other._cursor = self._cursor.fork()
        return other

    def rewind(self, steps: int) -> None:
        """Take back the last observations, tokens of a text each for itself.

        Raises:
            InputError: if the stream has not read as many, or does not remember that far back (64 steps).
        """
        self._cursor.rewind(steps)

    def state(self) -> Arrays:
        """The states, (1, ...) each, as the signature ``step`` takes them."""
        return {name: array.copy() for name, array in self._cursor.now.states.items()}

    def save(self) -> bytes:
        """The stream as bytes, without pickle, to go on elsewhere: ``model.stream(saved=...)``."""
        return self._cursor.to_bytes(self._predictor.fingerprint())

    def __repr__(self) -> str:
        return f"Stream({self.steps} steps; {self._predictor.schema!r})"


def _has_nan(prediction: Arrays) -> bool:
    return any(bool(np.isnan(array).any()) for array in prediction.values() if array.dtype.kind == "f")
