"""A million characters of Shakespeare's plays (Karpathy 2015, char-rnn).

Source: https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt
Licence: public domain.
Checksum: sha256 86c4e6aa9db7…; 1,115,394 bytes.
Observed: 65 different characters, all ASCII; 40,000 lines. Published figures train on the first 90 % and test on the
last 10 %; here the validation set is the last tenth of those 90 %.
"""

from typing import Any

from .download import fetch
from .files import read_text
from .record import Dataset

_URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"


def read() -> dict[str, Any]:
    """Read the text and where its validation and test sets begin."""
    text = read_text(fetch("tinyshakespeare/input.txt", _URL, _SHA256))
    test = len(text) * 9 // 10
    return {"text": text, "cuts": (test * 9 // 10, test)}


DATASET = Dataset(
    name="tinyshakespeare",
    description="the next character or word of Shakespeare's plays",
    rows=1_115_394,
    source="char-rnn (Karpathy 2015)",
    short_source="char-rnn",
    licence="public domain",
    download=True,
    loader=read,
    frame="corpus",
)
