"""A fitted baseline as what serves a predictor: what is the same in every task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..baselines.fitted import FittedBaseline
from ..pipelines.protocol import Tensors
from .network_files import write_arrays

if TYPE_CHECKING:
    import tensorflow as tf


class BaselineModel:
    """A fitted baseline between raw inputs and outputs.

    Args:
        fitted: learnt from all examples it was given.
    """

    kind: ClassVar[str]
    reads_all_rows: bool = False

    def __init__(self, fitted: FittedBaseline) -> None:
        self.fitted = fitted
        self.why_no_graph = fitted.why_no_graph
        self.extra_inputs: dict[str, tf.TensorSpec] = fitted.extra_inputs()

    def outputs_of(self, raw: Tensors) -> dict[str, Any]:
        """Raw inputs, as arrays or tensors → what the baseline gives, as graph ops where it has a graph."""
        import tensorflow as tf

        if self.why_no_graph is not None:
            return dict(self.fitted.predict(raw))
        return dict(self.fitted.graph({name: tf.convert_to_tensor(value) for name, value in raw.items()}))

    def parameters(self) -> int:
        """Numbers learnt."""
        return sum(array.size for array in self.arrays() if array.dtype.kind == "f")

    def arrays(self) -> list[np.ndarray]:
        """What was learnt."""
        return list(self.fitted.state()[1].values())

    def trackables(self) -> list[Any]:
        """Its tables and variables."""
        return self.fitted.resources()

    def save(self, folder: Path) -> dict[str, Any]:
        """Write what was learnt."""
        config, arrays = self.fitted.state()
        write_arrays(folder, arrays)
        return {"kind": self.kind, "fitted": config}

    def __repr__(self) -> str:
        return repr(self.fitted)
