"""Folds of examples: stratified parts for training, validation and test; or the official test part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..errors import InputError
from ..frames import PanelFrame, TextFrame

# Examples that stop the training: so many of those not tested, and no more than this number.
_VALIDATION_SHARE = 0.1
_MOST_VALIDATION = 5000
# A single fold tests one part of so many.
_ONE_FOLD = 5
# (rows, group of every example, how many) → those of the rows that stop the training
_Choose = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


@dataclass(frozen=True, eq=False)
class ExampleFold:
    """Numbers of the examples that are learnt from, that stop the training, and that are scored.

    Attributes:
        index: number of the fold.
        train, validation, test: (examples,) each, without overlap.
    """

    index: int
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def example_folds(
    frame: TextFrame | PanelFrame,
    *,
    n_folds: int = 3,
    validation_share: float = _VALIDATION_SHARE,
    validation: str = "random",
    seed: int = 0,
) -> tuple[list[ExampleFold], list[str]]:
    """Cut examples into folds in which every class has its share.

    Where the frame has an official test part, there is one fold, which tests on that and takes its validation part
    from the rest. A class with a single example is always learnt from and never scored.

    Args:
        frame: examples with targets.
        n_folds: parts that are tested in turn; 1 tests a fifth, once.
        validation_share: share of the examples not tested that stop the training.
        validation: which of them: "random", or the "last" of each class. Where neighbours in the file have more in
            common than the test part will have with them (one film, one patient, one day), random ones stop the
            training too late.
        seed: of the shuffling.

    Returns:
        The folds, and sentences about what was done.

    Raises:
        InputError: if there are too few examples.
    """
    groups = _groups(frame)
    random = np.random.default_rng(seed)
    choose = _choice(validation, random)
    if frame.is_test is not None:
        known, test = np.flatnonzero(~frame.is_test), np.flatnonzero(frame.is_test)
        if not len(test) or len(known) < 2:
            raise InputError(
                f"{frame.source}: {len(known)} examples to learn from and {len(test)} to test on were found; give at "
                "least two and one"
            )
        train, stopping = _split(known, groups, validation_share, choose)
        return [ExampleFold(0, train, stopping, np.sort(test))], [
            f"the test part given is scored, once: {len(test):,} examples; {len(stopping):,} of the other "
            f"{len(known):,} stop the training"
        ]
    if len(frame) < 2 * n_folds:
        raise InputError(
            f"{frame.source}: {len(frame)} examples are too few for {n_folds} folds; give more, or fewer --folds"
        )
    part = _deal(groups, n_folds if n_folds > 1 else _ONE_FOLD, random)
    if (part < 0).all():
        raise InputError(
            f"{frame.source}: each of the {len(frame)} examples has a class of its own, so none can be tested; give "
            "classes with at least two examples each"
        )
    folds = []
    for index in range(n_folds):
        known, test = np.flatnonzero(part != index), np.flatnonzero(part == index)
        train, stopping = _split(known, groups, validation_share, choose)
        folds.append(ExampleFold(index, train, stopping, test))
    notes = []
    if single := int((part < 0).sum()):
        notes.append(f"{single} classes with a single example are learnt from in every fold and never scored")
    return folds, notes


def example_split(
    frame: TextFrame | PanelFrame,
    *,
    validation_share: float = _VALIDATION_SHARE,
    validation: str = "random",
    seed: int = 0,
) -> ExampleFold:
    """Split off a validation part and score nothing: how a final model is trained."""
    rows = np.arange(len(frame)) if frame.is_test is None else np.flatnonzero(~frame.is_test)
    if len(rows) < 2:
        raise InputError(f"{frame.source}: {len(rows)} examples are too few to learn from; give at least two")
    train, stopping = _split(rows, _groups(frame), validation_share, _choice(validation, np.random.default_rng(seed)))
    return ExampleFold(0, train, stopping, np.empty(0, np.int64))


def _groups(frame: TextFrame | PanelFrame) -> np.ndarray:
    """Number of the class of each example; of values their rank in tenths, so that folds are alike: (examples,)."""
    if frame.targets is None:
        raise ValueError("folds are made of examples with targets. Received: targets=None")
    values = frame.targets.values
    if frame.targets.task == "tagging":
        return np.zeros(len(frame), np.int64)
    if frame.targets.task == "regression":
        rank = np.argsort(np.argsort(np.asarray(values, dtype=float), kind="stable"), kind="stable")
        tenths = int(np.clip(len(rank) // 2, 1, 10))  # of few examples fewer parts, so that none stands alone
        return rank * tenths // max(len(rank), 1)
    number: dict[Any, int] = {}
    return np.array([number.setdefault(value, len(number)) for value in values], dtype=np.int64)


def _deal(groups: np.ndarray, n_parts: int, random: np.random.Generator) -> np.ndarray:
    """Deal every group out over the parts like cards; -1 for a group of one: (examples,)."""
    part = np.full(len(groups), -1)
    order = random.permutation(len(groups))
    order = order[np.argsort(groups[order], kind="stable")]  # group by group, shuffled inside
    counts = np.bincount(groups)
    dealt = order[counts[groups[order]] > 1]
    # going on where the last group ended, so that parts are of the same size
    part[dealt] = np.arange(len(dealt)) % n_parts
    return part


def _choice(validation: str, random: np.random.Generator) -> _Choose:
    """The function that chooses the validation part."""
    choices: dict[str, _Choose] = {"random": partial(_drawn, random=random), "last": _last}
    if validation not in choices:
        raise ValueError(f"`validation` must be one of {list(choices)}. Received: {validation!r}")
    return choices[validation]


def _split(rows: np.ndarray, groups: np.ndarray, share: float, choose: _Choose) -> tuple[np.ndarray, np.ndarray]:
    """Split examples into training and validation part, every group in its share; each has at least one."""
    n_validation = int(np.clip(round(share * len(rows)), 1, min(_MOST_VALIDATION, len(rows) - 1)))
    validation = np.sort(choose(rows, groups, n_validation))
    return np.setdiff1d(rows, validation), validation


def _last(rows: np.ndarray, groups: np.ndarray, n: int) -> np.ndarray:
    """About `n` of the examples: the last ones of every group, never all of it."""
    counts = np.bincount(groups[rows])
    wanted = np.minimum(np.round(n / len(rows) * counts).astype(int), counts - 1)
    if not (wanted > 0).any():
        wanted[counts.argmax()] = 1  # one at least, from the group that has the most
    return np.concatenate([rows[groups[rows] == group][-wanted[group] :] for group in np.flatnonzero(wanted > 0)])


def _drawn(rows: np.ndarray, groups: np.ndarray, n: int, *, random: np.random.Generator) -> np.ndarray:
    """About `n` of the examples, drawn from every group in its share, never all of it."""
    order = random.permutation(rows)
    order = order[np.argsort(groups[order], kind="stable")]
    counts = np.bincount(groups[rows])
    candidates = order[counts[groups[order]] > 1]
    candidates = candidates if len(candidates) else order
    # evenly spaced along the groups: every class gives its share ...
    places = np.unique(np.floor((np.arange(n) + 0.5) * len(candidates) / n).astype(int))
    chosen = candidates[places]
    # ... and none its last example
    _, first = np.unique(groups[chosen], return_index=True)
    given = np.bincount(groups[chosen], minlength=len(counts))
    emptied = [i for i in first if 1 < counts[groups[chosen[i]]] == given[groups[chosen[i]]]]
    return np.delete(chosen, emptied)
