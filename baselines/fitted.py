"""What every fitted baseline offers, and how a saved one comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .dtw import NearestNeighbour
from .flattened import FlattenedColumns
from .forecasters import FORECASTERS
from .kneser_ney import KneserNey
from .linear import LinearBaseline, restore_linear
from .majority import Majority, Mean
from .ngram_features import NgramFeatures
from .tagging import MajorityTag, MostFrequentTag, TokenWindows, ValueWindows

if TYPE_CHECKING:
    import tensorflow as tf

_FEATURES = {features.kind: features for features in (NgramFeatures, FlattenedColumns, TokenWindows, ValueWindows)}
_KINDS: dict[str, Any] = {
    kind.kind: kind
    for kind in (Majority, Mean, MajorityTag, MostFrequentTag, NearestNeighbour, KneserNey, *FORECASTERS)
}


class FittedBaseline(Protocol):
    """A baseline that predicts from the raw inputs of an exported model.

    Raw inputs, as arrays or tensors by name:

    - forecasts: ``values`` float64 (batch, window, channels) in the user's units, oldest row first, NaN where missing,
      the targets' channels first.
    - texts: ``text`` string (batch,). Token lists: ``tokens`` string (batch, time), filled up with "". Panels:
      ``values`` float64 (batch, time, channels), NaN where missing, and ``lengths`` int32 (batch,).
    - language models: ``tokens`` int32 (batch, time) and ``state_0`` int32 (batch, n).

    Other names are passed over. Outputs: ``forecast`` float64 (batch, horizon, targets) in the user's units; all others
    float32: ``value`` (batch,); ``logits`` (batch, [time,] classes), logarithms of probabilities.
    """

    @property
    def why_no_graph(self) -> str | None:
        """Why there is no graph, in words; None where :meth:`graph` works."""

    def predict(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs for arrays; where there is a graph, what it gives."""

    def graph(self, raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Outputs for tensors, by TensorFlow's own operations; traceable with unknown batch and time."""

    def extra_inputs(self) -> dict[str, tf.TensorSpec]:
        """Raw inputs that it reads beyond those above."""

    def resources(self) -> list[Any]:
        """Lookup tables and variables that an exported module has to hold."""

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values, with the kind, and arrays without objects: what :func:`load_state` reads."""


def load_state(config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Any:
    """The fitted baseline whose ``state()`` this is.

    Raises:
        ValueError: a kind that this version does not have.
    """
    kind = config["kind"]
    if kind == LinearBaseline.kind:
        return restore_linear(config, arrays, _FEATURES)
    if kind not in _KINDS:
        raise ValueError(f"`kind` must be one of {', '.join([LinearBaseline.kind, *_KINDS])}. Received: {kind!r}")
    return _KINDS[kind].from_state(config, arrays)
