"""TextEncoder: texts, or lists of tokens, → ids; learnt from training rows only.

An encoder is one half of a SequencePipeline; the other half encodes the targets
(:mod:`recurra.pipelines.target_encoders`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..frames.sequences.stored_texts import StoredTexts
from ..spec import TokensInput
from .protocol import RawInputs, Tensors
from .ragged import Ragged
from .tokens import (
    TOKENS,
    Vocabulary,
    as_bytes,
    cut_texts,
    encoded,
    fit_vocabulary,
    token_bytes,
    tokenize,
    unknown_note,
)

if TYPE_CHECKING:
    import tensorflow as tf

KEEPS = ("first", "last")
# This fraction of the training texts fits whole into the length that is chosen where none is given.
_FITTING = 0.95
# Longer texts cost more than they tell; more can be asked for.
# Of the bytes that texts larger than memory may take, so many to one of the different tokens that are counted at once.
_A_TOKEN = 2000
_LONGEST = {"word": 512, "space": 512, "char": 1024}


class TextEncoder:
    """Texts, or lists of tokens, as ids.

    Args:
        tokens: "word", "char" or "space" (see :func:`recurra.pipelines.tokens.cut_texts`); None where texts come as
            lists of tokens.
        vocabulary_size: tokens known at most, the three reserved ids included.
        min_count: times a token must occur in the training texts to be known.
        sequence_length: tokens read of each text; None: what 95 % of the training texts need, at most 512 words or
            1,024 characters.
        keep: "first" or "last": which tokens of a longer text are read.
    """

    def __init__(
        self,
        *,
        tokens: str | None = "word",
        vocabulary_size: int = 20_000,
        min_count: int = 2,
        sequence_length: int | None = None,
        keep: str = "first",
    ) -> None:
        if tokens not in (*TOKENS, None):
            raise InputError(f"`tokens` must be one of {', '.join(TOKENS)}; received {tokens!r}")
        if vocabulary_size < 4:
            raise InputError(f"`vocabulary_size` must be at least 4; received {vocabulary_size}")
        check_cut(sequence_length, keep)
        self.tokens = tokens
        self.vocabulary_size = vocabulary_size
        self.min_count = min_count
        self.sequence_length = sequence_length
        self.keep = keep

    def fit(self, texts: Sequence[Any], *, source: str, truncate: bool = True) -> TextEncoder:
        """Learn vocabulary and length from training texts; without `truncate` no text is ever cut short."""
        fewest = 1 if self.tokens in ("char", None) else self.min_count
        counted = list[np.ndarray]()

        def pieces() -> Iterator[np.ndarray]:
            for flat, some in tokenize(texts, self.tokens):
                counted.append(some)
                yield flat

        held = max(texts.memory // _A_TOKEN, 1) if isinstance(texts, StoredTexts) else None
        self.vocabulary_, self.known_ = fit_vocabulary(
            pieces(), most=self.vocabulary_size, fewest=fewest, source=source, held=held
        )
        lengths = np.concatenate(counted)
        longest = max(int(lengths.max(initial=1)), 1)
        wanted = max(int(np.ceil(np.quantile(lengths, _FITTING))), 1) if truncate else longest
        if truncate and self.tokens is not None:
            wanted = min(wanted, _LONGEST[self.tokens])
        self.length_, self.truncate_ = self.sequence_length or wanted, truncate
        self.lengths_ = np.minimum(lengths, self.length_) if truncate else lengths
        self.fitting_ = float((lengths <= self.length_).mean()) if truncate else 1.0
        return self

    @property
    def spec(self) -> TokensInput:
        """What a model takes in."""
        return TokensInput(len(self.vocabulary_), self.length_)

    @property
    def notes(self) -> list[str]:
        """What was chosen, and what it leaves out."""
        what = {"char": "characters", None: "tokens"}.get(self.tokens, "words")
        notes = [
            f"vocabulary: {len(self.vocabulary_.words):,} {what} of the training texts, {percent(self.known_)} of all "
            "that occur in them"
        ]
        if self.fitting_ < 1:
            notes.append(
                f"length: {self.length_:,} {what}; {percent(self.fitting_)} of the training texts fit, of longer ones "
                f"the {self.keep} {self.length_:,} are read (set `sequence_length` or `keep` to change it)"
            )
        else:
            notes.append(f"length: {self.length_:,} {what}, as long as the longest training text")
        return notes + unknown_note(self.known_, self.tokens, self.min_count)

    def lengths_of(self, texts: Any) -> np.ndarray:
        """Tokens of each text, before any is cut short: (texts,)."""
        return np.concatenate([np.empty(0, np.int64), *(lengths for _, lengths in tokenize(texts, self.tokens))])

    def encode(self, texts: Any) -> Ragged:
        """Ids of all texts."""
        parts = encoded(tokenize(texts, self.tokens), self.vocabulary_)
        if self.truncate_:
            parts = (part.cut(self.length_, keep=self.keep) for part in parts)
        return Ragged.joined(parts, texts.files.folder if isinstance(texts, StoredTexts) else None)

    def raw(self, texts: Sequence[Any]) -> RawInputs:
        """Texts as the exported model takes them."""
        if self.tokens is not None:
            return {"text": np.array([as_bytes(text) for text in texts], dtype=object)}
        width = max((len(t) for t in texts), default=1)
        padded = [[token_bytes(token) for token in t] + [b""] * (width - len(t)) for t in texts]
        return {"tokens": np.array(padded, dtype=object).reshape(len(texts), width)}

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of what the exported model takes."""
        import tensorflow as tf

        if self.tokens is not None:
            return {"text": tf.TensorSpec([None], tf.string, name="text")}
        return {"tokens": tf.TensorSpec([None, None], tf.string, name="tokens")}

    def preprocess(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """What :meth:`raw` gives → what the model takes. Core TensorFlow ops only."""
        import tensorflow as tf

        ragged = self.ids_in_graph(inputs)
        if self.truncate_:
            ragged = ragged[:, : self.length_] if self.keep == "first" else ragged[:, -self.length_ :]
        ids = ragged.to_tensor(0)
        # at least one column, so that an empty text is read as padding
        return {"tokens": tf.pad(ids, [[0, 0], [0, tf.cast(tf.shape(ids)[1] == 0, tf.int32)]])}

    def ids_in_graph(self, inputs: Tensors) -> tf.RaggedTensor:
        """What :meth:`raw` gives → ids of all its tokens, however many: (batch, None)."""
        import tensorflow as tf

        if self.tokens is None:
            tokens = tf.convert_to_tensor(inputs["tokens"], tf.string)
            ids = tf.where(tokens == "", 0, self.vocabulary_.ids(tokens))  # (batch, time)
            return tf.RaggedTensor.from_tensor(ids, padding=0)
        cut = cut_texts(tf.convert_to_tensor(inputs["text"], tf.string), self.tokens)
        return cut.with_flat_values(self.vocabulary_.ids(cut.flat_values))

    def tables(self) -> list[Any]:
        """Lookup tables that an exported module has to hold."""
        return [self.vocabulary_.table]

    def describe_inputs(self) -> list[str]:
        """A line per raw input, for the model card."""
        if self.tokens is None:
            return ['`tokens`: string [batch, time]; shorter rows end with "".']
        return [f"`text`: string [batch], UTF-8; cut into {self.tokens} tokens inside the model."]

    def to_config(self) -> dict[str, Any]:
        """Everything learnt and chosen, as plain JSON values."""
        return {
            "kind": "tokens",
            "tokens": self.tokens,
            "vocabulary_size": self.vocabulary_size,
            "min_count": self.min_count,
            "sequence_length": self.length_,
            "keep": self.keep,
            "truncate": self.truncate_,
            "words": self.vocabulary_.words,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TextEncoder:
        """The encoder that :meth:`to_config` described."""
        names = ("tokens", "vocabulary_size", "min_count", "sequence_length", "keep")
        encoder = cls(**{name: config[name] for name in names})
        encoder.vocabulary_ = Vocabulary(config["words"])
        encoder.length_, encoder.truncate_ = config["sequence_length"], config["truncate"]
        return encoder


def check_cut(sequence_length: int | None, keep: str) -> None:
    """Refuse a length below 1, and an end that a sequence does not have."""
    if keep not in KEEPS:
        raise InputError(f"`keep` must be one of {', '.join(KEEPS)}; received {keep!r}")
    if sequence_length is not None and sequence_length < 1:
        raise InputError(f"`sequence_length` must be at least 1; received {sequence_length}")


def percent(fraction: float) -> str:
    """0.954 → 95.4 %."""
    return f"{100 * fraction:.1f} %"
