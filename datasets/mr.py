"""Sentences of movie reviews, positive or negative (Pang & Lee 2005), in the split of Yao et al. 2019 (TextGCN).

Source: https://github.com/yao8839836/text_gcn (data/mr.txt and data/corpus/mr.txt), made into one table: split, label,
id, text.
Licence: not stated; it is put there by hand, never copied along.
Checksum: sha256 6378c375b213… of the table textgcn_split.csv.
Observed: 10,662 sentences, half of them positive (1), 7,108 for training and 3,554 for the test; lower case,
punctuation set apart by spaces.
"""

import pandas as pd

from .download import fetch
from .files import read_table
from .record import Dataset

_PAGE = "https://github.com/yao8839836/text_gcn (as a table with the columns split, label, id, text)"
_SHA256 = "6378c375b21364f37490de96dcab16ff2be7297245c59d4597a61b5d0d6029ea"


def read() -> pd.DataFrame:
    """Read the table: split, label, id, text."""
    return read_table(fetch("mr/textgcn_split.csv", _PAGE, _SHA256, by_hand=True), as_text=["text"])


DATASET = Dataset(
    name="mr",
    description="is a sentence of a movie review positive (1) or negative (0)",
    rows=10_662,
    source="Pang & Lee 2005 (split of Yao et al. 2019)",
    short_source="Pang & Lee 2005",
    licence="not stated",
    download=True,
    by_hand=True,
    loader=read,
    roles={"text": "text", "label": "label", "split": "split"},
    frame="text",
)
