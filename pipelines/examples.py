"""ExamplePipeline: texts or panels of numbers with a label, a value or tags each → padded batches and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..frames import PanelFrame, TextFrame
from ..spec import SequenceSpec
from .target_encoders import ANSWERS, UNSEEN, Answer, TagAnswer, ValueAnswer
from .ragged import Examples, Ragged, padded_lengths
from .readers import TokenReader, ValueReader

if TYPE_CHECKING:
    import tensorflow as tf

ExampleFrame = TextFrame | PanelFrame
Reader = TokenReader | ValueReader
READERS: dict[str, type[TokenReader] | type[ValueReader]] = {"tokens": TokenReader, "values": ValueReader}


@dataclass(frozen=True, eq=False)
class Encoded:
    """A frame as numbers.

    Attributes:
        sequences: ids or scaled values of all examples.
        target: class numbers (examples,), scaled values (examples, 1), tag numbers (steps,), or None; classes that
            training never saw are -1.
    """

    sequences: Ragged
    target: np.ndarray | None


class ExamplePipeline:
    """Padded batches from a TextFrame or a PanelFrame; fitted on training rows only.

    Args:
        reader: how inputs become numbers; it is fitted together with the pipeline.
        balanced: whether rare classes count more in the loss, so that every class has the same weight altogether.
        buckets: whether batches are padded to one of several lengths, or all to the longest.

    Example:
        >>> pipeline = ExamplePipeline(TokenReader(tokens="word")).fit(frame, fold.train)
        >>> pipeline.spec
    """

    def __init__(self, reader: Reader, *, balanced: bool = False, buckets: bool = True) -> None:
        self.reader = reader
        self.balanced = balanced
        self.buckets = buckets

    def fit(self, frame: ExampleFrame, rows: np.ndarray | None = None) -> ExamplePipeline:
        """Learn vocabulary or scale, length and classes from the examples `rows`, or from all."""
        targets = frame.targets
        if targets is None:
            raise ValueError("a frame without targets cannot be learnt from. Received: targets=None")
        rows = np.arange(len(frame)) if rows is None else rows
        inputs = [frame.inputs[i] for i in rows]
        self.reader.fit(inputs, source=frame.source, whole=targets.task == "tagging")
        values = [targets.values[i] for i in rows]
        self.answer_: Answer = ANSWERS[targets.task]().fit(values, source=frame.source, name=targets.name)
        self.weights_ = self._class_weights(values)
        longest = int(self.reader.lengths_.max(initial=1))
        self.widths_ = padded_lengths(self.reader.lengths_, longest) if self.buckets else (longest,)
        return self

    @property
    def spec(self) -> SequenceSpec:
        """What a model built for this pipeline takes in and gives out."""
        return SequenceSpec(self.reader.spec, self.answer_.spec)

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.answer_.spec.task

    @property
    def classes(self) -> list[Any]:
        """Labels or tags in the order of their probabilities; empty where values are told."""
        return [] if isinstance(self.answer_, ValueAnswer) else self.answer_.classes_

    @property
    def notes(self) -> list[str]:
        """What was chosen, one sentence each."""
        return self.reader.notes

    def encode(self, frame: ExampleFrame) -> Encoded:
        """A frame as numbers."""
        sequences = self.reader.encode(frame.inputs)
        if frame.targets is None:
            return Encoded(sequences, None)
        target = self.answer_.encode(frame.targets.values)
        return Encoded(sequences, target.flat if isinstance(target, Ragged) else target)

    def part(self, encoded: Encoded, rows: np.ndarray) -> Examples:
        """The examples `rows`; what training never saw weighs nothing in the loss."""
        target = encoded.target
        n = len(encoded.sequences) if target is None else len(target)
        weight = np.ones(n, "float32")
        if target is not None and target.dtype == np.int32:
            weight = np.where(target == UNSEEN, 0, self.weights_[np.maximum(target, 0)]).astype("float32")
            target = np.maximum(target, 0)
        return Examples(encoded.sequences, target, weight, rows, self.widths_, self.tagged)

    def unanswered(self, inputs: Sequence[Any]) -> Examples:
        """Examples of which only the inputs are known, in order."""
        sequences = self.reader.encode(inputs)
        n = len(sequences.flat) if self.tagged else len(sequences)
        rows = np.arange(len(sequences))
        return Examples(sequences, None, np.ones(n, "float32"), rows, self.widths_, self.tagged)

    def _class_weights(self, values: list[Any]) -> np.ndarray:
        """What an example of each class counts: (classes,); one number where there are no classes."""
        n_classes = len(self.classes)
        if not n_classes:
            return np.ones(1, "float32")
        if not self.balanced:
            return np.ones(n_classes, "float32")
        encoded = self.answer_.encode(values)
        numbers = encoded.flat if isinstance(encoded, Ragged) else encoded
        return (len(numbers) / n_classes / np.bincount(numbers, minlength=n_classes)).astype("float32")

    # ------------------------------------------------------------------------------------------ the same as graph ops

    def preprocess(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Raw inputs as the reader's ``raw`` gives them → what the model takes. Core TensorFlow ops only."""
        return self.reader.preprocess(inputs)

    # ------------------------------------------------------------------------------------------ kept in JSON

    def to_config(self) -> dict[str, Any]:
        """Everything learnt and chosen, as plain JSON values."""
        return {
            "reader": self.reader.to_config(),
            "answer": self.answer_.to_config(),
            "balanced": self.balanced,
            "buckets": self.buckets,
            "weights": self.weights_.tolist(),
            "widths": list(self.widths_),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ExamplePipeline:
        """The pipeline that :meth:`to_config` described."""
        reader = READERS[config["reader"]["kind"]].from_config(config["reader"])
        pipeline = cls(reader, balanced=config["balanced"], buckets=config["buckets"])
        pipeline.answer_ = ANSWERS[config["answer"]["task"]].from_config(config["answer"])
        pipeline.weights_ = np.array(config["weights"], "float32")
        pipeline.widths_ = tuple(config["widths"])
        return pipeline

    @property
    def tagged(self) -> bool:
        """Whether every step has an answer of its own."""
        return isinstance(self.answer_, TagAnswer)
