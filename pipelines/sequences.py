"""SequencePipeline: texts or panels of numbers with a label, a value or tags each → padded batches and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..frames import PanelFrame, TextFrame
from ..frames.wording import verb
from ..spec import SequenceSpec
from .protocol import RawInputs, Tensors
from .ragged import Ragged, padded_lengths
from .sequence_batches import SequenceBatches
from .sequence_encoder import SequenceEncoder
from .target_encoders import TARGET_ENCODERS, UNSEEN, TargetEncoder
from .text_encoder import TextEncoder

if TYPE_CHECKING:
    import tensorflow as tf

SequenceFrame = TextFrame | PanelFrame
Encoder = TextEncoder | SequenceEncoder
ENCODERS: dict[str, type[TextEncoder] | type[SequenceEncoder]] = {"tokens": TextEncoder, "values": SequenceEncoder}
# Real examples that a written model is compared on.
_SAMPLE = 64


@dataclass(frozen=True, eq=False)
class EncodedSequences:
    """A frame as numbers.

    Attributes:
        sequences: ids or scaled values of all examples.
        target: class numbers (examples,), scaled values (examples, 1), tag numbers (steps,), or None; classes that
            training never saw are -1.
    """

    sequences: Ragged
    target: np.ndarray | None


class SequencePipeline:
    """Padded batches from a TextFrame or a PanelFrame; fitted on training rows only.

    Args:
        encoder: how inputs become numbers; it is fitted together with the pipeline.
        balanced: whether rare classes count more in the loss, so that every class has the same weight altogether.
        bucket_by_length: whether batches are padded to one of several lengths, or all to the longest.

    Example:
        >>> pipeline = SequencePipeline(TextEncoder(tokens="word")).fit(frame, fold.train)
        >>> pipeline.spec
    """

    def __init__(self, encoder: Encoder, *, balanced: bool = False, bucket_by_length: bool = True) -> None:
        self.encoder = encoder
        self.balanced = balanced
        self.bucket_by_length = bucket_by_length

    def fit(self, frame: SequenceFrame, selection: np.ndarray | None = None) -> SequencePipeline:
        """Learn vocabulary or scale, length and classes from the examples `selection`, or from all."""
        targets = frame.targets
        if targets is None:
            raise ValueError("a frame without targets cannot be learnt from. Received: targets=None")
        rows = np.arange(len(frame)) if selection is None else selection
        values = [targets.values[i] for i in rows]
        made = TARGET_ENCODERS[targets.task]
        self.encoder.fit(frame.inputs_of(rows), source=frame.source, truncate=not made.per_step)
        self.target_encoder_: TargetEncoder = made().fit(values, source=frame.source, name=targets.name)
        self.weights_ = self._class_weights(values)
        longest = int(self.encoder.lengths_.max(initial=1))
        self.widths_ = padded_lengths(self.encoder.lengths_, longest) if self.bucket_by_length else (longest,)
        return self

    @property
    def spec(self) -> SequenceSpec:
        """What a model built for this pipeline takes in and gives out."""
        return SequenceSpec(self.encoder.spec, self.target_encoder_.spec)

    @property
    def classes(self) -> list[Any]:
        """Labels or tags in the order of their probabilities; empty where numbers are predicted."""
        return list(self.target_encoder_.classes_)

    @property
    def notes(self) -> list[str]:
        """What was chosen, one sentence each."""
        return self.encoder.notes

    def cut_note(self, inputs: Sequence[Any] | np.ndarray, what: str) -> list[str]:
        """A sentence on how many of some sequences are longer than what is read of them; none where none are."""
        length = self.encoder.length_
        longer = int((self.encoder.lengths_of(inputs) > length).sum()) if self.encoder.truncate_ else 0
        if not longer:
            return []
        steps = {"char": "characters", None: "steps"}.get(getattr(self.encoder, "tokens", None), "words")
        return [
            f"{longer:,} of {len(inputs):,} {what} {verb(longer, 'has', 'have')} more than {length:,} {steps}: the "
            f"{self.encoder.keep} {length:,} are read (`sequence_length` and `keep` change it in training)"
        ]

    def encode(self, frame: SequenceFrame) -> EncodedSequences:
        """A frame as numbers."""
        sequences = self.encoder.encode(frame.inputs)
        if frame.targets is None:
            return EncodedSequences(sequences, None)
        target = self.target_encoder_.encode(frame.targets.values)
        return EncodedSequences(sequences, target.flat if isinstance(target, Ragged) else target)

    def batches(
        self, encoded: EncodedSequences, selection: np.ndarray, offset: np.ndarray | None = None
    ) -> SequenceBatches:
        """The examples `selection`; what training never saw weighs nothing in the loss.

        Args:
            encoded: all examples.
            selection: numbers of some of them.
            offset: a score of each of all examples (examples, outputs), or of all their steps (steps, outputs) where
                every step has a target: a further input.
        """
        target = encoded.target
        n = len(encoded.sequences) if target is None else len(target)
        weight = np.ones(n, "float32")
        if target is not None and target.dtype == np.int32:
            weight = np.where(target == UNSEEN, 0, self.weights_[np.maximum(target, 0)]).astype("float32")
            target = np.maximum(target, 0)
        per_step = self.target_encoder_.per_step
        more = {} if offset is None else {"offset": offset}
        extras, of_steps = ({}, more) if per_step else (more, {})
        return SequenceBatches(
            encoded.sequences, target, weight, selection, self.widths_, per_step, extras=extras, step_extras=of_steps
        )

    def unlabelled(self, inputs: Sequence[Any]) -> SequenceBatches:
        """Examples of which only the inputs are known, in order."""
        sequences, per_step = self.encoder.encode(inputs), self.target_encoder_.per_step
        n = len(sequences.flat) if per_step else len(sequences)
        rows = np.arange(len(sequences))
        return SequenceBatches(sequences, None, np.ones(n, "float32"), rows, self.widths_, per_step)

    def decode(self, predicted: Any, batches: SequenceBatches) -> dict[str, Any]:
        """What a network gave for all examples of `batches`, in order → probabilities and numbers, or values.

        Returns:
            ``probabilities`` (examples, classes) and ``number`` (examples,) of the likeliest class; or ``value``
            (examples,); of tags a list of arrays (time, classes) and (time,) each.
        """
        encoder = self.target_encoder_
        if not encoder.per_step:
            return {name: np.asarray(x) for name, x in encoder.outputs(predicted).items()}
        lengths = batches.sequences.lengths[batches.rows]
        # of sequences without one fixed length Keras knows no empty batch
        predicted = predicted if len(batches) else []
        rows = [encoder.outputs(row[:n]) for row, n in zip(predicted, lengths, strict=True)]
        return {name: [np.asarray(row[name]) for row in rows] for name in ("probabilities", "number")}

    def raw(self, frame: SequenceFrame | Sequence[Any]) -> RawInputs:
        """Sequences as the exported model takes them: of a frame, or texts, lists of tokens or arrays."""
        inputs: Any = frame.inputs if isinstance(frame, TextFrame | PanelFrame) else frame
        return self.encoder.raw(inputs)

    def sample(self, frame: SequenceFrame) -> RawInputs:
        """Raw inputs of real examples, evenly spaced through the frame."""
        rows = np.unique(np.linspace(0, len(frame) - 1, _SAMPLE).astype(int))
        return self.encoder.raw([frame.inputs[i] for i in rows])

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of the raw inputs."""
        return self.encoder.signature()

    def _class_weights(self, values: list[Any]) -> np.ndarray:
        """What an example of each class weighs: (classes,); one number where there are no classes."""
        n_classes = len(self.classes)
        if not n_classes:
            return np.ones(1, "float32")
        if not self.balanced:
            return np.ones(n_classes, "float32")
        encoded: Any = self.target_encoder_.encode(values)
        numbers = encoded.flat if isinstance(encoded, Ragged) else encoded
        return (len(numbers) / n_classes / np.bincount(numbers, minlength=n_classes)).astype("float32")

    # ------------------------------------------------------------------------------------------ the same as graph ops

    def preprocess(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Raw inputs as :meth:`raw` gives them → what the model takes. Core TensorFlow ops only."""
        return self.encoder.preprocess(inputs)

    # ------------------------------------------------------------------------------------------ kept in JSON

    def to_config(self) -> dict[str, Any]:
        """Everything learnt and chosen, as plain JSON values."""
        return {
            "encoder": self.encoder.to_config(),
            "target_encoder": self.target_encoder_.to_config(),
            "balanced": self.balanced,
            "bucket_by_length": self.bucket_by_length,
            "weights": self.weights_.tolist(),
            "widths": list(self.widths_),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SequencePipeline:
        """The pipeline that :meth:`to_config` described."""
        encoder = ENCODERS[config["encoder"]["kind"]].from_config(config["encoder"])
        pipeline = cls(encoder, balanced=config["balanced"], bucket_by_length=config["bucket_by_length"])
        pipeline.target_encoder_ = TARGET_ENCODERS[config["target_encoder"]["kind"]].from_config(
            config["target_encoder"]
        )
        pipeline.weights_ = np.array(config["weights"], "float32")
        pipeline.widths_ = tuple(config["widths"])
        return pipeline
