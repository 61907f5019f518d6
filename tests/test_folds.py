"""Folds of every splitter: nothing is learnt from, validated on and scored at once, and nothing is lost."""

import dataclasses
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.errors import InputError
from recurra.frames import CorpusFrame, PanelFrame, SeriesFrame, TextFrame
from recurra.frames.targets import Targets, objects
from recurra.pipelines import (
    Fold,
    LanguagePipeline,
    RowRange,
    TextRange,
    Windows,
    corpus_fold,
    rolling_origin,
    single_split,
    stratified_folds,
    stratified_split,
)

# The nouns


def test_selections_have_names_and_ranges_count_their_rows():
    fold = Fold(1, "a", "b", "c")
    assert fold.named() == {"train": "a", "validation": "b", "test": "c"}
    assert RowRange(np.array([0, 5]), np.array([3, 5])).n_rows == 3
    assert RowRange(np.array([2]), np.array([9])).max_windows is None


def test_text_ranges_are_values():
    # a pipeline keeps the ids of a range under the range itself
    assert TextRange(3, 8) == TextRange(3, 8) != TextRange(3, 9)
    assert len({TextRange(3, 8), TextRange(3, 8), TextRange(0, 8)}) == 2


# Rows of series


@st.composite
def series(draw):
    """Several series, their rows dated or merely counted; the first one is long enough for three folds."""
    lengths = [60, *draw(st.lists(st.integers(1, 80), max_size=3))]
    table = pd.DataFrame({"unique_id": np.repeat([f"s{i}" for i in range(len(lengths))], lengths), "y": 1.5})
    if draw(st.booleans()):
        return SeriesFrame.from_table(table, time="none", id="unique_id")
    # the first one ends last, so that every fold has its rows
    ends = [100, *(draw(st.integers(n, 100)) for n in lengths[1:])]
    days = [pd.date_range("2024-01-01", periods=end)[-n:] for end, n in zip(ends, lengths, strict=True)]
    return SeriesFrame.from_table(table.assign(ds=np.concatenate(days)))


SIZES = {"lookback": 4, "horizon": 2}
FOLDS = st.integers(1, 3)
MOST = st.sampled_from([1, 2, 500])


def rows_of(rows, lengths):
    """Which rows of the table are selected: (rows,)."""
    number = np.concatenate([np.arange(n) for n in lengths])
    return (number >= np.repeat(rows.start, lengths)) & (number < np.repeat(rows.stop, lengths))


def targets_of(rows, lengths):
    """Rows of the table that the targets of a selection's windows have: (windows, horizon)."""
    starts = Windows.selected(lengths, rows, **SIZES).starts()
    return starts[:, None] + SIZES["lookback"] + np.arange(SIZES["horizon"])


@given(series(), FOLDS, st.integers(2, 6), st.integers(2, 6))
def test_a_cutoff_parts_the_rows_and_loses_none(frame, n_folds, test_size, validation_size):
    lengths = frame.lengths
    folds = rolling_origin(frame, **SIZES, n_folds=n_folds, test_size=test_size, validation_size=validation_size)
    assert [fold.index for fold in folds] == list(range(n_folds))
    for fold in folds:
        train, validation, test = fold.named().values()
        assert not train.start.any()
        assert (train.stop == validation.start).all()
        assert (validation.stop == test.start).all()
        assert all((rows.start <= rows.stop).all() for rows in (train, validation, test))
        times_selected = sum(rows_of(rows, lengths).astype(int) for rows in (train, validation, test))
        known = RowRange(np.zeros_like(lengths), test.stop)
        assert times_selected.tolist() == rows_of(known, lengths).astype(int).tolist()
    for older, newer in pairwise(folds):
        assert (older.test.stop == newer.test.start).all()  # no row is scored twice, and none between is left out
        assert (older.train.stop <= newer.train.stop).all()
    assert (folds[-1].test.stop == lengths).all()


@given(series(), FOLDS, MOST)
def test_no_row_is_a_target_of_two_selections(frame, n_folds, most):
    lengths = frame.lengths
    folds = rolling_origin(frame, **SIZES, n_folds=n_folds, max_validation_windows=most, max_test_windows=most)
    for fold in folds:
        targets = {name: targets_of(rows, lengths) for name, rows in fold.named().items()}
        for name, rows in fold.named().items():
            assert rows_of(rows, lengths)[targets[name]].all()
        sets = [set(rows.ravel().tolist()) for rows in targets.values()]
        assert sum(map(len, sets)) == len(set.union(*sets))
        # inputs of training windows lie before the validation rows too
        first = Windows.selected(lengths, fold.train, **SIZES).starts()
        assert rows_of(fold.train, lengths)[first].all()
        for name in ("validation", "test"):
            assert Windows.selected(lengths, fold.named()[name], **SIZES).count.max() <= most


@given(series(), st.integers(2, 9))
def test_a_single_split_keeps_every_row_and_scores_none(frame, validation_size):
    fold = single_split(frame, **SIZES, validation_size=validation_size)
    lengths = frame.lengths
    parted = rows_of(fold.train, lengths).astype(int) + rows_of(fold.validation, lengths)
    assert (parted == 1).all()
    assert fold.test.n_rows == 0
    assert len(Windows.selected(lengths, fold.test, **SIZES)) == 0


# Examples


def labelled(labels, is_test=None):
    return TextFrame(objects([""] * len(labels)), Targets("classification", "y", objects(labels)), is_test=is_test)


def measured(values):
    return PanelFrame([np.zeros((1, 1))] * len(values), Targets("regression", "y", np.array(values, float)), ("x",))


def tagged(n):
    tags = Targets("tagging", "y", objects([["a", "b"]] * n))
    return PanelFrame([np.zeros((2, 1))] * n, tags, ("x",))


LABELS = st.lists(st.sampled_from(["a", "b", "c", 1, 2]), min_size=6, max_size=60)
FRAMES = st.one_of(
    LABELS.map(lambda labels: labelled(["a", "a", *labels])),
    st.lists(st.floats(-9, 9), min_size=6, max_size=60).map(measured),
    st.integers(6, 60).map(tagged),
    st.integers(6, 60).map(lambda n: TextFrame(objects(["line"] * n), None)),
)
FRACTIONS = st.sampled_from([0.05, 0.1, 0.5])
WHICH = st.sampled_from(["random", "last"])


def classes(frame):
    """What has to be balanced: the class of each example, one for all where there are none."""
    if frame.targets is None or frame.targets.task != "classification":
        return np.zeros(len(frame), int)
    values = list(frame.targets.values)
    return np.array([values.index(value) for value in values])


def assert_parted(fold, rows):
    """Every one of the rows is in one selection, and in no other."""
    together = np.concatenate([fold.train, fold.validation, fold.test])
    assert sorted(together.tolist()) == sorted(rows)
    assert len(fold.train)
    assert len(fold.validation)


@given(FRAMES, st.integers(2, 3), FRACTIONS, WHICH, st.integers(0, 99))
def test_each_example_is_tested_once_and_classes_are_balanced_within_one(frame, n_folds, fraction, which, seed):
    folds, _ = stratified_folds(frame, n_folds=n_folds, validation_fraction=fraction, validation=which, seed=seed)
    for fold in folds:
        assert_parted(fold, range(len(frame)))
    number = classes(frame)
    alone = [i for i in range(len(frame)) if (number == number[i]).sum() == 1 and len(set(number)) > 1]
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted([*tested, *alone]) == list(range(len(frame)))
    for fold in folds:
        assert set(alone) <= set(fold.train.tolist())
    for one in set(number.tolist()):
        counts = [(number[fold.test] == one).sum() for fold in folds]
        assert max(counts) - min(counts) <= 1
    sizes = [len(fold.test) for fold in folds]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("which", ["random", "last"])
@pytest.mark.parametrize("place", [0, 2, 4, 6])
def test_the_only_example_of_a_class_is_learnt_from_even_where_every_class_has_one_left(which, place):
    labels = ["a", "a", "b", "b", "c", "c"]
    frame = labelled([*labels[:place], "alone", *labels[place:]])
    for seed in range(20):
        folds, _ = stratified_folds(frame, n_folds=2, validation_fraction=0.05, validation=which, seed=seed)
        assert all(place in fold.train for fold in folds)


@given(FRAMES, st.integers(0, 99))
def test_a_single_fold_tests_a_fifth(frame, seed):
    [fold], _ = stratified_folds(frame, n_folds=1, seed=seed)
    assert_parted(fold, range(len(frame)))
    number = classes(frame)
    often = [one for one in set(number.tolist()) if (number == one).sum() > 1]
    assert len(fold.test) == -(-sum((number == one).sum() for one in often) // 5)
    for one in often:
        exact = (number == one).sum() / 5
        assert exact - 1 < (number[fold.test] == one).sum() < exact + 1


@given(FRAMES, FRACTIONS, WHICH, st.integers(0, 99))
def test_a_final_split_keeps_every_example(frame, fraction, which, seed):
    fold = stratified_split(frame, validation_fraction=fraction, validation=which, seed=seed)
    assert_parted(fold, range(len(frame)))
    assert len(fold.test) == 0


@given(LABELS.map(lambda labels: ["a", "b", *labels]), st.data(), FRACTIONS, WHICH)
def test_a_held_out_test_set_is_neither_learnt_from_nor_validated_on(labels, data, fraction, which):
    held_out = data.draw(st.lists(st.booleans(), min_size=len(labels) - 3, max_size=len(labels) - 3))
    is_test = np.array([False, False, *held_out, True])
    frame = labelled(labels, is_test)
    [fold], _ = stratified_folds(frame, validation_fraction=fraction, validation=which)
    assert_parted(fold, range(len(labels)))
    assert fold.test.tolist() == np.flatnonzero(is_test).tolist()
    final = stratified_split(frame, validation_fraction=fraction, validation=which)
    assert_parted(final, np.flatnonzero(~is_test))


# Groups


@st.composite
def grouped(draw):
    """Examples of every kind, in a few groups or in many, the groups of any sizes and in any order."""
    frame = draw(FRAMES)
    n_groups = draw(st.integers(6, 12))
    drawn = draw(st.lists(st.integers(0, n_groups - 1), min_size=len(frame), max_size=len(frame)))
    groups = np.array(drawn)
    groups[: min(6, len(frame))] = np.arange(min(6, len(frame)))  # six at least
    return dataclasses.replace(frame, groups=groups)


def assert_no_group_is_split(fold, groups):
    sides = [set(groups[part].tolist()) for part in (fold.train, fold.validation, fold.test)]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]


@given(grouped(), st.integers(1, 3), FRACTIONS, WHICH, st.integers(0, 99))
def test_no_cut_goes_through_a_group(frame, n_folds, fraction, which, seed):
    try:
        folds, _ = stratified_folds(frame, n_folds=n_folds, validation_fraction=fraction, validation=which, seed=seed)
    except InputError as error:  # two large groups can leave a fold one to learn from
        assert "belong to one group" in str(error)  # noqa: PT017
        return
    for fold in folds:
        assert_parted(fold, range(len(frame)))
        assert_no_group_is_split(fold, frame.groups)
        assert len(fold.test)
    if n_folds > 1:
        assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(len(frame)))
    final = stratified_split(frame, validation_fraction=fraction, validation=which, seed=seed)
    assert_parted(final, range(len(frame)))
    assert_no_group_is_split(final, frame.groups)


def test_groups_are_dealt_out_so_that_classes_keep_their_proportions():
    random = np.random.default_rng(0)
    groups = random.permutation(np.repeat(np.arange(60), 5))
    labels = ["ab"[kind] for kind in (groups % 3 == 0).astype(int)]
    frame = dataclasses.replace(labelled(labels), groups=groups)
    for fold in stratified_folds(frame, n_folds=3, seed=1)[0]:
        for part, size in ((fold.test, 100), (fold.validation, 20)):
            assert abs(len(part) - size) <= 5
            assert abs(np.mean([labels[i] == "b" for i in part]) - 1 / 3) <= 0.1


def test_too_few_groups_are_refused_with_what_would_do():
    frame = dataclasses.replace(labelled(["a", "b"] * 10), groups=np.repeat([0, 1, 2], [8, 6, 6]))
    with pytest.raises(InputError, match="3 groups are too few for 3 folds with a validation part of other groups"):
        stratified_folds(frame, n_folds=3)
    alone = dataclasses.replace(frame, groups=np.zeros(20, int))
    with pytest.raises(InputError, match="all examples to learn from belong to one group"):
        stratified_split(alone)


def test_a_held_out_test_set_keeps_its_rows_and_validation_its_groups():
    is_test = np.arange(40) >= 30
    groups = np.arange(40) % 10
    frame = dataclasses.replace(labelled(["a", "b"] * 20, is_test), groups=groups)
    [fold], _ = stratified_folds(frame)
    assert fold.test.tolist() == list(range(30, 40))
    assert not set(groups[fold.train]) & set(groups[fold.validation])


def test_unknown_words_for_the_validation_set_are_refused():
    with pytest.raises(ValueError, match=r"`validation` must be one of .*'random', 'last'.*'newest'"):
        stratified_split(labelled(["a", "b", "a"]), validation="newest")


# Long texts

TEXTS = st.text(st.sampled_from("ab \n"), min_size=3, max_size=400)


@given(TEXTS, st.one_of(st.none(), st.tuples(st.integers(0, 400), st.integers(0, 400))))
def test_ranges_of_a_text_join_to_the_text(text, cuts):
    cuts = cuts and tuple(sorted(min(cut, len(text)) for cut in cuts))
    frame = CorpusFrame(text, cuts)
    fold = corpus_fold(frame)
    ranges = list(fold.named().values())
    assert ranges[0].start == 0
    assert [r.stop for r in ranges] == [*(r.start for r in ranges[1:]), len(text)]
    assert all(0 <= r.start <= r.stop for r in ranges)
    assert tuple(text[r.start : r.stop] for r in ranges) == frame.splits


@settings(max_examples=20)
@given(st.text(st.sampled_from("abc"), min_size=1, max_size=60), st.data())
def test_a_pipeline_reads_of_a_text_what_the_range_holds(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    some = TextRange(start, data.draw(st.integers(start + 1, len(text))))
    pipeline = LanguagePipeline(tokens="char", bptt_steps=4, parallel_streams=2).fit(CorpusFrame("abc", None))
    batches = pipeline.batches(pipeline.encode(CorpusFrame(text, None)), some)
    assert pipeline.text(batches.ids) == text[some.start : some.stop]
    learnt = LanguagePipeline(tokens="char").fit(CorpusFrame(text, None), some)
    assert set(learnt.vocabulary_.words) == set(text[some.start : some.stop])


def test_a_text_without_a_test_set_is_refused():
    frame = CorpusFrame("abc" * 9, (20, 27))
    pipeline = LanguagePipeline(tokens="char").fit(frame)
    with pytest.raises(InputError, match="the test text holds no char token at all"):
        pipeline.settle_batch_size(pipeline.encode(frame), corpus_fold(frame))
