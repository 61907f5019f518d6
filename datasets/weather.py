"""Weather at Jena (Max Planck Institute for Biogeochemistry), every 10 minutes of 2020, as in research code.

Source: https://www.bgc-jena.mpg.de/wetter/, in the form of the "weather" benchmark that Autoformer (Wu et
al. 2021) published; there is no stable upstream address, so the file has to be put in place by hand.
Licence: not stated for the benchmark's form.
Checksum: sha256 9b2b19b13e34…; 7,182,728 bytes.
Observed: 52,696 rows of 21 columns; the row of 2020-05-12 06:00 is duplicated and nine rows before 2020-05-29 11:10
are left out, so the table is off a regular axis in two places; -9999 marks a missing value.
Published figures ignore both: they count rows, 70/10/20 by time. Here the rows keep their time stamps, the
copy is dropped and -9999 is missing.
"""

import pandas as pd

from .download import fetch
from .files import read_table
from .record import Dataset

_PAGE = "https://github.com/thuml/Autoformer (weather/weather.csv in its collection of data sets)"
_SHA256 = "9b2b19b13e342d9c9b9c51620d42b4be232df7fba30e7f5c4968b7c79ab138ad"


def read() -> pd.DataFrame:
    """Read the table: date, 21 measurements, the last called OT."""
    table = read_table(fetch("weather/weather.csv", _PAGE, _SHA256, by_hand=True))
    once = table.drop_duplicates().reset_index(drop=True).replace(-9999.0, float("nan"))
    once.attrs = {"notes": ["one duplicated row of the file is dropped; -9999 is read as missing"]}
    return once


DATASET = Dataset(
    name="weather",
    description="10-minute weather measurements",
    rows=52_695,
    source="Max Planck Institute Jena (Wu et al. 2021)",
    short_source="MPI Jena",
    licence="not stated",
    download=True,
    by_hand=True,
    loader=read,
    roles={"time": "date", "target": "OT"},
)
