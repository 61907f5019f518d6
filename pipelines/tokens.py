"""Text → tokens → ids, as graph ops: what training reads is what the exported model reads."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..spec import FIRST_WORD, UNKNOWN
from .ragged import Ragged
from .token_counts import TokenCounts

if TYPE_CHECKING:
    import tensorflow as tf

TOKENS = ("word", "char", "space")
# Texts, and their characters, that are cut at once: bounds the memory that their tokens take as strings, 20 MB or so.
_TEXTS_AT_ONCE, _CHARACTERS_AT_ONCE = 2000, 1 << 18
# A vocabulary that knows a smaller fraction of the training texts' tokens leaves too little to learn from.
_KNOWS_ENOUGH = 0.6


def cut_texts(texts: tf.Tensor, tokens: str) -> tf.RaggedTensor:
    """Cut strings (batch,) into tokens (batch, None).

    - "word": lower case; letters, digits and inner apostrophes make a word, every other sign is a token of its own;
      spaces of any kind, control characters and HTML line breaks only stand between.
    - "char": every character, as it is written.
    - "space": whatever stands between spaces, as it is written.

    Bytes that are not UTF-8 become a space in words, and the replacement character among characters.
    """
    import tensorflow as tf

    if tokens == "char":
        return tf.strings.unicode_split(texts, "UTF-8", errors="replace")
    if tokens == "word":
        # Control characters go too: TensorFlow's lower-casing ends at a NUL byte.
        texts = tf.strings.unicode_transcode(
            texts, "UTF-8", "UTF-8", errors="replace", replacement_char=ord(" "), replace_control_characters=True
        )
        texts = tf.strings.regex_replace(texts, r"[\pZ\p{Cc}]", " ")
        # TensorFlow's lower-casing goes by the machine's language, and Turkish has an i of its own.
        texts = tf.strings.regex_replace(tf.strings.regex_replace(texts, "I", "i"), "\u0130", "i\u0307")
        texts = tf.strings.lower(texts, encoding="utf-8")
        texts = tf.strings.regex_replace(texts, r"<br\s*/?>", " ")
        texts = tf.strings.regex_replace(texts, r"([^\pL\pN\pM'\s])", r" \1 ")
        texts = tf.strings.regex_replace(texts, r"(^|\s)('+)", r"\1 \2 ")
        texts = tf.strings.regex_replace(texts, r"('+)(\s|$)", r" \1 \2")
    return tf.strings.split(texts)


class Vocabulary:
    """Known tokens and their ids.

    Args:
        words: tokens, the most frequent first; the first gets id 3, after padding, unknown and end.

    Example:
        >>> Vocabulary(["the", "a"]).ids(tf.constant(["a", "x"]))
        <tf.Tensor: shape=(2,), dtype=int32, numpy=array([4, 1], dtype=int32)>
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self._table: Any = None

    def __len__(self) -> int:
        return FIRST_WORD + len(self.words)

    @property
    def table(self) -> Any:
        """The lookup table; an exported module has to hold it."""
        import tensorflow as tf

        if self._table is None:
            with tf.init_scope():  # outside whatever function is being traced
                # ids of int64: TensorFlow has no table from strings to int32
                ids = np.arange(FIRST_WORD, len(self), dtype=np.int64)
                pairs = tf.lookup.KeyValueTensorInitializer(tf.constant(self.words, tf.string), tf.constant(ids))
                self._table = tf.lookup.StaticHashTable(pairs, default_value=UNKNOWN)
        return self._table

    def ids(self, tokens: tf.Tensor) -> tf.Tensor:
        """Ids of tokens, int32 of the same shape."""
        import tensorflow as tf

        return tf.cast(self.table.lookup(tokens), tf.int32)

    def word(self, number: int) -> str:
        """The token with an id; "?" for unknown ones."""
        return self.words[number - FIRST_WORD] if number >= FIRST_WORD else "?"


def fit_vocabulary(
    pieces: Iterable[np.ndarray], *, most: int, fewest: int, source: str, held: int | None = None
) -> tuple[Vocabulary, float]:
    """Keep the most frequent tokens.

    Args:
        pieces: tokens of training texts, string arrays.
        most: size of the vocabulary at most, the three reserved ids included.
        fewest: how often a token must occur.
        source: file or data set, as messages name it.
        held: different tokens that are counted in memory at once; more in files. None: any number.

    Returns:
        The vocabulary, by falling frequency and then alphabetically, and the fraction of tokens it knows.

    Raises:
        InputError: if there is no token.
    """
    with closing(TokenCounts(held)) as counts:
        for piece in pieces:
            counts.add(piece)
        if not counts.total:
            raise InputError(f"{source}: the training texts hold no token at all; check the text column")
        found = counts.most_common(most - FIRST_WORD)
    kept = [(word, n) for word, n in found if n >= fewest] or found
    known = sum(n for _, n in kept) / counts.total
    return Vocabulary([word.decode("utf-8") for word, _ in kept]), known


def unknown_note(known: float, tokens: str | None, min_count: int) -> list[str]:
    """A warning where a vocabulary knows too little of the texts to learn from them.

    Args:
        known: fraction of the running tokens that it knows.
        tokens: how the texts are cut.
        min_count: how often a token must occur to be known.
    """
    if known >= _KNOWS_ENOUGH:
        return []
    fixes = ["set `tokens` to char"] if tokens in ("word", "space") else []
    fixes += ["`min_count` to 1"] if min_count > 1 and tokens in ("word", "space") else []
    fixes = fixes or ["set `vocabulary_size` higher"]
    return [
        f"the vocabulary knows only {100 * known:.1f} % of the running tokens, too few to learn from; "
        + " or ".join(fixes)
    ]


def tokenize(texts: Any, tokens: str | None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut texts, some thousand at once.

    Args:
        texts: strings; or lists of tokens where `tokens` is None.
        tokens: how to cut, see :func:`cut_texts`.

    Returns:
        For every thousand texts or so: all tokens (tokens,) as bytes, and the tokens of each text (texts,).
    """
    import tensorflow as tf

    for some in _blocks(texts):
        if tokens is None:
            flat = np.array([token_bytes(token) for text in some for token in text], dtype=object)
            yield flat, np.array([len(text) for text in some], dtype=np.int64)
            continue
        with tf.device("CPU"):
            cut, lengths = _cutter(tokens)(tf.constant([as_bytes(text) for text in some], tf.string))
        yield cut.numpy(), lengths.numpy().astype(np.int64)


def _blocks(texts: Any) -> Iterator[list[Any]]:
    """Texts, or lists of tokens, some at a time."""
    some, size = list[Any](), 0
    for text in texts:
        some.append(text)
        size += len(text)
        if len(some) == _TEXTS_AT_ONCE or size >= _CHARACTERS_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


@functools.cache
def _cutter(tokens: str) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """:func:`cut_texts` as a graph, of tokens and of their number in each text: op by op, one text takes longer."""
    import tensorflow as tf

    def cut(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        ragged = cut_texts(texts, tokens)
        return ragged.flat_values, ragged.row_lengths()

    return tf.function(cut, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)


def as_bytes(text: str) -> bytes:
    """A text as UTF-8; half a character becomes a question mark."""
    return text.encode("utf-8", "replace")


def token_bytes(token: Any) -> bytes:
    """A token as UTF-8; an empty one as a space, because in a row of tokens nothing stands for padding."""
    return as_bytes(str(token)) or b" "


def encode(tokenized: Iterable[tuple[np.ndarray, np.ndarray]], vocabulary: Vocabulary) -> Ragged:
    """What :func:`tokenize` cut → ids."""
    return Ragged.joined(encoded(tokenized, vocabulary))


def encoded(tokenized: Iterable[tuple[np.ndarray, np.ndarray]], vocabulary: Vocabulary) -> Iterator[Ragged]:
    """What :func:`tokenize` cut → ids, some thousand texts at once."""
    import tensorflow as tf

    for flat, lengths in tokenized:
        ids = vocabulary.ids(tf.constant(flat, tf.string)).numpy() if len(flat) else np.empty(0, np.int32)
        yield Ragged(ids, lengths)
