"""Weekly CO2 in the air at Mauna Loa, 1958-03-29 to 2001-12-29 (Keeling and Whorf, Scripps).

Source: statsmodels, which carries it in its wheel (no download), after
http://cdiac.ornl.gov/trends/co2/sio-keel-flask/sio-keel-flaskmlo_c.html
Licence: public domain.
Observed: 2,284 Saturdays, none left out; 59 values missing, in gaps of up to 18 weeks; a
yearly cycle of about 6 ppm on a trend from 316 to 371 ppm, so the level at the end was never seen in
training.
"""

import pandas as pd

from .record import Dataset


def read() -> pd.DataFrame:
    """Read the table: date, co2."""
    from statsmodels.datasets import co2

    return co2.load_pandas().data.rename_axis(index="date").reset_index()


DATASET = Dataset(
    name="co2",
    description="weekly CO2 concentration (ppm)",
    rows=2284,
    source="statsmodels (Mauna Loa, Scripps)",
    short_source="statsmodels",
    licence="public domain",
    download=False,
    loader=read,
    roles={"time": "date", "target": "co2"},
)
