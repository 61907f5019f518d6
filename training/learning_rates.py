"""Find a learning rate: a few of them start from the same first weights, the worse half ends early.

Successive halving (Jamieson & Talwalkar 2016, Non-stochastic best arm identification and hyperparameter optimization):
every candidate trains for a short while, the better half by validation loss goes on three times as long, and so on
until one is left. It goes on from where it stands, so nothing that it learnt is paid for twice.

A task that is either solved or not (``target_loss``) has a validation loss that stands still until it falls all at
once, and standing still tells nothing: there every candidate has its whole chance in turn, until one gets there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf

# In place of a number: try some.
FIND = "find"
# The middle one first: where they take turns, it is the likeliest.
CANDIDATES = (3e-3, 1e-3, 1e-2)
# Steps of the first round, and how many times as far the next one goes.
FIRST_STEPS, GROWTH = 200, 3


def rounds(steps_per_epoch: int, most_epochs: int) -> list[int]:
    """The epoch at which each round ends; after the last one, a single candidate is left.

    Example:
        >>> rounds(steps_per_epoch=100, most_epochs=50)
        [2, 6]
    """
    ends, end, candidates = [], max(1, -(-FIRST_STEPS // steps_per_epoch)), len(CANDIDATES)
    while candidates > 1:
        ends.append(min(end, most_epochs))
        end, candidates = end * GROWTH, (candidates + 1) // 2
    return ends


def better_half(losses: Mapping[float, Sequence[float]], rates: Iterable[float], end: int) -> list[float]:
    """Of some rates those that go on: by their smallest loss of the first `end` epochs, the slower of equals first."""
    ranked = sorted(rates, key=lambda rate: (min(losses[rate][:end], default=inf), rate))
    return sorted(ranked[: (len(ranked) + 1) // 2])


def find(
    train: Callable[[float, int], tuple[Sequence[float], bool]],
    ends: Sequence[int],
    candidates: Sequence[float] = CANDIDATES,
) -> tuple[float, dict[float, Sequence[float]]]:
    """Run the rounds.

    Args:
        train: trains the network of a rate up to an epoch; gives its validation losses so far, and whether everything
            has to end there: the goal was reached, or the time is over.
        ends: the epoch at which each round ends, from :func:`rounds`.
        candidates: rates, at least one.

    Returns:
        The rate with the smallest loss, and the losses of all.
    """
    left: Sequence[float] = candidates
    losses: dict[float, Sequence[float]] = {}
    for end in ends:
        for rate in left:
            losses[rate], over = train(rate, end)
            if over:
                return _best(losses, losses), losses
        left = better_half(losses, left, end)
    return _best(losses, left), losses


def _best(losses: Mapping[float, Sequence[float]], rates: Iterable[float]) -> float:
    return min(rates, key=lambda rate: (min(losses[rate], default=inf), rate))
