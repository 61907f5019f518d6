"""Monthly sunspot numbers, 1749 to 1983 (Andrews and Herzberg).

Source: https://raw.githubusercontent.com/jbrownlee/Datasets/master/monthly-sunspots.csv
Licence: not stated; it is downloaded, never copied along.
Checksum: sha256 c4ec8cc57d9f…; 45,039 bytes.
Observed: 2,820 months, none missing; 0 to 253.8; a cycle of about 11 years, none of 12 months.
"""

import pandas as pd

from .download import fetch
from .files import read_table
from .record import Dataset

_URL = "https://raw.githubusercontent.com/jbrownlee/Datasets/master/monthly-sunspots.csv"
_SHA256 = "c4ec8cc57d9f6fb6ecdb3e1f37f25b6f4badd5124c55931052b0cd2fc3bc71f3"


def read() -> pd.DataFrame:
    """Read the table: Month, Sunspots."""
    return read_table(fetch("univariate/monthly-sunspots.csv", _URL, _SHA256))


DATASET = Dataset(
    name="monthly_sunspots",
    description="monthly sunspot number",
    rows=2820,
    source="Brownlee's collection of data sets",
    short_source="Brownlee",
    licence="not stated",
    download=True,
    loader=read,
    roles={"time": "Month", "target": "Sunspots"},
)
