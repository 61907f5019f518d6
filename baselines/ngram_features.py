"""Texts and token lists as weights of their n-grams, in Python and, equally, as a TensorFlow graph.

How they are cut: words and punctuation marks in lower case, alone and in pairs. Where most texts have fewer than three
of those (single words, names, scripts without spaces), or all tokens are single characters, 1 to 5 characters in a row,
with a space before the first and after the last. Where it is asked for, characters in a row within words, each with a
space before and after it: scikit-learn's ``char_wb``.

The graph knows characters from tables of Python's own (what is a letter, what its lower case is), since TensorFlow's
regular expressions have another version of Unicode and its lower-casing goes by the machine's language. What differs:
bytes that are not UTF-8, and half a character, which Python keeps; an empty token, which reaches the graph as a space;
and a Greek capital sigma beside a digit, an apostrophe or a mark, where the graph may take the other of its two small
forms.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from .graph_ops import GraphConstants, StringIndex, pack_strings, token_lengths, unpack_strings

if TYPE_CHECKING:
    import tensorflow as tf

WORDS = re.compile(r"\w+|[^\w\s]")
MAX_WORDS, MAX_CHARACTERS = 2, 5
WITHIN_WORDS = "characters within words"
# With this many texts, an n-gram of a single text tells nothing about the others, and such are most of the columns.
MANY_TEXTS = 1000
# How many texts the rule looks at.
MAX_INSPECTED = 10_000
_CAPITAL_SIGMA, _FINAL_SIGMA = 0x3A3, 0x3C2


@dataclass(frozen=True)
class Cutter:
    """Cuts a text or a token list into its n-grams.

    Attributes:
        pieces: "tokens" (lists of tokens come in), "words", "characters" or "characters within words" (texts come in).
        longest: pieces of the longest n-gram.
        shortest: pieces of the shortest one.
    """

    pieces: str
    longest: int
    shortest: int = 1

    def __call__(self, text: Any) -> list[str]:
        """All n-grams of one text or token list, repeated as often as they occur."""
        if self.pieces == WITHIN_WORDS:
            words = [f" {word} " for word in text.lower().split()]
            widths = range(self.shortest, self.longest + 1)
            return [word[i : i + n] for word in words for n in widths for i in range(len(word) - n + 1)]
        between = "" if self.pieces == "characters" else " "
        pieces = self._cut(text)
        grams = []
        for n in range(self.shortest, self.longest + 1):
            grams += [between.join(gram) for gram in zip(*(pieces[i:] for i in range(n)), strict=False)]
        return grams

    def _cut(self, text: Any) -> list[str]:
        if self.pieces == "tokens":
            return list(text)
        if self.pieces == "words":
            return WORDS.findall(text.lower())
        return list(f" {text.lower()} ") if text else []

    def graph(self, raw: Mapping[str, tf.Tensor]) -> tf.RaggedTensor:
        """N-grams (batch, None) of ``tokens`` or ``text``, in any order."""
        import tensorflow as tf

        widths = tuple(range(self.shortest, self.longest + 1))
        if self.pieces == WITHIN_WORDS:
            words, rows, batch = _padded_words(raw["text"])
            grams = tf.strings.ngrams(words, widths, separator="")  # (words, None)
            return tf.RaggedTensor.from_value_rowids(
                grams.flat_values, tf.gather(rows, grams.value_rowids()), nrows=batch
            )
        if self.pieces == "tokens":
            tokens = raw["tokens"]
            pieces = tf.RaggedTensor.from_tensor(tokens, lengths=token_lengths(tokens))
        else:
            pieces = _words(raw["text"]) if self.pieces == "words" else _characters(raw["text"])
        between = "" if self.pieces == "characters" else " "
        return tf.strings.ngrams(pieces, widths, separator=between)


def choose_cutter(inputs: Sequence[Any]) -> Cutter:
    """The cutter for texts or token lists, by the rule above."""
    if len(inputs) and not isinstance(inputs[0], str):
        singles = all(len(token) == 1 for tokens in islice(inputs, MAX_INSPECTED) for token in tokens)
        return Cutter("tokens", MAX_CHARACTERS if singles else MAX_WORDS)
    counts = [len(WORDS.findall(text)) for text in islice(inputs, MAX_INSPECTED)]
    if counts and np.median(counts) < 3:
        return Cutter("characters", MAX_CHARACTERS)
    return Cutter("words", MAX_WORDS)


def characters_within_words(longest: int) -> Cutter:
    """Cuts texts into 2 to `longest` characters in a row that cross no space between words."""
    return Cutter(WITHIN_WORDS, longest, shortest=2)


def ngram_choices(inputs: Sequence[Any]) -> list[int]:
    """Lengths of the longest n-gram to try for texts or token lists, the default first."""
    return [5, 3, 7] if choose_cutter(inputs).longest == MAX_CHARACTERS else [2, 1, 3]


def has_ngrams(inputs: Sequence[Any]) -> bool:
    """Whether there is anything to learn from: not every text is empty."""
    cut = choose_cutter(inputs)
    return any(cut(text) for text in inputs)


class NgramFeatures:
    """Sparse features of texts or token lists, one column per n-gram of training.

    Args:
        cut: into n-grams.
        ngrams: those of the columns.
        idf: inverse document frequencies (columns,) for TF-IDF with 1 + log(count), each row of length 1; None: 1 where
            an n-gram occurs.
    """

    kind = "ngrams"
    per_step = False

    def __init__(self, cut: Cutter, ngrams: Sequence[str], idf: np.ndarray | None = None) -> None:
        self.cut, self.ngrams, self.idf = cut, list(ngrams), idf
        self._index = StringIndex({ngram: column for column, ngram in enumerate(self.ngrams)})
        self._constants = GraphConstants(**({} if idf is None else {"idf": idf.astype(np.float64)}))

    def __call__(self, inputs: Sequence[Any]) -> Any:
        """Sparse float32 (n, columns)."""
        from scipy.sparse import csr_array
        from sklearn.preprocessing import normalize

        counts = [self._counted(text) for text in inputs]
        columns = np.array([column for row in counts for column, _ in row], dtype=np.int32)
        values = np.array([count for row in counts for _, count in row], dtype=np.float32)
        ends = np.cumsum([0, *(len(row) for row in counts)])
        if self.idf is None:
            return csr_array((np.ones_like(values), columns, ends), shape=(len(inputs), len(self.ngrams)))
        values = (np.log(values) + np.float32(1)) * self.idf[columns]
        return normalize(csr_array((values, columns, ends), shape=(len(inputs), len(self.ngrams))), copy=False)

    def _counted(self, text: Any) -> list[tuple[int, int]]:
        """Columns of a text, rising, and how often it has them."""
        counts = Counter(map(self._index.get, self.cut(text)))
        counts.pop(-1, None)
        return sorted(counts.items())

    def scores(self, raw: Mapping[str, tf.Tensor], weights: tf.Tensor) -> tf.Tensor:
        """Features times weights (columns, outputs), in the graph: float64 (batch, outputs)."""
        import tensorflow as tf

        ngrams = self.cut.graph(raw)
        columns = self._index.table.lookup(ngrams.flat_values)  # (n-grams,)
        known = columns >= 0
        width = tf.constant(max(len(self.ngrams), 1), tf.int64)
        packed = tf.boolean_mask(tf.cast(ngrams.value_rowids(), tf.int64) * width + columns, known)
        places, _, counts = tf.unique_with_counts(packed)
        rows, columns = places // width, places % width
        batch = tf.cast(ngrams.nrows(), tf.int64)
        values = self._weighted(tf.cast(counts, tf.float64), rows, columns, batch)
        sparse = tf.SparseTensor(tf.stack([rows, columns], axis=1), values, tf.stack([batch, width]))
        return tf.sparse.sparse_dense_matmul(sparse, weights)

    def _weighted(self, counts: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
        import tensorflow as tf

        if self.idf is None:
            return tf.ones_like(counts)
        values = (1 + tf.math.log(counts)) * tf.gather(self._constants["idf"], columns)
        norm = tf.sqrt(tf.math.unsorted_segment_sum(values**2, rows, batch))
        return values / tf.gather(norm, rows)

    def resources(self) -> list[Any]:
        """The table of n-grams, and their document frequencies."""
        return [self._index.table, *self._constants.resources()]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays."""
        arrays = pack_strings(self.ngrams)
        return {"kind": self.kind, **asdict(self.cut)}, arrays if self.idf is None else arrays | {"idf": self.idf}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> NgramFeatures:
        """What :meth:`state` described."""
        return cls(
            Cutter(config["pieces"], config["longest"], config["shortest"]), unpack_strings(arrays), arrays.get("idf")
        )

    def __repr__(self) -> str:
        return f"{len(self.ngrams):,} n-grams"


def fit_ngrams(
    inputs: Sequence[Any], *, tfidf: bool, longest: int | None = None, cut: Cutter | None = None
) -> tuple[NgramFeatures, Any]:
    """Choose the columns by training texts or token lists.

    Arguments:
        inputs: the texts or token lists (n,).
        tfidf: whether counts are weighted, or only whether an n-gram occurs.
        longest: pieces of the longest n-gram; None: by the rule above.
        cut: into n-grams; None: by the rule above.

    Returns:
        The features, and those of the training texts: sparse float32 (n, columns).
    """
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    cut = cut or choose_cutter(inputs)
    cut = cut if longest is None else replace(cut, longest=longest)
    common = {"analyzer": cut, "min_df": 2 if len(inputs) >= MANY_TEXTS else 1, "dtype": np.float32}
    vectoriser = TfidfVectorizer(sublinear_tf=True, **common) if tfidf else CountVectorizer(binary=True, **common)
    training = vectoriser.fit_transform(inputs)
    ngrams = vectoriser.get_feature_names_out().tolist()
    return NgramFeatures(cut, ngrams, vectoriser.idf_ if tfidf else None), training


# Cutting in the graph


def _words(texts: tf.Tensor) -> tf.RaggedTensor:
    """Words and punctuation marks in lower case: (batch, None)."""
    import tensorflow as tf

    codes = _lower(texts)
    flat, rows = codes.flat_values, codes.value_rowids()
    is_word, is_space = _within(flat, r"\w+"), _within(flat, r"\s+")
    continues = is_word & _before(is_word) & (rows == _before(rows))
    token = tf.cumsum(tf.cast(~continues & ~is_space, tf.int64)) - 1  # number of the token that each character is in
    flat, rows, token = (tf.boolean_mask(x, ~is_space) for x in (flat, rows, token))
    n_tokens = tf.reduce_max(tf.concat([[tf.constant(-1, tf.int64)], token], axis=0)) + 1
    tokens = tf.strings.unicode_encode(tf.RaggedTensor.from_value_rowids(flat, token, nrows=n_tokens), "UTF-8")
    rows = tf.math.unsorted_segment_max(tf.cast(rows, tf.int64), token, n_tokens)
    return tf.RaggedTensor.from_value_rowids(tokens, rows, nrows=tf.cast(codes.nrows(), tf.int64))


def _padded_words(texts: tf.Tensor) -> tuple[tf.RaggedTensor, tf.Tensor, tf.Tensor]:
    """Characters of every word in lower case, a space before and after it (words, None); its text (words,); texts."""
    import tensorflow as tf

    codes = _lower(texts)
    flat, rows = codes.flat_values, tf.cast(codes.value_rowids(), tf.int64)
    is_space = _within(flat, r"\s+")
    begins = ~is_space & ((_before(rows) != rows) | tf.concat([[True], is_space], axis=0)[:-1])
    word = tf.boolean_mask(tf.cumsum(tf.cast(begins, tf.int64)) - 1, ~is_space)
    n_words = tf.reduce_sum(tf.cast(begins, tf.int64))
    letters = tf.strings.unicode_encode(tf.boolean_mask(flat, ~is_space)[:, None], "UTF-8")
    words = tf.RaggedTensor.from_value_rowids(letters, word, nrows=n_words)
    space = tf.fill(tf.stack([n_words, 1]), " ")
    batch = tf.cast(codes.nrows(), tf.int64)
    return tf.concat([space, words, space], axis=1), tf.boolean_mask(rows, begins), batch


def _characters(texts: tf.Tensor) -> tf.RaggedTensor:
    """Characters in lower case, a space before the first and after the last: (batch, None)."""
    import tensorflow as tf

    codes = _lower(tf.where(texts == "", "", tf.strings.join([" ", texts, " "])))
    return codes.with_flat_values(tf.strings.unicode_encode(codes.flat_values[:, None], "UTF-8"))


def _lower(texts: tf.Tensor) -> tf.RaggedTensor:
    """Code points of texts (batch,) in lower case, as ``str.lower`` has it: int32 (batch, None)."""
    import tensorflow as tf

    texts = tf.strings.regex_replace(texts, "\u0130", "i\u0307")  # the only letter whose lower case is longer
    codes = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
    flat, rows = codes.flat_values, codes.value_rowids()
    is_letter = _within(flat, r"\w+")
    after_letter = _before(is_letter) & (rows == _before(rows))
    before_letter = _after(is_letter) & (rows == _after(rows))
    capitals, small = (tf.constant(column, tf.int32) for column in _lower_cases())
    place = tf.minimum(tf.searchsorted(capitals, flat), tf.size(capitals) - 1)
    lower = tf.where(tf.gather(capitals, place) == flat, tf.gather(small, place), flat)
    is_final = (flat == _CAPITAL_SIGMA) & after_letter & ~before_letter
    return codes.with_flat_values(tf.where(is_final, _FINAL_SIGMA, lower))


def _before(values: tf.Tensor) -> tf.Tensor:
    """The value one place before each (n,); in front of all False, or -1."""
    import tensorflow as tf

    first = tf.constant(False if values.dtype == tf.bool else -1, values.dtype)
    return tf.concat([[first], values], axis=0)[:-1]


def _after(values: tf.Tensor) -> tf.Tensor:
    """The value one place after each (n,); behind all False, or -1."""
    import tensorflow as tf

    return tf.reverse(_before(tf.reverse(values, [0])), [0])


def _within(codes: tf.Tensor, pattern: str) -> tf.Tensor:
    """Whether each code point matches a pattern of Python's."""
    import tensorflow as tf

    return tf.searchsorted(tf.constant(_ranges(pattern), tf.int32), codes, side="right") % 2 == 1


@lru_cache
def _every_character() -> str:
    return "".join(map(chr, range(0x110000)))


@lru_cache
def _ranges(pattern: str) -> list[int]:
    """Where ranges of matching code points begin and end, by turns."""
    return [place for match in re.finditer(pattern, _every_character()) for place in match.span()]


@lru_cache
def _lower_cases() -> tuple[list[int], list[int]]:
    """Capitals with a lower case of one character, and that."""
    pairs = [(ord(c), ord(c.lower())) for c in _every_character() if c.lower() != c and len(c.lower()) == 1]
    return [capital for capital, _ in pairs], [small for _, small in pairs]
