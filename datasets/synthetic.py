"""Made series of which the truth is known, to hold the verdict against.

Source: drawn here, from a fixed seed, by numpy's PCG64 generator.
Licence: as this project's.
Observed: ``ar2`` is y[t] = 1.2 y[t-1] - 0.4 y[t-2] + e[t] with standard normal e: the best forecast is
linear in the last two values, so nothing may beat a linear model. ``random_walk`` is the sum of e: the best
forecast is the last value, so nothing may beat naive.
"""

import numpy as np
import pandas as pd

from .record import Dataset

ROWS = 3000
_BURN_IN = 200  # rows until the start from zero is forgotten: 0.63**200 is below any float's precision


def read_ar2() -> pd.DataFrame:
    """Draw the table: y, an autoregression of order 2."""
    from scipy.signal import lfilter

    noise = np.random.default_rng(2).normal(size=ROWS + _BURN_IN)
    return pd.DataFrame({"y": lfilter([1.0], [1.0, -1.2, 0.4], noise)[_BURN_IN:]})


def read_random_walk() -> pd.DataFrame:
    """Draw the table: y, the running sum of noise."""
    return pd.DataFrame({"y": np.random.default_rng(1).normal(size=ROWS).cumsum()})


AR2 = Dataset(
    name="ar2",
    task="an autoregression of order 2: a linear model is best",
    rows=ROWS,
    source="drawn from a seed",
    licence="Apache-2.0",
    download=False,
    loader=read_ar2,
    roles={"time": "none", "target": "y"},
)
RANDOM_WALK = Dataset(
    name="random_walk",
    task="a random walk: nothing beats naive",
    rows=ROWS,
    source="drawn from a seed",
    licence="Apache-2.0",
    download=False,
    loader=read_random_walk,
    roles={"time": "none", "target": "y"},
)
