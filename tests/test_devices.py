"""One training on two devices, logical CPUs of another process: the numbers of one device, to rounding."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.errors import InputError

DESK = Path(__file__).with_name("devices_desk.py")


@pytest.fixture(scope="module")
def losses(tmp_path_factory):
    """Validation losses on one and on two devices, by what was trained."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-P", str(DESK)],
        capture_output=True,
        text=True,
        cwd=tmp_path_factory.mktemp("desk"),
        env=environment,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("family", ["linear", "gru:units=4", "dense:units=4", "lstm:units=4+dropout=0"])
def test_two_devices_take_the_steps_of_one(losses, family):
    """Batches of 7 in parts of 3 and 4; windows with missing values; squares in units of the spread; uneven lengths."""
    one, two = losses[family]
    np.testing.assert_allclose(two, one, rtol=1e-6)
    assert min(one) < one[0]


def test_dropout_draws_other_masks_on_each_device_and_the_model_is_an_ordinary_one(losses):
    one, two = losses["gru:units=4+dropout=0.2"]
    assert np.isfinite(two).all()
    assert two != one
    assert losses["outputs"] == 3


@pytest.fixture
def table():
    return pd.DataFrame({"ds": np.arange(60), "y": np.sin(np.arange(60.0))})


def test_a_strategy_that_cannot_be_is_one_sentence(table):
    own = {"family": "linear", "horizon": 3, "lookback": 6, "season": 1, "max_epochs": 1}
    with pytest.raises(InputError, match="`strategy` must be mirrored; received 'parameter_server'"):
        recurra.fit(table, strategy="parameter_server", **own)
    with pytest.raises(InputError, match=r"`strategy` mirrored needs two devices or more, and TensorFlow sees one"):
        recurra.fit(table, strategy="mirrored", **own)
    texts = pd.DataFrame({"text": ["a b c d"] * 40})
    with pytest.raises(InputError, match="`strategy` does not apply to language-model: its state is carried"):
        recurra.fit(texts, text="text", task="language-model", family="lstm", strategy="mirrored")
