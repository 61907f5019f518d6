"""Electricity transformer temperature, hourly, 2016-07-01 to 2018-06-26 (Zhou et al. 2021, Informer).

Source: https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small/ETTh1.csv
Licence: CC BY-ND 4.0.
Checksum: sha256 f18de3ad269c…; 2,589,657 bytes.
Observed: 17,420 rows without a gap; oil temperature OT and six loads. Published figures use
rows [0:8640) train, [8640:11520) validation, [11520:14400) test, all seven columns as targets:
``load("etth1", target=["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"])``.
"""

import pandas as pd

from .download import fetch
from .files import read_table
from .record import Dataset

_URL = "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small/ETTh1.csv"
_SHA256 = "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066"


def read() -> pd.DataFrame:
    """Read the table: date, HUFL, HULL, MUFL, MULL, LUFL, LULL, OT."""
    return read_table(fetch("ett/ETTh1.csv", _URL, _SHA256))


DATASET = Dataset(
    name="etth1",
    description="hourly transformer oil temperature (°C)",
    rows=17420,
    source="ETDataset (Zhou et al. 2021)",
    short_source="ETDataset",
    licence="CC BY-ND 4.0",
    download=True,
    loader=read,
    roles={"time": "date", "target": "OT"},
)
