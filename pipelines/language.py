"""LanguagePipeline: a long text, or lines with a class each → tokens and the tokens after them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..frames import CorpusFrame, TextFrame
from ..frames.wording import counted, verb
from ..spec import END, NextTokenOutput, SequenceSpec, TokensInput
from .fold import Fold, TextRange
from .protocol import RawInputs, Tensors
from .ragged import Ragged, padded_lengths
from .sequence_batches import SequenceBatches
from .stream_batches import StreamBatches
from .target_encoders import sorted_labels
from .tokens import TOKENS, Vocabulary, as_bytes, cut_texts, encode, fit_vocabulary, tokenize, unknown_note

if TYPE_CHECKING:
    import tensorflow as tf

LanguageFrame = CorpusFrame | TextFrame
# Steps of truncated backpropagation: 35 words (Zaremba et al. 2014), about as much text in characters.
_BPTT_STEPS = {"word": 35, "space": 35, "char": 100}
_PARALLEL_STREAMS = 20
_LINES = 32
# Longer lines cost more than they tell.
_LONGEST = {"word": 512, "space": 512, "char": 1024}
# Stands for the end of a paragraph where a graph cuts; in words it is only a space.
_MARK = "\x01"
# TensorFlow's spaces, not Python's, so that a graph cuts at the same places.
_GAP = r"\n[ \t\r\f\v]*\n"
# What no space stands before, and after.
_CLOSING = re.compile(r" ([.,;:!?%)\]}…’”]|'\w*)")
_OPENING = re.compile(r"([(\[{“‘]) ")
# Real texts that a written model is compared on, and characters of each.
_SAMPLE, _SAMPLE_CHARACTERS = 8, 200


@dataclass(frozen=True, eq=False)
class EncodedCorpus:
    """A long text; the ids of each range are made once.

    Attributes:
        frame: the text.
        ids: token ids of the ranges asked for so far: (tokens,) each.
    """

    frame: CorpusFrame
    ids: dict[TextRange, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class EncodedLines:
    """Lines as numbers.

    Attributes:
        before: tokens of each line, an end in front.
        after: the tokens to be predicted at each of these steps: (steps,).
        extras: further inputs by name (lines,).
    """

    before: Ragged
    after: np.ndarray
    extras: dict[str, np.ndarray]


def corpus_fold(frame: CorpusFrame) -> Fold[TextRange]:
    """The splits of a long text: training, validation and test text, one after another."""
    first, second = frame.bounds
    ranges = (TextRange(0, first), TextRange(first, second), TextRange(second, len(frame)))
    return Fold(0, *ranges)


class LanguagePipeline:
    """Tokens and the tokens after them; fitted on the training text only.

    A long text is cut into parallel streams, read some steps at a time: the state is carried from one batch to the
    next, the gradient is not (truncated backpropagation through time). Lines are read each from its own beginning to
    its end.

    Args:
        tokens: "word" (blank lines end a text), "char", or "space" (every line end is the token ``<eos>``).
        vocabulary_size: tokens known at most, the three reserved ids included.
        min_count: how often a word must occur in the training text to be known; rarer ones teach the model what to
            expect of unknown words. Characters are known from the first time.
        bptt_steps: steps of truncated backpropagation through time; None: 35 words or 100 characters.
        parallel_streams: places of the text that are read in parallel.

    Example:
        >>> pipeline = LanguagePipeline(tokens="char").fit(frame)
    """

    def __init__(
        self,
        *,
        tokens: str = "word",
        vocabulary_size: int = 20_000,
        min_count: int = 2,
        bptt_steps: int | None = None,
        parallel_streams: int = _PARALLEL_STREAMS,
    ) -> None:
        if tokens not in TOKENS:
            raise InputError(f"`tokens` must be one of {', '.join(TOKENS)}; received {tokens!r}")
        if bptt_steps is not None and bptt_steps < 1:
            raise InputError(f"`bptt_steps` must be at least 1; received {bptt_steps}")
        self.tokens = tokens
        self.vocabulary_size = vocabulary_size
        self.min_count = min_count
        self.bptt_steps = bptt_steps or _BPTT_STEPS[tokens]
        self.parallel_streams = parallel_streams
        self.batch_size_: int | None = None

    def fit(self, frame: LanguageFrame, selection: TextRange | np.ndarray | None = None) -> LanguagePipeline:
        """Learn the vocabulary from a range of a long text, or from the lines `selection`; from all by default."""
        self.batch_size_ = None  # that of another fold
        self.conditions_: list[Any] = []
        self.lines_ = isinstance(frame, TextFrame)
        texts: Any
        if isinstance(frame, CorpusFrame):
            known = selection if isinstance(selection, TextRange) else TextRange(0, len(frame))
            texts = self._pieces(frame.text[known.start : known.stop])
        else:
            rows = selection if isinstance(selection, np.ndarray) else np.arange(len(frame))
            texts = frame.texts[rows]
            if frame.targets is not None and frame.targets.task == "classification":
                self.conditions_ = sorted_labels(frame.targets.values[rows])
        tokenized = list(tokenize(texts, self.tokens))
        self.vocabulary_, self.known_ = fit_vocabulary(
            (flat for flat, _ in tokenized if len(flat)),
            most=self.vocabulary_size,
            fewest=1 if self.tokens == "char" else self.min_count,
            source=frame.source,
        )
        lengths = np.concatenate([lengths for _, lengths in tokenized])
        self.longer_ = int((lengths > _LONGEST[self.tokens]).sum()) if self.lines_ else 0
        lengths = np.minimum(lengths, _LONGEST[self.tokens]) + 1  # with the end
        self.widths_ = padded_lengths(lengths, int(lengths.max())) if self.lines_ else (self.bptt_steps,)
        return self

    @property
    def spec(self) -> SequenceSpec:
        """What a model built for this pipeline takes in and gives out."""
        n = len(self.vocabulary_)
        return SequenceSpec(TokensInput(n, self.widths_[-1], len(self.conditions_)), NextTokenOutput(n))

    @property
    def notes(self) -> list[str]:
        """What was chosen, one sentence each."""
        what = "characters" if self.tokens == "char" else "words"
        known = f"vocabulary: {len(self.vocabulary_.words):,} {what}, {100 * self.known_:.1f} % of all in training"
        doubts = unknown_note(self.known_, self.tokens, self.min_count)
        if not self.lines_:
            steps = f"{self.bptt_steps} {what} at a time"
            return [
                known,
                f"the text is read in {self.parallel_streams} parallel streams, {steps}; the state is carried from one "
                "batch to the next, the gradient is not (truncated backpropagation through time)",
                *doubts,
            ]
        classes = f", its class (one of {len(self.conditions_)}) given at every step" if self.conditions_ else ""
        notes = [known, f"every text is read from its beginning to its end{classes}"]
        if self.longer_:
            most = f"{_LONGEST[self.tokens]:,}"
            longer = f"{counted(self.longer_, 'training text')} {verb(self.longer_, 'has', 'have')}"
            notes.append(f"{longer} more than {most} {what}: the first {most} are read")
        return notes + doubts

    # ------------------------------------------------------------------------------------------ text → ids

    def ids(self, text: str) -> np.ndarray:
        """Ids of a long text, an end after each of its pieces (lines, paragraphs): (tokens,) int32."""
        ragged = encode(tokenize(self._pieces(text), self.tokens), self.vocabulary_)
        return ragged.flat if self.tokens == "char" else _with_ends(ragged).flat

    def prompt(self, text: str) -> np.ndarray:
        """Ids of a text that is to be continued, an end before it and none behind it: (1 + tokens,) int32."""
        ids = [self.ids(piece) for piece in self._pieces(text)]
        joined = np.concatenate([np.array([END], np.int32), *ids])
        return joined if self.tokens == "char" or len(joined) == 1 else joined[:-1]

    def prompts_in_graph(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """What :meth:`prompt` does, as graph ops: strings (batch,) → ids (batch, None)."""
        import tensorflow as tf

        begin = tf.fill([tf.shape(texts)[0], 1], END)
        if self.tokens == "char" or self.lines_:
            cut = cut_texts(texts, self.tokens)
            return tf.concat([begin, cut.with_flat_values(self.vocabulary_.ids(cut.flat_values))], axis=1)
        mark = "\n"
        if self.tokens == "word":
            mark = _MARK
            texts = tf.strings.regex_replace(tf.strings.regex_replace(texts, _MARK, " "), _GAP, _MARK)
        pieces = tf.strings.split(texts, mark)
        filled = tf.strings.regex_full_match(pieces, r"(?s).*[^ \t\n\r\f\v].*")
        pieces = tf.ragged.boolean_mask(pieces, filled)
        cut = cut_texts(pieces.flat_values, self.tokens)
        ids = cut.with_flat_values(self.vocabulary_.ids(cut.flat_values))
        ends = tf.fill([tf.shape(pieces.flat_values)[0], 1], END)
        prompts = pieces.with_flat_values(tf.concat([ids, ends], axis=1)).merge_dims(1, 2)
        return tf.concat([begin, prompts[:, :-1]], axis=1)

    def text(self, ids: Sequence[int]) -> str:
        """Tokens as readable text; what comes after an end begins a new line."""
        if self.tokens == "char":
            return "".join(self.vocabulary_.word(i) for i in ids if i != END)
        lines: list[list[str]] = [[]]
        for i in ids:
            if i == END:
                lines.append([])
            else:
                lines[-1].append(self.vocabulary_.word(i))
        return "\n".join(self._sentence(words) for words in lines)

    def _sentence(self, words: list[str]) -> str:
        sentence = " ".join(words)
        return sentence if self.tokens == "space" else _OPENING.sub(r"\1", _CLOSING.sub(r"\1", sentence))

    def _pieces(self, text: str) -> list[str]:
        if self.tokens == "char" or self.lines_:
            return [text]
        pieces = text.split("\n") if self.tokens == "space" else re.split(_GAP, text)
        return [piece for piece in pieces if piece.strip(" \t\n\r\f\v")]

    # ------------------------------------------------------------------------------------------ ids → batches

    def encode(self, frame: LanguageFrame) -> EncodedCorpus | EncodedLines:
        """A frame as numbers; of a long text only the ranges that are asked for."""
        if isinstance(frame, CorpusFrame):
            return EncodedCorpus(frame)
        ragged = encode(tokenize(frame.texts, self.tokens), self.vocabulary_).cut(_LONGEST[self.tokens])
        after = _with_ends(ragged)
        extras = {"start": np.ones(len(after), "float32")}
        if self.conditions_:
            extras["condition"] = self.condition_numbers(frame)
        return EncodedLines(Ragged(_shifted(after.flat), after.lengths), after.flat, extras)

    def settle_batch_size(
        self, encoded: EncodedCorpus | EncodedLines, fold: Fold[Any], *, batch_size: int | None = None
    ) -> None:
        """Choose one size for all batches of a fold, because the carried states have one: the smallest selection's.

        Raises:
            InputError: if a range of a long text holds no token.
        """
        selections = fold.named()
        if isinstance(encoded, EncodedLines):
            sizes = [len(rows) for rows in selections.values() if len(rows)]
            self.batch_size_ = min(batch_size or _LINES, *sizes)
            return
        ids = {name: self._ids_of(encoded, selection) for name, selection in selections.items()}
        if empty := [name for name, some in ids.items() if not len(some)]:
            raise InputError(
                f"{encoded.frame.source}: the {empty[0]} text holds no {self.tokens} token at all; give a longer text"
            )
        self.batch_size_ = min(self._streams_of(some) for some in ids.values())

    def batches(
        self, encoded: EncodedCorpus | EncodedLines, selection: TextRange | np.ndarray
    ) -> StreamBatches | SequenceBatches:
        """A range of a long text in parallel streams, or lines, each with an end before it and one to be predicted."""
        if isinstance(encoded, EncodedCorpus):
            if not isinstance(selection, TextRange):
                raise ValueError(f"a long text is selected by a TextRange. Received: {selection!r}")
            ids = self._ids_of(encoded, selection)
            return StreamBatches(ids, self.batch_size_ or self._streams_of(ids), self.bptt_steps)
        if isinstance(selection, TextRange):
            raise ValueError(f"lines are selected by their numbers. Received: {selection!r}")
        size = self.batch_size_ or _LINES
        return SequenceBatches(
            encoded.before,
            encoded.after,
            np.ones(len(encoded.after), "float32"),
            selection,
            self.widths_,
            per_step=True,
            extras=encoded.extras,
            batch_size=size,
            predict_batch_size=size,  # training and prediction read as many lines at once: the states have one size
        )

    def _ids_of(self, encoded: EncodedCorpus, selection: TextRange) -> np.ndarray:
        if selection not in encoded.ids:
            encoded.ids[selection] = self.ids(encoded.frame.text[selection.start : selection.stop])
        return encoded.ids[selection]

    def _streams_of(self, ids: np.ndarray) -> int:
        """Parallel streams of a text: as many as were asked for, fewer of a short text."""
        return max(1, min(self.parallel_streams, len(ids) // self.bptt_steps))

    # ------------------------------------------------------------------------------------------ frame → raw inputs

    def raw(self, frame: LanguageFrame | Sequence[str]) -> RawInputs:
        """Texts to be continued, with their classes where the model has any, as strings."""
        if isinstance(frame, CorpusFrame):
            return _as_raw([frame.text])
        if not isinstance(frame, TextFrame):
            return _as_raw(frame)
        raw = _as_raw(list(frame.texts))
        if self.conditions_ and frame.targets is not None:
            raw["condition"] = _as_raw(list(map(str, frame.targets.values)))["text"]
        return raw

    def sample(self, frame: LanguageFrame) -> RawInputs:
        """Raw inputs of real text: pieces of it, or beginnings of lines."""
        if isinstance(frame, CorpusFrame):
            places = np.linspace(0, max(len(frame.text) - _SAMPLE_CHARACTERS, 0), _SAMPLE).astype(int)
            return _as_raw([frame.text[p : p + _SAMPLE_CHARACTERS] for p in places])
        rows = np.unique(np.linspace(0, len(frame) - 1, _SAMPLE).astype(int))
        raw = self.raw(frame.take(rows))
        raw["text"] = _as_raw([text[: max(1, len(text) // 2)] for text in frame.texts[rows]])["text"]
        return raw

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of the raw inputs."""
        import tensorflow as tf

        names = ["text", "condition"] if self.conditions_ else ["text"]
        return {name: tf.TensorSpec([None], tf.string, name=name) for name in names}

    def preprocess(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Texts → token ids (batch, time), padded with 0. Core TensorFlow ops only."""
        import tensorflow as tf

        return {"tokens": self.prompts_in_graph(tf.convert_to_tensor(inputs["text"], tf.string)).to_tensor(0)}

    def condition_numbers(self, frame: TextFrame) -> np.ndarray:
        """Number of each line's class: (lines,) int32."""
        number = {label: i for i, label in enumerate(self.conditions_)}
        values: Any = [] if frame.targets is None else frame.targets.values
        if unknown := [value for value in values if value not in number]:
            raise InputError(
                f"{frame.source}: class {unknown[0]!r} has no training line, so nothing can be generated for it; "
                "give it more lines or leave it out"
            )
        return np.array([number[value] for value in values], dtype=np.int32)

    def condition_of(self, label: Hashable = None) -> RawInputs:
        """``condition`` (1,), the number of a class by its name; nothing where the model has no classes.

        Raises:
            InputError: if there is no such class, or none was named.
        """
        if not self.conditions_:
            if label is not None:
                raise InputError(f"the model was trained without classes, so `label` {label!r} does not apply to it")
            return {}
        number = {str(name): i for i, name in enumerate(self.conditions_)}.get(str(label))
        if number is None:
            raise InputError(f"`label` must be one of {', '.join(map(str, self.conditions_))}; received {label!r}")
        return {"condition": np.array([number], np.int32)}

    # ------------------------------------------------------------------------------------------ kept in JSON

    def to_config(self) -> dict[str, Any]:
        """Everything learnt and chosen, as plain JSON values."""
        return {
            "tokens": self.tokens,
            "vocabulary_size": self.vocabulary_size,
            "min_count": self.min_count,
            "bptt_steps": self.bptt_steps,
            "parallel_streams": self.parallel_streams,
            "words": self.vocabulary_.words,
            "conditions": self.conditions_,
            "lines": self.lines_,
            "widths": list(self.widths_),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LanguagePipeline:
        """The pipeline that :meth:`to_config` described."""
        names = ("tokens", "vocabulary_size", "min_count", "bptt_steps", "parallel_streams")
        pipeline = cls(**{name: config[name] for name in names})
        pipeline.vocabulary_ = Vocabulary(config["words"])
        pipeline.conditions_, pipeline.lines_ = config["conditions"], config["lines"]
        pipeline.widths_ = tuple(config["widths"])
        return pipeline


def _with_ends(ragged: Ragged) -> Ragged:
    """An end behind each sequence."""
    lengths = ragged.lengths + 1
    flat = np.full(int(lengths.sum()), END, np.int32)
    ends = np.cumsum(lengths) - 1
    inside = np.ones(len(flat), bool)
    inside[ends] = False
    flat[inside] = ragged.flat
    return Ragged(flat, lengths)


def _shifted(flat: np.ndarray) -> np.ndarray:
    """Sequences that end with an end each → the same with that end before them: what is known at each step."""
    return np.concatenate([flat[-1:], flat[:-1]])


def _as_raw(texts: Sequence[str]) -> RawInputs:
    return {"text": np.array([as_bytes(text) for text in texts], dtype=object)}
