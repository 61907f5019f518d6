"""Yearly sunspot numbers, 1700 to 2008 (SILSO, by way of NOAA).

Source: statsmodels, which carries it in its wheel (no download), after
http://www.ngdc.noaa.gov/stp/solar/solarda3.html
Licence: public domain.
Observed: 309 years, none missing; between 0 and 190.2; a cycle of about 11 years whose height and length
change, so no calendar tells its phase.
"""

import pandas as pd

from .record import Dataset


def read() -> pd.DataFrame:
    """Read the table: YEAR, SUNACTIVITY."""
    from statsmodels.datasets import sunspots

    return sunspots.load_pandas().data


DATASET = Dataset(
    name="sunspots",
    description="yearly sunspot number",
    rows=309,
    source="statsmodels (NOAA)",
    short_source="statsmodels",
    licence="public domain",
    download=False,
    loader=read,
    roles={"time": "YEAR", "target": "SUNACTIVITY"},
)
