"""What users hand over as ``X`` → sequences of one kind, checked by scikit-learn and in its words where they fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, validate_data

from ..pipelines.ragged import Ragged

_TEXTS = (str, np.str_)
_WORDS = {
    "table": "a table (rows, steps)",
    "values": "sequences (time, channels)",
    "text": "texts",
    "tokens": "lists of tokens",
}


@dataclass(frozen=True, eq=False)
class Examples:
    """Sequences of one kind.

    Attributes:
        kind: "table" (n, steps) of one channel, "values" (of any length), "text" or "tokens".
        values: steps of sequences of numbers, float64; None of texts.
        texts: texts, or lists of tokens; None of numbers.
    """

    kind: str
    values: Ragged | None = None
    texts: list[Any] | None = None

    def __len__(self) -> int:
        return len(self.values) if self.values is not None else len(self.texts or ())

    def row_bytes(self, row: int) -> bytes:
        """The inputs of a row, as bytes."""
        if self.values is not None:
            return self.values[row].tobytes()
        text = (self.texts or [])[row]
        return text.encode() if isinstance(text, str) else "\0".join(map(str, text)).encode()

    @property
    def inputs(self) -> list[Any]:
        """What pipelines and frames read: arrays (time, channels), texts, or lists of tokens."""
        if self.values is not None:
            return [self.values[i] for i in range(len(self.values))]
        return self.texts or []


def read_examples(estimator: BaseEstimator, X: Any, *, fitted_kind: str | None, channels: str) -> Examples:
    """Check `X` and remember, or compare with, what it looked like in fit.

    Args:
        estimator: gets ``n_features_in_`` and ``feature_names_in_`` in fit, and is asked for them later.
        X: a table, an array (n, time, channels), sequences of different length, texts, or lists of tokens.
        fitted_kind: what kind the estimator was fitted on; None in fit.
        channels: "last", or "first" for arrays (n, channels, time) and sequences (channels, time).

    Raises:
        ValueError, TypeError: with scikit-learn's words.
    """
    X = _unwrapped(X)
    _check_there(estimator, X)
    kind = _kind_of(X)
    if kind == "table" and fitted_kind == "values":  # sequences that happen to have the same length
        kind = "values"
        X = list(check_array(X, dtype=np.float64, estimator=estimator, input_name="X"))
    if fitted_kind not in (None, kind):
        name = type(estimator).__name__
        raise ValueError(
            f"X holds {_WORDS[kind]}{_shape_of(X)}, but {name} is expecting {_WORDS[fitted_kind]} as input, as in fit."
        )
    if kind == "text":
        return Examples(kind, texts=[_text(text, i) for i, text in enumerate(X)])
    if kind == "tokens":
        return Examples(kind, texts=[[_text(token, i) for token in tokens] for i, tokens in enumerate(X)])
    if kind == "values":
        if not isinstance(X, list):
            X = list(check_array(X, dtype=np.float64, allow_nd=True, estimator=estimator, input_name="X"))
        return _of_sequences(estimator, X, fitted_kind is None, channels)
    table = validate_data(estimator, X, reset=fitted_kind is None, dtype=np.float64)
    return Examples("table", Ragged(table.reshape(-1, 1) + 0.0, np.full(len(table), table.shape[1])))


def _check_there(estimator: BaseEstimator, X: Any) -> None:
    """Refuse one text and an empty list in scikit-learn's words; what has columns is left to its checks of tables."""
    if isinstance(X, _TEXTS):
        raise ValueError("Iterable over raw text documents expected, string object received.")
    if isinstance(X, list) and not X:
        name = type(estimator).__name__
        raise ValueError(f"Found array with 0 sample(s) (shape=(0,)) while a minimum of 1 is required by {name}.")


def _kind_of(X: Any) -> str:
    """What kind of inputs these are; anything that is none of the others is left to scikit-learn's checks of tables."""
    first = X[0] if isinstance(X, list) and X else None
    if isinstance(first, _TEXTS):
        return "text"
    if isinstance(first, list | tuple | np.ndarray) and len(first) and all(isinstance(t, _TEXTS) for t in first):
        return "tokens"
    if getattr(X, "ndim", 2) == 3 or (isinstance(X, list) and _is_ragged(X)):
        return "values"
    return "table"


def _shape_of(X: Any) -> str:
    shape = np.shape(X) if isinstance(X, np.ndarray) else None
    return "" if shape is None else f" of shape {shape}"


def _unwrapped(X: Any) -> Any:
    """A Series, an object array or a frame of one column of texts as a list; anything else as it is."""
    if isinstance(X, pd.DataFrame) and X.shape[1] == 1 and len(X) and isinstance(X.iloc[0, 0], (*_TEXTS, list)):
        X = X.iloc[:, 0]
    if isinstance(X, pd.Series) and not pd.api.types.is_numeric_dtype(X):
        return X.tolist()
    if isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype.kind in "OUT":
        return X.tolist()
    return list(X) if isinstance(X, tuple) else X


def _text(text: Any, row: int) -> str:
    if not isinstance(text, _TEXTS):
        raise ValueError(f"X holds texts, but row {row} is {text!r}; give a string for each row.")
    return str(text)


def _is_ragged(X: list[Any]) -> bool:
    """Whether a list holds sequences: arrays, lists of different length, or lists of steps of several channels."""
    if not X or not all(isinstance(row, list | tuple | np.ndarray) for row in X):
        return False
    if isinstance(X[0], np.ndarray):
        return X[0].ndim in (1, 2)
    return len({len(row) for row in X}) > 1 or (bool(len(X[0])) and np.ndim(X[0][0]) == 1)


def _of_sequences(estimator: BaseEstimator, X: list[Any], reset: bool, channels: str) -> Examples:
    sequences = [_steps(estimator, row, i, channels) for i, row in enumerate(X)]
    widths = {sequence.shape[1] for sequence in sequences}
    if len(widths) > 1:
        raise ValueError(f"All sequences in X must have the same number of channels; found {sorted(widths)}.")
    width = widths.pop()
    if reset:
        estimator.n_features_in_ = width
        vars(estimator).pop("feature_names_in_", None)
    elif width != estimator.n_features_in_:
        name = type(estimator).__name__
        raise ValueError(
            f"X has sequences of shape (time, {width}), but {name} is expecting sequences of shape (time, "
            f"{estimator.n_features_in_}) as input."
        )
    return Examples("values", Ragged.of(sequences))


def _steps(estimator: BaseEstimator, row: Any, number: int, channels: str) -> np.ndarray:
    """One sequence as float64 (time, channels)."""
    array = np.asarray(row)
    if array.ndim == 1:
        array = array[:, None]
    elif channels == "first":
        array = array.T
    if array.ndim != 2 or not array.size:
        raise ValueError(
            f"Sequence {number} in X has shape {np.shape(row)}; expected (time,) or (time, channels) with at least one "
            "step."
        )
    name = f"X[{number}]"
    checked = check_array(array, dtype=np.float64, estimator=estimator, input_name=name)
    return np.ascontiguousarray(checked) + 0.0
