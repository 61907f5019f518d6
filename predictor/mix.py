"""A network and a baseline as one model: trained apart, joined by two weights, exported as one graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..evaluation.mixing import LEAST_PROBABILITY, Weights
from ..pipelines.protocol import Tensors
from ..stream_state import StateShapes
from .forecast import ForecastBaseline, ForecastNetwork, ForecastSchema
from .forecast_step import window_step
from .language_model import (
    PUSHED,
    BaselineStep,
    CompiledNextTokens,
    LanguageModelBaseline,
    LanguageModelNetwork,
    LanguageModelSchema,
    NetworkStep,
    with_next,
)
from .sequences import SequenceBaseline, SequenceNetwork, SequenceSchema
from .step import STATE, state_specs

if TYPE_CHECKING:
    import tensorflow as tf

    from .step import GraphStep

_Read = Callable[[dict[str, Any]], dict[str, Any]]


class Mix:
    """What every mix does with its two parts."""

    kind: ClassVar[str]
    network: SequenceNetwork | ForecastNetwork | LanguageModelNetwork
    baseline: SequenceBaseline | ForecastBaseline | LanguageModelBaseline
    weights: Weights

    def parameters(self) -> int:
        """Weights of the network and numbers that the baseline learnt."""
        return self.network.parameters() + self.baseline.parameters() + 2

    def arrays(self) -> list[np.ndarray]:
        """The numbers of both, and the two weights."""
        return [*self.network.arrays(), *self.baseline.arrays(), np.array(self.weights)]

    def trackables(self) -> list[Any]:
        """Layers and tables of both."""
        return [*self.network.trackables(), *self.baseline.trackables()]

    def save(self, folder: Path) -> dict[str, Any]:
        """Write both, each into files of its own."""
        parts = {"network": self.network.save(folder), "baseline": self.baseline.save(folder)}
        return {"kind": self.kind, **parts, "weights": list(self.weights)}

    def __repr__(self) -> str:
        return f"{self.network!r} and {self.baseline!r}, weighted {self.weights[0]:.2f} and {self.weights[1]:.2f}"


class SequenceMix(Mix):
    """A network and a baseline for labels, values or tags: their logits, or their values, are weighted.

    Args:
        network, baseline: each as it would serve alone.
        weights: of the network and of the baseline; see :mod:`recurra.evaluation.mixing`.
    """

    kind = "sequence_mix"
    network: SequenceNetwork
    baseline: SequenceBaseline
    reads_all_rows = False
    step = None
    why_no_step = "a mix reads a sequence as a whole, because its baseline does"

    def __init__(self, network: SequenceNetwork, baseline: SequenceBaseline, weights: Weights) -> None:
        self.network, self.baseline, self.weights = network, baseline, weights
        self.why_no_graph = baseline.why_no_graph
        self.extra_inputs: dict[str, tf.TensorSpec] = dict(baseline.extra_inputs)

    def serve(self, raw: Tensors) -> Tensors:
        """Raw inputs → outputs as those of the network."""
        import tensorflow as tf

        encoder, found = self.network.pipeline.target_encoder_, self.baseline.outputs_of(raw)
        if "value" in found:
            value = tf.cast(self.network.serve(raw)["value"], tf.float64)
            return {"value": self.weights[0] * value + self.weights[1] * tf.cast(found["value"], tf.float64)}
        first = tf.nn.softmax(tf.cast(self.network.outputs_of(raw), tf.float64))
        second = tf.nn.softmax(tf.cast(found["logits"], tf.float64))
        logits = self.weights[0] * _logs(first) + self.weights[1] * _logs(second)
        return encoder.serve(tf.cast(logits, tf.float32))

    @classmethod
    def restored(cls, schema: SequenceSchema, folder: Path, config: dict[str, Any]) -> SequenceMix:
        """What :meth:`save` wrote."""
        network = SequenceNetwork.restored(schema, folder, config["network"])
        baseline = SequenceBaseline.restored(schema, folder, config["baseline"])
        return cls(network, baseline, tuple(config["weights"]))


class ForecastMix(Mix):
    """A network and a baseline for forecasts: their scaled forecasts are weighted; its intervals are its own.

    Args:
        network: with the intervals of the mix, or none.
        baseline: as it would serve alone.
        weights: of the network and of the baseline.
    """

    kind = "forecast_mix"
    network: ForecastNetwork
    baseline: ForecastBaseline

    def __init__(self, network: ForecastNetwork, baseline: ForecastBaseline, weights: Weights) -> None:
        self.network, self.baseline, self.weights = network, baseline, weights
        self.why_no_graph, self.reads_all_rows = baseline.why_no_graph, baseline.reads_all_rows
        self.extra_inputs: dict[str, tf.TensorSpec] = dict(baseline.extra_inputs)
        self.why_no_step = baseline.why_no_step

    @cached_property
    def step(self) -> GraphStep | None:
        """A row at a time, the last rows as the state."""
        if self.why_no_step is not None:
            return None
        return window_step(self.network.pipeline, self.serve, "the baseline of a mix keeps no state of its own")

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the intervals should know."""
        return self.network.notes

    def serve(self, raw: Tensors) -> Tensors:
        """Raw inputs → forecasts in the user's units, with intervals."""
        import tensorflow as tf

        pipeline = self.network.pipeline
        ready = pipeline.preprocess(raw)
        first = tf.cast(self.network.model(ready, training=False), tf.float64)
        second = pipeline.scaled_targets(self.baseline.serve(raw)["forecast"])
        mixed = tf.where(tf.math.is_finite(second), self.weights[0] * first + self.weights[1] * second, first)
        return self.network.in_units(mixed, ready["values"])

    @classmethod
    def restored(cls, schema: ForecastSchema, folder: Path, config: dict[str, Any]) -> ForecastMix:
        """What :meth:`save` wrote."""
        network = ForecastNetwork.restored(schema, folder, config["network"])
        baseline = ForecastBaseline.restored(schema, folder, config["baseline"])
        return cls(network, baseline, tuple(config["weights"]))


class InterpolatedStep:
    """A network and an n-gram model as one step: their probabilities are weighted, both states are carried.

    Its attributes are those of :class:`recurra.predictor.language_model.TokenStep`.
    """

    first: ClassVar[int] = 1
    note: ClassVar[str] = PUSHED
    complete: ClassVar[bool] = False

    def __init__(self, network: NetworkStep, baseline: BaselineStep, weights: Weights) -> None:
        self.pipeline, self.network, self.baseline, self.weights = network.pipeline, network, baseline, weights
        # An n-gram model calls its state as a network calls its first one.
        self._own = {name: name.replace(STATE, f"{STATE}ngrams_") for name in baseline.state_shapes}
        ngrams: StateShapes = {self._own[name]: shape for name, shape in baseline.state_shapes.items()}
        self.state_shapes: StateShapes = {**network.state_shapes, **ngrams}

    def __call__(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Each part is compiled for itself."""
        return self._joined(inputs, self.network, self.baseline)

    def logits(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The same as ops of the graph that is being traced."""
        return self._joined(inputs, self.network.logits, self.baseline.logits)

    def after(self, texts: tf.RaggedTensor, conditions: dict[str, Any]) -> tf.Tensor:
        """Logits after the last token of each text: (batch, vocabulary)."""
        return self._weighted(self.network.after(texts, conditions), self.baseline.after(texts, {}))

    def _joined(self, inputs: dict[str, Any], network: _Read, baseline: _Read) -> dict[str, Any]:
        given = {name: inputs[own] for name, own in self._own.items() if own in inputs}
        second = baseline({"tokens": inputs["tokens"], **given})
        first = network({name: value for name, value in inputs.items() if name not in self._own.values()})
        states = {self._own[name]: second[name] for name in self.baseline.state_shapes}
        return {**first, "logits": self._weighted(first["logits"], second["logits"]), **states}

    def _weighted(self, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
        """Logits of the network and logarithms of the n-gram model's probabilities → those of the mix."""
        import tensorflow as tf

        logs = [
            np.float32(np.log(w)) + x for w, x in zip(self.weights, (tf.nn.log_softmax(first), second), strict=True)
        ]
        return tf.reduce_logsumexp(tf.stack(logs), axis=0)

    def trace(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The same and, of the last token, what may come after it, as words."""
        return with_next(self.pipeline, self.logits(inputs))

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of the inputs."""
        return self.network.signature() | state_specs({own: self.state_shapes[own] for own in self._own.values()})


class LanguageModelMix(Mix):
    """A network and an n-gram model of the same tokens: their probabilities are weighted.

    Args:
        network, baseline: each as it would serve alone.
        weights: of the network and of the baseline, with a sum of one.
    """

    kind = "language_model_mix"
    network: LanguageModelNetwork
    baseline: LanguageModelBaseline
    reads_all_rows = False
    why_no_step = None

    def __init__(self, network: LanguageModelNetwork, baseline: LanguageModelBaseline, weights: Weights) -> None:
        self.network, self.baseline, self.weights = network, baseline, weights
        self.why_no_graph = baseline.why_no_graph
        self.extra_inputs: dict[str, tf.TensorSpec] = {}
        self.step = InterpolatedStep(network.step, baseline.step, weights)
        self._next_tokens = CompiledNextTokens(network.pipeline, self.step)

    def serve(self, raw: Tensors) -> Tensors:
        """``text`` (batch,) and ``condition`` → ``tokens`` and ``probabilities`` (batch, 10), the likeliest first."""
        return self._next_tokens(raw)

    @classmethod
    def restored(cls, schema: LanguageModelSchema, folder: Path, config: dict[str, Any]) -> LanguageModelMix:
        """What :meth:`save` wrote."""
        network = LanguageModelNetwork.restored(schema, folder, config["network"])
        baseline = LanguageModelBaseline.restored(schema, folder, config["baseline"])
        return cls(network, baseline, tuple(config["weights"]))


def _logs(probabilities: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    return tf.math.log(tf.maximum(probabilities, LEAST_PROBABILITY))
