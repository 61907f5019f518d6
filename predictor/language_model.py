"""What comes next in a text: the schema of language models, networks and n-gram models that serve it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import numpy as np
import pandas as pd

from .. import datasets
from ..baselines import KneserNey
from ..baselines.fitted import load_state
from ..errors import InputError
from ..frames import CorpusFrame, TextFrame
from ..frames.targets import objects
from ..pipelines import LanguagePipeline
from ..pipelines.protocol import RawInputs, Tensors
from ..pipelines.tokens import as_bytes
from ..spec import END, PADDING, UNKNOWN
from ..stream_state import StateShapes, as_text
from .baseline_model import BaselineModel
from .card_text import CardText
from .network_files import count_parameters, read_arrays, read_network, write_network
from .observations import Observations, TextCut
from .protocol import Outputs, Source
from .sequences import given_text
from .step import STATE, ExportableStep, state_specs

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

LanguageFrame = CorpusFrame | TextFrame
_FrameT = TypeVar("_FrameT", CorpusFrame, TextFrame)
# The likeliest next tokens that the signature gives.
TOP = 10
# Tokens of a prompt for which logits are made at once: those of a megabyte would not fit into memory.
_TOKENS_AT_ONCE = 256
# Characters of a long text that are repeated beside what comes next.
_SHOWN = 80


@dataclass(frozen=True, eq=False)
class LanguageModelSchema:
    """Texts, each with its class where the model has classes → the likeliest next token of each.

    Attributes:
        pipeline: fitted on training text.
        inputs: "corpus" (one long text) or "lines" (a text per row).
        roles: the user's columns of texts and classes.
    """

    pipeline: LanguagePipeline
    inputs: str
    roles: dict[str, Any]
    kind: ClassVar[str] = "language_model"

    @classmethod
    def of(cls, pipeline: LanguagePipeline, frame: LanguageFrame) -> LanguageModelSchema:
        """The schema of frames like this one."""
        if isinstance(frame, CorpusFrame):
            return cls(pipeline, "corpus", {})
        roles = {name: frame.roles.get(name) for name in ("text", "label") if frame.roles.get(name) is not None}
        return cls(pipeline, "lines", roles)

    def read(self, source: Source) -> TextFrame:
        """Read texts to be continued: of a file that is one long text, all of it is one."""
        if isinstance(source, CorpusFrame):
            return TextFrame(objects([source.text]), source=source.source, notes=source.notes)
        if isinstance(source, TextFrame):
            return self._with_conditions(source)
        if isinstance(source, pd.DataFrame):
            frame = datasets.frame_for_prediction(source, "text", self.roles, "the table")
            return self.read(frame)
        if isinstance(source, str | Path):
            return self.read(datasets.load_prompts(source, self.inputs, self.roles))
        if self.pipeline.conditions_:
            raise InputError(
                "the model needs a class for every text; give a table with the columns of the training data, or use "
                "recurra generate with `label`"
            )
        return TextFrame(objects(given_text(text, number) for number, text in enumerate(source)))

    def _with_conditions(self, frame: TextFrame) -> TextFrame:
        if self.pipeline.conditions_ and frame.targets is None:
            raise InputError(
                f"{frame.source} has no column of classes, and the model was trained with one of "
                f"{', '.join(map(str, self.pipeline.conditions_))} for every text; name it with `label`"
            )
        if self.pipeline.conditions_ and frame.targets is not None:
            known = set(map(str, self.pipeline.conditions_))
            unknown = [label for label in frame.targets.values if str(label) not in known]
            if unknown:
                raise InputError(
                    f"{frame.source}: class {unknown[0]!r} is none that the model was trained with "
                    f"({', '.join(map(str, self.pipeline.conditions_))}); correct the cell"
                )
        return frame

    def parts(self, frame: _FrameT, *, all_rows: bool = False) -> tuple[_FrameT]:  # noqa: ARG002
        """The frame as a whole."""
        return (frame,)

    def raw(self, frame: LanguageFrame, *, all_rows: bool = False) -> RawInputs:  # noqa: ARG002  (a text is always whole)
        """Texts, and their classes where the model has any."""
        return self.pipeline.raw(frame)

    def sample(self, frame: LanguageFrame) -> RawInputs:
        """Pieces of the training text, or beginnings of lines."""
        return self.pipeline.sample(frame)

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of the raw inputs."""
        return self.pipeline.signature()

    @cached_property
    def tokens_of(self) -> TextCut:
        """How a text becomes tokens; every one has the end of the text before it in front."""
        signature = {"text": self.signature()["text"]}
        return TextCut(self.pipeline.preprocess, signature, END)

    def observations(self, source: Any, *, future: Any = None) -> Observations:  # noqa: ARG002  (nothing is known ahead)
        """A piece of text as tokens."""
        if not isinstance(source, str):
            raise InputError(f"a piece of text was expected; received {source!r:.80}")
        return _tokens(self.tokens_of.ids(as_bytes(source), begins=False))

    def before_first(self) -> Observations:
        """The end of the text before."""
        return _tokens(np.array([END], np.int32))

    def conditions(self, label: Hashable = None) -> RawInputs:
        """The number of the class, where the model has classes: (1,)."""
        return self.pipeline.condition_of(label)

    def prediction(self, outputs: Mapping[str, Any]) -> Outputs:
        """What a step gave: the next ``tokens``, their ``probabilities`` and ``ids``, the likeliest first: (10,)."""
        import tensorflow as tf

        ranked = rank(self.pipeline, tf.convert_to_tensor(outputs["logits"])[:, -1])
        return {name: as_text(np.asarray(value)[0]) for name, value in ranked.items()}

    def table(self, frame: TextFrame, outputs: Outputs) -> pd.DataFrame:
        """A row per text: the likeliest next token and its probability."""
        tokens = [token.decode("utf-8") for token in outputs["tokens"][:, 0]]
        probability = outputs["probabilities"][:, 0].astype("float64")
        texts = list(map(_end_of, frame.texts)) if self.inputs == "corpus" else list(frame.texts)
        return pd.DataFrame({"text": texts, "token": tokens, "probability": probability})

    def card(self, data: dict[str, Any]) -> CardText:
        """Sentences for a model card."""
        lines = [
            f"`text`: string [batch], UTF-8; cut into {self.pipeline.tokens} tokens inside the model.",
            f"`tokens`: string [batch, {TOP}], the likeliest next ones; `probabilities`: float32 of the same shape.",
            "Signature `step`: `tokens` int32 [batch, time] and the states before them → `logits` and the states "
            "after them, so that a text is read once, however long it grows; also the likeliest tokens after the "
            "last one as words. States of zeros begin a text, and its first token is the end of the one before (2).",
        ]
        if self.pipeline.conditions_:
            lines.insert(1, f"`condition`: string [batch], one of {', '.join(map(str, self.pipeline.conditions_))}.")
        corpus = self.inputs == "corpus"
        return CardText(
            "Predicts what comes next in a text, and continues texts.",
            lines,
            f"{data['characters']:,} characters" if corpus else f"{data['rows']:,} lines",
            f"Some of {'it' if corpus else 'them'} stopped the training"
            + (", and the last of it was not read." if corpus else "."),
            "It imitates the text above: what it generates is not true, only likely there.",
        )

    def to_config(self) -> dict[str, Any]:
        """Plain JSON values."""
        config = {"kind": self.kind, "pipeline": self.pipeline.to_config()}
        return config | {"inputs": self.inputs, "roles": self.roles}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LanguageModelSchema:
        """What :meth:`to_config` described."""
        return cls(LanguagePipeline.from_config(config["pipeline"]), config["inputs"], config["roles"])

    def __repr__(self) -> str:
        return f"the next of {len(self.pipeline.vocabulary_):,} {self.pipeline.tokens} tokens"


def _end_of(text: str) -> str:
    """What a continuation follows: of a long text its end alone."""
    return text if len(text) <= _SHOWN else "…" + text[-_SHOWN:]


def _tokens(ids: np.ndarray) -> Observations:
    return Observations({"tokens": ids.astype(np.int32)[:, None]}, many=False)


class TokenStep(ExportableStep, Protocol):
    """A language model as a step."""

    def logits(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Tokens (batch, time) and states → logits (batch, time, vocabulary) and states, as ops being traced."""

    def after(self, texts: tf.RaggedTensor, conditions: dict[str, Any]) -> tf.Tensor:
        """Ids of texts (batch, None), and numbers of their classes → logits after each one's last token, as ops."""


PUSHED = "each push moves the state on: the next token is predicted from all tokens since the stream began"


class NetworkStep:
    """A network as a step; its attributes are those of :class:`TokenStep`."""

    first: ClassVar[int] = 1
    note: ClassVar[str] = PUSHED
    complete: ClassVar[bool] = False

    def __init__(self, pipeline: LanguagePipeline, network: keras.Model) -> None:
        import keras

        self.pipeline, self.network = pipeline, network
        self.state_shapes: StateShapes = {
            x.name: (tuple(x.shape[1:]), keras.backend.standardize_dtype(x.dtype))
            for x in network.inputs
            if x.name.startswith(STATE)
        }

    def __call__(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Compiled once for every shape of the inputs."""
        from ..training import compiled

        return compiled(self.network)(inputs)

    def logits(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The same as ops of the graph that is being traced."""
        return self.network(inputs, training=False)

    def after(self, texts: tf.RaggedTensor, conditions: dict[str, Any]) -> tf.Tensor:
        """Logits after the last token of each text: (batch, vocabulary)."""
        return _last_logits(self, texts, conditions, len(self.pipeline.vocabulary_))

    def trace(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The same and, of the last token, what may come after it, as words."""
        return with_next(self.pipeline, self.logits(inputs))

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of the inputs."""
        import tensorflow as tf

        return {x.name: tf.TensorSpec([None, *x.shape[1:]], x.dtype, name=x.name) for x in self.network.inputs}


class BaselineStep:
    """An n-gram model as a step; its attributes are those of :class:`TokenStep`."""

    first: ClassVar[int] = 1
    note: ClassVar[str] = PUSHED
    complete: ClassVar[bool] = False

    def __init__(self, pipeline: LanguagePipeline, fitted: KneserNey) -> None:
        self.pipeline, self.fitted = pipeline, fitted
        self.state_shapes: StateShapes = fitted.state_shapes
        self._compiled: Any = None

    def __call__(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Compiled: its loop over the steps would be slow op by op."""
        import tensorflow as tf

        if self._compiled is None:
            self._compiled = tf.function(self.logits, autograph=False, reduce_retracing=True)
        return self._compiled({name: tf.convert_to_tensor(value) for name, value in inputs.items()})

    def logits(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """N-grams know no classes: a condition is passed over."""
        return self.fitted.graph({name: value for name, value in inputs.items() if name != "condition"})

    def after(self, texts: tf.RaggedTensor, conditions: dict[str, Any]) -> tf.Tensor:
        """Logits after the last token of each text: (batch, vocabulary); no more of it is read than matters."""
        return _last_logits(self, texts[:, -self.fitted.order :], conditions, self.fitted.vocabulary)

    def trace(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The same and, of the last token, what may come after it, as words."""
        return with_next(self.pipeline, self.logits(inputs))

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of the inputs."""
        import tensorflow as tf

        tokens = {"tokens": tf.TensorSpec([None, None], tf.int32, name="tokens")}
        return tokens | state_specs(self.state_shapes)


class LanguageModelNetwork:
    """A trained language model.

    Args:
        pipeline: fitted on training text.
        network: takes tokens and states, gives logits and states (without the wrapper of its training).
    """

    kind = "language_model_network"
    reads_all_rows = False
    why_no_graph = None
    why_no_step = None

    def __init__(self, pipeline: LanguagePipeline, network: keras.Model) -> None:
        self.pipeline, self.model = pipeline, network
        self.step = NetworkStep(pipeline, network)
        self.extra_inputs: dict[str, tf.TensorSpec] = {}

    def serve(self, raw: Tensors) -> Tensors:
        """``text`` (batch,) and ``condition`` → ``tokens`` and ``probabilities`` (batch, 10), the likeliest first."""
        return next_tokens(self.pipeline, self.step, raw)

    def parameters(self) -> int:
        """Weights of the network."""
        return count_parameters(self.model)

    def arrays(self) -> list[np.ndarray]:
        """The weights."""
        return self.model.get_weights()

    def trackables(self) -> list[Any]:
        """The network and the table of tokens."""
        return [self.model, self.pipeline.vocabulary_.table]

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the network."""
        write_network(folder, self.model)
        return {"kind": self.kind}

    @classmethod
    def restored(cls, schema: LanguageModelSchema, folder: Path, config: dict[str, Any]) -> LanguageModelNetwork:  # noqa: ARG003
        """What :meth:`save` wrote."""
        return cls(schema.pipeline, read_network(folder))

    def __repr__(self) -> str:
        return f"{self.model.name} with {self.parameters():,} weights"


class LanguageModelBaseline(BaselineModel):
    """A fitted n-gram model.

    Args:
        pipeline: knows the tokens.
        fitted: counted on the training text.
    """

    kind = "language_model_baseline"
    why_no_step = None

    def __init__(self, pipeline: LanguagePipeline, fitted: KneserNey) -> None:
        super().__init__(fitted)
        self.pipeline = pipeline
        self.step = BaselineStep(pipeline, fitted)
        self._next_tokens = CompiledNextTokens(pipeline, self.step)

    def serve(self, raw: Tensors) -> Tensors:
        """``text`` (batch,) → ``tokens`` and ``probabilities`` (batch, 10), the likeliest first."""
        return self._next_tokens({"text": raw["text"]})

    def trackables(self) -> list[Any]:
        """Its tables and that of the tokens."""
        return [*super().trackables(), self.pipeline.vocabulary_.table]

    @classmethod
    def restored(cls, schema: LanguageModelSchema, folder: Path, config: dict[str, Any]) -> LanguageModelBaseline:
        """What :meth:`save` wrote."""
        return cls(schema.pipeline, load_state(config["fitted"], read_arrays(folder)))


class CompiledNextTokens:
    """:func:`next_tokens` of a step with an n-gram model, whose loop over a text would be slow op by op."""

    def __init__(self, pipeline: LanguagePipeline, step: TokenStep) -> None:
        self._next_tokens = partial(next_tokens, pipeline, step)
        self._compiled: Any = None

    def __call__(self, raw: Tensors) -> Tensors:
        """As ops where a graph is being traced, otherwise compiled once for any number of texts."""
        import tensorflow as tf

        if not tf.executing_eagerly():
            return self._next_tokens(raw)
        if self._compiled is None:
            self._compiled = tf.function(self._next_tokens, autograph=False, reduce_retracing=True)
        outputs: Tensors = self._compiled({name: tf.convert_to_tensor(value, tf.string) for name, value in raw.items()})
        return outputs


def next_tokens(pipeline: LanguagePipeline, step: TokenStep, raw: Tensors) -> Tensors:
    """Rank what may come after texts, as graph ops; padding and unknown tokens are never predicted.

    Args:
        pipeline: knows the tokens.
        step: the model.
        raw: ``text`` (batch,) and, where the model has classes, ``condition`` (batch,), as strings.

    Returns:
        ``tokens`` string (batch, 10) and ``probabilities`` float32 (batch, 10), the likeliest first.
    """
    import tensorflow as tf

    texts = pipeline.prompts_in_graph(tf.convert_to_tensor(raw["text"], tf.string))  # ragged (batch, None)
    ranked = rank(pipeline, step.after(texts, _conditions(pipeline, raw)))
    return {name: ranked[name] for name in ("tokens", "probabilities")}


def rank(pipeline: LanguagePipeline, logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """Logits of the next token (batch, vocabulary) → ``tokens``, ``probabilities`` and ``ids`` (batch, 10), as ops."""
    import tensorflow as tf

    never = tf.one_hot([PADDING, UNKNOWN], logits.shape[-1], on_value=np.float32("inf"), off_value=np.float32(0))
    probability = tf.nn.softmax(logits - tf.reduce_sum(never, axis=0))
    best = tf.math.top_k(probability, min(TOP, logits.shape[-1] - 2))
    words = tf.constant(["", "?", "<end>", *pipeline.vocabulary_.words])
    return {"tokens": tf.gather(words, best[1]), "probabilities": best[0], "ids": best[1]}


def with_next(pipeline: LanguagePipeline, outputs: dict[str, Any]) -> dict[str, Any]:
    """What a step gives and, of its last token, what may come after it, as words."""
    return {**outputs, **{f"next_{name}": value for name, value in rank(pipeline, outputs["logits"][:, -1]).items()}}


def _conditions(pipeline: LanguagePipeline, raw: Tensors) -> dict[str, Any]:
    """Numbers of the classes that texts belong to: ``condition`` (batch,), or nothing."""
    import tensorflow as tf

    if "condition" not in raw:
        return {}
    names = [str(c) for c in pipeline.conditions_]
    same = tf.convert_to_tensor(raw["condition"], tf.string)[:, None] == tf.constant(names)  # (batch, classes)
    message = [f"condition must be one of {', '.join(names)}"]
    known = tf.debugging.Assert(tf.reduce_all(tf.reduce_any(same, axis=1)), message)
    with tf.control_dependencies([known] if known is not None else []):
        return {"condition": tf.argmax(same, axis=1, output_type=tf.int32)}


def _last_logits(step: TokenStep, texts: tf.RaggedTensor, conditions: dict[str, Any], vocabulary: int) -> tf.Tensor:
    """Logits after each text's last token: (batch, vocabulary). It is read in pieces, the state carried along."""
    import tensorflow as tf

    lengths, tokens = tf.cast(texts.row_lengths(), tf.int32), texts.to_tensor(PADDING)
    batch, time = tf.shape(tokens)[0], tf.shape(tokens)[1]
    piece = tf.minimum(time, _TOKENS_AT_ONCE)
    tokens = tf.pad(tokens, [[0, 0], [0, -time % piece]])
    states = {name: tf.zeros([batch, *shape], dtype) for name, (shape, dtype) in step.state_shapes.items()}
    last = tf.zeros([batch, vocabulary])

    def read(begin: tf.Tensor, states: dict[str, tf.Tensor], last: tf.Tensor) -> tuple:
        outputs = step.logits({"tokens": tokens[:, begin : begin + piece], **states, **conditions})
        place = lengths - 1 - begin  # (batch,)
        found = tf.gather(outputs["logits"], tf.clip_by_value(place, 0, piece - 1), batch_dims=1)
        here = (place >= 0) & (place < piece)
        after = {name: tf.ensure_shape(outputs[name], state.shape) for name, state in states.items()}
        return begin + piece, after, tf.where(here[:, None], found, last)

    return tf.while_loop(lambda begin, *_: begin < time, read, (tf.constant(0), states, last))[2]
