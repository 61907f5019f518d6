"""What a stream is given, as the inputs of successive steps."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import InputError
from ..pipelines.protocol import RawInputs, Tensors
from ..stream_state import as_text
from .step import STATE

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True, eq=False)
class Observations:
    """Observations in order.

    Attributes:
        inputs: the step's inputs without the states, by name: (observations, ...).
        many: whether a prediction is wanted after each, or only after the last.
        times: seconds of each observation and of the one that must follow it: int64 (observations, 2); None where
            nobody said when they were made.
    """

    inputs: RawInputs
    many: bool
    times: np.ndarray | None = None

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))


@dataclass(frozen=True, eq=False)
class TextCut:
    """How a text becomes the steps of a stream, as graph ops.

    Attributes:
        trace: raw inputs → ``tokens`` int32 (batch, time), padded with 0.
        signature: the raw inputs.
        begin: the id that stands before the first token, which `trace` puts before every text; None where none does.
    """

    trace: Callable[[Tensors], Mapping[str, tf.Tensor]]
    signature: dict[str, tf.TensorSpec]
    begin: int | None = None

    def ids(self, text: Any, *, begins: bool) -> np.ndarray:
        """Ids of one text or token list: (tokens,) int32; what begins a stream only where it `begins`."""
        [name] = self.signature
        ids = np.asarray(self.trace({name: np.array([text], dtype=object)})["tokens"])[0]
        return ids[1:] if self.begin is not None and not begins else ids


def first_row(outputs: Tensors) -> RawInputs:
    """Outputs of one stream without the batch axis and the states."""
    named = {name: np.asarray(value) for name, value in outputs.items() if not name.startswith(STATE)}
    return {name: as_text(array[:1])[0, ...] for name, array in named.items()}


def no_conditions(label: Hashable) -> RawInputs:
    """Refuse a class where the model has none."""
    if label is not None:
        raise InputError(f"`label` {label!r} does not apply: only a language model with classes is told one")
    return {}


def as_rows(source: Any, width: int, names: list[str], dtype: str = "float32") -> tuple[np.ndarray, bool]:
    """Plain numbers as rows.

    Args:
        source: a number, a row (channels,) or rows (rows, channels).
        width: channels of a row.
        names: of the channels, for messages.
        dtype: float32, or float64 where units are large beside movements.

    Returns:
        Rows (rows, channels) of that type, and whether there was more than one row to begin with.

    Raises:
        InputError: if these are no numbers, or another number of channels.
    """
    try:
        rows = np.asarray(source, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f"a row of numbers was expected ({', '.join(names)}); received {source!r:.80}") from error
    many = rows.ndim == 2
    rows = np.atleast_1d(rows) if rows.ndim < 2 else rows
    rows = rows[None] if rows.ndim == 1 else rows
    if rows.ndim != 2 or rows.shape[1] != width:
        raise InputError(
            f"a row has {width} values ({', '.join(names)}), so rows are (rows, {width}); received the shape "
            f"{np.shape(source)}"
        )
    return rows, many


def as_table(source: Any) -> tuple[pd.DataFrame, bool] | None:
    """Rows with names as a table, and whether they are several; None where the values have no names."""
    if isinstance(source, pd.DataFrame):
        return source, True
    if isinstance(source, pd.Series):
        source = source.to_dict()
    if isinstance(source, Mapping):
        return pd.DataFrame([source]), False
    return None


def need_columns(table: pd.DataFrame, names: list[str]) -> None:
    """Refuse rows without a column that the model reads."""
    if missing := [name for name in names if name not in table.columns]:
        raise InputError(
            f"the rows have no column {missing[0]!r}; the model reads {', '.join(names)}, and the rows have "
            f"{', '.join(map(str, table.columns))}"
        )
