"""Occlusion: what the network can do without. Everything older than the newest K steps is replaced.

The second witness of a memory horizon, independent of the gradient, which is local: at saturated gates and discrete
inputs it is nearly 0 although the step decides. Old steps are replaced by those of another example, which keeps how
they are distributed. In a window of numbers a jump between what is kept and what is not would itself be news, so the
other window's old steps are moved to the level that the kept ones make likely: by a linear regression, over all
windows, of each old step on the oldest kept value and the mean of the kept ones.

Neighbouring steps tell the same, so a horizon says what the network can do without, not what does not matter.

Source: effective context, Khandelwal, He, Qi & Jurafsky (2018), Sharp nearby, fuzzy far away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .examples import Examples
from .order import paired_test

# The loss may rise by this factor before something is said to be missed.
TOLERANCE = 1.01
DRAWS = 5
# That nothing at all is used is believed until the rise is as unlikely as this by chance.
_BY_CHANCE = 0.01
# Over few examples no test is sure of anything; a loss this many times as high is believed without one.
_BEYOND_CHANCE = 1.5
_SMALL = 12
# The measured lengths grow by this factor; between the last too short and the first long enough is then bisected.
_GROWTH = 1.35


@dataclass(frozen=True)
class Occlusion:
    """The loss by the number of newest steps kept.

    Attributes:
        horizon: least number of kept steps with a loss of at most 1.01 times the full one; 0: nothing is used, since
            the loss without any of the past rises by less than that, or by no more than chance alone may make it.
        curve: (kept, loss), in rising order; the last one is the full length.
    """

    horizon: int
    curve: list[tuple[int, float]]

    @property
    def rise(self) -> float:
        """By which fraction of the full loss it is higher without any of the past."""
        return self.curve[0][1] / self.curve[-1][1] - 1 if self.curve[-1][1] else 0.0


def occlusion(
    examples: Examples, *, draws: int = DRAWS, seed: int = 0, on_progress: Callable[[str], None] = lambda _: None
) -> Occlusion:
    """Measure the loss with everything older than K replaced, for growing K.

    Args:
        examples: what the network reads.
        draws: other examples that each takes its old steps from, one after another; the loss is their mean.
        seed: of the draws.
        on_progress: called with a sentence now and then.
    """
    longest = examples.longest
    whole = examples.losses()
    full = float(np.nanmean(whole))
    known: dict[int, float] = {longest: full}

    def losses(kept: int) -> np.ndarray:
        on_progress(f"occlusion: the newest {kept} of {longest} steps kept")
        random = np.random.default_rng((seed, kept))
        drawn = [examples.losses(older_replaced(examples, kept, random)) for _ in range(draws)]
        return np.mean(drawn, axis=0)

    def loss(kept: int) -> float:
        if kept not in known:
            known[kept] = float(np.nanmean(losses(kept)))
        return known[kept]

    limit = TOLERANCE * full + 1e-12
    nothing = losses(0)
    known[0] = float(np.nanmean(nothing))
    if known[0] <= limit or (known[0] <= _BEYOND_CHANCE * full and not _rises(nothing, whole, examples)):
        enough = 0
    else:
        enough = next(kept for kept in _lengths(longest)[1:] if loss(kept) <= limit)
    short = max((kept for kept in known if kept < enough), default=enough - 1)
    while enough - short > 1:
        middle = (enough + short) // 2
        short, enough = (short, middle) if loss(middle) <= limit else (middle, enough)
    for kept in _lengths(longest):  # the rest of the curve, in wider steps
        if kept > enough and kept not in known and (kept > 1.5 * max(known.keys() - {longest}, default=0)):
            loss(kept)
    return Occlusion(enough, sorted(known.items()))


def _rises(nothing: np.ndarray, whole: np.ndarray, examples: Examples) -> bool:
    """Whether the loss without any of the past is higher, and not by chance: a trained network reacts to noise too."""
    test = paired_test(nothing, whole, examples)
    return test.difference > 0 and (test.p_value is None or test.p_value < _BY_CHANCE)


def _lengths(longest: int) -> list[int]:
    """0, 1, 2, ... and from a dozen on in growing steps, up to the whole."""
    lengths = list(range(min(_SMALL, longest) + 1))
    while lengths[-1] < longest:
        lengths.append(min(longest, int(np.ceil(lengths[-1] * _GROWTH))))
    return lengths


def older_replaced(examples: Examples, kept: int, random: np.random.Generator) -> np.ndarray:
    """The examples' steps, all but the newest `kept` of each taken from another example: (examples, time, ...)."""
    steps, lengths = examples.steps, examples.lengths
    time = np.arange(steps.shape[1])
    donor = donors(examples, random)
    # counted from the end, so that the other example's newest step stands where the own one does
    places = (time[None, :] - lengths[:, None] + lengths[donor][:, None]) % lengths[donor][:, None]
    other = steps[donor[:, None], places]
    old = time[None, :] < (lengths - kept)[:, None]
    if steps.ndim == 2:
        return np.where(old, other, steps)
    if kept and lengths.min() == lengths.max():
        other = _levelled(steps.astype(float), donor, kept, own_scale=examples.many_series)
    return np.where(old[:, :, None], other, steps).astype(steps.dtype)


def donors(examples: Examples, random: np.random.Generator) -> np.ndarray:
    """Another example for each, one that shares no steps with it where there are such: (examples,)."""
    n = len(examples)
    span = examples.longest if examples.overlap > 1 or examples.metric == "mase" else 1
    donor = random.integers(n, size=n)
    for _ in range(20):
        near = np.abs(examples.place[donor] - examples.place) < span
        if not near.any():
            break
        donor[near] = random.integers(n, size=int(near.sum()))
    return donor


def _levelled(steps: np.ndarray, donor: np.ndarray, kept: int, *, own_scale: bool) -> np.ndarray:
    """The donors' steps, moved to the level that the own kept steps make likely: (windows, time, channels).

    With the residual of a regression on the kept steps, not with the plain difference of levels: white noise has no
    level to keep, a random walk has nothing else, and both get what they would have.
    """
    scale = steps.std(axis=1, keepdims=True) if own_scale else np.ones((len(steps), 1, steps.shape[2]))
    scale = np.where(scale > 0, scale, 1.0)
    x = steps / scale
    boundary = x.shape[1] - kept
    moved = x[donor]
    for channel in range(x.shape[2]):
        own = x[:, :, channel]
        kept_steps = own[:, boundary:]
        design = np.column_stack([np.ones(len(own)), kept_steps[:, 0], kept_steps.mean(axis=1)])
        slope, *_ = np.linalg.lstsq(design, own[:, :boundary], rcond=1e-8)  # (3, old steps)
        moved[:, :boundary, channel] += (design - design[donor]) @ slope
    return moved * scale
