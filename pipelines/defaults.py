"""What a window looks like where nobody said: season, horizon and lookback from the data."""

from __future__ import annotations

import numpy as np

from ..frames import SeriesFrame, detect_season

# Beyond this many steps a forecast is hard to read and slow to score; a longer one is a word away (--horizon).
_LONGEST_HORIZON = 60
_WITHOUT_SEASON = 12


def derive_window(
    frame: SeriesFrame,
    *,
    horizon: int | None = None,
    lookback: int | None = None,
    season: int | None = None,
) -> tuple[int, int, int, list[str]]:
    """Choose what was not given, and say how.

    Season: the strongest of the frequency's natural seasons in the autocorrelation. Horizon: one season (12 steps
    without one), at most 60 steps and a tenth of the series. Lookback: two seasons, at least two horizons, at most a
    quarter of the series.

    Returns:
        Horizon, lookback, season, and a sentence for each that was chosen here.
    """
    length = int(np.median(frame.lengths))
    notes = []
    if season is None:
        season = detect_season(frame)
        found = f"a season of {season} steps" if season > 1 else "no season"
        notes.append(f"{found} found in the autocorrelation (--season to override)")
    if horizon is None:
        wanted = season if season > 1 else 12
        horizon = max(1, min(wanted, _LONGEST_HORIZON, length // 10))
        notes.append(f"horizon {horizon}: one season, at most {_LONGEST_HORIZON} steps and a tenth of the series")
    if lookback is None:
        wanted = max(2 * season, 2 * horizon)
        lookback = max(1, min(wanted, max(length // 4, 1)))
        notes.append(f"lookback {lookback}: two seasons, at least two horizons, at most a quarter of the series")
    return horizon, lookback, season, notes
