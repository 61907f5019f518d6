"""Tags told from nothing, from the token alone, or from a window of steps around it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .examples import Predict, class_shares
from .linear import logistic
from .sequences import fit_scale

# Steps seen before and after the one to be tagged.
REACH = 2


def majority_tag(
    inputs: Sequence[Any],  # noqa: ARG001
    targets: Sequence[np.ndarray],
    n_classes: int,
    *,
    seed: int = 0,  # noqa: ARG001
) -> Predict:
    """Answer every step with the tags' shares in training, so with the most frequent tag.

    Arguments:
        inputs: training sequences, of any kind; not looked at.
        targets: for each sequence the tags of its steps (time,), each in 0..n_classes - 1.
        n_classes: how many tags there are, seen in training or not.
        seed: not used here; every baseline takes the same arguments.

    Returns:
        A function from sequences to a list of probabilities (time, n_classes) whose rows sum to 1.

    Raises:
        ValueError: no targets, or ids outside the tags.

    Example:
        >>> majority_tag([["a", "b"]], [np.array([1, 1])], 2)([["c"]])
        [array([[0., 1.]])]
    """
    shares = class_shares(np.concatenate(list(targets)), n_classes)
    return lambda inputs: [np.tile(shares, (len(sequence), 1)) for sequence in inputs]


def most_frequent_tag(
    inputs: Sequence[Sequence[str]],
    targets: Sequence[np.ndarray],
    n_classes: int,
    *,
    seed: int = 0,  # noqa: ARG001
) -> Predict:
    """Answer every token with the tags that it had in training.

    About nine words in ten get their part of speech right in this way, so a tagger is judged by the tenth. The shares
    of all tags count as one more sighting of every token; a token never seen has those alone.

    Arguments:
        inputs: training sequences, lists of tokens.
        targets, n_classes, seed: as for :func:`majority_tag`.

    Returns:
        As for :func:`majority_tag`.

    Example:
        >>> predict = most_frequent_tag([["a", "b", "b"]], [np.array([0, 1, 1])], 2)
        >>> predict([["a", "c"]])[0].argmax(axis=1)
        array([0, 1])

    Source: Charniak, Hendrickson, Jacobson and Perkowitz (1993), Equations for Part-of-Speech Tagging, AAAI.
    """
    tags = np.concatenate(list(targets))
    overall = class_shares(tags, n_classes)
    number = _numbered(inputs)
    counts = np.zeros((len(number) + 1, n_classes))  # row 0: unknown
    np.add.at(counts, (_ids(inputs, number), tags), 1)
    counts += overall
    shares = counts / counts.sum(axis=1, keepdims=True)
    return lambda inputs: _split(shares[_ids(inputs, number)], inputs)


def logistic_window(inputs: Sequence[Any], targets: Sequence[np.ndarray], n_classes: int, *, seed: int = 0) -> Predict:
    """Logistic regression on a step and the two before and after it.

    What can be told from the neighbourhood alone; whatever must be carried further needs a memory. Values: all channels
    of the five steps (gaps and scale: ``sequences.py``), and whether each lies within the sequence. Tokens: which of
    the training tokens stands at each of the five places; an unknown one, or none, is no mark there. With one tag
    only, the answer is that of :func:`majority_tag`.

    Arguments:
        inputs: training sequences: lists of tokens, or values (time, channels), NaN where nothing was observed.
        targets, n_classes, seed: as for :func:`majority_tag`.

    Returns:
        As for :func:`majority_tag`.

    Source: Dietterich (2002), Machine Learning for Sequential Data, section 3.1 (sliding windows).
    """
    tags = np.concatenate(list(targets))
    if len(np.unique(tags)) < 2:
        return majority_tag(inputs, targets, n_classes)
    windows = _value_windows(inputs) if isinstance(inputs[0], np.ndarray) else _token_windows(inputs)
    model = logistic(windows(inputs), tags, n_classes, inverse_strengths=(1.0,), seed=seed)

    def predict(inputs: Sequence[Any]) -> list[np.ndarray]:
        if not sum(len(sequence) for sequence in inputs):
            return [np.zeros((0, n_classes)) for _ in inputs]
        return _split(model(windows(inputs)), inputs)

    return predict


def _value_windows(training: Sequence[np.ndarray]) -> Callable[[Sequence[np.ndarray]], np.ndarray]:
    """The function from sequences to columns (all steps, 5 * (channels + 1))."""
    scale = fit_scale(training)

    def lay_out(sequences: Sequence[np.ndarray]) -> np.ndarray:
        padded = [
            np.pad(
                np.column_stack([values, np.ones(len(values))]), ((REACH, REACH), (0, 0))
            )  # (time + 4, channels + 1)
            for values in scale(sequences)
        ]
        return np.concatenate(
            [
                np.concatenate([values[i : len(values) - 2 * REACH + i] for i in range(2 * REACH + 1)], axis=1)
                for values in padded
            ]
        )

    return lay_out


def _token_windows(training: Sequence[Sequence[str]]) -> Callable[[Sequence[Sequence[str]]], Any]:
    """The function from token lists to sparse marks (all steps, 5 * tokens)."""
    number = _numbered(training)

    def lay_out(sequences: Sequence[Sequence[str]]) -> Any:
        from scipy.sparse import csr_array

        gap = np.zeros(REACH, dtype=int)
        ids = np.concatenate([part for tokens in sequences for part in (_ids([tokens], number), gap)] + [gap])
        inside = np.concatenate([np.arange(len(tokens) + REACH) < len(tokens) for tokens in sequences])
        steps = np.flatnonzero(inside)  # gaps are two wide, so a window reaches no other sequence
        around = np.stack([np.where(steps + i >= 0, ids[steps + i], 0) for i in range(-REACH, REACH + 1)], axis=1)
        row, place = np.nonzero(around)
        column = place * len(number) + around[row, place] - 1
        return csr_array((np.ones(len(row)), (row, column)), shape=(len(steps), (2 * REACH + 1) * len(number)))

    return lay_out


def _numbered(sequences: Sequence[Sequence[str]]) -> dict[str, int]:
    """Every token of the training part and its number, from 1 on."""
    return {token: i for i, token in enumerate(dict.fromkeys(t for tokens in sequences for t in tokens), start=1)}


def _ids(sequences: Sequence[Sequence[str]], number: dict[str, int]) -> np.ndarray:
    """Numbers of all tokens in a row (all steps,); 0: never seen."""
    return np.array([number.get(token, 0) for tokens in sequences for token in tokens], dtype=int)


def _split(rows: np.ndarray, sequences: Sequence[Any]) -> list[np.ndarray]:
    """Rows of all steps given back to their sequences."""
    return np.split(rows, np.cumsum([len(sequence) for sequence in sequences])[:-1]) if len(sequences) else []
