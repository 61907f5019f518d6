"""What a predictor is joined from: a schema (what is read, how outputs become a table) and a model that serves."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from ..pipelines.protocol import RawInputs, Tensors
from .card_text import CardText

if TYPE_CHECKING:
    import pandas as pd
    import tensorflow as tf

    from .observations import Observations, TextCut
    from .step import Step

FrameT = TypeVar("FrameT")
# Rows served at once: as many as fit into memory, whatever their length.
ROWS_AT_ONCE = 256
# What a user may hand in: a file's path, a table, a frame, or plain inputs such as a list of texts.
Source = Any
Outputs = dict[str, np.ndarray]


class Schema(Protocol[FrameT]):
    """What a kind of model reads and how its outputs become a table; JSON keeps it beside an exported model."""

    def read(self, source: Source) -> FrameT:
        """Read a file, a table or plain inputs with the columns of the training data."""

    def parts(self, frame: FrameT, *, all_rows: bool = False) -> Iterable[FrameT]:
        """The frame, or parts of it that fit into memory one after the other."""

    def raw(self, frame: FrameT, *, all_rows: bool = False) -> RawInputs:
        """Raw inputs of every prediction; with `all_rows` whole series in place of their last rows."""

    def sample(self, frame: FrameT) -> RawInputs:
        """Raw inputs of real examples, evenly spaced through the frame."""

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of the raw inputs."""

    def table(self, frame: FrameT, outputs: Outputs) -> pd.DataFrame:
        """Outputs as a table for the user."""

    @property
    def tokens_of(self) -> TextCut | None:
        """How a text, or a list of tokens, becomes the steps of a stream; None where steps are rows of numbers."""

    def observations(self, source: Source, *, future: Any = None) -> Observations:
        """What a stream is given, as the inputs of its steps."""

    def before_first(self) -> Observations | None:
        """What every stream reads before the first observation; None where that is nothing."""

    def conditions(self, label: Hashable = None) -> RawInputs:
        """Inputs that stay the same for all steps of a stream: (1,) each."""

    def prediction(self, outputs: Tensors) -> Outputs:
        """What a step gave for one stream, without the batch axis and the states."""

    def card(self, data: dict[str, Any]) -> CardText:
        """Sentences for a model card; `data` is what :func:`recurra.frames.describe` says of the training data."""

    def to_config(self) -> dict[str, Any]:
        """Plain JSON values."""


class ServingModel(Protocol):
    """What computes outputs from raw inputs.

    Attributes:
        kind: its name in JSON.
        extra_inputs: raw inputs it needs beyond the schema's own, by name.
        reads_all_rows: whether it wants whole series in place of their last rows.
        why_no_graph: why it cannot be exported, in words; None where it can.
        step: what moves a stream on; None where there is none.
        why_no_step: why there is none, as the end of a sentence.
    """

    @property
    def kind(self) -> str: ...

    @property
    def extra_inputs(self) -> dict[str, tf.TensorSpec]: ...

    @property
    def reads_all_rows(self) -> bool: ...

    @property
    def why_no_graph(self) -> str | None: ...

    @property
    def step(self) -> Step | None: ...

    @property
    def why_no_step(self) -> str | None: ...

    def serve(self, raw: Tensors) -> Tensors:
        """Raw inputs → outputs, as ops that can be traced for a SavedModel where there is a graph."""

    def parameters(self) -> int:
        """Numbers it learnt."""

    def arrays(self) -> list[np.ndarray]:
        """The numbers themselves, to tell two models apart."""

    def trackables(self) -> list[Any]:
        """Layers and tables that a SavedModel has to hold."""

    def save(self, folder: Path) -> dict[str, Any]:
        """Write what it learnt into the folder; what it returns goes into the predictor's JSON."""
