"""Rolling-origin folds: what may be learnt from, what stops the training early, and what is scored."""

import numpy as np

from ..errors import InputError
from ..frames import SeriesFrame
from .fold import Fold, RowRange

# Validation windows of each series that stop the training: more cost time and change little.
MAX_VALIDATION_WINDOWS = 500
MAX_TEST_WINDOWS = 200


def rolling_origin(
    frame: SeriesFrame,
    *,
    horizon: int,
    lookback: int,
    n_folds: int = 3,
    test_size: int | None = None,
    validation_size: int | None = None,
    max_validation_windows: int = MAX_VALIDATION_WINDOWS,
    max_test_windows: int = MAX_TEST_WINDOWS,
) -> list[Fold[RowRange]]:
    """Cut `n_folds` folds whose test rows follow one another up to the end of the data.

    Where rows have time stamps, a cutoff is one moment for all series, so that no series reveals another's future.
    Where rows are merely counted, it counts back from each series' own end.

    Args:
        frame: the series.
        horizon: steps forecast at once.
        lookback: steps a model reads.
        n_folds: number of cutoffs.
        test_size: rows scored after each cutoff; by default a tenth of the longest series, at least `horizon`.
        validation_size: rows between training and cutoff; by default as many as `test_size`.
        max_validation_windows, max_test_windows: of each series, evenly spaced where there are more.

    Returns:
        The folds, the oldest cutoff first.

    Raises:
        InputError: if the first fold has no complete training window, or a selection is shorter than `horizon`.

    Example:
        >>> folds = rolling_origin(frame, horizon=12, lookback=24)

    Source:
        Tashman (2000), Out-of-sample tests of forecasting accuracy, Int. J. Forecasting 16.
    """
    longest = int(frame.lengths.max())
    test_size = max(horizon, longest // 10) if test_size is None else test_size
    validation_size = test_size if validation_size is None else validation_size
    if min(test_size, validation_size) < horizon:
        raise InputError(
            f"test and validation rows of a fold must each hold the `horizon` of {horizon} rows; "
            f"received `test_size` {test_size}, `validation_size` {validation_size}"
        )
    folds = []
    for index in range(n_folds):
        after_cutoff = (n_folds - index) * test_size
        train = rows_before_end(frame, after_cutoff + validation_size)
        cutoff = rows_before_end(frame, after_cutoff)
        folds.append(
            Fold(
                index,
                RowRange(np.zeros_like(train), train),
                RowRange(train, cutoff, max_validation_windows),
                RowRange(cutoff, rows_before_end(frame, after_cutoff - test_size), max_test_windows),
            )
        )
    _require_window(frame, folds[0].train.stop, lookback + horizon, n_folds, test_size)
    _require_validation(frame, folds, lookback, horizon)
    return folds


def single_split(
    frame: SeriesFrame,
    *,
    horizon: int,
    lookback: int,
    validation_size: int | None = None,
    max_validation_windows: int = MAX_VALIDATION_WINDOWS,
) -> Fold[RowRange]:
    """Split off the newest rows as validation set and score nothing: how a final model is trained."""
    validation_size = max(horizon, int(frame.lengths.max()) // 10) if validation_size is None else validation_size
    train, everything = rows_before_end(frame, validation_size), frame.lengths
    fold = Fold(
        0,
        RowRange(np.zeros_like(train), train),
        RowRange(train, everything, max_validation_windows),
        RowRange(everything, everything),
    )
    _require_window(frame, train, lookback + horizon, 1, 0)
    _require_validation(frame, [fold], lookback, horizon)
    return fold


def rows_before_end(frame: SeriesFrame, steps: int) -> np.ndarray:
    """Count each series' rows that lie at least `steps` steps before the end of the data: (series,)."""
    if isinstance(frame.freq, int):
        return np.maximum(frame.lengths - steps, 0)
    if steps == 0:
        return frame.lengths
    stamps = frame.table[frame.time]
    starts = frame.starts
    # the newest time stamp as a regular grid's end: step back without assuming that any series has those rows
    cutoff = stamps.iloc[starts + frame.lengths - 1].max() - steps * _offset(frame.freq)
    counts = [
        np.add.reduceat((stamps.iloc[rows] <= cutoff).to_numpy(dtype="int64"), starts[some] - rows.start)
        for some, rows in frame.blocks()
    ]
    return np.concatenate(counts)


def _offset(freq: str | int):  # type: ignore[no-untyped-def]  # pandas' offsets have no public base type
    from pandas.tseries.frequencies import to_offset

    return to_offset(freq)


def _require_window(frame: SeriesFrame, train: np.ndarray, window: int, n_folds: int, test_size: int) -> None:
    if (train >= window).any():
        return
    raise InputError(
        f"{frame.source}: the longest series has {int(frame.lengths.max())} rows, of which "
        f"{int(train.max(initial=0))} are left for training, fewer than one window of {window} "
        "(lookback + horizon); give more rows, a shorter `lookback` or `horizon`"
        + (f", or fewer than {n_folds} `folds`" if n_folds > 1 else "")
        + (f" (each fold scores {test_size} rows)" if test_size else "")
    )


def _require_validation(frame: SeriesFrame, folds: list[Fold[RowRange]], lookback: int, horizon: int) -> None:
    # One series always has such a window; of many, the long ones may have ended before the cutoff comes.
    for fold in folds:
        validation = fold.validation
        if (validation.stop - np.maximum(validation.start, lookback) >= horizon).any():
            continue
        raise InputError(
            f"{frame.source}: fold {fold.index} has no window for early stopping: no series has the horizon of "
            f"{horizon} rows in the validation rows and the lookback of {lookback} rows before them; leave out "
            "the series that ended early, or choose a shorter `lookback` or fewer `folds`"
        )
