"""How often each token occurs: counted in memory, and where there are too many different ones, in sorted files."""

from __future__ import annotations

import heapq
import struct
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import IO

import numpy as np

from ..frames.stored_files import no_room

_HEAD = struct.Struct("<IQ")  # bytes of a token, and its count


class TokenCounts:
    """Counts of tokens.

    Args:
        most: different tokens held at once; more are written away, sorted, and merged when they are looked at. None:
            any number.
    """

    def __init__(self, most: int | None = None) -> None:
        self.total, self._most = 0, most
        self._counts: Counter[bytes] = Counter()
        self._runs: list[IO[bytes]] = []

    def add(self, tokens: np.ndarray) -> None:
        """Count tokens (tokens,).

        Raises:
            InputError: there is no room on the disk.
        """
        self._counts.update(tokens.tolist())
        self.total += len(tokens)
        if self._most is not None and len(self._counts) > self._most:
            self._write_away()

    def most_common(self, number: int) -> list[tuple[bytes, int]]:
        """The most frequent tokens and their counts, by falling count and then alphabetically."""
        return heapq.nsmallest(number, self._items(), key=lambda item: (-item[1], item[0]))

    def _items(self) -> Iterable[tuple[bytes, int]]:
        if not self._runs:
            return self._counts.items()
        merged = heapq.merge(sorted(self._counts.items()), *map(_read, self._runs), key=itemgetter(0))
        return ((word, sum(n for _, n in same)) for word, same in groupby(merged, key=itemgetter(0)))

    def _write_away(self) -> None:
        try:
            run = tempfile.TemporaryFile(prefix="recurra-tokens-")  # noqa: SIM115  (it is closed with these counts)
            run.writelines(_HEAD.pack(len(word), n) + word for word, n in sorted(self._counts.items()))
            run.flush()
        except OSError as error:
            raise no_room(error) from error
        self._runs.append(run)
        self._counts.clear()

    def close(self) -> None:
        """Give the files back."""
        for run in self._runs:
            run.close()


def _read(run: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    run.seek(0)
    while head := run.read(_HEAD.size):
        length, n = _HEAD.unpack(head)
        yield run.read(length), n
