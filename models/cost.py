"""What a model costs: weights and multiply-adds for one window."""

from math import prod

import keras


def multiply_adds(model: keras.Model) -> int:
    """Count the multiply-adds of one forward pass over one window.

    Matrix products only, which is nearly all of the work: additions of biases and activations are left out.

    Args:
        model: a model built by this package's factories.

    Returns:
        Number of multiply-adds for one window.

    Raises:
        ValueError: if a layer has weights whose use is not known here.

    Example:
        >>> multiply_adds(models.build("linear", spec))
        1248
    """
    # One network that reads every target by itself runs once for each of them.
    runs = next((layer.targets for layer in model.layers if layer.name == "split_targets"), 1)
    return runs * sum(_of_layer(layer) for layer in model.layers if layer.weights)


def _of_layer(layer: keras.layers.Layer) -> int:
    if isinstance(layer, keras.layers.Bidirectional):
        # Its two layers were never called by themselves: the wrapper's input says how long they run.
        steps = layer.input.shape[1]
        return steps * (_of_step(layer.forward_layer) + _of_step(layer.backward_layer))
    if isinstance(layer, keras.layers.Dense):
        positions = prod(size for size in layer.output.shape[1:-1])
        return positions * prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.RNN):
        return layer.input.shape[1] * _of_step(layer)
    raise ValueError(f"the cost of a {type(layer).__name__} layer is not known. Received: {layer.name!r}")


def _of_step(layer: keras.layers.RNN) -> int:
    return sum(prod(w.shape) for w in layer.weights if w.name in ("kernel", "recurrent_kernel"))
