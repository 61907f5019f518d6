"""Words and whether they sound good or bad: the VADER lexicon (Hutto & Gilbert 2014), letters only.

Source: https://raw.githubusercontent.com/cjhutto/vaderSentiment/master/vaderSentiment/vader_lexicon.txt
Licence: MIT.
Checksum: sha256 ec636f884f36…; 426,786 bytes.
Observed: 7,520 entries, 7,217 of them letters only (the others are smileys and the like), 3,190 positive and 4,027
negative; word forms (abandon, abandoned) stand beside each other, so a random split tests endings more than new stems.
The label is the sign of the mean of ten people's marks from -4 to 4, which is never 0 among these.
"""

import pandas as pd

from .download import fetch
from .record import Dataset

_URL = "https://raw.githubusercontent.com/cjhutto/vaderSentiment/master/vaderSentiment/vader_lexicon.txt"
_SHA256 = "ec636f884f36b5de6a4d681b2f61c08c2ec90eeb440472033f3307d0d6fa8bc9"


def read() -> pd.DataFrame:
    """Read the table: word, sentiment (positive, negative), mean."""
    lines = fetch("vader/vader_lexicon.txt", _URL, _SHA256)
    table = pd.read_csv(
        lines, sep="\t", header=None, usecols=[0, 1], names=["word", "mean"], quoting=3, na_filter=False
    )
    table = table[table["word"].str.isalpha()].reset_index(drop=True)
    return table.assign(sentiment=table["mean"].gt(0).map({True: "positive", False: "negative"}))


DATASET = Dataset(
    name="word_sentiment",
    description="does a word sound positive or negative, from its letters",
    rows=7_217,
    source="VADER (Hutto & Gilbert 2014)",
    short_source="VADER",
    licence="MIT",
    download=True,
    loader=read,
    roles={"text": "word", "label": "sentiment"},
    frame="text",
)
