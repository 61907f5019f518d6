"""Small layers along time: masks, windows, segments, pooling. Padding is always on the right."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..tensor import Tensor

POOLINGS = ("last", "mean", "max", "attention")


@keras.saving.register_keras_serializable("recurra")
class SequenceMask(keras.layers.Layer):
    """Which steps are real: values (batch, time, channels), lengths (batch,) → bool (batch, time)."""

    def call(self, values: Tensor, lengths: Tensor) -> Tensor:
        return ops.arange(ops.shape(values)[1], dtype="int32")[None, :] < ops.cast(lengths, "int32")[:, None]

    def compute_output_spec(self, values: Tensor, lengths: Tensor) -> Tensor:  # noqa: ARG002
        return keras.KerasTensor(values.shape[:2], dtype="bool")


@keras.saving.register_keras_serializable("recurra")
class Masked(keras.layers.Layer):
    """Zeros wherever the mask is off: (batch, time, channels), bool (batch, time) → (batch, time, channels).

    Ends Keras' own mask, too: one that reached the output would change the size of the loss.
    """

    supports_masking = True

    def call(self, x: Tensor, steps: Tensor) -> Tensor:
        return zero_padding(x, steps)

    def compute_mask(self, *_: Any, **__: Any) -> None:
        return None

    def compute_output_spec(self, x: Tensor, steps: Tensor) -> Tensor:  # noqa: ARG002
        return keras.KerasTensor(x.shape, dtype=x.dtype)


def zero_padding(x: Tensor, steps: Tensor) -> Tensor:
    """(batch, time, channels), bool (batch, time) → (batch, time, channels)."""
    return ops.where(steps[:, :, None], x, ops.zeros_like(x))


@keras.saving.register_keras_serializable("recurra")
class FixedLength(keras.layers.Layer):
    """Cut, or pad with 0 on the right, to `length` steps: (batch, time, ...) → (batch, length, ...)."""

    def __init__(self, length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.length = length

    def call(self, x: Tensor) -> Tensor:
        x = x[:, : self.length]
        padding = [(0, 0)] * (len(x.shape) - 2)
        return ops.pad(x, [(0, 0), (0, self.length), *padding])[:, : self.length]

    def compute_output_spec(self, x: Tensor) -> Tensor:
        return keras.KerasTensor((x.shape[0], self.length, *x.shape[2:]), dtype=x.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "length": self.length}


@keras.saving.register_keras_serializable("recurra")
class Windows(keras.layers.Layer):
    """Every `size` neighbours side by side: (batch, time + size - 1, channels) → (batch, time, size × channels)."""

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def call(self, x: Tensor) -> Tensor:
        return ops.concatenate([shifted(x, i, self.size) for i in range(self.size)], axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, time, channels = input_shape
        return (batch, None if time is None else time - self.size + 1, self.size * channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable("recurra")
class SumOfPositions(keras.layers.Layer):
    """Sum over `size` neighbours, of each the part for its position.

    From (batch, time + size - 1, size × channels) to (batch, time, channels): a linear map of the window, for steps
    that were looked up in a table of a part for every position.
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def call(self, x: Tensor) -> Tensor:
        parts = ops.split(x, self.size, axis=-1)
        return sum(shifted(part, i, self.size) for i, part in enumerate(parts))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, time, channels = input_shape
        return (batch, None if time is None else time - self.size + 1, channels // self.size)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


def shifted(x: Tensor, i: int, size: int) -> Tensor:
    """The `i`-th step of every window of `size`: (batch, time + size - 1, ...) → (batch, time, ...)."""
    left_out = size - 1 - i
    return x[:, i:-left_out] if left_out else x[:, i:]


@keras.saving.register_keras_serializable("recurra")
class JoinSteps(keras.layers.Layer):
    """Several steps read as one: x (batch, time, channels) and its mask → the same for ⌈time / length⌉ segments.

    Segments begin at the first step, so padding moves none of them. A segment is real if any step in it is.

    Args:
        length: steps in a segment.
        how: "average" the real ones, or "concatenate" all, zeros at padding.
    """

    def __init__(self, length: int, how: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.length, self.how = length, how

    def call(self, x: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        channels = x.shape[2]
        x, steps = self._whole(zero_padding(x, steps)), self._whole(steps)
        count = ops.shape(x)[1] // self.length
        real = ops.reshape(steps, (-1, count, self.length))
        if self.how == "concatenate":
            return ops.reshape(x, (-1, count, self.length * channels)), ops.any(real, axis=2)
        total = ops.sum(ops.reshape(x, (-1, count, self.length, channels)), axis=2)
        number = ops.sum(ops.cast(real, x.dtype), axis=2)
        return total / ops.maximum(number, 1.0)[:, :, None], ops.any(real, axis=2)

    def _whole(self, x: Tensor) -> Tensor:
        """Pad to whole segments."""
        rest = [(0, 0)] * (len(x.shape) - 2)
        whole = -(-ops.shape(x)[1] // self.length) * self.length
        return ops.pad(x, [(0, 0), (0, self.length - 1), *rest])[:, :whole]

    def compute_output_spec(self, x: Tensor, steps: Tensor) -> Tensor:  # noqa: ARG002
        batch, time, channels = x.shape
        count = None if time is None else -(-time // self.length)
        width = channels * self.length if self.how == "concatenate" else channels
        return keras.KerasTensor((batch, count, width), dtype=x.dtype), keras.KerasTensor((batch, count), dtype="bool")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "length": self.length, "how": self.how}


@keras.saving.register_keras_serializable("recurra")
class Pool(keras.layers.Layer):
    """One vector for a sequence, from its real steps: (batch, time, units), bool (batch, time) → (batch, units).

    A sequence without any real step gives zeros.

    Args:
        how: "last", "mean", "max", or "attention": a mean whose weights are the softmax of a learnt direction's product
            with tanh of each step; it begins as the mean (Zhou et al. 2016, Attention-based bidirectional LSTM, ACL).
    """

    def __init__(self, how: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if how not in POOLINGS:
            raise ValueError(f"`how` must be one of {POOLINGS}. Received: {how!r}")
        self.how = how

    def build(self, x_shape: tuple, steps_shape: tuple) -> None:  # noqa: ARG002
        if self.how == "attention":
            self.direction = self.add_weight(shape=(x_shape[-1],), initializer="zeros", name="direction")

    def call(self, x: Tensor, steps: Tensor) -> Tensor:
        if self.how == "attention":
            shares = ops.softmax(ops.where(steps, self.scores(x), -1e9), axis=1)
            return ops.sum(zero_padding(x, steps) * shares[:, :, None], axis=1)
        if self.how == "max":
            highest = ops.max(ops.where(steps[:, :, None], x, -1e9), axis=1)
            return ops.where(ops.any(steps, axis=1)[:, None], highest, 0.0)
        if self.how == "last":
            after = ops.pad(steps[:, 1:], [(0, 0), (0, 1)])
            steps = ops.logical_and(steps, ops.logical_not(after))
        total = ops.sum(zero_padding(x, steps), axis=1)
        number = ops.sum(ops.cast(steps, x.dtype), axis=1)
        return total / ops.maximum(number, 1.0)[:, None]

    def scores(self, x: Tensor) -> Tensor:
        """How much attention each step asks for: (..., units) → (...)."""
        return ops.sum(ops.tanh(x) * self.direction, axis=-1)

    def compute_output_spec(self, x: Tensor, steps: Tensor) -> Tensor:  # noqa: ARG002
        return keras.KerasTensor((x.shape[0], x.shape[2]), dtype=x.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "how": self.how}


@keras.saving.register_keras_serializable("recurra")
class Scale(keras.layers.Layer):
    """Multiplies everything by one learnt number, at first 1: any shape → the same."""

    def build(self, input_shape: tuple) -> None:  # noqa: ARG002
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, x: Tensor) -> Tensor:
        return x * self.scale


@keras.saving.register_keras_serializable("recurra")
class Bias(keras.layers.Layer):
    """Adds one learnt number to each channel: (batch, ..., channels) → the same."""

    def build(self, input_shape: tuple) -> None:
        self.bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="bias")

    def call(self, x: Tensor) -> Tensor:
        return x + self.bias
