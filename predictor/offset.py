"""A baseline whose score is an input of a network: the same graph in predictions, exports and the network's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..baselines.fitted import FittedBaseline, load_state
from ..evaluation.mixing import LEAST_PROBABILITY
from ..pipelines import SequencePipeline
from ..pipelines.protocol import Tensors
from .baseline_model import BaselineModel
from .network_files import read_arrays

if TYPE_CHECKING:
    import tensorflow as tf


class _Score(BaselineModel):
    """The baseline, which serves nobody by itself."""

    kind = "offset"


@dataclass(frozen=True, eq=False)
class BaselineOffset:
    """A fitted baseline as a network's offset.

    Attributes:
        fitted: the baseline; it must have a graph.
        calibration: what its score is multiplied by.
        pipeline: knows classes and scales of the targets.
    """

    fitted: FittedBaseline
    calibration: float
    pipeline: SequencePipeline

    @cached_property
    def model(self) -> BaselineModel:
        """Its numbers, tables and files."""
        return _Score(self.fitted)

    def of_predictions(self, predicted: Any) -> np.ndarray:
        """Calibrated scores of what the baseline predicted, as arrays.

        Args:
            predicted: probabilities (examples, classes), a list of (time, classes), or values (examples,).

        Returns:
            (examples, classes), (steps of all examples, classes), or (examples, 1), float32.
        """
        if not self.pipeline.classes:
            scaled: Any = self.pipeline.target_encoder_.encode(predicted)
            return np.asarray(self.calibration * scaled, "float32")
        rows = np.concatenate(predicted) if self.pipeline.target_encoder_.per_step else np.asarray(predicted)
        return (self.calibration * np.log(np.maximum(rows, LEAST_PROBABILITY))).astype("float32")

    def of_raw(self, raw: Tensors, ready: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The same as graph ops, from raw inputs: (batch, outputs), or (batch, time, outputs) as long as `ready`."""
        import tensorflow as tf

        found = self.model.outputs_of(raw)
        if "value" in found:
            encoder: Any = self.pipeline.target_encoder_
            scaled = (tf.cast(found["value"], tf.float64)[:, tf.newaxis] - encoder.mean_) / encoder.scale_
            return tf.cast(self.calibration * scaled, tf.float32)
        probabilities = tf.nn.softmax(tf.cast(found["logits"], tf.float64))
        score = tf.cast(self.calibration * tf.math.log(tf.maximum(probabilities, LEAST_PROBABILITY)), tf.float32)
        if not self.pipeline.target_encoder_.per_step:
            return score
        # What only fills a batch up may be cut off, or added, by the pipeline.
        time = tf.shape(ready["values" if "values" in ready else "tokens"])[1]
        missing = tf.maximum(time - tf.shape(score)[1], 0)
        return tf.pad(score[:, :time], [[0, 0], [0, missing], [0, 0]])

    def save(self, folder: Path) -> dict[str, Any]:
        """Write what the baseline learnt."""
        return {"calibration": self.calibration, **self.model.save(folder)}

    @classmethod
    def restored(cls, pipeline: SequencePipeline, folder: Path, config: Mapping[str, Any]) -> BaselineOffset:
        """What :meth:`save` wrote."""
        return cls(load_state(config["fitted"], read_arrays(folder)), config["calibration"], pipeline)
