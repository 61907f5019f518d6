"""LanguagePipeline: a long text, or lines with a condition each → tokens and the tokens after them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..frames import CorpusFrame, TextFrame
from ..spec import END, NextTokenOutput, SequenceSpec, TokensInput
from .target_encoders import sorted_labels
from .ragged import Examples, Ragged, padded_lengths
from .tokens import TOKENS, Vocabulary, cut_texts, encode, fit_vocabulary, tokenize

if TYPE_CHECKING:
    import tensorflow as tf

LanguageFrame = CorpusFrame | TextFrame
# Tokens through which the error is sent back: 35 words (Zaremba et al. 2014), about as much text in characters.
_CHUNK = {"word": 35, "space": 35, "char": 100}
_STREAMS = 20
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


class LanguagePipeline:
    """Tokens and the tokens after them; fitted on the training part only.

    A long text is cut into streams that are read side by side, chunk after chunk: the state is carried from one chunk
    to the next, the error is sent back through one chunk. Lines are read each from its own beginning to its end.

    Args:
        tokens: "word" (blank lines end a text), "char", or "space" (every line end is the token ``<eos>``).
        vocabulary_size: tokens known at most, the three reserved ids included.
        min_count: times a word must occur in the training part to be known; rarer ones teach the model what to expect
            of unknown words. Characters are known from the first time.
        chunk: tokens the error is sent back through; None: 35 words or 100 characters.
        streams: places of the text read side by side.

    Example:
        >>> pipeline = LanguagePipeline(tokens="char").fit(frame)
    """

    def __init__(
        self,
        *,
        tokens: str = "word",
        vocabulary_size: int = 20_000,
        min_count: int = 2,
        chunk: int | None = None,
        streams: int = _STREAMS,
    ) -> None:
        if tokens not in TOKENS:
            raise InputError(f"--tokens takes {', '.join(TOKENS)}; received {tokens!r}")
        if chunk is not None and chunk < 1:
            raise InputError(f"--length must be at least 1; received {chunk}")
        self.tokens = tokens
        self.vocabulary_size = vocabulary_size
        self.min_count = min_count
        self.chunk = chunk or _CHUNK[tokens]
        self.streams = streams

    def fit(self, frame: LanguageFrame, rows: np.ndarray | None = None) -> LanguagePipeline:
        """Learn the vocabulary from the training part of a long text, or from the lines `rows`."""
        self.conditions_: list[Any] = []
        self.lines_ = isinstance(frame, TextFrame)
        if isinstance(frame, CorpusFrame):
            texts: Any = self._pieces(frame.parts[0])
        else:
            texts = frame.texts if rows is None else frame.texts[rows]
            if frame.targets is not None and frame.targets.task == "classification":
                labels = frame.targets.values if rows is None else frame.targets.values[rows]
                self.conditions_ = sorted_labels(labels)
        parts = tokenize(texts, self.tokens)
        self.vocabulary_, self.known_ = fit_vocabulary(
            (flat for flat, _ in parts if len(flat)),
            most=self.vocabulary_size,
            fewest=1 if self.tokens == "char" else self.min_count,
            source=frame.source,
        )
        lengths = np.concatenate([lengths for _, lengths in parts])
        self.longer_ = int((lengths > _LONGEST[self.tokens]).sum()) if self.lines_ else 0
        lengths = np.minimum(lengths, _LONGEST[self.tokens]) + 1  # with the end
        self.widths_ = padded_lengths(lengths, int(lengths.max())) if self.lines_ else (self.chunk,)
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
        if self.lines_:
            told = f", told the class (one of {len(self.conditions_)}) first" if self.conditions_ else ""
            notes = [known, f"every text is read from its beginning to its end{told}"]
            if self.longer_:
                most = f"{_LONGEST[self.tokens]:,}"
                notes.append(f"{self.longer_:,} training texts have more than {most} {what}: the first {most} are read")
            return notes
        return [
            known,
            f"the text is read in {self.streams} places side by side, {self.chunk} {what} at a time; the state is "
            "carried on from one chunk to the next, the error is sent back through one",
        ]

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
        told = pieces.with_flat_values(tf.concat([ids, ends], axis=1)).merge_dims(1, 2)
        return tf.concat([begin, told[:, :-1]], axis=1)

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

    def stream(self, ids: np.ndarray) -> Stream:
        """A long text's ids, as training and evaluation read them."""
        streams = max(1, min(self.streams, len(ids) // self.chunk))
        return Stream(ids, streams, self.chunk)

    def lines(self, frame: TextFrame, rows: np.ndarray, batch_size: int = _LINES) -> Examples:
        """The lines `rows`, as training and evaluation read them: an end before each, and to be foretold behind.

        Training and prediction read as many lines at once: the states have one size.
        """
        ragged = encode(tokenize(frame.texts, self.tokens), self.vocabulary_).cut(_LONGEST[self.tokens])
        after = _with_ends(ragged)
        before = Ragged(_shifted(after.flat), after.lengths)
        extras = {"start": np.ones(len(after), "float32")}
        if self.conditions_:
            extras["condition"] = self.condition_numbers(frame)
        weight = np.ones(len(after.flat), "float32")
        return Examples(
            before,
            after.flat,
            weight,
            rows,
            self.widths_,
            tagged=True,
            extras=extras,
            batch_size=batch_size,
            predict_batch=batch_size,
        )

    def condition_numbers(self, frame: TextFrame) -> np.ndarray:
        """Number of each line's class: (lines,) int32."""
        number = {label: i for i, label in enumerate(self.conditions_)}
        values: Any = [] if frame.targets is None else frame.targets.values
        if unknown := [value for value in values if value not in number]:
            raise InputError(
                f"{frame.source}: class {unknown[0]!r} has no training line, so nothing can be written for it; "
                "give it more lines or leave it out"
            )
        return np.array([number[value] for value in values], dtype=np.int32)

    # ------------------------------------------------------------------------------------------ kept in JSON

    def to_config(self) -> dict[str, Any]:
        """Everything learnt and chosen, as plain JSON values."""
        return {
            "tokens": self.tokens,
            "vocabulary_size": self.vocabulary_size,
            "min_count": self.min_count,
            "chunk": self.chunk,
            "streams": self.streams,
            "words": self.vocabulary_.words,
            "conditions": self.conditions_,
            "lines": self.lines_,
            "widths": list(self.widths_),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LanguagePipeline:
        """The pipeline that :meth:`to_config` described."""
        names = ("tokens", "vocabulary_size", "min_count", "chunk", "streams")
        pipeline = cls(**{name: config[name] for name in names})
        pipeline.vocabulary_ = Vocabulary(config["words"])
        pipeline.conditions_, pipeline.lines_ = config["conditions"], config["lines"]
        pipeline.widths_ = tuple(config["widths"])
        return pipeline


@dataclass(frozen=True, eq=False)
class Stream:
    """A long text, read in several places side by side.

    Attributes:
        ids: all tokens (tokens,); every one of them is to be foretold, the first from nothing but an end.
        batch_size: places, and so rows of each batch.
        chunk: tokens of each batch's rows.
    """

    ids: np.ndarray
    batch_size: int
    chunk: int

    @property
    def predict_batch(self) -> int:
        """Rows of each batch: a state is carried on from batch to batch, so there are always as many."""
        return self.batch_size

    @property
    def n_chunks(self) -> int:
        """Batches that the text takes."""
        return -(-self._stretch // self.chunk)

    @property
    def _stretch(self) -> int:
        """Tokens of the text that belong to one place."""
        return -(-len(self.ids) // self.batch_size)

    def __len__(self) -> int:
        return self.batch_size * self.n_chunks

    def dataset(
        self,
        *,
        batch_size: int,
        seed: int | None = None,
        first_epoch: int = 0,
        steps: int | None = None,
    ) -> tf.data.Dataset:
        """Batches of (inputs, target, weight), in the order of the text; with `seed` without end.

        Returns:
            Of inputs ``{"tokens": (batch, time), "start": (batch,)}``, 1 where the text begins anew; target and weight
            (batch, time), 0 behind each place's end.
        """
        import tensorflow as tf

        if batch_size != self.batch_size:
            raise ValueError(f"`batch_size` must be {self.batch_size}, as the text was cut. Received: {batch_size}")
        before, after, weight = map(tf.constant, self._table())
        n, chunk = self.n_chunks, self.chunk

        def batch(number: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
            place = number % n
            columns = tf.range(chunk, dtype=tf.int64) + place * chunk
            start = tf.fill([self.batch_size], tf.cast(place == 0, tf.float32))
            inputs = {"tokens": tf.gather(before, columns, axis=1), "start": start}
            return inputs, tf.gather(after, columns, axis=1), tf.gather(weight, columns, axis=1)

        data = tf.data.Dataset
        numbers = data.range(n) if seed is None else data.counter(first_epoch * (steps or n))
        return numbers.map(batch, num_parallel_calls=2, deterministic=True).prefetch(4)

    def order(self, batch_size: int) -> np.ndarray:
        """Which row of which chunk stands where in an unshuffled run; none only fills: (chunks × batch_size,)."""
        return np.arange(self.n_chunks * batch_size)

    def in_order(self, losses: np.ndarray) -> np.ndarray:
        """Something about every token, as batches (chunks, batch, time) → in the order of the text (tokens,)."""
        by_place = losses.transpose(1, 0, 2).reshape(self.batch_size, -1)[:, : self._stretch]
        return by_place.reshape(-1)[: len(self.ids)]

    def _table(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tokens, the tokens after them and their weights, a row for each place: (batch, chunks × chunk) each."""
        missing = self.batch_size * self._stretch - len(self.ids)
        after = np.pad(self.ids, (0, missing)).reshape(self.batch_size, -1)
        before = np.pad(np.concatenate([[END], self.ids[:-1]]), (0, missing)).reshape(self.batch_size, -1)
        weight = np.pad(np.ones(len(self.ids)), (0, missing)).reshape(self.batch_size, -1)
        behind = ((0, 0), (0, self.n_chunks * self.chunk - self._stretch))
        before, after, weight = (np.pad(table, behind) for table in (before, after, weight))
        return before.astype("int32"), after.astype("int32"), weight.astype("float32")


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
