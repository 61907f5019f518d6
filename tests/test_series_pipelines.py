"""Series: windows, filling, scaling, folds; and that nothing after a cutoff reaches a forecast made at it."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recurra import models
from recurra.baselines import FORECAST_BASELINES
from recurra.errors import InputError
from recurra.frames import SeriesFrame
from recurra.pipelines import (
    EncodedSeries,
    RowRange,
    SeriesPipeline,
    Windows,
    rolling_origin,
    single_split,
    window_table,
)
from recurra.pipelines import channels as channels_module
from recurra.pipelines.calendar import calendar_features, calendar_features_in_graph, feature_names
from recurra.pipelines.fill import fill_window
from recurra.pipelines.windows import gather, numbers_in_order, numbers_shuffled
from recurra.predictor.forecast import ForecastNetwork
from recurra.tasks.forecast import Forecast
from recurra.tasks.forecast_fold import ForecastFold
from recurra.tasks.forecast_test_set import ForecastTestSet
from recurra.training import FitOptions, Trainer

NAN = np.nan


def counted(*lengths, **columns):
    """Series whose rows are merely counted; y is the row's number in the table."""
    n = sum(lengths)
    ids = np.repeat([f"s{i}" for i in range(len(lengths))], lengths)
    return SeriesFrame.from_table(
        pd.DataFrame({"unique_id": ids, "y": np.arange(n, dtype="float64"), **columns}), time="none", id="unique_id"
    )


def with_y(frame, y):
    """The frame with other values."""
    return replace(frame, table=frame.table.assign(y=np.asarray(y, "float64")))


def first_rows(*rows):
    """The first rows of each series."""
    return RowRange(np.zeros(len(rows), int), np.array(rows))


def rows_between(start, stop):
    """Rows of each series from `start` up to `stop`."""
    return RowRange(np.atleast_1d(start), np.atleast_1d(stop))


def dated(*spans):
    """Daily series, each from its first to its last day of 2024 (both counted from 0)."""
    parts = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": pd.date_range("2024-01-01", periods=last + 1)[first:], "y": 1.5})
        for i, (first, last) in enumerate(spans)
    ]
    return SeriesFrame.from_table(pd.concat(parts))


# Windows


@st.composite
def cut_series(draw):
    """A frame, bounds of a selection of it, and the sizes of its windows."""
    frame = counted(*draw(st.lists(st.integers(1, 25), min_size=1, max_size=4)))
    bounds = [sorted(draw(st.tuples(*[st.integers(0, int(n))] * 2))) for n in frame.lengths]
    start, stop = np.array(bounds).T
    sizes = {name: draw(st.integers(1, most)) for name, most in (("lookback", 6), ("horizon", 4), ("stride", 3))}
    return frame, start, stop, sizes


def brute_force(frame, start, stop, *, lookback, horizon, stride):
    """First input row in the table of every window, found by trying every row."""
    found, offset = [], 0
    for length, a, b in zip(frame.lengths, start, stop, strict=True):
        inside = [r for r in range(length) if r + lookback >= a and r + lookback + horizon <= b]
        found += [offset + r for r in inside[::stride]]
        offset += length
    return found


@given(cut_series())
def test_windows_are_those_of_a_brute_force_search(cut):
    frame, start, stop, sizes = cut
    windows = Windows.of(frame.lengths, start, stop, **sizes)
    assert windows.starts().tolist() == brute_force(frame, start, stop, **sizes)
    assert len(windows) == len(windows.starts()) == len(windows.series())


@given(cut_series())
def test_a_window_lies_in_one_series_and_its_targets_in_the_selection(cut):
    frame, start, stop, sizes = cut
    windows = Windows.of(frame.lengths, start, stop, **sizes)
    offsets = np.cumsum(frame.lengths) - frame.lengths
    first = windows.starts() - offsets[windows.series()]  # row in its series
    assert (first >= 0).all()
    targets = first[:, None] + sizes["lookback"] + np.arange(sizes["horizon"])
    assert (targets >= start[windows.series()][:, None]).all()
    assert (targets < stop[windows.series()][:, None]).all()


@given(cut_series(), st.integers(1, 10))
def test_thinning_keeps_evenly_spaced_windows_from_the_first_on(cut, most):
    frame, start, stop, sizes = cut
    windows = Windows.of(frame.lengths, start, stop, **sizes)
    thinned = windows.thinned(most)
    assert thinned.count.max() <= most
    every = thinned.stride // windows.stride
    kept = [windows.starts()[windows.series() == i][::every] for i in range(len(frame.lengths))]
    assert thinned.starts().tolist() == np.concatenate(kept).tolist()
    assert every == 1 or windows.count.max() > most  # nothing is thrown away without need


@given(cut_series(), st.one_of(st.none(), st.integers(1, 10)))
def test_a_selection_has_its_windows_and_no_more_than_it_wants(cut, most):
    frame, start, stop, sizes = cut
    sizes = {name: sizes[name] for name in ("lookback", "horizon")}
    every = Windows.of(frame.lengths, start, stop, **sizes)
    selected = Windows.selected(frame.lengths, RowRange(start, stop, most), **sizes)
    if most is None:
        assert selected.starts().tolist() == every.starts().tolist()
    else:
        assert selected.count.max() <= most
        assert set(selected.starts()) <= set(every.starts())
        assert (selected.count > 0).tolist() == (every.count > 0).tolist()  # no series is thinned out altogether


@given(cut_series(), st.integers(0, 25))
def test_windows_whose_targets_straddle_two_selections_are_left_out(cut, cutoff):
    frame, start, stop, sizes = cut
    cutoff = np.clip(cutoff, start, stop)
    sizes = {name: sizes[name] for name in ("lookback", "horizon")}
    before, after, whole = (
        Windows.selected(frame.lengths, RowRange(a, b), **sizes)
        for a, b in ((start, cutoff), (cutoff, stop), (start, stop))
    )
    offsets = np.cumsum(frame.lengths) - frame.lengths
    target = whole.starts() + sizes["lookback"]  # the first one
    cutoffs = (offsets + cutoff)[whole.series()]
    straddle = (target < cutoffs) & (target + sizes["horizon"] > cutoffs)
    assert sorted([*before.starts(), *after.starts()]) == whole.starts()[~straddle].tolist()


@settings(max_examples=40)
@given(cut_series(), st.randoms(use_true_random=False))
def test_gathering_equals_slicing(cut, random):
    frame, start, stop, sizes = cut
    windows = Windows.of(frame.lengths, start, stop, **sizes)
    if not len(windows):
        return
    values = np.random.default_rng(0).normal(size=(len(frame.table), 2)).astype("float32")
    numbers = [random.randrange(len(windows)) for _ in range(5)]
    length = sizes["lookback"] + sizes["horizon"]
    wanted = [values[windows.starts()[k] : windows.starts()[k] + length] for k in numbers]
    gathered = gather(tf.constant(values), windows, tf.constant(numbers, tf.int64))
    np.testing.assert_array_equal(gathered, wanted)


def batches(dataset, n):
    return [batch.numpy().tolist() for batch in dataset.take(n)]


def test_numbers_in_order_repeat_the_last_one():
    assert batches(numbers_in_order(5, 2), 9) == [[0, 1], [2, 3], [4, 4]]


@settings(max_examples=6)
@given(steps=st.integers(2, 6), batch_size=st.integers(6, 10), seed=st.integers(0, 2**31 - 1))
def test_shuffled_numbers_visit_every_window_once_an_epoch(steps, batch_size, seed):
    n = steps * batch_size
    epochs = np.reshape(batches(numbers_shuffled(n, batch_size, seed, steps=steps), 3 * steps), (3, n)).tolist()
    assert [sorted(epoch) for epoch in epochs] == [list(range(n))] * 3
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]
    again = batches(numbers_shuffled(n, batch_size, seed, steps=steps, first_epoch=1), 2 * steps)
    assert np.reshape(again, (2, n)).tolist() == epochs[1:]
    other = batches(numbers_shuffled(n, batch_size, seed + 1, steps=steps), steps)
    assert np.ravel(other).tolist() != epochs[0]


def test_an_epoch_longer_than_the_windows_begins_its_order_again():
    [first, second] = batches(numbers_shuffled(6, 4, 0, steps=2), 2)
    assert sorted(first + second[:2]) == list(range(6))
    assert second[2:] == first[:2]


def test_window_table_literally():
    # 20 rows, day 1 to day 20; cutoffs after day 14 and day 17, two validation rows before each, three scored after
    frame = dated((0, 19))
    folds = rolling_origin(frame, horizon=2, lookback=4, n_folds=2, test_size=3, validation_size=2)
    table = window_table(frame, folds, lookback=4, horizon=2)
    times = table[["first_input", "last_input", "first_target", "last_target"]]
    days = times.apply(lambda column: column.dt.day)
    found = [
        tuple(row) for row in pd.concat([table[["fold", "selection", "windows"]], days], axis=1).itertuples(index=False)
    ]
    assert found == [
        (0, "train", 7, 1, 4, 5, 6),
        (0, "train", 7, 7, 10, 11, 12),
        (0, "validation", 1, 9, 12, 13, 14),
        (0, "test", 2, 11, 14, 15, 16),
        (0, "test", 2, 12, 15, 16, 17),
        (1, "train", 10, 1, 4, 5, 6),
        (1, "train", 10, 10, 13, 14, 15),
        (1, "validation", 1, 12, 15, 16, 17),
        (1, "test", 2, 14, 17, 18, 19),
        (1, "test", 2, 15, 18, 19, 20),
    ]
    assert set(table["unique_id"]) == {"s0"}


def test_the_data_set_reads_the_rows_that_the_table_names():
    frame = with_y(dated((0, 19)), np.arange(1, 21))  # the day of the month
    [fold] = rolling_origin(frame, horizon=2, lookback=4, n_folds=1, test_size=3, validation_size=2)
    pipeline = SeriesPipeline(lookback=4, horizon=2).fit(frame, fold.train)
    test = pipeline.batches(pipeline.encode(frame), fold.test)
    [(inputs, target, weight)] = test.dataset(batch_size=2)
    np.testing.assert_allclose(
        pipeline.restore(inputs["values"])[:, :, 0], [[14, 15, 16, 17], [15, 16, 17, 18]], atol=1e-5
    )
    np.testing.assert_allclose(pipeline.restore(target)[:, :, 0], [[18, 19], [19, 20]], atol=1e-5)
    np.testing.assert_array_equal(weight, np.ones((2, 2, 1)))


# Folds


@settings(max_examples=50)
@given(
    spans=st.lists(st.tuples(st.integers(0, 30), st.integers(60, 100)), max_size=3),
    n_folds=st.integers(1, 3),
    sizes=st.tuples(st.integers(2, 5), st.integers(2, 5)),
)
def test_a_cutoff_is_one_moment_for_all_series(spans, n_folds, sizes):
    spans.append((0, 100))  # one series is long enough in every fold
    frame = dated(*spans)
    test, validation = sizes
    folds = rolling_origin(frame, horizon=2, lookback=3, n_folds=n_folds, test_size=test, validation_size=validation)
    end = max(last for _, last in spans)
    for fold in folds:
        cutoff = end - (n_folds - fold.index) * test
        begin = [0] * len(spans)
        for name, day in (("train", cutoff - validation), ("validation", cutoff), ("test", cutoff + test)):
            by_hand = [max(min(last, day) - first + 1, 0) for first, last in spans]
            rows = fold.named()[name]
            assert (rows.start.tolist(), rows.stop.tolist()) == (begin, by_hand), (fold.index, name)
            begin = by_hand
    newest = int(np.argmax([last for _, last in spans]))
    assert all((rows.start < rows.stop)[newest] for fold in folds for rows in fold.named().values())
    assert folds[-1].test.stop.tolist() == frame.lengths.tolist()


@given(lengths=st.lists(st.integers(20, 50), min_size=1, max_size=3), n_folds=st.integers(1, 3))
def test_counted_rows_are_cut_from_each_end(lengths, n_folds):
    folds = rolling_origin(counted(*lengths), horizon=2, lookback=3, n_folds=n_folds, test_size=4, validation_size=3)
    for fold in folds:
        after = (n_folds - fold.index) * 4
        assert fold.train.start.tolist() == [0] * len(lengths)
        assert fold.train.stop.tolist() == fold.validation.start.tolist() == [n - after - 3 for n in lengths]
        assert fold.validation.stop.tolist() == fold.test.start.tolist() == [n - after for n in lengths]
        assert fold.test.stop.tolist() == [n - after + 4 for n in lengths]


def bounds(fold):
    """First row of each selection of the first series, and the row after its last one."""
    return [(rows.start[0], rows.stop[0]) for rows in fold.named().values()]


def test_sizes_of_the_selections_by_default():
    [fold] = rolling_origin(counted(100), horizon=3, lookback=5, n_folds=1)
    assert bounds(fold) == [(0, 80), (80, 90), (90, 100)]
    split = single_split(counted(100), horizon=12, lookback=5)
    assert bounds(split) == [(0, 88), (88, 100), (100, 100)]


def test_too_short_a_series_is_refused():
    with pytest.raises(InputError) as caught:
        rolling_origin(counted(20), horizon=3, lookback=9, n_folds=3)
    message = str(caught.value)
    for words in (
        "20 rows",
        "8 are left",
        "window of 12",
        "`lookback`",
        "`horizon`",
        "fewer than 3 `folds`",
        "scores 3 rows",
    ):
        assert words in message, message
    with pytest.raises(InputError, match="fewer than one window of 12"):
        single_split(counted(14), horizon=3, lookback=9)
    with pytest.raises(InputError, match="`horizon` of 5 rows; received `test_size` 4, `validation_size` 4"):
        rolling_origin(counted(60), horizon=5, lookback=5, test_size=4)


def test_series_that_all_end_before_the_cutoff_or_begin_after_it_are_refused():
    # the long one ends two months before the end of the data, the other one is shorter than a lookback
    frame = dated((0, 99), (150, 159))
    with pytest.raises(InputError, match=r"no window for early stopping.*`lookback`"):
        rolling_origin(frame, horizon=2, lookback=12, n_folds=1, test_size=3)
    with pytest.raises(InputError, match="no window for early stopping"):
        single_split(frame, horizon=2, lookback=12, validation_size=3)


# Filling


def slow_fill(window, rule, otherwise=0.0):
    """(time, channels), one value after the other."""
    filled = window.copy()
    for c in range(window.shape[1]):
        seen = [t for t in range(len(window)) if not np.isnan(window[t, c])]
        for t in range(len(window)):
            before, after = [s for s in seen if s <= t], [s for s in seen if s >= t]
            if not seen:
                filled[t, c] = otherwise
            elif not before:
                filled[t, c] = window[after[0], c]
            elif not after or rule == "ffill" or before[-1] == after[0]:
                filled[t, c] = window[before[-1], c]
            else:
                a, b = before[-1], after[0]
                filled[t, c] = window[a, c] + (window[b, c] - window[a, c]) * (t - a) / (b - a)
    return filled


@settings(max_examples=60)
@given(
    windows=hnp.arrays(
        "float32",
        st.tuples(st.integers(1, 2), st.integers(1, 8), st.integers(1, 3)),
        elements=st.one_of(st.just(NAN), st.floats(-100, 100, width=32)),
    ),
    rule=st.sampled_from(["interpolate", "ffill"]),
)
def test_filling_equals_a_slow_reference(windows, rule):
    filled = fill_window(tf.constant(windows), rule=rule).numpy()
    np.testing.assert_allclose(filled, [slow_fill(window, rule) for window in windows], rtol=1e-5, atol=1e-4)
    observed = ~np.isnan(windows)
    np.testing.assert_array_equal(filled[observed], windows[observed])


def test_filling_literally():
    window = np.array([[NAN, 1, NAN, NAN, 4, NAN], [NAN] * 6], "float32").T[None]
    [interpolated] = fill_window(tf.constant(window), otherwise=np.float32([0, 7])).numpy()
    np.testing.assert_array_equal(interpolated.T, [[1, 1, 2, 3, 4, 4], [7] * 6])
    [carried] = fill_window(tf.constant(window), rule="ffill").numpy()
    np.testing.assert_array_equal(carried.T, [[1, 1, 1, 1, 4, 4], [0] * 6])


@settings(max_examples=6)
@given(rule=st.sampled_from(["interpolate", "ffill"]), seed=st.integers(0, 999))
def test_filling_uses_nothing_outside_the_window(rule, seed):
    random = np.random.default_rng(seed)
    y = np.where(random.random(20) < 0.4, NAN, random.normal(size=20))
    y[0] = 0.0
    frame = with_y(counted(20), y)
    pipeline = SeriesPipeline(lookback=5, horizon=2, missing=rule).fit(frame)
    targets = rows_between(13, 15)  # of one window, whose inputs are rows 8 to 12

    def inputs_of(values):
        [(inputs, _, _)] = pipeline.batches(EncodedSeries(values, frame.lengths), targets).dataset(batch_size=1)
        return inputs["values"].numpy()

    values = pipeline.encode(frame).values
    outside = np.r_[0:8, 13:20]
    changed = values.copy()
    changed[outside, 0] = np.where(random.random(len(outside)) < 0.5, NAN, 1e6)
    np.testing.assert_array_equal(inputs_of(values), inputs_of(changed))
    np.testing.assert_allclose(inputs_of(values)[0], slow_fill(values[8:13], rule), atol=1e-5)


def test_a_missing_target_has_no_weight():
    frame = with_y(counted(9), [0, 1, 2, 3, 4, 5, 6, NAN, 8])
    pipeline = SeriesPipeline(lookback=4, horizon=3).fit(frame)
    [(_, target, weight)] = pipeline.batches(pipeline.encode(frame), rows_between(6, 9)).dataset(batch_size=1)
    np.testing.assert_array_equal(weight[0, :, 0], [1, 0, 1])
    assert target[0, 1, 0] == 0
    assert np.isfinite(target).all()


def test_missing_values_are_refused_on_request():
    frame = with_y(counted(9), [0, 1, 2, 3, 4, 5, 6, NAN, 8])
    with pytest.raises(InputError, match=r"'y' has no value at 7 \(series 's0'\).*`missing` to interpolate"):
        SeriesPipeline(lookback=4, horizon=3, missing="error").fit(frame).encode(frame)
    with pytest.raises(InputError, match="`missing` must be one of interpolate, ffill, error; received 'drop'"):
        SeriesPipeline(lookback=4, horizon=3, missing="drop")


# Scaling and categories


@settings(max_examples=20)
@given(
    lengths=st.lists(st.integers(3, 30), min_size=1, max_size=3),
    share=st.floats(0.2, 1),
    seed=st.integers(0, 999),
    chunk=st.integers(1, 40),
)
def test_scaling_knows_the_training_rows_only(lengths, share, seed, chunk):
    random = np.random.default_rng(seed)
    n = sum(lengths)
    x = np.where(random.random(n) < 0.3, NAN, random.normal(1e4, 3, size=n))
    x[0] = 1e4
    frame = counted(*lengths)
    frame = replace(frame, table=frame.table.assign(x=x), past_covariates=("x",))
    rows = np.maximum((frame.lengths * share).astype(int), 1)
    starts = np.cumsum(frame.lengths) - frame.lengths
    known = np.concatenate([x[a : a + n] for a, n in zip(starts, rows, strict=True)])
    mean, scale = np.nanmean(known), np.nanstd(known) or 1.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channels_module, "_CHUNK", chunk)  # large frames are read in pieces
        pipeline = SeriesPipeline(lookback=1, horizon=1).fit(frame, first_rows(*rows))
        scaled = pipeline.encode(frame).values
    np.testing.assert_allclose(pipeline.channels_.mean[1], mean)
    np.testing.assert_allclose(pipeline.channels_.scale[1], scale, rtol=1e-6)
    np.testing.assert_allclose(scaled[:, 1], (x - mean) / scale, rtol=1e-4, atol=1e-4)


def test_one_series_is_standardised_and_many_keep_their_level():
    y = np.array([2.0, 4.0, 99.0, -10.0, 10.0, 99.0, 3000.0, 99.0, 99.0])
    one = SeriesPipeline(lookback=1, horizon=1).fit(with_y(counted(9), y), first_rows(2))
    assert (one.channels_.mean.tolist(), one.channels_.scale.tolist()) == ([3.0], [1.0])
    many = SeriesPipeline(lookback=1, horizon=1).fit(with_y(counted(3, 3, 3), y), first_rows(2, 2, 1))
    # mean sizes 3, 10 and 3000 of the training rows; their median
    assert (many.channels_.mean.tolist(), many.channels_.scale.tolist()) == ([0.0], [10.0])


def test_errors_of_many_series_weigh_alike():
    # y, twenty times y, and a series at rest; windows of 4 rows that begin at each series' first row
    y = np.array([1.0, 2, 3, 2, NAN, 2, 20, 40, 60, 40, 40, 40, 5, 5, 5, 5, 5, 5])
    frame = with_y(counted(6, 6, 6), y)
    pipeline = SeriesPipeline(lookback=2, horizon=2).fit(frame)
    encoded = pipeline.encode(frame)
    [(_, _, weight)] = pipeline.batches(encoded, rows_between([2, 2, 2], [4, 4, 4])).dataset(batch_size=3)
    unit = pipeline.channels_.scale[0]
    spread = np.std([1, 2, 3, 2]) / unit
    at_rest = unit / (1e-14 * 5)  # as small as the scale that a network multiplies its output by
    np.testing.assert_allclose(weight[:, 0, 0], [1 / spread, 1 / (20 * spread), at_rest], rtol=1e-3)
    gap = rows_between([3, 0, 0], [5, 0, 0])  # 2, 3, then 2 and a missing target
    [(_, _, weight)] = pipeline.batches(encoded, gap).dataset(batch_size=1)
    np.testing.assert_allclose(weight[0, :, 0], [unit / np.std([2, 3, 2, 2]), 0], rtol=1e-3)


def test_a_constant_column_keeps_its_scale():
    frame = with_y(counted(10), [0.1] * 10)  # whose float64 mean is not 0.1
    pipeline = SeriesPipeline(lookback=2, horizon=1).fit(frame, first_rows(3))
    assert pipeline.channels_.scale.tolist() == [1.0]
    np.testing.assert_allclose(pipeline.encode(frame).values, 0, atol=1e-6)


def test_a_text_becomes_a_channel_for_each_category_seen_in_training():
    table = pd.DataFrame({"y": np.arange(6.0), "wind": ["N", "S", "N", None, "E", "S"]})
    frame = SeriesFrame.from_table(table, time="none", target="y", past_covariates=["wind"])
    pipeline = SeriesPipeline(lookback=2, horizon=1).fit(frame, first_rows(4))
    assert pipeline.channel_names == ["y", "wind=N", "wind=S"]
    one_hot = [[1, 0], [0, 1], [1, 0], [0, 0], [0, 0], [0, 1]]  # "E" was never seen in training
    np.testing.assert_array_equal(pipeline.encode(frame).values[:, 1:], one_hot)
    assert pipeline.spec.inputs.channels == 3
    late = replace(frame, table=frame.table.assign(wind=[None] * 4 + ["E", "S"]))
    with pytest.raises(InputError, match="'wind' has no observed value in the training rows"):
        SeriesPipeline(lookback=2, horizon=1).fit(late, first_rows(4))


def test_logarithms_are_taken_and_given_back():
    frame = with_y(counted(4), np.exp([1.0, 3.0, NAN, 9.0]))
    pipeline = SeriesPipeline(lookback=2, horizon=1, transform="log").fit(frame, first_rows(2))
    values = pipeline.encode(frame).values
    np.testing.assert_allclose(values[:, 0], [-1, 1, NAN, 7], rtol=1e-5)  # mean 2 and deviation 1 of the first two
    np.testing.assert_allclose(pipeline.restore(values), frame.columns(["y"]), rtol=1e-4)
    with pytest.raises(InputError, match=r"'y' is 0 at 1 .*logarithm needs positive values; set `transform`"):
        SeriesPipeline(lookback=2, horizon=1, transform="log").fit(with_y(frame, [1, 0, 2, 3]))


@settings(max_examples=30)
@given(
    y=st.lists(st.one_of(st.just(NAN), st.floats(1e-3, 1e6)), min_size=6, max_size=30),
    n_series=st.integers(1, 3),
    transform=st.sampled_from(["none", "log"]),
    known=st.integers(1, 3),
)
def test_what_was_scaled_is_given_back(y, n_series, transform, known):
    y = np.array(y)
    # each series begins and ends with an observed value
    lengths = [len(part) for part in np.array_split(y, n_series)]
    ends = np.cumsum(lengths)
    y[ends - 1], y[ends - lengths] = 2.0, 3.0
    frame = with_y(counted(*lengths), y)
    pipeline = SeriesPipeline(lookback=1, horizon=1, transform=transform).fit(frame, first_rows(*[known] * n_series))
    again = SeriesPipeline.from_config(json.loads(json.dumps(pipeline.to_config())))
    values = again.encode(frame).values
    assert np.isnan(values).tolist() == np.isnan(frame.columns(["y"])).tolist()
    size = np.abs(np.r_[y, again.channels_.mean, again.channels_.scale])
    close = {"rtol": 1e-4} if transform == "log" else {"rtol": 1e-6, "atol": 1e-6 * np.nanmax(size)}
    np.testing.assert_allclose(again.restore(values), frame.columns(["y"]), **close)


# Calendar


@given(st.lists(st.integers(-2_000_000_000, 4_000_000_000), min_size=1, max_size=20))
def test_calendar_features_are_the_same_in_the_graph(seconds):
    cycles = ("day", "week", "year")
    seconds = np.array(seconds, "int64")
    in_graph = calendar_features_in_graph(tf.constant(seconds[None]), cycles)
    np.testing.assert_allclose(in_graph[0], calendar_features(seconds, cycles), atol=1e-5)


def test_calendar_features_literally():
    monday = pd.DatetimeIndex(["2024-01-01 00:00", "2024-01-01 12:00", "2024-01-01 18:00"]).as_unit("s").asi8
    assert feature_names(("day", "week")) == ["day_sin", "day_cos", "week_sin", "week_cos"]
    day = calendar_features(monday, ("day",))
    np.testing.assert_allclose(day, [[0, 1], [0, -1], [-1, 0]], atol=1e-6)
    np.testing.assert_allclose(calendar_features(monday[:1], ("week",)), [[0, 1]], atol=1e-6)
    assert calendar_features(monday, ()).shape == (3, 0)


def test_calendar_needs_time_stamps_and_known_cycles():
    with pytest.raises(InputError, match=r"merely counted.*`time`"):
        SeriesPipeline(lookback=2, horizon=1, calendar=("day",)).fit(counted(9))
    with pytest.raises(InputError, match="`calendar` must be some of day, week, year; received moon"):
        SeriesPipeline(lookback=2, horizon=1, calendar=("moon",))


# The same inputs by both ways


@cache
def sales(seed=0):
    """Two daily series with two targets, gaps, and covariates of every kind; the second one ends earlier."""
    random = np.random.default_rng(seed)
    parts = []
    for name, days in (("a", range(48)), ("b", range(3, 44))):
        n = len(days)
        part = pd.DataFrame({"unique_id": name, "ds": pd.date_range("2024-01-01", periods=48)[days.start : days.stop]})
        for column in ("y", "z", "wind"):
            part[column] = np.where(random.random(n) < 0.15, NAN, random.gamma(9, 0.5, size=n))
        part.loc[n - 1, "y"] = 1.0  # a series ends with an observed target
        part["kind"] = random.choice(["sun", "rain", "fog"], size=n)
        part["promo"] = random.random(n)
        part["event"] = random.choice(["none", "fair"], size=n)
        parts.append(part)
    covariates = {"past_covariates": ["wind", "kind"], "future_covariates": ["promo", "event"]}
    return SeriesFrame.from_table(pd.concat(parts), target=["y", "z"], **covariates)


SIZES = {"lookback": 6, "horizon": 2}


def sales_pipeline(frame, fold, **options):
    return SeriesPipeline(**SIZES, season=7, calendar=("week", "year"), **options).fit(frame, fold.train)


@pytest.mark.parametrize("options", [{"missing": "interpolate"}, {"missing": "ffill"}, {"transform": "log"}])
def test_raw_inputs_are_prepared_as_the_data_set_prepares_them(options):
    frame = sales()
    for fold in rolling_origin(frame, **SIZES, n_folds=2, test_size=4):
        pipeline = sales_pipeline(frame, fold, **options)
        cutoff = fold.test.start
        end = np.minimum(cutoff + SIZES["horizon"], frame.lengths)
        here = end - cutoff == SIZES["horizon"]
        windows = pipeline.batches(pipeline.encode(frame), RowRange(cutoff, end))
        [(inputs, _, _)] = windows.dataset(batch_size=len(windows))
        known = frame.head(cutoff)
        numbers = frame.table.groupby("unique_id", observed=True).cumcount().to_numpy()
        ahead = frame.table[numbers >= np.repeat(cutoff, frame.lengths)].reset_index(drop=True)
        ready = pipeline.preprocess(pipeline.raw(replace(known.select(np.array(frame.ids)[here]), ahead=ahead)))
        assert list(ready) == list(inputs) == ["values", "future"]
        for name in ready:
            np.testing.assert_allclose(ready[name], inputs[name], atol=2e-5, err_msg=name)
        assert ready["values"].shape == (here.sum(), 6, pipeline.spec.inputs.channels)
        assert ready["future"].shape == (here.sum(), 2, pipeline.spec.inputs.future_channels)


def test_a_series_shorter_than_the_lookback_is_carried_back():
    pipeline = SeriesPipeline(lookback=4, horizon=1).fit(counted(9))
    inputs = pipeline.raw(counted(2))
    np.testing.assert_array_equal(inputs["values"][0, :, 0], [NAN, NAN, 0, 1])
    np.testing.assert_allclose(
        pipeline.restore(pipeline.preprocess(inputs)["values"])[0, :, 0], [0, 0, 0, 1], atol=1e-6
    )


def test_a_known_future_value_that_is_missing_is_named():
    frame = sales()
    pipeline = SeriesPipeline(**SIZES).fit(frame)
    with pytest.raises(InputError, match=r"'promo' is known ahead but has no value at 2024-02-18.*series 'a'.*2 steps"):
        pipeline.raw(frame)


def test_a_pipeline_written_as_json_is_the_same():
    frame = sales()
    [fold] = rolling_origin(frame, **SIZES, n_folds=1)
    pipeline = sales_pipeline(frame, fold)
    again = SeriesPipeline.from_config(json.loads(json.dumps(pipeline.to_config())))
    assert again.spec == pipeline.spec
    assert again.to_config() == pipeline.to_config()
    np.testing.assert_array_equal(again.encode(frame).values, pipeline.encode(frame).values)


# Nothing after a cutoff changes a forecast made at it (bit for bit)


def perturbed(frame, cutoff, seed):
    """The frame with everything after the cutoff changed; what is known ahead, from the end of the horizon on."""
    random = np.random.default_rng(seed)
    number = frame.table.groupby("unique_id", observed=True).cumcount().to_numpy()
    cutoff = np.repeat(cutoff, frame.lengths)
    table = frame.table.copy()
    for column in (*frame.targets, *frame.past_covariates, *frame.future_covariates):
        after = number >= (cutoff + SIZES["horizon"] if column in frame.future_covariates else cutoff)
        if table[column].dtype == "float64":
            new = random.normal(0, 10.0 ** random.integers(0, 7), size=len(table))
            new = np.where(random.random(len(table)) < random.choice([0, 0.5, 1]), NAN, new)
        else:
            new = random.choice(np.array(["sun", "rain", "hail", "snow", None], dtype=object), size=len(table))
        table[column] = table[column].where(~after, new)
    return replace(frame, table=table)


@cache
def trainer(family):
    config = {"units": 4, "segment_length": 2} if family == "gru" else {}
    spec = sales_pipeline(*cut_sales()).spec
    return Trainer(lambda: models.build(family, spec, **config), max_epochs=1, batch_size=8)


def cut_sales():
    frame = sales()
    [fold] = rolling_origin(frame, **SIZES, n_folds=1, test_size=8)
    return frame, fold


def windows_at_the_cutoff(frame, fold):
    """Rows of the targets of one window per series, whose inputs end at the cutoff."""
    cutoff = fold.test.start
    return RowRange(cutoff, np.minimum(cutoff + SIZES["horizon"], frame.lengths))


def forecasts_at_the_cutoff(frame, fold, family):
    """Forecasts and intervals of the windows whose inputs end at the cutoff, learnt from this frame alone."""
    pipeline = sales_pipeline(frame, fold)
    encoded = pipeline.encode(frame)
    train, validation = (pipeline.batches(encoded, rows) for rows in (fold.train, fold.validation))
    trainer(family).fit(train, validation, FitOptions(seed=0))
    network = ForecastNetwork(pipeline, trainer(family).model).calibrated(validation)
    windows = pipeline.batches(encoded, windows_at_the_cutoff(frame, fold))
    assert len(windows) == 2  # one per series
    return network.predict_windows(windows)


@cache
def forecasts_of_the_unperturbed(family):
    frame, fold = cut_sales()
    return forecasts_at_the_cutoff(frame, fold, family)


@pytest.mark.parametrize("family", ["linear", "gru"])
@settings(max_examples=3, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # an example trains a model
@given(seed=st.integers(0, 10**6))
def test_training_and_forecasting_are_blind_to_the_future(family, seed):
    frame, fold = cut_sales()
    before = forecasts_of_the_unperturbed(family)
    assert list(before) == ["forecast", *(f"forecast-{end}-{level}" for level in (80, 95) for end in ("lo", "hi"))]
    assert np.isfinite(before["forecast"]).all()
    after = forecasts_at_the_cutoff(perturbed(frame, fold.test.start, seed), fold, family)
    for name in before:
        np.testing.assert_array_equal(before[name], after[name], err_msg=name)


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6))
def test_inputs_at_the_cutoff_are_blind_to_the_future(seed):
    frame, fold = cut_sales()

    def inputs(frame):
        pipeline = sales_pipeline(frame, fold)
        windows = pipeline.batches(pipeline.encode(frame), windows_at_the_cutoff(frame, fold))
        [(inputs, _, _)] = windows.dataset(batch_size=len(windows))
        return pipeline.to_config(), inputs

    (learnt, before), (learnt_again, after) = inputs(frame), inputs(perturbed(frame, fold.test.start, seed))
    assert learnt == learnt_again
    for name in before:
        np.testing.assert_array_equal(before[name], after[name], err_msg=name)


@pytest.mark.parametrize("name", FORECAST_BASELINES)
@settings(max_examples=3)
@given(seed=st.integers(0, 10**6))
def test_baselines_are_blind_to_the_future(name, seed):
    frame, fold = cut_sales()
    fold = replace(fold, test=windows_at_the_cutoff(frame, fold))  # one origin per series: the cutoff

    def forecasts(frame):
        experiment = Forecast(**SIZES, season=7).open(frame)
        test = ForecastTestSet.of(frame, fold.test, **SIZES, season=7)
        # the truth is perturbed and may be missing: losses against zeros are sizes of the forecasts of each series
        test = replace(test, y_true=np.zeros_like(test.y_true), scale=np.ones_like(test.scale))
        fitted = ForecastFold(experiment, fold, test).baseline(name, {})
        evaluation = fitted.evaluate()
        return evaluation.example, evaluation.losses, *fitted.predictor.model.arrays()

    before, after = forecasts(frame), forecasts(perturbed(frame, fold.test.start, seed))
    assert before[1].shape == (2,)
    for one, other in zip(before, after, strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_array_equal(one, other)


def test_the_last_row_before_the_cutoff_is_an_input():
    # without this, the tests above would also pass if the perturbed rows were out of reach by more than one
    frame, fold = cut_sales()
    after = forecasts_at_the_cutoff(perturbed(frame, fold.test.start - 1, 3), fold, "linear")
    assert (forecasts_of_the_unperturbed("linear")["forecast"] != after["forecast"]).any()
