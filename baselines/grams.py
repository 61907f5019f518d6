"""Texts and token lists cut into overlapping pieces (n-grams), for the linear text baselines.

By this rule: words and punctuation marks in lower case, alone and in pairs. Where most texts have fewer than three of
those (single words, names, scripts without spaces), or all tokens are single characters, 1 to 5 characters in a row,
with a space before the first and after the last.
"""

import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np

WORDS = re.compile(r"\w+|[^\w\s]")
LONGEST_WORDS, LONGEST_CHARACTERS = 2, 5
# With this many texts, what stands in one of them only tells nothing of the others and is most of the columns.
MANY_TEXTS = 1000
# How many texts the rule looks at.
LOOKED_AT = 10_000


def vectoriser(kind: type, inputs: Sequence[Any], **settings: Any) -> Any:
    """A scikit-learn vectoriser of class ``kind`` that cuts texts or token lists by the rule above."""
    fewest = 2 if len(inputs) >= MANY_TEXTS else 1
    return kind(analyzer=cutter(inputs), min_df=fewest, dtype=np.float32, **settings)


def has_grams(inputs: Sequence[Any]) -> bool:
    """Whether there is anything to learn from: not every text is empty."""
    cut = cutter(inputs)
    return any(cut(text) for text in inputs)


def cutter(inputs: Sequence[Any]) -> Callable[[Any], list[str]]:
    """The function that cuts one text, or one token list, into its n-grams."""
    if len(inputs) and not isinstance(inputs[0], str):
        singles = all(len(token) == 1 for tokens in islice(inputs, LOOKED_AT) for token in tokens)
        longest = LONGEST_CHARACTERS if singles else LONGEST_WORDS
        return lambda tokens: _grams(list(tokens), longest, " ")
    counts = [len(WORDS.findall(text)) for text in islice(inputs, LOOKED_AT)]
    if counts and np.median(counts) < 3:
        return lambda text: _grams(list(f" {text.lower()} ") if text else [], LONGEST_CHARACTERS, "")
    return lambda text: _grams(WORDS.findall(text.lower()), LONGEST_WORDS, " ")


def _grams(tokens: list[str], longest: int, between: str) -> list[str]:
    grams = list(tokens)
    for n in range(2, longest + 1):
        grams += [between.join(gram) for gram in zip(*(tokens[i:] for i in range(n)), strict=False)]
    return grams
