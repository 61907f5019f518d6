"""Plain text files become the arguments of ``CorpusFrame.from_text``."""

from pathlib import Path
from typing import Any

from .csv_text import decode
from .files import read_bytes


def read_corpus(path: str | Path, test: str | Path | None = None) -> dict[str, Any]:
    r"""Read a text file, and perhaps a second one as the held-out test set.

    Line ends of Windows and of old Macs become \n. With a test file, the validation set is the last tenth of
    the training file.

    Raises:
        InputError: no such file, an empty one, or one that is not text.
    """
    notes: list[str] = []
    text = _read(Path(path), notes)
    if test is None:
        return {"text": text, "source": str(path), "notes": tuple(notes)}
    cuts = (len(text) * 9 // 10, len(text))
    return {"text": text + _read(Path(test), notes), "cuts": cuts, "source": str(path), "notes": tuple(notes)}


def _read(path: Path, notes: list[str]) -> str:
    text = decode(read_bytes(path, "a text")[1], path, notes)
    if "\r" in text:
        notes.append(f"the line ends of {path.name!r} are converted to \\n")
    return text.replace("\r\n", "\n").replace("\r", "\n")
