"""Worth of order: what the loss gains by reading the steps in their order.

Shuffled in the test alone, the loss also rises because the input is unlike any in training. Trained *and* tested on
shuffled steps it says what order is worth (`trained_shuffled`); that takes a training.

Source: Pham et al. (2021), Out of order; retraining after a removal: Hooker et al. (2019); order of what is older than
k steps: Khandelwal, He, Qi & Jurafsky (2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..evaluation import TestResult, diebold_mariano, paired_bootstrap
from .examples import Examples

DRAWS = 5
OLDER_THAN = (1, 2, 5, 10, 20, 50)
# The smallest fraction of the loss that is worth anything; that of the verdict.
SMALLEST_EFFECT = 0.02
# Why the worth of order isn't known, by whether the examples were trained on.
UNKNOWN_WORTH = {
    False: "whether order matters cannot be told from so few of them",
    True: "the model was trained on these examples, so what order is worth on new ones cannot be told",
}


@dataclass(frozen=True)
class TrainedShuffled:
    """What order is worth to a family: trained and tested on shuffled steps against the right order.

    Attributes:
        loss: of the network trained on shuffled steps.
        value: that minus the loss in the right order, with its 95 % interval.
        low, high: of the value.
        matters: as in :class:`Order`.
    """

    loss: float
    value: float
    low: float | None
    high: float | None
    matters: bool | None


@dataclass(frozen=True)
class Order:
    """What order is worth to a trained network, in the task's own error.

    Attributes:
        value: loss with shuffled steps minus loss in the right order.
        low, high: its 95 % interval, paired over examples; None with too few of them.
        loss, shuffled: the two losses.
        older_than: (steps, loss) with only what is older than so many steps shuffled.
        matters: True, False, or None: cannot tell, or the examples were trained on.
    """

    value: float
    low: float | None
    high: float | None
    loss: float
    shuffled: float
    older_than: list[tuple[int, float]]
    matters: bool | None


def worth_of_order(examples: Examples, *, draws: int = DRAWS, seed: int = 0) -> Order:
    """Measure what shuffling the steps costs.

    Args:
        examples: what the network reads.
        draws: permutations of each example; its loss is their mean.
        seed: of the permutations.
    """
    right = examples.losses()

    def mean_loss(older_than: int) -> np.ndarray:
        random = np.random.default_rng((seed, older_than))
        drawn = [examples.losses(shuffled(examples, older_than, random)) for _ in range(draws)]
        return np.mean(drawn, axis=0)

    wrong = mean_loss(0)
    test = paired_test(wrong, right, examples)
    curve = [(k, float(np.nanmean(mean_loss(k)))) for k in OLDER_THAN if k < examples.longest - 1]
    loss, worse = float(np.nanmean(right)), float(np.nanmean(wrong))
    matters = _matters(test, worse) if examples.held_out else None
    return Order(test.difference, test.low, test.high, loss, worse, curve, matters)


def worth_after_training(
    examples: Examples, trained_shuffled: Examples, *, draws: int = DRAWS, seed: int = 0
) -> TrainedShuffled:
    """What order is worth where the network could get used to there being none.

    Args:
        examples: read by the network that was trained on the right order.
        trained_shuffled: the same examples, read by one that was trained on shuffled steps.
        draws: permutations of each example.
        seed: of the permutations.
    """
    random = np.random.default_rng((seed, 0))
    wrong = np.mean(
        [trained_shuffled.losses(shuffled(trained_shuffled, 0, random)) for _ in range(draws)],
        axis=0,
    )
    test = paired_test(wrong, examples.losses(), examples)
    loss = float(np.nanmean(wrong))
    matters = _matters(test, loss) if examples.held_out else None
    return TrainedShuffled(loss, test.difference, test.low, test.high, matters)


def shuffled(examples: Examples, older_than: int, random: np.random.Generator) -> np.ndarray:
    """Each example's steps in a random order, one for all channels; the newest `older_than` stay where they are.

    Padding stays on the right.
    """
    steps, lengths = examples.steps, examples.lengths
    time = np.arange(steps.shape[1])
    key = random.random((len(steps), steps.shape[1]))
    # fixed steps sort behind all others, in their own order
    key = np.where(time[None, :] < (lengths - older_than)[:, None], key, 1.0 + time[None, :])
    order = np.argsort(key, axis=1, kind="stable")
    return np.take_along_axis(steps, order if steps.ndim == 2 else order[:, :, None], axis=1)


def paired_test(wrong: np.ndarray, right: np.ndarray, examples: Examples) -> TestResult:
    """Two losses of each example, tested: as forecasts that overlap, or as independent examples."""
    if examples.metric == "mase":
        return diebold_mariano(wrong, right, horizon=examples.overlap, groups=examples.groups)
    return paired_bootstrap(wrong, right)


def _matters(test: TestResult, shuffled_loss: float) -> bool | None:
    """The verdict's rule: an interval against the smallest effect of interest."""
    if test.low is None or test.high is None or not shuffled_loss > 0:
        return None
    if test.high < SMALLEST_EFFECT * shuffled_loss:
        return False
    if test.low > 0 and test.difference >= SMALLEST_EFFECT * shuffled_loss:
        return True
    return None
