"""Truncated backpropagation through time: the state goes from one batch to the next, the gradient does not."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("recurra")
class CarriedState(keras.Model):
    """A language model that keeps its own states from call to call, for truncated backpropagation through time.

    Row i of every batch continues row i of the batch before. Training and evaluation both move the states;
    to evaluate between two batches of one text, wrap the same network a second time.

    Args:
        network: a language model of this package, whose states go in and come out by name.
        batch_size: rows of every batch.

    Inputs are ``tokens`` int32 (batch, time); ``start`` float32 (batch,), 1 where a new text begins, whose state is
    zero first; and ``condition`` int32 (batch,) where the network takes one. The output is the logits
    (batch, time, vocabulary).

    Example:
        >>> model = CarriedState(build("lstm", spec), batch_size=20)
        >>> model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=True)
        >>> model.fit(batches, shuffle=False)
        >>> model.network  # with states in and out

    Source: Williams & Peng (1990), An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories, Neural Computation 2.
    """

    def __init__(self, network: keras.Model, batch_size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.network, self.batch_size = network, batch_size
        self.carried = [self._variable(x) for x in network.inputs if x.name.startswith("state_")]

    def _variable(self, state: Any) -> keras.Variable:
        shape = (self.batch_size, *state.shape[1:])
        return self.add_weight(
            shape=shape, dtype=state.dtype, initializer="zeros", trainable=False, autocast=False, name=state.name
        )

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        continues = ops.equal(inputs["start"], 0.0)[:, None]  # (batch, 1)
        states = {v.name: ops.where(continues, v, ops.zeros_like(v)) for v in self.carried}
        given = {name: inputs[name] for name in ("tokens", "condition") if name in inputs}
        outputs = self.network({**given, **states}, training=training)
        for variable in self.carried:
            variable.assign(ops.stop_gradient(outputs[variable.name]))
        return outputs["logits"]

    def get_config(self) -> dict[str, Any]:
        network = keras.saving.serialize_keras_object(self.network)
        return {**super().get_config(), "network": network, "batch_size": self.batch_size}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> CarriedState:
        network = keras.saving.deserialize_keras_object(config.pop("network"))
        return cls(network, **config)
