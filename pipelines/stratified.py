"""Folds of examples: stratified training, validation and test sets; or the held-out test set."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..errors import InputError
from ..frames import PanelFrame, TextFrame
from ..frames.wording import counted, verb
from .fold import Fold

# Examples that stop the training: this fraction of those not tested, and no more than this number.
_VALIDATION_FRACTION = 0.1
_MOST_VALIDATION = 5000
# A single fold tests one in so many.
_ONE_FOLD = 5
# (rows, group of every example, how many) → those of the rows that stop the training
_Choose = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


def stratified_folds(
    frame: TextFrame | PanelFrame,
    *,
    n_folds: int = 3,
    validation_fraction: float = _VALIDATION_FRACTION,
    validation: str = "random",
    seed: int = 0,
) -> tuple[list[Fold[np.ndarray]], list[str]]:
    """Cut examples into folds in which every class has its proportion.

    Where the frame has a held-out test set, there is one fold, which tests on that and takes its validation set
    from the rest. A class with a single example is always learnt from and never scored.

    Args:
        frame: examples with targets.
        n_folds: test sets that take turns; 1 tests a fifth, once.
        validation_fraction: fraction of the examples not tested that stops the training.
        validation: which of them: "random", or the "last" of each class. Where neighbours in the file have more in
            common than the test set will have with them (one film, one patient, one day), random ones stop the
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
        train, stopping = _split(known, groups, validation_fraction, choose)
        return [Fold(0, train, stopping, np.sort(test))], [
            f"the held-out test set is scored, once: {counted(len(test), 'example')}; {len(stopping):,} of the "
            f"other {len(known):,} {verb(len(stopping), 'stops', 'stop')} the training"
        ]
    if len(frame) < 2 * n_folds:
        raise InputError(
            f"{frame.source}: {len(frame)} examples are too few for {n_folds} folds; give more, or fewer `folds`"
        )
    test_set = _deal(groups, n_folds if n_folds > 1 else _ONE_FOLD, random)
    if (test_set < 0).all():
        raise InputError(
            f"{frame.source}: each of the {len(frame)} examples has a class of its own, so none can be tested; give "
            "classes with at least two examples each"
        )
    folds = []
    for index in range(n_folds):
        known, test = np.flatnonzero(test_set != index), np.flatnonzero(test_set == index)
        train, stopping = _split(known, groups, validation_fraction, choose)
        folds.append(Fold(index, train, stopping, test))
    notes = []
    if single := int((test_set < 0).sum()):
        notes.append(f"{single} classes with a single example are learnt from in every fold and never scored")
    return folds, notes


def stratified_split(
    frame: TextFrame | PanelFrame,
    *,
    validation_fraction: float = _VALIDATION_FRACTION,
    validation: str = "random",
    seed: int = 0,
) -> Fold[np.ndarray]:
    """Split off a validation set and score nothing: how a final model is trained."""
    rows = np.arange(len(frame)) if frame.is_test is None else np.flatnonzero(~frame.is_test)
    if len(rows) < 2:
        raise InputError(f"{frame.source}: {len(rows)} examples are too few to learn from; give at least two")
    train, stopping = _split(
        rows, _groups(frame), validation_fraction, _choice(validation, np.random.default_rng(seed))
    )
    return Fold(0, train, stopping, np.empty(0, np.int64))


def _groups(frame: TextFrame | PanelFrame) -> np.ndarray:
    """Number of the class of each example; of values their rank in tenths, so that folds are alike: (examples,)."""
    if frame.targets is None:  # lines of a language model
        return np.zeros(len(frame), np.int64)
    values = frame.targets.values
    if frame.targets.task == "tagging":
        return np.zeros(len(frame), np.int64)
    if frame.targets.task == "regression":
        rank = np.argsort(np.argsort(np.asarray(values, dtype=float), kind="stable"), kind="stable")
        tenths = int(np.clip(len(rank) // 2, 1, 10))  # of few examples fewer, so that none is alone
        return rank * tenths // max(len(rank), 1)
    number: dict[Any, int] = {}
    keys = (tuple(value) if isinstance(value, list) else value for value in values)
    return np.array([number.setdefault(key, len(number)) for key in keys], dtype=np.int64)


def _deal(groups: np.ndarray, n_sets: int, random: np.random.Generator) -> np.ndarray:
    """Deal every group out over the test sets like cards; -1 for a group of one: (examples,)."""
    test_set = np.full(len(groups), -1)
    order = random.permutation(len(groups))
    order = order[np.argsort(groups[order], kind="stable")]  # group by group, shuffled inside
    counts = np.bincount(groups)
    dealt = order[counts[groups[order]] > 1]
    # continuing where the last group ended, so that all are of the same size
    test_set[dealt] = np.arange(len(dealt)) % n_sets
    return test_set


def _choice(validation: str, random: np.random.Generator) -> _Choose:
    """The function that chooses the validation set."""
    choices: dict[str, _Choose] = {"random": partial(_drawn, random=random), "last": _last}
    if validation not in choices:
        raise ValueError(f"`validation` must be one of {list(choices)}. Received: {validation!r}")
    return choices[validation]


def _split(rows: np.ndarray, groups: np.ndarray, fraction: float, choose: _Choose) -> tuple[np.ndarray, np.ndarray]:
    """Split examples into training and validation set, every group in proportion; each has at least one."""
    n_validation = int(np.clip(round(fraction * len(rows)), 1, min(_MOST_VALIDATION, len(rows) - 1)))
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
    """About `n` of the examples, drawn from every group in proportion, never all of it."""
    order = random.permutation(rows)
    order = order[np.argsort(groups[order], kind="stable")]
    counts = np.bincount(groups[rows])
    candidates = order[counts[groups[order]] > 1]
    candidates = candidates if len(candidates) else order
    # evenly spaced along the groups: every class gives its proportion ...
    places = np.unique(np.floor((np.arange(n) + 0.5) * len(candidates) / n).astype(int))
    chosen = candidates[places]
    # ... and none its last example
    _, first = np.unique(groups[chosen], return_index=True)
    given = np.bincount(groups[chosen], minlength=len(counts))
    emptied = [i for i in first if 1 < counts[groups[chosen[i]]] == given[groups[chosen[i]]]]
    return np.delete(chosen, emptied)
