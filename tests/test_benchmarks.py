"""The deterministic part of the benchmarks: published figures that must come out to the last digit."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
needs_data = pytest.mark.skipif("RECURRA_DATA" not in os.environ, reason="RECURRA_DATA names no folder with the data")


@pytest.fixture(scope="module")
def accuracy():
    sys.path.insert(0, str(BENCHMARKS))  # the scripts import one another as scripts do
    try:
        spec = importlib.util.spec_from_file_location("accuracy", BENCHMARKS / "accuracy.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(BENCHMARKS))


@needs_data
def test_repeating_the_last_value_gives_the_published_errors_on_ett(accuracy):
    rows = accuracy.harness_check()
    assert len(rows) == 8
    for row in rows:
        assert (row["mse"], row["mae"]) == (row["published mse"], row["published mae"]), row


@needs_data
@pytest.mark.parametrize("name", ["naive", "seasonal_naive"])
def test_naive_methods_give_the_published_errors_on_m4_hourly(accuracy, name):
    frame = accuracy.datasets.load("m4_hourly")
    scores = accuracy.m4_scores(frame, accuracy.m4_baseline(frame, name))
    assert (round(scores["smape"], 3), round(scores["mase"], 3)) == accuracy.M4_PUBLISHED[name]
