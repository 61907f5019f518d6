"""A predictor as a ``tf.Module`` whose functions become the signatures of a SavedModel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import tensorflow as tf

from ..predictor import Predictor
from ..predictor.step import ExportableStep

DEFAULT, STEP, TOKENS = "serving_default", "step", "tokens"


def serving_module(predictor: Predictor[Any]) -> tuple[tf.Module, dict[str, Any]]:
    """The module and its signatures.

    ``serving_default``; where the model can be run an observation at a time ``step``, with the state outside; and
    beside it, where texts are cut inside the model, ``tokens``: the steps of a text.
    """
    model = predictor.model
    module = tf.Module(name="recurra")
    # tables belong to the SavedModel; of layers only the weights do, see _weights
    module.tracked = [part for part in model.trackables() if not isinstance(part, tf.keras.layers.Layer)]
    module.serve = _traced(model.serve, raw_signature(predictor))
    signatures = {DEFAULT: module.serve}
    if model.step is not None:
        step = cast("ExportableStep", model.step)  # a model that can be exported is not a SavedModel yet
        module.step = _traced(step.trace, step.signature())
        signatures[STEP] = module.step
        if (cut := predictor.schema.tokens_of) is not None:
            module.tokens = _traced(cut.trace, cut.signature)
            signatures[TOKENS] = module.tokens
    module.weights = _weights(signatures.values())
    return module, signatures


def describe_stream(predictor: Predictor[Any]) -> dict[str, Any]:
    """What a server needs to know of the signature ``step``, as plain JSON values.

    Returns:
        ``first``: observations before the first prediction; ``note``; ``complete``: whether rows must have all values;
        ``begin``: the token before the first; or ``why_not``: why there are no streams.
    """
    step, cut = predictor.model.step, predictor.schema.tokens_of
    if step is None:
        return {"why_not": predictor.model.why_no_step}
    about = {"first": step.first, "note": step.note, "complete": step.complete}
    return about | {"begin": None if cut is None else cut.begin}


def _weights(functions: Iterable[Any]) -> list[tf.Variable]:
    """The variables that functions read.

    Keras' own variables would be saved as copies beside these, and whoever loads the graph into a session, as
    TensorFlow Serving does, would find the copies restored and the weights themselves without a value.

    Source: keras/src/backend/tensorflow/core.py, Variable._export_to_saved_model_graph; export/saved_model.py does the
    same as this.
    """
    found = {id(v): v for function in functions for v in function.get_concrete_function().graph.variables}
    return list(found.values())


def raw_signature(predictor: Predictor[Any]) -> dict[str, tf.TensorSpec]:
    """Names, types and shapes of what an exported predictor takes."""
    return {**predictor.schema.signature(), **predictor.model.extra_inputs}


def _traced(function: Callable[[dict[str, Any]], Mapping[str, Any]], signature: dict[str, tf.TensorSpec]) -> Any:
    names = list(signature)

    def positional(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(function(dict(zip(names, tensors, strict=True))))

    # autograph re-reads source files, which may have changed since they were imported
    return tf.function(positional, input_signature=list(signature.values()), autograph=False)
