"""Labels, values or tags of texts and panels, as the user wrote them: the schema and the models that serve it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from .. import datasets
from ..baselines.fitted import FittedBaseline, load_state
from ..errors import InputError
from ..frames import PanelFrame, TextFrame
from ..frames.sequences.stored_texts import StoredTexts
from ..frames.targets import objects
from ..pipelines import SequenceEncoder, SequencePipeline, TextEncoder
from ..pipelines.protocol import RawInputs, Tensors
from ..pipelines.sequence_encoder import as_steps
from ..pipelines.tokens import as_bytes, token_bytes
from .baseline_model import BaselineModel
from .card_text import CardText, as_code
from .network_files import count_parameters, read_arrays, read_network, write_network
from .observations import Observations, TextCut, as_rows, as_table, first_row, need_columns, no_conditions
from .offset import BaselineOffset
from .protocol import ROWS_AT_ONCE, Outputs, Source
from .sequence_step import sequence_step
from .step import GraphStep

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

SequenceFrame = TextFrame | PanelFrame
# Bytes that predicting takes for one byte of the texts that are served together.
_SERVED = 20
_WHAT = {"text": "texts", "tokens": "lists of tokens", "values": "sequences of numbers"}


@dataclass(frozen=True, eq=False)
class SequenceSchema:
    """Texts, lists of tokens or sequences of numbers → a row per sequence.

    Attributes:
        pipeline: fitted on training examples.
        inputs: "text", "tokens" or "values".
        roles: the user's columns of the inputs.
    """

    pipeline: SequencePipeline
    inputs: str
    roles: dict[str, Any]
    kind: ClassVar[str] = "sequences"

    @classmethod
    def of(cls, pipeline: SequencePipeline, frame: SequenceFrame) -> SequenceSchema:
        """The schema of frames like this one."""
        roles = {name: value for name, value in frame.input_roles.items() if value is not None}
        return cls(pipeline, frame.kind, roles)

    def read(self, source: Source, *, memory: str | None = None) -> SequenceFrame:
        """Read what a prediction is wanted for.

        Args:
            source: a file, a table, a frame or plain inputs.
            memory: what the rows of a file of texts may take, such as "2GB"; larger ones are read in streams.
        """
        if memory is not None and not isinstance(source, str | Path):
            raise InputError("`memory` applies to files, whose rows can be read in streams; leave it out")
        if isinstance(source, TextFrame | PanelFrame):
            return self._of_kind(source, source.source)
        if isinstance(source, pd.DataFrame):
            return self._noted(datasets.frame_for_prediction(source, self.inputs, self.roles, "the table"))
        if isinstance(source, str | Path):
            return self._noted(
                self._of_kind(datasets.load_inputs(source, self.inputs, self.roles, memory), str(source))
            )
        return self._plain(source)

    def _noted(self, frame: SequenceFrame) -> SequenceFrame:
        """The frame with a note on sequences that are longer than what is read of them."""
        what = {"text": "texts", "tokens": "lists of tokens", "values": "sequences"}[frame.kind]
        return replace(frame, notes=(*frame.notes, *self.pipeline.cut_note(frame.inputs, what)))

    def _plain(self, inputs: Sequence[Any]) -> SequenceFrame:
        """Plain inputs as a frame: the checks of a file's cells are not needed, those of the pipeline remain."""
        if self.inputs == "values":
            arrays = [as_steps(values, i) for i, values in enumerate(inputs)]
            return PanelFrame(arrays, None, ())
        cells = [given_text(text, number) if self.inputs == "text" else text for number, text in enumerate(inputs)]
        if self.inputs == "text" or not cells:
            return TextFrame(objects(cells), kind=self.inputs)
        table = pd.DataFrame({"text": pd.Series(objects(cells), dtype=object)})
        roles = {"text": "text", "cut": self.roles.get("cut")}
        return TextFrame.from_table(table, kind="tokens", **roles, for_prediction=True, source="the list")

    def _of_kind(self, frame: Any, source: str) -> SequenceFrame:
        if not isinstance(frame, TextFrame | PanelFrame) or frame.kind != self.inputs:
            raise InputError(
                f"{source} does not hold what the model reads ({_WHAT[self.inputs]}); give data like the training data"
            )
        return frame

    def parts(self, frame: SequenceFrame, *, all_rows: bool = False) -> Iterator[SequenceFrame]:  # noqa: ARG002
        """The frame; where its texts are larger than memory, some of them after the other."""
        if frame.stored is None:
            yield frame
            return
        for rows in frame.stored.blocks(frame.stored.memory // _SERVED, ROWS_AT_ONCE):
            yield frame.take(rows)

    def raw(self, frame: SequenceFrame, *, all_rows: bool = False) -> RawInputs:  # noqa: ARG002  (a sequence is always whole)
        """Every sequence as the exported model takes it."""
        return self.pipeline.raw(frame)

    def sample(self, frame: SequenceFrame) -> RawInputs:
        """Real examples, evenly spaced."""
        return self.pipeline.sample(frame)

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of the raw inputs."""
        return self.pipeline.signature()

    @cached_property
    def tokens_of(self) -> TextCut | None:
        """How a text, or a list of tokens, becomes ids; None of numbers."""
        encoder = self.pipeline.encoder
        if not isinstance(encoder, TextEncoder):
            return None
        return TextCut(lambda raw: {"tokens": encoder.ids_in_graph(raw).to_tensor(0)}, encoder.signature())

    def observations(self, source: Any, *, future: Any = None) -> Observations:  # noqa: ARG002  (nothing is known ahead)
        """A row, a token or a piece of text, or several."""
        if self.tokens_of is None:
            return self._rows(source)
        if self.inputs == "text" and not isinstance(source, str):
            raise InputError(f"a piece of text was expected; received {source!r:.80}")
        many = not isinstance(source, str)
        tokens = [source] if self.inputs == "tokens" and not many else source
        raw: Any = as_bytes(str(source)) if self.inputs == "text" else [token_bytes(token) for token in tokens]
        ids = self.tokens_of.ids(raw, begins=True) if len(tokens) else np.empty(0, np.int32)
        return Observations({"tokens": ids}, many)

    def _rows(self, source: Any) -> Observations:
        width = self.pipeline.encoder.spec.channels if isinstance(self.pipeline.encoder, SequenceEncoder) else 0
        channels = self.roles.get("channels")
        names = [f"channel {i}" for i in range(width)] if channels is None else [str(name) for name in channels]
        if (named := as_table(source)) is not None:
            table, many = named
            need_columns(table, names)
            return Observations({"values": as_rows(table[names], width, names, "float64")[0]}, many)
        rows, many = as_rows(source, width, names, "float64")
        return Observations({"values": rows}, many)

    def before_first(self) -> None:
        """Nothing stands before the first step."""

    def conditions(self, label: Hashable = None) -> RawInputs:
        """None: `label` is for language models."""
        return no_conditions(label)

    def prediction(self, outputs: Tensors) -> Outputs:
        """What a step gave: ``label`` and ``probabilities`` (classes,), ``value``, or ``tags`` of the step."""
        return first_row(outputs)

    def table(self, frame: SequenceFrame, outputs: Outputs) -> pd.DataFrame:
        """A row per sequence; where a column names the sequences, it comes first."""
        lengths = np.array([len(sequence) for sequence in frame.inputs], dtype=np.int64)
        table = self.pipeline.target_encoder_.table(outputs, lengths)
        if frame.names is not None:
            names = objects(frame.names) if isinstance(frame.names, StoredTexts) else frame.names
            table.insert(0, frame.roles["id"], names)
        return table

    def card(self, data: dict[str, Any]) -> CardText:
        """Sentences for a model card."""
        encoder, targets = self.pipeline.encoder, self.pipeline.target_encoder_
        classes = [str(name) for name in self.pipeline.classes]
        order = f", classes in this order: {as_code(classes)}" if classes else ""
        limits = (
            "It knows the classes above and no other, and takes every input for one of them. Probabilities are those "
            "of the model, not recalibrated."
        )
        return CardText(
            f"Predicts '{data['target']}' of {_WHAT[self.inputs]}.",
            [*encoder.describe_inputs(), f"{targets.describe_outputs()}{order}."],
            f"{data['rows']:,} examples",
            "Some of them stopped the training.",
            limits if classes else "It knows inputs like those above and no other.",
        )

    def to_config(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "kind": self.kind,
            "pipeline": self.pipeline.to_config(),
            "inputs": self.inputs,
            "roles": self.roles,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SequenceSchema:
        """What :meth:`to_config` described."""
        return cls(SequencePipeline.from_config(config["pipeline"]), config["inputs"], config["roles"])

    def __repr__(self) -> str:
        return f"{self.pipeline.target_encoder_!r} of {_WHAT[self.inputs]}"


def given_text(given: Any, number: int) -> str:
    """A text as a user may hand it in; nothing is an empty text.

    Raises:
        InputError: something else than a text.
    """
    if given is None or given is pd.NA or (isinstance(given, float) and np.isnan(given)):
        return ""
    if isinstance(given, bytes):
        return given.decode("utf-8", "replace")
    if isinstance(given, str):
        return str(given)
    raise InputError(f"text {number} is {given!r} where a text was expected; give a list of texts")


class SequenceNetwork:
    """A trained network between the pipeline's encoding and the user's labels.

    Args:
        pipeline: fitted on training examples.
        model: trained on what the pipeline gives.
        offset: the baseline whose score the network adds to, where it has one.
    """

    kind = "sequence_network"
    reads_all_rows = False
    why_no_graph = None

    def __init__(self, pipeline: SequencePipeline, model: keras.Model, offset: BaselineOffset | None = None) -> None:
        self.pipeline, self.model, self.offset = pipeline, model, offset
        self.extra_inputs: dict[str, tf.TensorSpec] = {} if offset is None else dict(offset.model.extra_inputs)

    def serve(self, raw: Tensors) -> Tensors:
        """Raw inputs as :meth:`SequencePipeline.raw` gives them → labels, values or tags as the user has them."""
        return self.pipeline.target_encoder_.serve(self.outputs_of(raw))

    def outputs_of(self, raw: Tensors) -> tf.Tensor:
        """Raw inputs → logits, or scaled values."""
        ready = self.pipeline.preprocess(raw)
        if self.offset is not None:
            ready["offset"] = self.offset.of_raw(raw, ready)
        return self.model(ready, training=False)

    @property
    def step(self) -> GraphStep | None:
        """A token or a row at a time; None where the network reads a sequence as a whole."""
        return self._step if isinstance(self._step, GraphStep) else None

    @property
    def why_no_step(self) -> str | None:
        """Why there is no stream, in words."""
        return self._step if isinstance(self._step, str) else None

    @cached_property
    def _step(self) -> GraphStep | str:
        from ..models.stepwise import NotStepwise

        if self.offset is not None:
            return "the baseline that it adds to reads a sequence as a whole"
        try:
            return sequence_step(self.pipeline, self.model)
        except NotStepwise as why:
            return str(why)

    def parameters(self) -> int:
        """Weights of the network, and what the baseline of its offset learnt."""
        return count_parameters(self.model) + (0 if self.offset is None else self.offset.model.parameters())

    def arrays(self) -> list[np.ndarray]:
        """The weights, and the numbers of the offset."""
        own = self.model.get_weights()
        return own if self.offset is None else [*own, *self.offset.model.arrays(), np.array(self.offset.calibration)]

    def trackables(self) -> list[Any]:
        """The network, the table of tokens, and those of the offset."""
        of_offset = [] if self.offset is None else self.offset.model.trackables()
        return [self.model, *self.pipeline.encoder.tables(), *of_offset]

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the network, and the baseline of its offset."""
        write_network(folder, self.model)
        return {"kind": self.kind} if self.offset is None else {"kind": self.kind, "offset": self.offset.save(folder)}

    @classmethod
    def restored(cls, schema: SequenceSchema, folder: Path, config: dict[str, Any]) -> SequenceNetwork:
        """What :meth:`save` wrote."""
        offset = config.get("offset")
        served = None if offset is None else BaselineOffset.restored(schema.pipeline, folder, offset)
        return cls(schema.pipeline, read_network(folder), served)

    def __repr__(self) -> str:
        return f"{self.model.name} with {self.parameters():,} weights"


class SequenceBaseline(BaselineModel):
    """A fitted baseline: raw inputs in, labels, values or tags out.

    Args:
        pipeline: knows the classes; the baseline reads raw inputs by itself.
        fitted: learnt from all examples it was given.
    """

    kind = "sequence_baseline"
    step = None
    why_no_step = "a baseline reads a sequence as a whole"

    def __init__(self, pipeline: SequencePipeline, fitted: FittedBaseline) -> None:
        super().__init__(fitted)
        self.pipeline = pipeline

    def serve(self, raw: Tensors) -> Tensors:
        """Raw inputs → outputs as those of a network."""
        found = self.outputs_of(raw)
        return found if "value" in found else self.pipeline.target_encoder_.serve(found["logits"])

    @classmethod
    def restored(cls, schema: SequenceSchema, folder: Path, config: dict[str, Any]) -> SequenceBaseline:
        """What :meth:`save` wrote."""
        return cls(schema.pipeline, load_state(config["fitted"], read_arrays(folder)))
