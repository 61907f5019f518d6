"""Synthetic series of which the best model is known, to check the verdict against.

Source: drawn here, from a fixed seed, by numpy's PCG64 generator.
Licence: as this project's.
Observed: ``ar2`` is y[t] = 1.2 y[t-1] - 0.4 y[t-2] + e[t] with standard normal e: the best forecast is
linear in the last two values, so nothing may beat a linear model. ``random_walk`` is the sum of e: the best
forecast is the last value, so nothing may beat naive.

``distant_event`` depends on one event at a random, distant lag. ``symbol`` is 1 or -1 at every step by a coin;
``marker`` is 1 at one step m of each cycle, ``go`` at another one g, and both are 0 elsewhere:

    y[g + 1] = symbol[m] + 0.1 e[g + 1],  g - m uniform in 4..20,  m uniform in 1..3 steps after the go before
    y[t] = 0.1 e[t] at all other steps

with all lags and tosses independent, so neither recent values nor earlier cycles predict the next. A model that reads
21 steps or more needs one multiplication, symbol times marker, and must carry its result to the go. A linear model
cannot multiply, and a dense net must learn another product for each lag of its window; a recurrent net learns one for
all.
The best possible one-step forecast has a mean absolute error of 0.1 sqrt(2 / pi) = 0.080; without the event it is
0.146, as a fourteenth of the steps are then missed by 1. Only the next step is predictable: use horizon 1.
"""

import numpy as np
import pandas as pd

from .record import Dataset

ROWS = 3000
_BURN_IN = 200  # rows until the start from zero no longer matters: 0.63**200 is below any float's precision


def read_ar2() -> pd.DataFrame:
    """Draw the table: y, an autoregression of order 2."""
    from scipy.signal import lfilter

    noise = np.random.default_rng(2).normal(size=ROWS + _BURN_IN)
    return pd.DataFrame({"y": lfilter([1.0], [1.0, -1.2, 0.4], noise)[_BURN_IN:]})


def read_random_walk() -> pd.DataFrame:
    """Draw the table: y, the running sum of noise."""
    return pd.DataFrame({"y": np.random.default_rng(1).normal(size=ROWS).cumsum()})


def read_distant_event() -> pd.DataFrame:
    """Draw the table: symbol, marker and go, and y, which at each go shows the symbol that was marked."""
    random = np.random.default_rng(3)
    wait = random.integers(1, 4, size=ROWS)  # steps from one go to the next marker
    lag = random.integers(4, 21, size=ROWS)  # steps from the marker to its go
    goes = np.cumsum(wait + lag)
    complete = goes < ROWS - 1
    goes, markers = goes[complete], (goes - lag)[complete]
    table = pd.DataFrame({"y": 0.1 * random.normal(size=ROWS), "symbol": random.choice([-1.0, 1.0], size=ROWS)})
    table["marker"], table["go"] = 0.0, 0.0
    table.loc[markers, "marker"] = 1.0
    table.loc[goes, "go"] = 1.0
    table.loc[goes + 1, "y"] += table.loc[markers, "symbol"].to_numpy()
    return table


AR2 = Dataset(
    name="ar2",
    description="an autoregression of order 2: a linear model is best",
    rows=ROWS,
    source="drawn from a seed",
    short_source="random generator",
    licence="Apache-2.0",
    download=False,
    loader=read_ar2,
    roles={"time": "none", "target": "y"},
)
RANDOM_WALK = Dataset(
    name="random_walk",
    description="a random walk: nothing beats naive",
    rows=ROWS,
    source="drawn from a seed",
    short_source="random generator",
    licence="Apache-2.0",
    download=False,
    loader=read_random_walk,
    roles={"time": "none", "target": "y"},
)
DISTANT_EVENT = Dataset(
    name="distant_event",
    description="values that depend on an event at a random, distant lag: a recurrent model is best",
    rows=ROWS,
    source="drawn from a seed",
    short_source="random generator",
    licence="Apache-2.0",
    download=False,
    loader=read_distant_event,
    roles={"time": "none", "target": "y", "past_covariates": ["symbol", "marker", "go"]},
)
