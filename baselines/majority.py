"""What is known without looking at the input: the classes' shares, or the mean of the values."""

from typing import Any

import numpy as np

from .examples import Predict, class_shares


def majority(inputs: Any, targets: np.ndarray, n_classes: int, *, seed: int = 0) -> Predict:  # noqa: ARG001
    """Answer every example with the classes' shares in training, so with the most frequent class.

    The first thing a classifier must beat: on unbalanced data a high accuracy may mean no more than this.

    Arguments:
        inputs: training examples, of any kind; not looked at.
        targets: class ids (n,), each in 0..n_classes - 1.
        n_classes: how many classes there are, seen in training or not.
        seed: not used here; every baseline takes the same arguments.

    Returns:
        A function from examples to probabilities (n, n_classes) whose rows sum to 1.

    Raises:
        ValueError: no targets, or ids outside the classes.

    Example:
        >>> majority(["a", "b", "c", "d"], np.array([0, 1, 1, 1]), 2)(["e"])
        array([[0.25, 0.75]])
    """
    shares = class_shares(targets, n_classes)
    return lambda inputs: np.tile(shares, (len(inputs), 1))


def mean(inputs: Any, targets: np.ndarray, n_classes: int | None = None, *, seed: int = 0) -> Predict:  # noqa: ARG001
    """Answer every example with the mean of the training targets.

    The first thing a regression must beat: its r2 on the training part is 0 by definition.

    Arguments:
        inputs: training examples, of any kind; not looked at.
        targets: values (n,), in any unit.
        n_classes, seed: not used here; every baseline takes the same arguments.

    Returns:
        A function from examples to values (n,), in the unit of ``targets``.

    Example:
        >>> mean(["a", "b"], np.array([1.0, 2.0]))(["c"])
        array([1.5])
    """
    value = float(np.mean(targets))
    return lambda inputs: np.full(len(inputs), value)
