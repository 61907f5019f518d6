"""Nine speakers say two vowels: 12 coefficients per step, 7 to 29 steps (Kudo, Toyama & Shimbo 1999).

Source: https://timeseriesclassification.com/aeon-toolkit/JapaneseVowels.zip (JapaneseVowels_TRAIN.ts, _TEST.ts)
Licence: CC BY 4.0 (UCI 128).
Checksum: sha256 68a430eabd91… (train, 487,971 bytes), b3d41d6a0ca3… (test, 649,132 bytes).
Observed: 270 training sequences, 30 per speaker, and 370 for the test, 24 to 88 per speaker; none missing; lengths
differ, which reveals little.
"""

from typing import Any

from .download import fetch_from_archive, zip_member
from .panel_files import join_splits, read_panel
from .record import Dataset

_URL = "https://timeseriesclassification.com/aeon-toolkit/JapaneseVowels.zip"
_SHA256 = {
    "TRAIN": "68a430eabd919cc77f40b1f5f3bc0dcafacc1486bca9260785aeb7d262cc78cd",
    "TEST": "b3d41d6a0ca3bcad3afb9ca7d4365382aa51341e2e58bae2a574babdda5b9462",
}


def read() -> dict[str, Any]:
    """Read the sequences: 640 arrays (7 to 29, 12), targets 1 to 9."""
    names = {split: f"JapaneseVowels_{split}.ts" for split in _SHA256}
    train, test = (
        read_panel(fetch_from_archive(f"uea/{names[split]}", _URL, sha256, zip_member(names[split])))
        for split, sha256 in _SHA256.items()
    )
    return {**join_splits(train, test), "name": "speaker"}


DATASET = Dataset(
    name="japanese_vowels",
    description="which of nine speakers said it; 7 to 29 steps of 12 channels",
    rows=640,
    source="UCI 128 (Kudo et al. 1999), .ts of timeseriesclassification.com",
    short_source="UCI 128",
    licence="CC BY 4.0",
    download=True,
    loader=read,
    roles={"label": "speaker"},
    frame="panel",
)
