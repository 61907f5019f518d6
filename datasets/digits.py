"""Handwritten digits of 8×8 pixels, read row by row (Alpaydin & Kaynak 1998, the test set of UCI 80).

Source: scikit-learn, which carries it in its wheel (no download), after https://archive.ics.uci.edu/dataset/80
Licence: CC BY 4.0.
Observed: 1,797 digits, 174 to 183 of each; pixels 0 to 16; 8 steps (the rows, from the top) of 8 channels (the
columns).
"""

from typing import Any

from .record import Dataset


def read() -> dict[str, Any]:
    """Read the arrays: values (1797, 8, 8), targets 0 to 9."""
    from sklearn.datasets import load_digits

    data = load_digits()
    channels = [f"column {number}" for number in range(8)]
    return {"values": data.images, "targets": data.target, "name": "digit", "channels": channels}


DATASET = Dataset(
    name="digits",
    description="which digit was written, read row by row",
    rows=1797,
    source="scikit-learn (UCI 80, Alpaydin & Kaynak 1998)",
    short_source="scikit-learn",
    licence="CC BY 4.0",
    download=False,
    loader=read,
    roles={"label": "digit"},
    frame="panel",
)
