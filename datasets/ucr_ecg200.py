"""ECG200 of the UCR archive (Olszewski 2001).

Source: https://www.cs.ucr.edu/~eamonn/time_series_data_2018/ (a zip archive with a password, ECG200/ECG200_TRAIN.tsv
and _TEST.tsv in it)
Licence: not stated; it is put in place by hand, never copied along.
Checksum: sha256 bffe8ea724a5… (train, 106,708 bytes), 60ec3ecfc844… (test, 106,704 bytes).
Observed: 100 training and 100 test beats of 96 steps, two classes written 0 and 1 (elsewhere -1 and 1), 31 to 69 in the
training set; z-scored one by one.
"""

from typing import Any

from .record import Dataset
from .ucr_archive import read_ucr_set

_SHA256 = {
    "TRAIN": "bffe8ea724a576f08ca6abcefa65d291fb7f0b6ebd6ff6c2caf876437d3d0ac1",
    "TEST": "60ec3ecfc844403c80a5936b123b2a1829c83382d044568461affb66bd31d2c0",
}


def read() -> dict[str, Any]:
    """Read the sequences of both splits."""
    return read_ucr_set("ECG200", _SHA256)


DATASET = Dataset(
    name="ucr_ecg200",
    description="is a heartbeat normal or not",
    rows=200,
    source="UCR archive (Olszewski 2001)",
    short_source="UCR archive",
    licence="not stated",
    download=True,
    by_hand=True,
    loader=read,
    roles={"label": "class"},
    frame="panel",
)
