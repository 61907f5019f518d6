"""Monthly international airline passengers in thousands, 1949 to 1960 (Box and Jenkins, series G).

Source: https://raw.githubusercontent.com/jbrownlee/Datasets/master/airline-passengers.csv
Licence: not stated; it is downloaded, never copied along.
Checksum: sha256 8cb51be753a7…; 2,180 bytes.
Observed: 144 months, none missing; 104 to 622; a yearly cycle that grows with the level.
"""

import pandas as pd

from .download import fetch
from .files import read_table
from .record import Dataset

_URL = "https://raw.githubusercontent.com/jbrownlee/Datasets/master/airline-passengers.csv"
_SHA256 = "8cb51be753a718d9be5d76d7e238cc224792754676adc21faa59e954b0201621"


def read() -> pd.DataFrame:
    """Read the table: Month, Passengers."""
    return read_table(fetch("univariate/airline-passengers.csv", _URL, _SHA256))


DATASET = Dataset(
    name="airline_passengers",
    description="monthly airline passengers (thousands)",
    rows=144,
    source="Brownlee's collection of data sets",
    short_source="Brownlee",
    licence="not stated",
    download=True,
    loader=read,
    roles={"time": "Month", "target": "Passengers"},
)
