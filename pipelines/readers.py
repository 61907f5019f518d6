"""Readers: what stands in a frame's rows → numbers a model can take; learnt from training rows only.

A reader is one half of an ExamplePipeline; the other half knows the targets (:mod:`recurra.pipelines.target_encoders`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..spec import TokensInput, ValuesInput
from .channels import ROUNDING
from .fill import RULES, fill_window
from .ragged import Ragged
from .tokens import TOKENS, Vocabulary, as_bytes, cut_texts, encode, fit_vocabulary, token_bytes, tokenize

if TYPE_CHECKING:
    import tensorflow as tf

KEEPS = ("first", "last")
# Of the training texts, so many fit whole into the length that is chosen where none is given.
_FITTING = 0.95
# Longer texts cost more than they tell; more can be asked for.
_LONGEST = {"word": 512, "space": 512, "char": 1024}
_SEQUENCES_AT_ONCE = 1000


class TokenReader:
    """Texts, or lists of tokens, as ids.

    Args:
        tokens: "word", "char" or "space" (see :func:`recurra.pipelines.tokens.cut_texts`); None where texts come as
            lists of tokens.
        vocabulary_size: tokens known at most, the three reserved ids included.
        min_count: times a token must occur in the training texts to be known.
        length: tokens read of each text; None: what 95 % of the training texts need, at most 512 words or 1,024
            characters.
        keep: "first" or "last": which tokens of a longer text are read.
    """

    def __init__(
        self,
        *,
        tokens: str | None = "word",
        vocabulary_size: int = 20_000,
        min_count: int = 2,
        length: int | None = None,
        keep: str = "first",
    ) -> None:
        if tokens not in (*TOKENS, None):
            raise InputError(f"--tokens takes {', '.join(TOKENS)}; received {tokens!r}")
        if keep not in KEEPS:
            raise InputError(f"--keep takes {', '.join(KEEPS)}; received {keep!r}")
        if vocabulary_size < 4:
            raise InputError(f"--vocabulary-size must be at least 4; received {vocabulary_size}")
        if length is not None and length < 1:
            raise InputError(f"--length must be at least 1; received {length}")
        self.tokens = tokens
        self.vocabulary_size = vocabulary_size
        self.min_count = min_count
        self.length = length
        self.keep = keep

    def fit(self, texts: Sequence[Any], *, source: str, whole: bool = False) -> TokenReader:
        """Learn vocabulary and length from training texts; with `whole` no text is ever cut short."""
        parts = tokenize(texts, self.tokens)
        fewest = 1 if self.tokens in ("char", None) else self.min_count
        self.vocabulary_, self.known_ = fit_vocabulary(
            (flat for flat, _ in parts if len(flat)), most=self.vocabulary_size, fewest=fewest, source=source
        )
        lengths = np.concatenate([lengths for _, lengths in parts])
        longest = max(int(lengths.max(initial=1)), 1)
        wanted = longest if whole else max(int(np.ceil(np.quantile(lengths, _FITTING))), 1)
        if not whole and self.tokens is not None:
            wanted = min(wanted, _LONGEST[self.tokens])
        self.length_, self.whole_ = self.length or wanted, whole
        self.lengths_ = lengths if whole else np.minimum(lengths, self.length_)
        self.fitting_ = 1.0 if whole else float((lengths <= self.length_).mean())
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
            f"vocabulary: {len(self.vocabulary_.words):,} {what} of the training texts, {_share(self.known_)} of all "
            "that occur in them"
        ]
        if self.fitting_ < 1:
            notes.append(
                f"length: {self.length_:,} {what}; {_share(self.fitting_)} of the training texts fit, of longer ones "
                f"the {self.keep} {self.length_:,} are read (--length, --keep)"
            )
        else:
            notes.append(f"length: {self.length_:,} {what}, as long as the longest training text")
        return notes

    def encode(self, texts: Any) -> Ragged:
        """Ids of all texts."""
        ids = encode(tokenize(texts, self.tokens), self.vocabulary_)
        return ids if self.whole_ else ids.cut(self.length_, keep=self.keep)

    def raw(self, texts: Sequence[Any]) -> dict[str, np.ndarray]:
        """Texts as the exported model takes them."""
        if self.tokens is not None:
            return {"text": np.array([as_bytes(text) for text in texts], dtype=object)}
        width = max((len(t) for t in texts), default=1)
        padded = [[token_bytes(token) for token in t] + [b""] * (width - len(t)) for t in texts]
        return {"tokens": np.array(padded, dtype=object).reshape(len(texts), width)}

    def signature(self) -> dict[str, Any]:
        """Names, types and shapes of what the exported model takes."""
        import tensorflow as tf

        if self.tokens is not None:
            return {"text": tf.TensorSpec([None], tf.string, name="text")}
        return {"tokens": tf.TensorSpec([None, None], tf.string, name="tokens")}

    def preprocess(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What :meth:`raw` gives → what the model takes. Core TensorFlow ops only."""
        import tensorflow as tf

        if self.tokens is None:
            ids = self.vocabulary_.ids(inputs["tokens"])
            ids = tf.where(inputs["tokens"] == "", 0, ids)  # (batch, time)
            ragged = tf.RaggedTensor.from_tensor(ids, padding=0)
        else:
            cut = cut_texts(inputs["text"], self.tokens)
            ragged = cut.with_flat_values(self.vocabulary_.ids(cut.flat_values))
        if not self.whole_:
            ragged = ragged[:, : self.length_] if self.keep == "first" else ragged[:, -self.length_ :]
        ids = ragged.to_tensor(0)
        # at least one column, so that an empty text is read as padding
        return {"tokens": tf.pad(ids, [[0, 0], [0, tf.cast(tf.shape(ids)[1] == 0, tf.int32)]])}

    def to_config(self) -> dict[str, Any]:
        """Everything learnt and chosen, as plain JSON values."""
        return {
            "kind": "tokens",
            "tokens": self.tokens,
            "vocabulary_size": self.vocabulary_size,
            "min_count": self.min_count,
            "length": self.length_,
            "keep": self.keep,
            "whole": self.whole_,
            "words": self.vocabulary_.words,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TokenReader:
        """The reader that :meth:`to_config` described."""
        names = ("tokens", "vocabulary_size", "min_count", "length", "keep")
        reader = cls(**{name: config[name] for name in names})
        reader.vocabulary_ = Vocabulary(config["words"])
        reader.length_, reader.whole_ = config["length"], config["whole"]
        return reader


class ValueReader:
    """Sequences of numbers (time, channels), scaled; missing values are filled inside each sequence.

    Args:
        length: steps read of each sequence; None: as many as the longest training sequence has.
        missing: "interpolate", "ffill" or "error".
        keep: "first" or "last": which steps of a longer sequence are read.
    """

    def __init__(self, *, length: int | None = None, missing: str = "interpolate", keep: str = "first") -> None:
        if missing not in RULES:
            raise InputError(f"--missing takes {', '.join(RULES)}; received {missing!r}")
        if keep not in KEEPS:
            raise InputError(f"--keep takes {', '.join(KEEPS)}; received {keep!r}")
        if length is not None and length < 1:
            raise InputError(f"--length must be at least 1; received {length}")
        self.length = length
        self.missing = missing
        self.keep = keep

    def fit(self, values: Sequence[np.ndarray], *, source: str, whole: bool = False) -> ValueReader:
        """Learn scale and length from training sequences; with `whole` no sequence is ever cut short."""
        if not any(len(v) for v in values):
            raise InputError(f"{source}: the training sequences hold no step at all; check how the file was written")
        steps = np.concatenate(list(values))  # (steps, channels)
        observed = np.isfinite(steps)
        count = np.maximum(observed.sum(axis=0), 1)
        self.mean_ = np.where(observed, steps, 0.0).sum(axis=0) / count
        variance = np.where(observed, (steps - self.mean_) ** 2, 0.0).sum(axis=0) / count
        # a channel at rest has no spread of its own, only what rounding makes of it
        at_rest = np.sqrt(variance) <= ROUNDING * np.abs(self.mean_)
        self.scale_ = np.where(at_rest, 1.0, np.sqrt(variance))
        lengths = np.array([len(v) for v in values])
        self.length_, self.whole_ = self.length or max(int(lengths.max(initial=1)), 1), whole
        self.lengths_ = lengths if whole else np.minimum(lengths, self.length_)
        self.fitting_ = 1.0 if whole else float((lengths <= self.length_).mean())
        return self

    @property
    def spec(self) -> ValuesInput:
        """What a model takes in."""
        return ValuesInput(self.length_, len(self.mean_))

    @property
    def notes(self) -> list[str]:
        """What was chosen, and what it leaves out."""
        if self.fitting_ == 1:
            return [f"length: {self.length_:,} steps, as long as the longest training sequence"]
        return [
            f"length: {self.length_:,} steps; {_share(self.fitting_)} of the training sequences fit, of longer ones "
            f"the {self.keep} {self.length_:,} are read (--length, --keep)"
        ]

    def encode(self, values: Any) -> Ragged:
        """Scaled and filled sequences."""
        parts = []
        for start in range(0, len(values), _SEQUENCES_AT_ONCE):
            raw = self.raw(values[start : start + _SEQUENCES_AT_ONCE])
            ready = {name: tensor.numpy() for name, tensor in self.preprocess(raw).items()}
            parts += [v[:n] for v, n in zip(ready["values"], ready["lengths"], strict=True)]
        return Ragged.of(parts) if parts else Ragged(np.empty((0, len(self.mean_)), "float32"), np.empty(0, np.int64))

    def raw(self, values: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Sequences as the exported model takes them, in the user's units."""
        values = [_as_steps(v, number) for number, v in enumerate(values)]
        self._check(values)
        lengths = np.array([len(v) for v in values], dtype=np.int32)
        padded = np.zeros((len(values), max(int(lengths.max(initial=1)), 1), len(self.mean_)), "float32")
        for row, v in zip(padded, values, strict=True):
            row[: len(v)] = v
        return {"values": padded, "lengths": lengths}

    def _check(self, values: Sequence[np.ndarray]) -> None:
        for number, v in enumerate(values):
            if v.ndim != 2 or v.shape[1] != len(self.mean_):
                channels = v.shape[1] if v.ndim == 2 else v.ndim
                raise InputError(
                    f"sequence {number} has {channels} channels where the training sequences have {len(self.mean_)}; "
                    "give the same channels in the same order"
                )
            if self.missing == "error" and np.isnan(v).any():
                step, channel = np.argwhere(np.isnan(v))[0]
                raise InputError(
                    f"sequence {number} has no value at step {step} of channel {channel}; fill it, or choose "
                    "--missing interpolate or ffill"
                )

    def signature(self) -> dict[str, Any]:
        """Names, types and shapes of what the exported model takes."""
        import tensorflow as tf

        return {
            "values": tf.TensorSpec([None, None, len(self.mean_)], tf.float32, name="values"),
            "lengths": tf.TensorSpec([None], tf.int32, name="lengths"),
        }

    def preprocess(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What :meth:`raw` gives → what the model takes. Core TensorFlow ops only."""
        import tensorflow as tf

        values, lengths = tf.convert_to_tensor(inputs["values"]), tf.convert_to_tensor(inputs["lengths"])
        values = (values - self.mean_.astype("float32")) / self.scale_.astype("float32")
        if not self.whole_:
            values, lengths = self._cut(values, lengths)
        inside = tf.sequence_mask(lengths, tf.shape(values)[1])[:, :, None]  # (batch, time, 1)
        # padding counts as missing while gaps are filled, so that it does not reach into the sequence
        values = fill_window(tf.where(inside, values, np.float32("nan")), rule=self.missing)
        return {"values": tf.where(inside, values, 0.0), "lengths": lengths}

    def _cut(self, values: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        import tensorflow as tf

        if self.keep == "last":  # sequences moved so that their last steps come first
            surplus = tf.maximum(lengths - self.length_, 0)  # (batch,)
            steps = tf.range(tf.shape(values)[1]) + surplus[:, None]  # (batch, time)
            values = tf.gather(values, tf.minimum(steps, tf.shape(values)[1] - 1), batch_dims=1)
        return values[:, : self.length_], tf.minimum(lengths, self.length_)

    def to_config(self) -> dict[str, Any]:
        """Everything learnt and chosen, as plain JSON values."""
        return {
            "kind": "values",
            "length": self.length_,
            "whole": self.whole_,
            "missing": self.missing,
            "keep": self.keep,
            "mean": self.mean_.tolist(),
            "scale": self.scale_.tolist(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ValueReader:
        """The reader that :meth:`to_config` described."""
        reader = cls(length=config["length"], missing=config["missing"], keep=config["keep"])
        reader.length_, reader.whole_ = config["length"], config["whole"]
        reader.mean_, reader.scale_ = np.array(config["mean"]), np.array(config["scale"])
        return reader


def _as_steps(sequence: Any, number: int) -> np.ndarray:
    """Lists are as good as arrays, and of one channel (time,) is as good as (time, 1)."""
    try:
        steps = np.asarray(sequence, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"sequence {number} is no array of numbers (time, channels); give every step as many numbers"
        ) from error
    return steps[:, None] if steps.ndim == 1 else steps


def _share(share: float) -> str:
    return f"{100 * share:.1f} %"
