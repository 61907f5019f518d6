"""Hourly fine dust (PM2.5) at the US embassy in Beijing with the weather, 2010 to 2014 (Liang et al. 2015).

Source: https://archive.ics.uci.edu/dataset/381 (a zip archive with PRSA_data_2010.1.1-2014.12.31.csv in it)
Licence: CC BY 4.0.
Checksum: sha256 892e9559205d… of the file in the archive; 2,010,492 bytes.
Observed: 43,824 hours without a gap in time; 2,067 values of pm2.5 are missing ("NA"), the first 24 among
them; cbwd, the wind direction, is text (NW, cv, NE, SE).
"""

import pandas as pd

from .download import fetch
from .files import read_table
from .record import Dataset

_PAGE = "https://archive.ics.uci.edu/dataset/381 (PRSA_data_2010.1.1-2014.12.31.csv in the archive)"
_SHA256 = "892e9559205d16d32623135c127a3951c12e46ea1e0b3093e107ce89a9fd60e2"


def read() -> pd.DataFrame:
    """Read the table: No, year, month, day, hour, pm2.5, seven columns of weather."""
    return read_table(fetch("beijing_pm25/pollution.csv", _PAGE, _SHA256, by_hand=True))


DATASET = Dataset(
    name="beijing_pm25",
    description="hourly PM2.5 (µg/m³) from the weather up to now",
    rows=43_824,
    source="UCI 381 (Liang et al. 2015)",
    short_source="UCI 381",
    licence="CC BY 4.0",
    download=True,
    by_hand=True,
    loader=read,
    roles={
        "time": ["year", "month", "day", "hour"],
        "target": "pm2.5",
        "past_covariates": ["DEWP", "TEMP", "PRES", "cbwd", "Iws", "Is", "Ir"],
    },
)
