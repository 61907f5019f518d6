"""Trace of the UCR archive (Roverso 2000).

Source: https://www.cs.ucr.edu/~eamonn/time_series_data_2018/ (a zip archive with a password, Trace/Trace_TRAIN.tsv and
_TEST.tsv in it)
Licence: not stated; it is put in place by hand, never copied along.
Checksum: sha256 4a47b31e5614… (train, 301,827 bytes), 719d719c25d1… (test, 302,091 bytes).
Observed: 100 training and 100 test sequences of 275 steps, four classes, 19 to 31 of each; z-scored one by one.
"""

from typing import Any

from .record import Dataset
from .ucr_archive import read_ucr_set

_SHA256 = {
    "TRAIN": "4a47b31e5614c8d304a5f53d5cb4b188892ce1f6459e768b0ae90e8a2b3f03fc",
    "TEST": "719d719c25d1fb60ffd39d8d999c9e82927b32c0501150f42014cb2941040e1c",
}


def read() -> dict[str, Any]:
    """Read the sequences of both splits."""
    return read_ucr_set("Trace", _SHA256)


DATASET = Dataset(
    name="ucr_trace",
    description="which of four instrument failures is this",
    rows=200,
    source="UCR archive (Roverso 2000)",
    short_source="UCR archive",
    licence="not stated",
    download=True,
    by_hand=True,
    loader=read,
    roles={"label": "class"},
    frame="panel",
)
