"""Labels given away: by a word of the text, by a number that names the example, by when it was made."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from ...frames import PanelFrame, TextFrame
from .copies import ExampleCase
from .finding import LEAK, WARNING, Cost, Finding
from .prices import text_error
from .series_checks import scaled_how

# A word gives a class away if nearly all texts with it are of that class, and nearly all of the class has it: words of
# opinion are legitimate, and never that common. Of a word that spells the label, such as stars:5, a part is enough.
_PURE, _COVERED, _COVERED_BY_NAME = 0.99, 0.9, 0.2
_FEWEST_TEXTS = 10
# A rule must be as unlikely as this by chance, after counting how many rules were tried.
_BY_CHANCE = 1e-6
# Training rows this share of which are newer than the first test row: not a split in time.
_NEWER = 0.01


def label_in_text_findings(case: ExampleCase) -> tuple[list[Finding], int]:
    """label_in_text: words that stand in the texts of one class only, and in a good part of them."""
    frame = case.frame
    if not isinstance(frame, TextFrame) or frame.targets is None or frame.targets.task != "classification":
        return [], 0
    labels = np.array([str(v) for v in frame.targets.values], dtype=object)
    sizes = Counter(labels.tolist())
    texts = [_marks(text) for text in frame.inputs]
    total = Counter(word for words in texts for word in words)
    frequent = {word for word, n in total.items() if n >= _FEWEST_TEXTS}
    by_class: dict[str, Counter[str]] = {name: Counter() for name in sizes}
    for words, label in zip(texts, labels, strict=True):
        by_class[label].update(words & frequent)
    found: dict[str, list[str]] = {}
    for label, counts in by_class.items():
        prior = sizes[label] / len(labels)
        for word, n in counts.items():
            pure = n / total[word]
            unlikely = n * np.log(max(prior, 1e-12)) + np.log(max(len(frequent), 1)) < np.log(_BY_CHANCE)
            least = _COVERED_BY_NAME if _names(word, label) else _COVERED
            if pure >= _PURE and n >= least * sizes[label] and unlikely:
                found.setdefault(label, []).append(word)
    if not found:
        return [], len(frequent)
    words_ = sorted({word for words in found.values() for word in words}, key=lambda w: -total[w])
    rows = np.array([i for i, words in enumerate(texts) if not words.isdisjoint(words_)])
    # one sign of each class is enough to see, the rest goes with it
    shown = ", ".join(repr(word) for word in words_[:5]) + (" and more" if len(words_) > 5 else "")
    cost = _price_of_words(case, set(words_))
    return [
        Finding(
            "label_in_text",
            LEAK,
            f"the words {shown} stand (nearly) only in texts of one class, and in a large part of them: the text "
            "names its own label",
            "remove them from the texts, unless new texts will have them too",
            frame.roles.get("text"),
            case.rows.lines(rows[:100]),
            len(rows),
            cost,
        )
    ], len(frequent)


def _names(word: str, label: str) -> bool:
    """Whether a word spells a label with something beside it: ``stars:5``, ``[pos]``, ``label=spam``."""
    return label.lower() in re.split(r"[^a-z0-9]+", word) and word != label.lower()


def _marks(text: Any) -> set[str]:
    """Words of a text, with what stands at them, such as ``label=3`` and ``[pos]``."""
    return set(text.lower().split()) if isinstance(text, str) else {str(token).lower() for token in text}


def _price_of_words(case: ExampleCase, words: set[str]) -> Cost | None:
    train, test = case.folds[0]
    inputs = case.frame.inputs
    cleaned = [
        " ".join(w for w in (t.split() if isinstance(t, str) else map(str, t)) if w.lower() not in words)
        for t in inputs
    ]
    errors = []
    for texts in (inputs, cleaned):
        measured = text_error(texts, case.labels, train, test, np.empty(0, int))
        if measured is None:
            return None
        errors.append(measured[1])
    return Cost("error", errors[0], errors[1], "the nearest text by its words")


def identifier_findings(case: ExampleCase) -> tuple[list[Finding], int]:
    """identifier: a number that names the example (a channel that never changes, a number in the text) tells its class.

    A number separates any labels if it has as many values as there are examples; so it is ordered, and the labels must
    form runs along it far longer than chance makes them.
    """
    frame = case.frame
    if frame.targets is None or frame.targets.task != "classification":
        return [], 0
    labels = np.array([str(v) for v in frame.targets.values], dtype=object)
    candidates: dict[str, np.ndarray] = {}
    if isinstance(frame, PanelFrame):
        for channel, name in enumerate(frame.channels):
            ends = [(v[:, channel].min(), v[:, channel].max()) for v in map(np.asarray, frame.inputs) if len(v)]
            if len(ends) == len(frame) and all(low == high for low, high in ends):
                candidates[str(name)] = np.array([low for low, _ in ends], float)
    else:
        numbers = [re.search(r"\d{2,}", t if isinstance(t, str) else " ".join(map(str, t))) for t in frame.inputs]
        if sum(n is not None for n in numbers) >= 0.9 * len(numbers):
            candidates["a number in the text"] = np.array([np.nan if n is None else float(n[0][:15]) for n in numbers])
    findings = []
    for name, values in candidates.items():
        if len(np.unique(values[np.isfinite(values)])) < 3 or not _tells(values, labels, len(candidates)):
            continue
        rows = np.arange(len(frame))
        findings.append(
            Finding(
                "identifier",
                LEAK,
                f"{name!r} names the example rather than describing it, and tells its label: along it the labels stand "
                "in long runs",
                "leave it out: new examples will have other numbers",
                name,
                case.rows.lines(rows[:100]),
                len(frame),
            )
        )
    return findings, len(candidates)


def _tells(values: np.ndarray, labels: np.ndarray, tried: int) -> bool:
    """Whether labels in the order of the values change hardly ever: a test of runs, corrected for the number tried."""
    known = np.isfinite(values)
    values, labels = values[known], labels[known]
    changes, expected, deviation = _runs(values, labels)
    if deviation == 0:
        return False
    from scipy import stats

    p = float(stats.norm.cdf((changes - expected) / deviation)) * max(tried, 1)
    return p < _BY_CHANCE and changes <= 0.1 * expected


def _runs(values: np.ndarray, labels: np.ndarray) -> tuple[int, float, float]:
    """Changes of label along the values, what shuffled labels give, and how much that varies.

    Examples of one value stand in the order that has the most changes they could have, so that few values tell little.
    """
    random = np.random.default_rng(0)
    order = np.lexsort((random.random(len(values)), values))
    changes = int((labels[order][1:] != labels[order][:-1]).sum())
    mixed = [int((m[1:] != m[:-1]).sum()) for m in (random.permutation(labels) for _ in range(50))]
    return changes, float(np.mean(mixed)), float(np.std(mixed))


# ---------------------------------------------------------------------------------------------------- time


def time_findings(case: ExampleCase, name: str, stamps: np.ndarray) -> list[Finding]:
    """test_before_training, time_tells_label: what the dates of the examples say of the split and of the labels."""
    times = pd.to_datetime(pd.Series(stamps, dtype=object), errors="coerce", format="mixed", utc=True)
    seconds = times.astype("int64").to_numpy().astype(float)
    seconds[times.isna().to_numpy()] = np.nan
    return [*_before(case, name, seconds), *_tells_label(case, name, seconds)]


def _before(case: ExampleCase, name: str, seconds: np.ndarray) -> list[Finding]:
    train, test = case.folds[0]
    first = np.nanmin(seconds[test])
    newer = train[seconds[train] > first]  # a training row of the same moment is not newer
    if len(newer) < max(1, _NEWER * len(train)):
        return []
    share = len(newer) / len(train)
    return [
        Finding(
            "test_before_training",
            LEAK if case.is_given else WARNING,
            f"{len(newer):,} training examples ({share:.0%}) are newer, by {name!r}, than the oldest one of "
            f"{case.where}: the model is tested on a past whose future it has read",
            "split at a date: train on what is older (a file for `test`, or a column for `split`)",
            name,
            case.rows.lines(newer[:100]),
            len(newer),
        )
    ]


def _tells_label(case: ExampleCase, name: str, seconds: np.ndarray) -> list[Finding]:
    targets = case.frame.targets
    if targets is None or targets.task != "classification":
        return []
    labels = np.array([str(v) for v in targets.values], dtype=object)
    if not _tells(seconds, labels, 1):
        return []
    return [
        Finding(
            "time_tells_label",
            LEAK,
            f"the labels stand in long runs along {name!r}: when an example was made tells its class, and so does "
            "anything in it that changes with time",
            "collect all classes over the same time, or compare within short times only",
            name,
            case.rows.lines(np.arange(min(100, len(labels)))),
            len(labels),
        )
    ]


# ---------------------------------------------------------------------------------------------------- scaling


def panel_scaling_findings(case: ExampleCase) -> list[Finding]:
    """scaled_on_all_rows: a channel with mean 0 and deviation 1, or a round range, over training and test together."""
    frame = case.frame
    if not isinstance(frame, PanelFrame):
        return []
    lengths = np.array([len(v) for v in frame.inputs])
    tested = np.zeros(len(frame), bool)
    tested[case.folds[0][1]] = True
    after = np.repeat(tested, lengths)
    findings = []
    for channel, name in enumerate(frame.channels):
        values = np.concatenate([np.asarray(v, float)[:, channel] for v in frame.inputs])
        how = scaled_how(values, after)
        each = [np.nanmean(np.asarray(v, float)[:, channel]) for v in frame.inputs[:50] if len(v)]
        if how is None or np.abs(each).max() < 1e-3:  # each sequence by itself: it knows no other
            continue
        findings.append(
            Finding(
                "scaled_on_all_rows",
                LEAK,
                f"channel {name!r} {how} over all sequences, those of the test included: it was scaled with numbers "
                "that nobody knows before the test (mostly of little effect)",
                "give the values as they were measured; recurra scales by the training sequences",
                str(name),
                case.rows.lines(np.flatnonzero(tested)[:100]),
                int(tested.sum()),
                _price_of_scaling(frame, channel, case),
            )
        )
    return findings


def _price_of_scaling(frame: PanelFrame, channel: int, case: ExampleCase) -> Cost | None:
    """Error of a linear model on each sequence's summary, scaled by all sequences or by the training ones."""
    from sklearn.linear_model import LogisticRegression

    if frame.targets is None or frame.targets.task != "classification":
        return None
    train, test = case.folds[0]
    summary = np.array(
        [
            [f(np.asarray(v, float)[:, channel]) for f in (np.nanmean, np.nanstd, np.nanmin, np.nanmax)]
            for v in frame.inputs
        ]
    )
    summary = np.nan_to_num(summary)
    labels = np.array([str(v) for v in frame.targets.values])
    errors = []
    for rows in (np.arange(len(frame)), train):
        x = (summary - summary[rows].mean(axis=0)) / np.where(
            summary[rows].std(axis=0) > 0, summary[rows].std(axis=0), 1
        )
        model = LogisticRegression(max_iter=300).fit(x[train], labels[train])
        errors.append(float((model.predict(x[test]) != labels[test]).mean()))
    return Cost("error", errors[0], errors[1], "logistic regression on mean, deviation and range")
