"""Files of sequences become the arguments of ``PanelFrame.from_arrays``: .npz, .ts, UCR .tsv."""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .csv_text import decode
from .files import kind_of, read_bytes
from .ts_text import read_ts
from .ucr_text import read_ucr

_TASKS = {"label": "classification", "value": "regression", "tags": "tagging"}


def read_panel(
    path: str | Path, *, values: str | None = None, answer: str | None = None, task: str | None = None
) -> dict[str, Any]:
    """Read a file of sequences.

    Args:
        path: .npz, .ts or .tsv (UCR), each also compressed.
        values: name of the array of values in an .npz. Default: X.
        answer: name of the array of targets in an .npz. Default: y, if there is one.
        task: of the targets; by default told from them.

    Returns:
        Arguments of ``PanelFrame.from_arrays``.

    Raises:
        InputError: content that isn't what the ending says, sequences of the wrong width, or a cell that is no number.
    """
    path = Path(path)
    kind, data = read_bytes(path, "a panel of sequences")
    notes: list[str] = []
    if kind == ".npz":
        read = _read_npz(data, path, values or "X", answer)
    else:
        for role, name in (("--values", values), ("the targets", answer)):
            if name is not None:
                raise InputError(
                    f"{path} has no names for its columns, so {role} cannot be `{name}`: leave the role out."
                )
        text = decode(data, path, notes)
        read = read_ts(text, path) if kind == ".ts" else read_ucr(text, path)
    if task is not None:
        read["task"] = task
    read["notes"] = [*notes, *read.get("notes", [])]
    return {**read, "source": str(path)}


def join_parts(train: dict[str, Any], test: dict[str, Any]) -> dict[str, Any]:
    """Put an official test part, read from a file of its own, behind the training part."""
    for part in (train, test):
        if part.get("targets") is None:
            raise InputError(f"{part['source']} has no targets, which both a training and a test part need.")
        if part.get("is_test") is not None:
            raise InputError(f"{part['source']} already holds an official test part: leave --test out.")
    is_test = np.repeat([False, True], [len(train["values"]), len(test["values"])])
    return {
        **train,
        "values": [*train["values"], *test["values"]],
        "targets": [*train["targets"], *test["targets"]],
        "is_test": is_test,
        "notes": list(dict.fromkeys([*train["notes"], *test["notes"]])),
    }


def is_panel(path: str | Path, *, peek: bool) -> bool:
    """Whether a file holds sequences, by its ending or, for a .tsv, by its first line.

    A .tsv is of the UCR kind if its first line is no header: three or more fields that are all numbers.
    """
    kind = kind_of(path)
    if kind != ".tsv" or not peek or not Path(path).is_file():
        return kind in (".npz", ".ts")
    _, data = read_bytes(Path(path))
    fields = data.lstrip().split(b"\n", 1)[0].decode("latin-1").split("\t")
    return len(fields) >= 3 and all(_is_number(cell) for cell in fields)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _read_npz(data: bytes, path: Path, values: str, answer: str | None) -> dict[str, Any]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:  # pickles could run code
            arrays = {name: file[name] for name in file.files}
    except ValueError as error:
        if "pickle" not in str(error).lower():
            raise InputError(f"{path} is no whole .npz file ({error}): write it again with numpy.savez.") from error
        raise InputError(
            f"{path} holds Python objects (pickled arrays, perhaps sequences of different length), which are not read "
            "because they could run code: pad them with NaN to one length, or write JSON lines with `values`."
        ) from error
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, KeyError) as error:
        raise InputError(f"{path} is no whole .npz file ({error}): write it again with numpy.savez.") from error
    named = {name.lower(): name for name in arrays}
    if f"{values}_train".lower() in named:
        return _both_parts(arrays, named, path, values, answer)
    return _one_part(arrays, named, path, values, answer, "")


def _both_parts(
    arrays: dict[str, np.ndarray], named: dict[str, str], path: Path, values: str, answer: str | None
) -> dict[str, Any]:
    train = _one_part(arrays, named, path, values, answer or "y", "_train")
    test = _one_part(arrays, named, path, values, answer or "y", "_test")
    return join_parts({**train, "source": str(path)}, {**test, "source": str(path)})


def _one_part(
    arrays: dict[str, np.ndarray], named: dict[str, str], path: Path, values: str, answer: str | None, part: str
) -> dict[str, Any]:
    def array(name: str, why: str) -> np.ndarray:
        key = named.get(f"{name}{part}".lower())
        if key is None:
            there = ", ".join(f"`{name}`" for name in arrays) or "none"
            raise InputError(f"{path} has no array `{name}{part}` {why}; its arrays are {there}: rename or name it.")
        return arrays[key]

    sequences = array(values, "of sequences (sequences, time, channels)")
    if sequences.ndim not in (2, 3) or sequences.dtype.kind not in "fiub":
        raise InputError(
            f"Array `{values}{part}` of {path} has the shape {sequences.shape} and type {sequences.dtype} where "
            "numbers (sequences, time) or (sequences, time, channels) were expected."
        )
    notes = []
    if sequences.ndim == 3:
        count, steps, channels = sequences.shape
        notes.append(f"`{values}{part}` is read as {count:,} sequences of {steps} steps with {channels} channels.")
    cut = trim(list(sequences), notes)
    default = "y" if f"y{part}" in named else None
    name = answer or default
    targets: Any = None if name is None else array(name, "of targets")
    if targets is not None and targets.ndim not in (1, 2):
        raise InputError(
            f"Array `{name}{part}` of {path} has the shape {targets.shape} where one answer a sequence was expected."
        )
    if targets is not None and targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if targets is not None and targets.ndim == 2:  # tags are cut as the sequences are
        targets = [tags[: len(sequence)] for tags, sequence in zip(targets, cut, strict=False)]
    return {"values": cut, "targets": targets, "name": name or "y", "notes": notes}


def trim(sequences: list[np.ndarray], notes: list[str]) -> list[np.ndarray]:
    """Cut the steps at the end in which every channel is missing: so shorter sequences are stored."""
    found = []
    for sequence in sequences:
        there = ~np.isnan(np.asarray(sequence, dtype="float64")).reshape(len(sequence), -1).all(axis=1)
        found.append(sequence[: len(there) - int(np.argmax(there[::-1]))] if there.any() else sequence[:0])
    shorter = sum(len(cut) < len(sequence) for cut, sequence in zip(found, sequences, strict=True))
    if shorter:
        notes.append(f"{shorter:,} of {len(found):,} sequences end in missing values only: they are taken as shorter.")
    return found
