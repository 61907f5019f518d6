"""What the training data's numbers ranged over, so that a server can say when it is asked about others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..frames import Frame, PanelFrame, SeriesFrame
from ..predictor import Predictor


def training_ranges(predictor: Predictor[Any], frame: Frame) -> dict[str, dict[str, list[float]]]:
    """Least and greatest value of each channel of the raw inputs that are numbers.

    Args:
        predictor: its pipeline knows the channels.
        frame: the data it was trained on.

    Returns:
        By the input's name ``min`` and ``max`` in the user's units, one for each place of the input's last axis; empty
        for texts.
    """
    if isinstance(frame, SeriesFrame):
        pipeline = predictor.schema.pipeline  # type: ignore[attr-defined]  # every schema of series has one
        parts = [_limits([column.raw(frame.table)]) for column in pipeline.channels_.columns]
        values = np.concatenate(parts, axis=1)  # (2, channels)
        found = {"values": values}
        if pipeline.future_covariates_:
            found["future"] = values[:, -pipeline.channels_.width(pipeline.future_covariates_) :]
    elif isinstance(frame, PanelFrame):
        # shorter sequences are padded with zeros, which are therefore nothing out of the ordinary
        channels = frame.values[0].shape[1] if frame.values else 0
        found = {"values": _limits([*frame.values, np.zeros((1, channels))])}
    else:
        return {}
    signature = predictor.schema.signature()  # limits are rounded as what is compared with them will be
    rounded = {name: limits.astype(signature[name].dtype.as_numpy_dtype) for name, limits in found.items()}
    return {name: {"min": low.tolist(), "max": high.tolist()} for name, (low, high) in rounded.items()}


def _limits(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """The least and the greatest of each column: (2, columns)."""
    filled = [array for array in arrays if len(array)]
    # NaN counts only where there is nothing else
    low = np.fmin.reduce([np.fmin.reduce(array, axis=0) for array in filled])
    high = np.fmax.reduce([np.fmax.reduce(array, axis=0) for array in filled])
    return np.stack([low, high])
