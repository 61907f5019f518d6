"""Electricity transformer temperature, 15-minute, 2016-07-01 to 2018-06-26 (Zhou et al. 2021, Informer).

Source: https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small/ETTm1.csv
Licence: CC BY-ND 4.0.
Checksum: sha256 6ce1759b1a18…; 10,360,719 bytes.
Observed: 69,680 rows without a gap; oil temperature OT and six loads. Published figures use
rows [0:34560) train, [34560:46080) validation, [46080:57600) test, all seven columns as targets:
``load("ettm1", target=["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"])``.
"""

import pandas as pd

from .download import fetch
from .files import read_table
from .record import Dataset

_URL = "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small/ETTm1.csv"
_SHA256 = "6ce1759b1a18e3328421d5d75fadcb316c449fcd7cec32820c8dafda71986c9e"


def read() -> pd.DataFrame:
    """Read the table: date, HUFL, HULL, MUFL, MULL, LUFL, LULL, OT."""
    return read_table(fetch("ett/ETTm1.csv", _URL, _SHA256))


DATASET = Dataset(
    name="ettm1",
    description="15-minute transformer oil temperature (°C)",
    rows=69680,
    source="ETDataset (Zhou et al. 2021)",
    short_source="ETDataset",
    licence="CC BY-ND 4.0",
    download=True,
    loader=read,
    roles={"time": "date", "target": "OT"},
)
