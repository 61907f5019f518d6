"""How bad a leak is: the error of a cheap model with it and without it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...frames import SeriesFrame
from ...pipelines import Fold, RowRange, Windows

_MOST_WINDOWS = 2000
_MOST_TEXTS = 4000


def forecast_error(
    frame: SeriesFrame,
    fold: Fold[RowRange],
    lookback: int,
    horizon: int,
    *,
    without: tuple[str, ...] = (),
    rescale: str | None = None,
    on_all_rows: bool = False,
) -> float | None:
    """Mean absolute error, on the test rows, of a ridge regression on the window and what is known ahead.

    Args:
        frame: the series.
        fold: where they are cut.
        lookback, horizon: of a window.
        without: covariates left out.
        rescale: a column that is scaled anew, by its training rows or, with `on_all_rows`, by all; the error is then
            given in units of its deviation in training.

    Returns:
        The error in the unit of the first target, None where there are too few windows.
    """
    from sklearn.linear_model import Ridge

    table = frame.table
    past = [n for n in (*frame.targets, *frame.past_covariates) if n not in without and table[n].dtype.kind == "f"]
    future = [n for n in frame.future_covariates if n not in without and table[n].dtype.kind == "f"]
    columns = {name: _filled(frame.columns([name])[:, 0]) for name in {*past, *future}}
    unit = 1.0
    if rescale in columns:
        train = columns[rescale][: int(fold.train.stop[0])]
        unit = float(train.std()) or 1.0
        base = columns[rescale] if on_all_rows else train
        columns[rescale] = (columns[rescale] - base.mean()) / (base.std() or 1.0)
        unit = unit / (base.std() or 1.0) if rescale == frame.targets[0] else 1.0
    parts = {}
    read = min(lookback, 24)
    for name, rows in (("train", fold.train), ("test", fold.test)):
        windows = Windows.of(frame.lengths, rows.start, rows.stop, lookback=read, horizon=horizon)
        starts = windows.starts()
        starts = starts[np.unique(np.linspace(0, len(starts) - 1, min(len(starts), _MOST_WINDOWS)).astype(int))]
        if len(starts) < 10:
            return None
        inside, ahead = starts[:, None] + np.arange(read), starts[:, None] + read + np.arange(horizon)
        design = [columns[n][inside] for n in past] + [columns[n][ahead] for n in future]
        parts[name] = (np.concatenate(design, axis=1), columns[frame.targets[0]][ahead])
    model = Ridge(alpha=1e-3).fit(*parts["train"])
    x, y = parts["test"]
    return float(np.abs(model.predict(x) - y).mean() / unit)


def _filled(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    if known.all():
        return values
    if not known.any():
        return np.zeros_like(values)
    return np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])


def text_error(
    texts: Any, labels: Any, train: np.ndarray, test: np.ndarray, left_out: np.ndarray
) -> tuple[float, float] | None:
    """Fraction of wrong labels on `test`, trained on `train`, and the same without the rows `left_out`.

    A nearest neighbour by words: the model that gains most from a copy, so this is the most that a leak can be worth.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.neighbors import KNeighborsClassifier

    random = np.random.default_rng(0)
    others = np.setdiff1d(train, left_out)
    others = random.permutation(others)[:_MOST_TEXTS]
    test = test[: _MOST_TEXTS // 4]
    if not len(test) or len(others) < 5:
        return None
    joined = [text if isinstance(text, str) else " ".join(map(str, text)) for text in texts]
    errors = []
    for rows in (np.concatenate([others, left_out[:_MOST_TEXTS]]), others):
        words = TfidfVectorizer(token_pattern=r"\S+", max_features=50_000)
        x = words.fit_transform([joined[i] for i in rows])
        own = [str(labels[i]) for i in rows]
        nearest = KNeighborsClassifier(1, metric="cosine").fit(x, own)
        predicted = nearest.predict(words.transform([joined[i] for i in test]))
        errors.append(float(np.mean(predicted != np.array([str(labels[i]) for i in test]))))
    return errors[0], errors[1]
