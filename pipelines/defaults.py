"""What is chosen where nothing was given: season, horizon and lookback of a window, and how texts are cut."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ..frames import SeriesFrame, detect_season
from ..frames.series import typical_length

# Beyond this many steps a forecast is hard to read and slow to score; a longer one can be asked for.
_LONGEST_HORIZON = 60
# Steps of a horizon where there is no season.
_WITHOUT_SEASON = 12
# The season is looked for in the oldest rows only: the default folds score the newest 30 %.
_OLDEST = 0.7
# So many texts, and so many characters of each, say how they are cut.
_TEXTS, _CHARACTERS = 1000, 10_000
# Mean characters between spaces: no language that puts spaces between words comes near it.
_LONGEST_WORDS = 20
_LETTERS = re.compile(r"[^\W\d_]+")
# Scripts without spaces between words (Unicode 16, Blocks.txt): Thai and Lao, Tibetan, Myanmar, Khmer, Tai Le and New
# Tai Lue, Tai Tham, Kana, Bopomofo, Han (Hangul has spaces), Yi, Javanese, Myanmar extended, Tai Viet, compatibility
# forms, half-width Kana, and what lies beyond the basic plane.
_UNSPACED = re.compile(
    r"[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u2e80-\u2fdf\u3005-\u312f\u31a0-\u31bf"
    r"\u31f0-\u31ff\u3400-\u4dbf\u4e00-\ua4cf\ua980-\ua9ff\uaa60-\uaadf\uf900-\ufaff\uff66-\uff9f"
    r"\U0001aff0-\U0001b16f\U00020000-\U000323af]"
)


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
        season = detect_season(frame, np.ceil(frame.lengths * _OLDEST).astype(int))
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


def derive_tokens(texts: Sequence[str] | np.ndarray) -> tuple[str, str]:
    """Choose how texts are cut, into characters or into words, by their script and by how long their words are.

    Characters where most letters are of a script that puts no spaces between words (Chinese, Japanese, Thai, ...):
    there what stands between two spaces is a clause. Also where what stands between spaces is too long for words, and
    where most texts are single words.

    Args:
        texts: all of them; a thousand, evenly spaced, are looked at.

    Returns:
        "char" or "word", and a sentence about it.

    Example:
        >>> derive_tokens(["good", "bad"])[0]
        'char'
    """
    places = np.linspace(0, len(texts) - 1, _TEXTS).astype(int) if len(texts) else np.empty(0, int)
    looked_at = [str(texts[i])[:_CHARACTERS] for i in np.unique(places)]
    letters = "".join(_LETTERS.findall("".join(looked_at)))
    if 2 * len(_UNSPACED.findall(letters)) > len(letters):
        return "char", "tokens: char, because the script puts no spaces between words (set `tokens` to override)"
    words = [text.split() for text in looked_at]
    if np.median([len(text) for text in words] or [2]) < 2:
        return "char", "tokens: char, because most texts are single words (set `tokens` to override)"
    longest = np.mean([len(word) for text in words for word in text] or [0])
    if longest > _LONGEST_WORDS:
        return "char", (
            f"tokens: char, because {longest:.0f} characters stand between spaces, too many for words (set `tokens` to "
            "override)"
        )
    return "word", "tokens: word, because most texts have several words (set `tokens` to override)"
