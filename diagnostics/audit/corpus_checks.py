"""Of texts for a language model: passages of the test text that the training text holds already."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ...baselines import kneser_ney
from ...frames import CorpusFrame
from .finding import LEAK, NOTE, WARNING, Cost, Finding

# Words, or characters where nothing stands between words, of a passage that does not come twice by chance; and how
# many of them differ. Proverbs and salutations are shorter.
_BLOCK = {"word": 20, "char": 60}
_DIFFERENT = {"word": 10, "char": 12}
# More often than this in the training text it is a formula (a licence, a table's head).
_COMMON = 20
# From these shares of the test text on, copies make the score of a model that learns by heart too good. News repeat
# their tables and formulas: 1.3 % of the words of Penn Treebank's test text do.
_LEAK_SHARE, _WARNING_SHARE = 0.05, 0.01
_MOST_TOKENS = 2_000_000


def passage_findings(frame: CorpusFrame, tokens: str) -> list[Finding]:
    """repeated_block: passages of the test text that stand in the training or validation text, word for word.

    Args:
        frame: the text.
        tokens: what its models read: "word", "space" or "char".
    """
    unit = "char" if tokens == "char" else "word"
    *before, after = frame.splits
    known, tested = _pieces("".join(before), unit), _pieces(after, unit)
    ids = pd.factorize(np.array([*known, *tested], dtype=object))[0]
    known_ids, tested_ids = ids[: len(known)], ids[len(known) :]
    copied = _copied(known_ids, tested_ids, _BLOCK[unit], _DIFFERENT[unit])
    if not copied.any():
        return []
    begins = np.flatnonzero(copied & ~np.concatenate([[False], copied[:-1]]))
    ends = np.flatnonzero(copied & ~np.concatenate([copied[1:], [False]])) + 1
    longest = int((ends - begins).max())
    share = float(copied.mean())
    noun = "characters" if unit == "char" else "words"
    return [
        Finding(
            "repeated_block",
            LEAK if share >= _LEAK_SHARE else WARNING if share >= _WARNING_SHARE else NOTE,
            f"{int(copied.sum()):,} of {len(tested):,} {noun} of the test text ({share:.2%}), in {len(begins):,} "
            f"passages of at least {_BLOCK[unit]} {noun}, stand word for word in the text before it; the longest has "
            f"{longest:,}",
            "keep each document on one side only: drop the copies, or cut the text elsewhere",
            None,
            _lines(frame, after, unit, begins),
            len(begins),
            _price(known_ids, tested_ids, copied) if share >= _WARNING_SHARE else None,
        )
    ]


def _pieces(text: str, unit: str) -> list[str]:
    return list("".join(text.split())) if unit == "char" else text.split()


def _copied(known: np.ndarray, tested: np.ndarray, block: int, different: int) -> np.ndarray:
    """Which test tokens lie in a run that the known text has, too: bool (test tokens,)."""
    copied = np.zeros(len(tested) + 1, int)
    if min(len(known), len(tested)) < block:
        return copied[:-1] > 0
    runs, counts = np.unique(_run_hashes(known, block), return_counts=True)
    runs = runs[counts <= _COMMON]
    own = _run_hashes(tested, block)
    found = np.flatnonzero(np.isin(own, runs))
    windows = np.lib.stride_tricks.sliding_window_view(tested, block)[found]
    varied = 1 + (np.diff(np.sort(windows, axis=1), axis=1) != 0).sum(axis=1) >= different
    starts = found[varied]
    np.add.at(copied, starts, 1)
    np.add.at(copied, np.minimum(starts + block, len(tested)), -1)
    return np.cumsum(copied)[:-1] > 0


def _run_hashes(ids: np.ndarray, block: int) -> np.ndarray:
    """A hash of each run of `block` ids: (runs,)."""
    mixed = (ids.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    n = len(ids) - block + 1
    runs = np.zeros(n, np.uint64)
    for k in range(block):
        runs = runs * np.uint64(1_000_003) + mixed[k : k + n]
    return runs


def _lines(frame: CorpusFrame, after: str, unit: str, begins: np.ndarray) -> list[int]:
    """Lines that passages begin in: of the test file where it is one of its own, of the whole text otherwise."""
    first = 1 if frame.cuts is not None else 1 + frame.text[: frame.bounds[1]].count("\n")
    counts = [len(_pieces(line, unit)) for line in after.split("\n")]
    return (first + np.searchsorted(np.cumsum(counts), begins, side="right")).tolist()


def _price(known: np.ndarray, tested: np.ndarray, copied: np.ndarray) -> Cost:
    """Their worth to a model that counts runs of words: the loss on all of the test text, and without them."""
    known, tested, copied = known[-_MOST_TOKENS:], tested[:_MOST_TOKENS], copied[:_MOST_TOKENS]
    seen, inverse = np.unique(known, return_inverse=True)
    # a word that the training text hasn't is one unknown word, as for every model here
    place = np.searchsorted(seen, tested)
    is_seen = (place < len(seen)) & (seen[np.minimum(place, len(seen) - 1)] == tested)
    ids = np.where(is_seen, place + 1, 0)
    model = kneser_ney(np.concatenate([inverse + 1, [0]]), len(seen) + 1)
    losses: Any = -model.log_probabilities(ids)
    return Cost("nats per token", float(np.mean(losses)), float(np.mean(losses[~copied])), "Kneser-Ney")
