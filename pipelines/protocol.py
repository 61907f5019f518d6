"""The interface of all pipelines: a frame becomes numbers, numbers become batches, raw inputs become model inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import numpy as np

from ..spec import SequenceSpec

if TYPE_CHECKING:
    import tensorflow as tf

# Arrays whose first axis is the prediction, by the name of a model's raw input.
RawInputs = dict[str, np.ndarray]
# The same as tensors, or what eager TensorFlow takes for one.
Tensors = Mapping[str, Any]

FrameT_contra = TypeVar("FrameT_contra", contravariant=True)
EncodedT = TypeVar("EncodedT")
SelectionT_contra = TypeVar("SelectionT_contra", contravariant=True)


class Batches(Protocol):
    """What training, validation and evaluation read: windows of series, texts, pieces of a novel.

    Attributes:
        batch_size: examples in a training step, where nobody says otherwise.
        predict_batch_size: examples read together in prediction; a fixed number, so that prediction compiles once.
    """

    @property
    def batch_size(self) -> int: ...

    @property
    def predict_batch_size(self) -> int: ...

    def __len__(self) -> int: ...

    def dataset(
        self, *, batch_size: int, seed: int | None = None, first_epoch: int = 0, steps: int | None = None
    ) -> tf.data.Dataset:
        """Batches of (inputs, target, weight): without end and shuffled by `seed`, or once in :meth:`order`.

        Args:
            batch_size: examples per batch.
            seed: shuffles without end, a new order every epoch; None reads every example once, and fills the last
                batch up with padding rows.
            first_epoch: where a shuffled run resumes.
            steps: batches in a shuffled epoch.
        """

    def order(self, batch_size: int) -> np.ndarray:
        """Which example has which place in an unshuffled run, -1 for a padding row: (batches × batch_size,)."""


class Pipeline(Protocol[FrameT_contra, EncodedT, SelectionT_contra]):
    """A frame → tf.data; fitted on the training selection of a fold only."""

    @property
    def spec(self) -> SequenceSpec:
        """What a model built for this pipeline takes in and gives out."""

    @property
    def notes(self) -> list[str]:
        """What was chosen, one sentence each."""

    def fit(self, frame: FrameT_contra, selection: SelectionT_contra | None = None) -> Self:
        """Learn scaling, vocabulary or classes from a selection, or from all rows."""

    def encode(self, frame: FrameT_contra) -> EncodedT:
        """A frame as numbers, once for all selections."""

    def batches(self, encoded: EncodedT, selection: SelectionT_contra) -> Batches:
        """A selection of an encoded frame, as training and evaluation read it."""

    def raw(self, frame: FrameT_contra) -> RawInputs:
        """Raw inputs of every prediction that the frame asks for, in the user's units and words."""

    def sample(self, frame: FrameT_contra) -> RawInputs:
        """Raw inputs of real examples, evenly spaced through the frame."""

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of the raw inputs."""

    def preprocess(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Raw inputs → model inputs. Core TensorFlow ops only: the exported graph does the same."""

    def to_config(self) -> dict[str, Any]:
        """Everything learnt and chosen, as plain JSON values."""
