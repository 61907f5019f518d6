"""A predictor as a ``tf.Module`` whose functions become the signatures of a SavedModel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import tensorflow as tf

from ..predictor import Predictor

DEFAULT, STEP = "serving_default", "step"


def serving_module(predictor: Predictor[Any]) -> tuple[tf.Module, dict[str, Any]]:
    """The module and its signatures: ``serving_default`` and, of language models, ``step`` with the state outside."""
    model = predictor.model
    module = tf.Module(name="recurra")
    # tables belong to the SavedModel; of layers only the weights do, see _weights
    module.tracked = [part for part in model.trackables() if not isinstance(part, tf.keras.layers.Layer)]
    module.serve = _traced(model.serve, raw_signature(predictor))
    signatures = {DEFAULT: module.serve}
    if (step := getattr(model, "step", None)) is not None:
        module.step = _traced(step.trace, step.signature())
        signatures[STEP] = module.step
    module.weights = _weights(signatures.values())
    return module, signatures


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
