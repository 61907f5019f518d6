"""Answers of TensorFlow Serving's that both protocols give: status and metadata."""

from __future__ import annotations

from typing import Any

from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_pb2

from .repository import Repository
from .served_model import ServedModel
from .service import ModelSpec


def status_response(repository: Repository, spec: ModelSpec) -> Any:
    """States of a model's versions, newest first; a label is not looked at, as in TensorFlow Serving."""
    response = get_model_status_pb2.GetModelStatusResponse()
    for version in repository.status(spec.name, spec.version):
        status = response.model_version_status.add(version=version.number, state=version.state)
        if version.error is not None:
            status.status.error_code = version.error.code.value[0]
            status.status.error_message = version.error.text
        else:
            status.status.error_code = 0
    return response


def model_spec(model: ServedModel, signature: str = "") -> Any:
    """Which version answered."""
    spec = model_pb2.ModelSpec(name=model.name, signature_name=signature)
    spec.version.value = model.version
    return spec


def metadata_response(model: ServedModel) -> tuple[Any, Any]:
    """A version's ``ModelSpec`` and ``SignatureDefMap``."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in model.meta_graph.signature_def.items():
        signatures.signature_def[name].CopyFrom(definition)
    return model_spec(model), signatures
