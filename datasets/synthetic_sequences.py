"""Synthetic sequences of which the truth is known: what must be remembered, and for how long.

Source: drawn here, from a fixed seed, by numpy's PCG64 generator. ``adding`` and ``copy`` after Hochreiter &
Schmidhuber, Long Short-Term Memory (1997), and Arjovsky, Shah & Bengio, Unitary Evolution Recurrent Neural Networks
(2016), section 5; ``order`` after the temporal order problem of the former, section 5.6; ``recall`` after the latch
problem of Bengio, Simard & Frasconi (1994).
Licence: as this project's.
Observed: every set has a held-out test set of 1,000 sequences, drawn independently of the training set.

- ``recall``: the first token is 0 or 1, then ``distance`` distractors follow, zeros and ones as well; the label is the
  first token. How many ones a sequence has says nothing about it, so an average over the tokens scores 0.5, and so does
  a model that does not remember the first.
- ``order``: X and Y occur once each, at least four steps apart, ``distance`` distractors before them and as many after;
  the label is the one that came last. Every word occurs as often under one label as under the other, and so does every
  pair or triple of neighbours; a window at either end that is shorter than ``distance`` sees neither. What nothing but
  a state can do: hold the newer one, and let the older go.
- ``adding``: two channels, a uniform number and a marker that is 1 at one step of each half; the value is the sum of
  the two marked numbers. Always predicting 1 has a mean squared error of 1/6 and a mean absolute error of 1/3.
- ``copy``: ten symbols, ``distance`` blanks, then ten go signs; the tags are blanks until the first go, then the
  symbols. A model without memory guesses each symbol: 7/8 of ten tags are wrong.
- ``binary_addition``: a step holds the bits of two numbers, least significant first; the tag is the bit of the sum. A
  last step of two zeros takes the carry out. Training: 4,000 numbers of 1 to 20 bits; test: 1,000 of 100 bits.
"""

from typing import Any

import numpy as np
import pandas as pd

from .record import Dataset

TRAIN, TEST = 4000, 1000
_LETTERS = np.array(list("abcdefgh"))
# Steps among which both marked symbols of `order` are, and by how much they are apart at least.
_MARKED, _APART = 10, 4
_SYMBOLS = 10  # to be copied: as many as in both papers


def recall(distance: int = 20, *, train: int = TRAIN, test: int = TEST, seed: int = 0) -> pd.DataFrame:
    """Draw the table of the recall problem: what was the first token?

    Args:
        distance: distractors after it.
        train: sequences for training.
        test: sequences of the held-out test set.
        seed: of the generator.

    Returns:
        Columns tokens (lists of ``distance`` + 1 tokens), label (0 or 1) and split.

    Example:
        >>> recall(3, train=1, test=0)["tokens"].iloc[0][0] in ("0", "1")
        True
    """
    from scipy.stats import binom

    random = np.random.default_rng(seed)
    first = random.integers(2, size=train + test)
    # Ones in the whole sequence, as many after a 0 as after a 1: both must be possible, so at least one and not all.
    counts = np.arange(1, distance + 1)
    chance = binom.pmf(counts, distance + 1, 0.5)
    ones = random.choice(counts, size=train + test, p=chance / chance.sum())
    places = random.random((train + test, distance)).argsort(axis=1).argsort(axis=1)  # each row in an order of its own
    rest = (places < (ones - first)[:, None]).astype(int)
    tokens = [[*map(str, row)] for row in np.column_stack([first, rest]).tolist()]
    return pd.DataFrame({"tokens": tokens, "label": first, "split": _split(train, test)})


def order(distance: int = 20, *, train: int = TRAIN, test: int = TEST, seed: int = 0) -> pd.DataFrame:
    """Draw the table of the order problem: which of X and Y came last?

    Args:
        distance: distractors before the ten steps that hold both, and after them.
        train: sequences for training.
        test: sequences of the held-out test set.
        seed: of the generator.

    Returns:
        Columns tokens (lists of 2 ``distance`` + 10 tokens), label ("X" or "Y") and split.

    Example:
        >>> sorted(set(order(3, train=1, test=0)["tokens"].iloc[0]) - set("abcd"))
        ['X', 'Y']
    """
    random = np.random.default_rng(seed)
    count = train + test
    tokens = random.choice(_LETTERS[:4], size=(count, 2 * distance + _MARKED))
    first = random.integers(_MARKED - _APART, size=count)
    second = random.integers(first + _APART, _MARKED)
    last = random.choice(["X", "Y"], size=count)
    rows = np.arange(count)
    tokens[rows, distance + first] = np.where(last == "X", "Y", "X")
    tokens[rows, distance + second] = last
    return pd.DataFrame({"tokens": tokens.tolist(), "label": last, "split": _split(train, test)})


def adding(distance: int = 50, *, train: int = TRAIN, test: int = TEST, seed: int = 0) -> dict[str, Any]:
    """Draw the sequences of the adding problem.

    Args:
        distance: steps of a sequence; the marked ones are half of them apart on average.
        train: sequences for training.
        test: sequences of the held-out test set.
        seed: of the generator.

    Returns:
        Arguments of ``PanelFrame.from_arrays``: values (sequences, distance, 2), targets (sequences,).

    Example:
        >>> adding(10, train=2, test=1)["values"].shape
        (3, 10, 2)
    """
    if distance < 2:
        raise ValueError(f"`distance` must be at least 2, for two numbers. Received: distance={distance}")
    random = np.random.default_rng(seed)
    count = train + test
    numbers = random.uniform(size=(count, distance))
    marks = np.zeros_like(numbers)
    rows = np.arange(count)
    marks[rows, random.integers(0, distance // 2, size=count)] = 1.0
    marks[rows, random.integers(distance // 2, distance, size=count)] = 1.0
    targets = (numbers * marks).sum(axis=1)
    return _panel(np.stack([numbers, marks], axis=2), targets, ("number", "marker"), train)


def copy(distance: int = 20, *, train: int = TRAIN, test: int = TEST, seed: int = 0) -> pd.DataFrame:
    """Draw the table of symbols to be repeated after a blank.

    Args:
        distance: blanks between the symbols and the first go sign.
        train: sequences for training.
        test: sequences of the held-out test set.
        seed: of the generator.

    Returns:
        Columns tokens and tags (lists of 20 + ``distance``) and split.

    Example:
        >>> len(copy(5, train=1, test=0)["tags"].iloc[0])
        25
    """
    random = np.random.default_rng(seed)
    symbols = random.choice(_LETTERS, size=(train + test, _SYMBOLS)).tolist()
    tokens = [[*row, *["-"] * distance, *["go"] * _SYMBOLS] for row in symbols]
    tags = [[*["-"] * (_SYMBOLS + distance), *row] for row in symbols]
    return pd.DataFrame({"tokens": tokens, "tags": tags, "split": _split(train, test)})


def binary_addition(
    bits: int = 20, test_bits: int = 100, *, train: int = TRAIN, test: int = TEST, seed: int = 0
) -> dict[str, Any]:
    """Draw pairs of numbers to be added bit by bit.

    Args:
        bits: the training numbers have 1 to so many bits.
        test_bits: the test numbers have so many.
        train: additions for training.
        test: additions of the held-out test set.
        seed: of the generator.

    Returns:
        Arguments of ``PanelFrame.from_arrays``: values of bits + 1 steps and two channels, targets lists of 0 and 1.

    Example:
        >>> binary_addition(3, 4, train=1, test=1)["values"][1].shape
        (5, 2)
    """
    random = np.random.default_rng(seed)
    lengths = [*random.integers(1, bits + 1, size=train), *[test_bits] * test]
    values, targets = [], []
    for length in lengths:
        pair = np.zeros((length + 1, 2))  # the last step takes the carry out
        pair[:length] = random.integers(2, size=(length, 2))
        carry, tags = 0, []
        for first, second in pair.astype(int).tolist():
            carry, bit = divmod(first + second + carry, 2)
            tags.append(bit)
        values.append(pair)
        targets.append(tags)
    return _panel(values, targets, ("first", "second"), train)


def _split(train: int, test: int) -> list[str]:
    return ["train"] * train + ["test"] * test


def _panel(values: Any, targets: Any, channels: tuple[str, ...], train: int) -> dict[str, Any]:
    is_test = np.arange(len(values)) >= train
    return {
        "values": values,
        "targets": targets,
        "name": "sum",
        "channels": channels,
        "is_test": is_test if is_test.any() else None,
    }


RECALL = Dataset(
    name="recall",
    description="was the first token 0 or 1, after 20 distractors",
    rows=TRAIN + TEST,
    source="drawn from a seed",
    short_source="random generator",
    licence="Apache-2.0",
    download=False,
    loader=recall,
    roles={"text": "tokens", "label": "label", "split": "split"},
    frame="text",
)
ORDER = Dataset(
    name="order",
    description="which of X and Y came last, after 20 distractors",
    rows=TRAIN + TEST,
    source="drawn from a seed",
    short_source="random generator",
    licence="Apache-2.0",
    download=False,
    loader=order,
    roles={"text": "tokens", "label": "label", "split": "split"},
    frame="text",
)
ADDING = Dataset(
    name="adding",
    description="the sum of the two marked numbers among 50",
    rows=TRAIN + TEST,
    source="drawn from a seed",
    short_source="random generator",
    licence="Apache-2.0",
    download=False,
    loader=adding,
    roles={"value": "sum"},
    frame="panel",
)
COPY = Dataset(
    name="copy",
    description="repeat ten symbols after 20 blanks",
    rows=TRAIN + TEST,
    source="drawn from a seed",
    short_source="random generator",
    licence="Apache-2.0",
    download=False,
    loader=copy,
    roles={"text": "tokens", "tags": "tags", "split": "split"},
    frame="text",
)
BINARY_ADDITION = Dataset(
    name="binary_addition",
    description="add two numbers bit by bit; test numbers are five times longer",
    rows=TRAIN + TEST,
    source="drawn from a seed",
    short_source="random generator",
    licence="Apache-2.0",
    download=False,
    loader=binary_addition,
    roles={"tags": "sum"},
    frame="panel",
)
