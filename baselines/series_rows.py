"""What forecast baselines may look at: all series with their covariates, and windows cut out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class SeriesRows:
    """Series in the user's units, the oldest row first.

    Attributes:
        values: for each series float64 (time, channels), NaN where missing: the targets, then covariates known up to
            now, then those known ahead.
        targets: how many channels are forecast, the first ones.
        ahead: how many are known ahead, the last ones.
        ids: of the series.
        last_steps: number of each series' last row on its time axis, int64 (series,).
        times: for each series the seconds since 1970 of its rows, int64 (time,); None where no calendar is wanted.
    """

    values: Sequence[np.ndarray]
    targets: int
    ahead: int = 0
    ids: Sequence[str] = ("",)
    last_steps: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    times: Sequence[np.ndarray] | None = None

    @classmethod
    def of_one(cls, values: np.ndarray) -> SeriesRows:
        """One series (time,) without covariates, its rows counted from 1."""
        values = np.asarray(values, dtype=float)
        return cls([values[:, None]], targets=1, last_steps=np.array([len(values)]))

    def head(self, ends: Sequence[int] | np.ndarray) -> SeriesRows:
        """The first `ends[i]` rows of series i."""
        lengths = np.array([len(values) for values in self.values], dtype=np.int64)
        return replace(
            self,
            values=[values[:end] for values, end in zip(self.values, ends, strict=True)],
            last_steps=np.asarray(self.last_steps) - (lengths - np.asarray(ends, dtype=np.int64)),
            times=self.times and [times[:end] for times, end in zip(self.times, ends, strict=True)],
        )

    def windows(self, origins: Sequence[np.ndarray], *, window: int, horizon: int) -> dict[str, np.ndarray]:
        """The raw inputs of forecasts from some origins of each series, those of the first series first.

        Arguments:
            origins: for each series how many rows are known (origins,); the covariates known ahead reach beyond.
            window: rows that are read.
            horizon: steps that are forecast.

        Returns:
            As :class:`recurra.baselines.fitted.FittedBaseline` reads them: ``values``, ``id``, ``step``, and ``future``
            and ``time`` where there are such; NaN in front of a series and behind it.
        """
        parts = [self._windows_of(i, known, window, horizon) for i, known in enumerate(origins)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _windows_of(self, i: int, origins: np.ndarray, window: int, horizon: int) -> dict[str, np.ndarray]:
        values, origins = self.values[i], np.asarray(origins, dtype=np.int64)
        padded = np.pad(values, ((window, horizon), (0, 0)), constant_values=np.nan)
        rows = origins[:, None] + np.arange(window + horizon)  # (origins, window + horizon) of the padded rows
        found = {
            "values": padded[rows[:, :window]],
            "id": np.array([str(self.ids[i]).encode()] * len(origins), dtype=object),
            "step": self.last_steps[i] - len(values) + origins,
        }
        if self.ahead:
            found["future"] = padded[rows[:, window:], -self.ahead :]
        if self.times is not None:
            known = self.times[i] if len(self.times[i]) else np.zeros(1, np.int64)
            found["time"] = np.pad(known, (window, horizon), mode="edge")[rows]
        return found
