"""Stanford Sentiment Treebank, two classes, in the form of GLUE (Socher et al. 2013, Wang et al. 2018).

Source: https://dl.fbaipublicfiles.com/glue/data/SST-2.zip (SST-2/train.tsv, SST-2/dev.tsv)
Licence: not stated; it is downloaded, never copied along.
Checksum: sha256 48eac26399f8… (train.tsv, 3,806,081 bytes), 54a9c12c77e4… (dev.tsv, 94,931 bytes).
Observed: 67,349 training phrases, most of them parts of one another, and 872 whole sentences of the dev file, the
held-out test set here, as GLUE keeps its own test labels secret; lower case, split at spaces. The file doesn't say
which sentence a phrase was cut from, so the column ``whole`` numbers the longest phrases (6,885) and gives each phrase
the number of one that contains it: a model that has read a phrase must not be stopped by the rest of its sentence.
"""

from collections.abc import Sequence

import pandas as pd

from .download import fetch_from_archive, zip_member
from .files import read_table
from .record import Dataset

_URL = "https://dl.fbaipublicfiles.com/glue/data/SST-2.zip"
_SHA256 = {
    "train": "48eac26399f8456935f81dd9e3a745c1430adb6c62e233ccfe22db4a0d15d1d1",
    "dev": "54a9c12c77e402fc14d6a66a506f24d999f596b0176eb777c972cccc2f9cc4b0",
}


def read() -> pd.DataFrame:
    """Read the table: sentence, label, split, whole (a number per longest phrase)."""
    tables = []
    for name, sha256 in _SHA256.items():
        path = fetch_from_archive(f"sst2_glue/{name}.tsv", _URL, sha256, zip_member(f"SST-2/{name}.tsv"))
        tables.append(read_table(path, as_text=["sentence"]).assign(split="test" if name == "dev" else name))
    table = pd.concat(tables, ignore_index=True)
    held_out = table["split"] == "test"
    table.loc[~held_out, "whole"] = number_wholes(table.loc[~held_out, "sentence"].tolist())
    table.loc[held_out, "whole"] = range(len(table), len(table) + held_out.sum())  # whole sentences, each by itself
    return table.astype({"whole": "int64"})


def number_wholes(phrases: Sequence[str]) -> list[int]:
    """Number the phrases that no other contains, and give every phrase the number of one that contains it.

    Args:
        phrases: words separated by spaces.

    Returns:
        A number per phrase; of several phrases that contain it that of the longest, the first of these.

    Example:
        >>> number_wholes(["a fine film", "fine", "dull", "fine film"])
        [0, 0, 2, 0]
    """
    numbers = [0] * len(phrases)
    whole_of: dict[str, int] = {}
    split = [phrase.split() for phrase in phrases]
    for row in sorted(range(len(split)), key=lambda row: -len(split[row])):
        words = split[row]
        numbers[row] = whole_of.get(" ".join(words), row)
        if numbers[row] == row:
            spans = ((start, end) for start in range(len(words)) for end in range(start + 1, len(words) + 1))
            for start, end in spans:
                whole_of.setdefault(" ".join(words[start:end]), row)
    return numbers


DATASET = Dataset(
    name="sst2",
    description="is a phrase of a movie review positive (1) or negative (0)",
    rows=68_221,
    source="SST-2 (Socher et al. 2013, GLUE)",
    short_source="GLUE",
    licence="not stated",
    download=True,
    loader=read,
    roles={"text": "sentence", "label": "label", "split": "split", "group": "whole"},
    frame="text",
)
