"""N-gram language models: interpolated modified Kneser-Ney smoothing, and its lowest orders.

Counting and looking up are array operations, so that a million tokens take seconds. An n-gram is known by the row of
its first n - 1 tokens in the table of that order and by its last token, packed into one integer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..spec import PADDING
from .graph_ops import GraphConstants

if TYPE_CHECKING:
    import tensorflow as tf

# Orders to try beside those of unigram and bigram; of characters, known by a small vocabulary, longer ones help.
CHARACTERS = 256
ORDERS_OF_WORDS, ORDERS_OF_CHARACTERS = (4, 3, 5, 7), (5, 8, 3, 12)
# Discounts where the counts of counts give none (every count of a small alphabet is large): KenLM's.
FALLBACK = (0.5, 1.0, 1.5)


# An n-gram takes 25 bytes of an export: so many are a quarter of a gigabyte, in memory about twice that.
MAX_GRAPH_NGRAMS = 10_000_000


@dataclass(frozen=True, eq=False)
class Table:
    """All n-grams of one order.

    Attributes:
        keys: packed, rising (n-grams,).
        kept: fraction of its context that an n-gram keeps after its discount (n-grams,).
        passed_on: by row of the context (the table of one order less): fraction left to that lower order; 1 where
            no n-gram begins with the context.
    """

    keys: np.ndarray
    kept: np.ndarray
    passed_on: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class KneserNey:
    """A fitted n-gram model; see :func:`kneser_ney`.

    Attributes:
        tables: one for each order, from 1 on.
        vocabulary: ids are below this.
        end: id after which a text begins anew, or None.
    """

    kind: ClassVar[str] = "kneser_ney"
    tables: tuple[Table, ...]
    vocabulary: int
    end: int | None = None

    @property
    def order(self) -> int:
        """Tokens of the longest n-gram, the predicted one included; no more than the training text has."""
        return len(self.tables)

    def __call__(self, ids: np.ndarray) -> np.ndarray:
        """The same as :meth:`log_probabilities`."""
        return self.log_probabilities(ids)

    def log_probabilities(self, ids: np.ndarray) -> np.ndarray:
        """Natural logarithm of the probability of every token given those before it.

        Arguments:
            ids: token ids (tokens,). A history is passed as a prefix, and its part of the result cut off.

        Returns:
            Logarithms (tokens,).

        Raises:
            ValueError: ids outside the vocabulary.
        """
        ids = _checked(ids, self.vocabulary)
        probability = np.full(len(ids), 1 / self.vocabulary)
        context = np.zeros(len(ids), dtype=np.int64)  # the empty history
        for order, table in enumerate(self.tables, start=1):
            known = context >= 0
            row = _find(table.keys, context * self.vocabulary + ids, known)
            left = np.where(known, table.passed_on[context], 1.0)
            probability = left * probability + np.where(row >= 0, table.kept[row], 0.0)
            context = _next_context(row, ids, order=order, end=self.end)
        return np.log(probability)

    def next_probabilities(self, history: np.ndarray) -> np.ndarray:
        """Probability of every token of the vocabulary after a history (tokens,): (vocabulary,), sums to 1."""
        ids = _checked(history, self.vocabulary)
        ids = np.append(ids[max(len(ids) - self.order + 1, 0) :], 0)  # a place for the token to come
        probabilities = np.full(self.vocabulary, 1 / self.vocabulary)
        context = np.zeros(len(ids), dtype=np.int64)
        for order, table in enumerate(self.tables, start=1):
            here = int(context[-1])
            if here >= 0:
                first, last = np.searchsorted(table.keys, [here * self.vocabulary, (here + 1) * self.vocabulary])
                probabilities = probabilities * table.passed_on[here]
                probabilities[table.keys[first:last] - here * self.vocabulary] += table.kept[first:last]
            row = _find(table.keys, context * self.vocabulary + ids, context >= 0)
            context = _next_context(row, ids, order=order, end=self.end)
        return probabilities

    # As a fitted baseline

    @property
    def ngrams(self) -> int:
        """N-grams of all orders."""
        return sum(len(table.keys) for table in self.tables)

    @property
    def why_no_graph(self) -> str | None:
        """Why there is no graph, in words; None where there is one."""
        if self.ngrams <= MAX_GRAPH_NGRAMS:
            return None
        return f"its tables hold {self.ngrams:,} n-grams, more than the {MAX_GRAPH_NGRAMS:,} that an export takes"

    @property
    def state_shapes(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """``state_0``: ids of the tokens before."""
        return {"state_0": ((max(self.order - 1, 1),), "int32")}

    def predict(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The graph on arrays; where there is none, the same from :meth:`next_probabilities`."""
        if self.why_no_graph is None:
            import tensorflow as tf

            tensors = {name: tf.convert_to_tensor(raw[name], tf.int32) for name in ("tokens", "state_0")}
            return {name: output.numpy() for name, output in self.graph(tensors).items()}
        before = np.asarray(raw["state_0"], np.int32)
        ids, n = np.concatenate([before, np.asarray(raw["tokens"], np.int32)], axis=1), before.shape[1]
        logits = np.zeros((len(ids), ids.shape[1] - n, self.vocabulary), np.float32)
        for row, line in enumerate(ids):
            start = np.count_nonzero(line[:n] == PADDING)  # no token there
            for i in range(logits.shape[1]):
                logits[row, i] = np.log(self.next_probabilities(line[start : n + i + 1]))
        return {"logits": logits, "state_0": ids[:, ids.shape[1] - n :]}

    def graph(self, raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Logarithms of the probabilities of the token after every position.

        Arguments:
            raw: ``tokens`` int32 (batch, time), and ``state_0`` int32 (batch, n): the ids before them, 0 where there
                was no token.

        Returns:
            ``logits`` float32 (batch, time, vocabulary), and the new ``state_0`` int32 (batch, n).
        """
        import tensorflow as tf

        ids = tf.concat([raw["state_0"], raw["tokens"]], axis=1)  # (batch, n + time)
        n, time = tf.shape(raw["state_0"])[1], tf.shape(raw["tokens"])[1]
        there = tf.concat([raw["state_0"] != PADDING, tf.ones_like(raw["tokens"], tf.bool)], axis=1)
        histories = self._histories(tf.cast(ids, tf.int64), is_token=there)
        by_position = tf.transpose(histories[:, :, n:], [2, 0, 1])  # (time, orders, batch)
        # One position at a time: all at once would hold the vocabulary several times over for each.
        logits = tf.map_fn(
            self._next_logits,
            by_position,
            fn_output_signature=tf.TensorSpec([None, self.vocabulary], tf.float32),
            parallel_iterations=4,
        )
        logits = tf.ensure_shape(tf.transpose(logits, [1, 0, 2]), [None, None, self.vocabulary])
        return {"logits": logits, "state_0": ids[:, time:]}

    def _histories(self, ids: tf.Tensor, *, is_token: tf.Tensor) -> tf.Tensor:
        """Row of the history that ends at each position: int64 (orders, batch, positions), -1 for none.

        Nothing has to be cut at ``end``: the tables hold no n-gram that goes on after it.
        """
        import tensorflow as tf

        context = tf.zeros_like(ids)
        histories = [context]
        for order in range(1, self.order):
            row = self._find_in_graph(order, context * self.vocabulary + ids, is_token & (context >= 0))
            histories.append(row)
            context = tf.pad(row[:, :-1], [[0, 0], [1, 0]], constant_values=-1)
        return tf.stack(histories)

    def _find_in_graph(self, order: int, wanted: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
        import tensorflow as tf

        keys = self._constants[f"keys_{order}"].value()
        last = tf.size(keys, out_type=tf.int64) - 1
        row = tf.minimum(tf.searchsorted(keys, tf.reshape(wanted, [-1]), out_type=tf.int64), last)
        row = tf.reshape(row, tf.shape(wanted))
        return tf.where(known & (tf.gather(keys, row) == wanted), row, tf.constant(-1, tf.int64))

    def _next_logits(self, histories: tf.Tensor) -> tf.Tensor:
        """Rows of histories (orders, batch) → logarithms float32 (batch, vocabulary)."""
        import tensorflow as tf

        size = tf.shape(histories)[1] * self.vocabulary
        probabilities = tf.fill([tf.shape(histories)[1], self.vocabulary], tf.constant(1 / self.vocabulary, tf.float64))
        starts = tf.cast(tf.range(tf.shape(histories)[1]) * self.vocabulary, tf.int64)  # of each row, laid out flat
        for order in range(1, self.order + 1):
            keys, kept = self._constants[f"keys_{order}"].value(), self._constants[f"kept_{order}"]
            context = histories[order - 1]
            first = tf.searchsorted(keys, context * self.vocabulary, out_type=tf.int64)
            last = tf.searchsorted(keys, (context + 1) * self.vocabulary, out_type=tf.int64)
            rows = tf.ragged.range(first, last)  # none where the context is -1
            row = rows.value_rowids()
            places = tf.gather(starts - context * self.vocabulary, row) + tf.gather(keys, rows.flat_values)
            added = tf.math.unsorted_segment_sum(tf.gather(kept, rows.flat_values), places, size)
            left = tf.gather(self._constants[f"passed_on_{order}"], tf.maximum(context, 0))
            left = tf.where(context >= 0, left, tf.ones_like(left))
            probabilities = left[:, None] * probabilities + tf.reshape(added, tf.shape(probabilities))
        return tf.cast(tf.math.log(probabilities), tf.float32)

    @cached_property
    def _constants(self) -> GraphConstants:
        return GraphConstants(**self._arrays())

    def _arrays(self) -> dict[str, np.ndarray]:
        return {
            f"{name}_{order}": getattr(table, name)
            for order, table in enumerate(self.tables, start=1)
            for name in ("keys", "kept", "passed_on")
        }

    def extra_inputs(self) -> dict[str, tf.TensorSpec]:
        """None."""
        return {}

    def resources(self) -> list[Any]:
        """The tables, as variables."""
        return self._constants.resources()

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays."""
        return {"kind": self.kind, "vocabulary": self.vocabulary, "end": self.end, "order": self.order}, self._arrays()

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> KneserNey:
        """What :meth:`state` described."""
        names = ("keys", "kept", "passed_on")
        tables = [Table(*(arrays[f"{name}_{order}"] for name in names)) for order in range(1, config["order"] + 1)]
        return cls(tuple(tables), config["vocabulary"], config["end"])

    def __repr__(self) -> str:
        return f"kneser_ney of order {self.order} on {self.ngrams:,} n-grams"


def unigram(ids: np.ndarray, vocabulary: int, *, end: int | None = None) -> KneserNey:
    """How frequent each token is, whatever comes before it: the first thing a language model must beat.

    Arguments, returns and errors are those of :func:`kneser_ney` with order 1: a little is taken off each count and
    shared by all tokens, so that none is impossible.

    Example:
        >>> model = unigram(np.array([3, 3, 4]), 5)
        >>> int(model.next_probabilities(np.array([4])).argmax())
        3
    """
    return kneser_ney(ids, vocabulary, end=end, order=1)


def bigram(ids: np.ndarray, vocabulary: int, *, end: int | None = None) -> KneserNey:
    """What follows each token: all that a memory of one token can know.

    Arguments, returns and errors are those of :func:`kneser_ney` with order 2.
    """
    return kneser_ney(ids, vocabulary, end=end, order=2)


def orders(vocabulary: int) -> tuple[int, ...]:
    """Orders to try for a vocabulary of so many tokens, the default first."""
    return ORDERS_OF_CHARACTERS if vocabulary <= CHARACTERS else ORDERS_OF_WORDS


def kneser_ney(ids: np.ndarray, vocabulary: int, *, end: int | None = None, order: int | None = None) -> KneserNey:
    """Interpolated modified Kneser-Ney smoothing, the strongest n-gram model in common use.

    Each order gives what it takes off its counts (one discount for those seen once, twice, and more often, estimated
    from the counts of counts) to the next lower one; a lower order counts not how often an n-gram occurs but after how
    many different tokens. The lowest gives to all tokens alike, so none is impossible. It learns nothing about a
    condition (the class that a line belongs to).

    Arguments:
        ids: training text as token ids (tokens,), each in 0..vocabulary - 1.
        vocabulary: how many token ids there are.
        end: id that ends a line, where lines have nothing to do with one another: no history reaches across it (it is
            itself the history of the first token of a line). None: one long text.
        order: tokens of the longest n-gram; None: 5 for a vocabulary of at most 256 tokens (characters), otherwise 4.

    Returns:
        A :class:`KneserNey` with ``log_probabilities(ids)`` and ``next_probabilities(history)``.

    Raises:
        ValueError: no text, ids outside the vocabulary, an order below 1.

    Example:
        >>> model = kneser_ney(np.array([3, 4, 3, 4, 3, 4]), 5, order=2)
        >>> int(model.next_probabilities(np.array([3])).argmax())
        4

    Source: Chen and Goodman (1999), Computer Speech & Language 13, sections 2.7 and 3.
    """
    ids = _checked(ids, vocabulary)
    if len(ids) == 0 or (order is not None and order < 1):
        raise ValueError(f"`ids` must hold a token and `order` be at least 1. Received: {len(ids)} ids, {order=}")
    return _fit(ids, vocabulary, end, order or orders(vocabulary)[0])


def _fit(ids: np.ndarray, vocabulary: int, end: int | None, highest: int) -> KneserNey:
    context = np.zeros(len(ids), dtype=np.int64)
    found = []  # for each order: keys, counts, the row of the n-gram that ends at each token, the row of its context
    contexts = 1
    for order in range(1, highest + 1):
        there = np.flatnonzero(context >= 0)
        if not len(there):  # the text, or each of its lines, is shorter
            break
        keys, inverse, counts = np.unique(
            context[there] * vocabulary + ids[there], return_inverse=True, return_counts=True
        )
        row = np.full(len(ids), -1, dtype=np.int64)
        row[there] = inverse
        found.append((keys, counts, row, contexts))
        contexts = len(keys)
        context = _next_context(row, ids, order=order, end=end)
    tables = []
    for order, (keys, counts, row, contexts) in enumerate(found, start=1):
        adjusted = _continuations(counts, row, found[order][2]) if order < len(found) else counts
        tables.append(_discounted(keys, adjusted, keys // vocabulary, contexts))
    return KneserNey(tuple(tables), vocabulary, end)


def _continuations(counts: np.ndarray, row: np.ndarray, longer: np.ndarray) -> np.ndarray:
    """After how many different tokens each n-gram occurs; its plain count where nothing ever comes before it.

    The latter are the n-grams that begin a text: in them the beginning is the history.

    Arguments:
        counts: how often each n-gram occurs in the text (n-grams,).
        row: row of the n-gram that ends at each token (tokens,), -1 for none.
        longer: the same for n-grams that are one token longer; the last tokens of such a one are its suffix.
    """
    there = np.flatnonzero(longer >= 0)
    suffix = np.full(int(longer.max()) + 1, -1, dtype=np.int64)
    suffix[longer[there]] = row[there]
    different = np.bincount(suffix[suffix >= 0], minlength=len(counts))
    return np.where(different > 0, different, counts)


def _discounted(keys: np.ndarray, counts: np.ndarray, context: np.ndarray, contexts: int) -> Table:
    """Counts (n-grams,) turned into fractions of their context, less what is passed on to the lower order."""
    discount = _discounts(counts)[np.minimum(counts, 3)]  # (n-grams,)
    total = np.bincount(context, weights=counts, minlength=contexts)
    taken = np.bincount(context, weights=discount, minlength=contexts)
    passed_on = np.divide(taken, total, out=np.ones(contexts), where=total > 0)
    return Table(keys, (counts - discount) / total[context], passed_on)


def _discounts(counts: np.ndarray) -> np.ndarray:
    """What is taken off a count of 0, 1, 2, and 3 or more: (4,)."""
    n = np.bincount(np.minimum(counts, 5), minlength=6).astype(float)
    if min(n[1:5]) == 0:
        return np.array([0.0, *FALLBACK])
    ratio = n[1] / (n[1] + 2 * n[2])
    estimated = [i - (i + 1) * ratio * n[i + 1] / n[i] for i in (1, 2, 3)]
    usable = all(0 < discount < i for i, discount in enumerate(estimated, start=1))
    return np.array([0.0, *(estimated if usable else FALLBACK)])


def _next_context(row: np.ndarray, ids: np.ndarray, *, order: int, end: int | None) -> np.ndarray:
    """Row of the history of each token, one order up: the n-gram that ends at the token before it; -1 for none."""
    context = np.full(len(row), -1, dtype=np.int64)
    context[1:] = row[:-1]
    if end is not None and order > 1:
        context[1:][ids[:-1] == end] = -1
    return context


def _find(keys: np.ndarray, wanted: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Row of each wanted key in the rising keys, -1 where it is not there or its context is not known."""
    row = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(known & (keys[row] == wanted), row, -1)


def _checked(ids: np.ndarray, vocabulary: int) -> np.ndarray:
    ids = np.asarray(ids)
    if ids.ndim != 1 or (ids.size and not (ids.dtype.kind in "iu" and ids.min() >= 0 and ids.max() < vocabulary)):
        raise ValueError(f"`ids` must be whole numbers in 0..{vocabulary - 1}, shaped (tokens,). Received: {ids!r}")
    return ids.astype(np.int64)
