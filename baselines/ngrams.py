"""N-gram language models: interpolated modified Kneser-Ney smoothing, and its lowest orders.

Counting and looking up are array operations, so that a million tokens take seconds. An n-gram is known by the row of
its first n - 1 tokens in the table of that order and by its last token, packed into one integer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

# Orders tried where none is given: pairs up to what helps with characters.
ORDERS = (2, 3, 5, 8, 12)
# Discounts where the counts of counts give none (every count of a small alphabet is large): KenLM's.
FALLBACK = (0.5, 1.0, 1.5)


class LanguageModel(Protocol):
    """What a baseline for language models gives back; called, it gives the logarithms too."""

    def __call__(self, ids: np.ndarray) -> np.ndarray:
        """The same as ``log_probabilities``."""

    def log_probabilities(self, ids: np.ndarray) -> np.ndarray:
        """Natural logarithm of the probability of every token given all before it in the array: (tokens,)."""

    def next_probabilities(self, history: np.ndarray) -> np.ndarray:
        """Probability of every token of the vocabulary after a history (tokens,): (vocabulary,), sums to 1."""


@dataclass(frozen=True, eq=False)
class Table:
    """All n-grams of one order.

    Attributes:
        keys: packed, rising (n-grams,).
        kept: share of its context that an n-gram keeps after its discount (n-grams,).
        passed_on: by row of the context (the table of one order less): share left to that lower order; 1 where no
            n-gram begins with the context.
    """

    keys: np.ndarray
    kept: np.ndarray
    passed_on: np.ndarray


@dataclass(frozen=True, eq=False)
class KneserNey:
    """A fitted n-gram model; see :func:`kneser_ney`.

    Attributes:
        tables: one for each order, from 1 on.
        vocabulary: ids are below this.
        end: id behind which a text begins anew, or None.
    """

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


def unigram(ids: np.ndarray, vocabulary: int, *, end: int | None = None) -> KneserNey:
    """How frequent each token is, whatever stands before it: the first thing a language model must beat.

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


def kneser_ney(ids: np.ndarray, vocabulary: int, *, end: int | None = None, order: int | None = None) -> KneserNey:
    """Interpolated modified Kneser-Ney smoothing, the strongest n-gram model in common use.

    Each order gives what it takes off its counts (one discount for those seen once, twice, and oftener, estimated from
    the counts of counts) to the next lower one; a lower order counts not how often an n-gram stands in the text but
    after how many different tokens. The lowest gives to all tokens alike, so none is impossible. It learns nothing of
    a condition (the class that a line belongs to).

    Arguments:
        ids: training text as token ids (tokens,), each in 0..vocabulary - 1.
        vocabulary: how many token ids there are.
        end: id that ends a line, where lines have nothing to do with one another: no history reaches across it (it is
            itself the history of the first token of a line). None: one long text.
        order: tokens of the longest n-gram. None: of 2, 3, 5, 8 and 12 the one with the lowest loss on the last tenth
            of the training text, fitted on the rest.

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
    return _fit(ids, vocabulary, end, _best_order(ids, vocabulary, end) if order is None else order)


def _best_order(ids: np.ndarray, vocabulary: int, end: int | None, orders: Sequence[int] = ORDERS) -> int:
    """The order with the lowest loss on the last tenth; the first whose successor is no better, to save time."""
    cut = len(ids) - len(ids) // 10
    if cut == len(ids):
        return orders[0]
    history = max(cut - max(orders), 0)
    best, lowest = orders[0], np.inf
    for order in orders:
        loss = -_fit(ids[:cut], vocabulary, end, order).log_probabilities(ids[history:])[cut - history :].mean()
        if loss >= lowest:
            break
        best, lowest = order, loss
    return best


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
    """After how many different tokens each n-gram stands; its plain count where nothing ever stands before it.

    The latter are the n-grams that begin a text: in them the beginning is the history.

    Arguments:
        counts: how often each n-gram stands in the text (n-grams,).
        row: row of the n-gram that ends at each token (tokens,), -1 for none.
        longer: the same for n-grams that are one token longer; the last tokens of such a one are its suffix.
    """
    there = np.flatnonzero(longer >= 0)
    suffix = np.full(int(longer.max()) + 1, -1, dtype=np.int64)
    suffix[longer[there]] = row[there]
    different = np.bincount(suffix[suffix >= 0], minlength=len(counts))
    return np.where(different > 0, different, counts)


def _discounted(keys: np.ndarray, counts: np.ndarray, context: np.ndarray, contexts: int) -> Table:
    """Counts (n-grams,) turned into shares of their context, less what is passed on to the lower order."""
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
    share = n[1] / (n[1] + 2 * n[2])
    estimated = [i - (i + 1) * share * n[i + 1] / n[i] for i in (1, 2, 3)]
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
