"""Channels: the numbers a model sees, made from a frame's columns; what they need is learnt from training rows."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..errors import InputError
from ..frames import SeriesFrame

_CHUNK = 1 << 20  # rows looked at together: keeps the peak memory near the series' own size

ROUNDING = 1e-12  # a float64 sum of a million equal numbers is off by less than this fraction


@dataclass
class Column:
    """One column of a frame and the channels it becomes.

    Attributes:
        name: the column.
        categories: texts seen in the training rows, a channel each; None for a column of numbers.
        mean, scale: a number column's training mean and standard deviation; of targets of many series 0 and the median
            series' mean size.
        log: whether the logarithm is taken first; mean and scale are then those of the logarithm.
    """

    name: str
    categories: list[str] | None = None
    mean: float = 0.0
    scale: float = 1.0
    log: bool = False

    @property
    def channels(self) -> list[str]:
        """Names of the channels: ``cbwd=NW``, ... for text."""
        return [self.name] if self.categories is None else [f"{self.name}={c}" for c in self.categories]

    def raw(self, table: pd.DataFrame) -> np.ndarray:
        """The channels in the user's units: (rows, channels) float64; a text never seen in training is all zeros."""
        if self.categories is None:
            return _numbers(table, self.name)[:, None]
        texts = table[self.name].to_numpy()
        return np.stack([texts == category for category in self.categories], axis=-1).astype("float64")

    def scaled(self, raw: np.ndarray) -> np.ndarray:
        """The user's units → what a model sees."""
        return ((np.log(raw) if self.log else raw) - self.mean) / self.scale

    def fit(self, table: pd.DataFrame, kept: "_FirstRows") -> "Column":
        """Learn mean and scale, or the categories, from the rows that `kept` marks."""
        column = table[self.name]
        if not pd.api.types.is_numeric_dtype(column):
            found = (column.iloc[rows][kept.of(rows, len(column))].dropna().unique() for rows in _chunks(len(column)))
            self.categories = sorted({str(text) for texts in found for text in texts})
            if not self.categories:
                raise _nothing_observed(self.name)
            return self
        values = column.to_numpy()
        count, total, squares = 0, 0.0, 0.0
        for rows in _chunks(len(values)):
            chunk = values[rows][kept.of(rows, len(values))].astype("float64")
            chunk = chunk[np.isfinite(chunk)]
            chunk = np.log(chunk) if self.log else chunk
            if not len(chunk):
                continue
            # Chan et al. (1979): merge counts, means and sums of squares without a loss of digits
            mean, delta = chunk.mean(), chunk.mean() - (total / count if count else chunk.mean())
            squares += ((chunk - mean) ** 2).sum() + delta**2 * count * len(chunk) / (count + len(chunk))
            count, total = count + len(chunk), total + chunk.sum()
        if not count:
            raise _nothing_observed(self.name)
        self.mean = float(total / count)
        scale = float(np.sqrt(squares / count))
        # A constant column stays as it is; its mean may be a rounding error away from its value.
        self.scale = scale if scale > ROUNDING * abs(self.mean) else 1.0
        return self


@dataclass
class Channels:
    """All columns of a frame in the order of the model's channels: targets, past, future."""

    columns: list[Column] = field(default_factory=list)

    @classmethod
    def fit(cls, frame: SeriesFrame, rows: np.ndarray, *, log: bool = False) -> "Channels":
        """Learn every column from the first rows[i] rows of series i; with `log`, the targets' logarithms."""
        kept = _FirstRows(frame.starts, rows)
        names = [*frame.targets, *frame.past_covariates, *frame.future_covariates]
        columns = [Column(name, log=log and name in frame.targets).fit(frame.table, kept) for name in names]
        if len(frame.lengths) > 1:
            for column in columns[: len(frame.targets)]:
                # Series of many sizes have no mean in common: subtracting it would cost the small ones their digits.
                column.mean, column.scale = 0.0, _typical_size(frame, column, kept)
        return cls(columns)

    @property
    def names(self) -> list[str]:
        """Channel names in order."""
        return [channel for column in self.columns for channel in column.channels]

    @property
    def mean(self) -> np.ndarray:
        """Training means, 0 for text: (channels,)."""
        return np.concatenate([[c.mean] * len(c.channels) for c in self.columns])

    @property
    def scale(self) -> np.ndarray:
        """Training standard deviations, 1 for text: (channels,)."""
        return np.concatenate([[c.scale] * len(c.channels) for c in self.columns])

    @property
    def log(self) -> np.ndarray:
        """Which channels are logarithms: (channels,)."""
        return np.concatenate([[c.log] * len(c.channels) for c in self.columns])

    def scaled(self, table: pd.DataFrame, out: np.ndarray | None = None) -> np.ndarray:
        """The channels of a table, z-scored: (rows, channels) float64; written into `out` where it is given."""
        out = np.empty((len(table), len(self.names))) if out is None else out
        at = 0
        for column in self.columns:
            for rows in _chunks(len(table)):
                raw = column.raw(table.iloc[rows])
                out[rows, at : at + raw.shape[1]] = column.scaled(raw)
            at += len(column.channels)
        return out

    def width(self, names: tuple[str, ...]) -> int:
        """Number of channels that the columns `names` become."""
        return sum(len(c.channels) for c in self.columns if c.name in names)


def _nothing_observed(name: str) -> InputError:
    return InputError(
        f"column {name!r} has no observed value in the training rows; leave the column out or give more rows"
    )


@dataclass(frozen=True, eq=False)
class _FirstRows:
    """Which rows of a table are the first ones of their series; asked for piece by piece.

    Attributes:
        starts: first row of each series in the table (series,).
        counts: how many of each series are marked (series,).
    """

    starts: np.ndarray
    counts: np.ndarray

    def of(self, rows: slice, total: int) -> np.ndarray:
        """Which of these rows are marked: bool (rows,)."""
        numbers = np.arange(rows.start, min(rows.stop, total))
        series = np.searchsorted(self.starts, numbers, side="right") - 1
        return numbers - self.starts[series] < self.counts[series]


def _typical_size(frame: SeriesFrame, column: Column, kept: _FirstRows) -> float:
    """Median over series of the mean absolute value in the rows that `kept` marks."""
    means = []
    for some, rows in frame.blocks():
        values = frame.columns([column.name], rows)[:, 0]
        values = np.where(kept.of(rows, rows.stop), values, np.nan)
        sizes = np.abs(np.log(values) if column.log else values)
        observed = np.isfinite(sizes)
        begin = kept.starts[some] - rows.start
        count = np.add.reduceat(observed.astype("int64"), begin)
        total = np.add.reduceat(np.where(observed, sizes, 0.0), begin)
        means.append(total[count > 0] / count[count > 0])
    return float(np.median(np.concatenate(means))) or 1.0


def _numbers(table: pd.DataFrame, name: str) -> np.ndarray:
    return table[name].to_numpy(dtype="float64", na_value=np.nan)


def _chunks(n_rows: int) -> Iterator[slice]:
    return (slice(start, start + _CHUNK) for start in range(0, n_rows, _CHUNK))
