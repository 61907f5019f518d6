"""SyntheticControl of the UCR archive (Alcock & Manolopoulos 1999).

Source: https://www.cs.ucr.edu/~eamonn/time_series_data_2018/ (a zip archive with a password,
SyntheticControl/SyntheticControl_TRAIN.tsv and _TEST.tsv in it)
Licence: not stated; it is put in place by hand, never copied along.
Checksum: sha256 58af636cbd55… (train, 199,669 bytes), cd44464b2008… (test, 199,691 bytes).
Observed: 300 training and 300 test charts of 60 steps, six classes of 50 each (normal, cyclic, two trends, two shifts);
z-scored one by one.
"""

from typing import Any

from .record import Dataset
from .ucr_archive import read_ucr_set

_SHA256 = {
    "TRAIN": "58af636cbd5592bdda45ba638629e40f17c08354aa545a61fd41b92582bdd176",
    "TEST": "cd44464b200820913f928a952af78d512ee3924f6243053d28a6d45c0aacdb76",
}


def read() -> dict[str, Any]:
    """Read the sequences of both splits."""
    return read_ucr_set("SyntheticControl", _SHA256)


DATASET = Dataset(
    name="ucr_syntheticcontrol",
    description="which of six shapes a control chart has",
    rows=600,
    source="UCR archive (Alcock & Manolopoulos 1999)",
    short_source="UCR archive",
    licence="not stated",
    download=True,
    by_hand=True,
    loader=read,
    roles={"label": "class"},
    frame="panel",
)
