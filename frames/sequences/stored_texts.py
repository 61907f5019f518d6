"""Texts kept in files: each is read from the disk as it is looked at, and none is held."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from ..stored_files import check_here, no_room

_TEXTS, _ENDS = "texts", "ends"


class TextFiles:
    """The bytes of all texts in one file, and where each ends in another; the folder goes with its last user.

    Args:
        folder: where the files are.
        count: how many texts there are.
        memory: bytes that what is worked out of the texts may take.
    """

    def __init__(self, folder: Path, count: int, memory: int) -> None:
        self.folder, self.count, self.memory = folder, count, memory
        self._mapped: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def mapped(self) -> tuple[np.ndarray, np.ndarray]:
        """Bytes of all texts, and the end of each (texts,)."""
        if self._mapped is None:
            check_here(self.folder / _TEXTS)
            ends = np.memmap(self.folder / _ENDS, "int64", mode="r", shape=(self.count,)) if self.count else np.empty(0)
            size = int(ends[-1]) if self.count else 0
            data = np.memmap(self.folder / _TEXTS, "uint8", mode="r", shape=(size,)) if size else np.empty(0, "uint8")
            self._mapped = data, ends
        return self._mapped

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "count": self.count, "memory": self.memory}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]  # another process only reads: the first one removes the folder


class StoredTexts(Sequence[str]):
    """Texts in files, or some of them in any order.

    Args:
        files: of all texts.
        rows: numbers of those that belong here (texts,); by default all.

    Example:
        >>> texts = StoredTexts.of(["good", "bad"])
        >>> texts[1], list(texts[np.array([1, 0])])
        ('bad', ['bad', 'good'])
    """

    def __init__(self, files: TextFiles, rows: np.ndarray | None = None) -> None:
        self.files, self.rows = files, rows

    @classmethod
    def of(cls, texts: Iterable[str], memory: int = 1 << 30) -> StoredTexts:
        """Write texts."""
        writer = TextWriter(memory)
        writer.add(texts)
        return writer.finish()

    @property
    def memory(self) -> int:
        """Bytes that what is worked out of the texts may take."""
        return self.files.memory

    @property
    def sizes(self) -> np.ndarray:
        """Bytes of each text: (texts,)."""
        sizes = np.diff(self.files.mapped[1], prepend=0)
        return sizes if self.rows is None else sizes[self.rows]

    def blocks(self, size: int, multiple: int = 1) -> Iterator[np.ndarray]:
        """Numbers of texts that follow one another, as many as are `size` bytes, in multiples of a number."""
        ends, start = np.cumsum(self.sizes), 0
        while start < len(ends):
            fitting = int(np.searchsorted(ends, size + (ends[start - 1] if start else 0), side="right")) - start
            stop = min(start + max(fitting // multiple, 1) * multiple, len(ends))
            yield np.arange(start, stop)
            start = stop

    def tolist(self) -> list[str]:
        """All of them in memory."""
        return list(self)

    def __len__(self) -> int:
        return self.files.count if self.rows is None else len(self.rows)

    @overload
    def __getitem__(self, which: int) -> str: ...
    @overload
    def __getitem__(self, which: slice | np.ndarray) -> StoredTexts: ...
    def __getitem__(self, which: Any) -> str | StoredTexts:
        if isinstance(which, int | np.integer):
            return self._read(range(len(self))[which] if self.rows is None else self.rows[which])
        if self.rows is not None:
            return StoredTexts(self.files, self.rows[which])
        if isinstance(which, slice):
            return StoredTexts(self.files, np.arange(*which.indices(len(self))))
        return StoredTexts(self.files, np.flatnonzero(which) if which.dtype == bool else which)

    def __iter__(self) -> Iterator[str]:
        return map(self._read, range(len(self)) if self.rows is None else self.rows)

    def _read(self, row: int) -> str:
        data, ends = self.files.mapped
        return data[ends[row - 1] if row else 0 : ends[row]].tobytes().decode("utf-8")


class TextWriter:
    """Writes texts one after the other.

    Args:
        memory: bytes that what is worked out of the texts may take.
    """

    def __init__(self, memory: int) -> None:
        self.folder, self.memory = Path(tempfile.mkdtemp(prefix="recurra-texts-")), memory
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self._count, self._size = 0, 0

    def add(self, texts: Iterable[str]) -> None:
        """Write some texts behind those before.

        Raises:
            InputError: there is no room on the disk.
        """
        encoded = [text.encode("utf-8") for text in texts]
        ends = self._size + np.cumsum([len(text) for text in encoded], dtype="int64")
        try:
            with (self.folder / _TEXTS).open("ab") as file:
                file.writelines(encoded)
            with (self.folder / _ENDS).open("ab") as file:
                ends.tofile(file)
        except OSError as error:
            raise no_room(error) from error
        self._count, self._size = self._count + len(encoded), int(ends[-1]) if len(ends) else self._size

    def finish(self) -> StoredTexts:
        """The texts; the folder goes when they do."""
        files = TextFiles(self.folder, self._count, self.memory)
        self._remove.detach()
        weakref.finalize(files, shutil.rmtree, self.folder, ignore_errors=True)
        return StoredTexts(files)
