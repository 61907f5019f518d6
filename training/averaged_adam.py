"""Adam that keeps an average of the weights it has made."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

# Steps after which the average begins to forget the first ones, as in TensorFlow's ExponentialMovingAverage.
_WARM_UP = 9


@keras.saving.register_keras_serializable("recurra")
class AveragedAdam(keras.optimizers.Adam):
    """Adam, and beside the weights their exponential moving average.

    average ← d · average + (1 − d) · weights, with d = min(decay, t / (t + 9)) after t steps. Without the second term
    an average over the last 200 steps (decay 0.995) would hold the first weights long after training has left them.

    Args:
        learning_rate: as Adam's.
        ema: decay of the average, from above 0 to below 1.
        **options: Adam's own.

    Source: Polyak & Juditsky (1992), Acceleration of stochastic approximation by averaging, SIAM J. Control Optim. 30.
    """

    def __init__(self, learning_rate: float = 1e-3, *, ema: float = 0.995, **options: Any) -> None:
        super().__init__(learning_rate, **options)
        self.ema = ema
        self.averages: list[Any] = []

    def build(self, variables: list[Any]) -> None:
        if not self.built:
            super().build(variables)
            self.averages = [self.add_variable_from_reference(v, name="average") for v in variables]

    def apply(self, grads: list[Any], trainable_variables: list[Any] | None = None) -> None:
        # Before: Adam counts on. At the first step nothing has been averaged yet, and d is 0.
        before = ops.cast(self.iterations, "float32")
        super().apply(grads, trainable_variables)
        decay = ops.minimum(self.ema, before / (before + _WARM_UP))
        for average, variable in zip(self.averages, self._trainable_variables, strict=True):
            share = ops.cast(decay, average.dtype)
            average.assign(share * average + (1 - share) * ops.cast(variable, average.dtype))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "ema": self.ema}
