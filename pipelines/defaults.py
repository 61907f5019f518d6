"""What is chosen where nothing was given: season, horizon and lookback of a window, and how texts are cut."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..frames import SeriesFrame, detect_season
from ..frames.series import typical_length

# Beyond this many steps a forecast is hard to read and slow to score; a longer one can be asked for.
_LONGEST_HORIZON = 60
# Steps of a horizon where there is no season.
_WITHOUT_SEASON = 12
# The season is looked for in the oldest rows only: the default folds score the newest 30 %.
_OLDEST = 0.7


def derive_window(
    frame: SeriesFrame,
    *,
    horizon: int | None = None,
    lookback: int | None = None,
    season: int | None = None,
) -> tuple[int, int, int, list[str]]:
    """Choose what was not given, and say by which rule.

    Season: the strongest of the frequency's natural seasons in the autocorrelation of the oldest 70 % of the rows.
    Horizon: one season (12 steps without one), at most 60 steps and a tenth of the series. Lookback: two seasons or two
    horizons, the longer one, at most a quarter of the series. Of many series, that of the median row counts.

    Returns:
        Horizon, lookback, season, and a sentence for each that was chosen here.
    """
    length = typical_length(frame.lengths)
    notes = []
    if season is None:
        season = detect_season(frame.head(np.ceil(frame.lengths * _OLDEST).astype(int)))
        found = f"season: {season} steps, found" if season > 1 else "season: none found"
        notes.append(f"{found} in the autocorrelation (set `season` to override)")
    if horizon is None:
        wanted, rule = (
            (season, "one season") if season > 1 else (_WITHOUT_SEASON, "the default of data without a season")
        )
        horizon = max(1, min(wanted, _LONGEST_HORIZON, length // 10))
        notes.append(f"horizon: {horizon} steps, {rule}, at most {_LONGEST_HORIZON} steps and a tenth of the series")
    if lookback is None:
        lookback = max(1, min(max(2 * season, 2 * horizon), length // 4))
        notes.append(f"lookback: {lookback} steps, two seasons or horizons, at most a quarter of the series")
    return horizon, lookback, season, notes


def derive_tokens(texts: Iterable[str]) -> tuple[str, str]:
    """Choose how texts are cut: into characters where most of them are single words, otherwise into words.

    Args:
        texts: all of them; the first thousand are looked at.

    Returns:
        "char" or "word", and a sentence about it.

    Example:
        >>> derive_tokens(["good", "bad"])[0]
        'char'
    """
    words = [len(text.split()) for text in list(texts)[:1000]]
    if np.median(words or [2]) < 2:
        return "char", "tokens: char, because most texts are single words (set `tokens` to override)"
    return "word", "tokens: word, because most texts have several words (set `tokens` to override)"
