"""Docstrings of installed libraries: which library wrote this?

Source: the .py files of eight libraries that recurra depends on, as they are on this machine (no download, nothing is
imported). It changes with the installed versions: to repeat a figure, note those.
Licence: BSD-3-Clause (numpy, pandas, scipy, scikit-learn, statsmodels), Apache-2.0 (keras, tensorflow), PSF-based
(matplotlib).
Observed: 400 texts per library for training and 100 for the test, which come from other files. A text is
the docstring's opening prose, up to the first section or example and at most 60 words, one line; of texts that differ
in case or spaces only, the first is kept, so there are no duplicates. Style and vocabulary reveal the library, often by
a few words ("array-like", "estimator", "Artist").
"""

import ast
import gc
import hashlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from ..errors import InputError
from .record import Dataset

LIBRARIES = {
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "statsmodels": "statsmodels",
    "matplotlib": "matplotlib",
    "keras": "keras",
    "tensorflow": "tensorflow",
}
TRAIN, TEST = 400, 100
# Tests, and copies of other libraries: tensorflow/python/keras is an old keras.
_SKIPPED = {"tests", "testing", "externals", "extern", "_vendor", "array_api_compat", "array_api_extra"}
_OLD_KERAS = ("tensorflow", "python", "keras")
_FROM_ONE_FILE = 12  # files with hundreds of functions much alike would fill the set
_LARGEST = 300_000  # bytes: a file larger than that takes long to parse, and one file gives few texts only
_WORDS = (8, 60)
_SECTION = re.compile(
    r"\s*(Args|Arguments|Parameters|Returns?|Raises|Examples?|Usage|Notes?|References|\w+ shape):\s*$"
)


def read() -> pd.DataFrame:
    """Read the table: text, library, split."""
    collecting = gc.isenabled()
    gc.disable()  # syntax trees are many small objects and no garbage: looking for some takes half the time
    try:
        return pd.DataFrame(_rows(), columns=["text", "library", "split"])
    finally:
        if collecting:
            gc.enable()


def _rows() -> list[tuple[str, str, str]]:
    """Collect the texts of each library until both of its splits are full."""
    known: set[str] = set()
    rows: list[tuple[str, str, str]] = []
    for package, library in LIBRARIES.items():
        wanted = {"train": TRAIN, "test": TEST}
        for path in _files(package):
            split = "test" if _shuffled(path.as_posix(), "part") % 4 == 0 else "train"
            if not wanted[split]:
                if not any(wanted.values()):
                    break
                continue
            new = [text for text in _texts(_root(package) / path) if text.casefold() not in known]
            new = list(dict.fromkeys(new))[: min(_FROM_ONE_FILE, wanted[split])]
            known.update(text.casefold() for text in new)
            wanted[split] -= len(new)
            rows += [(text, library, split) for text in new]
        if any(wanted.values()):
            raise InputError(
                f"docstrings: the installed {library} has {sum(wanted.values())} docstrings less than expected; "
                "install the version that recurra asks for, with its .py files"
            )
    return rows


def _root(package: str) -> Path:
    found = importlib.util.find_spec(package)  # of a package without a dot: imports nothing
    if found is None or not found.submodule_search_locations:
        raise InputError(
            f"docstrings: the package {package} was not found, of whose docstrings the data set is made; install it"
        )
    return Path(found.submodule_search_locations[0])


def _files(package: str) -> list[Path]:
    """Source files, shuffled in the same way everywhere, so that a few of them represent all."""
    root = _root(package)
    files = [path.relative_to(root.parent) for path in root.rglob("*.py")]
    kept = [path for path in files if not _SKIPPED & set(path.parts) and path.parts[:3] != _OLD_KERAS]
    return sorted((path.relative_to(package) for path in kept), key=lambda path: _shuffled(path.as_posix(), "order"))


def _shuffled(path: str, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{purpose} {path}".encode()).digest()[:8], "big")


def _texts(path: Path) -> Iterator[str]:
    source = path.read_bytes()
    if len(source) > _LARGEST or source.count(b'"""') < 2:
        return
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # templates and files of other Python versions
        return
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            words = _opening(ast.get_docstring(node) or "").split()
            if len(words) >= _WORDS[0]:
                yield " ".join(words[: _WORDS[1]])
        if isinstance(node, ast.ClassDef):
            waiting = node.body + waiting


def _opening(docstring: str) -> str:
    """Give the prose before the first section or example."""
    lines = docstring.splitlines()
    for number, line in enumerate(lines):
        underlined = number + 1 < len(lines) and re.fullmatch(r"\s*[-=]{3,}\s*", lines[number + 1])
        if underlined or line.lstrip().startswith((">>>", "```", ".. ")) or _SECTION.fullmatch(line):
            return "\n".join(lines[:number])
    return docstring


DATASET = Dataset(
    name="docstrings",
    description="which library wrote this docstring",
    rows=len(LIBRARIES) * (TRAIN + TEST),
    source="the installed libraries",
    short_source="site-packages",
    licence="BSD-3-Clause, Apache-2.0, PSF",
    download=False,
    loader=read,
    roles={"text": "text", "label": "library", "split": "split"},
    frame="text",
)
