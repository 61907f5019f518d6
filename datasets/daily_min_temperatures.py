"""Daily minimum temperature in Melbourne, 1981 to 1990 (Australian Bureau of Meteorology).

Source: https://raw.githubusercontent.com/jbrownlee/Datasets/master/daily-min-temperatures.csv
Licence: not stated; it is downloaded, never copied along.
Checksum: sha256 8b9de63ed678…; 67,921 bytes.
Observed: 3,650 days; 31 December of the leap years 1984 and 1988 is left out; 0 to 26.3 °C; a yearly cycle.
"""

import pandas as pd

from .download import fetch
from .files import read_table
from .record import Dataset

_URL = "https://raw.githubusercontent.com/jbrownlee/Datasets/master/daily-min-temperatures.csv"
_SHA256 = "8b9de63ed6789492bf497625e7f9beb96a63d367b4b0a21754006f749fa5e5da"


def read() -> pd.DataFrame:
    """Read the table: Date, Temp."""
    return read_table(fetch("univariate/daily-min-temperatures.csv", _URL, _SHA256))


DATASET = Dataset(
    name="daily_min_temperatures",
    description="daily minimum temperature (°C)",
    rows=3650,
    source="Brownlee's collection of data sets",
    short_source="Brownlee",
    licence="not stated",
    download=True,
    loader=read,
    roles={"time": "Date", "target": "Temp"},
)
