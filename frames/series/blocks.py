"""Series taken some at a time, so that what is worked out beside them stays small however many there are."""

from collections.abc import Iterator

import numpy as np

# Rows of a block; its temporary arrays take some ten times as many bytes as it has numbers.
ROWS = 1 << 20


def padded_blocks(lengths: np.ndarray, cells: int = 16 * ROWS) -> Iterator[slice]:
    """Cut many series into blocks whose tables (series, longest) have no more cells; a longer series stands alone."""
    start = longest = 0
    for number, length in enumerate(lengths.tolist()):
        longest = max(longest, length)
        if number > start and longest * (number + 1 - start) > cells:
            yield slice(start, number)
            start, longest = number, length
    if len(lengths):
        yield slice(start, len(lengths))


def series_blocks(lengths: np.ndarray, rows: int = ROWS) -> Iterator[tuple[slice, slice]]:
    """Cut many series into blocks of about as many rows; a longer series is a block of its own.

    Args:
        lengths: rows of each series (series,).
        rows: of a block.

    Yields:
        Which series, and which rows of the whole table.

    Example:
        >>> list(series_blocks(np.array([2, 3, 4]), rows=5))
        [(slice(0, 2, None), slice(0, 5, None)), (slice(2, 3, None), slice(5, 9, None))]
    """
    ends = np.cumsum(lengths)
    start = begin = 0
    while start < len(ends):
        stop = max(start + 1, int(np.searchsorted(ends, begin + rows, side="right")))
        end = int(ends[stop - 1])
        yield slice(start, stop), slice(begin, end)
        start, begin = stop, end
