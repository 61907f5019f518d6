"""Linear models on a whole sequence laid out as one row: what can be told without any notion of time."""

from collections.abc import Callable, Sequence

import numpy as np

from .examples import Predict
from .linear import logistic, ridge
from .majority import majority
from .sequences import MOST_STEPS, fit_scale, stretched


def logistic_flattened(inputs: Sequence[np.ndarray], targets: np.ndarray, n_classes: int, *, seed: int = 0) -> Predict:
    """Logistic regression on every step of every channel.

    Where lengths differ, each sequence is stretched to that of the longest in training (at most 1,000 steps), and its
    own length is one more column. Gaps and scale: ``sequences.py``; then every column is brought to mean 0 and standard
    deviation 1. The strength of the penalty is chosen on a held-out tenth of the training part. With one class only,
    the answer is that of :func:`recurra.baselines.majority`.

    Arguments:
        inputs: training sequences (n,), each (time, channels) in any unit; NaN where nothing was observed.
        targets: class ids (n,), each in 0..n_classes - 1.
        n_classes: how many classes there are, seen in training or not.
        seed: of the held-out tenth.

    Returns:
        A function from sequences to probabilities (n, n_classes) whose rows sum to 1.

    Example:
        >>> up, down = np.array([[0.0], [1.0]]), np.array([[1.0], [0.0]])
        >>> logistic_flattened([up, down] * 5, np.array([1, 0] * 5), 2)([up]).argmax(axis=1)
        array([1])

    Source: Wang, Yan and Oates (2017), Time Series Classification from Scratch, IJCNN, for sequences as flat inputs.
    """
    if len(np.unique(targets)) < 2:
        return majority(inputs, targets, n_classes)
    columns = _fit_columns(inputs)
    model = logistic(columns(inputs), targets, n_classes, inverse_strengths=(0.001, 0.01, 0.1, 1.0), seed=seed)
    return lambda inputs: model(columns(inputs)) if len(inputs) else np.zeros((0, n_classes))


def ridge_flattened(
    inputs: Sequence[np.ndarray],
    targets: np.ndarray,
    n_classes: int | None = None,  # noqa: ARG001
    *,
    seed: int = 0,
) -> Predict:
    """Ridge regression on every step of every channel, laid out as for :func:`logistic_flattened`.

    Arguments:
        inputs: training sequences (n,), each (time, channels) in any unit; NaN where nothing was observed.
        targets: values (n,), in any unit.
        n_classes: not used here; every baseline takes the same arguments.
        seed: of the held-out tenth.

    Returns:
        A function from sequences to values (n,), in the unit of ``targets``.

    Source: Hoerl and Kennard (1970), Technometrics 12.
    """
    columns = _fit_columns(inputs)
    model = ridge(columns(inputs), targets, seed=seed)
    return lambda inputs: model(columns(inputs)) if len(inputs) else np.zeros(0)


def _fit_columns(inputs: Sequence[np.ndarray]) -> Callable[[Sequence[np.ndarray]], np.ndarray]:
    """The function from sequences to standardised columns (n, steps * channels + 1)."""
    from sklearn.preprocessing import StandardScaler

    scale = fit_scale(inputs)
    length = max(1, min(MOST_STEPS, max(len(values) for values in inputs)))

    def lay_out(sequences: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([np.append(stretched(values, length), len(values)) for values in scale(sequences)])

    scaler = StandardScaler().fit(lay_out(inputs))
    return lambda sequences: scaler.transform(lay_out(sequences))
