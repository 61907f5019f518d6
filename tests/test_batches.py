"""The contract of all batches: an example is the same, and its prediction in its place, whatever the batch size."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.frames import PanelFrame, SeriesFrame, TextFrame
from recurra.pipelines import (
    LanguagePipeline,
    RowRange,
    SequenceEncoder,
    SequencePipeline,
    SeriesPipeline,
    TextEncoder,
)
from recurra.training import predict_batches

NAN = np.nan
N = 23  # examples of each kind, where nothing else is said


def windows(n_series, missing):
    """Batches of windows, with gaps, a covariate known ahead, and a thinned selection."""
    random = np.random.default_rng(n_series)
    n = 20
    table = pd.DataFrame(
        {
            "unique_id": np.repeat([f"s{i}" for i in range(n_series)], n),
            "ds": np.tile(pd.date_range("2024-01-01", periods=n), n_series),
            "y": np.where(random.random(n * n_series) < 0.2, NAN, random.gamma(9, size=n * n_series)),
            "promo": random.random(n * n_series),
        }
    )
    table.loc[n - 1 :: n, "y"] = 1.0  # a series ends with an observed target
    frame = SeriesFrame.from_table(table, future_covariates=["promo"])
    pipeline = SeriesPipeline(lookback=3, horizon=2, missing=missing, calendar=("week",)).fit(frame)
    return pipeline.batches(pipeline.encode(frame), RowRange(frame.lengths // 4, frame.lengths, 12))


LENGTHS = np.random.default_rng(5).integers(0, 9, size=N)
TEXTS = pd.DataFrame(
    {
        "text": ["w x y z v w x y z"[: 2 * n] or "w" for n in LENGTHS],
        "label": ["a", "b"] * 11 + ["a"],
        "value": np.arange(N) + 0.5,
    }
)


def sequences(frame, encoder, **how):
    pipeline = SequencePipeline(encoder, **how).fit(frame, np.arange(4, N))
    return pipeline.batches(pipeline.encode(frame), np.arange(3, N))


def texts(target, **how):
    frame = TextFrame.from_table(TEXTS, text="text", **{target: target})
    return sequences(frame, TextEncoder(min_count=1), **how)


def panel(kind):
    random = np.random.default_rng(1)
    steps = [np.where(random.random((n + 1, 2)) < 0.1, NAN, random.normal(size=(n + 1, 2))) for n in LENGTHS]
    steps[0][0] = 0.0
    tags = [[int(i % 3) for i in range(len(s))] for s in steps]
    targets = {"classification": TEXTS["label"], "regression": TEXTS["value"], "tagging": tags}[kind]
    return sequences(PanelFrame.from_arrays(steps, list(targets), task=kind), SequenceEncoder())


def lines():
    frame = TextFrame.from_table(TEXTS, text="text", label="label")
    pipeline = LanguagePipeline(tokens="char").fit(frame)
    return pipeline.batches(pipeline.encode(frame), np.arange(N))


def bucketed():
    """Batches that are padded to several lengths."""
    return replace(texts("label"), widths=(2, 4, 9))


KINDS = {
    "windows": lambda: windows(1, "interpolate"),
    "windows of many series": lambda: windows(3, "ffill"),
    "texts, classes": lambda: texts("label", balanced=True),
    "texts, values": lambda: texts("value"),
    "texts of several lengths": bucketed,
    "panel, classes": lambda: panel("classification"),
    "panel, values": lambda: panel("regression"),
    "panel, tags": lambda: panel("tagging"),
    "lines": lines,
}


@pytest.fixture(scope="module", params=KINDS)
def batches(request):
    return KINDS[request.param]()


def lengths_of(batches):
    """Steps of each example; None where all have as many, so that none is padded."""
    return batches.sequences.lengths[batches.rows] if hasattr(batches, "sequences") else None


def examples(batches, batch_size):
    """Everything about each example, without its padding, by name: [{name: array}]."""
    rows = []
    for inputs, target, weight in batches.dataset(batch_size=batch_size):
        arrays = {name: x.numpy() for name, x in inputs.items()} | {"target": target.numpy(), "weight": weight.numpy()}
        assert {len(array) for array in arrays.values()} == {batch_size}
        rows += [{name: array[i] for name, array in arrays.items()} for i in range(batch_size)]
    order = batches.order(batch_size)
    assert len(order) == len(rows)
    found = [{}] * len(batches)
    for row, number in zip(rows, order, strict=True):
        if number >= 0:
            assert not found[number], "an example has two places"
            found[number] = without_padding(row, batches, number)
    assert all(found), "an example has no place"
    return found


def without_padding(row, batches, number):
    """An example as it is, having seen that there is nothing behind its end."""
    lengths = lengths_of(batches)
    if lengths is None:
        return row
    along_time = ("tokens", "values", "target", "weight") if batches.per_step else ("tokens", "values")
    length = lengths[number]
    assert not any(array[length:].any() for name, array in row.items() if name in along_time)
    return {name: array[:length] if name in along_time else array for name, array in row.items()}


@settings(max_examples=5)
@given(sizes=st.tuples(st.integers(1, 30), st.integers(1, 30)))
def test_an_example_is_the_same_in_batches_of_any_size(batches, sizes):
    one, other = (examples(batches, size) for size in sizes)
    for first, second in zip(one, other, strict=True):
        assert first.keys() == second.keys()
        for name in first:
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def test_order_is_a_permutation_with_padding_rows_behind(batches):
    for size in (1, 4, len(batches), len(batches) + 3):
        order = batches.order(size)
        assert len(order) % size == 0
        assert sorted(order[: len(batches)]) == list(range(len(batches)))
        assert (order[len(batches) :] == -1).all()
        assert len(order) - len(batches) < size


class Echo:
    """A network that gives back what it was given of each step."""

    def __call__(self, inputs, training):
        assert not training
        return inputs["tokens" if "tokens" in inputs else "values"]


def test_predictions_come_back_in_the_order_of_the_examples(batches):
    predicted = predict_batches(Echo(), batches)
    lengths = lengths_of(batches)
    assert len(predicted) == len(batches)
    for number, example in enumerate(examples(batches, batches.predict_batch_size)):
        wanted = example.get("tokens", example.get("values"))
        own = predicted[number] if lengths is None else predicted[number][: lengths[number]]
        np.testing.assert_array_equal(own, wanted)


@settings(max_examples=3)
@given(seed=st.integers(0, 2**31 - 1), batch_size=st.integers(1, 10))
def test_shuffled_examples_are_those_in_order(batches, seed, batch_size):
    """Shuffling moves examples about and changes none of them."""

    def fingerprints(inputs, target, weight):
        arrays = [*(x.numpy() for _, x in sorted(inputs.items())), target.numpy(), weight.numpy()]
        # padding behind an example depends on its batch, and is all zeros
        return [tuple(np.trim_zeros(np.ravel(a[i]), "b").tobytes() for a in arrays) for i in range(len(target))]

    known = {each for batch in batches.dataset(batch_size=4) for each in fingerprints(*batch)}
    a_pass = len(batches) // batch_size
    shuffled = batches.dataset(batch_size=batch_size, seed=seed).take(a_pass)
    assert all(each in known for batch in shuffled for each in fingerprints(*batch))


def test_nothing_is_tuned_so_an_iterator_that_is_given_up_waits_for_no_one(batches):
    """TensorFlow's tuner sleeps; on one core every training waited for it, seconds after its last epoch."""
    size = batches.batch_size
    assert batches.dataset(batch_size=size, seed=0, steps=2).options().autotune.enabled is False
