"""What the bias of a forget gate begins with: for how long a cell keeps before it has learnt anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("recurra")
class GateBias(keras.initializers.Initializer):
    """Zeros, but for the forget gate; with "chrono" for the input gate, too.

    Args:
        columns: what the bias holds, in its order, such as ("input", "forget", "candidate", "output").
        forget: of the forget gate: a number, or "chrono": ln U(1, T - 1) for T `steps`, so that the time scales of the
            units cover the sequence, and of the input gate its negative.
        steps: that the layer reads.
        seed: of the draw; by default from Python's generator, as in Keras.

    Source: 1 rather than 0: Gers, Schmidhuber & Cummins (2000); Jozefowicz, Zaremba & Sutskever (2015), An empirical
    exploration of recurrent network architectures, ICML. Chrono: Tallec & Ollivier (2018), Can recurrent neural
    networks warp time?, ICLR, equation 16.
    """

    def __init__(self, columns: Sequence[str], forget: float | str, steps: int, seed: int | None = None) -> None:
        self.columns, self.forget, self.steps = list(columns), forget, steps
        self.uniform = keras.initializers.RandomUniform(1.0, float(max(steps - 1, 1)), seed=seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """The bias (columns × units,)."""
        units = shape[0] // len(self.columns)
        zeros = ops.zeros((units,), dtype)
        if self.forget == "chrono":
            forget = ops.log(self.uniform((units,), dtype))
            values = {"forget": forget, "input": -forget}
        else:
            values = {"forget": ops.full((units,), self.forget, dtype)}
        return ops.concatenate([values.get(name, zeros) for name in self.columns])

    def get_config(self) -> dict[str, Any]:
        return {"columns": self.columns, "forget": self.forget, "steps": self.steps, "seed": self.uniform.seed}
