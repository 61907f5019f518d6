"""IMDB movie reviews, 25,000 for training and 25,000 for the test (Maas et al. 2011).

Source: https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz, made into two tables: id, label (0 negative,
1 positive), rating (1 to 10), text, ordered by class and number.
Licence: not stated (for research); it is downloaded, never copied along.
Checksum: sha256 24b3cb6d20ae… (train.csv, 33,657,642 bytes), d9359159571d… (test.csv, 32,873,935 bytes);
md5 7c2ac02c0356… of the archive.
Observed: as many positive as negative reviews; ratings 1 to 4 and 7 to 10, nothing between; <br /> stands for a line
end; 123 texts of the test set are in the training set too.
"""

import csv
import io
import tarfile
from pathlib import Path, PurePosixPath

import pandas as pd

from .download import fetch_from_archive
from .files import read_table
from .record import Dataset

_URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
_ARCHIVE = "md5:7c2ac02c03563afcf9b574c7e56c153a"
_SHA256 = {
    "train": "24b3cb6d20ae00fe11f5f253c3be5a6e1244b03e893305dac4919e92dce270bf",
    "test": "d9359159571d26170b30ec66a3218f413e690ded7bdbfed2a25ca028ce16c73c",
}
_CLASSES = ("neg", "pos")


def read() -> pd.DataFrame:
    """Read the table: id, label, rating, text, split."""
    return pd.concat([_read(split) for split in _SHA256], ignore_index=True)


def _read(split: str) -> pd.DataFrame:
    path = fetch_from_archive(
        f"imdb/{split}.csv", _URL, _SHA256[split], lambda archive: tabulate(archive, split), archive_hash=_ARCHIVE
    )
    return read_table(path, as_text=["text"]).assign(split=split)


def tabulate(archive: Path, split: str) -> bytes:
    """Make the table of a split from the archive's files, such as aclImdb/train/pos/17_9.txt."""
    rows = []
    with tarfile.open(archive) as file:
        for member in file:
            path = PurePosixPath(member.name)
            if len(path.parts) == 4 and path.parts[1] == split and path.parts[2] in _CLASSES and member.isfile():
                opened = file.extractfile(member)
                text = "" if opened is None else opened.read().decode("utf-8")
                number, rating = map(int, path.stem.split("_"))
                label = _CLASSES.index(path.parts[2])
                rows.append((label, number, f"{path.parts[2]}/{path.stem}", rating, text))
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["id", "label", "rating", "text"])
    writer.writerows((id, label, rating, text) for label, _, id, rating, text in sorted(rows))
    return table.getvalue().encode()


DATASET = Dataset(
    name="imdb",
    description="is a movie review positive (1) or negative (0); also its rating",
    rows=50_000,
    source="Maas et al. 2011",
    short_source="Maas et al. 2011",
    licence="not stated",
    download=True,
    loader=read,
    roles={"text": "text", "label": "label", "split": "split"},
    frame="text",
)
