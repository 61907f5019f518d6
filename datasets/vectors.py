"""Word vectors from a file in GloVe's format: a word and its numbers on every line, separated by spaces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError
from .files import OPENERS, check_there

# Words without a vector get small random numbers, as untrained embeddings have.
_SPREAD = 0.05


def read_vectors(path: str | Path, words: Sequence[str], *, length: float | None = None) -> tuple[np.ndarray, int]:
    """Read the vectors of some words.

    Args:
        path: the file, plain or compressed; a first line of two numbers (word2vec's text format) is left out.
        words: whose vectors to read.
        length: to which each vector of the file is scaled; None leaves them as they are.

    Returns:
        Vectors (words, dimensions) float32, small random numbers where the file has none; and how many it has.

    Raises:
        InputError: no such file, a line that is not a word and as many numbers as the first has, or no word found.

    Example:
        >>> vectors, found = read_vectors("glove.6B.100d.txt.gz", ["the", "cat"])  # doctest: +SKIP

    Source: Pennington, Socher & Manning (2014), GloVe: global vectors for word representation, EMNLP.
    """
    path = Path(path)
    check_there(path, "word vectors")
    place = {word: i for i, word in enumerate(words)}
    vectors: np.ndarray | None = None
    found = 0
    with OPENERS.get(path.suffix.lower(), open)(path, "rt", encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            cells = line.rstrip().split(" ")
            if number == 1 and len(cells) == 2:
                continue
            if vectors is None:
                vectors = np.random.default_rng(0).uniform(-_SPREAD, _SPREAD, (len(words), len(cells) - 1))
            # words may hold spaces; the numbers come last
            word = " ".join(cells[: len(cells) - vectors.shape[1]])
            if word in place:
                row = np.array(_numbers(cells, vectors.shape[1], f"{path}: line {number}"))
                vectors[place[word]] = row if length is None else row * (length / (np.linalg.norm(row) or 1.0))
                found += 1
    if vectors is None or not found:
        raise InputError(
            f"{path}: no vector was found for any of the {len(words):,} words of the vocabulary; use a file in GloVe's "
            "text format, with a word and its numbers on every line"
        )
    return vectors.astype("float32"), found


def _numbers(cells: list[str], dimensions: int, where: str) -> list[float]:
    try:
        return [float(cell) for cell in cells[len(cells) - dimensions :]]
    except ValueError as error:
        raise InputError(
            f"{where}: {dimensions} numbers were expected after the word {cells[0]!r}, but other text was found; use "
            "GloVe's text format"
        ) from error
