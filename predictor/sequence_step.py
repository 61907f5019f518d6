"""Labels, values and tags of a sequence so far, after every new token or row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..pipelines import SequenceEncoder, SequencePipeline
from .step import GraphStep, RowsRead, hide

if TYPE_CHECKING:
    import keras


def sequence_step(pipeline: SequencePipeline, network: keras.Model) -> GraphStep:
    """A step that costs the same however many tokens or rows were read.

    Args:
        pipeline: fitted on training examples.
        network: reads what the pipeline gives.

    Raises:
        NotStepwise: where the network reads a sequence as a whole, or from its end.
    """
    from ..models.stepwise import Stepwise

    stepwise, targets = Stepwise(network), pipeline.target_encoder_

    def served(logits: Any) -> dict[str, Any]:
        return targets.serve(logits[:, 0] if targets.per_step else logits)

    make = _of_values if isinstance(pipeline.encoder, SequenceEncoder) else _of_tokens
    return make(pipeline, stepwise, served)


def _of_values(pipeline: SequencePipeline, stepwise: Any, served: Any) -> GraphStep:
    import tensorflow as tf

    encoder: Any = pipeline.encoder
    rows = RowsRead(stepwise, encoder.spec.channels, encoder.missing)

    def trace(inputs: dict[str, Any]) -> Mapping[str, Any]:
        def ready(filled: Any) -> dict[str, Any]:
            return {"values": filled, "lengths": tf.ones(tf.shape(filled)[:1], tf.int32)}

        logits, states, known = rows(encoder.scaled_in_graph(inputs["values"]), inputs, ready)
        return hide(served(logits), known) | states

    specs = {"values": tf.TensorSpec([None, encoder.spec.channels], tf.float64, name="values")}
    complete = encoder.missing != "ffill"
    return GraphStep(trace, specs, rows.state_shapes, 1, _note(pipeline, "rows"), complete=complete)


def _of_tokens(pipeline: SequencePipeline, stepwise: Any, served: Any) -> GraphStep:
    import tensorflow as tf

    def trace(inputs: dict[str, Any]) -> Mapping[str, Any]:
        states = {name: inputs[name] for name in stepwise.state_shapes}
        logits, after, _ = stepwise({"tokens": inputs["tokens"][:, tf.newaxis]}, states)
        return served(logits) | after

    specs = {"tokens": tf.TensorSpec([None], tf.int32, name="tokens")}
    return GraphStep(trace, specs, stepwise.state_shapes, 1, _note(pipeline, "tokens"))


def _note(pipeline: SequencePipeline, what: str) -> str:
    note = f"each push moves the state on: a prediction is made from all {what} since the stream began"
    if not pipeline.encoder.truncate_:
        return note
    return f"{note}, where `predict` reads the {pipeline.encoder.keep} {pipeline.encoder.length_}"
