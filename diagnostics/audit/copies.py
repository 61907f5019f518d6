"""Copies: the same, or nearly the same, text or sequence in training and test; stretches that repeat."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ...frames import PanelFrame, TextFrame
from .finding import LEAK, NOTE, WARNING, Cost, Finding
from .lines import FileRows
from .prices import text_error

# Shorter texts repeat honestly ("very good"); longer ones do not.
_LONG_TEXT = 12
# Words of a shingle, and the share of a text's shingles that another must hold to be nearly the same.
_SHINGLE, _ALIKE = 5, 0.6
_FEWEST_SHINGLES = 5
# A shingle in more texts than these is a phrase of the trade.
_COMMON = 20
# From so many runs of words on, every eighth is looked up.
_MANY_SHINGLES = 2_000_000
_SHUFFLES = 20
# Steps that two sequences must share to overlap, and different values in them.
_SHARED, _DIFFERENT = 6, 5


@dataclass(frozen=True, eq=False)
class ExampleCase:
    """Texts or panels, and which of them are tested.

    Attributes:
        frame: the examples.
        folds: (training rows, test rows) of each fold; training includes what stops it.
        is_given: whether the user gave the test set, rather than folds being drawn.
        rows: rows of the file.
    """

    frame: TextFrame | PanelFrame
    folds: Sequence[tuple[np.ndarray, np.ndarray]]
    is_given: bool
    rows: FileRows

    @property
    def where(self) -> str:
        """What the test part is called."""
        return "the test set" if self.is_given else "the test part of a random fold"

    @cached_property
    def keys(self) -> list[Hashable]:
        """One for each example; equal ones are copies."""
        return _keys(self.frame)

    @cached_property
    def telling(self) -> np.ndarray:
        """Which examples do not repeat by chance: bool (examples,)."""
        return _is_telling(self.frame)

    @property
    def labels(self) -> Any:
        """What is to be predicted."""
        return None if self.frame.targets is None else self.frame.targets.values


@dataclass(frozen=True)
class Run:
    """Rows of one piece that stand again in another.

    Attributes:
        first, from_: piece and its row where the stretch begins; second, at: the same of its repetition.
        length: rows of the stretch.
    """

    first: int
    from_: int
    second: int
    at: int
    length: int


def common_runs(
    pieces: Sequence[np.ndarray],
    others: Sequence[np.ndarray],
    block: int,
    different: int,
    *,
    between: bool = False,
) -> list[Run]:
    """Stretches of at least `block` equal values that stand in both lists of pieces.

    Args:
        pieces, others: arrays (rows,); the same list twice finds repetitions within it.
        block: values compared at once.
        different: values that a block must have to count; constant stretches repeat everywhere.
        between: only stretches of two different pieces count.
    """
    same = pieces is others
    known: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for number, piece in enumerate(pieces):
        for start in _telling(piece, block, different):
            known[piece[start : start + block].tobytes()].append((number, start))
    matches: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for number, piece in enumerate(others):
        for start in _telling(piece, block, different):
            found = known.get(piece[start : start + block].tobytes(), ())
            if len(found) > _COMMON:
                continue
            for first, from_ in found:
                if same and ((first, from_) >= (number, start) or (between and first == number)):
                    continue
                matches[first, number, start - from_].append(start)
    runs = []
    for (first, second, offset), starts in matches.items():
        ordered = np.array(sorted(starts))
        for part in np.split(ordered, np.flatnonzero(np.diff(ordered) > 1) + 1):
            at, length = int(part[0]), int(part[-1] - part[0]) + block
            if same and first == second:
                length = min(length, abs(offset))  # a period is no copy
                if length < block:
                    continue
            runs.append(Run(first, at - offset, second, at, length))
    return runs


def _telling(piece: np.ndarray, block: int, different: int) -> Iterable[int]:
    """Where blocks begin that have no gap and enough different values."""
    if len(piece) < block:
        return []
    views = np.lib.stride_tricks.sliding_window_view(piece, block)
    values = np.sort(views, axis=1)
    distinct = 1 + (np.diff(values, axis=1) != 0).sum(axis=1)
    return np.flatnonzero(np.isfinite(views).all(axis=1) & (distinct >= different)).tolist()


# ---------------------------------------------------------------------------------------------------- duplicates


def duplicate_findings(case: ExampleCase) -> list[Finding]:
    """duplicate, near_duplicate: examples of the test part that stand in the training part."""
    exact = case.keys
    findings = _copies(case, exact)
    certain = {row for finding in findings if finding.severity == LEAK for row in _across(case, exact, True)[0]}
    near = _near_groups(case)
    if near is not None:
        findings += _near(case, near, certain)
    return findings


def _copies(case: ExampleCase, keys: Sequence[Hashable]) -> list[Finding]:
    """What stands letter for letter in both parts, long and short; where nothing does, what repeats in one of them."""
    tested, known = _across(case, keys, True)
    short, _ = _across(case, keys, False)
    findings = [_long_copies(case, tested, known)] if len(tested) else []
    findings += [_short_copies(case, short)] if len(short) else []
    inside = _repeated_inside(case, keys)
    return findings or ([_repeated(inside)] if inside else [])


def _long_copies(case: ExampleCase, tested: np.ndarray, known: np.ndarray) -> Finding:
    n = sum(len(test) for _, test in case.folds)
    return Finding(
        "duplicate",
        LEAK,
        f"{len(tested):,} of {n:,} examples of {case.where} stand, letter for letter, in its training part too",
        "keep each of them on one side only: drop the copies, or split by content",
        None,
        case.rows.lines(tested[:100]),
        len(tested),
        _price(case, tested, known),
    )


def _short_copies(case: ExampleCase, short: np.ndarray) -> Finding:
    return Finding(
        "duplicate",
        NOTE,
        f"{len(short):,} short examples of {case.where} stand in its training part too, as short ones do",
        "nothing, unless the real data would not repeat like this",
        None,
        case.rows.lines(short[:100]),
        len(short),
    )


def _repeated(inside: int) -> Finding:
    return Finding(
        "duplicate",
        NOTE,
        f"{inside:,} training examples repeat others of the training part: they count more, and leak nothing",
        "nothing, or drop them",
        None,
        (),
        inside,
    )


def _across(case: ExampleCase, keys: Sequence[Hashable], long: bool) -> tuple[np.ndarray, np.ndarray]:
    """Test rows whose key is in their training part, and the training rows that have it: long ones or short ones."""
    tested, copied = [], []
    telling = case.telling
    for train, test in case.folds:
        by_key: dict[Hashable, list[int]] = defaultdict(list)
        for i in train:
            by_key[keys[i]].append(int(i))
        for i in test:
            if telling[i] == long and keys[i] in by_key and _length(case.frame.inputs[i]):
                tested.append(int(i))
                copied += by_key[keys[i]]
    return np.unique(np.array(tested, dtype=int)), np.unique(np.array(copied, dtype=int))


def _repeated_inside(case: ExampleCase, keys: Sequence[Hashable]) -> int:
    train = case.folds[0][0]
    telling = case.telling
    own = [keys[i] for i in train if telling[i]]
    return len(own) - len(set(own))


def _keys(frame: TextFrame | PanelFrame) -> list[Hashable]:
    if isinstance(frame, PanelFrame):
        return [np.asarray(values, float).tobytes() for values in frame.inputs]
    return [text if isinstance(text, str) else tuple(text) for text in frame.inputs]


def _is_telling(frame: TextFrame | PanelFrame) -> np.ndarray:
    """Which examples are too long, or have too many different values, to repeat by chance: bool (examples,)."""
    if isinstance(frame, PanelFrame):
        return np.array([_varied(np.asarray(values)) for values in frame.inputs])
    return np.array(
        [_length(text) >= _LONG_TEXT and len(set(_words(text))) >= _LONG_TEXT // 2 for text in frame.inputs]
    )


def _varied(values: np.ndarray) -> bool:
    """Bits of the values, as if drawn from their own frequencies; 60 do not repeat by chance."""
    bits = 0.0
    for channel in values.T:
        _, counts = np.unique(channel[np.isfinite(channel)], return_counts=True)
        if len(counts) >= _DIFFERENT:
            share = counts / counts.sum()
            bits += float(-(counts * np.log2(share)).sum())
    return bits >= 60


def _length(example: Any) -> int:
    return len(_words(example)) if not isinstance(example, np.ndarray) else len(example)


def _words(text: Any) -> list[str]:
    return text.split() if isinstance(text, str) else [str(token) for token in text]


def _price(case: ExampleCase, tested: np.ndarray, known: np.ndarray) -> Cost | None:
    frame = case.frame
    if not isinstance(frame, TextFrame) or frame.targets is None or frame.targets.task != "classification":
        return None
    train = next((train for train, test in case.folds if np.isin(tested, test).any()), case.folds[0][0])
    errors = text_error(frame.inputs, case.labels, train, tested, np.intersect1d(known, train))
    return None if errors is None else Cost("error on these examples", *errors, "the nearest text by its words")


# ---------------------------------------------------------------------------------------------------- near duplicates


def _near_groups(case: ExampleCase) -> list[tuple[int, int]] | None:
    """Pairs of examples that are nearly the same."""
    if isinstance(case.frame, PanelFrame):
        return _near_panels(case.frame)
    return _near_texts([_plain_words(text) for text in case.frame.inputs])


def _near_texts(texts: Sequence[list[str]]) -> list[tuple[int, int]]:
    """Pairs of texts of which one holds most runs of five words of the other.

    Of many texts only every eighth run, by its hash, is looked up; the pairs found are then compared whole.
    """
    lengths = np.array([len(words) for words in texts])
    number, _ = pd.factorize(np.array([word for words in texts for word in words], dtype=object))
    flat = number.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    n = max(len(flat) - _SHINGLE + 1, 0)
    shingle = np.zeros(n, np.uint64)
    for k in range(_SHINGLE):
        shingle = shingle * np.uint64(1_000_003) + (flat[k : k + n] ^ (flat[k : k + n] >> np.uint64(29)))
    text = np.repeat(np.arange(len(texts)), lengths)
    whole = text[:n] == text[_SHINGLE - 1 : _SHINGLE - 1 + n]  # not from the end of one text into the next
    shingle, text = shingle[whole], text[:n][whole]
    if n > _MANY_SHINGLES:
        kept = (shingle * np.uint64(0xD6E8FEB86659FD93)) >> np.uint64(61) == 0
        some, of = shingle[kept], text[kept]
    else:
        some, of = shingle, text
    starts = np.searchsorted(text, np.arange(len(texts) + 1))
    pairs = _sharing(some, of)
    sets: dict[int, set[int]] = {}

    def own(i: int) -> set[int]:
        if i not in sets:
            sets[i] = set(shingle[starts[i] : starts[i + 1]].tolist())
        return sets[i]

    return [
        (a, b)
        for a, b in pairs
        if min(len(own(a)), len(own(b))) >= _FEWEST_SHINGLES
        and len(own(a) & own(b)) >= _ALIKE * max(len(own(a)), len(own(b)))
    ]


def _sharing(shingle: np.ndarray, text: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of texts that share at least three runs of words, or a third of what the shorter one has."""
    order = np.lexsort((text, shingle))
    shingle, text = shingle[order], text[order]
    first = np.ones(len(text), bool)
    first[1:] = (shingle[1:] != shingle[:-1]) | (text[1:] != text[:-1])
    shingle, text = shingle[first], text[first]
    counts = np.bincount(text) if len(text) else np.empty(0, int)
    begins = np.flatnonzero(np.concatenate([[True], shingle[1:] != shingle[:-1]])) if len(shingle) else np.empty(0, int)
    sizes = np.diff(np.append(begins, len(shingle)))
    found = []
    for size in range(2, _COMMON + 1):
        of_size = begins[sizes == size]
        if len(of_size):
            members = text[of_size[:, None] + np.arange(size)]
            for a in range(size):
                for b in range(a + 1, size):
                    found.append(members[:, [a, b]])
    if not found:
        return []
    pairs, shared = np.unique(np.concatenate(found), axis=0, return_counts=True)
    enough = (shared >= 3) | (3 * shared >= counts[pairs].min(axis=1))
    return [(int(a), int(b)) for a, b in pairs[enough]]


def _near_panels(frame: PanelFrame) -> list[tuple[int, int]]:
    """Pairs of sequences that are the same in another unit, or rounded differently."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for i, values in enumerate(frame.inputs):
        array = np.asarray(values, float)
        if not _varied(array):
            continue
        deviation = np.nanstd(array, axis=0)
        scaled = (array - np.nanmean(array, axis=0)) / np.where(deviation > 0, deviation, 1)
        groups[(array.shape, np.round(scaled, 2).tobytes())].append(i)
    return [(a, b) for rows in groups.values() for k, a in enumerate(rows) for b in rows[k + 1 :]]


def _near(case: ExampleCase, pairs: list[tuple[int, int]], certain: set[int]) -> list[Finding]:
    keys = case.keys
    pairs = [(a, b) for a, b in pairs if keys[a] != keys[b]]
    if not pairs:
        return []
    rows = np.array(pairs)
    observed, expected, tested, known = _against_chance(case, rows)
    tested = np.array([i for i in tested if i not in certain], dtype=int)
    if not len(tested):
        return []
    n = sum(len(test) for _, test in case.folds)
    leak = observed > expected
    what = f"{len(tested):,} of {n:,} examples of {case.where} are nearly the same as one of its training part"
    if leak:
        text = f"{what}; if the pairs were spread by chance, at most {expected:,.0f} pairs of {observed:,} would be"
    else:
        text = f"{what}, no more than chance spreads the {len(pairs):,} pairs that there are"
    severity = LEAK if leak and case.is_given else WARNING if leak else NOTE
    return [
        Finding(
            "near_duplicate",
            severity,
            text,
            "keep versions of one thing on one side: drop them, or split by group",
            None,
            case.rows.lines(tested[:100]),
            len(tested),
            _price(case, tested, known) if leak else None,
        )
    ]


def _against_chance(case: ExampleCase, pairs: np.ndarray) -> tuple[int, float, np.ndarray, np.ndarray]:
    """Pairs across training and test, the most that shuffling the split gives, the test and training rows in them."""
    train, test = case.folds[0]
    side = np.zeros(len(case.frame), int)
    side[train], side[test] = 1, 2
    used = np.flatnonzero(side)
    ends = side[pairs]
    across = (ends.min(axis=1) == 1) & (ends.max(axis=1) == 2)
    random, most = np.random.default_rng(0), 0
    for _ in range(_SHUFFLES):
        mixed = side.copy()
        mixed[used] = random.permutation(side[used])
        ends = mixed[pairs]
        most = max(most, int(((ends.min(axis=1) == 1) & (ends.max(axis=1) == 2)).sum()))
    concerned = np.unique(pairs[across])
    return int(across.sum()), float(most), concerned[side[concerned] == 2], concerned[side[concerned] == 1]


def _plain_words(text: Any) -> list[str]:
    joined = text if isinstance(text, str) else " ".join(map(str, text))
    return re.findall(r"\w+", joined.lower())


# ---------------------------------------------------------------------------------------------------- windows, groups


def overlap_findings(case: ExampleCase) -> list[Finding]:
    """overlapping_windows: sequences of the test part that share steps with one of the training part."""
    frame = case.frame
    if not isinstance(frame, PanelFrame):
        return []
    pieces = [np.ascontiguousarray(np.asarray(values, float)[:, 0]) for values in frame.inputs]
    keys = case.keys
    runs = [
        run
        for run in common_runs(pieces, pieces, _SHARED, _DIFFERENT, between=True)
        if keys[run.first] != keys[run.second] and run.from_ != run.at
    ]
    shortest = 0.25
    runs = [r for r in runs if r.length >= max(_SHARED, shortest * min(len(pieces[r.first]), len(pieces[r.second])))]
    tested: set[int] = set()
    for train, test in case.folds:
        side = np.zeros(len(frame), int)
        side[train], side[test] = 1, 2
        for run in runs:
            both = {int(side[run.first]), int(side[run.second])}
            if both == {1, 2}:
                tested.add(run.first if side[run.first] == 2 else run.second)
    if not tested:
        return []
    n = sum(len(test) for _, test in case.folds)
    rows = np.array(sorted(tested))
    return [
        Finding(
            "overlapping_windows",
            LEAK,
            f"{len(rows):,} of {n:,} sequences of {case.where} share at least a quarter of their steps with one of its "
            "training part: they are windows cut from the same record",
            "split the records first and cut windows afterwards, or give the record's name as `group`",
            None,
            case.rows.lines(rows[:100]),
            len(rows),
        )
    ]


def group_findings(case: ExampleCase, name: str, groups: np.ndarray) -> list[Finding]:
    """group_overlap: groups (patients, authors, machines) with examples in both training and test."""
    tested: set[int] = set()
    both: set[Any] = set()
    for train, test in case.folds:
        known = {groups[i] for i in train}
        tested |= {int(i) for i in test if groups[i] in known}
        both |= {groups[i] for i in test if groups[i] in known}
    if not tested:
        return _kept_together(case, name, groups)
    n = sum(len(test) for _, test in case.folds)
    rows = np.array(sorted(tested))
    fix = "give a test set of other groups (`test` or `split`), or none: folds keep groups together"
    return [
        Finding(
            "group_overlap",
            LEAK,
            f"{len(rows):,} of {n:,} examples of {case.where} belong to one of {len(both):,} groups of {name!r} that "
            "its training part knows: how well new groups are predicted is not measured",
            fix,
            name,
            case.rows.lines(rows[:100]),
            len(rows),
        )
    ]


def _kept_together(case: ExampleCase, name: str, groups: np.ndarray) -> list[Finding]:
    """Say whether random folds would have split groups: a comparison has to be told the same."""
    sizes = np.bincount(groups)
    shared = np.flatnonzero(sizes[groups] > 1)
    if case.is_given or not len(shared):
        return []
    return [
        Finding(
            "group_overlap",
            NOTE,
            f"{len(shared):,} of {len(groups):,} examples share their group of {name!r} with others; these folds keep "
            "groups together, folds without `group` would not",
            f"name {name!r} as `group` wherever these data are compared, fitted or split",
            name,
            case.rows.lines(shared[:100]),
            len(shared),
        )
    ]
