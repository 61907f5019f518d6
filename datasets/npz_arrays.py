"""The arrays of an .npz file: found by name whatever the case, checked for shape and type."""

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..frames.columns import listed
from ..frames.sequences.ragged_arrays import cut_missing_ends


@dataclass(frozen=True)
class NpzArrays:
    """Arrays by name, and the file that holds them."""

    arrays: dict[str, np.ndarray]
    path: Path

    def holds(self, name: str) -> bool:
        """Whether there is an array of this name, in upper or lower case."""
        return name.lower() in self._names()

    def panel(self, values: str, targets: str | None) -> dict[str, Any]:
        """Give the sequences and targets held by two arrays, and notes, as ``PanelFrame.from_arrays`` takes them."""
        sequences = self._find(values, "of sequences (sequences, time, channels)")
        if sequences.ndim not in (2, 3) or sequences.dtype.kind not in "fiub":
            raise InputError(
                f"{self.path}: array {values!r} has the shape {sequences.shape} and type {sequences.dtype} where "
                "numbers (sequences, time) or (sequences, time, channels) were expected; write it again"
            )
        notes = []
        if sequences.ndim == 3:
            count, steps, channels = sequences.shape
            notes.append(f"{values!r} is read as {count:,} sequences of {steps} steps with {channels} channels")
        cut = cut_missing_ends(list(sequences), notes)
        return {
            "values": cut,
            "targets": None if targets is None else self._targets(targets, cut, sequences.shape[1]),
            "notes": notes,
        }

    def _targets(self, name: str, sequences: list[np.ndarray], steps: int) -> Any:
        targets = self._find(name, "of targets")
        if targets.ndim not in (1, 2):
            raise InputError(
                f"{self.path}: array {name!r} has the shape {targets.shape} where one target per sequence was "
                "expected; write it again"
            )
        if targets.ndim == 1:
            return targets
        if targets.shape[1] == 1:
            return targets[:, 0]
        if targets.shape[1] != steps:
            return list(targets)  # not a tag for each step: several columns that stand for classes
        # tags are cut as the sequences are
        return [tags[: len(sequence)] for tags, sequence in zip(targets, sequences, strict=False)]

    def _names(self) -> dict[str, str]:
        return {name.lower(): name for name in self.arrays}

    def _find(self, name: str, what: str) -> np.ndarray:
        found = self._names().get(name.lower())
        if found is None:
            raise InputError(
                f"{self.path}: no array {name!r} {what} was found; the arrays are {listed(self.arrays) or 'none'}: "
                "rename one, or name it"
            )
        return self.arrays[found]


def read_npz(data: bytes, path: Path) -> NpzArrays:
    """Read all arrays of an .npz file.

    Raises:
        InputError: a damaged file, or pickled objects, which could run code.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return NpzArrays({name: file[name] for name in file.files}, path)
    except (ValueError, zipfile.BadZipFile, OSError, EOFError, zlib.error, KeyError) as error:
        if isinstance(error, ValueError) and "pickle" in str(error).lower():
            raise InputError(
                f"{path}: Python objects (pickled arrays, perhaps sequences of different length) were found, which are "
                "not read because they could run code; pad them with NaN to one length, or write JSON lines"
            ) from error
        raise InputError(f"{path}: not a complete .npz file ({error}); write it again with numpy.savez") from error
