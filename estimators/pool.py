"""A pool of things that are dear to make: compiled networks and their trainers, shared by all fits of one structure."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Pool(Generic[T]):
    """Idle things, the most recently used ones kept; whoever borrows one has it for himself.

    Args:
        make: makes one from what it is borrowed by.
        most: things that are kept at most.

    Example:
        >>> pool = Pool(CompiledNetwork, 32)
        >>> with pool.borrow(structure, "mse") as network:
        ...     network.weights = weights
    """

    def __init__(self, make: Callable[..., T], most: int) -> None:
        self._make, self._most = make, most
        self._idle: OrderedDict[tuple[Hashable, ...], list[T]] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def borrow(self, *key: Hashable) -> Iterator[T]:
        """One of this kind, until the block ends."""
        with self._lock:
            idle = self._idle.get(key)
            thing = idle.pop() if idle else None
        if thing is None:
            thing = self._make(*key)
        yield thing
        # Not in a `finally`: after an error nobody knows what state it is in.
        with self._lock:
            self._idle.setdefault(key, []).append(thing)
            self._idle.move_to_end(key)
            while sum(map(len, self._idle.values())) > self._most:
                oldest = next(iter(self._idle))
                self._idle[oldest].pop()
                if not self._idle[oldest]:
                    del self._idle[oldest]
