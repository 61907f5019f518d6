"""The hourly series of the M4 competition (Makridakis et al. 2020): 414 series of six fields, without dates.

Source: https://github.com/Mcompetitions/M4-methods, Dataset/Train/Hourly-train.csv and
Dataset/Test/Hourly-test.csv
Licence: not stated; it is downloaded, never copied along.
Checksum: sha256 ea59b7783573… (train, 2,347,115 bytes), 71a57fccb15e… (test, 132,820 bytes).
Observed: 700 or 960 training values per series and 48 of the official test, 373,372 in all, none missing;
season 24; levels from 10 to 703,008. The last 48 rows of each series are the official test set.
"""

import numpy as np
import pandas as pd

from .download import fetch
from .files import read_table
from .record import Dataset

TEST_ROWS = 48
_URL = "https://raw.githubusercontent.com/Mcompetitions/M4-methods/master/Dataset/"
_TRAIN = "ea59b7783573c49077a835ab6465c7d66f1474783360f310988a9a737fbca62f"
_TEST = "71a57fccb15e534d973626ada4fb87febf789e9317715b7cc6dd3b5f90db6f42"


def read() -> pd.DataFrame:
    """Read the table: unique_id, ds (counted from 1), y; the official test set follows the training set."""
    train = read_table(fetch("m4/Hourly-train.csv", f"{_URL}Train/Hourly-train.csv", _TRAIN))
    test = read_table(fetch("m4/Hourly-test.csv", f"{_URL}Test/Hourly-test.csv", _TEST))
    values = np.hstack([train.iloc[:, 1:].to_numpy(dtype="float64"), np.empty((len(train), TEST_ROWS))])
    there = ~np.isnan(train.iloc[:, 1:].to_numpy(dtype="float64"))  # (series, longest): shorter rows end early
    lengths = there.sum(axis=1)
    ends = lengths[:, None] + np.arange(TEST_ROWS)  # (series, 48)
    values[np.arange(len(train))[:, None], ends] = test.set_index("V1").loc[train["V1"]].to_numpy()
    inside = np.arange(values.shape[1]) < (lengths + TEST_ROWS)[:, None]
    series, steps = np.nonzero(inside)
    return pd.DataFrame({"unique_id": train["V1"].to_numpy()[series], "ds": steps + 1, "y": values[inside]})


DATASET = Dataset(
    name="m4_hourly",
    description="414 hourly series, the last 48 rows of each the official test set",
    rows=373_372,
    source="M4 competition (Makridakis et al. 2020)",
    short_source="M4 competition",
    licence="not stated",
    download=True,
    loader=read,
    roles={"time": "ds", "target": "y", "id": "unique_id"},
)
