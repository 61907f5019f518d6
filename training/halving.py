"""Successive halving: all candidates start, the better half goes on, until one is left.

Every candidate trains for a short while, the better half by validation loss goes on three times as long, and so on. It
goes on from where it stands, so nothing that it learnt is paid for twice. Learning rates and configurations are
found so.

Source: Jamieson and Talwalkar (2016), Non-stochastic best arm identification and hyperparameter optimization, AISTATS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf
from typing import TypeVar

# A learning rate, or the number of a configuration.
Candidate = TypeVar("Candidate", int, float)
# Steps of the first round, and how many times as far the next one goes.
FIRST_STEPS, GROWTH = 200, 3


def rounds(steps_per_epoch: int, most_epochs: int, candidates: int) -> list[int]:
    """The epoch at which each round ends; after the last one, a single candidate is left of so many.

    Example:
        >>> rounds(steps_per_epoch=100, most_epochs=50, candidates=3)
        [2, 6]
    """
    ends, end = [], max(1, -(-FIRST_STEPS // steps_per_epoch))
    while candidates > 1:
        ends.append(min(end, most_epochs))
        end, candidates = end * GROWTH, (candidates + 1) // 2
    return ends


def better_half(
    losses: Mapping[Candidate, Sequence[float]], candidates: Iterable[Candidate], end: int
) -> list[Candidate]:
    """Of some candidates those that go on: by their smallest loss of the first `end` epochs; of equals the smaller."""
    ranked = sorted(candidates, key=lambda one: (min(losses[one][:end], default=inf), one))
    return sorted(ranked[: (len(ranked) + 1) // 2])


def find(
    train: Callable[[Candidate, int], tuple[Sequence[float], bool]],
    ends: Sequence[int],
    candidates: Sequence[Candidate],
) -> tuple[Candidate, dict[Candidate, Sequence[float]]]:
    """Run the rounds.

    Args:
        train: trains the network of a candidate up to an epoch; gives its validation losses so far, and whether all
            has to end there: the goal was reached, or the time is over.
        ends: the epoch at which each round ends, from :func:`rounds`.
        candidates: rates or numbers of configurations, at least one.

    Returns:
        The candidate with the smallest loss, and the losses of all.
    """
    left: Sequence[Candidate] = candidates
    losses: dict[Candidate, Sequence[float]] = {}
    for end in ends:
        for one in left:
            losses[one], over = train(one, end)
            if over:
                return _best(losses, losses), losses
        left = better_half(losses, left, end)
    return _best(losses, left), losses


def _best(losses: Mapping[Candidate, Sequence[float]], candidates: Iterable[Candidate]) -> Candidate:
    return min(candidates, key=lambda one: (min(losses[one], default=inf), one))
