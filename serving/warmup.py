"""Load a version and run the requests that its exporter recorded, before anybody is sent to it.

Only recorded requests are run: a SavedModel holds variables, and a call made up here could change them.

Source: tensorflow_serving/servables/tensorflow/saved_model_warmup.cc.
"""

from __future__ import annotations

import logging
from itertools import islice
from pathlib import Path
from typing import Any

from tensorflow_serving.apis import prediction_log_pb2

from . import examples
from .served_model import DEFAULT, ServedModel
from .status import Code, ServingError, invalid
from .tensors import array_of

_MOST_RECORDS = 1000
_log = logging.getLogger("recurra.serving")


def load(name: str, version: int, path: Path, *, check_shapes: bool | None = None) -> ServedModel:
    """Load and warm up a version.

    Raises:
        Exception: whatever TensorFlow raises for the folder.
        ServingError: if a recorded request fails.
    """
    model = ServedModel(path, name, version, check_shapes=check_shapes)
    try:
        warm_up(model)
    except BaseException:
        model.close()
        raise
    return model


def warm_up(model: ServedModel) -> int:
    """Run every recorded request once; how many there were."""
    records = list(islice(model.warmup_requests(), _MOST_RECORDS + 1))
    if len(records) > _MOST_RECORDS:
        raise invalid(f"Number of warmup records exceeds the maximum ({_MOST_RECORDS})")
    for count, record in enumerate(records, start=1):
        try:
            _run(model, prediction_log_pb2.PredictionLog.FromString(record))
        except ServingError as error:
            message = f"warmup request {count} of {model} failed: {error.message}"
            raise ServingError(error.code, message) from error
    return len(records)


def _run(model: ServedModel, log: Any) -> None:
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        request = log.predict_log.request
        signature = _signature(model, request.model_spec.signature_name)
        inputs = {name: array_of(name, proto) for name, proto in request.inputs.items()}
        model.call(signature, model.checked(signature, inputs), list(request.output_filter) or None)
    elif kind in ("classify_log", "regress_log"):
        method = examples.CLASSIFY if kind == "classify_log" else examples.REGRESS
        request = getattr(log, kind).request
        _run_examples(model, request.model_spec.signature_name, method, request.input)
    elif kind == "multi_inference_log":
        request = log.multi_inference_log.request
        for task in request.tasks:
            _run_examples(model, task.model_spec.signature_name, task.method_name, request.input)
    else:
        raise ServingError(Code.UNIMPLEMENTED, f"Unsupported log_type for warmup: {kind}")


def _run_examples(model: ServedModel, name: str, method: str, request_input: Any) -> None:
    signature = examples.signature_for(model, name, method)
    inputs = model.checked(signature, {examples.INPUTS: examples.serialised(request_input)})
    model.call(signature, inputs, examples.wanted_outputs(signature, method))


def _signature(model: ServedModel, name: str) -> Any:
    name = name or DEFAULT
    if name not in model.signatures:
        raise ServingError(Code.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
    return model.signatures[name]
