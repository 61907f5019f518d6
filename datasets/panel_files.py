"""Files of sequences become the arguments of ``PanelFrame.from_arrays``: .npz, .ts, UCR .tsv."""

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .csv_text import decode, lines_of
from .files import kind_of, read_bytes
from .npz_arrays import read_npz
from .ts_text import read_ts
from .ucr_text import fields_of, read_ucr

# Lines that say whether a file without a header holds sequences.
_LINES = 1000


def read_panel(
    path: str | Path,
    *,
    values: str | None = None,
    targets: str | None = None,
    task: str | None = None,
    with_targets: bool = True,
) -> dict[str, Any]:
    """Read a file of sequences.

    Args:
        path: .npz, .ts or .tsv (UCR), each also compressed.
        values: name of the array of values in an .npz. Default: X.
        targets: name of the array of targets in an .npz. Default: y, if there is one.
        task: of the targets; by default inferred from them.
        with_targets: whether targets are read at all; they are not asked for where predictions are.

    Returns:
        Arguments of ``PanelFrame.from_arrays``.

    Raises:
        InputError: content that isn't what the ending says, sequences of the wrong width, or a cell that is not a
            number.
    """
    path = Path(path)
    kind, data = read_bytes(path, "a panel of sequences")
    notes: list[str] = []
    if kind == ".npz":
        panel = _read_npz_splits(data, path, values or "X", targets, with_targets=with_targets)
    else:
        for name in (values, targets) if with_targets else ():
            if name is not None:
                raise InputError(
                    f"{path}: {name!r} was given where no name was expected, as this kind of file has no names for its "
                    "columns; leave it out"
                )
        text = decode(data, path, notes)
        panel = read_ts(text, path) if kind == ".ts" else read_ucr(text, path)
    if not with_targets:
        panel = {"values": panel["values"], "notes": panel.get("notes", [])}
    if task is not None:
        panel["task"] = task
    panel["notes"] = [*notes, *panel.get("notes", [])]
    return {**panel, "source": str(path)}


def join_splits(train: dict[str, Any], test: dict[str, Any]) -> dict[str, Any]:
    """Append a held-out test set, read from a file of its own, to the training set."""
    for split in (train, test):
        if split.get("targets") is None:
            raise InputError(
                f"{split['source']}: no targets were found, which both the training and the test set need; add some"
            )
        if split.get("is_test") is not None:
            raise InputError(f"{split['source']}: the file already holds a test set; leave `test` out")
    is_test = np.repeat([False, True], [len(train["values"]), len(test["values"])])
    return {
        **train,
        "values": [*train["values"], *test["values"]],
        "targets": [*train["targets"], *test["targets"]],
        "is_test": is_test,
        "notes": list(dict.fromkeys([*train["notes"], *test["notes"]])),
    }


def is_panel(path: str | Path, *, peek: bool) -> bool:
    """Whether a file holds sequences, by its ending or, for a .tsv or .txt, by its first lines.

    A .tsv is of the UCR kind if its first line is not a header: three or more fields that are all numbers. An older
    .txt has spaces or commas between them; there the class, a whole number, must come again in other lines.
    """
    kind = kind_of(path)
    if kind not in (".tsv", ".txt") or not peek or not Path(path).is_file():
        return kind in (".npz", ".ts")
    _, data = read_bytes(Path(path))
    lines = [line for line in lines_of(data.decode("latin-1"))[:_LINES] if line.strip()]
    fields = fields_of(lines[0])
    if len(fields) < 3 or not all(_is_number(cell) for cell in fields):
        return False
    return kind == ".tsv" or _has_classes(lines)


def _has_classes(lines: list[str]) -> bool:
    """Whether every line begins with one of few whole numbers, and is as long as the first."""
    rows = [fields_of(line) for line in lines]
    if len({len(row) for row in rows}) > 1 or len(rows) < 2:
        return False
    first = [row[0] for row in rows]
    if not all(_is_number(cell) and float(cell).is_integer() for cell in first):
        return False
    return len(set(map(float, first))) <= max(1, len(rows) // 2)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _read_npz_splits(
    data: bytes, path: Path, values: str, targets: str | None, *, with_targets: bool
) -> dict[str, Any]:
    """Read X and y; or X_train, y_train, X_test and y_test."""
    arrays = read_npz(data, path)
    if not with_targets:
        names = [values] if arrays.holds(values) else [f"{values}_{split}" for split in ("train", "test")]
        parts = [arrays.panel(name, None) for name in names if arrays.holds(name)] or [arrays.panel(values, None)]
        return {key: [item for part in parts for item in part[key]] for key in ("values", "notes")}
    if arrays.holds(f"{values}_train"):
        targets = targets or "y"
        splits = [arrays.panel(f"{values}_{split}", f"{targets}_{split}") for split in ("train", "test")]
        train, test = ({**split, "name": targets, "source": str(path)} for split in splits)
        return join_splits(train, test)
    default = "y" if arrays.holds("y") else None
    return {**arrays.panel(values, targets or default), "name": targets or "y"}
