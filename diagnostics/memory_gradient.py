"""How much of a gradient is left after so many steps inside a recurrent layer, before and after training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..models import has_recurrent_layers
from ..models.seeded import seeded
from .examples import Examples
from .influence import inside_layers

if TYPE_CHECKING:
    import keras

    from ..pipelines import Batches
    from ..tasks import FoldData

_SEQUENCES = 256


def observe_gradient(data: FoldData, network: keras.Model, seed: int, *, distance: int) -> dict[str, float | None]:
    """Measure what is left of the gradient in a network of the first seed, and in one of its kind before training.

    Returns:
        ``gradient_before`` and ``gradient_after``; None where there is no recurrence, and for other seeds.
    """
    import keras

    if seed or not has_recurrent_layers(network):
        return {"gradient_before": None, "gradient_after": None}
    with seeded(seed):
        fresh = keras.models.clone_model(network)
    return {
        "gradient_before": gradient_left(fresh, data.validation, distance),
        "gradient_after": gradient_left(network, data.validation, distance),
    }


def gradient_left(network: keras.Model, batches: Batches, distance: int) -> float | None:
    """‖∂h[t]/∂x[t−distance]‖ / ‖∂h[t]/∂x[t]‖ inside the first recurrent layer, root mean squares over sequences.

    Args:
        network: with at least one recurrent layer.
        batches: of sequences that are longer than `distance`.
        distance: steps back.

    Returns:
        1: as much as of the newest step; None where not even that moves the state.
    """
    [first, *_] = inside_layers(network, _examples(network, batches))
    influence = first["influence"]
    if len(influence) <= distance or not influence[0] > 0:
        return None
    return float(np.sqrt(influence[distance] / influence[0]))


def _examples(network: keras.Model, batches: Batches) -> Examples:
    """The first sequences; nothing is predicted of them."""
    inputs = next(iter(batches.dataset(batch_size=min(_SEQUENCES, len(batches)))))[0]
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    name = "tokens" if "tokens" in arrays else "values"
    count, steps = arrays[name].shape[:2]
    lengths = np.asarray(arrays.get("lengths", np.full(count, steps)))

    def nothing(_: Any) -> np.ndarray:
        return np.empty(count)

    return Examples(arrays, name, lengths, nothing, nothing, network, place=np.arange(count), groups=np.zeros(count))
