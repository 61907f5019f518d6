"""20 Newsgroups, split by date, headers kept (Lang 1995).

Source: scikit-learn's fetch_20newsgroups, after http://qwone.com/~jason/20Newsgroups/20news-bydate.tar.gz; or two
tables label, id, text below $RECURRA_DATA: 20news/train.csv and 20news/test.csv.
Licence: not stated; it is downloaded, never copied along.
Checksum: sha256 d22b6c12b999… (train.csv), 48bea35fcc62… (test.csv, 14,024,546 bytes); scikit-learn checks its archive.
Observed: 11,314 posts for training and 7,532 later ones for the test; 377 to 600 training posts per group. The headers
(From:, Organization:) reveal many groups; they are in the texts of the published figures.
"""

import pandas as pd

from ..errors import InputError
from .download import data_folder, fetch
from .files import read_table
from .record import Dataset

_PAGE = "http://qwone.com/~jason/20Newsgroups/"
_SHA256 = {
    "train": "d22b6c12b9994e254bb0085a65984d66193f76892ea80199271134e9e3b55ac6",
    "test": "48bea35fcc62f33962bf3a7a940a705e8ce262c34b8bf7a447be019c45ba8da1",
}


def read() -> pd.DataFrame:
    """Read the table: label, text, split."""
    return pd.concat([_read(split) for split in _SHA256], ignore_index=True)


def _read(split: str) -> pd.DataFrame:
    if not any((data_folder() / "20news").glob(f"{split}.csv*")):
        return _download(split)
    table = read_table(fetch(f"20news/{split}.csv", _PAGE, _SHA256[split], by_hand=True), as_text=["text"])
    return table[["label", "text"]].assign(split=split)


def _download(split: str) -> pd.DataFrame:
    from sklearn.datasets import fetch_20newsgroups

    try:
        data = fetch_20newsgroups(data_home=data_folder() / "20news", subset=split, shuffle=False)
    except OSError as error:  # no connection; a wrong checksum is one too
        raise InputError(
            f"newsgroups20: the posts cannot be downloaded ({error}); connect to the internet, or set RECURRA_DATA to "
            f"a folder that has 20news/{split}.csv"
        ) from error
    labels = [data.target_names[target] for target in data.target]
    return pd.DataFrame({"label": labels, "text": data.data, "split": split})


DATASET = Dataset(
    name="newsgroups20",
    description="to which of 20 newsgroups a post was sent",
    rows=18_846,
    source="20 Newsgroups by date (Lang 1995)",
    short_source="Lang 1995",
    licence="not stated",
    download=True,
    loader=read,
    roles={"text": "text", "label": "label", "split": "split"},
    frame="text",
)
