"""Folds of examples: stratified training, validation and test sets that split no group; or the held-out test set."""

from __future__ import annotations

import warnings
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
# (rows, stratum of every example, how many) → those of the rows that stop the training
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

    Where the frame has groups (sentences of one film, recordings of one patient), no group is on two sides of any cut:
    whole groups are dealt out so that every class comes as near to its proportion as they allow.

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
        InputError: if there are too few examples, or too few groups.

    Source: whole groups are dealt out by scikit-learn's ``StratifiedGroupKFold``.
    """
    strata = _strata(frame)
    random = np.random.default_rng(seed)
    choose = _choice(frame, validation, random)
    if frame.is_test is not None:
        known, test = np.flatnonzero(~frame.is_test), np.flatnonzero(frame.is_test)
        if not len(test) or len(known) < 2:
            raise InputError(
                f"{frame.source}: {len(known)} examples to learn from and {len(test)} to test on were found; give at "
                "least two and one"
            )
        train, stopping = _split(known, strata, validation_fraction, choose)
        return [Fold(0, train, stopping, np.sort(test))], [
            f"the held-out test set is scored, once: {counted(len(test), 'example')}; {len(stopping):,} of the "
            f"other {len(known):,} {verb(len(stopping), 'stops', 'stop')} the training"
        ]
    if len(frame) < 2 * n_folds:
        raise InputError(
            f"{frame.source}: {len(frame)} examples are too few for {n_folds} folds; give more, or fewer `folds`"
        )
    n_sets = n_folds if n_folds > 1 else _ONE_FOLD
    test_set = _deal(strata, n_sets, random) if frame.groups is None else _deal_groups(frame, strata, n_folds, random)
    if (test_set < 0).all():
        raise InputError(
            f"{frame.source}: each of the {len(frame)} examples has a class of its own, so none can be tested; give "
            "classes with at least two examples each"
        )
    folds = []
    for index in range(n_folds):
        known, test = np.flatnonzero(test_set != index), np.flatnonzero(test_set == index)
        train, stopping = _split(known, strata, validation_fraction, choose)
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
        rows, _strata(frame), validation_fraction, _choice(frame, validation, np.random.default_rng(seed))
    )
    return Fold(0, train, stopping, np.empty(0, np.int64))


def dealt_parts(frame: TextFrame | PanelFrame, rows: np.ndarray, n_parts: int, *, seed: int = 0) -> np.ndarray:
    """Deal examples out into parts, every class in proportion and no group in two of them.

    Args:
        frame: all examples.
        rows: numbers of those that are dealt out (rows,).
        n_parts: how many parts; fewer where there are fewer examples, or groups.
        seed: of the shuffling.

    Returns:
        The part of each (rows,).

    Raises:
        InputError: if they cannot make two parts.
    """
    random, strata = np.random.default_rng(seed), np.unique(_strata(frame)[rows], return_inverse=True)[1]
    if frame.groups is not None:
        groups = frame.groups[rows]
        return grouped_sets(strata, groups, min(n_parts, _count_groups(groups, frame.source)), random)
    if len(rows) < 2:
        raise InputError(f"{frame.source}: {len(rows)} examples to learn from are too few for two parts; give more")
    n_parts = min(n_parts, len(rows))
    dealt = _deal(strata, n_parts, random)
    alone = np.flatnonzero(dealt < 0)  # of a class of one: whatever its part, the others do not know it
    dealt[alone] = np.arange(len(alone)) % n_parts
    return dealt


def stratified_sample(frame: TextFrame | PanelFrame, rows: np.ndarray, n: int, *, seed: int = 0) -> np.ndarray:
    """About `n` of the examples, every class in proportion, in their order.

    Args:
        frame: all examples.
        rows: numbers of those that are drawn from (rows,).
        n: how many.
        seed: of the drawing.
    """
    if n >= len(rows):
        return rows
    return np.sort(_drawn(rows, _strata(frame), n, random=np.random.default_rng(seed)))


def _strata(frame: TextFrame | PanelFrame) -> np.ndarray:
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


def _deal(strata: np.ndarray, n_sets: int, random: np.random.Generator) -> np.ndarray:
    """Deal every stratum out over the test sets like cards; -1 for a stratum of one: (examples,)."""
    test_set = np.full(len(strata), -1)
    order = random.permutation(len(strata))
    order = order[np.argsort(strata[order], kind="stable")]  # stratum by stratum, shuffled inside
    counts = np.bincount(strata)
    dealt = order[counts[strata[order]] > 1]
    # continuing where the last stratum ended, so that all are of the same size
    test_set[dealt] = np.arange(len(dealt)) % n_sets
    return test_set


def _deal_groups(
    frame: TextFrame | PanelFrame, strata: np.ndarray, n_folds: int, random: np.random.Generator
) -> np.ndarray:
    """Deal whole groups out over the test sets: the test set of each example (examples,)."""
    groups = _known_groups(frame)
    n_groups = len(np.unique(groups))
    if n_groups <= n_folds:
        raise InputError(
            f"{frame.source}: {counted(n_groups, 'group')} {verb(n_groups, 'is', 'are')} too few for {n_folds} folds "
            "with a validation part of other groups; give more groups, fewer `folds`, or leave `group` out"
        )
    return grouped_sets(strata, groups, min(n_folds if n_folds > 1 else _ONE_FOLD, n_groups), random)


def grouped_sets(strata: np.ndarray, groups: np.ndarray, n_sets: int, random: np.random.Generator) -> np.ndarray:
    """Deal whole groups out over some sets, every stratum in proportion as far as groups allow: (examples,)."""
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    made = []
    seed = int(random.integers(2**31))
    for splitter in (
        StratifiedGroupKFold(n_sets, shuffle=True, random_state=seed),
        GroupKFold(n_sets, shuffle=True, random_state=seed),
    ):
        number = np.full(len(groups), -1)
        # what is scikit-learn's business is a warning of rare classes, and a refusal where all are rare
        labels = strata if np.bincount(strata).max() >= n_sets else np.zeros_like(strata)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            for index, (_, chosen) in enumerate(splitter.split(np.zeros(len(groups)), labels, groups)):
                number[chosen] = index
        made.append(number)
        if len(np.unique(number)) == n_sets:  # a few large groups can leave a stratified set empty
            return number
    return made[-1]


def _known_groups(frame: TextFrame | PanelFrame) -> np.ndarray:
    if frame.groups is None:
        raise ValueError("a frame without groups has none to keep together. Received: groups=None")
    return frame.groups


def _choice(frame: TextFrame | PanelFrame, validation: str, random: np.random.Generator) -> _Choose:
    """The function that chooses the validation set."""
    choices: dict[str, _Choose] = {"random": partial(_drawn, random=random), "last": _last}
    if frame.groups is not None:
        of_groups: dict[str, Any] = {"source": frame.source, "groups": frame.groups}
        choices = {
            "random": partial(_drawn_groups, random=random, **of_groups),
            "last": partial(_last_groups, **of_groups),
        }
    if validation not in choices:
        raise ValueError(f"`validation` must be one of {list(choices)}. Received: {validation!r}")
    return choices[validation]


def _split(rows: np.ndarray, strata: np.ndarray, fraction: float, choose: _Choose) -> tuple[np.ndarray, np.ndarray]:
    """Split examples into training and validation set, every stratum in proportion; each has at least one."""
    n_validation = int(np.clip(round(fraction * len(rows)), 1, min(_MOST_VALIDATION, len(rows) - 1)))
    validation = np.sort(choose(rows, strata, n_validation))
    return np.setdiff1d(rows, validation), validation


def _drawn_groups(
    rows: np.ndarray, strata: np.ndarray, n: int, *, random: np.random.Generator, groups: np.ndarray, source: str
) -> np.ndarray:
    """About `n` of the examples: whole groups, every stratum in proportion as far as they allow."""
    n_sets = min(max(round(len(rows) / n), 2), _count_groups(groups[rows], source))
    present = np.unique(strata[rows], return_inverse=True)[1]
    return rows[grouped_sets(present, groups[rows], n_sets, random) == 0]


def _last_groups(rows: np.ndarray, strata: np.ndarray, n: int, *, groups: np.ndarray, source: str) -> np.ndarray:  # noqa: ARG001
    """About `n` of the examples: the groups that come last, never all of them."""
    _count_groups(groups[rows], source)
    newest = list(dict.fromkeys(groups[rows][::-1].tolist()))
    sizes = np.cumsum([np.count_nonzero(groups[rows] == group) for group in newest])
    enough = min(int(np.searchsorted(sizes, n)) + 1, len(newest) - 1)
    return rows[np.isin(groups[rows], newest[:enough])]


def _count_groups(groups: np.ndarray, source: str) -> int:
    count = len(np.unique(groups))
    if count < 2:
        raise InputError(
            f"{source}: all examples to learn from belong to one group, so none is left to stop the training; give "
            "more groups, or leave `group` out"
        )
    return count


def _last(rows: np.ndarray, strata: np.ndarray, n: int) -> np.ndarray:
    """About `n` of the examples: the last ones of every stratum, never all of it."""
    counts = np.bincount(strata[rows])
    wanted = np.minimum(np.round(n / len(rows) * counts).astype(int), counts - 1)
    if not (wanted > 0).any():
        # one at least, from the stratum that has the most; of two such, not one that has no example elsewhere
        everywhere = np.bincount(strata, minlength=len(counts))[: len(counts)]
        wanted[np.lexsort((everywhere, counts))[-1]] = 1
    return np.concatenate([rows[strata[rows] == group][-wanted[group] :] for group in np.flatnonzero(wanted > 0)])


def _drawn(rows: np.ndarray, strata: np.ndarray, n: int, *, random: np.random.Generator) -> np.ndarray:
    """About `n` of the examples, drawn from every stratum in proportion, never all of it."""
    order = random.permutation(rows)
    order = order[np.argsort(strata[order], kind="stable")]
    counts = np.bincount(strata[rows])
    candidates = order[counts[strata[order]] > 1]
    if not len(candidates):  # rather the only one left of its class than the only one there is
        candidates = order[np.bincount(strata)[strata[order]] > 1]
    candidates = candidates if len(candidates) else order
    # evenly spaced along the strata: every class gives its proportion ...
    places = np.unique(np.floor((np.arange(n) + 0.5) * len(candidates) / n).astype(int))
    chosen = candidates[places]
    # ... and none its last example
    _, first = np.unique(strata[chosen], return_index=True)
    given = np.bincount(strata[chosen], minlength=len(counts))
    emptied = [i for i in first if 1 < counts[strata[chosen[i]]] == given[strata[chosen[i]]]]
    return np.delete(chosen, emptied)
