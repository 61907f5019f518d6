"""ItalyPowerDemand of the UCR archive (Keogh et al. 2006).

Source: https://www.cs.ucr.edu/~eamonn/time_series_data_2018/ (a zip archive with a password,
ItalyPowerDemand/ItalyPowerDemand_TRAIN.tsv and _TEST.tsv in it)
Licence: not stated; it is put in place by hand, never copied along.
Checksum: sha256 fab46ef99232… (train, 17,832 bytes), ab22aa53de4e… (test, 273,602 bytes).
Observed: 67 training and 1,029 test days of 24 hours, two classes (1 October to March, 2 April to September), nearly
balanced; z-scored one by one.
"""

from typing import Any

from .record import Dataset
from .ucr_archive import read_ucr_set

_SHA256 = {
    "TRAIN": "fab46ef99232ada65773ed89b131954a91ec1da69803159cb1566f320dbaf22e",
    "TEST": "ab22aa53de4ef55f2e2bcbf0518565704aeec8d76f48ef1180903bf5814c47fc",
}


def read() -> dict[str, Any]:
    """Read the sequences of both splits."""
    return read_ucr_set("ItalyPowerDemand", _SHA256)


DATASET = Dataset(
    name="ucr_italypowerdemand",
    description="is a day of electricity demand in the cold or the warm half of the year",
    rows=1096,
    source="UCR archive (Keogh et al. 2006)",
    short_source="UCR archive",
    licence="not stated",
    download=True,
    by_hand=True,
    loader=read,
    roles={"label": "class"},
    frame="panel",
)
