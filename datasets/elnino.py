"""Monthly sea surface temperature off Peru and Ecuador (Niño 1+2), 1950 to 2010.

Source: statsmodels, which carries it in its wheel (no download), after
http://www.cpc.ncep.noaa.gov/data/indices/ (ERSST.V3B)
Licence: public domain.
Observed: 61 years of 12 months, none missing; 18.9 to 29.3 °C; a strong yearly cycle, and every few years a
warm year (1983, 1998) that stays for months.
"""

import pandas as pd

from .record import Dataset


def read() -> pd.DataFrame:
    """Read the table: date, temperature; upstream keeps a year a row and a month a column."""
    from statsmodels.datasets import elnino

    wide = elnino.load_pandas().data
    months = pd.date_range(f"{int(wide['YEAR'].iloc[0])}-01-01", periods=12 * len(wide), freq="MS")
    return pd.DataFrame({"date": months, "temperature": wide.drop(columns="YEAR").to_numpy().ravel()})


DATASET = Dataset(
    name="elnino",
    description="monthly sea surface temperature (°C)",
    rows=732,
    source="statsmodels (NOAA)",
    short_source="statsmodels",
    licence="public domain",
    download=False,
    loader=read,
    roles={"time": "date", "target": "temperature"},
)
