"""Stanford Sentiment Treebank, two classes, in the form of GLUE (Socher et al. 2013, Wang et al. 2018).

Source: https://dl.fbaipublicfiles.com/glue/data/SST-2.zip (SST-2/train.tsv, SST-2/dev.tsv)
Licence: not stated; it is downloaded, never copied along.
Checksum: sha256 48eac26399f8… (train.tsv, 3,806,081 bytes), 54a9c12c77e4… (dev.tsv, 94,931 bytes).
Observed: 67,349 training phrases, many of them parts of one another, and 872 whole sentences of the dev file, the
held-out test set here, as GLUE keeps its own test labels secret; lower case, split at spaces.
"""

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
    """Read the table: sentence, label, split."""
    tables = []
    for name, sha256 in _SHA256.items():
        path = fetch_from_archive(f"sst2_glue/{name}.tsv", _URL, sha256, zip_member(f"SST-2/{name}.tsv"))
        tables.append(read_table(path, as_text=["sentence"]).assign(split="test" if name == "dev" else name))
    return pd.concat(tables, ignore_index=True)


DATASET = Dataset(
    name="sst2",
    description="is a phrase of a movie review positive (1) or negative (0)",
    rows=68_221,
    source="SST-2 (Socher et al. 2013, GLUE)",
    short_source="GLUE",
    licence="not stated",
    download=True,
    loader=read,
    roles={"text": "sentence", "label": "label", "split": "split"},
    frame="text",
)
