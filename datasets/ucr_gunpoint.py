"""GunPoint of the UCR archive (Ratanamahatana & Keogh 2005).

Source: https://www.cs.ucr.edu/~eamonn/time_series_data_2018/ (a zip archive with a password,
GunPoint/GunPoint_TRAIN.tsv and _TEST.tsv in it)
Licence: not stated; it is put in place by hand, never copied along.
Checksum: sha256 4d14e4f44a62… (train, 83,332 bytes), 5537eb2f3050… (test, 251,451 bytes).
Observed: 50 training and 150 test sequences of 150 steps, two classes (1 gun, 2 point), 24 and 26 of them for training;
z-scored one by one.
"""

from typing import Any

from .record import Dataset
from .ucr_archive import read_ucr_set

_SHA256 = {
    "TRAIN": "4d14e4f44a6230087cb4b4ed7844c8b0feb76f07a76108cc367d689e0de8f609",
    "TEST": "5537eb2f3050e1514f3221b5f4c9799b350fb229ea15eed9e78bbae855505ccf",
}


def read() -> dict[str, Any]:
    """Read the sequences of both splits."""
    return read_ucr_set("GunPoint", _SHA256)


DATASET = Dataset(
    name="ucr_gunpoint",
    description="does a hand draw a gun or point",
    rows=200,
    source="UCR archive (Ratanamahatana & Keogh 2005)",
    short_source="UCR archive",
    licence="not stated",
    download=True,
    by_hand=True,
    loader=read,
    roles={"label": "class"},
    frame="panel",
)
