"""A network's forward pass over batches, compiled once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np

from ..models.recurrent import portable
from ..pipelines.protocol import Batches

_FEW_BATCHES = 4  # of a validation or test set that is kept once it has been read
_read: WeakKeyDictionary[Batches, list[Any]] = WeakKeyDictionary()


def read_in_order(batches: Batches) -> Iterable[Any]:
    """All batches of (inputs, target, weight), unshuffled; where they are few, they are read only once.

    A fold's validation and test sets are the same for all families and seeds, and to set up the reading of a small one
    costs more than an epoch of training.
    """
    if batches in _read:
        return _read[batches]
    dataset = batches.dataset(batch_size=batches.predict_batch_size)
    if 0 <= int(dataset.cardinality()) <= _FEW_BATCHES:
        return _read.setdefault(batches, list(dataset))
    return dataset


def predict_batches(model: keras.Model, batches: Batches) -> Any:
    """What the model predicts for every example, in order.

    Returns:
        (examples, ...) in scaled units or logits; where examples have different lengths and an output for each of
        their steps, a list of arrays, padded as their batch was.
    """
    if not len(batches):
        return np.empty((0, *model.output_shape[1:]), "float32")
    forward, size = compiled(model), batches.predict_batch_size
    predicted = [forward(inputs).numpy() for inputs, *_ in read_in_order(batches)]
    places = _places(batches.order(size))
    if len({batch.shape[1:] for batch in predicted}) > 1:
        rows = [row for batch in predicted for row in batch]
        return [rows[place] for place in places]
    return np.concatenate(predicted)[places]


def _places(order: np.ndarray) -> np.ndarray:
    """The place of each example in an unshuffled run: (examples,)."""
    real = np.flatnonzero(order >= 0)
    places = np.empty(len(real), np.int64)
    places[order[real]] = real
    return places


def compiled(model: keras.Model) -> Callable[[dict[str, Any]], Any]:
    """The model's forward pass as one graph, made once per model: ``model.predict`` costs more than a small epoch."""
    import tensorflow as tf

    if not hasattr(model, "_forward"):

        def forward(inputs: dict[str, Any]) -> Any:
            with portable(False):
                return model(inputs, training=False)

        # One trace for batches of all lengths. Recurrent layers are compiled by themselves, one loop per core; a
        # training step gains more by XLA having all of it.
        graph = tf.function(forward, reduce_retracing=True, autograph=False)
        # Behind a plain function: a graph that the model itself held would be written into its SavedModel.
        model._forward = lambda inputs: graph(inputs)  # noqa: PLW0108
    return model._forward
