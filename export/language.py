"""Export of language models: a text in, what may come next out; and one step at a time, with the state outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from ..errors import InputError
from ..frames import CorpusFrame, TextFrame, data_hash
from ..pipelines import LanguagePipeline
from ..predictor import LanguagePredictor, Writer
from ..predictor.language import Steps
from ..spec import PADDING, UNKNOWN
from .served import Served

# The likeliest next tokens that the signature gives.
TOP = 10
# Tokens of a prompt for which logits are made at once: those of a megabyte would not fit into memory.
_READ_AT_ONCE = 256
_CHECKED = 8
_CHECKED_CHARACTERS = 200


def serving_module(predictor: LanguagePredictor) -> tuple[tf.Module, dict[str, Any]]:
    """A module with ``serve``, from texts to the likeliest next tokens, and ``step``, from tokens and states."""
    pipeline, network = predictor.pipeline, predictor.network
    module = tf.Module(name="recurra")
    module.model, module.table = network, pipeline.vocabulary_.table
    text = {"text": tf.TensorSpec([None], tf.string, name="text")}
    told = {"condition": tf.TensorSpec([None], tf.string, name="condition")} if pipeline.conditions_ else {}
    names = [*text, *told]

    def serve(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return next_in_graph(predictor, dict(zip(names, tensors, strict=True)))

    specs = {x.name: tf.TensorSpec([None, *x.shape[1:]], x.dtype, name=x.name) for x in network.inputs}
    steps = list(specs)

    def step(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return network(dict(zip(steps, tensors, strict=True)), training=False)

    module.serve = tf.function(serve, input_signature=[*text.values(), *told.values()], autograph=False)
    module.step = tf.function(step, input_signature=list(specs.values()), autograph=False)
    return module, {"serving_default": module.serve, "step": module.step}


def next_in_graph(predictor: LanguagePredictor, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """``text`` (batch,) and ``condition`` → ``tokens`` and ``probabilities`` (batch, 10), the likeliest first."""
    pipeline = predictor.pipeline
    ids = pipeline.prompts_in_graph(inputs["text"])  # ragged (batch, None)
    lengths, tokens = tf.cast(ids.row_lengths(), tf.int32), ids.to_tensor(PADDING)
    told: dict[str, Any] = {}
    if "condition" in inputs:
        classes = tf.constant([str(c) for c in pipeline.conditions_])
        same = inputs["condition"][:, None] == classes  # (batch, classes)
        names = ", ".join(map(str, pipeline.conditions_))
        known = tf.debugging.Assert(tf.reduce_all(tf.reduce_any(same, axis=1)), [f"condition must be one of {names}"])
        with tf.control_dependencies([known] if known is not None else []):
            told["condition"] = tf.argmax(same, axis=1, output_type=tf.int32)
    last = _last_logits(predictor, tokens, lengths, told)  # (batch, vocabulary)
    never = tf.one_hot([PADDING, UNKNOWN], last.shape[-1], on_value=np.float32("inf"), off_value=np.float32(0))
    probability = tf.nn.softmax(last - tf.reduce_sum(never, axis=0))
    best = tf.math.top_k(probability, min(TOP, last.shape[-1] - 2))
    words = tf.constant(["", "?", "<end>", *pipeline.vocabulary_.words])
    return {"tokens": tf.gather(words, best[1]), "probabilities": best[0]}


def _last_logits(
    predictor: LanguagePredictor, tokens: tf.Tensor, lengths: tf.Tensor, told: dict[str, Any]
) -> tf.Tensor:
    """Logits after each row's last token: (batch, vocabulary). The text is read in pieces, the state carried on."""
    network, batch, time = predictor.network, tf.shape(tokens)[0], tf.shape(tokens)[1]
    piece = tf.minimum(time, _READ_AT_ONCE)
    tokens = tf.pad(tokens, [[0, 0], [0, -time % piece]])
    states = {name: tf.zeros([batch, *shape], dtype) for name, (shape, dtype) in Steps(network).shapes.items()}
    last = tf.zeros([batch, len(predictor.pipeline.vocabulary_)])

    def read(begin: tf.Tensor, states: dict[str, tf.Tensor], last: tf.Tensor) -> tuple:
        outputs = network({"tokens": tokens[:, begin : begin + piece], **states, **told}, training=False)
        place = lengths - 1 - begin  # (batch,)
        found = tf.gather(outputs["logits"], tf.clip_by_value(place, 0, piece - 1), batch_dims=1)
        here = (place >= 0) & (place < piece)
        after = {name: tf.ensure_shape(outputs[name], state.shape) for name, state in states.items()}
        return begin + piece, after, tf.where(here[:, None], found, last)

    return tf.while_loop(lambda begin, *_: begin < time, read, (tf.constant(0), states, last))[2]


def example_inputs(predictor: LanguagePredictor, frame: CorpusFrame | TextFrame) -> dict[str, np.ndarray]:
    """Pieces of the text, or beginnings of lines."""
    if isinstance(frame, CorpusFrame):
        places = np.linspace(0, max(len(frame.text) - _CHECKED_CHARACTERS, 0), _CHECKED).astype(int)
        texts = [frame.text[p : p + _CHECKED_CHARACTERS] for p in places]
        return {"text": np.array([t.encode("utf-8") for t in texts], dtype=object)}
    rows = np.unique(np.linspace(0, len(frame) - 1, _CHECKED).astype(int))
    texts = [frame.texts[i][: max(1, len(frame.texts[i]) // 2)] for i in rows]
    inputs = {"text": np.array([t.encode("utf-8") for t in texts], dtype=object)}
    if predictor.pipeline.conditions_ and frame.targets is not None:
        labels = frame.targets.take(rows).values
        inputs["condition"] = np.array([str(label).encode("utf-8") for label in labels], dtype=object)
    return inputs


def answer(predictor: LanguagePredictor, inputs: dict[str, Any]) -> dict[str, Any]:
    """What the exported model must answer."""
    return next_in_graph(predictor, {name: tf.constant(value) for name, value in inputs.items()})


def describe(predictor: LanguagePredictor, frame: CorpusFrame | TextFrame) -> dict[str, Any]:
    """What ``recurra.json`` says of this kind of model."""
    data: dict[str, Any] = {"source": frame.source, "hash": data_hash(frame)}
    if isinstance(frame, CorpusFrame):
        data |= {"inputs": "corpus", "characters": len(frame.text)}
    else:
        answer = None if frame.targets is None else frame.targets.name
        data |= {"inputs": "lines", "rows": len(frame), "answer": answer}
    return {"task": "language-model", "data": data, "pipeline": predictor.pipeline.to_config()}


class ServedSteps:
    """The signature ``step`` as :class:`recurra.predictor.Writer` calls it."""

    def __init__(self, served: Served) -> None:
        self.served = served
        _, arguments = served.loaded.signatures["step"].structured_input_signature
        self.shapes = {
            name: (tuple(spec.shape[1:]), spec.dtype.name)
            for name, spec in arguments.items()
            if name.startswith("state_")
        }

    def __call__(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return self.served(inputs, "step")


class ExportedLanguage:
    """An exported language model.

    Attributes:
        path: its folder.
        info: the content of ``assets.extra/recurra.json``.

    Example:
        >>> load_model("saved_models/novel").generate("It was", length=20)
    """

    def __init__(self, served: Served) -> None:
        self.served, self.path, self.info = served, served.path, served.info
        self.pipeline = LanguagePipeline.from_config(self.info["pipeline"])
        self._writer: Writer | None = None

    @property
    def writer(self) -> Writer:
        """Continues texts by the signature ``step``."""
        if self._writer is None:
            self._writer = Writer(self.pipeline, ServedSteps(self.served))
        return self._writer

    def next_tokens(self, prompt: str, **how: Any) -> pd.DataFrame:
        """Rank what may come after a text; see ``LanguagePredictor.next_tokens``."""
        return self.writer.next_tokens(prompt, **how)

    def generate(self, prompt: str = "", **how: Any) -> str:
        """Write a text on; see ``recurra.predictor.Writer.generate``."""
        return self.writer.generate(prompt, **how)

    def predict(self, source: Any) -> pd.DataFrame:
        """The likeliest next token of each of some texts.

        Args:
            source: a list of texts.

        Returns:
            A row a text: ``text``, ``token`` and ``probability``.

        Raises:
            InputError: if `source` is a file: a language model continues a text, it has no answer for a table.
        """
        if not isinstance(source, list | tuple):
            raise InputError(
                f"{self.path} is a language model, which continues texts: use `recurra generate {self.path.parent} "
                "--prompt ...`"
            )
        if self.pipeline.conditions_:
            raise InputError(
                f"{self.path} is told a class before it writes: use `recurra generate {self.path.parent} --label ...`"
            )
        ranked = [self.next_tokens(text, top=1).iloc[0] for text in source]
        rows = [(text, row["token"], row["probability"]) for text, row in zip(source, ranked, strict=True)]
        return pd.DataFrame(rows, columns=["text", "token", "probability"])


def card(info: dict[str, Any]) -> dict[str, Any]:
    """What the model card says of this kind of model."""
    data, pipeline = info["data"], info["pipeline"]
    lines = [
        f"`text`: string [batch], UTF-8; cut into {pipeline['tokens']} tokens inside the model.",
        f"`tokens`: string [batch, {TOP}], the likeliest next ones; `probabilities`: float32 of the same shape.",
        "Signature `step`: `tokens` int32 [batch, time] and the states before them → `logits` and the states after "
        "them, so that a text is read once, however long it grows. States of zeros begin a text.",
    ]
    if pipeline["conditions"]:
        lines.insert(1, f"`condition`: string [batch], one of {', '.join(map(str, pipeline['conditions']))}.")
    size = f"{data['characters']:,} characters" if "characters" in data else f"{data['rows']:,} lines"
    return {
        "purpose": "Tells what comes next in a text, and writes texts on (language-model).",
        "signature": lines,
        "data": size,
        "split": "A part of it stopped the training, and the last part was not read."
        if "characters" in data
        else "A part of them stopped the training.",
        "limits": "It imitates the text above: what it writes is not true, only likely there.",
    }
